"""Quality of joined records in one window: the whole model, its classes, its segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Task
from driftgauge.evaluate import measures
from driftgauge.evaluate.segments import Numbers, Totals, rows, where_enough
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality import (
    SCORE_LOG_ODDS,
    BinaryQuality,
    MulticlassQuality,
    RegressionQuality,
)
from driftgauge.snapshot import ClassPerformance, ClassQuality, ConfusionCount, Performance, Quality
from driftgauge.stats import classification
from driftgauge.stats.arrays import Counts, quotient


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers of totals.

    Attributes:
        groups: by group, shape (totals, groups): the whole model first.
        classes: by class, shape (totals, classes), of the classes `known` (multiclass).
        macro, weighted: means over them, shape (totals, 1).
        known: codes of classes that came or were predicted in any total.
        there: in which totals they did; support: their outcomes; both of shape (totals, classes).
    """

    groups: Numbers
    classes: Numbers
    macro: Numbers
    weighted: Numbers
    known: Ints
    there: NDArray[np.bool_]
    support: Floats


@dataclass(slots=True)
class Found:
    """Rows of quality."""

    quality: list[Quality] = field(default_factory=list)
    classes: list[ClassQuality] = field(default_factory=list)
    segment_classes: list[ClassQuality] = field(default_factory=list)
    performance: list[Performance] = field(default_factory=list)
    class_performance: list[ClassPerformance] = field(default_factory=list)
    segment_performance: list[Performance] = field(default_factory=list)
    segment_class_performance: list[ClassPerformance] = field(default_factory=list)
    confusion_counts: list[ConfusionCount] = field(default_factory=list)


def measured(totals: Totals) -> Measured:
    """Every number of totals. O(totals * (groups * coarse score bins + score bins))."""
    quality = totals.view.quality
    if isinstance(quality, BinaryQuality):
        return _without_classes(where_enough(_binary(quality, totals), totals.enough))
    if isinstance(quality, MulticlassQuality):
        return _multiclass(quality, totals)
    assert isinstance(quality, RegressionQuality)
    numbers = measures.of_errors(quality.layout, totals.row, totals.places)
    percents = quality.count(totals.row, "percents")[:, totals.places].astype(np.float64)
    return _without_classes({**where_enough(numbers, totals.enough), "mape_samples": percents})


def _without_classes(numbers: Numbers) -> Measured:
    none = np.zeros((0, 0))
    return Measured(numbers, {}, {}, {}, np.zeros(0, np.int64), none.astype(np.bool_), none)


def _binary(quality: BinaryQuality, totals: Totals) -> dict[str, Floats]:
    row, places = totals.row, totals.places
    reliability = quality.count(row, "reliability")[:, places].astype(np.float64)
    scores = _with_half_width(quality.count(row, "coarse")[:, places])
    # The whole model has finer bins.
    finer = _with_half_width(quality.count(row, "score"))
    for name, values in scores.items():
        values[:, 0] = finer[name]
    recalibrated = measures.of_log_odds(quality.count(row, "score"), SCORE_LOG_ODDS)
    losses = quality.sum(row, "log_loss")[:, places], quality.sum(row, "brier")[:, places]
    sums = quality.sum(row, "scores")[:, places]
    return {
        **measures.of_confusion(quality.count(row, "confusion")[:, places]),
        **scores,
        **measures.of_losses(*losses, reliability.sum(axis=(-2, -1))),
        "ece": classification.ece(reliability.sum(axis=-1), sums, reliability[..., 1]),
        **{name: first_place(value, places.size) for name, value in recalibrated.items()},
    }


def _with_half_width(scores: Counts) -> dict[str, Floats]:
    found = measures.of_scores(scores)
    half_width = measures.average_precision_half_width(scores, found["average_precision"])
    return {**found, "average_precision_half_width": half_width}


def _multiclass(quality: MulticlassQuality, totals: Totals) -> Measured:
    row, places = totals.row, totals.places
    predicted = quality.count(row, "predicted")[:, places]
    numbers = {"accuracy": quotient(quality.count(row, "right")[:, places], predicted)}
    confusion = quality.count(row, "confusion").astype(np.float64)
    there = confusion.sum(axis=-2) + confusion.sum(axis=-1) > 0
    known = np.flatnonzero(there.any(axis=0))
    confusion, there = confusion[:, known[:, None], known], there[:, known]
    support: Floats = confusion.sum(axis=-1)
    classes = measures.of_classes(confusion) | _with_half_width(quality.count(row, "score")[:, known])
    enough = totals.enough[:, :1]
    classes = {n: np.where(there & enough, v, np.nan) for n, v in classes.items()}
    of_whole = {
        **_whole_scores(quality, totals),
        "balanced_accuracy": classification.macro(classes["recall"]),
        "mcc": classification.multiclass_mcc(confusion),
    }
    numbers |= {name: first_place(value, places.size) for name, value in of_whole.items()}
    means = {n: classification.macro(v)[:, None] for n, v in classes.items() if not n.endswith("half_width")}
    weighted = {
        f"{name}_weighted": classification.weighted(classes[name], support)[:, None]
        for name in ("precision", "f1", "roc_auc")
    }
    return Measured(where_enough(numbers, totals.enough), classes, means, weighted, known, there, support)


