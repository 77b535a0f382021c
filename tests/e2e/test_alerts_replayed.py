"""Alerts fired by real sidecars: broken feeds and a changed world, through HTTP, /metrics and a real Prometheus.

The rules are those that are shipped, hurried: a week is 20 s. What no replay here fires is listed with the
alert, in `Shipped.unreplayed`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.harness import free_port, poll
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
DEADLINE = 200.0


def world(draw, number, at, *, changed=False):
    """A record of the world that the reference knows, or of one where all of it has changed."""
    plan = "pro" if number % 3 == 0 else "basic"
    x = [draw.gauss(6 if changed else 0, 1) for _ in FEATURES]
    score = min(0.98, max(0.02, draw.gauss(0.75 if changed else 0.4, 0.2)))
    right = draw.random() < (0.12 if plan == "pro" else 0.5) if changed else draw.random() < 0.95
    outcome = int((score >= 0.5) == right)
    return {
        "timestamp": at.isoformat(),
        "score": round(score, 4),
        "outcome": outcome,
        "features": dict(zip(FEATURES, (round(each, 4) for each in x), strict=True)),
        "segments": {"plan": plan},
        "prediction_id": f"r{number}",
    }


def days(draw, first, count, *, per_day=A_DAY, number=0, changed=False):
    for place in range(count * per_day):
        at = BEGAN + timedelta(days=first, seconds=86_400 / per_day * place)
        yield world(draw, number + place, at, changed=changed)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    table, target = folder / "train.ndjson", folder / "world.reference.json"
    table.write_bytes(lines(days(random.Random(1), -REFERENCE_DAYS, REFERENCE_DAYS)))
    flags = ("--time", "timestamp", "--score", "score", "--outcome", "outcome", "--segment", "plan")
    command = (sys.executable, "-m", "driftgauge", "profile", str(table), *flags, "--id", "prediction_id")
    done = subprocess.run(
        (*command, "--task", "binary", "--no-progress", "-o", str(target)),
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return str(target)


class Scene:
    """Two sidecars of one job: one whose world changes, one that is misconfigured; and what they are sent."""

    def __init__(self, top, reference):
        self.draw, self.number = random.Random(2), 0
        self.told, self.sent = {}, 0
        binary = {"task": "binary", "positive_class": "1", "windows": ["1h", "1d"], "segments": ["plan"]}
        replayed = {**binary, "clock": "records", "reference": reference, "outcomes": {"matures_after": "1h"}}
        live = {**binary, "reference": reference, "outcomes": {"horizon": "3s", "matures_after": "1s"}}
        (top / "first").mkdir()
        (top / "second").mkdir()
        self.first = Household(top / "first")
        self.config = self.first.write(
            models={
                "world": replayed,
                "sparse": replayed,
                "live": live,
                "numbers": {"task": "regression", "windows": ["1d"], "clock": "records"},
            },
            limits={"models": 5, "categories": 3},
            metrics=["critical", "segments", "estimates"],
        )
        self.second = Household(top / "second")
        self.doors = {"a": f"127.0.0.1:{free_port()}", "b": f"127.0.0.1:{free_port()}"}
        self.a = self._started(self.first, self.config, "a")
        # No evaluation for a minute, a series limit that binds, a reference that isn't there, a damaged store.
        (top / "second" / "data").mkdir()
        (top / "second" / "data" / "driftgauge.sqlite").write_bytes(b"no database" * 500)
        missing = str(top / "nowhere.json")
        self.b = self._started(
            self.second,
            self.second.write(
                evaluate="1m",
                models={"live": {**binary, "windows": ["1d"]}, "lost": {**binary, "reference": missing}},
                limits={"series": 50, "models": 2, "versions": 1},
                intake={"max_body": "64KiB"},
            ),
            "b",
        )

    def _started(self, home, config, name):
        serving = home.serve(config=config, metrics=self.doors[name])
        poll(lambda: "intake: listening on" in serving.text, "no door opens", serving.log, 120)
        poll(lambda: serving.http().get("/readyz")[0] == 200, "not ready", serving.log, 60)
        return serving

    def post(self, serving, path, records, media=NDJSON):
        body = records if isinstance(records, bytes) else lines(records)
        return serving.http(timeout=120.0).post(path, body, media)[0]

    def history(self):
        """Months in a second: a world as it was, then another one; a model few of whose outcomes come."""
        for model, per_day in (("world", A_DAY), ("sparse", A_DAY)):
            for first, count, changed in ((0, 3, False), (3, 4, True)):
                for day in range(first, first + count):
                    found = [*days(self.draw, day, 1, per_day=per_day, number=self.number, changed=changed)]
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

    def burst(self):
        """A second of a feed that breaks in every way."""
        now = datetime.now(UTC)
        found = []
        for place in range(400):
            each = world(self.draw, self.number + place, now)
            each.update(model="live", model_version="1", latency_seconds=2.0)
            del each["outcome"]
            each["features"]["age"] = "old" if place % 3 else None
            each["features"]["place"] = f"c{place % 40}"
            if place % 2:
                each["error"] = "no answer"
                each["features"]["income"] = float("nan") if place % 5 == 0 else each["features"]["income"]
            found.append(each)
        self.number += len(found)
        self.post(self.a, "/v1/predictions", found)
        self.post(
            self.b, "/v1/predictions", [{**each, "model_version": str(time.time_ns())} for each in found[:20]]
        )
        self.post(
            self.a,
            "/v1/outcomes",
            [{"model": "live", "prediction_id": f"x{n}-{time.time_ns()}", "outcome": 1} for n in range(40)],
        )
        self.post(self.a, "/v1/predictions", [{"model": "live", "timestamp": "yesterday"}] * 50)
        self.post(self.b, "/v1/predictions", [{"model": f"m{n}", "score": 0.5} for n in range(5)])
        for _ in range(5):
            self.post(self.a, "/v1/predictions", b"{", JSON)

    def reload_badly(self):
        tree = json.loads(self.config.read_text())
        self.config.write_text(json.dumps({**tree, "no_such_key": 1}))
        self.a.hang_up()

    def look(self, scraper):
        for alert in scraper.api("alerts")["alerts"]:
            if alert["state"] == "firing":
                self.told.setdefault(alert["labels"]["alertname"], alert)

    def close(self):
        self.first.close()
        self.second.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory, reference, require_tool):
    """Every alert that fired, by name."""
    top, program = tmp_path_factory.mktemp("replayed"), require_tool("prometheus")
    rules = top / "rules.yml"
    rules.write_text(prometheus_text(shipped_rules(TimeScale(30_000, scrape_seconds=1))))
    scene = Scene(top, reference)
    try:
        with prometheus(top, program, scene.doors, [rules]) as scraper:
            scene.history()
            scene.reload_badly()
            end = time.monotonic() + DEADLINE
            last = {"ModelWithoutPredictions", "DriftgaugeAbsent"}
            while time.monotonic() < end and not {*REPLAYED} - last <= scene.told.keys():
                scene.burst()
                scene.look(scraper)
                time.sleep(0.5)
            for home in (scene.first, scene.second):
                if home is scene.second:
                    home.close()
            end = time.monotonic() + 40
            while time.monotonic() < end and "ModelWithoutPredictions" not in scene.told:
                scene.look(scraper)
                time.sleep(0.5)
            scene.first.close()
            end = time.monotonic() + 40
            while time.monotonic() < end and "DriftgaugeAbsent" not in scene.told:
                scene.look(scraper)
                time.sleep(0.5)
            yield scene.told
    finally:
        scene.close()


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replay_fires_it(told, name):
    assert name in told


def test_no_alert_names_a_pod(told):
    for alert in told.values():
        assert not alert["labels"].keys() & {"pod", "instance", "container"}, alert
        assert "<no value>" not in str(alert["annotations"]), alert
        assert "%!" not in str(alert["annotations"]), alert


@pytest.mark.parametrize("shipped", [each for each in SHIPPED if each.unreplayed], ids=lambda each: each.name)
def test_what_is_not_replayed_says_why(shipped):
    assert len(shipped.unreplayed.split()) > 5
