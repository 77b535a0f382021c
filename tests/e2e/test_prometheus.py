"""A real Prometheus scrapes a real driftgauge and answers; promtool finds nothing to say."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.e2e.harness import DEADLINE, free_port, poll, samples, value
from tests.e2e.processes import NDJSON, household, lines
from tests.e2e.prometheus import prometheus as started

from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_rules

pytestmark = pytest.mark.e2e

RULES = "prometheus/driftgauge.rules.yml"
COUNT = 600


def record(number, draw, *, age):
    """The outcome follows the score for the plan `basic`, and never does for `pro`."""
    plan = ("basic", "pro")[number % 2]
    score = draw.random()
    return {
        "model": "churn",
        "model_version": "1",
        "prediction_id": f"p{number}",
        "score": score,
        "latency_seconds": 0.004,
        "trace_id": f"{number:032x}",
        "outcome": int(score >= 0.5) if plan == "basic" else int(number % 4 == 1),
        "features": {"age": age, "income": draw.gauss(50_000, 9_000)},
        "segments": {"plan": plan},
    }


def sent():
    """Ages lie 30 years above the training data's, incomes where they did."""
    draw = random.Random(7)
    return [record(number, draw, age=draw.gauss(70, 6)) for number in range(COUNT)]


def precision(records, plan):
    """Of those scored as positive, the share that was, counted one by one."""
    said = [r["outcome"] for r in records if r["segments"]["plan"] == plan and r["score"] >= 0.5]
    return sum(said) / len(said)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with household(tmp_path_factory.mktemp("prometheus")) as found:
        yield found


@pytest.fixture(scope="module")
def reference(made):
    draw = random.Random(8)
    rows = [f"{draw.gauss(40, 6)},{draw.gauss(50_000, 9_000)},{draw.random()}" for _ in range(2_000)]
    table, target = made.folder / "train.csv", made.folder / "churn.reference.json"
    table.write_text("\n".join(("age,income,score", *rows)) + "\n")
    flags = ("--score", "score", "--task", "binary", "--no-progress", "-o", str(target))
    command = (sys.executable, "-m", "driftgauge", "profile", str(table), *flags)
    subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
    return target


@pytest.fixture(scope="module")
def serving(made, reference):
    """With records in it, on the address that Prometheus will scrape."""
    churn = {
        "task": "binary",
        "positive_class": "1",
        "windows": ["1h", "1d"],
        "segments": ["plan"],
        "reference": str(reference),
        "outcomes": {"matures_after": "1m"},
    }
    config = made.write(models={"churn": churn}, metrics=["distances", "segments"])
    found = made.serve(config=config, metrics=f"127.0.0.1:{free_port()}").wait_ready()
    status, _, answer = found.http().post("/v1/predictions", lines(sent()), NDJSON)
    assert (status, answer["accepted"]) == (200, COUNT)
    found.predicted(COUNT)
    return found


@pytest.fixture(scope="module")
def prometheus(made, serving, repository, require_tool):
    # The shipped file as it is, and once more hurried: its groups run each minute, which is too long to wait.
    shipped = repository / RULES
    hurried = made.folder / "hurried.rules.yml"
    hurried.write_text(prometheus_text(shipped_rules(TimeScale(30_000, scrape_seconds=1))))
    targets = {"": serving.address("observation")}
    with started(made.folder, require_tool("prometheus"), targets, (shipped, hurried)) as found:
        yield found


def test_the_target_is_up(prometheus):
    poll(lambda: prometheus.query('up{job="driftgauge"}')[0] == 1, "never up", prometheus.log)
    (target,) = prometheus.api("targets", state="active")["activeTargets"]
    assert target["lastError"] == ""


def test_counts_come_through(prometheus):
    assert prometheus.query("driftgauge_predictions_total")[0] == COUNT
    assert prometheus.query("driftgauge_prediction_latency_seconds_count")[0] == COUNT
    assert prometheus.query('driftgauge_window_samples{window="1d",cohort="predicted"}')[0] == COUNT


# What Prometheus 3 asks for unless it is told otherwise; 2.42 asks for the same but protobuf and escaping.
ASKED = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


