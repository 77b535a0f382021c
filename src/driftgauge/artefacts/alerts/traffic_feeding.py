"""Counters that promtool is fed for alerts on traffic: rising so that a rate is the number wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from driftgauge.artefacts.alerts.reading import Reading
from driftgauge.artefacts.alerts.traffic import ERRORS, LATENCY_HISTOGRAM, PREDICTIONS, traffic_labels
from driftgauge.artefacts.rules.promtool import Input, series
from driftgauge.config_file.scalars import number_text
from driftgauge.metrics.live import LATENCY_BUCKETS
from driftgauge.metrics.words import ERROR_SHARE, THROUGHPUT

PODS: Final = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of steps with one value; None is no series at all."""

    value: float | None
    steps: int


def traffic_inputs(reading: Reading, runs: Sequence[Run], step: float) -> Iterator[Input]:
    """The counters of all pods over *runs*, *step* seconds a step."""
    if reading.word.text == THROUGHPUT:
        yield from _counters(reading, PREDICTIONS, {}, [(r.value, r.steps) for r in runs], step)
        return
    # Enough predictions for any requirement, in each step.
    rate = 10.0 * reading.entry.require.samples / step
    of = [(None if r.value is None else rate, r.steps) for r in runs]
    if reading.word.text == ERROR_SHARE:
        yield from _counters(reading, PREDICTIONS, {}, of, step)
        errors = [(None if r.value is None else rate * r.value, r.steps) for r in runs]
        yield from _counters(reading, ERRORS, {}, errors, step)
        return
    yield from _counters(reading, f"{LATENCY_HISTOGRAM}_count", {}, of, step)
    quantile = reading.entry.when.quantile or 0.0
    for bound in (*LATENCY_BUCKETS, None):
        le = "+Inf" if bound is None else number_text(bound)
        shares = [None if r.value is None else _share_below(bound, r.value, quantile) for r in runs]
        counts = [
            (None if share is None else rate * share, run.steps)
            for share, run in zip(shares, runs, strict=True)
        ]
        yield from _counters(reading, f"{LATENCY_HISTOGRAM}_bucket", {"le": le}, counts, step)


def _share_below(bound: float | None, value: float, quantile: float) -> float:
    """Share of the records up to *bound* where the histogram's *quantile* is *value*."""
    if bound is None:
        return 1.0
    low, high = next((low, high) for low, high in pairwise((0.0, *LATENCY_BUCKETS)) if value <= high)
    place = (value - low) / (high - low)
    # Linear in its bucket: as many below it, or above, as puts the quantile there.
    below, upto = ((quantile - place) / (1 - place), 1.0) if place < quantile else (0.0, quantile / place)
    return upto if bound >= high else below if bound >= low else 0.0


def _counters(
    reading: Reading,
    name: str,
    labels: dict[str, str],
    rates: Sequence[tuple[float | None, int]],
    step: float,
) -> Iterator[Input]:
    for pod in PODS:
        every = {
            "job": "driftgauge",
            "pod": f"churn-{pod}",
            "instance": pod,
            "model_version": "1",
            **traffic_labels(reading),
            **labels,
        }
        yield series(name, every, " ".join(_rising(rates, step)))


def _rising(rates: Sequence[tuple[float | None, int]], step: float) -> Iterator[str]:
    count = 0.0
    for rate, steps in rates:
        if rate is None:
            yield f"_x{steps}"
            continue
        each = rate * step / len(PODS)
        yield f"{count:.12g}+{each:.12g}x{steps - 1}"
        count += each * steps
