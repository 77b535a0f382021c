"""Alerts fired by real processes: broken feeds and a changed world, through HTTP, /metrics and a real Prometheus.

The rules are those that are shipped, hurried: a week is 20 s. Faults that no record brings about are put into
the process, its limits or its files: an evaluation that raises, a file that may not grow, a memory limit, a
log as long as a reader would let it become. What no replay here fires is listed with the alert, in
`Shipped.unreplayed`.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.harness import Http, free_port, poll
from tests.e2e.processes import JSON, NDJSON, Household, lines
from tests.e2e.prometheus import prometheus

from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_alerts, shipped_rules

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHIPPED = shipped_alerts()
REPLAYED = [each.name for each in SHIPPED if not each.unreplayed]
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
FEATURES = ("age", "income", "tenure", "visits", "debt")
REFERENCE_DAYS, A_DAY = 20, 400
DEADLINE = 400.0
# From when on outcomes come late; what came a week of the rules before is compared with.
LATE_SECONDS = 25.0
# What can only be told of a pod while it is well.
_OF_OUTCOMES = ("model", "model_version", "prediction_id", "outcome")
OF_LIMITS = {
    *("DriftgaugeSeriesDropped", "DriftgaugePendingSampled", "DriftgaugeVersionsEvicted"),
    *("DriftgaugeModelsRefused", "ModelReferencesDiffer"),
}
OF_FAULTS = {"DriftgaugeEvaluationFailing", "DriftgaugeEvaluationStale", "DriftgaugeStoreUnwritable"}
OF_THE_END = {"ModelWithoutPredictions", "DriftgaugeAbsent"}

# `driftgauge serve` whose evaluation raises while a file is there.
RAISING = """\
import sys
from pathlib import Path
from driftgauge.app import application

evaluate = application.evaluate

def raising(*given, **named):
    if Path({flag!r}).exists():
        raise RuntimeError("a fault")
    return evaluate(*given, **named)

application.evaluate = raising
sys.argv[0:1] = ["driftgauge", "serve"]
from driftgauge.cli import main
main()
"""
# One that has used up what the cgroup allows.
CRAMPED = """\
import sys
from driftgauge.app import application
from driftgauge.app.memory import resident_bytes

application.limit_bytes = lambda override=None: resident_bytes()
sys.argv[0:1] = ["driftgauge", "serve"]
from driftgauge.cli import main
main()
"""


def world(draw, number, at, mode="as it was"):
    """A record of the world that the reference knows, or of one that has changed."""
    plan = "pro" if number % 3 == 0 else "basic"
    x = [draw.gauss(6 if mode == "moved" else 0, 1) for _ in FEATURES]
    middle, spread = {"moved": (0.75, 0.2), "doubtful": (0.5, 0.05)}.get(mode, (0.4, 0.2))
    score = min(0.98, max(0.02, draw.gauss(middle, spread)))
    sure = 0.97 if abs(score - 0.5) > 0.1 else 0.6
    right = draw.random() < (sure if mode != "moved" else 0.12 if plan == "pro" else 0.5)
    outcome = int((score >= 0.5) == right)
    if mode == "turned":
        outcome = int(x[0] > 0 or draw.random() < 0.5)
    return {
        "timestamp": at.isoformat(),
        "score": round(score, 4),
        "outcome": outcome,
        "features": {
            **dict(zip(FEATURES, (round(each, 4) for each in x), strict=True)),
            "channel": draw.choice(("web", "shop")),
        },
        "segments": {"plan": plan},
        "prediction_id": f"r{number}",
    }


def days(draw, first, count, *, per_day=A_DAY, number=0, mode="as it was"):
    for place in range(count * per_day):
        at = BEGAN + timedelta(days=first, seconds=86_400 / per_day * place)
        yield world(draw, number + place, at, mode)


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    """A world's profile, and one of less of it."""
    folder, made = tmp_path_factory.mktemp("references"), []
    for name, count in (("world", REFERENCE_DAYS), ("less", 9)):
        table, target = folder / f"{name}.ndjson", folder / f"{name}.reference.json"
        table.write_bytes(lines(days(random.Random(1), -REFERENCE_DAYS, count)))
        flags = ("--time", "timestamp", "--score", "score", "--outcome", "outcome", "--segment", "plan")
        command = (sys.executable, "-m", "driftgauge", "profile", str(table), *flags, "--id", "prediction_id")
        more = ("--task", "binary", "--no-progress", "-o", str(target))
        made.append((target, subprocess.Popen((*command, *more), stderr=subprocess.PIPE, text=True)))
    for _, profiling in made:
        _, said = profiling.communicate(timeout=240)
        assert profiling.returncode == 0, said
    return [str(target) for target, _ in made]


