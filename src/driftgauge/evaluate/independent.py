"""Intervals of quality that take records for independent: the least width of any that is published.

By name: (low, high), each of the shape of the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from driftgauge.evaluate import measures
from driftgauge.evaluate.measures import Measures
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.quality import (
    SCORE_LOG_ODDS,
    BinaryQuality,
    MulticlassQuality,
    RegressionQuality,
    coarse_scores,
)
from driftgauge.stats import intervals, regression
from driftgauge.stats.arrays import Counts, quotient
from driftgauge.stats.calibration import recalibration_error
from driftgauge.stats.classification import average_precision_without_one, macro

Z: Final = 1.959963984540054
Ends = dict[str, tuple[Floats, Floats]]


def around(values: Mapping[str, Floats], errors: Measures) -> Ends:
    """Normal intervals: *values* and 1.96 standard errors on both sides."""
    return {name: (values[name] - Z * e, values[name] + Z * e) for name, e in errors.items()}


def of_binary(quality: BinaryQuality, row: Row, values: Mapping[str, Floats]) -> Ends:
    """The whole model's, shape (totals, 1); *values* likewise."""
    confusion = quality.count(row, "confusion")[:, :1].astype(np.float64)
    scores = quality.count(row, "coarse")[:, :1].astype(np.float64)
    tn, fp, fn, tp = np.moveaxis(confusion.reshape(*confusion.shape[:2], 4), -1, 0)
    errors = {
        "roc_auc": intervals.roc_auc_error(
            values["roc_auc"], scores[..., 1, :].sum(axis=-1), scores[..., 0, :].sum(axis=-1)
        ),
        **losses(quality, row, scores.sum(axis=(-2, -1))),
        **by_cells(confusion, scores, values),
    }
    errors["ece"] = ece_error(quality.count(row, "reliability")[:, :1], quality.sum(row, "scores")[:, :1])
    by_score = quality.count(row, "score")[:, None]
    errors["intercept"], errors["slope"] = recalibration_error(
        by_score[..., 1, :], by_score[..., 0, :], SCORE_LOG_ODDS, values["intercept"], values["slope"]
    )
    low, high = intervals.wilson(
        np.stack([tp + tn, tp, tp, tn]), np.stack([tp + tn + fp + fn, tp + fp, tp + fn, tn + fp]), Z
    )
    shares = ("accuracy", "precision", "recall", "specificity")
    return {
        **{name: (low[place], high[place]) for place, name in enumerate(shares)},
        "f1": intervals.f1_interval(tp, fp, fn, Z),
        **around(values, errors),
    }


def losses(quality: sketch.Quality, row: Row, scored: Floats) -> Measures:
    """Standard errors of log loss and Brier score, shape (totals, 1) like *scored*."""
    return {
        name: intervals.mean_error(scored, quality.sum(row, name)[:, :1], quality.sum(row, name + "_square"))
        for name in ("log_loss", "brier")
    }


def by_cells(confusion: Floats, scores: Floats, values: Mapping[str, Floats]) -> Measures:
    """Standard errors of what no formula serves, from one record fewer in each cell."""
    one_less = np.maximum(confusion - np.eye(4).reshape(4, 1, 1, 2, 2), 0.0)
    without = measures.of_confusion(one_less)
    counts = np.moveaxis(confusion.reshape(*confusion.shape[:2], 4), -1, 0)
    found = {
        name: intervals.cell_error(values[name], without[name], counts)
        for name in ("balanced_accuracy", "mcc")
    }
    return {**found, "average_precision": average_precision_error(scores)}


def average_precision_error(scores: Floats) -> Floats:
    """Standard error from one record fewer in each cell, of counts by outcome and coarse score bin."""
    counts = np.moveaxis(scores.reshape(*scores.shape[:-2], scores.shape[-1] * 2), -1, 0)
    of_fewer = average_precision_without_one(scores[..., 1, :], scores[..., 0, :])
    return intervals.cell_error(measures.average_precision(scores), of_fewer, counts)


def ece_error(reliability: Counts, scores: Floats) -> Floats:
    """Standard error of the expected calibration error, from one record fewer in each cell.

    Args:
        reliability: shape (..., tenths, 2), records by tenth of the score and outcome. scores: their sums by
            tenth; a record is taken away with the mean score of its tenth.
    """
    counts = np.asarray(reliability, np.float64)
    tenths = counts.shape[-2]
    one = np.eye(2 * tenths).reshape(2 * tenths, *(1,) * (counts.ndim - 2), tenths, 2)
    mean = np.nan_to_num(quotient(scores, counts.sum(axis=-1)))
    fewer = np.maximum(counts - one, 0.0)
    without = measures.of_reliability(fewer, scores - mean * one.sum(axis=-1))["ece"]
    cells = np.moveaxis(counts.reshape(*counts.shape[:-2], 2 * tenths), -1, 0)
    return intervals.cell_error(measures.of_reliability(counts, scores)["ece"], without, cells)


