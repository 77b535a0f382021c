"""Webhooks in, at most one run out: the whole trigger, in one process."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.trigger.running import DAY, alert, policy

from driftgauge.trigger_config import CommandAction

DATA = Path(__file__).resolve().parents[2] / "data" / "robustness" / "alertmanager"


def counting(tmp_path):
    """A command that leaves a line for each start."""
    return CommandAction(
        ("/bin/sh", "-c", f'echo "$$DRIFTGAUGE_MODEL" >> {tmp_path}/started')
    ), tmp_path / "started"


def test_a_webhook_starts_a_command_once_and_tells_it_the_model(with_triggers, tmp_path):
    command, started = counting(tmp_path)

    async def scenario(triggers):
        trigger = await triggers.start(policies={"retrain": policy(command=command)})
        [name] = await trigger.deliver(alert())
        found = await trigger.until(name, "finished")
        assert started.read_text() == "car-loan\n"
        assert found["run"]["detail"] == "exit code 0"
        events = (await trigger.decision(name))["events"]
        assert [event["state"] for event in events] == ["open", "starting", "running", "finished"]

    with_triggers(scenario)


def test_one_decision_for_a_cause_in_a_cooldown_whatever_startsat(with_triggers, tmp_path):
    command, started = counting(tmp_path)

    async def scenario(triggers):
        trigger = await triggers.start(policies={"retrain": policy(command=command, cooldown=DAY)})
        [first] = await trigger.deliver(alert(feature="a"))
        await trigger.until(first, "finished")
        for starts_at in ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00+02:00"):
            assert await trigger.deliver(alert(feature="b", starts_at=starts_at)) == [first]
        trigger.now[0] += DAY - 1
        assert await trigger.deliver(alert()) == [first]
        trigger.now[0] += 1
        [second] = await trigger.deliver(alert())
        assert second != first
        await trigger.until(second, "refused")  # the first run has shown nothing yet
        assert started.read_text() == "car-loan\n"

    with_triggers(scenario)


def test_alertmanagers_own_bodies(with_triggers):
    """Each documented form of the webhook, version 4."""
    expected = {
        "firing_one.json": ({"opened": 1}, 1),
        "firing_two.json": ({"attached": 2}, 1),
        "mixed.json": ({"attached": 1, "resolved": 1}, 1),
        "resolved.json": ({"resolved": 1}, 0),
        "truncated.json": ({"attached": 1}, 1),
        "empty_alerts.json": ({}, 0),
    }

    async def scenario(triggers):
        trigger = await triggers.start()
        totals: dict[str, float] = {}
        for file, (results, decisions) in expected.items():
            status, answer = await trigger.post("/v1/alerts", (DATA / file).read_bytes())
            assert (status, len(answer["decisions"])) == (200, decisions), file
            for result, count in results.items():
                totals[result] = totals.get(result, 0) + count
            text = await trigger.metrics()
            for result, count in totals.items():
                assert f'driftgauge_trigger_alerts_total{{result="{result}"}} {float(count)}\n' in text, file
        assert "driftgauge_trigger_alerts_truncated_total 7.0\n" in text
        [decision] = await trigger.decisions()
        assert decision["change_began"] == 1556616960.123
        assert decision["reason"] == "car_value: psi 0.31"
        # what is posted to Alertmanager itself is no webhook
        status, answer = await trigger.post("/v1/alerts", (DATA / "post_api_v2_alerts.json").read_bytes())
        assert (status, answer["reason"]) == (400, "malformed")
        assert "payload" in answer["detail"]

    with_triggers(scenario)


def test_an_alert_that_nobody_asks_for_opens_nothing(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start()
        others = (alert("Other"), alert(model=None), alert(firing=False))
        assert await trigger.deliver(*others) == []
        assert await trigger.decisions() == []

    with_triggers(scenario)


def test_series_of_known_models_begin_at_0(with_triggers):
    """So that the first failure is an increase."""

    async def scenario(triggers):
        trigger = await triggers.start(policies={"retrain": policy(models=("car-loan",))})
        text = await trigger.metrics()
        assert 'driftgauge_trigger_decisions_total{model="car-loan",state="failed"} 0.0\n' in text
        assert 'driftgauge_trigger_runs_judged_total{model="car-loan",verdict="improved"} 0.0\n' in text

    with_triggers(scenario)


def test_it_tells_its_state_and_health(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start()
        assert (await trigger.get("/healthz"))[0] == 200
        assert (await trigger.get("/readyz"))[0] == 200
        document = (await trigger.get("/openapi.json"))[1]
        assert set(document["paths"]["/v1/decisions/{id}/approve"]) == {"post"}
        assert (await trigger.get("/v1/decisions/none"))[0] == 404
        assert (await trigger.get("/v1/decisions?state=none"))[0] == 400
        assert json.dumps(document).count("$ref") > 5

    with_triggers(scenario)
