"""From a decision to its judgement: guards, approval, restarts, and the new version."""

from __future__ import annotations

import asyncio
import sqlite3
import time

from aiohttp import web
from tests.unit.trigger.running import DAY, NOW, alert, policy, webhook
from tests.unit.trigger.standins import Api, Cluster

from driftgauge.trigger import doors as doors_module
from driftgauge.trigger.actions.command import Command
from driftgauge.trigger.worker import Worker
from driftgauge.trigger_config import (
    Cluster as ClusterSettings,
)
from driftgauge.trigger_config import (
    CommandAction,
    Endpoint,
    JobAction,
    Judgement,
    Quiet,
)


class Sidecar(Api):
    """Tells versions, labels and comparisons as the test sets them."""

    def __init__(self):
        super().__init__()
        self.outcomes = 1000.0
        self.versions = ["1"]
        self.comparisons = []

    async def answer(self, request, body):
        if request.path.endswith("/history"):
            row = {"start": NOW + 10 * DAY, "seconds": 3600.0, "outcomes": self.outcomes}
            return web.json_response({"rows": [row]})
        state = {"matures_after_seconds": 60.0}
        versions = [{"state": {"model_version": name, **state}} for name in self.versions]
        versions[-1]["comparisons"] = self.comparisons
        return web.json_response({"versions": versions})

    def compares(self, difference, outcomes=800.0):
        self.comparisons = [
            {"model_version": self.versions[-1], "against_version": self.versions[-2], "window": "7d",
             "outcomes": outcomes, "roc_auc_difference": difference,
             "roc_auc_difference_low": difference - 0.01, "roc_auc_difference_high": difference + 0.01}
        ]  # fmt: skip


def guards(decision):
    return [refusal["guard"] for refusal in decision["refusals"]]


# --- judging a run --------------------------------------------------------------------------------


def test_the_new_version_closes_the_record(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0), policies={"retrain": policy(matured_labels=500)}
            )
            [name] = await trigger.deliver(alert())
            found = await trigger.until(name, "finished")
            assert (found["old_version"], found["known_versions"], found["new_version"]) == ("1", ["1"], "")
            sidecar.versions.append("2")
            sidecar.compares(0.05, outcomes=499.0)
            await trigger.settled()
            found = (await trigger.decision(name))["decision"]
            assert (found["new_version"], found["verdict"]) == ("2", None)  # too few outcomes to judge by
            sidecar.compares(0.05, outcomes=500.0)
            for _ in range(100):
                await trigger.settled()
                told = await trigger.decision(name)
                if told["decision"]["verdict"]:
                    break
            assert told["decision"]["verdict"] == "improved"
            assert told["decision"]["closed_at"] is not None
            assert told["decision"]["comparison"]["difference"] == 0.05
            assert told["events"][-1]["detail"] == "improved: roc_auc +0.05 (+0.04 to +0.06)"
            line = 'driftgauge_trigger_runs_judged_total{model="car-loan",verdict="improved"} 1.0\n'
            assert line in await trigger.metrics()

    with_triggers(scenario)


def test_after_two_runs_that_improved_nothing_a_person_is_asked(with_triggers, tmp_path):
    approval = tmp_path / "approval"
    approval.write_text("yes\n")

    async def scenario(triggers):
        sidecar = Sidecar()
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0),
                approval_token_file=approval,
                policies={"retrain": policy(cooldown=DAY)},
            )
            for difference in (-0.05, 0.001):
                [name] = await trigger.deliver(alert())
                await trigger.until(name, "finished")
                sidecar.versions.append(f"v{len(sidecar.versions)}")
                sidecar.compares(difference)
                await trigger.settled()
                assert (await trigger.decision(name))["decision"]["closed_at"] is not None
                trigger.now[0] += 2 * DAY
            [name] = await trigger.deliver(alert())
            found = await trigger.until(name, "awaiting_approval")
            assert guards(found) == ["no_improvement"]
            status, _ = await trigger.post(f"/v1/decisions/{name}/approve", Authorization="Bearer yes")
            assert status == 200
            await trigger.until(name, "finished")

    with_triggers(scenario)


def test_a_run_that_brings_no_version_is_closed_in_time(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0),
                policies={"retrain": policy(judge=Judgement(within=3 * DAY))},
            )
            [name] = await trigger.deliver(alert())
            await trigger.until(name, "finished")
            trigger.now[0] += 3 * DAY
            await trigger.settled()
            assert (await trigger.decision(name))["decision"]["verdict"] is None
            trigger.now[0] += 1
            await trigger.settled()
            assert (await trigger.decision(name))["decision"]["verdict"] == "no_version"

    with_triggers(scenario)


