"""Three replicas of different traffic, one restarted and one killed: the rules give the pooled data's numbers.

A fourth sidecar gets every record that was sent to any of them: its numbers are what the fleet's must be.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time

import pytest
from tests.e2e.harness import free_port, poll, total
from tests.e2e.processes import NDJSON, Household, lines
from tests.e2e.prometheus import prometheus

from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_rules

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# A day is a minute: the chain's step and hour are 4 s, so four scrapes, and "7d" holds all of the test.
SCALE = TimeScale(1440, scrape_seconds=2)
PODS = ("a", "b", "c")
# Per pod: mean age, share of the plan, level of the score, records in each of three rounds.
TRAFFIC = {"a": (40, 0.5, 0.3, 3000), "b": (55, 0.9, 0.7, 1500), "c": (38, 0.1, 0.5, 900)}
LOST = 40
QUALITY = {"model": "churn", "class": "", "segment": "", "segment_value": "", "cohort": "arrived"}


def records(pod, number, count, draw):
    """Predictions with their outcomes, of a classifier and of a regression."""
    age, plan, level, _ = TRAFFIC[pod]
    for each in range(number, number + count):
        score = min(0.999, max(0.001, draw.gauss(level, 0.15)))
        said = {"prediction_id": f"{pod}{each}", "model_version": "1"}
        yield {
            **said,
            "model": "churn",
            "score": score,
            "outcome": int(draw.random() < score),
            "features": {"age": draw.gauss(age, 8), "plan": "pro" if draw.random() < plan else "basic"},
        }
        demand = draw.gauss(200 + 100 * level, 40)
        yield {
            **said,
            "model": "demand",
            "prediction": demand + draw.gauss(5, 15),
            "outcome": demand,
            "features": {"age": draw.gauss(age, 8)},
        }


def profiled(folder, name, header, rows, *flags):
    table, target = folder / f"{name}.csv", folder / f"{name}.reference.json"
    table.write_text("\n".join((header, *rows)) + "\n")
    command = (sys.executable, "-m", "driftgauge", "profile", str(table), *flags, "--no-progress", "-o")
    subprocess.run((*command, str(target)), check=True, capture_output=True, timeout=240)
    return str(target)


class Replica:
    """A sidecar that can be restarted on its own volume and port."""

    def __init__(self, folder, models):
        folder.mkdir()
        self.home = Household(folder)
        self.config = self.home.write(models=models, evaluate="500ms")
        self.door = f"127.0.0.1:{free_port()}"
        self.start()

    def start(self):
        self.counted = 0
        self.process = self.home.serve(config=self.config, metrics=self.door)
        # Four at once, beside a Prometheus: a start may take long.
        poll(lambda: "intake: listening on" in self.process.text, "no door opens", self.process.log)
        self.process.wait_ready()

    def take(self, body, count):
        status, _, answer = self.process.http().post("/v1/predictions", body, NDJSON)
        assert (status, answer["accepted"]) == (200, 2 * count), answer
        self.counted += count

    def exported(self):
        """Records of one feature since the process started, by its exposition."""
        return total(self.process.samples(), "feature_bin_records_total", model="churn", feature="age")

    def evaluated(self):
        poll(lambda: self.exported() == self.counted, "not all is evaluated", self.process.log)


class Fleet:
    """Three replicas, a fourth for all of their records, and the Prometheus that scrapes the three."""

    def __init__(self, top, models):
        self.pods = {name: Replica(top / name, models) for name in PODS}
        self.pooled = Replica(top / "pooled", models)
        self.draw = random.Random(5)
        self.sent = dict.fromkeys(PODS, 0)
        self.prometheus = None

    def send(self, pod, count):
        body = lines(records(pod, self.sent[pod], count, self.draw))
        self.sent[pod] += count
        self.pods[pod].take(body, count)
        self.pooled.take(body, count)

    def scraped(self, pod):
        """Until Prometheus has all that the pod has counted."""
        replica = self.pods[pod]
        replica.evaluated()
        mine = f'sum(driftgauge_feature_bin_records_total{{pod="{pod}",model="churn",feature="age"}})'
        self.prometheus.wait(f"{mine} == {replica.counted}")

    def round(self, *pods):
        for pod in pods:
            self.send(pod, TRAFFIC[pod][3])
        for pod in pods:
            self.scraped(pod)

    def live(self):
        """What happens to the three."""
        for pod in PODS:
            self.send(pod, 1)
            self.scraped(pod)
        self.round(*PODS)
        # Of the step in which a young counter begins anew what came before is lost: a third of b's records
        # would be a step's here, where all of a day is a minute.
        self.settle()
        # b is restarted: what it counts before its first scrape is lost.
        self.pods["b"].process.stop()
        self.pods["b"].start()
        self.send("b", LOST)
        self.scraped("b")
        self.settle()
        self.round(*PODS)
        # c dies: what came since its last scrape is lost, what came before stays.
        self.send("c", LOST)
        self.pods["c"].process.process.kill()
        self.round("a", "b")
        self.pooled.evaluated()
        self.settle()

    def settle(self):
        """Until three steps in a row have added nothing, and what is made from them is evaluated."""
        step = SCALE.step.milliseconds / 1000
        time.sleep(2 * step)
        quiet = f"sum(sum_over_time(feature_bin:driftgauge_feature_bin_records:increase5m[{SCALE.step * 3}])) == 0"
        self.prometheus.wait(quiet)
        time.sleep(2 * step)

    def close(self):
        for replica in (*self.pods.values(), self.pooled):
            replica.home.close()

    def fleet(self, record, **labels):
        """A recorded number over all of the test."""
        asked = ",".join(f'{k}="{v}"' for k, v in {"window": "7d", **labels}.items())
        [(_, found)] = self.prometheus.vector(f"{record}{{{asked}}}")
        return found

    def of_pool(self, name, **labels):
        """What the sidecar that saw everything exports."""
        found = self.pooled.process.samples()
        return found[f"driftgauge_{name}", tuple(sorted({"model_version": "1", **labels}.items()))]

    def average(self, name, **labels):
        """What the pods that are left say on average."""
        asked = ",".join(f'{k}="{v}"' for k, v in labels.items())
        return statistics.mean(v for _, v in self.prometheus.vector(f"driftgauge_{name}{{{asked}}}"))


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder, draw = tmp_path_factory.mktemp("references"), random.Random(4)
    churn = (
        f"{draw.gauss(42, 9)},{draw.choice(('basic', 'pro'))},{draw.betavariate(2, 3)}" for _ in range(4000)
    )
    demand = (f"{draw.gauss(42, 9)},{draw.gauss(240, 50)}" for _ in range(4000))
    return {
        "churn": profiled(folder, "churn", "age,plan,score", churn, "--score", "score", "--task", "binary"),
        "demand": profiled(
            folder, "demand", "age,prediction", demand, "--prediction", "prediction", "--task", "regression"
        ),
    }


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, references, require_tool):
    top, program = tmp_path_factory.mktemp("fleet"), require_tool("prometheus")
    models = {
        name: {"windows": ["1d"], "reference": references[name], "outcomes": {"matures_after": "1m"}, **more}
        for name, more in (
            ("churn", {"task": "binary", "positive_class": "1"}),
            ("demand", {"task": "regression"}),
        )
    }
    rules = top / "rules.yml"
    rules.write_text(prometheus_text(shipped_rules(SCALE)))
    made = Fleet(top, models)
    try:
        doors = {name: replica.door for name, replica in made.pods.items()}
        with prometheus(top, program, doors, [rules]) as scraper:
            made.prometheus = scraper
            made.live()
            yield made
    finally:
        made.close()


def test_counts_are_within_two_percent_of_the_pooled(fleet):
    counted = fleet.fleet("feature:driftgauge_feature_records:window", model="churn", feature="age")
    sent = sum(fleet.sent.values())
    assert sent * 0.98 <= counted <= sent
    for name in ("version:driftgauge_predictions:fleet", "version:driftgauge_outcomes_joined:fleet"):
        assert fleet.fleet(name, model="churn") == pytest.approx(sent, rel=0.02)
    assert fleet.fleet("version:driftgauge_outcome_coverage:fleet_ratio", model="demand") == pytest.approx(1)


def test_every_coarse_bin_is_within_two_percent_of_all(fleet):
    pooled = {
        dict(labels)["bin"]: value
        for (name, labels), value in fleet.pooled.process.samples().items()
        if name == "driftgauge_feature_bin_records_total"
        and {("model", "churn"), ("feature", "age")} <= set(labels)
    }
    asked = 'feature_bin:driftgauge_feature_bin_records:window{window="7d",model="churn",feature="age"}'
    found = {labels["bin"]: value for labels, value in fleet.prometheus.vector(asked)}
    assert found.keys() == pooled.keys()
    assert found == pytest.approx(pooled, abs=0.02 * sum(fleet.sent.values()))


@pytest.mark.parametrize(
    ("level", "kind", "labels"),
    [
        ("feature", "feature", {"model": "churn", "feature": "age"}),
        ("feature", "feature", {"model": "churn", "feature": "plan"}),
        ("feature", "feature", {"model": "demand", "feature": "age"}),
        ("output", "prediction", {"model": "churn", "output": "score"}),
        ("output", "prediction", {"model": "demand", "output": "prediction"}),
    ],
)
def test_psi_is_that_of_the_pooled_records(fleet, level, kind, labels):
    pooled = fleet.of_pool(f"{kind}_psi", window="1d", **labels)
    assert fleet.fleet(f"{level}:driftgauge_{kind}_psi:fleet", **labels) == pytest.approx(pooled, abs=0.005)


def test_the_average_of_the_pods_is_not(fleet):
    labels = {"model": "churn", "feature": "age"}
    pooled = fleet.of_pool("feature_psi", window="1d", **labels)
    assert abs(fleet.average("feature_psi", **labels) - pooled) > 0.05
    area = fleet.of_pool("roc_auc_ratio", window="1d", **QUALITY)
    assert abs(fleet.average("roc_auc_ratio", **QUALITY) - area) > 0.05


@pytest.mark.parametrize(
    ("record", "name", "tolerance"),
    [
        ("class:driftgauge_precision:fleet_ratio", "precision_ratio", 0.005),
        ("class:driftgauge_recall:fleet_ratio", "recall_ratio", 0.005),
        ("class:driftgauge_f1:fleet_ratio", "f1_ratio", 0.005),
    ],
)
def test_quality_of_the_positive_class_is_that_of_the_pooled_records(fleet, record, name, tolerance):
    pooled = fleet.of_pool(name, window="1d", **QUALITY)
    found = fleet.fleet(record, model="churn", **{"class": "1"})
    assert found == pytest.approx(pooled, abs=tolerance)


def coarse_area(found):
    """ROC AUC and its half-width from a sidecar's coarse score bins, pair by pair."""
    counts = {
        (int(dict(labels)["outcome"]), int(dict(labels)["bin"])): value
        for (name, labels), value in found.items()
        if name == "driftgauge_score_outcomes_total"
    }
    bins = range(1 + max(place for _, place in counts))
    pairs = sum(counts[1, i] for i in bins) * sum(counts[0, i] for i in bins)
    ahead = sum(counts[1, i] * counts[0, j] for i in bins for j in bins if j < i)
    shared = sum(counts[1, i] * counts[0, i] for i in bins)
    return (ahead + shared / 2) / pairs, shared / 2 / pairs


