"""`driftgauge trigger` as whoever installs it runs it: beside a real Alertmanager and a real sidecar."""

from __future__ import annotations

import csv
import json
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.e2e.harness import DEADLINE, Http, free_port, poll, samples, value
from tests.e2e.processes import NDJSON, Household, household, lines

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TRIGGER = (sys.executable, "-m", "driftgauge", "trigger")
SCALE = 3600.0  # an hour's pane is a second


@contextmanager
def process(log: Path, *command):
    with log.open("ab") as file:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.wait(DEADLINE)


@contextmanager
def triggering(folder: Path, config: Path):
    """A trigger that takes alerts, and a client of it."""
    log = folder / "trigger.log"
    already = log.read_text().count("listening on") if log.exists() else 0
    with process(log, *TRIGGER, "--config", str(config), "--listen", "127.0.0.1:0") as running:

        def listening():
            assert running.poll() is None, log.read_text()
            found = re.findall(r"listening on (\S+),", log.read_text())
            return found[-1] if len(found) > already else None

        yield running, Http(poll(listening, "it does not listen", log))


def decisions(client):
    return client.json("/v1/decisions")["decisions"]


def until(client, state, otherwise="", seconds=DEADLINE):
    """The newest decision once it is in *state*."""

    def found():
        listed = decisions(client)
        return listed[0] if listed and listed[0]["state"] == state else None

    return poll(found, otherwise or f"no decision came to {state}", seconds=seconds)


ALERTMANAGER = """\
route:
  receiver: driftgauge
  group_by: [model]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1s
receivers:
  - name: driftgauge
    webhook_configs:
      - url: http://{address}/v1/alerts
        http_config:
          authorization: {{credentials_file: {token}}}
"""


