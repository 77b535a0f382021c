"""Three replicas of a model, and outcomes that reach another pod than their predictions did.

The configurations are those of the charts' examples. Truth is counted here, record by record.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from tests import charts
from tests.e2e.harness import Http, poll, samples, total

PODS = 3
RECORDS = 240
TOKEN = {"Authorization": "Bearer secret"}
LOOPBACK = "127.0.0.1:0"


def example(chart, case):
    """The configuration that a chart's example puts into its pods."""
    [values] = [
        each.given() for each in charts.cases() if (each.chart.name, each.rendered.stem) == (chart, case)
    ]
    return (values.get("driftgauge-sidecar") or values)["config"]


def scored(seed):
    """Predictions of a churn model, and each one's outcome."""
    draw = random.Random(seed)
    for number in range(RECORDS):
        score = round(draw.random(), 3)
        said = {"prediction_id": f"p{number}", "model": "churn", "model_version": "1", "score": score}
        yield said, "churned" if draw.random() < score else "retained"


def truth(pairs):
    """Outcomes and right predictions by class, and the accuracy."""
    outcomes, right = Counter(), Counter()
    for prediction, outcome in pairs:
        label = str(int(outcome == "churned"))
        outcomes[label] += 1
        right[label] += (prediction["score"] >= 0.5) == (outcome == "churned")
    return outcomes, right, right.total() / outcomes.total()


class Fleet:
    """Processes of one configuration, each with a folder of its own."""

    def __init__(self, nursery, configured, folder, config, count):
        token = folder / "token"
        token.write_text("secret\n")
        self.nursery = nursery
        self.files = [
            configured(
                f"pod{number}.yaml",
                **{**config, "outside": {"listen": LOOPBACK, "token_file": str(token)}},
                store={"directory": str(folder / f"data{number}")},
            )
            for number in range(count)
        ]
        self.pods = [nursery.start(file) for file in self.files]
        for pod in self.pods:
            pod.wait_ready()

    def restart(self, number):
        """kill -9, and the same pod on the same volume."""
        self.pods[number].kill()
        self.pods[number] = self.nursery.start(self.files[number])
        self.pods[number].wait_ready()

    def predict(self, number, records):
        post(self.pods[number].addresses["intake"], "/v1/predictions", records)

    def tell(self, number, records):
        """Outcomes, by the door for senders outside of the pod."""
        post(self.pods[number].addresses["outside"], "/v1/outcomes", records, TOKEN)

    def found(self):
        return [samples(Http(pod.addresses["observation"]).text("/metrics")) for pod in self.pods]

    def pooled(self, name, **labels):
        """A counter's sum over the pods, which is what the rules make of it."""
        return sum(total(found, name, model="churn", **labels) for found in self.found())

    def classes(self, name):
        counts = Counter()
        for found in self.found():
            for (sample, labels), value in found.items():
                if sample == f"driftgauge_{name}":
                    counts[dict(labels)["class"]] += int(value)
        return counts

    def close(self):
        for pod in self.pods:
            if pod.code is None:
                pod.kill()


def post(address, path, records, headers=None):
    status, _, answer = Http(address).post(path, records, headers)
    assert status == 200, answer
    assert answer["accepted"] + answer["duplicates"] == len(records), answer


@pytest.fixture
def fleet(nursery, configured, tmp_path):
    made = []

    def start(config, count=PODS):
        made.append(Fleet(nursery, configured, tmp_path, config, count))
        return made[-1]

    yield start
    for each in made:
        each.close()


def has_the_truth(fleet, pairs):
    """The pooled counters come to what was sent, joined exactly once."""
    outcomes, right, accuracy = truth(pairs)
    poll(lambda: fleet.classes("class_outcomes_total").total() == len(pairs), "not all is evaluated")
    assert fleet.classes("class_outcomes_total") == outcomes
    assert fleet.classes("class_right_total") == right
    assert fleet.pooled("outcomes_joined_total") == len(pairs)
    assert fleet.pooled("predictions_total") == len(pairs)
    found = fleet.classes("class_right_total").total() / fleet.classes("class_outcomes_total").total()
    assert found == pytest.approx(accuracy)


def spread(pairs):
    """The records of each pod, in turns."""
    return [pairs[number::PODS] for number in range(PODS)]


def test_an_outcome_that_carries_what_it_needs_may_reach_any_pod(fleet):
    pods, pairs = fleet(example("model-server", "outcomes-carry")), list(scored(1))
    for number, share in enumerate(spread(pairs)):
        pods.predict(number, [prediction for prediction, _ in share])
    for number, share in enumerate(spread(pairs)):
        carried = [{**prediction, "outcome": outcome} for prediction, outcome in share]
        pods.tell((number + 1) % PODS, carried)
    has_the_truth(pods, pairs)
    assert pods.pooled("outcomes_orphaned_total") == 0
    assert pods.pooled("outcomes_waiting") == 0


def test_outcomes_sent_to_every_pod_are_joined_once_and_accuse_nobody(fleet):
    pods, pairs = fleet(example("model-server", "outcomes-to-all")), list(scored(2))
    for number, share in enumerate(spread(pairs)):
        pods.predict(number, [prediction for prediction, _ in share])
    told = [{"prediction_id": p["prediction_id"], "model": "churn", "outcome": o} for p, o in pairs]
    for number in range(PODS):
        pods.tell(number, told)
    has_the_truth(pods, pairs)
    assert pods.pooled("outcomes_total") == RECORDS
    assert pods.pooled("outcomes_elsewhere_total") == (PODS - 1) * RECORDS
    assert pods.pooled("outcomes_orphaned_total") == 0
    # What another pod knows is not kept: nothing waits for a prediction that never comes.
    assert pods.pooled("outcomes_waiting") == 0
    for found in pods.found():
        assert total(found, "outcome_coverage_ratio", model="churn", window="1h", cohort="predicted") in {
            0,
            1,
        }
    # Sent again, as a sender does that had no answer: each is known where it was joined.
    pods.tell(0, told[:PODS])
    assert pods.pooled("outcomes_joined_total") == RECORDS


def test_one_receiver_loses_nothing_when_it_is_killed_between_records_and_outcomes(fleet):
    receiver, pairs = fleet(example("driftgauge", "one-receiver"), count=1), list(scored(3))
    told = [{"prediction_id": p["prediction_id"], "model": "churn", "outcome": o} for p, o in pairs]
    shares = spread(pairs)
    for share in shares:
        receiver.predict(0, [prediction for prediction, _ in share])
        receiver.restart(0)
    receiver.tell(0, told[: RECORDS // 2])
    receiver.restart(0)
    receiver.tell(0, told[RECORDS // 2 :])
    receiver.restart(0)
    outcomes, right, accuracy = truth(pairs)
    labels = {"model": "churn", "model_version": "1", "window": "1h", "cohort": "arrived"}
    window = poll(lambda: whole(receiver, labels), "not all is evaluated")
    assert total(window, "accuracy_ratio", **labels, segment="") == pytest.approx(accuracy)
    assert total(window, "window_samples", **{**labels, "cohort": "predicted"}) == RECORDS
    assert (outcomes.total(), right.total()) == (RECORDS, round(accuracy * RECORDS))
    status, _, answer = Http(receiver.pods[0].addresses["outside"]).post("/v1/outcomes", told[:1])
    assert status == 401, answer


def whole(receiver, labels):
    [found] = receiver.found()
    return found if total(found, "window_samples", **labels) == RECORDS else None
