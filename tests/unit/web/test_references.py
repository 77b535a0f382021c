"""The paths of a version's reference: what they ask of the port, and what they answer."""

import numpy as np
import pytest

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.reference import build, from_json
from driftgauge.sketches.learning import LearningRow, NumericTally
from driftgauge.web.ports import (
    ReferenceAction,
    ReferenceChange,
    ReferencePart,
    ReferenceQuery,
    ReferenceRequest,
)

UNKNOWN = (404, "not_found", "no model of this name and version; GET /v1/models lists them")
CHANGED = ReferenceChange(
    "m", "2", (ReferencePart("inputs", "frozen", "ab12", 1234, 86400.0, "was unstable"),)
)


def test_a_reference_is_read_as_a_file_at_both_doors(served):
    row = LearningRow(3, {"f:x": NumericTally.of(np.array([1.0, 2.0, 3.0]), 1.0)})
    served.observation.known = build({0: row}, first=0.0, last=9.0, declared={}, category_limit=5)
    for door in ("observation", "intake"):
        reply = served.get("/v1/models/a%2Fb/reference?model_version=7", door=door)
        assert reply.status == 200
        assert from_json(reply.body, "it").id == served.observation.known.id
    assert served.observation.asked == [ReferenceQuery("a/b", "7")] * 2


def test_a_model_that_is_not_known(served):
    assert served.get("/v1/models/m/reference").problem() == UNKNOWN
    for action in ("accept", "relearn"):
        assert served.post(f"/v1/models/m/reference/{action}", b"").problem() == UNKNOWN


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("accept", ReferenceRequest("m", None, ReferenceAction.ACCEPT)),
        ("accept?model_version=2", ReferenceRequest("m", "2", ReferenceAction.ACCEPT)),
        ("relearn", ReferenceRequest("m", None, ReferenceAction.RELEARN)),
        ("relearn?window=30d", ReferenceRequest("m", None, ReferenceAction.RELEARN, window=2_592_000.0)),
        ("relearn?since=1970-01-02T00:00:00Z", ReferenceRequest("m", None, ReferenceAction.RELEARN, since=86_400.0)),
    ],
)  # fmt: skip
def test_what_is_asked_reaches_the_port_and_its_answer_comes_back(served, target, asked):
    served.intake.changed = CHANGED
    reply = served.post(f"/v1/models/m/reference/{target}", b"")
    assert reply.status == 200
    assert reply.json() == {
        "model": "m",
        "model_version": "2",
        "parts": [
            {
                "part": "inputs",
                "state": "frozen",
                "reference": "ab12",
                "records": 1234,
                "span_seconds": 86400.0,
                "note": "was unstable",
            }
        ],
    }
    assert served.intake.requests == [asked]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("window=30", (400, "out_of_domain", "window: expected a duration with its unit (ms, s, m, h, d or w) such as 30s")),
        ("window=1d&since=5", (400, "out_of_domain", "expected window or since, got both")),
        ("since=soon", (400, "bad_timestamp", "since: expected epoch seconds or RFC 3339 with a zone (2026-01-31T00:00:00Z)")),
    ],
)  # fmt: skip
def test_a_window_that_is_none_is_refused(served, query, problem):
    assert served.post(f"/v1/models/m/reference/relearn?{query}", b"").problem() == problem
    assert served.intake.requests == []


def test_a_refusal_of_the_port_is_told_in_its_words(served):
    served.intake.error = RequestError(409, Reason.CONFLICT, "there is nothing to accept")
    reply = served.post("/v1/models/m/reference/accept", b"")
    assert reply.problem() == (409, "conflict", "there is nothing to accept")
    assert served.counts.reasons == ["conflict"]


def test_a_door_that_takes_no_records_takes_no_orders_and_no_web_page_gives_any(served):
    served.intake.closed = RequestError(503, Reason.OVERLOADED, "stopping", retry_after_seconds=1)
    assert served.post("/v1/models/m/reference/accept", b"").status == 503
    served.intake.closed = None
    assert served.post("/v1/models/m/reference/accept", b"", Origin="http://example.org").status == 403
    assert served.intake.requests == []


def test_the_observation_door_changes_nothing(served):
    for action in ("accept", "relearn"):
        reply = served.post(f"/v1/models/m/reference/{action}", b"", door="observation")
        assert reply.problem()[:2] == (404, "not_found")
