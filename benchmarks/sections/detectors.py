"""Detectors on the errors, in this process: what a value costs, and what a joined outcome costs by default."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import numpy as np

from benchmarks.bench import Bench
from benchmarks.figures import Row

BATCH, SMALL = 1_000, 64
RATE = 0.1
# So long that the window of ADWIN has its usual number of buckets.
SEEN = 200_000
GOALS = {"adwin": 1.0}
DEFAULT_GOAL = 1.5


def run(bench: Bench) -> None:
    """Every detector by itself, then the default ones as the monitor feeds them."""
    from driftgauge.stats.detectors import DETECTORS

    rng = np.random.default_rng(1)
    for name, make in DETECTORS.items():
        detector = make()
        detector.update(_errors(rng, SEEN))
        runs = _microseconds(bench, lambda batch, read=detector.update: read(batch), rng, BATCH)
        bench.add(Row(f"detector {name}, batches of {BATCH}", "us a value", GOALS.get(name)), runs)
    for size in (BATCH, SMALL):
        bench.add(
            Row(
                f"detectors by default, {size} outcomes a batch",
                "us an outcome",
                DEFAULT_GOAL if size == BATCH else None,
            ),
            _microseconds(bench, _Fed(rng), rng, size),
            "state before and after the batch included",
        )


class _Fed:
    """The monitor's step: the state of the last batch becomes that of the next."""

    def __init__(self, rng: np.random.Generator) -> None:
        from driftgauge.config import Model
        from driftgauge.monitor.detecting import Errors

        self.errors = Errors.of(Model().detectors)
        self(_errors(rng, SEEN))

    def __call__(self, wrong: np.ndarray) -> None:
        from driftgauge.config import Task
        from driftgauge.monitor.detecting import fed

        found = fed(self.errors, Task.BINARY, np.zeros(wrong.size), wrong, np.zeros(wrong.size))
        self.errors = found or self.errors


def _errors(rng: np.random.Generator, n: int) -> np.ndarray:
    return (rng.random(n) < RATE).astype(np.float64)


def _microseconds(
    bench: Bench, read: Callable[[np.ndarray], object], rng: np.random.Generator, size: int
) -> list[float]:
    """CPU time a value, over 20,000 values a run."""
    runs = []
    for _ in range(bench.mode.repeats):
        batches = [_errors(rng, size) for _ in range(20_000 // size)]
        began = process_time()
        for batch in batches:
            read(batch)
        runs.append((process_time() - began) / len(batches) / size * 1e6)
    return runs
