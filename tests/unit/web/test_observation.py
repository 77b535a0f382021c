"""The paths for reading."""

import dataclasses
import math

import pytest

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.snapshot import (
    BinnedRecords,
    ClassQuality,
    Distribution,
    Drift,
    Notice,
    Snapshot,
    VersionSnapshot,
    VersionState,
    WindowRecords,
)
from driftgauge.web.ports import Component, Health, HistoryQuery, HistoryRow, Progress, Readiness, Statistic

EMPTY_PARTS = {f.name: () for f in dataclasses.fields(VersionSnapshot)}
VALUES = dict.fromkeys(VersionState.__struct_fields__)


def version(model: str, model_version: str, **parts) -> VersionSnapshot:
    state = VersionState(**(VALUES | {"model": model, "model_version": model_version, "task": "binary"}))
    return VersionSnapshot(**(EMPTY_PARTS | {"state": state} | parts))


def test_metrics_passes_on_what_the_client_asks_for(served):
    headers = {"Accept": "text/plain;q=0.5", "Accept-Encoding": "gzip"}
    reply = served.ask("GET", "/metrics?name[]=up&name%5B%5D=down", headers=headers)
    assert (reply.status, reply.body) == (200, b"up 1\n")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.headers["Content-Encoding"] is None
    assert reply.headers["Vary"] == "Accept, Accept-Encoding"
    assert served.observation.asked == [("text/plain;q=0.5", "gzip", ["up", "down"])]


def test_metrics_says_how_it_is_encoded(served):
    served.observation.metrics = lambda *_: (b"\x1f\x8b", "text/plain; version=0.0.4", "gzip")
    reply = served.get("/metrics")
    assert (reply.headers["Content-Encoding"], reply.body) == ("gzip", b"\x1f\x8b")


def test_metrics_without_a_header_is_asked_for_plainly(served):
    assert b" 200 OK" in served.raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert served.observation.asked == [("", "", [])]


def test_a_bug_in_metrics_is_500(served):
    served.observation.error = KeyError("x")
    assert served.get("/metrics").problem()[:2] == (500, "internal")


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/v1/models", "/openapi.json"])
def test_head_is_get_without_a_body(served, path):
    get, head = served.get(path), served.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_health(served):
    assert served.get("/healthz").json() == {"status": "ok"}
    served.observation.well = Health(stuck="the writer has not moved for 60 s")
    assert served.get("/healthz").problem() == (503, "stuck", "the writer has not moved for 60 s")
    assert served.counts.reasons == []


def test_readiness(served):
    assert served.get("/readyz").json() == {"status": "ready"}
    served.observation.is_ready = Readiness(False, "state is being restored")
    assert served.get("/readyz").problem() == (503, "not_ready", "state is being restored")


def test_models_lists_every_version_and_what_happened(served):
    served.observation.state = Snapshot(12.0, 0.5, (version("churn", "v1"), version("fraud", "v2")))
    served.observation.told = (Notice(1.0, "churn", "age moved"),)
    served.observation.parts = (Component("store", up=False, detail="the volume is full"),)
    served.observation.replay = Progress("bike-demand", 0.25)
    told = served.get("/v1/models").json()
    assert told["evaluated_at"] == 12.0
    assert told["evaluation_seconds"] == 0.5
    assert [(v["model"], v["model_version"]) for v in told["versions"]] == [("churn", "v1"), ("fraud", "v2")]
    assert told["notices"] == [{"time": 1.0, "model": "churn", "text": "age moved"}]
    assert told["components"] == [{"name": "store", "up": False, "detail": "the volume is full"}]
    assert told["progress"] == {"label": "bike-demand", "done": 0.25}


def test_one_model_has_all_its_rows(served):
    quality = ClassQuality(
        "churn", "v1", "1d", "arrived", "", "", 'x"class_":', 10.0, precision=0.5, recall=math.nan
    )
    versions = (version("churn", "v1", classes=(quality,)), version("churn", "v2"), version("fraud", "v1"))
    served.observation.state = Snapshot(12.0, 0.5, versions)
    told = served.get("/v1/models/churn").json()
    assert [v["state"]["model_version"] for v in told["versions"]] == ["v1", "v2"]
    (row,) = told["versions"][0]["classes"]
    assert (row["class"], row["precision"], row["recall"], row["f1"]) == ('x"class_":', 0.5, None, None)


def test_one_version_can_be_asked_for(served):
    served.observation.state = Snapshot(12.0, 0.5, (version("churn", "v 1"), version("churn", "v2")))
    told = served.get("/v1/models/churn?model_version=v%201").json()
    assert [v["state"]["model_version"] for v in told["versions"]] == ["v 1"]


@pytest.mark.parametrize("path", ["/v1/models/churn", "/v1/models/fraud?model_version=v2"])
def test_a_model_that_is_not_known_is_404(served, path):
    served.observation.state = Snapshot(12.0, 0.5, (version("fraud", "v1"),))
    detail = "no model of this name and version; GET /v1/models lists them"
    assert served.get(path).problem() == (404, "not_found", detail)


