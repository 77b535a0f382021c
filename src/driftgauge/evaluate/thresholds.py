"""What decisions would have been worth at other thresholds of the score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import value
from driftgauge.evaluate.value import cell_values, grouped_reach
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.value import THRESHOLDS
from driftgauge.snapshot import BestThreshold, ThresholdValue
from driftgauge.stats.value import by_threshold, simultaneous_z, total_interval
from driftgauge.view import VersionView

# Below this the threshold that paid most is a few records' luck.
LEAST_DECISIONS = 100
_GAIN_CONFIDENCE = 1 - 0.05 / THRESHOLDS.size


@cache
def _gain_z() -> float:
    """Whichever threshold is best, the interval of its gain holds: 99 of them are looked at."""
    return simultaneous_z(THRESHOLDS.size)


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions of one matured window that had a score.

    Attributes:
        values: shape (thresholds,), what they would have been worth at each.
        gains, squares: the same less what they were worth, and the sum of the records' squared gains.
        group_gains, group_sizes: shape (groups, thresholds) and (groups,); None where there are none.
    """

    window: str
    samples: float
    in_use: float
    values: Floats
    gains: Floats
    squares: Floats
    group_gains: Floats | None
    group_sizes: Floats | None


def decisions(view: VersionView) -> tuple[Decisions, ...]:
    """Those of each matured window with enough of them, of a binary model that has a value."""
    if view.value is None or view.task is not Task.BINARY:
        return ()
    worth = cell_values(view).reshape(2, 2)
    found = []
    for window in view.windows:
        row, stacked = window.value_matured, window.value_matured_groups
        if row is None:
            continue
        records, amounts, squares = view.value.decisions(row)
        if records.sum() < LEAST_DECISIONS:
            continue
        by_outcome = amounts.sum(axis=1)
        sizes, gains = _by_group(view, stacked, worth)
        found.append(
            Decisions(
                window.name,
                float(records.sum()),
                float((amounts.sum(axis=2) * worth).sum()),
                by_threshold(worth[:, 0] @ by_outcome, worth[:, 1] @ by_outcome),
                _gains(amounts, worth),
                _gains(squares, worth, power=2),
                gains,
                sizes,
            )
        )
    return tuple(found)


def _gains(amounts: Floats, worth: Floats, power: int = 1) -> Floats:
    """Sums (of powers) of what each threshold would have changed, shape (..., thresholds)."""
    step = worth[:, 1] - worth[:, 0]
    fewer = np.einsum("o,...ob->...b", (-step) ** power, amounts[..., 1, :])
    more = np.einsum("o,...ob->...b", step**power, amounts[..., 0, :])
    return by_threshold(fewer, more)


def _by_group(view: VersionView, stacked: Row | None, worth: Floats) -> tuple[Floats | None, Floats | None]:
    if stacked is None or view.value is None:
        return None, None
    records, amounts, _ = view.value.decisions(stacked)
    return records.sum(axis=(1, 2, 3)), _gains(amounts, worth)


def best_thresholds(view: VersionView, found: tuple[Decisions, ...]) -> Iterator[BestThreshold]:
    """Per matured window the threshold that would have paid most."""
    for each in found:
        best = _best(each.values, view.config.threshold)
        gain = float(each.gains[best])
        _, high = total_interval(gain, float(each.squares[best]), each.samples, z=_gain_z())
        reach = high - gain
        if each.group_gains is not None and each.group_sizes is not None:
            grouped = grouped_reach(each.group_gains[:, best], each.group_sizes, _GAIN_CONFIDENCE)
            reach = np.fmax(reach, grouped)
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
            value(gain - reach),
            value(gain + reach),
        )


def _best(values: Floats, in_use: float) -> int:
    """The threshold of the greatest value; of several the nearest to the one in use."""
    slack = 1e-9 * max(1.0, float(np.abs(values).max()))
    candidates = np.flatnonzero(values >= values.max() - slack)
    return int(candidates[np.abs(THRESHOLDS[candidates] - in_use).argmin()])


def threshold_values(view: VersionView, found: tuple[Decisions, ...]) -> Iterator[ThresholdValue]:
    """The value at every threshold, per matured window."""
    for each in found:
        for threshold, worth in zip(THRESHOLDS.tolist(), each.values.tolist(), strict=True):
            yield ThresholdValue(view.model, view.version, each.window, threshold, worth)