def test_too_few_outcomes_at_the_end_are_undecided_or_judged_as_they_are(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0), policies={"retrain": policy()}
            )
            [name] = await trigger.deliver(alert())
            await trigger.until(name, "finished")
            sidecar.versions.append("2")
            await trigger.settled()
            trigger.now[0] += 31 * DAY
            await trigger.settled()
            assert (await trigger.decision(name))["decision"]["verdict"] == "undecided"

    with_triggers(scenario)


# --- guards ---------------------------------------------------------------------------------------


def test_who_does_not_answer_forbids_the_run_and_the_next_delivery_asks_again(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        sidecar.faults = [500] * 4
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0), policies={"retrain": policy(matured_labels=500)}
            )
            [name] = await trigger.deliver(alert())
            found = await trigger.until(name, "refused")
            assert guards(found) == ["labels_unknown"]
            assert found["refusals"][0]["detail"] == "sidecar: answered 500"
            assert 'driftgauge_trigger_requests_failed_total{peer="sidecar"} 1.0\n' in await trigger.metrics()
            await trigger.deliver(alert())
            sidecar.faults = []
            for _ in range(2_000):
                if await trigger.deliver(alert()) and (await trigger.decisions())[0]["state"] == "finished":
                    break
                await asyncio.sleep(0.05)
            assert (await trigger.until(name, "finished"))["run"]["detail"] == "exit code 0"

    with_triggers(scenario)


def test_a_source_that_fails_between_forbids_too(with_triggers):
    """Without the versions of before, the one that comes could not be told."""

    async def scenario(triggers):
        trigger = await triggers.start(sidecar=Endpoint("http://127.0.0.1:1"))
        [name] = await trigger.deliver(alert())
        assert guards(await trigger.until(name, "refused")) == ["versions_unknown"]

    with_triggers(scenario)


def test_labels_must_have_matured(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        sidecar.outcomes = 499.0
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=60.0), policies={"retrain": policy(matured_labels=500)}
            )
            [name] = await trigger.deliver(alert())
            assert guards(await trigger.until(name, "refused")) == ["labels_few"]
            sidecar.outcomes = 500.0
            assert await trigger.deliver(alert()) == [name]
            await trigger.until(name, "finished")
            text = await trigger.metrics()
            assert 'driftgauge_trigger_refusals_total{guard="labels_few"} 1.0\n' in text
            assert 'driftgauge_trigger_refusals_total{guard="cooldown"} 0.0\n' in text

    with_triggers(scenario)