def test_every_sample_is_taken_as_prometheus_asks_for_it(prometheus, serving):
    def exposed():
        status, headers, body = serving.http("observation").get("/metrics", Accept=ASKED)
        assert (status, headers["Content-Type"].split(";")[0]) == (200, "application/openmetrics-text")
        return sum(not line.startswith("#") for line in body.decode().splitlines())

    poll(
        lambda: prometheus.query("scrape_samples_scraped")[0] == exposed(),
        "Prometheus reads another number of samples",
        prometheus.log,
    )
    assert (
        prometheus.query("scrape_samples_post_metric_relabeling")[0]
        == prometheus.query("scrape_samples_scraped")[0]
    )
    assert not re.findall(r"(?im)^.*level=(?:warn|error).*scrape.*$", prometheus.log.read_text())


def test_drift_comes_through_with_its_labels(prometheus):
    moved, labels = prometheus.query('driftgauge_feature_psi{feature="age",window="1h"}')
    assert moved > 1
    assert (labels["model"], labels["model_version"]) == ("churn", "1")
    assert prometheus.query('driftgauge_feature_psi{feature="income",window="1h"}')[0] < 0.1
    assert prometheus.query('driftgauge_reference_state{state="given"}')[0] == 1


@pytest.mark.parametrize("plan", ["basic", "pro"])
def test_precision_of_a_segment_comes_through(prometheus, plan):
    expression = (
        f'driftgauge_precision_ratio{{segment="plan",segment_value="{plan}",window="1h",cohort="arrived"}}'
    )
    found, labels = prometheus.query(expression)
    assert found == pytest.approx(precision(sent(), plan), abs=1e-12)
    assert "class" not in labels  # it is that of the positive class


def test_the_shipped_rules_load_and_are_healthy(prometheus):
    def rules(file):
        groups = prometheus.api("rules")["groups"]
        return [rule for group in groups if group["file"].endswith(file) for rule in group["rules"]]

    assert rules(RULES)
    assert len(rules("hurried.rules.yml")) == len(rules(RULES))
    poll(
        lambda: all(rule["health"] == "ok" for rule in rules("hurried.rules.yml")),
        "not all rules are healthy",
        prometheus.log,
    )
    assert not [rule for rule in rules(RULES) if rule["health"] == "err"]


def test_recorded_series_have_the_labels_that_are_told(prometheus):
    for name in ("window:driftgauge_precision_low_ratio:mean", "feature:driftgauge_feature_records:window"):
        poll(lambda name=name: prometheus.api("query", query=name)["result"], f"no {name}", prometheus.log)
    told = {rule.record: {"__name__", "job", *rule.remaining} for rule in shipped_rules().recordings()}
    found = {}
    for name in told:
        for sample in prometheus.api("query", query=name)["result"]:
            found.setdefault(name, set()).update(sample["metric"])
    assert {name: labels - told[name] for name, labels in found.items() if labels - told[name]} == {}
    assert len(found) > 60, sorted(found)


def test_promtool_finds_nothing_with_all_families(serving, require_tool):
    text = serving.http("observation").text("/metrics")
    assert "driftgauge_feature_wasserstein_sd{" in text
    check_metrics(require_tool("promtool"), text)


def test_promtool_finds_nothing_by_default(made, require_tool):
    promtool = require_tool("promtool")
    config = made.write("default.yaml")
    made.data = made.folder / "default"
    found = made.serve(config=config).wait_ready()
    check_metrics(promtool, found.http().text("/metrics"))  # before the first record
    status, _, _ = found.http().post("/v1/predictions", lines(sent()), NDJSON)
    assert status == 200
    found.predicted(COUNT)
    text = found.http().text("/metrics")
    assert "driftgauge_feature_wasserstein_sd{" not in text
    check_metrics(promtool, text)


def check_metrics(promtool, text):
    found = subprocess.run(
        [promtool, "check", "metrics"],
        check=False,
        input=text,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_openmetrics_for_those_who_ask(serving):
    client = serving.http("observation")
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    status, headers, body = client.get("/metrics", Accept=accept)
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    text = body.decode()
    assert text.endswith("# EOF\n")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    latency = families["driftgauge_prediction_latency_seconds"]
    assert any(sample.exemplar for sample in latency.samples)
    _, plain, body = client.get("/metrics")
    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    counted = samples(body.decode())
    assert value(counted, "predictions_total", model="churn", model_version="1") == COUNT
