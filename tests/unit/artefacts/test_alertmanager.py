"""The example of Alertmanager's routes: amtool accepts it, alerts go where they should, names exist."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from driftgauge.artefacts.rules.shipped import shipped_alerts

EXAMPLE = "prometheus/alertmanager.example.yml"
NAMES = {each.name for each in shipped_alerts()}
CHURN = {"model": "churn", "namespace": "ml"}


@pytest.fixture(scope="module")
def example(repository):
    return yaml.safe_load((repository / EXAMPLE).read_text(encoding="utf-8"))


def run(repository, *command):
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout + done.stderr


def test_amtool_accepts_it(repository, require_tool):
    code, said = run(repository, require_tool("amtool"), "check-config", EXAMPLE)
    assert code == 0, said


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({**CHURN, "severity": "critical", "alertname": "ModelSchemaBroken"}, "driftgauge-trigger,model-team-pager"),
        ({**CHURN, "severity": "warning", "alertname": "ModelFeatureDrifted"}, "driftgauge-trigger,model-team-chat"),
        ({**CHURN, "severity": "info", "alertname": "ModelOutcomesMissing"}, "driftgauge-trigger,model-team-tickets"),
        ({**CHURN, "severity": "critical", "owner": "risk", "alertname": "X"}, "driftgauge-trigger,risk-pager"),
        ({**CHURN, "severity": "warning", "owner": "risk", "alertname": "X"}, "driftgauge-trigger,risk-chat"),
        ({**CHURN, "severity": "info", "owner": "risk", "alertname": "X"}, "driftgauge-trigger,risk-tickets"),
        ({"severity": "warning", "alertname": "DriftgaugeAbsent"}, "driftgauge-trigger,platform-chat"),
        ({"severity": "info", "alertname": "DriftgaugeSeriesDropped"}, "driftgauge-trigger,platform-tickets"),
        ({**CHURN, "severity": "warning", "alertname": "DriftgaugeEvaluationStale"}, "driftgauge-trigger,platform-chat"),
        ({"severity": "warning", "alertname": "InjectorFails"}, "driftgauge-trigger,platform-chat"),
        ({"model": "daytime-a", "severity": "warning", "alertname": "ModelWithoutPredictions"}, "driftgauge-trigger,model-team-chat"),
        ({"alertname": "Unknown"}, "model-team-chat"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_an_alert_goes_where_it_should(repository, require_tool, labels, receivers):
    code, said = run(
        repository,
        *(require_tool("amtool"), "config", "routes", "test", f"--config.file={EXAMPLE}"),
        f"--verify.receivers={receivers}",
        *(f"{name}={value}" for name, value in labels.items()),
    )
    assert code == 0, said


def test_a_route_test_fails_where_the_receiver_is_another(repository, require_tool):
    code, _ = run(
        repository,
        *(require_tool("amtool"), "config", "routes", "test", f"--config.file={EXAMPLE}"),
        "--verify.receivers=platform-chat",
        "severity=critical",
    )
    assert code != 0


def test_every_name_in_it_is_an_alert_that_is_shipped(example):
    named = set()
    for rule in example["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, values = re.fullmatch(r'(\w+)=~?"(.+)"', matcher).groups()
            if label == "alertname":
                named.update(values.split("|"))
    assert named <= NAMES, named - NAMES
    assert len(named) > 10


def test_a_critical_alert_silences_its_warning_of_the_same_model_only(example):
    [rule] = [r for r in example["inhibit_rules"] if r["source_matchers"] == ['severity="critical"']]
    assert rule["equal"] == ["namespace", "model", "alertname"]
    twins = [each for each in shipped_alerts() if len(each.alerts) > 1]
    assert len(twins) >= 5
    for each in twins:
        assert len({alert.name for alert in each.alerts}) == 1
        assert len({alert.severity for alert in each.alerts}) == len(each.alerts)


def test_a_model_is_one_message(example):
    assert example["route"]["group_by"] == ["namespace", "model"]


def test_the_platforms_alerts_are_known_by_their_names():
    """The routes tell them by the prefix."""
    platform = {name for name in NAMES if name.startswith(("Driftgauge", "Injector"))}
    assert len(platform) >= 11
    owners = ("Model", "Segment", "Estimate", "Retraining")
    assert all(name.startswith(owners) for name in NAMES - platform)
