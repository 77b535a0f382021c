"""What the sidecar and Prometheus are asked, and what their answers mean."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from random import Random

import pytest
from aiohttp import web
from tests.unit.trigger.running import NOW, policy
from tests.unit.trigger.standins import Api
from tests.unit.trigger.test_policy import decision

from driftgauge.trigger.asking import Asker, Peer, Unanswered
from driftgauge.trigger.decision import Comparison, Measure
from driftgauge.trigger.facts import FactFinder
from driftgauge.trigger.sources import Unknown
from driftgauge.trigger.sources.prometheus import Prometheus, quoted
from driftgauge.trigger.sources.sidecar import Sidecar, nearest


class Answers(Api):
    """Answers by path, or by query."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    async def answer(self, request, body):
        found = self.answers.get(request.query.get("query") or request.path)
        if callable(found):
            found = found(request)
        return web.json_response({}, status=404) if found is None else web.json_response(found)


@asynccontextmanager
async def asked(answers, kind, *more):
    api = Answers(answers)
    async with api.serving() as url:
        asker = Asker(random=Random(1))
        yield kind(asker, Peer(kind.__name__.lower(), 2.0, attempts=1), url, *more), api
        await asker.close()


def version(name, matures=3600.0, **rows):
    return {"state": {"model_version": name, "matures_after_seconds": matures, "task": "binary"}, **rows}


def quality(window, cohort="arrived", **values):
    return {
        "window": window,
        "cohort": cohort,
        "segment": "",
        "segment_value": "",
        "samples": 800.0,
        **values,
    }


# --- the sidecar ----------------------------------------------------------------------------------


def test_labels_are_counted_from_the_hours_after_the_change_and_the_delay():
    spans = [(NOW - 3600, 100.0), (NOW, 50.0), (NOW + 3600, 7.0), (NOW + 7200, 5.0)]
    rows = [
        {"model_version": "1", "start": s, "seconds": 3600.0, "predictions": 0, "outcomes": o}
        for s, o in spans
    ]
    answers = {
        "/v1/models/a b/c": {"model": "a b/c", "versions": [version("1"), version("2", None)]},
        "/v1/models/a b/c/history": {"model": "a b/c", "rows": rows},
    }

    async def scenario():
        async with asked(answers, Sidecar) as (source, api):
            # the delay is an hour: hours that begin at NOW + 3600 or later are of the changed world
            assert await source.labels("a b/c", NOW) == 12.0
            assert await source.labels("a b/c", NOW + 1) == 5.0
            assert float(api.requests[1][2]["start"]) == NOW + 3600

    asyncio.run(scenario())


def test_an_unknown_delay_or_model_is_not_known():
    async def scenario():
        answers = {"/v1/models/m": {"versions": [version("1", None)]}, "/v1/models/bad": {"versions": 1}}
        async with asked(answers, Sidecar) as (source, _):
            with pytest.raises(Unknown, match="the label delay of m isn't known yet"):
                await source.labels("m", NOW)
            with pytest.raises(Unknown, match="doesn't know the model other"):
                await source.labels("other", NOW)
            with pytest.raises(Unknown, match="expected the form of its API"):
                await source.observed("bad", "7d")

    asyncio.run(scenario())


def test_the_sidecars_quality_and_comparison():
    newer = version(
        "2",
        quality=[quality("1d", accuracy=0.5), quality("7d", accuracy=0.9), quality("7d", "matured", accuracy=0.1)],
        classes=[{**quality("7d"), "class": "", "roc_auc": 0.8}, {**quality("7d"), "class": "x", "roc_auc": 0.1}],
        intervals=[
            {**quality("7d"), "class": "", "roc_auc_low": 0.78, "roc_auc_high": 0.83, "accuracy_low": 0.88},
        ],
        comparisons=[
            {"model": "m", "model_version": "2", "against_version": "1", "window": window, "outcomes": n,
             "roc_auc_difference": d, "roc_auc_difference_low": d - 0.02, "roc_auc_difference_high": d + 0.02,
             "accuracy_difference": 0.0, "accuracy_difference_low": 0.0, "accuracy_difference_high": 0.0}
            for window, n, d in (("1d", 50.0, 0.5), ("7d", 900.0, 0.05))
        ],
    )  # fmt: skip
    answers = {"/v1/models/m": {"versions": [version("1"), newer]}}

    async def scenario():
        async with asked(answers, Sidecar) as (source, _):
            found = await source.observed("m", "7d")
            assert found.versions == ("1", "2")
            assert found.measures == {"2": Measure("roc_auc", 0.8, 0.78, 0.83, 800.0, "7d")}
            expected = Comparison(
                "roc_auc", 0.05, pytest.approx(0.03), pytest.approx(0.07), 900.0, "7d", "same_window"
            )
            assert found.comparisons == {("2", "1"): expected}
            short = await source.observed("m", "1d")
            assert short.comparisons["2", "1"].outcomes == 50.0

    asyncio.run(scenario())