def test_roc_auc_is_that_of_the_same_bins_of_the_pooled_records(fleet):
    area, half_width = coarse_area(fleet.pooled.process.samples())
    found = fleet.fleet("class:driftgauge_roc_auc:fleet_ratio", model="churn", **{"class": "1"})
    assert found == pytest.approx(area, abs=0.005)
    assert half_width < 0.03
    assert found == pytest.approx(fleet.of_pool("roc_auc_ratio", window="1d", **QUALITY), abs=half_width)


@pytest.mark.parametrize(
    ("model", "name", "metric", "relative"),
    [
        ("churn", "accuracy:fleet_ratio", "accuracy_ratio", 0.01),
        ("demand", "rmse:fleet", "rmse", 0.01),
        ("demand", "mae:fleet", "mae", 0.01),
        ("demand", "bias:fleet", "bias", 0.05),
        ("demand", "r2:fleet", "r2", 0.01),
    ],
)
def test_quality_is_that_of_the_pooled_records(fleet, model, name, metric, relative):
    labels = {"model": model, "segment": "", "segment_value": "", "cohort": "arrived"}
    pooled = fleet.of_pool(metric, window="1d", **labels)
    assert fleet.fleet(f"version:driftgauge_{name}", model=model) == pytest.approx(pooled, rel=relative)


def test_the_mean_is_that_of_the_pooled_records(fleet):
    labels = {"model": "churn", "feature": "age"}
    pooled = fleet.of_pool("feature_mean_shift_sd", window="1d", **labels)
    assert fleet.fleet("feature:driftgauge_feature_mean_shift_sd:fleet", **labels) == pytest.approx(
        pooled, abs=0.01
    )


def test_no_recorded_series_knows_a_pod(fleet):
    found = {
        labels["__name__"]
        for labels in fleet.prometheus.api("series", **{"match[]": '{__name__=~".+:.+",pod!=""}'})
    }
    assert found == set()
    assert len(fleet.prometheus.api("series", **{"match[]": '{__name__=~".+:.+"}'})) > 500


def test_every_rule_is_healthy(fleet):
    groups = fleet.prometheus.api("rules")["groups"]
    assert [r["name"] for g in groups for r in g["rules"] if r["health"] != "ok"] == []
