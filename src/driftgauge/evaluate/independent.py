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
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, RegressionQuality
from driftgauge.stats import intervals, regression
from driftgauge.stats.arrays import quotient

Z: Final = 1.959963984540054
Ends = dict[str, tuple[Floats, Floats]]


def around(values: Mapping[str, Floats], errors: Measures) -> Ends:
    """Normal intervals: *values* and 1.96 standard errors on both sides."""
    return {name: (values[name] - Z * e, values[name] + Z * e) for name, e in errors.items()}


def of_binary(quality: BinaryQuality, row: Row, values: Mapping[str, Floats]) -> Ends:
    """The whole model's, shape (1,); *values* likewise."""
    confusion = quality.count(row, "confusion")[:1].astype(np.float64)
    scores = quality.count(row, "coarse")[:1].astype(np.float64)
    tn, fp, fn, tp = confusion.reshape(1, 4).T
    errors = {
        "roc_auc": intervals.roc_auc_error(
            values["roc_auc"], scores[:, 1].sum(axis=-1), scores[:, 0].sum(axis=-1)
        ),
        **losses(quality, row, scores.sum()),
        **by_cells(confusion[0], scores[0]),
    }
    return {
        "accuracy": intervals.wilson(tp + tn, tp + tn + fp + fn, Z),
        "precision": intervals.wilson(tp, tp + fp, Z),
        "recall": intervals.wilson(tp, tp + fn, Z),
        "specificity": intervals.wilson(tn, tn + fp, Z),
        "f1": intervals.f1_interval(tp, fp, fn, Z),
        **around(values, errors),
    }


def losses(quality: sketch.Quality, row: Row, scored: float) -> Measures:
    """Standard errors of log loss and Brier score, shape (1,)."""
    return {
        name: intervals.mean_error(scored, quality.sum(row, name)[:1], quality.sum(row, name + "_square"))
        for name in ("log_loss", "brier")
    }


def by_cells(confusion: Floats, scores: Floats) -> Measures:
    """Standard errors of what no formula serves, from one record fewer in each cell, shape (1,)."""
    one_less = confusion - np.eye(4).reshape(4, 2, 2)
    there = np.maximum(one_less, 0.0)
    whole, without = measures.of_confusion(confusion), measures.of_confusion(there)
    found = {
        name: intervals.cell_error(whole[name], without[name], confusion.reshape(4))
        for name in ("balanced_accuracy", "mcc")
    }
    filled = np.argwhere(scores > 0)
    fewer = np.repeat(scores[None], len(filled), axis=0)
    fewer[np.arange(len(filled)), filled[:, 0], filled[:, 1]] -= 1
    counts = scores[filled[:, 0], filled[:, 1]]
    found["average_precision"] = intervals.cell_error(
        measures.average_precision(scores), measures.average_precision(fewer), counts
    )
    return {name: np.atleast_1d(error) for name, error in found.items()}


def of_segments(right: Floats, n: Floats) -> Ends:
    """Accuracy's, by group."""
    return {"accuracy": intervals.wilson(right, n, Z)}


def of_classes(quality: MulticlassQuality, row: Row, known: Ints, values: Mapping[str, Floats]) -> Ends:
    """Each known class's, shape (classes,)."""
    confusion = quality.count(row, "confusion")[np.ix_(known, known)].astype(np.float64)
    right, outcomes, predictions = np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    scores = quality.count(row, "score")[known].sum(axis=2).astype(np.float64)
    error = intervals.roc_auc_error(values["roc_auc"], scores[:, 1], scores[:, 0])
    return {
        "precision": intervals.wilson(right, predictions, Z),
        "recall": intervals.wilson(right, outcomes, Z),
        "f1": intervals.f1_interval(right, predictions - right, outcomes - right, Z),
        **around(values, {"roc_auc": error}),
    }


def of_macro(quality: MulticlassQuality, row: Row, values: Mapping[str, Floats], classes: Ends) -> Ends:
    """The whole model's and the macro means', shape (1,); *classes* are `of_classes`.

    Half the width of a mean over classes is taken to be the mean of the classes' half-widths, which it
    can't exceed whatever their correlation.
    """
    right = quality.count(row, "right")[:1].astype(np.float64)
    predicted = quality.count(row, "predicted")[:1].astype(np.float64)
    scored = float(quality.count(row, "reliability").sum())
    ends: Ends = {
        "accuracy": intervals.wilson(right, predicted, Z),
        **around(values, losses(quality, row, scored)),
    }
    for name, (low, high) in classes.items():
        there = ~np.isnan(high - low)
        half = quotient(np.where(there, high - low, 0.0).sum() / 2, there.sum())
        ends[name] = values[name] - half, values[name] + half
    return ends


def of_regression(quality: RegressionQuality, row: Row, places: Ints, values: Mapping[str, Floats]) -> Ends:
    """By group; RMSE's and R2's of the whole model alone, the first."""
    n = quality.count(row, "errors")[places].astype(np.float64)
    sums = quality.sum(row, "sums")[places]
    square = sums[:, sketch.SQUARE]
    fourth = quality.sum(row, "moments")
    errors = {
        "mae": intervals.mean_error(n, sums[:, sketch.ABSOLUTE], square),
        "bias": intervals.mean_error(n, sums[:, sketch.ERROR], square),
        "rmse": regression.rmse_error(n[:1], square[:1], fourth[sketch.ERROR_4]),
        "r2": regression.r2_error(
            n[:1],
            (square[:1], sums[:1, sketch.OUTCOME], sums[:1, sketch.OUTCOME_SQUARE]),
            (
                fourth[sketch.ERROR_4],
                fourth[sketch.ERROR_2_OUTCOME],
                fourth[sketch.ERROR_2_OUTCOME_2],
                fourth[sketch.OUTCOME_3],
                fourth[sketch.OUTCOME_4],
            ),
        ),
    }
    return around({name: values[name][: len(error)] for name, error in errors.items()}, errors)
