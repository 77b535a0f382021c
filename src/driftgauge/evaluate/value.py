"""What decisions were worth, by window and segment, and at other thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.evaluate.quality import Group, groups
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.value import THRESHOLDS
from driftgauge.sketches.value import Value as ValueSketch
from driftgauge.snapshot import BestThreshold, BusinessValue, Cohort, ThresholdValue, ValueInfo
from driftgauge.stats.value import by_threshold, simultaneous_z, total_interval
from driftgauge.view import VersionView

# Below this the threshold that paid most is a few records' luck.
LEAST_DECISIONS = 100
# Whichever threshold is best, the interval of its gain holds: 99 of them are looked at.
_GAIN_Z = simultaneous_z(THRESHOLDS.size)


def value_info(view: VersionView) -> Iterator[ValueInfo]:
    """The currency, where a value is configured."""
    if view.config.value is not None:
        yield ValueInfo(view.model, view.version, view.config.value.currency, 1.0)


def _cells(view: VersionView) -> Floats:
    assert view.config.value is not None
    assert view.task is not None
    return np.array(view.config.value.cells(view.task))


def business_value(
    view: VersionView, *, segments: bool
) -> tuple[tuple[BusinessValue, ...], tuple[BusinessValue, ...]]:
    """Value of the whole model and of each segment that has outcomes.

    Returns:
        the rows that are exported, those of segments without their intervals unless *segments*; and
        those of segments in full.
    """
    if view.value is None or view.task is None:
        return (), ()
    found: list[BusinessValue] = []
    for window in view.windows:
        for cohort, row in ((Cohort.ARRIVED, window.value_arrived), (Cohort.MATURED, window.value_matured)):
            if row is not None:
                found += _rows(view, view.value, row, window.name, cohort)
    by_segment = tuple(row for row in found if row.segment)
    if segments:
        return tuple(found), by_segment
    short = (replace(row, low=None, high=None, mean=None) if row.segment else row for row in found)
    return tuple(short), by_segment


def _rows(
    view: VersionView, sketch: ValueSketch, row: Row, window: str, cohort: str
) -> Iterator[BusinessValue]:
    samples = sketch.samples(row)
    total, squares = sketch.totals(row, _cells(view))
    low, high = total_interval(total, squares, samples)

    def made(group: Group) -> BusinessValue:
        g, n = group.number, float(samples[group.number])
        labels = (view.model, view.version, window, cohort, group.segment, group.segment_value)
        if not n:
            return BusinessValue(*labels, n)
        if n < LEAST_SAMPLES:
            return BusinessValue(*labels, n, value(total[g]))
        return BusinessValue(*labels, n, value(total[g]), value(low[g]), value(high[g]), value(total[g] / n))

    for group in groups(view):
        if group.number == 0 or samples[group.number]:
            yield made(group)


@dataclass(frozen=True, slots=True)
class _Decisions:
    """The decisions of one matured window that had a score.

    Attributes:
        values: shape (thresholds,), what they would have been worth at each.
        gains, squares: the same less what they were worth, and the sum of the records' squared gains.
    """

    window: str
    samples: float
    in_use: float
    values: Floats
    gains: Floats
    squares: Floats


def _decisions(view: VersionView) -> Iterator[_Decisions]:
    if view.value is None or view.task is not Task.BINARY:
        return
    worth = _cells(view).reshape(2, 2)
    step = worth[:, 1] - worth[:, 0]
    for window in view.windows:
        if window.value_matured is None:
            continue
        records, amounts, squares = view.value.decisions(window.value_matured)
        by_outcome = amounts.sum(axis=1)
        yield _Decisions(
            window.name,
            float(records.sum()),
            float((amounts.sum(axis=2) * worth).sum()),
            by_threshold(worth[:, 0] @ by_outcome, worth[:, 1] @ by_outcome),
            by_threshold(-step @ amounts[:, 1], step @ amounts[:, 0]),
            by_threshold(step**2 @ squares[:, 1], step**2 @ squares[:, 0]),
        )


def best_thresholds(view: VersionView) -> Iterator[BestThreshold]:
    """Per matured window with enough decisions, the threshold that would have paid most."""
    for each in _decisions(view):
        if each.samples < LEAST_DECISIONS:
            continue
        best = _best(each.values, view.config.threshold)
        gain = float(each.gains[best])
        low, high = total_interval(gain, float(each.squares[best]), each.samples, z=_GAIN_Z)
        yield BestThreshold(
            view.model,
            view.version,
            each.window,
            each.samples,
            float(THRESHOLDS[best]),
            view.config.threshold,
            value(each.values[best]),
            each.in_use,
            gain,
            value(low),
            value(high),
        )


def _best(values: Floats, in_use: float) -> int:
    """The threshold of the greatest value; of several the nearest to the one in use."""
    slack = 1e-9 * max(1.0, float(np.abs(values).max()))
    candidates = np.flatnonzero(values >= values.max() - slack)
    return int(candidates[np.abs(THRESHOLDS[candidates] - in_use).argmin()])


def threshold_values(view: VersionView) -> Iterator[ThresholdValue]:
    """The value at every threshold, per matured window with enough decisions."""
    for each in _decisions(view):
        if each.samples >= LEAST_DECISIONS:
            for threshold, worth in zip(THRESHOLDS.tolist(), each.values.tolist(), strict=True):
                yield ThresholdValue(view.model, view.version, each.window, threshold, worth)
