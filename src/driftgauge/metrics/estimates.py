"""Performance without outcomes: estimates, how surely, and whether they held."""

from __future__ import annotations

from driftgauge.config import Family
from driftgauge.metrics.table import IN_WINDOW, NOT_AVERAGED, Advice, Metric, gauges
from driftgauge.snapshot import Estimate, ExpectedCell, PartEstimate

_ASSUMES = (
    " Expected of the window's predictions from their scores, before their outcomes come; assumes "
    "P(outcome | score) unchanged."
)
_LOSS_ASSUMES = (
    " Expected of the window's predictions from the bins of prediction and features, before their "
    "outcomes come; assumes the error given these unchanged."
)
_ERROR = "Standard error of the realised value about "
_GAP = "In the newest window whose outcomes are complete: estimated less realised "
_OF_PART = (*IN_WINDOW, "segment", "segment_value", "class")


def _measure(name: str, what: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (f"estimated_{name}_ratio", name, what + ", 0 to 1." + _ASSUMES + NOT_AVERAGED),
        (
            f"estimated_{name}_error_ratio",
            f"{name}_error",
            f"{_ERROR}estimated_{name}_ratio: chance of the outcomes, and of the calibration's records.",
        ),
        (
            f"estimated_{name}_gap_ratio",
            f"{name}_gap",
            f"{_GAP}{name}, -1 to 1. Away from 0 the assumption of the estimates fails: concept drift.",
        ),
    )


def _part(name: str, what: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (f"estimated_part_{name}_ratio", name, what + " in a segment or of a class, 0 to 1." + _ASSUMES),
        (
            f"estimated_part_{name}_error_ratio",
            f"{name}_error",
            f"{_ERROR}estimated_part_{name}_ratio.",
        ),
    )


def _loss(name: str, what: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (f"estimated_{name}", name, f"{what}, in the outcome's unit." + _LOSS_ASSUMES + NOT_AVERAGED),
        (f"estimated_{name}_error", f"{name}_error", f"{_ERROR}estimated_{name}."),
        (
            f"estimated_{name}_gap",
            f"{name}_gap",
            f"{_GAP}{name}. Away from 0 the assumption of the estimates fails: concept drift.",
        ),
    )


def _part_loss(name: str, what: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (f"estimated_part_{name}", name, f"{what} in a segment, in the outcome's unit." + _LOSS_ASSUMES),
        (f"estimated_part_{name}_error", f"{name}_error", f"{_ERROR}estimated_part_{name}."),
    )


METRICS: tuple[Metric, ...] = (
    *gauges(
        Estimate,
        IN_WINDOW,
        (
            "estimate_given",
            "given",
            "1 while performance is estimated, 0 while it can't be trusted: too few outcomes in the reference, "
            "a held-out calibration error of 0.05 or more, or over 10% of scores (regression: of records) "
            "where fewer than 20 of the reference's were. GET /v1/models/{m} says which.",
        ),
        (
            "estimate_unsupported_ratio",
            "unsupported_ratio",
            "Share of the window's scores (regression: of its records) where fewer than 20 of the reference's "
            "were, 0 to 1; estimates are withdrawn above 0.1.",
        ),
        (
            "estimate_calibration_error_ratio",
            "calibration_error",
            "Held-out expected calibration error of the reference's outcomes by score, 0 to 1: two halves, "
            "each calibrated by the other.",
        ),
        *_measure("accuracy", "Share of outcomes predicted right"),
        *_measure("f1", "Harmonic mean of precision and recall (multiclass: mean over classes)"),
        *_measure("roc_auc", "Area under the ROC curve (multiclass: mean over classes)"),
        *_loss("mae", "Mean absolute error"),
        *_loss("rmse", "Root mean squared error"),
    ),
    *gauges(
        Estimate,
        IN_WINDOW,
        *_measure("precision", "Share of the positive predictions that are right (multiclass: mean)"),
        *_measure("recall", "Share of the positive outcomes that are predicted (multiclass: mean)"),
        family=Family.ESTIMATES,
    ),
    *gauges(
        PartEstimate,
        _OF_PART,
        (
            "estimated_part_samples",
            "samples",
            "Predictions in the segment that an estimate stands on; outcomes to expect of the class.",
        ),
        *_part("accuracy", "Share of outcomes predicted right"),
        *_part("precision", "Share of positive predictions that are right"),
        *_part("recall", "Share of positive outcomes that are predicted"),
        *_part("f1", "Harmonic mean of precision and recall"),
        *_part("roc_auc", "Area under the ROC curve, from coarse score bins"),
        *_part_loss("mae", "Mean absolute error"),
        *_part_loss("rmse", "Root mean squared error"),
        family=Family.ESTIMATES,
    ),
    *gauges(
        ExpectedCell,
        (*IN_WINDOW, "outcome", "prediction"),
        (
            "estimated_confusion_records",
            "records",
            "Records to expect of an outcome and a predicted class (binary)." + _ASSUMES,
        ),
        family=Family.ESTIMATES,
    ),
)

