"""95% intervals of quality: by groups of panes where there are enough, never narrower than independent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.evaluate import grouped, independent
from driftgauge.evaluate.grouped import Spread
from driftgauge.evaluate.independent import Ends
from driftgauge.evaluate.quality import Measured, class_labels
from driftgauge.evaluate.segments import Totals, rows
from driftgauge.records import Floats
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, RegressionQuality
from driftgauge.snapshot import QualityInterval
from driftgauge.stats import jackknife
from driftgauge.stats.arrays import Counts
from driftgauge.stats.calibration import calibration_noise

_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    **dict.fromkeys(("mae", "rmse", "mape", "log_loss", "brier"), (0.0, np.inf)),
    **dict.fromkeys(("bias", "slope", "intercept"), (-np.inf, np.inf)),
    "r2": (-np.inf, 1.0),
    "mcc": (-1.0, 1.0),
}


@dataclass(slots=True)
class Intervals:
    """Rows of intervals: of the whole model, of segments' main number, of classes."""

    whole: list[QualityInterval]
    segments: list[QualityInterval]
    classes: list[QualityInterval]


def quality_intervals(totals: Totals, found: Measured) -> Intervals:
    """Intervals of totals. O(totals * groups of panes * (coarse score bins + segments))."""
    quality = totals.view.quality
    if isinstance(quality, BinaryQuality):
        return _binary(quality, totals, found)
    if isinstance(quality, MulticlassQuality):
        return _multiclass(quality, totals, found)
    assert isinstance(quality, RegressionQuality)
    return _regression(quality, totals, found)


def widened(values: Mapping[str, Floats], ends: Ends, *spreads: Spread) -> Ends:
    """*ends*, as wide as the spread of groups says where that is wider; within a number's bounds.

    Args:
        spreads: of other names each, all of one shape.
    """
    chosen = [(name, spread) for spread in spreads for name in ends if name in spread.values]
    names = [name for name, _ in chosen]
    whole = np.array([spread.values[name] for name, spread in chosen])
    without = np.stack([spread.without[name] for name, spread in chosen], axis=1)
    if len(spreads) == 1:
        sizes = spreads[0].sizes[:, None]
    else:
        sizes = np.stack([spread.sizes for _, spread in chosen], axis=1)
    error = jackknife.serial_error(whole, without, np.broadcast_to(sizes, without.shape))
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


def _down_to_chance(ends: tuple[Floats, Floats], reliability: Counts) -> tuple[Floats, Floats]:
    """The interval of a calibration error, longer below by what chance alone adds to it."""
    noise = calibration_noise(reliability.sum(axis=-1), reliability[..., 1])
    return np.maximum(ends[0] - noise, 0.0), ends[1]


# --- by task ----------------------------------------------------------------------------------


def _binary(quality: BinaryQuality, totals: Totals, found: Measured) -> Intervals:
    values = {name: numbers[:, :1] for name, numbers in found.groups.items()}
    ends = independent.of_binary(quality, totals.row, values)
    by_confusion, by_scores, by_group = grouped.of_binary(quality, totals.digests, totals.places)
    whole = widened(values, ends, by_confusion, by_scores)
    reliability = quality.count(totals.row, "reliability")[:, :1]
    whole["ece"] = _down_to_chance(whole["ece"], reliability)
    confusion = quality.count(totals.row, "confusion")[:, totals.places]
    right = np.trace(confusion, axis1=-2, axis2=-1)
    ends = independent.of_segments(right, confusion.sum(axis=(-2, -1)))
    return _rows(totals, whole, widened(found.groups, ends, by_group), by_group)


def _multiclass(quality: MulticlassQuality, totals: Totals, found: Measured) -> Intervals:
    if not found.known.size:
        return Intervals([], [], [])
    row, places = totals.row, totals.places
    by_confusion, by_scores, by_group = grouped.of_multiclass(quality, totals.digests, places, found.known)
    values = {n: v[:, :1] for n, v in found.groups.items()} | dict(found.macro)
    of_classes = independent.of_classes(quality, row, found.known, found.classes)
    ends = independent.of_macro(quality, row, values, of_classes, found.classes["recall"])
    whole: Ends = {}
    for part in (
        grouped.of_whole(by_group),
        grouped.of_means(by_confusion),
        grouped.of_means(by_scores),
        grouped.of_losses(quality, totals.digests),
        grouped.of_matrix(quality, totals.digests, found.known),
    ):
        whole |= widened(values, ends, part)
    whole["ece"] = _down_to_chance(whole["ece"], quality.count(row, "reliability")[:, None])
    right, predicted = (quality.count(row, name)[:, places] for name in ("right", "predicted"))
    segments = widened(found.groups, independent.of_segments(right, predicted), by_group)
    made = _rows(totals, whole, segments, by_group)
    classes = widened(found.classes, of_classes, by_confusion, by_scores)
    chosen = found.there & totals.enough[:, :1]
    labels = class_labels(totals, found, np.pad(chosen, ((0, 0), (1, 0))))
    made.classes = _made(labels, classes, by_confusion.sizes, chosen)
    return made


def _regression(quality: RegressionQuality, totals: Totals, found: Measured) -> Intervals:
    by_group = grouped.of_regression(quality, totals.digests, totals.places)
    ends = independent.of_regression(quality, totals.row, totals.places, found.groups)
    first = {name: (low[:, :1], high[:, :1]) for name, (low, high) in ends.items()}
    values = {name: numbers[:, :1] for name, numbers in found.groups.items()}
    whole = widened(values, first, grouped.of_whole(by_group))
    return _rows(totals, whole, widened(found.groups, {"mae": ends["mae"]}, by_group), by_group)


# --- rows -------------------------------------------------------------------------------------


def _rows(totals: Totals, whole: Ends, segments: Ends, by_group: Spread) -> Intervals:
    enough = totals.enough
    first = totals.whole & enough
    parts = totals.present & ~totals.whole
    known = np.where(enough, 0.0, np.nan)
    of_segments = {name: (low + known, high + known) for name, (low, high) in segments.items()}
    # Segments of a total without numbers have none either.
    parts &= enough[:, :1]
    return Intervals(
        _made(totals.group_labels(first, ""), whole, by_group.sizes[..., :1], first[:, :1]),
        _made(totals.group_labels(parts, ""), of_segments, by_group.sizes, parts),
        [],
    )


def _made(
    labels: Sequence[tuple[str, ...]], ends: Ends, sizes: Floats, chosen: NDArray[np.bool_]
) -> list[QualityInterval]:
    """Rows of the *chosen*, which has the shape of the ends."""
    groups = jackknife.effective_groups(sizes)
    numbers = {f"{name}_low": low for name, (low, _) in ends.items()}
    numbers |= {f"{name}_high": high for name, (_, high) in ends.items()}
    kinds = np.where(groups >= jackknife.LEAST_GROUPS - 1e-9, "jackknife", "independent")[chosen].tolist()
    named = [(*label, kind) for label, kind in zip(labels, kinds, strict=True)]
    return rows(QualityInterval, {**numbers, "groups": groups}, named, "groups", chosen)