def of_segments(right: Counts, n: Counts) -> Ends:
    """Accuracy's, by group."""
    return {"accuracy": intervals.wilson(right, n, Z)}


def of_classes(quality: MulticlassQuality, row: Row, known: Ints, values: Mapping[str, Floats]) -> Ends:
    """Each known class's, shape (totals, classes)."""
    confusion = quality.count(row, "confusion")[:, known[:, None], known].astype(np.float64)
    right, outcomes = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1)
    predictions = confusion.sum(axis=-2)
    coarse = coarse_scores(quality.count(row, "score")[:, known]).astype(np.float64)
    scores = coarse.sum(axis=-1)
    errors = {
        "roc_auc": intervals.roc_auc_error(values["roc_auc"], scores[..., 1], scores[..., 0]),
        "average_precision": average_precision_error(coarse),
    }
    others = confusion.sum(axis=(-2, -1))[:, None] - outcomes
    return {
        "specificity": intervals.wilson(others - (predictions - right), others, Z),
        "precision": intervals.wilson(right, predictions, Z),
        "recall": intervals.wilson(right, outcomes, Z),
        "f1": intervals.f1_interval(right, predictions - right, outcomes - right, Z),
        **around(values, errors),
    }


def of_macro(
    quality: MulticlassQuality, row: Row, values: Mapping[str, Floats], classes: Ends, recall: Floats
) -> Ends:
    """The whole model's and the macro means', shape (totals, 1); *classes* are `of_classes`, *recall* theirs.

    Half the width of a mean over classes is taken to be the mean of the classes' half-widths, which it
    can't exceed whatever their correlation.
    """
    right = quality.count(row, "right")[:, :1].astype(np.float64)
    predicted = quality.count(row, "predicted")[:, :1].astype(np.float64)
    scored = quality.count(row, "reliability").sum(axis=(-2, -1), dtype=np.float64)[:, None]
    ends: Ends = {
        "accuracy": intervals.wilson(right, predicted, Z),
        **around(values, losses(quality, row, scored)),
    }
    reliability, sums = quality.count(row, "reliability")[:, None], quality.sum(row, "scores")[:, None]
    confusion = quality.count(row, "confusion").astype(np.float64)
    ends |= around(
        values,
        {
            "ece": ece_error(reliability, sums),
            "mcc": intervals.multiclass_mcc_error(confusion)[:, None],
        },
    )
    low, high = intervals.mean_of_intervals(recall, classes["recall"])
    ends["balanced_accuracy"] = low[:, None], high[:, None]
    for name, (low, high) in classes.items():
        half = macro((high - low) / 2)[:, None]
        ends[name] = values[name] - half, values[name] + half
    return ends


def of_regression(quality: RegressionQuality, row: Row, places: Ints, values: Mapping[str, Floats]) -> Ends:
    """By group; RMSE's, R2's and MAPE's of the whole model alone, shape (totals, 1)."""
    n = quality.count(row, "errors")[:, places].astype(np.float64)
    sums = np.moveaxis(quality.sum(row, "sums")[:, places], -1, 0)
    square, whole = sums[sketch.SQUARE], sums[..., :1]
    fourth = np.moveaxis(quality.sum(row, "moments"), -1, 0)[..., None]
    errors = {
        "mae": intervals.mean_error(n, sums[sketch.ABSOLUTE], square),
        "bias": intervals.mean_error(n, sums[sketch.ERROR], square),
        "mape": intervals.mean_error(
            quality.count(row, "percents")[:, :1].astype(np.float64),
            whole[sketch.PERCENT],
            fourth[sketch.PERCENT_2],
        ),
        "rmse": regression.rmse_error(n[:, :1], whole[sketch.SQUARE], fourth[sketch.ERROR_4]),
        "r2": regression.r2_error(
            n[:, :1],
            (whole[sketch.SQUARE], whole[sketch.OUTCOME], whole[sketch.OUTCOME_SQUARE]),
            (
                fourth[sketch.ERROR_4],
                fourth[sketch.ERROR_2_OUTCOME],
                fourth[sketch.ERROR_2_OUTCOME_2],
                fourth[sketch.OUTCOME_3],
                fourth[sketch.OUTCOME_4],
            ),
        ),
    }
    return around({name: values[name][:, : error.shape[1]] for name, error in errors.items()}, errors)
