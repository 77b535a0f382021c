"""Quality of joined records in one window: the whole model, its classes, its segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate import measures
from driftgauge.evaluate.segments import Numbers, Total, rows, where_enough
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, RegressionQuality
from driftgauge.snapshot import ClassPerformance, ClassQuality, ConfusionCount, Performance, Quality
from driftgauge.stats import classification
from driftgauge.stats.arrays import quotient


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers of one total.

    Attributes:
        groups: by group, shape (groups,): the whole model first.
        classes: by class, shape (classes,), of the classes `known` (multiclass).
        macro, weighted: means over them, shape (1,).
        known: codes of classes that came or were predicted.
        support: their outcomes.
    """

    groups: Numbers
    classes: Numbers
    macro: Numbers
    weighted: Numbers
    known: Ints
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

    def take(self, other: Found) -> None:
        """Add the rows of *other*."""
        self.quality += other.quality
        self.classes += other.classes
        self.segment_classes += other.segment_classes
        self.performance += other.performance
        self.class_performance += other.class_performance
        self.segment_performance += other.segment_performance
        self.segment_class_performance += other.segment_class_performance
        self.confusion_counts += other.confusion_counts


def measured(total: Total) -> Measured:
    """Every number of a total. O(groups * coarse score bins + score bins)."""
    quality = total.view.quality
    if isinstance(quality, BinaryQuality):
        return _without_classes(where_enough(_binary(quality, total), total.enough))
    if isinstance(quality, MulticlassQuality):
        return _multiclass(quality, total)
    assert isinstance(quality, RegressionQuality)
    numbers = measures.of_errors(quality.layout, total.row, total.places)
    numbers = where_enough(numbers, total.enough)
    percents = quality.count(total.row, "percents")[total.places].astype(np.float64)
    return _without_classes({**numbers, "mape_samples": percents})


def _without_classes(numbers: Numbers) -> Measured:
    return Measured(numbers, {}, {}, {}, np.zeros(0, np.int64), np.zeros(0))


def _binary(quality: BinaryQuality, total: Total) -> dict[str, Floats]:
    row, places = total.row, total.places
    reliability = quality.count(row, "reliability")[places].astype(np.float64)
    scored = reliability.sum(axis=(1, 2))
    coarse = quality.count(row, "coarse")[places].astype(np.float64)
    scores = measures.of_scores(coarse)
    scores["average_precision_half_width"] = measures.average_precision_half_width(
        coarse, scores["average_precision"]
    )
    # The whole model has finer bins.
    fine = quality.count(row, "score").astype(np.float64)
    finer = measures.of_scores(fine)
    finer["average_precision_half_width"] = measures.average_precision_half_width(
        fine, finer["average_precision"]
    )
    for name, values in scores.items():
        values[0] = finer[name]
    losses = quality.sum(row, "log_loss")[places], quality.sum(row, "brier")[places]
    return {
        **measures.of_confusion(quality.count(row, "confusion")[places].astype(np.float64)),
        **scores,
        **measures.of_losses(*losses, scored),
        "ece": classification.ece(
            reliability.sum(axis=2), quality.sum(row, "scores")[places], reliability[:, :, 1]
        ),
    }


def _multiclass(quality: MulticlassQuality, total: Total) -> Measured:
    row, places = total.row, total.places
    predicted = quality.count(row, "predicted")[places].astype(np.float64)
    numbers = {"accuracy": quotient(quality.count(row, "right")[places], predicted)}
    confusion = quality.count(row, "confusion").astype(np.float64)
    known = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1) > 0)
    confusion, support = confusion[np.ix_(known, known)], confusion[known].sum(axis=1)
    scores = quality.count(row, "score")[known].astype(np.float64)
    classes = measures.of_classes(confusion) | measures.of_scores(scores)
    half_width = measures.average_precision_half_width(scores, classes["average_precision"])
    classes["average_precision_half_width"] = half_width
    of_whole = {
        **_whole_scores(quality, total),
        "balanced_accuracy": classification.macro(classes["recall"]),
        "mcc": classification.multiclass_mcc(confusion) if known.size else np.array(np.nan),
    }
    numbers |= {name: _first(value, places.size) for name, value in of_whole.items()}
    means = {n: classification.macro(v)[None] for n, v in classes.items() if not n.endswith("half_width")}
    weighted = {
        f"{name}_weighted": classification.weighted(classes[name], support)[None]
        for name in ("precision", "f1", "roc_auc")
    }
    if not total.enough[0]:
        classes, means, weighted = {}, {}, {}
    return Measured(where_enough(numbers, total.enough), classes, means, weighted, known, support)


