"""The newest version against the one before it on the cases that both answered: paired tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.layout import Layout, Row
from driftgauge.records import Floats
from driftgauge.sketches.paired import DIFFERENCE, SQUARE, Paired
from driftgauge.snapshot import PairedComparison, Value
from driftgauge.stats import jackknife, paired
from driftgauge.stats.arrays import quotient
from driftgauge.stats.classification import roc_auc
from driftgauge.stats.difference import Difference
from driftgauge.view import VersionView, WindowView

Sums = Callable[[Row, Layout], tuple[Floats, Floats]]
_LOSSES = {
    Task.BINARY: {"brier": "brier", "log_loss": "log_loss"},
    Task.MULTICLASS: {"brier": "brier", "log_loss": "log_loss"},
    Task.REGRESSION: {"absolute": "mae", "square": "mse"},
}


def paired_comparisons(newer: VersionView, older: VersionView | None) -> Iterator[PairedComparison]:
    """A row a window in which outcomes of cases came that both versions answered.

    Cost: about 4 ms a window of a binary model, less of others.
    """
    sketch = newer.paired
    if older is None or sketch is None or newer.paired_with != older.version:
        return
    for window in newer.windows:
        if window.paired is not None and sketch.pairs(window.paired):
            yield PairedComparison(
                newer.model,
                newer.version,
                older.version,
                window.name,
                samples=float(sketch.pairs(window.paired)),
                **_differences(newer.task, sketch, window),
            )


def _differences(task: Task | None, sketch: Paired, window: WindowView) -> dict[str, Value]:
    found: dict[str, Value] = {}
    row, groups = window.paired, window.paired_groups
    if task is None or row is None:
        return found
    for block, name in _LOSSES[task].items():
        found |= _told(name, _of_losses(sketch, row, groups, block, task))
    if task is not Task.REGRESSION:
        found |= _told("accuracy", _of_answers(sketch, row, groups))
    if task is Task.BINARY:
        found |= _told("roc_auc", _of_areas(sketch, row, groups))
    return found


def _told(name: str, found: Difference | None) -> dict[str, Value]:
    if found is None:
        return {}
    numbers = {"": found.value, "_low": found.low, "_high": found.high, "_p": found.p}
    return {f"{name}_difference{end}": value(number) for end, number in numbers.items()}


def _of_losses(sketch: Paired, row: Row, groups: Row | None, block: str, task: Task) -> Difference | None:
    def sums(of: Row, layout: Layout) -> tuple[Floats, Floats]:
        return layout.sum(of, block)[..., DIFFERENCE], _sized(task, of, layout)

    total, n = sums(row, sketch.layout)
    if n < LEAST_SAMPLES:
        return None
    squares = sketch.layout.sum(row, block)[SQUARE]
    mean = total / n
    independent = np.maximum(squares / n - mean**2, 0.0) / (n - 1)
    inflation = _inflation(independent, _grouped(sketch, groups, sums))
    return paired.paired_means(n, total, squares, inflation=inflation)


def _sized(task: Task, row: Row, layout: Layout) -> Floats:
    """Cases that a loss of both versions is known of, any leading axes."""
    if task is Task.BINARY:
        return np.asarray(layout.count(row, "scores").sum(axis=(-3, -2, -1)), np.float64)
    name = "scored" if task is Task.MULTICLASS else "errors"
    return layout.count(row, name)[..., 0].astype(np.float64)


def _of_answers(sketch: Paired, row: Row, groups: Row | None) -> Difference | None:
    def sums(of: Row, layout: Layout) -> tuple[Floats, Floats]:
        right = layout.count(of, "right").astype(np.float64)
        return right[..., 0, 1] - right[..., 1, 0], right.sum(axis=(-2, -1))

    gain, n = sums(row, sketch.layout)
    if n < LEAST_SAMPLES:
        return None
    right = sketch.layout.count(row, "right").astype(np.float64)
    differ = right[0, 1] + right[1, 0]
    independent = (differ / n - (gain / n) ** 2) / n
    inflation = _inflation(independent, _grouped(sketch, groups, sums))
    return paired.paired_shares(right[1, 0], right[0, 1], n, inflation=inflation)


def _of_areas(sketch: Paired, row: Row, groups: Row | None) -> Difference | None:
    negative, positive = sketch.layout.count(row, "scores").astype(np.float64)
    if negative.sum() + positive.sum() < LEAST_SAMPLES:
        return None
    whole, independent = paired.paired_area_difference(positive, negative)
    spread = np.array(np.nan)
    if groups is not None:
        scores = sketch.layout.count(groups, "scores")
        # An area needs the bins of its own score alone, not both.
        older, newer = (jackknife.left_out(scores.sum(axis=axis)) for axis in (-1, -2))
        before, now = (roc_auc(side[:, 1], side[:, 0])[0] for side in (older, newer))
        spread = _variance(whole, now - before, scores.sum(axis=(1, 2, 3)))
    return paired.paired_roc_aucs(whole, independent, inflation=_inflation(independent, spread))


def _grouped(sketch: Paired, groups: Row | None, sums: Sums) -> Floats:
    """Variance of a mean difference by the delete-one-group jackknife; NaN with too few groups."""
    if groups is None:
        return np.array(np.nan)
    totals, sizes = sums(groups, sketch.layout)
    whole = quotient(totals.sum(axis=0), sizes.sum(axis=0))
    return _variance(whole, quotient(jackknife.left_out(totals), jackknife.left_out(sizes)), sizes)


def _variance(whole: Floats, without: Floats, sizes: Floats) -> Floats:
    if jackknife.effective_groups(sizes) < jackknife.LEAST_GROUPS:
        return np.array(np.nan)
    return np.square(jackknife.serial_error(whole, without, sizes))


def _inflation(independent: Floats, grouped: Floats) -> Floats:
    """By what a standard error for independent cases is widened: never narrowed, and by nothing where groups
    of panes are too few to tell.
    """
    return np.sqrt(np.fmax(quotient(np.fmax(grouped, independent), independent), 1.0))
