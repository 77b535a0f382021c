"""Rows of intervals, of more quality, of calibration and of reweighted quality that a version grows to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from driftgauge.check.shape import Shape
from driftgauge.config import Family, Task
from driftgauge.sketches.quality import CALIBRATION_BINS
from driftgauge.snapshot import (
    Calibration,
    CalibrationBin,
    ClassPerformance,
    Cohort,
    Performance,
    QualityInterval,
    Reweighted,
)

Labels = Mapping[str, str]
Made = tuple[type[Any], Labels, frozenset[str] | None]

_OF_CLASSES = (
    *("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier", "ece"),
    *("specificity", "balanced_accuracy", "mcc", "average_precision"),
)
_INTERVALS: Final[Mapping[Task, tuple[str, ...]]] = {
    Task.BINARY: (*_OF_CLASSES, "slope", "intercept"),
    Task.MULTICLASS: _OF_CLASSES,
    Task.REGRESSION: ("mae", "rmse", "r2", "bias", "mape"),
}
_PERFORMANCE: Final[Mapping[Task, frozenset[str]]] = {
    Task.BINARY: frozenset({"balanced_accuracy", "mcc"}),
    Task.MULTICLASS: frozenset(
        {"balanced_accuracy", "mcc", "precision_weighted", "f1_weighted", "roc_auc_weighted"}
    ),
    Task.REGRESSION: frozenset({"mape", "mape_samples"}),
}
_SELECTION = frozenset({"selection_psi", "supported"})
_OF_CLASSIFIER = frozenset({"accuracy", "precision", "recall", "f1", "log_loss"})
_REWEIGHTED: Final[Mapping[Task, frozenset[str]]] = {
    Task.BINARY: _OF_CLASSIFIER,
    Task.MULTICLASS: _OF_CLASSIFIER,
    Task.REGRESSION: frozenset({"mae", "rmse", "bias", "r2"}),
}
_OF_CLASS = frozenset({"specificity", "average_precision"})
_BOUNDED = _OF_CLASS | {"average_precision_half_width"}


def _ends(names: Collection[str]) -> frozenset[str]:
    return frozenset({"groups", *(f"{name}_{end}" for name in names for end in ("low", "high"))})


def quality_rows(shape: Shape, labels: Labels, families: Collection[str]) -> Iterator[Made]:
    """Rows of one window and cohort; *labels* are these."""
    whole = {**labels, "segment": "", "segment_value": ""}
    yield Performance, whole, _PERFORMANCE[shape.task]
    yield QualityInterval, {**whole, "class": ""}, _ends(_INTERVALS[shape.task])
    if Family.SEGMENTS in families:
        main = _ends(["mae" if shape.task is Task.REGRESSION else "accuracy"])
        for segment, value in shape.groups[1:]:
            yield QualityInterval, {**labels, "segment": segment, "segment_value": value, "class": ""}, main
    if labels["cohort"] == Cohort.MATURED:
        yield Reweighted, labels, _SELECTION | _REWEIGHTED[shape.task]
    if shape.task is Task.REGRESSION:
        return
    yield from _of_classifier(shape, labels, whole)


def _of_classifier(shape: Shape, labels: Labels, whole: Labels) -> Iterator[Made]:
    binary = shape.task is Task.BINARY
    yield ClassPerformance, {**whole, "class": ""}, _BOUNDED if binary else _OF_CLASS
    for name in () if binary else shape.classes:
        yield ClassPerformance, {**whole, "class": name}, _BOUNDED
    yield Calibration, labels, None if binary else frozenset({"mce"})
    for number in range(CALIBRATION_BINS):
        yield CalibrationBin, {**labels, "bin": str(number)}, None