class Scene:
    """Three sidecars of one job and a trigger, and what they are sent.

    The world of the first changes, the second is misconfigured and then breaks, the third lacks memory and has a
    long log.
    """

    def __init__(self, top, references):
        reference, less = references
        self.draw, self.number, self.top = random.Random(2), 0, top
        self.told, self.began, self.late = {}, time.monotonic(), False
        self.homes = {name: Household(top / name) for name in ("a", "b", "c", "trigger")}
        for home in self.homes.values():
            home.folder.mkdir()
        binary = {"task": "binary", "positive_class": "1", "windows": ["1h", "1d"], "segments": ["plan"]}
        replayed = {**binary, "clock": "records", "reference": reference, "outcomes": {"matures_after": "1h"}}
        live = {**binary, "reference": reference, "outcomes": {"horizon": "3s", "matures_after": "1s"}}
        plain = {**binary, "outcomes": {"matures_after": "1s"}}
        self.config = self.homes["a"].write(
            models={
                **dict.fromkeys(("world", "sparse", "turned", "doubtful"), replayed),
                "live": live,
                "numbers": {"task": "regression", "windows": ["1d"], "clock": "records"},
                "quiet": plain,
                "late": {**plain, "clock": "records"},
                "twin": {**plain, "reference": reference},
            },
            metrics=["critical", "segments", "estimates"],
        )
        # A series limit that binds, a reference that isn't there, a damaged store, next to no room for what waits.
        self.homes["b"].data.mkdir()
        (self.homes["b"].data / "driftgauge.sqlite").write_bytes(b"no database" * 500)
        second = self.homes["b"].write(
            models={
                "live": {**binary, "windows": ["1d"]},
                "lost": {**binary, "reference": str(top / "nowhere.json")},
                "twin": {**plain, "reference": less},
            },
            limits={"series": 500, "models": 3, "versions": 1},
            intake={"max_body": "64KiB"},
            store={"pending": "16KiB"},
        )
        third = self.homes["c"].write(models={"live": {**binary, "windows": ["1d"]}})
        raising = (sys.executable, "-c", RAISING.format(flag=str(top / "raise")))
        self.doors = {name: f"127.0.0.1:{free_port()}" for name in "abc"}
        self.a = self._started("a", self.config)
        self.b = self._started("b", second, command=raising)
        self.c = self._started("c", third, command=(sys.executable, "-c", CRAMPED))
        self.doors["trigger"] = self._trigger()
        for serving in (self.a, self.b, self.c):
            poll(lambda each=serving: "intake: listening on" in each.text, "no door opens", serving.log, 120)
        for serving in (self.a, self.b):
            poll(lambda each=serving: each.http().get("/readyz")[0] == 200, "not ready", serving.log, 60)
        self.lengthen()

    def _started(self, name, config, **options):
        return self.homes[name].serve(config=config, metrics=self.doors[name], **options)

    def _trigger(self):
        """One with two decisions: one waits for a person, one's run fails."""
        home, address = self.homes["trigger"], f"127.0.0.1:{free_port()}"
        policy = {"matured_labels": 0, "command": {"arguments": ["false"]}}
        policies = {
            "asked": {**policy, "alerts": ["Asked"], "approval": True},
            "failing": {**policy, "alerts": ["Failing"]},
        }
        directory = str(home.folder / "decisions")
        (home.folder / "approvers").write_text("s3cret\n")
        trigger = {
            "directory": directory,
            "look": "1s",
            "approval_token_file": "approvers",
            "policies": policies,
        }
        config = home.write(trigger=trigger)
        command = (
            sys.executable,
            "-m",
            "driftgauge",
            "trigger",
            "--config",
            str(config),
            "--listen",
            address,
        )
        with (home.folder / "trigger.log").open("wb") as log:
            home.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return address

    def decide(self):
        """Alerts for the trigger, once it is scraped: a failure counts from 0."""
        now = datetime.now(UTC).isoformat()
        alerts = [
            {"status": "firing", "labels": {"alertname": name, "model": "live"}, "annotations": {},
             "startsAt": now, "fingerprint": name}
            for name in ("Asked", "Failing")
        ]  # fmt: skip
        delivery = {"version": "4", "alerts": alerts}
        # Where it could not commit within its second it answers 503, and Alertmanager sends again.
        poll(
            lambda: Http(self.doors["trigger"]).post("/v1/alerts", delivery)[0] == 200,
            "the trigger takes no alerts",
            self.homes["trigger"].folder / "trigger.log",
            60,
        )

    def post(self, serving, path, records, media=NDJSON):
        body = records if isinstance(records, bytes) else lines(records)
        return serving.http(timeout=120.0).post(path, body, media)[0]

    def predictions(self, model, count, mode="as it was", **more):
        """Records of now, each with its own id."""
        now, first = datetime.now(UTC), self.number
        self.number += count
        found = (world(self.draw, first + place, now, mode) for place in range(count))
        return [{**each, "model": model, "model_version": "1", **more} for each in found]

    def history(self):
        """Months in a second: worlds as they were, then others; a model few of whose outcomes come."""
        for model, mode in (
            ("world", "moved"),
            ("sparse", "moved"),
            ("turned", "turned"),
            ("doubtful", "doubtful"),
        ):
            for first, count, now in ((0, 3, "as it was"), (3, 4, mode)):
                for day in range(first, first + count):
                    found = [*days(self.draw, day, 1, number=self.number, mode=now)]
                    self.number += len(found)
                    for place, each in enumerate(found):
                        each.update(model=model, model_version="1")
                        if model == "sparse" and place % 4:
                            del each["outcome"]
                    assert self.post(self.a, "/v1/predictions", found) == 200
        numbers = [
            {
                "model": "numbers",
                "model_version": "1",
                "prediction_id": f"n{place}",
                "timestamp": (BEGAN + timedelta(minutes=3 * place)).isoformat(),
                "prediction": self.draw.gauss(0, 9),
                "outcome": self.draw.gauss(0, 1),
                "features": {"age": self.draw.gauss(0, 1)},
            }
            for place in range(2000)
        ]
        assert self.post(self.a, "/v1/predictions", numbers) == 200
        assert self.post(self.a, "/v1/predictions", self.predictions("quiet", 50)) == 200
        self.labelled(600, 0, timedelta(minutes=1))
        waiting = self.predictions("twin", 2000)
        for each in waiting:
            del each["outcome"]
        for part in range(0, len(waiting), 200):
            assert self.post(self.b, "/v1/predictions", waiting[part : part + 200]) == 200

    def labelled(self, count, hour, delay):
        """Predictions of an *hour* whose outcomes come *delay* later, and the end of the hour they came in."""
        at = BEGAN + timedelta(hours=hour)
        found = self.predictions("late", count, timestamp=at.isoformat())
        outcomes = [
            {**{k: each[k] for k in _OF_OUTCOMES}, "timestamp": (at + delay).isoformat()} for each in found
        ]
        for each in found:
            del each["outcome"]
        after = self.predictions("late", 1, timestamp=(at + delay + timedelta(hours=2)).isoformat())
        assert self.post(self.a, "/v1/predictions", found) == 200
        assert self.post(self.a, "/v1/outcomes", outcomes) == 200
        assert self.post(self.a, "/v1/predictions", after) == 200

    def lengthen(self):
        """The third's log, as long as a reader would keep it: the next checkpoint cuts it again."""
        os.truncate(self.homes["c"].data / "driftgauge.sqlite-wal", 200 << 20)

    def burst(self):
        """A second of a feed that breaks in every way."""
        self.lengthen()
        found = self.predictions("live", 400, latency_seconds=2.0)
        for place, each in enumerate(found):
            del each["outcome"]
            each["features"].update(age="old" if place % 3 else None, channel="new")
            each["segments"]["plan"] = f"p{place % 40}"
            if place % 2:
                each["error"] = "no answer"
                each["features"]["income"] = float("nan") if place % 5 == 0 else each["features"]["income"]
        self.post(self.a, "/v1/predictions", found)
        for serving in (self.b, self.c):
            for each in found[:15]:
                self.post(serving, "/v1/predictions", [{**each, "model_version": str(time.time_ns())}])
        for serving in (self.a, self.b):
            self.post(serving, "/v1/predictions", self.predictions("twin", 5))
        quiet = self.predictions("quiet", 20)
        for each in quiet:
            del each["outcome"]
        self.post(self.a, "/v1/predictions", quiet)
        # Outcomes that come after their horizon.
        past = (datetime.now(UTC) - timedelta(seconds=10)).isoformat()
        late = self.predictions("live", 40, timestamp=past)
        outcomes = [{k: each.pop(k) if k == "outcome" else each[k] for k in _OF_OUTCOMES} for each in late]
        self.post(self.a, "/v1/predictions", late)
        self.post(self.a, "/v1/outcomes", outcomes)
        self.post(self.a, "/v1/predictions", [{"model": "live", "timestamp": "yesterday"}] * 50)
        self.post(self.b, "/v1/predictions", [{"model": f"m{n}", "score": 0.5} for n in range(5)])
        for _ in range(20):
            self.post(self.a, "/v1/predictions", b"{", JSON)
            self.post(self.c, "/v1/predictions", b"{}", JSON)
        if not self.late and time.monotonic() - self.began > LATE_SECONDS:
            self.late = True
            self.labelled(3000, 4, timedelta(hours=6))
        if self.told.keys() >= OF_LIMITS & {*REPLAYED}:
            self.fail()

    def reload_badly(self):
        tree = json.loads(self.config.read_text())
        self.config.write_text(json.dumps({**tree, "no_such_key": 1}))
        self.a.hang_up()

    def fail(self):
        """The second's evaluation raises, and no file of it may grow any more."""
        (self.top / "raise").touch()
        resource.prlimit(self.b.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def look(self, scraper):
        for alert in scraper.api("alerts")["alerts"]:
            if alert["state"] == "firing":
                self.told.setdefault(alert["labels"]["alertname"], alert)

    @contextmanager
    def looking(self, scraper):
        """Look all the time: some alerts fire for a few seconds, and a burst may take longer."""
        ended = threading.Event()

        def look():
            while not ended.wait(0.5):
                with suppress(OSError):  # a busy machine's Prometheus may not answer in time
                    self.look(scraper)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def wait(self, name, seconds):
        """Until an alert has fired."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and name not in self.told:
            time.sleep(0.5)

    def close(self):
        for home in self.homes.values():
            home.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory, references, require_tool):
    """Every alert that fired, by name."""
    top, program = tmp_path_factory.mktemp("replayed"), require_tool("prometheus")
    rules = top / "rules.yml"
    rules.write_text(prometheus_text(shipped_rules(TimeScale(30_000, scrape_seconds=1))))
    scene = Scene(top, references)
    try:
        with prometheus(top, program, scene.doors, [rules]) as scraper, scene.looking(scraper):
            scene.history()
            scene.reload_badly()
            scraper.wait('up{pod="trigger"} == 1')
            scene.decide()
            end = time.monotonic() + DEADLINE
            while time.monotonic() < end and not {*REPLAYED} - OF_THE_END <= scene.told.keys():
                scene.burst()
                time.sleep(0.5)
            for name in ("b", "c", "trigger"):
                scene.homes[name].close()
            scene.wait("ModelWithoutPredictions", 40)
            scene.homes["a"].close()
            scene.wait("DriftgaugeAbsent", 40)
            yield scene.told
    finally:
        scene.close()


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replay_fires_it(told, name):
    assert name in told


def test_no_alert_names_a_pod(told):
    for alert in list(told.values()):
        assert not alert["labels"].keys() & {"pod", "instance", "container"}, alert
        assert "<no value>" not in str(alert["annotations"]), alert
        assert "%!" not in str(alert["annotations"]), alert


@pytest.mark.parametrize("shipped", [each for each in SHIPPED if each.unreplayed], ids=lambda each: each.name)
def test_what_is_not_replayed_says_why(shipped):
    assert len(shipped.unreplayed.split()) > 5