def test_a_real_alertmanager_delivers_and_one_run_comes_of_it(tmp_path, require_tool):
    """Two of them, which know nothing of each other and repeat each second: one decision, one run."""
    alertmanager, amtool = require_tool("prometheus-alertmanager"), require_tool("amtool")
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    policy = {
        "alerts": ["ModelDrift"],
        "matured_labels": 0,
        "command": {"arguments": ["/bin/sh", "-c", f"echo $$DRIFTGAUGE_REASON >> {tmp_path}/started"]},
    }
    config = tmp_path / "driftgauge.yaml"
    trigger = {"token_file": "token", "directory": "decisions", "look": "1s", "policies": {"retrain": policy}}
    config.write_text(json.dumps({"trigger": trigger}))
    with ExitStack() as stack:
        running, client = stack.enter_context(triggering(tmp_path, config))
        client.headers["Authorization"] = "Bearer s3cret"
        file = tmp_path / "alertmanager.yml"
        file.write_text(ALERTMANAGER.format(address=client.address, token=token))
        subprocess.run([amtool, "check-config", str(file)], check=True, capture_output=True)
        for n in range(2):
            port = free_port()
            flags = (
                f"--config.file={file}", f"--storage.path={tmp_path}/alertmanager-{n}", "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            )  # fmt: skip
            stack.enter_context(process(tmp_path / "alertmanager.log", alertmanager, *flags))
            other = Http(f"127.0.0.1:{port}")
            poll(
                lambda other=other: other.get("/-/ready")[0] == 200,
                "alertmanager",
                tmp_path / "alertmanager.log",
            )
            add = (amtool, f"--alertmanager.url=http://127.0.0.1:{port}", "alert", "add", "ModelDrift")
            labels = (
                "model=car-loan",
                "feature=car_value",
                "severity=warning",
                "--annotation=summary=it moved",
            )
            subprocess.run([*add, *labels], check=True, capture_output=True, timeout=DEADLINE)
        decision = until(client, "finished")
        assert decision["model"] == "car-loan"
        assert decision["reason"] == "it moved"
        poll(lambda: decisions(client)[0]["deliveries"] >= 4, "they do not repeat")
        assert (tmp_path / "started").read_text() == "it moved\n"
        text = client.text("/metrics")
        promtool = [require_tool("promtool"), "check", "metrics"]
        subprocess.run(promtool, input=text, text=True, check=True, capture_output=True)
        found = samples(text)
        assert value(found, "trigger_alerts_total", result="opened") == 1
        assert value(found, "trigger_alerts_total", result="attached") >= 3
        assert value(found, "trigger_requests_rejected_total", reason="unauthorized") == 0
        running.send_signal(signal.SIGTERM)
        assert running.wait(DEADLINE) == 0
        assert len(decisions_of(tmp_path)) == 1


def decisions_of(folder):
    import sqlite3

    with sqlite3.connect(folder / "decisions" / "trigger.sqlite") as connection:
        rows = connection.execute("SELECT decision FROM decisions").fetchall()
    connection.close()
    return [json.loads(row[0]) for row in rows]


def records(version, first, count, *, skill, seed=5):
    """Scores that follow the outcome in a share of *skill*."""
    draw = random.Random(seed)
    found = []
    for number in range(first, first + count):
        outcome = draw.random() < 0.5
        right = draw.random() < skill
        score = draw.uniform(0.55, 0.95) if outcome == right else draw.uniform(0.05, 0.45)
        found.append(
            {"model": "churn", "model_version": version, "prediction_id": f"{version}-{number}", "score": score,
             "outcome": int(outcome), "features": {"age": draw.gauss(40, 5)}}
        )  # fmt: skip
    return found


def test_a_run_behind_the_real_sidecars_numbers_and_its_version_judged(tmp_path):
    """Labels are counted, joined records exported, and the new version's quality closes the record."""
    churn = {
        "task": "binary",
        "windows": ["1h", "1d", "30d"],
        "outcomes": {"matures_after": "1h", "horizon": "30d"},
    }
    policy = {
        "alerts": ["ModelDrift"],
        "matured_labels": 300,
        "judge": {"outcomes": 300, "window": "30d"},
        "command": {"arguments": ["/bin/cp", "$export", f"{tmp_path}/learned.csv"]},
    }
    with household(tmp_path) as made:
        trees = {
            "models": {"churn": churn},
            "export": {"keep": "30d", "sample": "100%", "features": ["age"]},
            "time_scale": SCALE,
        }
        serving = made.serve(config=made.write(**trees)).wait_ready()
        client = serving.http()
        settings = {
            "directory": str(tmp_path / "decisions"), "look": "10m", "policies": {"retrain": policy},
            "sidecar": {"url": f"http://{client.address}"},
            "export": {"data": str(made.data), "directory": str(tmp_path / "exports")},
        }  # fmt: skip
        config = made.write("trigger.yaml", trigger=settings, **trees)
        assert client.post("/v1/predictions", lines(records("1", 0, 400, skill=0.6)), NDJSON)[0] == 200
        with triggering(tmp_path, config) as (_, trigger):
            began = time.time()
            deliver(trigger, began)
            refused = until(trigger, "refused")
            assert [r["guard"] for r in refused["refusals"]] == ["labels_few"]
            time.sleep(2.1)  # the label delay, and the rest of a pane
            assert client.post("/v1/predictions", lines(records("1", 400, 400, skill=0.6)), NDJSON)[0] == 200
            finished = poll(
                lambda: again(trigger, began, "finished"),
                "the run did not start",
                made.folder / "trigger.log",
            )
            assert (finished["old_version"], finished["known_versions"]) == ("1", ["1"])
            assert finished["old_quality"]["name"] == "roc_auc"
            rows = list(csv.DictReader((tmp_path / "learned.csv").read_text().splitlines()))
            assert {row["model_version"] for row in rows} == {"1"}
            assert len(rows) == 800
            assert client.post("/v1/predictions", lines(records("2", 0, 500, skill=0.95)), NDJSON)[0] == 200
            judged = poll(
                lambda: next((d for d in decisions(trigger) if d["verdict"]), None),
                "the run was not judged", made.folder / "trigger.log",
            )  # fmt: skip
            assert (judged["new_version"], judged["verdict"]) == ("2", "improved")
            assert judged["comparison"]["basis"] == "same_window"
            assert judged["comparison"]["low"] > 0.1


def deliver(client, began):
    starts_at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began)) + f"{began % 1:.6f}"[1:] + "Z"
    alert = {
        "status": "firing", "labels": {"alertname": "ModelDrift", "model": "churn"}, "annotations": {},
        "startsAt": starts_at, "fingerprint": "f",
    }  # fmt: skip
    # Where it isn't committed within a second the answer is 503, and Alertmanager sends again.
    delivery = {"version": "4", "alerts": [alert]}
    poll(lambda: client.post("/v1/alerts", delivery)[0] == 200, "the alerts are not taken")


def again(client, began, state):
    """Deliver once more, as Alertmanager does each repeat_interval; the decision if it came to *state*."""
    deliver(client, began)
    time.sleep(0.2)
    found = decisions(client)[0]
    return found if found["state"] == state else None


def test_what_can_not_be_used_is_told_in_one_line(tmp_path):
    """Exit 2 for a configuration, 1 for a directory that another trigger holds."""
    bad = Household(tmp_path).write("bad.yaml", trigger={"policies": {"p": {"alerts": ["A"], "matured_labels": 0,
                                                                      "command": {"arguments": ["x", "$unknown"]}}}})  # fmt: skip
    done = subprocess.run(
        [*TRIGGER, "-c", str(bad)], capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert done.returncode == 2
    assert "trigger.policies.p.command.arguments[1]: expected one of decision, run, model" in done.stderr
    none = Household(tmp_path).write("none.yaml")
    done = subprocess.run(
        [*TRIGGER, "-c", str(none)], capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    policy = {"alerts": ["A"], "matured_labels": 0, "command": {"arguments": ["true"]}}
    good = Household(tmp_path).write("good.yaml", trigger={"directory": "d", "policies": {"p": policy}})
    with triggering(tmp_path, good):
        done = subprocess.run(
            [*TRIGGER, "-c", str(good)], capture_output=True, text=True, check=False, timeout=DEADLINE
        )
        assert done.returncode == 1
        assert "expected no other writer" in done.stderr