def test_a_regression_is_compared_by_its_absolute_error():
    rows = {
        "quality": [quality("7d", mae=12.0)],
        "intervals": [{**quality("7d"), "class": "", "mae_low": 11.0, "mae_high": 13.0}],
    }

    async def scenario():
        async with asked({"/v1/models/m": {"versions": [version("1", **rows)]}}, Sidecar) as (source, _):
            found = await source.observed("m", "7d")
            assert found.measures == {"1": Measure("mae", 12.0, 11.0, 13.0, 800.0, "7d")}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("windows", "wanted", "expected"),
    [(["1h", "1d"], "1d", "1d"), (["1h", "2d", "1d"], "7d", "2d"), ([], "7d", ""), (["odd"], "7d", "odd")],
)
def test_the_longest_window_stands_for_one_that_is_not_there(windows, wanted, expected):
    assert nearest(windows, wanted) == expected


# --- Prometheus -----------------------------------------------------------------------------------


def vector(*rows):
    result = [{"metric": metric, "value": [NOW, str(value)]} for metric, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_labels_by_prometheus_are_what_joined_after_the_delay():
    answers = {
        'max(driftgauge_matures_after_seconds{model="m"})': vector(({}, 3600)),
        'sum(increase(driftgauge_outcomes_joined_total{model="m"}[6400s]))': vector(({}, 512.9)),
    }

    async def scenario():
        async with asked(answers, Prometheus, lambda: NOW) as (source, _):
            assert await source.labels("m", NOW - 10_000) == 512
            assert await source.labels("m", NOW - 3600) == 0  # none can have matured yet
            with pytest.raises(Unknown, match="answered 404"):
                await source.labels("other", NOW)

    asyncio.run(scenario())


def test_no_delay_in_prometheus_is_not_known():
    async def scenario():
        answers = {'max(driftgauge_matures_after_seconds{model="m"})': vector()}
        async with asked(answers, Prometheus, lambda: NOW) as (source, _):
            with pytest.raises(Unknown, match="isn't known yet"):
                await source.labels("m", NOW - 10_000)

    asyncio.run(scenario())


def test_prometheus_quality_is_that_of_the_pod_with_the_most_outcomes():
    def row(name, value, pod="a", **labels):
        labels = {"model": "m", "model_version": "2", "window": "7d", "cohort": "arrived", "segment": "",
                  "segment_value": "", "pod": pod, **labels}  # fmt: skip
        return {"__name__": f"driftgauge_{name}", **labels}, value

    def difference(value, pod):
        ends = (("", value), ("_low", value - 0.01), ("_high", value + 0.01))
        return [
            row(f"version_accuracy_difference{end}", number, pod, against_version="1", cohort=None)
            for end, number in ends
        ]

    rows = [
        row("quality_samples", 100, "a"), row("quality_samples", 700, "b"),
        row("accuracy_ratio", 0.1, "a"), row("accuracy_low_ratio", 0.0, "a"), row("accuracy_high_ratio", 0.2, "a"),
        row("accuracy_ratio", 0.9, "b"), row("accuracy_low_ratio", 0.88, "b"), row("accuracy_high_ratio", 0.92, "b"),
        row("accuracy_ratio", 0.7, "b", segment="plan", segment_value="x"),
        row("accuracy_ratio", "NaN", "b", cohort="matured"),
        *difference(0.05, "b"),
    ]  # fmt: skip
    rows = [({k: v for k, v in metric.items() if v is not None}, value) for metric, value in rows]

    def everything(request):
        assert 'model="m"' in request.query["query"]
        return vector(*rows)

    seen = 'sort(max by (model_version) (driftgauge_last_prediction_timestamp_seconds{model="m"}))'

    class Lazily(dict):
        def get(self, key, default=None):
            return everything if str(key).startswith("{__name__") else super().get(key, default)

    answers = Lazily({seen: vector(({"model_version": "1"}, 5), ({"model_version": "2"}, 6))})

    async def scenario():
        async with asked(answers, Prometheus, lambda: NOW) as (source, _):
            found = await source.observed("m", "7d")
            assert found.versions == ("1", "2")
            assert found.measures == {"2": Measure("accuracy", 0.9, 0.88, 0.92, 700.0, "7d")}
            comparison = found.comparisons["2", "1"]
            assert (comparison.difference, comparison.outcomes) == (0.05, 700.0)
            assert (comparison.low, comparison.high) == (pytest.approx(0.04), pytest.approx(0.06))

    asyncio.run(scenario())


def test_a_models_name_is_quoted_for_promql():
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


# --- Alertmanager ---------------------------------------------------------------------------------


def test_alertmanager_is_asked_what_fires_and_believed():
    alerts = [
        {"labels": {"alertname": "DriftgaugeDown"}, "status": {"state": "suppressed"}},
        {"labels": {"alertname": "ModelDrift", "model": "m"}, "status": {"state": "active"}},
    ]

    async def scenario():
        api = Answers({"/api/v2/alerts": alerts})
        async with api.serving() as url:
            asker = Asker(random=Random(1))
            finder = FactFinder(asker, None, url, Peer("alertmanager", 2.0, attempts=1), 1.0)
            facts = await finder.facts(policy(), decision(), NOW, (), (("DriftgaugeOld", "m"),))
            assert facts.blocking == ("DriftgaugeDown",)
            api.faults = [500]
            facts = await finder.facts(policy(), decision(), NOW, (), ())
            assert facts.alerts_fault == "alertmanager: answered 500"
            api.answers = {"/api/v2/alerts": {"not": "a list"}}
            facts = await finder.facts(policy(), decision(), NOW, (), ())
            assert "expected a list of alerts" in facts.alerts_fault
            await asker.close()

    asyncio.run(scenario())


def test_without_alertmanager_what_was_heard_counts():
    async def scenario():
        asker = Asker(random=Random(1))
        finder = FactFinder(asker, None, None, Peer("alertmanager", 2.0), 1.0)
        facts = await finder.facts(policy(), decision(), NOW, (), (("DriftgaugeOld", "m"),))
        assert facts.blocking == ("DriftgaugeOld",)
        facts = await finder.facts(policy(matured_labels=5), decision(), NOW, (), ())
        assert facts.labels.number is None
        assert "has a url" in facts.labels.fault

    asyncio.run(scenario())


def test_nobody_answers_is_a_fault_and_not_a_number():
    async def scenario():
        asker = Asker(random=Random(1))
        source = Sidecar(asker, Peer("sidecar", 1.0, attempts=1), "http://127.0.0.1:1")
        finder = FactFinder(asker, source, None, Peer("alertmanager", 2.0), 1.0)
        facts = await finder.facts(policy(matured_labels=5), decision(), NOW, (), ())
        assert facts.labels.number is None
        assert facts.labels.fault == "sidecar: connection refused"
        assert (await finder.before(policy(), decision())).fault == "sidecar: connection refused"
        with pytest.raises(Unanswered):
            await finder.observed(policy(), decision())
        await asker.close()

    asyncio.run(scenario())


def test_the_real_answer_is_understood():
    """The sidecar's own classes, encoded as its door does."""
    from driftgauge.snapshot import (
        ClassQuality,
        Quality,
        QualityInterval,
        VersionComparison,
        VersionSnapshot,
        VersionState,
    )
    from driftgauge.web.answers import Model, encode

    labels = ("m", "2", "7d", "arrived", "", "")
    state = VersionState("m", "2", "r", "frozen", *([1.0] * 2), "binary", *([3600.0] * 13))
    snapshot = VersionSnapshot(
        state, (), (), (Quality(*labels, 800.0, accuracy=0.9),), (ClassQuality(*labels, "", 800.0, roc_auc=0.8),),
        (), (), (), (), (), (), (), (),
        intervals=(QualityInterval(*labels, "", "jackknife", 8.0, roc_auc_low=0.7, roc_auc_high=0.9),),
        comparisons=(
            VersionComparison("m", "2", "1", "7d", 1.0, 1.0, None, None, None, outcomes=700.0,
                              accuracy_difference=0.1, accuracy_difference_low=0.0, accuracy_difference_high=0.2),
        ),
    )  # fmt: skip
    answer = json.loads(encode(Model("m", NOW, (snapshot,))))

    async def scenario():
        async with asked({"/v1/models/m": answer}, Sidecar) as (source, _):
            found = await source.observed("m", "7d")
            assert found.measures["2"] == Measure("roc_auc", 0.8, 0.7, 0.9, 800.0, "7d")
            assert found.comparisons["2", "1"].difference == 0.1

    asyncio.run(scenario())
