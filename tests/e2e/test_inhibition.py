"""What silences what in the example of Alertmanager's routes, by a real Alertmanager."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress

import pytest
import yaml
from tests.e2e.harness import Http, free_port, poll
from tests.e2e.processes import JSON

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
def alertmanager(tmp_path_factory, repository, require_tool):
    """One with the example's tree and rules, whose receivers send nothing."""
    folder, address = tmp_path_factory.mktemp("alertmanager"), f"127.0.0.1:{free_port()}"
    example = yaml.safe_load((repository / "prometheus" / "alertmanager.example.yml").read_text())
    example["receivers"] = [{"name": each["name"]} for each in example["receivers"]]
    file = folder / "alertmanager.yml"
    file.write_text(json.dumps(example))
    flags = (
        f"--config.file={file}",
        f"--storage.path={folder / 'storage'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    with (folder / "log").open("wb") as log:
        program = require_tool("prometheus-alertmanager")
        process = subprocess.Popen([program, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        poll(lambda: Http(address).get("/-/ready")[0] == 200, "alertmanager is not ready", folder / "log")
        yield Http(address)
    finally:
        process.kill()
        process.wait()


def silenced(alertmanager):
    """Name, model and severity of those that another alert silences now."""
    return {
        (each["labels"]["alertname"], each["labels"].get("model", ""), each["labels"]["severity"])
        for each in alertmanager.json("/api/v2/alerts")
        if each["status"]["inhibitedBy"]
    }


def fire(alertmanager, *firing):
    body = json.dumps([{"labels": labels} for labels in firing])
    status, _, _ = alertmanager("POST", "/api/v2/alerts", body, JSON)
    assert status == 200


def settle(alertmanager, expected):
    """The inhibitor hears of alerts a moment after the API."""
    with suppress(AssertionError):
        poll(lambda: silenced(alertmanager) == expected, "others are silenced", seconds=10)
    assert silenced(alertmanager) == expected


def test_one_cause_is_told_once(alertmanager):
    fire(alertmanager, *FIRING)
    settle(alertmanager, SILENCED)
    # Where there is no driftgauge at all, nobody's silence says anything.
    fire(alertmanager, alert("DriftgaugeAbsent", labels={}))
    settle(alertmanager, SILENCED | {("ModelWithoutPredictions", "ranking", "warning")})
