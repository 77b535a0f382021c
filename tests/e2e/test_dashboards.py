"""Every query of every dashboard answers on a real Prometheus that scrapes the demo with all families on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.harness import Http, free_port, poll
from tests.e2e.test_injector import asked as asked_for_a_sidecar
from tests.e2e.test_injector import injecting
from tests.e2e.test_trigger import triggering

from driftgauge.artefacts.dashboards import DASHBOARDS, text
from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_rules
from driftgauge.artefacts.thresholds import LEAST_SAMPLES

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

HERE = Path(__file__).parent
# The replay takes 46 s; the rest is for a machine that has other things to do.
LASTS = 300
SCRAPE = 2
# For the rules a week passes in 20 s.
SCALE = TimeScale(30_000, scrape_seconds=SCRAPE)
BOARDS = [json.loads(text(board)) for board in DASHBOARDS]
CHOSEN = {"window": "7d", "cohort": "matured"}
TRAINED, BEGINS, DAYS, BESIDE = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC), 50, 10
COLUMNS = {
    "canary": ("--task=binary", "--positive-class=1", "--score=score", "--outcome=outcome"),
    "price": ("--task=regression", "--prediction=prediction", "--outcome=outcome"),
}


# --- records --------------------------------------------------------------------------------------


def answered(model, age, draw):
    """What the model said, and what came of it."""
    if model == "canary":
        score = draw.betavariate(0.5, 0.5)
        return {"score": score, "outcome": int(draw.random() < 0.1 + 0.8 * score)}
    said = 100 + 3 * (age - 40) + draw.gauss(0, 10)
    return {"prediction": said, "outcome": said + draw.gauss(0, 5)}


def asked(model, count, start, days, *, version, draw, moved=0.0):
    """Records evenly over *days*, of people *moved* years older than in training."""
    for number in range(count):
        age = draw.gauss(40 + moved, 6)
        yield {
            "model": model,
            "model_version": version,
            "prediction_id": f"{model}-{version}-{start.timestamp():.0f}-{number}",
            "timestamp": (start + timedelta(days=days * number / count)).isoformat(),
            **answered(model, age, draw),
            "latency_seconds": draw.lognormvariate(-2, 1),
            "features": {"age": age, "plan": draw.choice(["basic", "pro"])},
            "segments": {"plan": draw.choice(["basic", "pro"])},
        }


def profiled(folder, model, draw):
    """A reference of 20 days with their outcomes."""
    said = "score" if model == "canary" else "prediction"
    table = folder / f"{model}.csv"
    rows = asked(model, 6_000, TRAINED, 20, version="1", draw=draw)
    cells = (
        (r["timestamp"], r["features"]["age"], r["features"]["plan"], r[said], r["outcome"]) for r in rows
    )
    head = f"time,age,plan,{said},outcome"
    table.write_text("\n".join((head, *(",".join(map(str, row)) for row in cells))) + "\n")
    target = folder / f"{model}.reference.json"
    command = (*COLUMNS[model], "--time=time", "--no-progress", f"--output={target}", str(table))
    done = subprocess.run(
        (sys.executable, "-m", "driftgauge", "profile", *command),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def streams(model, draw):
    """Fifty days of a version, the last ten beside a newer one that older people ask; some carry errors.

    A third of what the older one is asked then the newer one answers too, in its shadow.
    """
    beside = BEGINS + timedelta(days=DAYS - BESIDE)
    old = list(asked(model, 5_000, BEGINS, DAYS, version="1", draw=draw))
    new = list(asked(model, 1_500, beside, BESIDE, version="2", draw=draw, moved=9.0))
    for record in new[::7]:
        record["error"] = True
    shadowed = [record for record in old if record["timestamp"] >= beside.isoformat()][::3]
    for record in shadowed:
        answer = answered(model, record["features"]["age"], draw)
        new.append({**record, **answer, "model_version": "2", "outcome": record["outcome"]})
    for record in old[3::20]:
        del record["outcome"]  # the canary's are implied at the horizon
    for record in old[5::50]:
        del record["features"]["age"]  # which the reference never lacks
    return sorted((*old, *new), key=lambda record: record["timestamp"])


def mishaps(records):
    """Doors and bodies: a duplicate, a late one, a contradiction, versions too many."""
    known = [record for record in records if "outcome" in record]
    first, last = known[0], known[-1]
    late = {**first, "prediction_id": "late", "timestamp": "2023-01-01T00:00:00Z"}
    more = [{**last, "prediction_id": f"v{version}", "model_version": version} for version in "3456"]
    yield "/v1/predictions", [last, late, {"model": "canary", "score": "high"}]
    other = {"prediction_id": last["prediction_id"], "model_version": last["model_version"]}
    yield "/v1/outcomes", [{"model": "canary", **other, "outcome": 1 - last["outcome"]}]
    yield "/v1/predictions", more


# --- processes ------------------------------------------------------------------------------------


class Whole:
    """The demo, the records of two models more, a trigger, an injector, and Prometheus beside them."""

    def __init__(self, folder, program, stack):
        self.folder, self.lines, self.draw = folder, [], random.Random(3)
        self.intake, self.metrics, self.prometheus = (f"127.0.0.1:{free_port()}" for _ in range(3))
        for model in COLUMNS:
            profiled(folder, model, self.draw)
        trigger = self._trigger(stack)
        _, authority, _, webhook, injector = stack.enter_context(injecting(folder))
        self.began = time.time()
        self.running = [self._demo(), self._prometheus(program, trigger.address, injector)]
        stack.callback(self.close)
        threading.Thread(target=self._read, daemon=True).start()
        self.client = Http(self.intake)
        poll(lambda: self.client.get("/readyz")[0] == 200, "the demo is not ready")
        # What happens before the first scrape is no increase of anything.
        poll(lambda: self._scraped() == 3, "demo, trigger and injector are not all scraped")
        self._alarm(trigger)
        asyncio.run(asked_for_a_sidecar(webhook, authority, injector))
        self._send()

    def _trigger(self, stack):
        policy = {"alerts": ["ModelDrift"], "matured_labels": 0, "command": {"arguments": ["true"]}}
        config = self.folder / "trigger.yaml"
        settings = {"directory": str(self.folder / "decisions"), "policies": {"retrain": policy}}
        config.write_text(json.dumps({"trigger": settings}))
        return stack.enter_context(triggering(self.folder, config))[1]

    def _scraped(self):
        """How many services Prometheus has seen."""
        status, _, answer = Http(self.prometheus).get("/api/v1/query?query=up==1")
        return len(json.loads(answer)["data"]["result"]) if status == 200 else 0

    def _alarm(self, trigger):
        """An alert, of which a run comes; the counters began with 0 before it."""
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        labels = {"alertname": "ModelDrift", "model": "canary"}
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": {},
            "startsAt": began,
            "fingerprint": "f",
        }
        # Where it isn't committed within a second the answer is 503, and Alertmanager sends again.
        delivery = {"version": "4", "alerts": [alert]}
        poll(lambda: trigger.post("/v1/alerts", delivery)[0] == 200, "the alerts are not taken")

    def _demo(self):
        doors = (f"--listen={self.intake}", f"--metrics-listen={self.metrics}")
        # A regression of the demo's, so that the whole is done on a small machine.
        flags = ("--model=bike-demand", *doors, f"--duration={LASTS}s")
        return subprocess.Popen(
            [sys.executable, str(HERE / "whole_demo.py"), str(self.folder), *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    def _prometheus(self, program, trigger, injector):
        rules, file = self.folder / "rules.yml", self.folder / "prometheus.yml"
        # An hour is 4 s here, in which a busy machine may not get the least number of records through.
        rules.write_text(prometheus_text(shipped_rules(SCALE)).replace(f">= {LEAST_SAMPLES}", "> 0"))
        jobs = {"driftgauge": ("shop", self.metrics), "driftgauge-trigger": ("ops", trigger)}
        jobs["driftgauge-injector"] = ("ops", injector)
        config = {
            "global": {"scrape_interval": f"{SCRAPE}s", "scrape_timeout": f"{SCRAPE}s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {
                    "job_name": name,
                    "static_configs": [{"targets": [address], "labels": {"namespace": namespace}}],
                }
                for name, (namespace, address) in jobs.items()
            ],
        }
        file.write_text(json.dumps(config))
        flags = (f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'tsdb'}")
        with (self.folder / "prometheus.log").open("wb") as log:
            return subprocess.Popen(
                [program, *flags, f"--web.listen-address={self.prometheus}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _read(self):
        self.lines.extend(line.rstrip("\n") for line in self.running[0].stdout)

    def _send(self):
        # An outcome that no prediction comes for; it is given up at the horizon.
        orphan = {"model": "canary", "prediction_id": "nobody", "outcome": 1, "timestamp": BEGINS.isoformat()}
        self._post("/v1/outcomes", [orphan])
        for model in COLUMNS:
            records = streams(model, self.draw)
            for at in range(0, len(records), 500):
                self._post("/v1/predictions", records[at : at + 500])
                time.sleep(0.5)
            if model == "canary":
                canaries = records
        time.sleep(4 * SCRAPE)
        for path, lot in mishaps(canaries):
            self._post(path, lot)
            time.sleep(SCRAPE)

    def _post(self, path, records):
        status, _, answer = self.client.post(path, records)
        assert status == 200, answer

    def wait(self):
        """Until most of the replay is over and Prometheus has seen it."""
        far = re.compile(r"[5-9]\d% of the replay|The replay is over")
        poll(lambda: any(far.search(line) for line in self.lines), "not over", seconds=LASTS)
        time.sleep(4 * SCRAPE)
        self.until = time.time()

    def answer(self, query):
        """The series of *query* over the whole run."""
        asked = {"query": query, "start": self.began, "end": self.until, "step": 2 * SCRAPE}
        _, _, body = Http(self.prometheus).get(f"/api/v1/query_range?{urllib.parse.urlencode(asked)}")
        found = json.loads(body)
        assert found["status"] == "success", (query, found)
        return found["data"]["result"]

    def close(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, require_tool):
    program = require_tool("prometheus")
    with ExitStack() as stack:
        found = Whole(tmp_path_factory.mktemp("whole"), program, stack)
        found.wait()
        yield found


# --- queries --------------------------------------------------------------------------------------


def filled(query):
    """A query as Grafana would ask it with everything chosen."""
    timed = query.replace("$__rate_interval", f"{4 * SCRAPE}s").replace("$__range", f"{LASTS}s")
    return re.sub(r"\$\{?(\w+)\}?", lambda found: CHOSEN.get(found[1], ".*"), timed)


def queries(board):
    """Place and expression of each query, those of annotations and variables too."""
    panels = [*board["panels"], *(inner for panel in board["panels"] for inner in panel.get("panels", ()))]
    for panel in panels:
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation {annotation['name']}", annotation["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            yield f"variable {variable['name']}", f"count by ({label}) ({selector})"


QUERIES = [
    pytest.param(expression, id=f"{board['uid']}: {place}")
    for board in BOARDS
    for place, expression in queries(board)
]


@pytest.mark.parametrize("expression", QUERIES)
def test_every_query_answers(whole, expression):
    found = whole.answer(filled(expression))
    assert any(value != "NaN" for series in found for _, value in series["values"]), filled(expression)