class Drawn:
    """Distributions of one output and one feature."""

    def find(self, feature, output):
        if (feature, output) not in {("a/b", ""), ("", "score")}:
            return None
        counts = BinnedRecords(3, (1, 2), (1, 2), 0, 0, 0, 0, 1.5, 0.5)
        windows = (WindowRecords("1d", counts),)
        return Distribution(
            feature, output, "numeric", "r", (1.0,), (1.0,), 0.0, 2.0, (), counts, windows, None, ()
        )


def shown(**more):
    rows = dict.fromkeys(Drift.__struct_fields__) | {"kind": "numeric", "window": "1d", "output": ""}
    drift = tuple(Drift(**(rows | {"feature": each, "psi": 0.5})) for each in ("a/b", "c"))
    versions = (version("churn", "v1", drift=drift), version("churn", "v2", drift=drift))
    drawn = {("churn", "v2"): Drawn()}
    return Snapshot(12.0, 0.5, versions, distributions=drawn)


def test_one_feature_has_its_rows_and_its_records_by_bin(served):
    served.observation.state = shown()
    told = served.get("/v1/models/churn/features/a%2Fb").json()
    assert (told["model"], told["model_version"], told["feature"]) == ("churn", "v2", "a/b")
    assert [row["feature"] for row in told["drift"]] == ["a/b"]
    assert told["distribution"]["edges"] == [1.0]
    assert told["distribution"]["windows"][0]["counts"]["fine"] == [1, 2]
    older = served.get("/v1/models/churn/features/a%2Fb?model_version=v1").json()
    assert (older["model_version"], older["distribution"]) == ("v1", None)
    output = served.get("/v1/models/churn/outputs/score").json()
    assert (output["output"], output["drift"], output["distribution"]["reference"]) == ("score", [], "r")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "/v1/models/churn/features/x",
            "no feature or output of this name; GET /v1/models/{model} has them all",
        ),
        (
            "/v1/models/churn/outputs/a%2Fb",
            "no feature or output of this name; GET /v1/models/{model} has them all",
        ),
        ("/v1/models/fraud/features/c", "no model of this name and version; GET /v1/models lists them"),
        (
            "/v1/models/churn/features/c?model_version=v3",
            "no model of this name and version; GET /v1/models lists them",
        ),
    ],
)
def test_a_feature_that_is_not_known_is_404(served, path, words):
    served.observation.state = shown()
    assert served.get(path).problem() == (404, "not_found", words)


def test_history_is_what_the_port_gives(served):
    row = HistoryRow("v1", 3600.0, 3600.0, 50.0, 20.0, (Statistic("accuracy", 0.75),))
    served.observation.rows = (row,)
    reply = served.get("/v1/models/churn/history?model_version=v1&start=0&end=1970-01-02T01:00:00%2B01:00")
    assert reply.json() == {
        "model": "churn",
        "rows": [
            {
                "model_version": "v1",
                "start": 3600.0,
                "seconds": 3600.0,
                "predictions": 50.0,
                "outcomes": 20.0,
                "quality": [{"name": "accuracy", "value": 0.75}],
            }
        ],
    }
    assert served.observation.asked == [HistoryQuery("churn", "v1", 0.0, 86400.0)]


def test_history_without_bounds_is_all_of_it(served):
    served.get("/v1/models/churn/history")
    assert served.observation.asked == [HistoryQuery("churn", None, None, None)]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("86400.5", 86400.5),
        ("1970-01-02T00:00:00Z", 86400.0),
        ("1970-01-02T01:00:00+01:00", 86400.0),  # the plus unencoded
    ],
)
def test_a_moment_is_epoch_seconds_or_rfc_3339(served, given, seconds):
    served.get(f"/v1/models/churn/history?start={given}")
    assert served.observation.asked[0].start == seconds


@pytest.mark.parametrize(
    "given", ["", "yesterday", "nan", "inf", "1e400", "-5", "1970-01-02", "1970-01-02T00:00:00", "1.2.3"]
)
def test_a_moment_that_is_none_is_400(served, given):
    detail = "end: expected epoch seconds or RFC 3339 with a zone (2026-01-31T00:00:00Z)"
    assert served.get(f"/v1/models/churn/history?end={given}").problem() == (400, "bad_timestamp", detail)


def test_history_of_an_unknown_model_is_404(served):
    served.observation.rows = None
    assert served.get("/v1/models/churn/history").problem()[:2] == (404, "not_found")


def test_history_of_a_broken_store_is_503(served):
    served.observation.error = RequestError(
        503, Reason.STORE, "the store can't be read", retry_after_seconds=5
    )
    reply = served.get("/v1/models/churn/history")
    assert reply.problem() == (503, "store_unavailable", "the store can't be read")
    assert reply.headers["Retry-After"] == "5"