_LOSSES = ("mae", "rmse")
_MEASURES = ("accuracy", "f1", "roc_auc", "precision", "recall")

ADVICE = (
    Advice(
        ("estimate_given", "estimate_unsupported_ratio", "estimate_calibration_error_ratio"),
        "0 to 1",
        "Exact counts. The calibration error is biased upwards by noise, by at most 2.5 / sqrt(outcomes).",
        "Unsupported: scores have moved to where nothing is known; wait for outcomes. Miscalibrated: give a "
        "reference with more outcomes.",
    ),
    Advice(
        tuple(f"estimated_{name}_ratio" for name in _MEASURES),
        "0 to 1",
        "As good as the assumption that a score means what it meant in the reference: sees a change of the "
        "inputs, not a change of the relation. Look at its gap first.",
        "A fall beyond two errors is a fall to come once outcomes arrive: find the feature that moved.",
    ),
    Advice(
        tuple(f"estimated_{name}_error_ratio" for name in _MEASURES),
        "at least 0",
        "By the delta method for independent records; real ones that resemble each other have more.",
        "Widen the window where it is too large to tell anything.",
    ),
    Advice(
        tuple(f"estimated_{name}_gap_ratio" for name in _MEASURES),
        "-1 to 1",
        "Exact of the matured window's predictions and its joined outcomes; late by the label delay, and "
        "biased where labels are missing not at random.",
        "Beyond two errors for a while: the relation has changed. Don't trust the estimates; retrain or make "
        "a new reference.",
    ),
    Advice(
        tuple(f"estimated_{name}" for name in _LOSSES),
        "at least 0",
        "From a log-linear model of the error by coarse bins and their pairs with the prediction's, learned "
        "by `driftgauge profile`, or from live records once the relation's reference is fixed, on at most 50,000 records; sees a change of the inputs, not of the relation.",
        "A rise beyond two errors is one to come once outcomes arrive: find the feature that moved.",
    ),
    Advice(
        tuple(f"estimated_{name}_{end}" for name in _LOSSES for end in ("error", "gap")),
        "error at least 0, gap any",
        "The error is that of independent records and leaves out the model's own.",
        "A gap beyond two errors for a while: the relation has changed. Don't trust the estimates.",
    ),
    Advice(
        (
            "estimated_part_samples",
            *(f"estimated_part_{name}_ratio" for name in _MEASURES),
            *(f"estimated_part_{name}_error_ratio" for name in _MEASURES),
            *(f"estimated_part_{name}{end}" for name in _LOSSES for end in ("", "_error")),
            "estimated_confusion_records",
        ),
        "at least 0; ratios at most 1",
        "From coarse score bins, one calibration for all segments: a segment whose scores mean something "
        "else is estimated wrongly.",
        "Find the segment that falls, and compare with its realised quality before acting.",
    ),
)
