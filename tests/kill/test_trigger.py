"""kill -9 of the trigger: a command runs at most once, a Job is made exactly once, and nothing is forgotten."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from tests.e2e.harness import DEADLINE, Http, poll
from tests.unit.trigger.running import alert, webhook
from tests.unit.trigger.standins import Cluster
from tests.unit.trigger.test_worker import CRON_JOB

pytestmark = [pytest.mark.kill, pytest.mark.slow]

# Run as the command is, but for one place where it halts and says that it has come there.
HALTING = """
import asyncio, pathlib, sys, time
from driftgauge.trigger.actions.command import Command
from driftgauge.trigger.actions.cluster import Kubernetes
from driftgauge.trigger.worker import Worker
owner, name, after, mark = {owner}, {name!r}, {after}, pathlib.Path({mark!r})
original = getattr(owner, name)
async def halting(self, *arguments):
    found = await original(self, *arguments) if after else None
    mark.touch()
    time.sleep(600)
    return found
setattr(owner, name, halting)
from driftgauge.cli import main
main(sys.argv[1:])
"""


class Household:
    """A trigger's folder, and the processes that run on it."""

    def __init__(self, folder):
        self.folder = folder
        self.starts = folder / "started"
        self.mark = folder / "halted"
        self.config = folder / "driftgauge.yaml"
        self.log = folder / "trigger.log"
        self.processes = []

    def write(self, **trigger):
        trigger = {"listen": "127.0.0.1:0", "directory": "decisions", "look": "100ms", **trigger}
        self.config.write_text(json.dumps({"trigger": trigger}))

    def writes_command(self):
        arguments = ["/bin/sh", "-c", f"echo x >> {self.starts}"]
        policy = {"alerts": ["ModelDrift"], "matured_labels": 0, "runs_per_day": 100}
        self.write(policies={"p": {**policy, "command": {"arguments": arguments}}})

    def start(self, halt=None):
        """A trigger that takes alerts, and a client; with *halt*, (owner, name, after), it stands still there."""
        command = [sys.executable, "-m", "driftgauge"]
        if halt is not None:
            owner, name, after = halt
            script = HALTING.format(owner=owner, name=name, after=after, mark=str(self.mark))
            command = [sys.executable, "-c", script]
        already = self.log.read_text().count("listening on") if self.log.exists() else 0
        with self.log.open("ab") as log:
            process = subprocess.Popen([*command, "trigger", "-c", str(self.config)], stdout=log, stderr=log)
        self.processes.append(process)

        def listening():
            assert process.poll() is None, self.log.read_text()
            found = re.findall(r"listening on (\S+),", self.log.read_text())
            return found[-1] if len(found) > already else None

        return process, Http(poll(listening, "it does not listen", self.log))

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(DEADLINE)

    def count(self):
        return len(self.starts.read_text().splitlines()) if self.starts.exists() else 0


@pytest.fixture
def household(tmp_path):
    made = Household(tmp_path)
    yield made
    made.close()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)


def deliver(client, *alerts):
    """As Alertmanager does, which comes again where the alerts weren't committed within a second."""
    body = webhook(*(alerts or (alert(),)))
    return poll(lambda: taken(*client.post("/v1/alerts", body)), "the alerts are not taken")


def taken(status, _, answer):
    assert status in {200, 503}, answer
    return answer["decisions"] if status == 200 else None


def decision(client, name):
    return client.json(f"/v1/decisions/{name}")["decision"]


def comes_to(client, name, *states):
    return poll(lambda: (d := decision(client, name))["state"] in states and d, f"not {states}")


@pytest.mark.parametrize(
    ("halt", "starts"),
    [(("Command", "start", False), 0), (("Command", "start", True), 1)],
    ids=["before it starts", "before its start is recorded"],
)
def test_a_command_is_not_started_again(household, halt, starts):
    household.writes_command()
    process, client = household.start(halt)
    [name] = deliver(client)
    poll(household.mark.exists, "it did not come to the start", household.log)
    poll(lambda: household.count() == starts, "the command", household.log)
    kill(process)
    _, client = household.start()
    assert comes_to(client, name, "unknown")["run"]["action"] == "command"
    assert deliver(client) == [name]
    time.sleep(0.5)
    assert household.count() == starts
    assert decision(client, name)["state"] == "unknown"


def test_what_was_acknowledged_is_decided_after_the_kill(household):
    household.writes_command()
    process, client = household.start(("Worker", "_judge", False))
    [name] = deliver(client)
    poll(household.mark.exists, "it did not come to the judgement", household.log)
    kill(process)
    assert household.count() == 0
    _, client = household.start()
    comes_to(client, name, "finished")
    assert household.count() == 1


@contextmanager
def cluster():
    """A stand-in API server in a thread of its own, with its URL."""
    api = Cluster()
    api.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
    loop, ready = asyncio.new_event_loop(), threading.Event()
    told, ended = {}, asyncio.Event()

    async def serve():
        async with api.serving() as url:
            told["url"] = url
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(DEADLINE)
    try:
        yield api, told["url"]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(DEADLINE)
        loop.close()


@pytest.mark.parametrize("after", [False, True], ids=["before it is made", "before that is recorded"])
def test_exactly_one_job_is_made(household, after):
    (household.folder / "token").write_text("t0ken\n")
    with cluster() as (api, url):
        household.write(
            kubernetes={"url": url, "namespace": "ml", "token_file": "token", "ca_file": None},
            policies={"p": {"alerts": ["ModelDrift"], "matured_labels": 0, "job": {"cron_job": "retrain"}}},
        )
        process, client = household.start(("Kubernetes", "make", after))
        [name] = deliver(client)
        poll(household.mark.exists, "it did not come to the start", household.log)
        made = [path for path in api.objects if "/jobs/" in path]
        assert len(made) == after
        kill(process)
        _, client = household.start()
        found = comes_to(client, name, "running")
        assert found["run"]["detail"] == ("it was started already" if after else "")
        assert [path for path in api.objects if "/jobs/" in path] == [
            f"/apis/batch/v1/namespaces/ml/jobs/driftgauge-{name}"
        ]


def test_killed_at_any_moment_it_starts_at_most_once_and_forgets_nothing(household):
    """Fixed seed, six kills within 60 ms of a delivery; each decision of its own model."""
    household.writes_command()
    draw = random.Random(11)
    process, client = household.start()
    names = []
    for round_ in range(6):
        names += deliver(client, alert(model=f"m{round_}"))
        time.sleep(draw.uniform(0, 0.06))
        kill(process)
        process, client = household.start()
    states = {}
    for name in names:
        found = comes_to(client, name, "finished", "unknown", "refused")
        states.setdefault(found["state"], []).append(name)
    # what is known to have run did, what is unknown may have, and nothing ran twice
    ran = len(states.get("finished", ()))
    assert len(names) == 6
    assert ran <= household.count() <= ran + len(states.get("unknown", ()))
    assert "refused" not in states
