"""What silences what in the example of Alertmanager's routes, by a real Alertmanager."""

from __future__ import annotations

from contextlib import suppress

import pytest
from tests.e2e.alertmanager import alertmanager, example
from tests.e2e.harness import poll

pytestmark = pytest.mark.e2e

OF_CHURN = {"namespace": "ml", "job": "driftgauge", "model": "churn"}
OF_FRAUD = {**OF_CHURN, "model": "fraud"}
ELSEWHERE = {"namespace": "shop", "job": "driftgauge", "model": "ranking"}


def alert(name, severity="warning", labels=OF_CHURN, **more):
    return {"alertname": name, "severity": severity, **labels, **more}


FIRING = (
    alert("ModelSchemaBroken"),
    alert("ModelFeatureDrifted", feature="age"),
    alert("EstimatedQualityFell"),
    alert("ModelRanksByChance", "critical"),
    alert("ModelRanksByChance"),
    # Another model of the same sidecar: none of that is about it.
    alert("ModelFeatureDrifted", labels=OF_FRAUD, feature="age"),
    alert("ModelRanksByChance", labels=OF_FRAUD),
    alert("ModelManyFeaturesDrifted", labels=ELSEWHERE),
    alert("ModelFeatureDrifted", labels=ELSEWHERE, feature="query"),
    # The sidecar takes nothing: that no prediction came says nothing of its models.
    alert("DriftgaugeStoreUnwritable", labels={"namespace": "ml", "job": "driftgauge"}),
    alert("ModelWithoutPredictions"),
    alert("ModelWithoutOutcomes", labels=OF_FRAUD),
    alert("ModelWithoutPredictions", labels=ELSEWHERE),
)
SILENCED = {
    ("ModelFeatureDrifted", "churn", "warning"),
    ("EstimatedQualityFell", "churn", "warning"),
    ("ModelRanksByChance", "churn", "warning"),
    ("ModelFeatureDrifted", "ranking", "warning"),
    ("ModelWithoutPredictions", "churn", "warning"),
    ("ModelWithoutOutcomes", "fraud", "warning"),
}


@pytest.fixture(scope="module")
def manager(tmp_path_factory, repository, require_tool):
    """One with the example's tree and rules, whose receivers send nothing."""
    tree = example(repository)
    tree["receivers"] = [{"name": each["name"]} for each in tree["receivers"]]
    folder = tmp_path_factory.mktemp("alertmanager")
    with alertmanager(folder, require_tool("prometheus-alertmanager"), tree) as found:
        yield found


def silenced(manager):
    """Name, model and severity of those that another alert silences now."""
    return {
        (each["labels"]["alertname"], each["labels"].get("model", ""), each["labels"]["severity"])
        for each in manager.http.json("/api/v2/alerts")
        if each["status"]["inhibitedBy"]
    }


def settle(manager, expected):
    """The inhibitor hears of alerts a moment after the API."""
    with suppress(AssertionError):
        poll(lambda: silenced(manager) == expected, "others are silenced")
    assert silenced(manager) == expected


def test_one_cause_is_told_once(manager):
    manager.fire(*FIRING)
    settle(manager, SILENCED)
    # Where there is no driftgauge at all, nobody's silence says anything.
    manager.fire(alert("DriftgaugeAbsent", labels={}))
    settle(manager, SILENCED | {("ModelWithoutPredictions", "ranking", "warning")})
