"""What a `serve` that has done all its work has imported: not what the other commands need."""

from __future__ import annotations

import random
import re
import sys

import pytest
from tests.e2e.harness import value
from tests.e2e.processes import NDJSON, household, lines
from tests.unit.test_imports import HEAVY

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

HOUR = 3600.0
TOLD = (sys.executable, "-X", "importtime", "-m", "driftgauge", "serve")
MODEL = {"task": "binary", "clock": "records", "windows": ["1d"], "segments": ["plan"]}
JUDGED = {"model": "m", "model_version": "1", "window": "1d", "state": "judged"}


@pytest.fixture
def made(tmp_path):
    with household(tmp_path) as found:
        yield found


def half_a_day(number):
    """Predictions of twelve hours, 25 an hour, and what came of them."""
    draw = random.Random(number)
    times = [(12 * number + place / 25) * HOUR for place in range(300)]
    named = [{"model": "m", "model_version": "1", "prediction_id": f"{time}"} for time in times]
    predicted = [
        {**name, "timestamp": time, "score": draw.random(), "segments": {"plan": draw.choice("ab")},
         "features": {"x": draw.gauss(0, 1), "kind": draw.choice("abc")}}
        for name, time in zip(named, times, strict=True)
    ]  # fmt: skip
    outcomes = [{**name, "outcome": draw.randrange(2)} for name in named]
    return lines(predicted), lines(outcomes)


def imported(log):
    """The modules that an importtime log tells of."""
    return set(re.findall(r"(?m)^import time:[^|]*\|[^|]*\|\s*(\S+)$", log))


def test_no_work_of_serve_loads_anything_heavy(made):
    """Drift, verdicts with their p-values, quality, intervals, the page, a checkpoint, the end."""
    server = made.serve(config=made.write(models={"m": MODEL}), command=TOLD).wait_ready()
    client = server.http()
    for number in range(24):
        for path, body in zip(("/v1/predictions", "/v1/outcomes"), half_a_day(number), strict=True):
            status, _, answer = client.post(path, body, NDJSON)
            assert (status, answer["rejected"]) == (200, []), answer
    server.wait(lambda now: value(now, "verdict_state", **JUDGED) == 1, "nothing is judged")
    for path in ("/", "/v1/models/m", "/v1/models/m/history"):
        assert client.get(path)[0] == 200, path
    server.stop()
    found = imported(server.text)
    assert {"driftgauge.stats.significance", "numpy"} <= found
    heavy = [name for name in found if any(name == h or name.startswith(f"{h}.") for h in HEAVY)]
    assert heavy == []
