"""95% intervals of quality: by groups of panes where there are enough, never narrower than independent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate import grouped, independent
from driftgauge.evaluate.grouped import Digests, Spread
from driftgauge.evaluate.independent import Ends
from driftgauge.evaluate.quality import Measured, class_name
from driftgauge.evaluate.segments import Total, rows
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, Quality, RegressionQuality
from driftgauge.snapshot import QualityInterval
from driftgauge.stats import classification, jackknife

_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    **dict.fromkeys(("mae", "rmse", "log_loss", "brier"), (0.0, np.inf)),
    "bias": (-np.inf, np.inf),
    "r2": (-np.inf, 1.0),
    "mcc": (-1.0, 1.0),
}


@dataclass(slots=True)
class Intervals:
    """Rows of intervals: of the whole model, of segments' main number, of classes."""

    whole: list[QualityInterval]
    segments: list[QualityInterval]
    classes: list[QualityInterval]


def quality_intervals(total: Total, found: Measured) -> Intervals:
    """Intervals of one total. O(groups of panes * (coarse score bins + segments))."""
    if not total.enough[0] or (total.view.task is Task.MULTICLASS and not found.known.size):
        return Intervals([], [], [])
    quality = total.view.quality
    if isinstance(quality, BinaryQuality):
        return _binary(quality, total, found)
    if isinstance(quality, MulticlassQuality):
        return _multiclass(quality, total, found)
    assert isinstance(quality, RegressionQuality)
    return _regression(quality, total, found)


def widened(values: Mapping[str, Floats], ends: Ends, spread: Spread) -> Ends:
    """*ends*, as wide as the spread of groups says where that is wider; within a number's bounds."""
    names = [name for name in ends if name in spread.values]
    whole = np.stack([spread.values[name] for name in names])
    without = np.stack([spread.without[name] for name in names], axis=1)
    sizes = np.broadcast_to(spread.sizes[:, None], without.shape)
    error = jackknife.serial_error(whole, without, sizes)
    reach = jackknife.t_reach(error, jackknife.effective_groups(sizes))
    found: Ends = {}
    for place, name in enumerate(names):
        low, high = ends[name]
        least, most = _BOUNDS.get(name, (0.0, 1.0))
        found[name] = (
            np.maximum(np.fmin(low, values[name] - reach[place]), least),
            np.minimum(np.fmax(high, values[name] + reach[place]), most),
        )
    return found


# --- by task ----------------------------------------------------------------------------------


def _binary(quality: BinaryQuality, total: Total, found: Measured) -> Intervals:
    values = {name: numbers[:1] for name, numbers in found.groups.items()}
    ends = independent.of_binary(quality, total.row, values)
    by_confusion, by_scores, by_group = grouped.of_binary(quality, _digests(quality, total), total.places)
    whole = widened(values, ends, by_confusion) | widened(values, ends, by_scores)
    confusion = quality.count(total.row, "confusion")[total.places].astype(np.float64)
    right = confusion[:, 0, 0] + confusion[:, 1, 1]
    segments = _accuracy(found, right, confusion.sum(axis=(1, 2)), by_group)
    return _rows(total, whole, segments, by_group)


def _multiclass(quality: MulticlassQuality, total: Total, found: Measured) -> Intervals:
    digests = _digests(quality, total)
    by_confusion, by_scores, by_group = grouped.of_multiclass(quality, digests, total.places, found.known)
    row = total.row
    right, predicted = (
        quality.count(row, name)[total.places].astype(np.float64) for name in ("right", "predicted")
    )
    segments = _accuracy(found, right, predicted, by_group)
    values = {n: v[:1] for n, v in found.groups.items()} | dict(found.macro)
    independent_classes = independent.of_classes(quality, row, found.known, found.classes)
    ends = independent.of_macro(quality, row, values, independent_classes)
    first = Spread(
        {n: v[:1] for n, v in by_group.values.items()},
        {n: v[:, :1] for n, v in by_group.without.items()},
        by_group.sizes[:, :1],
    )
    whole = widened(values, ends, first)
    for part in (_macro(by_confusion), _macro(by_scores), grouped.of_losses(quality, digests)):
        whole |= widened(values, ends, part)
    intervals = _rows(total, whole, segments, by_group)
    classes = widened(found.classes, independent_classes, by_confusion)
    classes |= widened(found.classes, independent_classes, by_scores)
    labels = [(*total.labels, "", "", class_name(total, code)) for code in found.known.tolist()]
    intervals.classes = _made(labels, classes, by_confusion.sizes)
    return intervals


def _macro(spread: Spread) -> Spread:
    """Of means over classes, shape (1,)."""
    return Spread(
        {n: classification.macro(v)[None] for n, v in spread.values.items()},
        {n: classification.macro(v)[:, None] for n, v in spread.without.items()},
        spread.sizes[:, :1],
    )


def _regression(quality: RegressionQuality, total: Total, found: Measured) -> Intervals:
    by_group = grouped.of_regression(quality, _digests(quality, total), total.places)
    ends = independent.of_regression(quality, total.row, total.places, found.groups)
    first = Spread(
        {n: v[:1] for n, v in by_group.values.items()},
        {n: v[:, :1] for n, v in by_group.without.items()},
        by_group.sizes[:, :1],
    )
    values = {name: numbers[:1] for name, numbers in found.groups.items()}
    whole = widened(values, {n: (low[:1], high[:1]) for n, (low, high) in ends.items()}, first)
    segments = widened(found.groups, {"mae": ends["mae"]}, by_group)
    return _rows(total, whole, segments, by_group)


def _digests(quality: Quality, total: Total) -> Digests:
    """Those of the total; without groups the total itself is the only one."""
    if total.digests is not None:
        return Digests.of(total.digests)
    whole = quality.digest(total.row)
    return Digests.of(Row(whole.counts[None], whole.sums[None]))


def _accuracy(found: Measured, right: Floats, n: Floats, by_group: Spread) -> Ends:
    return widened(found.groups, independent.of_segments(right, n), by_group)


# --- rows -------------------------------------------------------------------------------------


def _rows(total: Total, whole: Ends, segments: Ends, by_group: Spread) -> Intervals:
    labels = [(*total.labels, g.segment, g.segment_value, "") for g in total.present]
    first = _made(labels[:1], whole, by_group.sizes[:, :1])
    of_segments = {
        name: (np.where(total.enough, low, np.nan)[1:], np.where(total.enough, high, np.nan)[1:])
        for name, (low, high) in segments.items()
    }
    return Intervals(first, _made(labels[1:], of_segments, by_group.sizes[:, 1:]), [])


def _made(labels: Sequence[tuple[str, ...]], ends: Ends, sizes: Floats) -> list[QualityInterval]:
    groups = jackknife.effective_groups(sizes)
    numbers = {f"{name}_low": low for name, (low, _) in ends.items()}
    numbers |= {f"{name}_high": high for name, (_, high) in ends.items()}
    kinds = np.where(groups >= jackknife.LEAST_GROUPS - 1e-9, "jackknife", "independent").tolist()
    named = [(*label, kind) for label, kind in zip(labels, kinds, strict=True)]
    return list(rows(QualityInterval, {**numbers, "groups": groups}, named, "groups"))