def _whole_scores(quality: MulticlassQuality, totals: Totals) -> dict[str, Floats]:
    reliability = quality.count(totals.row, "reliability").astype(np.float64)
    losses = quality.sum(totals.row, "log_loss")[:, 0], quality.sum(totals.row, "brier")[:, 0]
    sums = quality.sum(totals.row, "scores")
    return {
        **measures.of_losses(*losses, reliability.sum(axis=(-2, -1))),
        "ece": classification.ece(reliability.sum(axis=-1), sums, reliability[..., 1]),
    }


def first_place(values: Floats, size: int) -> Floats:
    """*values*, shape (totals,), for the whole model; NaN for segments."""
    out = np.full((len(values), size), np.nan)
    out[:, 0] = values
    return out


def quality(totals: Totals, found: Measured) -> Found:
    """Rows of the whole model and of segments that have outcomes."""
    present, whole = totals.present, totals.whole
    parts = present & ~whole
    numbers = {**found.groups, "samples": totals.samples}
    made = Found(rows(Quality, numbers, totals.group_labels(present), "samples", present))
    size = len(totals.groups)
    more = {**numbers, **{n: first_place(v[:, 0], size) for n, v in found.weighted.items()}}
    first = "balanced_accuracy"
    made.performance = rows(Performance, more, totals.group_labels(whole), first, whole)
    if totals.view.task is not Task.MULTICLASS:
        made.segment_performance = rows(Performance, more, totals.group_labels(parts), first, parts)
    if totals.view.task is Task.BINARY:
        labels, of_parts = totals.group_labels(whole, ""), totals.group_labels(parts, "")
        made.classes = rows(ClassQuality, numbers, labels, "samples", whole)
        made.segment_classes = rows(ClassQuality, numbers, of_parts, "samples", parts)
        made.class_performance = rows(ClassPerformance, numbers, labels, "specificity", whole)
        made.segment_class_performance = rows(ClassPerformance, numbers, of_parts, "specificity", parts)
    elif totals.view.task is Task.MULTICLASS:
        _add_classes(made, totals, found)
    if totals.view.task is not Task.REGRESSION:
        made.confusion_counts = _confusion(totals)
    return made


def _add_classes(made: Found, totals: Totals, found: Measured) -> None:
    """Rows of the macro means, then of classes."""
    numbers = {
        name: np.concatenate([found.macro.get(name, np.full((len(values), 1), np.nan)), values], axis=1)
        for name, values in found.classes.items()
    }
    numbers["samples"] = np.concatenate([totals.samples[:, :1], found.support], axis=1)
    chosen = np.concatenate([np.ones((len(found.there), 1), np.bool_), found.there], axis=1)
    labels = class_labels(totals, found, chosen)
    made.classes = rows(ClassQuality, numbers, labels, "samples", chosen)
    made.class_performance = rows(ClassPerformance, numbers, labels, "specificity", chosen)


def class_labels(totals: Totals, found: Measured, chosen: NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """Labels of the *chosen* of (totals, 1 + classes): "" and the known classes."""
    names = ["", *(class_name(totals, code) for code in found.known.tolist())]
    labels = totals.labels
    return [(*labels[total], "", "", names[place]) for total, place in np.argwhere(chosen).tolist()]


def class_name(totals: Totals, code: int) -> str:
    """The text of a class's code."""
    classes = totals.view.classes
    return classes[code] if code < len(classes) else "other"


def _confusion(totals: Totals) -> list[ConfusionCount]:
    """Cells that anything came in (a matrix of 21 classes is nearly empty)."""
    assert totals.view.quality is not None
    cells = totals.view.quality.count(totals.row, "confusion")
    if totals.view.task is Task.BINARY:
        cells = cells[:, 0]
        names = ["0", "1"]
    else:
        names = [class_name(totals, code) for code in range(cells.shape[-1])]
    labels = totals.labels
    return [
        ConfusionCount(*labels[t], names[i], names[j], float(cells[t, i, j]))
        for t, i, j in np.argwhere(cells).tolist()
    ]