def test_a_blocking_alert_that_was_heard_forbids_until_it_resolves(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start()
        down = alert("DriftgaugeComponentDown", model=None, instance="a:9878")
        await trigger.deliver(down)
        [name] = await trigger.deliver(alert())
        found = await trigger.until(name, "refused")
        assert guards(found) == ["blocking_alert"]
        assert "DriftgaugeComponentDown" in found["refusals"][0]["detail"]
        await trigger.deliver({**down, "status": "resolved"})
        await trigger.deliver(alert())
        await trigger.until(name, "finished")

    with_triggers(scenario)


def test_quiet_hours_put_a_run_off(with_triggers):
    async def scenario(triggers):
        quiet = Quiet("07:00", "09:00")  # NOW is 08:00 UTC
        trigger = await triggers.start(policies={"retrain": policy(quiet=quiet)})
        [name] = await trigger.deliver(alert())
        assert guards(await trigger.until(name, "refused")) == ["quiet_hours"]
        trigger.now[0] += 3600
        await trigger.deliver(alert())
        await trigger.until(name, "finished")

    with_triggers(scenario)


def test_a_dry_run_starts_nothing_and_is_closed(with_triggers, tmp_path):
    async def scenario(triggers):
        command = CommandAction(("/usr/bin/touch", f"{tmp_path}/ran"))
        trigger = await triggers.start(policies={"retrain": policy(dry_run=True, command=command)})
        [name] = await trigger.deliver(alert())
        assert (await trigger.until(name, "dry_run"))["closed_at"] == NOW
        assert await trigger.deliver(alert()) == [name]
        await trigger.settled()
        assert not (tmp_path / "ran").exists()

    with_triggers(scenario)


def test_another_cause_of_the_same_model_does_not_start_a_second_run(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start(policies={"retrain": policy(alerts=("Model*",))})
        names = await trigger.deliver(
            alert("ModelDrift"), alert("ModelConcept"), alert("ModelDrift", model="other")
        )
        states = {}
        for name in names:
            found = await trigger.until(name, "finished", "refused")
            states[found["cause"], found["model"]] = found["state"]
        assert sorted(states.values()) == ["finished", "finished", "refused"]
        assert states["ModelDrift", "other"] == "finished"

    with_triggers(scenario)


# --- approval and unknown runs --------------------------------------------------------------------


def test_approval_needs_its_own_token(with_triggers, tmp_path):
    approval, token = tmp_path / "approval", tmp_path / "token"
    approval.write_text("yes\n")
    token.write_text("send\n")

    async def scenario(triggers):
        trigger = await triggers.start(
            token_file=token, approval_token_file=approval, policies={"retrain": policy(approval=True)}
        )
        send = {"Authorization": "Bearer send"}
        assert (await trigger.post("/v1/alerts", webhook(alert())))[0] == 401
        assert (await trigger.get("/v1/decisions"))[0] == 401
        status, answer = await trigger.post("/v1/alerts", webhook(alert()), **send)
        assert status == 200
        [name] = answer["decisions"]
        for _ in range(5_000):
            _, found = await trigger.get(f"/v1/decisions/{name}", **send)
            if found["decision"]["state"] == "awaiting_approval":
                break
            await asyncio.sleep(0.02)
        path = f"/v1/decisions/{name}/approve"
        assert (await trigger.post(path))[0] == 401
        assert (await trigger.post(path, **send))[0] == 401
        token.write_text("other-tokens-length-does-not-matter\n")
        approval.write_text("changed\n")
        assert (await trigger.post(path, Authorization="Bearer yes"))[0] == 401
        assert (await trigger.post(path, Authorization="Bearer changed"))[0] == 200
        status, answer = await trigger.post(path, Authorization="Bearer changed")
        assert (status, answer["reason"]) == (409, "conflict")
        assert (await trigger.post("/v1/decisions/none/approve", Authorization="Bearer changed"))[0] == 404
        origin = {"Authorization": "Bearer changed", "Origin": "https://evil.example"}
        assert (await trigger.post(path, **origin))[0] == 403

    with_triggers(scenario)


def test_without_an_approval_token_nobody_may(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start()
        status, answer = await trigger.post("/v1/decisions/x/approve")
        assert (status, answer["reason"]) == (403, "forbidden")

    with_triggers(scenario)


def test_a_command_that_ran_when_the_trigger_ended_is_unknown_and_a_person_settles_it(
    with_triggers, tmp_path
):
    approval = tmp_path / "approval"
    approval.write_text("yes\n")
    person = {"Authorization": "Bearer yes"}
    started = tmp_path / "started"

    async def scenario(triggers):
        script = f"echo x >> {started}; sleep 1; echo y >> {started}"
        command = CommandAction(("/bin/sh", "-c", script))
        settings = {"policies": {"retrain": policy(command=command)}, "approval_token_file": approval}
        trigger = await triggers.start(**settings)
        [name] = await trigger.deliver(alert())
        await trigger.until(name, "running")
        await triggers.stop(trigger)
        trigger = await triggers.start(**settings)
        found = await trigger.until(name, "unknown")
        assert "settle" in (await trigger.decision(name))["events"][-1]["detail"]
        assert found["closed_at"] is None
        other = await trigger.deliver(alert("Else"))
        assert other == []
        path = f"/v1/decisions/{name}/settle"
        assert (await trigger.post(path, **person))[0] == 400
        assert (await trigger.post(f"{path}?ended=finished"))[0] == 401
        status, told = await trigger.post(f"{path}?ended=failed", **person)
        assert (status, told["decision"]["state"]) == (200, "failed")
        assert (await trigger.post(f"{path}?ended=failed", **person))[0] == 409
        for _ in range(2_000):
            if started.read_text() == "x\ny\n":
                break
            await asyncio.sleep(0.05)
        assert started.read_text() == "x\ny\n"  # it was left to end by itself, and not started again

    with_triggers(scenario)


def test_an_unknown_run_forbids_the_next(with_triggers):
    async def scenario(triggers):
        command = CommandAction(("/bin/sleep", "2"))
        settings = {"policies": {"retrain": policy(command=command, cooldown=DAY)}}
        trigger = await triggers.start(**settings)
        [name] = await trigger.deliver(alert())
        await trigger.until(name, "running")
        await triggers.stop(trigger)
        trigger = await triggers.start(now=[NOW + 3 * DAY], **settings)
        [second] = await trigger.deliver(alert())
        assert second != name
        assert guards(await trigger.until(second, "refused")) == ["unknown_run"]

    with_triggers(scenario)


# --- restarts and replicas ------------------------------------------------------------------------

CRON_JOB = {
    "metadata": {"name": "retrain", "uid": "u"},
    "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}},
}


def in_cluster(url, tmp_path):
    token = tmp_path / "account"
    token.write_text("t0ken\n")
    return {
        "kubernetes": ClusterSettings(url, "ml", token, None, 2.0),
        "policies": {"retrain": policy(job=JobAction("retrain"))},
    }


def jobs(cluster):
    return [path for path in cluster.objects if "/jobs/" in path]


def test_two_triggers_that_hear_the_same_alert_make_one_job(tmp_path, with_triggers):
    async def scenario(triggers):
        cluster = Cluster()
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        async with cluster.serving() as url:
            settings = in_cluster(url, tmp_path)
            first = await triggers.start(**settings)
            triggers.directory = tmp_path / "other"
            second = await triggers.start(now=[NOW + 5], **settings)
            [name] = await first.deliver(alert())
            assert await second.deliver(alert()) == [name]
            details = [(await t.until(name, "running"))["run"]["detail"] for t in (first, second)]
            assert sorted(details) == ["", "it was started already"]
            assert len(jobs(cluster)) == 1

    with_triggers(scenario)


def test_a_job_that_was_decided_and_not_made_is_made_after_a_restart(tmp_path, with_triggers, monkeypatch):
    async def scenario(triggers):
        cluster = Cluster()
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        async with cluster.serving() as url:
            settings = in_cluster(url, tmp_path)
            with monkeypatch.context() as patched:
                patched.setattr(Worker, "_start_soon", lambda *_: None)
                trigger = await triggers.start(**settings)
                [name] = await trigger.deliver(alert())
                await trigger.until(name, "starting")
                assert jobs(cluster) == []
                await triggers.stop(trigger)
            trigger = await triggers.start(**settings)
            await trigger.until(name, "running")
            assert len(jobs(cluster)) == 1
            cluster.objects[jobs(cluster)[0]]["status"] = {
                "conditions": [{"type": "Complete", "status": "True"}]
            }
            await trigger.until(name, "finished")

    with_triggers(scenario)


def test_a_server_that_is_away_is_asked_again_until_it_is_a_persons_case(tmp_path, with_triggers):
    async def scenario(triggers):
        cluster = Cluster()
        cluster.faults = [403]
        async with cluster.serving() as url:
            trigger = await triggers.start(**in_cluster("http://127.0.0.1:1", tmp_path))
            [name] = await trigger.deliver(alert())
            for _ in range(5_000):
                found = (await trigger.decision(name))["decision"]
                if found["run"] and found["run"]["attempts"] >= 2:
                    break
                await asyncio.sleep(0.02)
            assert found["state"] == "starting"
            assert found["run"]["detail"] == "kubernetes: connection refused"
            trigger.now[0] += 3601
            await trigger.until(name, "unknown")
            await triggers.stop(trigger)
            triggers.directory = tmp_path / "fresh"
            refused = await triggers.start(**in_cluster(url, tmp_path))
            [name] = await refused.deliver(alert())
            found = await refused.until(name, "failed")
            assert "answered 403 not now" in found["run"]["detail"]

    with_triggers(scenario)


def test_a_policy_that_is_gone_starts_nothing(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start(policies={"old": policy(approval=True)}, approval_token_file=None)
        [name] = await trigger.deliver(alert())
        await trigger.until(name, "awaiting_approval")
        await triggers.stop(trigger)
        trigger = await triggers.start(policies={"new": policy(alerts=("Else",))})
        store = trigger.service._store
        from msgspec.structs import replace

        from driftgauge.trigger.decision import State

        await trigger.service._memory(store.change, name, lambda d: replace(d, state=State.OPEN), NOW)
        assert guards(await trigger.until(name, "refused")) == ["policy_gone"]

    with_triggers(scenario)


# --- the door -------------------------------------------------------------------------------------


def test_the_webhook_is_answered_while_what_it_leads_to_hangs(with_triggers):
    async def scenario(triggers):
        sidecar = Sidecar()
        sidecar.hang = 60.0
        async with sidecar.serving() as url:
            trigger = await triggers.start(
                sidecar=Endpoint(url, timeout=50.0), policies={"retrain": policy(matured_labels=1)}
            )
            for n in range(5):
                began = time.monotonic()
                await trigger.deliver(alert(n=str(n)))
                assert time.monotonic() - began < 25  # far from the hang, whatever else the machine does
            [decision] = await trigger.decisions()
            assert decision["state"] == "open"

    with_triggers(scenario)


def test_what_can_not_be_committed_is_wanted_again(with_triggers, monkeypatch):
    async def scenario(triggers):
        trigger = await triggers.start()
        store = trigger.service._store

        def full(*_):
            from driftgauge.errors import StoreError

            raise StoreError("full")

        with monkeypatch.context() as patched:
            patched.setattr(store, "take", full)
            status, answer = await trigger.post("/v1/alerts", webhook(alert()))
            assert (status, answer["reason"]) == (503, "store_unavailable")
            patched.setattr(store, "take", lambda *_: time.sleep(0.4))
            patched.setattr(doors_module, "ANSWER_SECONDS", 0.1)
            status, answer = await trigger.post("/v1/alerts", webhook(alert()))
            assert status == 503
        assert await trigger.decisions() == []
        assert "driftgauge_trigger_store_errors_total 1.0\n" in await trigger.metrics()
        assert "driftgauge_trigger_deliveries_total 0.0\n" in await trigger.metrics()
        assert len(await trigger.deliver(alert())) == 1

    with_triggers(scenario)


def test_a_broken_file_is_told_with_503(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start()
        await trigger.deliver(alert("Else"))
        store = trigger.service._store
        connection = store._connection

        class Broken:
            def execute(self, *_):
                raise sqlite3.OperationalError("disk I/O error")

        store._connection = Broken()
        assert (await trigger.get("/v1/decisions"))[0] == 503
        assert (await trigger.post("/v1/alerts", webhook(alert())))[0] == 503
        store._connection = connection
        assert (await trigger.get("/v1/decisions"))[0] == 200

    with_triggers(scenario)


def test_bodies_are_bounded_and_refused_ones_counted(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start(max_body=2000)
        cases = [
            (b"x" * 3000, {}, 413, "too_large"),
            (b"", {}, 400, "malformed"),
            (b"{", {}, 400, "malformed"),
            (b"{}", {"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
            (b"{}", {"Content_Type": "application/x-ndjson"}, 415, "unsupported_media_type"),
            (b"{}", {"Content_Encoding": "br"}, 415, "unsupported_encoding"),
            (b"{}", {"Origin": "https://evil.example"}, 403, "forbidden"),
        ]
        for body, headers, status, reason in cases:
            found, answer = await trigger.post("/v1/alerts", body, **headers)
            assert (found, answer["reason"]) == (status, reason), (body, headers)
            assert answer["type"].startswith("urn:driftgauge:problem:")
        assert (await trigger.get("/v1/alerts"))[0] == 405
        assert (await trigger.get("/nothing"))[0] == 404
        text = await trigger.metrics()
        assert 'driftgauge_trigger_requests_rejected_total{reason="unsupported_media_type"} 2.0\n' in text

    with_triggers(scenario)


def test_models_beyond_the_limit_have_neither_decision_nor_series(with_triggers):
    async def scenario(triggers):
        trigger = await triggers.start(limits={"models": 2})
        assert len(await trigger.deliver(*[alert(model=f"m{n}") for n in range(5)])) == 2
        text = await trigger.metrics()
        assert 'driftgauge_trigger_alerts_total{result="model_limit"} 3.0\n' in text
        models = {line.split('model="')[1].split('"')[0] for line in text.splitlines() if 'model="' in line}
        assert models == {"m0", "m1"}

    with_triggers(scenario)


def test_stopping_finishes_what_is_being_recorded(with_triggers, monkeypatch):
    """SIGTERM between a command's start and its record: the record is made."""

    async def scenario(triggers):
        started = asyncio.Event()
        start = Command.start

        async def slowly(self, *arguments):
            found = await start(self, *arguments)
            started.set()
            await asyncio.sleep(0.3)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(Command, "start", slowly)
            command = CommandAction(("/bin/sleep", "1"))
            trigger = await triggers.start(policies={"retrain": policy(command=command)})
            [name] = await trigger.deliver(alert())
            await started.wait()
            await triggers.stop(trigger)
        trigger = await triggers.start()
        events = (await trigger.decision(name))["events"]
        assert [event["state"] for event in events] == ["open", "starting", "running", "unknown"]

    with_triggers(scenario)
