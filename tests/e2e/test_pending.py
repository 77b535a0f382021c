"""The pending limit binds: a sample of ids by their hash is kept over the whole horizon, and told."""

import random

import pytest
from tests.e2e.harness import poll, samples, total, value

pytestmark = pytest.mark.e2e

COUNT = 40_000
BATCH = 2_000
BEGIN = 1_700_000_000.0
LIMIT = 512 * 1024
VERSION = {"model": "m", "model_version": "1"}


def test_a_sample_of_ids_over_the_whole_horizon_is_kept(started, nursery):
    model = {"task": "binary", "clock": "records", "windows": ["7d"], "outcomes": {"horizon": "30d"}}
    process = started(
        models={"m": model},
        store={"pending": "512KiB", "checkpoint": "500ms"},
        order={"upkeep_seconds": 0.02},
    )
    client = process.http
    draw = random.Random(1)
    # three days; right in 70 of 100 cases
    records = [
        {
            **VERSION,
            "prediction_id": f"id-{n}",
            "timestamp": BEGIN + n * 6.0,
            "score": round(draw.random(), 3),
        }
        for n in range(COUNT)
    ]
    right = [draw.random() < 0.7 for _ in records]
    for first in range(0, COUNT, BATCH):
        status, _, answer = client.post("/v1/predictions", records[first : first + BATCH])
        assert (status, answer["accepted"]) == (200, BATCH), answer

    def bound(client):
        found = samples(client.text("/metrics"))
        return found if 0 < value(found, "store_pending_bytes") <= LIMIT else None

    found = poll(lambda: bound(client), "the pending limit was not kept", process.log)
    found = poll(lambda: sampled(client), "no ratio below 1", process.log)
    ratio = value(found, "pending_sample_ratio", **VERSION)
    held = value(found, "pending_predictions", **VERSION)
    print(
        f"\n1 id in {1 / ratio:.0f} kept: {held:.0f} of {COUNT}, {value(found, 'store_pending_bytes'):.0f} bytes"
    )
    assert ratio in {0.5, 0.25, 0.125}
    # all predictions count in the window all the same
    assert value(found, "window_samples", cohort="predicted", window="7d", **VERSION) == COUNT

    joined = []
    outcomes = [
        {
            "model": "m",
            "prediction_id": record["prediction_id"],
            "timestamp": record["timestamp"] + 3600.0,
            "outcome": int((record["score"] >= 0.5) == right[n]),
        }
        for n, record in enumerate(records)
    ]
    for first in range(0, COUNT, COUNT // 4):
        before = total(samples(client.text("/metrics")), "outcomes_joined_total")
        for at in range(first, first + COUNT // 4, BATCH):
            status, _, answer = client.post("/v1/outcomes", outcomes[at : at + BATCH])
            assert (status, answer["accepted"]) == (200, BATCH), answer
        joined.append(total(samples(client.text("/metrics")), "outcomes_joined_total") - before)
    print(f"joined, oldest quarter to newest: {joined}")
    # outcomes take room too, so later quarters may be sampled once more; never is the oldest lost
    assert joined[0] > 0.6 * ratio * COUNT / 4
    assert sum(joined) > 0.1 * ratio * COUNT
    poll(lambda: bound(client), "the pending limit was not kept", process.log)

    found = poll(lambda: evaluated(client, sum(joined)), "not evaluated", process.log)
    labels = {"cohort": "arrived", "window": "7d", "segment": "", "segment_value": ""}
    accuracy = value(found, "accuracy_ratio", **labels, **VERSION)
    true = sum(right) / COUNT
    error = (true * (1 - true) / sum(joined)) ** 0.5
    print(f"accuracy {accuracy:.4f} of the sample, {true:.4f} of all, standard error {error:.4f}")
    assert abs(accuracy - true) < 4 * error

    process.kill()
    again = nursery.start(process.config)
    client = again.http
    after = poll(lambda: evaluated(client, sum(joined)), "not restored", again.log)
    for name in ("pending_sample_ratio", "pending_predictions"):
        assert value(after, name, **VERSION) == value(sampled(client), name, **VERSION)
    assert value(after, "pending_sample_ratio", **VERSION) < 1.0
    again.kill()


def sampled(client):
    found = samples(client.text("/metrics"))
    whole = value(found, "window_samples", cohort="predicted", window="7d", **VERSION) == COUNT
    return found if whole and 0 < value(found, "pending_sample_ratio", **VERSION) < 1.0 else None


def evaluated(client, outcomes):
    found = samples(client.text("/metrics"))
    return (
        found
        if value(found, "window_samples", cohort="arrived", window="7d", **VERSION) == outcomes
        else None
    )
