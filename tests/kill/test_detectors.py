"""kill -9 between and in the middle of batches: detectors find what they find in one undisturbed run."""

import numpy as np
import pytest
from tests.e2e.harness import Http, poll, samples, value

from driftgauge.stats.detectors import DETECTORS

pytestmark = [pytest.mark.kill, pytest.mark.slow]

BEGIN = 1_750_000_000.0
N, BATCH = 3_000, 50
KILLS = {7: "after", 19: "within", 30: "after", 38: "within", 51: "after"}


def stream():
    """Records whose error rate triples in the middle: whether each is wrong."""
    return np.random.default_rng(9).random(N) < np.where(np.arange(N) < N // 2, 0.1, 0.4)


def bodies(wrong, first):
    numbers = range(first, first + BATCH)
    made = [
        {"model": "m", "prediction_id": f"p{i}", "timestamp": BEGIN + i, "prediction": i % 2} for i in numbers
    ]
    told = [
        {
            "model": "m",
            "prediction_id": f"p{i}",
            "timestamp": BEGIN + i + 0.5,
            "outcome": int(i % 2 != wrong[i]),
        }
        for i in numbers
    ]
    return ("/v1/predictions", made), ("/v1/outcomes", told)


def acknowledged(process, path, records):
    status, _, answer = Http(process.addresses["intake"]).post(path, records)
    assert status == 200, answer
    assert answer["accepted"] + answer["duplicates"] == len(records)


def sent_into_death(process, path, records):
    """A batch to a process that dies about when it commits; nobody waits for the answer."""
    client = Http(process.addresses["intake"], timeout=0.02)
    with pytest.raises((OSError, AssertionError)):  # noqa: PT012  # either the answer or the process is gone
        client.post(path, records)
        process.kill()
        raise OSError


def test_what_detectors_found_survives_every_kill(nursery, configured):
    config = configured(
        models={"m": {"task": "binary", "clock": "records", "windows": ["1h"], "detectors": list(DETECTORS)}},
        store={"checkpoint": "1s"},
    )
    wrong = stream()
    process = nursery.start(config)
    process.wait_ready()
    for number, first in enumerate(range(0, N, BATCH)):
        given, told = bodies(wrong, first)
        acknowledged(process, *given)
        if KILLS.get(number) == "within":
            sent_into_death(process, *told)
        else:
            acknowledged(process, *told)
        if number in KILLS:
            if process.code is None:
                process.kill()
            process = nursery.start(config)
            process.wait_ready()
            acknowledged(process, *told)
    client = Http(process.addresses["observation"])

    def shown(name, detector):
        labels = {"model": "m", "model_version": "", "detector": detector}
        return value(samples(client.text("/metrics")), name, **labels)

    for name, make in DETECTORS.items():
        places = make().update(wrong.astype(float)).detections
        poll(lambda n=name, p=places: shown("detector_detections", n) == len(p), f"{name}: not {places}")
        if places:
            assert shown("detector_last_detection_timestamp_seconds", name) == BEGIN + places[-1] + 0.5
    assert shown("detector_detections", "adwin") > 0
    process.stop()