def _whole_scores(quality: MulticlassQuality, total: Total) -> dict[str, Floats]:
    reliability = quality.count(total.row, "reliability").astype(np.float64)
    losses = quality.sum(total.row, "log_loss")[0], quality.sum(total.row, "brier")[0]
    return {
        **measures.of_losses(*losses, reliability.sum()),
        "ece": classification.ece(
            reliability.sum(axis=1), quality.sum(total.row, "scores"), reliability[:, 1]
        ),
    }


def _first(value: Floats, size: int) -> Floats:
    """*value* for the whole model; segments have none."""
    out = np.full(size, np.nan)
    out[0] = value
    return out


def quality(total: Total, found: Measured) -> Found:
    """Rows of the whole model and of segments that have outcomes."""
    labels = [(*total.labels, g.segment, g.segment_value) for g in total.present]
    numbers = {**found.groups, "samples": total.samples}
    made = Found(list(rows(Quality, numbers, labels, "samples")))
    performance = list(
        rows(Performance, {**numbers, **_padded(found.weighted, len(labels))}, labels, "balanced_accuracy")
    )
    made.performance = performance[:1]
    made.segment_performance = performance[1:] if total.view.task is not Task.MULTICLASS else []
    if total.view.task is Task.BINARY:
        of_class = [(*label, "") for label in labels]
        classes = list(rows(ClassQuality, numbers, of_class, "samples"))
        more = list(rows(ClassPerformance, numbers, of_class, "specificity"))
        made.classes, made.segment_classes = classes[:1], classes[1:]
        made.class_performance, made.segment_class_performance = more[:1], more[1:]
    elif total.view.task is Task.MULTICLASS:
        _add_classes(made, total, found, labels[0])
    if total.view.task is not Task.REGRESSION:
        made.confusion_counts = _confusion(total)
    return made


def _padded(numbers: Numbers, size: int) -> dict[str, Floats]:
    return {name: _first(value[0], size) for name, value in numbers.items()}


def _add_classes(made: Found, total: Total, found: Measured, label: tuple[str, ...]) -> None:
    names = [(*label, "")] + [(*label, class_name(total, code)) for code in found.known.tolist()]
    numbers = {
        name: np.concatenate([found.macro.get(name, np.array([np.nan])), values])
        for name, values in found.classes.items()
    }
    numbers["samples"] = np.concatenate([total.samples[:1], found.support])
    made.classes = list(rows(ClassQuality, numbers, names, "samples"))
    made.class_performance = list(rows(ClassPerformance, numbers, names, "specificity"))


def class_name(total: Total, code: int) -> str:
    """The text of a class's code."""
    classes = total.view.classes
    return classes[code] if code < len(classes) else "other"


def _confusion(total: Total) -> list[ConfusionCount]:
    """Cells that anything came in (a matrix of 21 classes is nearly empty)."""
    assert total.view.quality is not None
    cells = total.view.quality.count(total.row, "confusion")
    if total.view.task is Task.BINARY:
        cells = cells[0]
        names = ["0", "1"]
    else:
        names = [class_name(total, code) for code in range(len(cells))]
    return [
        ConfusionCount(*total.labels, names[i], names[j], float(cells[i, j]))
        for i, j in np.argwhere(cells).tolist()
    ]
