"""Numbers of quality by name, from counts and sums of any leading axes.

The same functions serve the whole model, its segments, and each total with one group of panes left
out. The names are those of the rows' fields.
"""

from __future__ import annotations

import numpy as np

from driftgauge.layout import Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches import quality as sketch
from driftgauge.stats import classification, regression
from driftgauge.stats.arrays import Counts, quotient
from driftgauge.stats.calibration import recalibration

Measures = dict[str, Floats]


def of_confusion(confusion: Counts) -> Measures:
    """A binary model's, from counts of shape (..., outcome, prediction)."""
    tn, fp = confusion[..., 0, 0], confusion[..., 0, 1]
    fn, tp = confusion[..., 1, 0], confusion[..., 1, 1]
    found = classification.of_cells(tp, fp, fn, tn)
    return {
        "accuracy": found.accuracy,
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "specificity": found.specificity,
        "balanced_accuracy": found.balanced_accuracy,
        "mcc": found.mcc,
    }


def of_scores(scores: Counts) -> Measures:
    """From counts by outcome and score bin, of shape (..., outcome, bins)."""
    negative, positive = scores[..., 0, :], scores[..., 1, :]
    area, half_width = classification.roc_auc(positive, negative)
    return {
        "roc_auc": area,
        "roc_auc_half_width": half_width,
        "average_precision": average_precision(scores),
    }


def average_precision(scores: Counts) -> Floats:
    """As in `of_scores`."""
    return classification.average_precision(scores[..., 1, :], scores[..., 0, :])


def share(part: Counts, whole: Counts) -> Floats:
    """``part / whole``; NaN where that is not defined."""
    return quotient(part, whole)


def average_precision_half_width(scores: Counts, average_precision: Floats) -> Floats:
    """How far that of the unbinned scores can lie from that of the bins."""
    low, high = classification.average_precision_range(scores[..., 1, :], scores[..., 0, :])
    return np.maximum(high - average_precision, average_precision - low)


def of_losses(log_loss: Floats, brier: Floats, scored: Floats) -> Measures:
    """Means of what was summed over so many records with scores."""
    return {
        "log_loss": classification.log_loss(log_loss, scored),
        "brier": classification.brier(brier, scored),
    }


def of_reliability(reliability: Counts, scores: Floats) -> Measures:
    """From counts by tenth of the score and outcome, shape (..., tenths, 2), and the sums of the scores."""
    counts = np.asarray(reliability, np.float64)
    return {"ece": classification.ece(counts.sum(axis=-1), scores, counts[..., 1])}


def of_log_odds(scores: Counts, log_odds: Floats) -> Measures:
    """Intercept and slope of a recalibration, from counts by outcome and score bin."""
    intercept, slope = recalibration(scores[..., 1, :], scores[..., 0, :], log_odds)
    return {"intercept": intercept, "slope": slope}


def of_classes(confusion: Counts) -> Measures:
    """Each class's against the rest, from counts of shape (..., classes, classes)."""
    found = classification.of_cells(*classification.per_class_counts(confusion))
    return {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "specificity": found.specificity,
    }


def of_errors(layout: Layout, row: Row, places: Ints) -> Measures:
    """A regression's, by group, from a total or digests of *layout*, of any leading axes."""
    n = layout.count(row, "errors")[..., places].astype(np.float64)
    percents = layout.count(row, "percents")[..., places].astype(np.float64)
    sums = layout.sum(row, "sums")[..., places, :]
    square = sums[..., sketch.SQUARE]
    return {
        "rmse": regression.rmse(n, square),
        "mae": regression.mae(n, sums[..., sketch.ABSOLUTE]),
        "bias": regression.bias(n, sums[..., sketch.ERROR]),
        "r2": regression.r2(n, square, sums[..., sketch.OUTCOME], sums[..., sketch.OUTCOME_SQUARE]),
        "mape": quotient(sums[..., sketch.PERCENT], percents),
    }
