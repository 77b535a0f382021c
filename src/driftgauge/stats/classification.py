"""Quality of classifiers from counts and sums.

The metrics of one class against the rest all take the same four arrays, in the
same order (true positives, false positives, false negatives, true negatives),
so that ``f(*per_class_counts(confusion))`` works for each. Any shapes that
broadcast, whole or weighted counts. A quotient with nothing below the line is
NaN, not 0: no evidence is not bad evidence (scikit-learn's
``zero_division=nan``). O(elements). Counts that are negative or not finite raise
``ValueError``. Each is checked against scikit-learn's metric of that name to
1e-12, where both are defined. Source of these and of their means over classes:
Sokolova and Lapalme, "A systematic analysis of performance measures for
classification tasks", 2009, tables 2 and 3; of balanced accuracy Brodersen et
al., "The balanced accuracy and its posterior distribution", 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.stats.arrays import (
    Counts,
    Numbers,
    Values,
    checked_classes,
    checked_counts,
    quotient,
    totals,
)


def _four(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> tuple[Values, Values, Values, Values]:
    return (
        checked_counts(tp, "tp"),
        checked_counts(fp, "fp"),
        checked_counts(fn, "fn"),
        checked_counts(tn, "tn"),
    )


def accuracy(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Share of records predicted right, (tp + tn) / all; NaN without records.

    Errors, cost and source as the module says. Checked against ``sklearn.metrics.accuracy_score`` to 1e-12.
    """
    tp, fp, fn, tn = _four(tp, fp, fn, tn)
    return quotient(tp + tn, tp + fp + fn + tn)


def balanced_accuracy(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Mean of recall and specificity; NaN when either class has no outcome.

    (scikit-learn would average over the one class that is there.) For several
    classes: ``macro(recall(*per_class_counts(confusion)))``.

    Errors, cost and source as the module says. Checked against
    ``sklearn.metrics.balanced_accuracy_score`` to 1e-12.
    """
    return (recall(tp, fp, fn, tn) + specificity(tp, fp, fn, tn)) / 2


def precision(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Share of positive predictions that were right, tp / (tp + fp).

    NaN when nothing was predicted positive.

    Errors, cost and source as the module says. Checked against ``sklearn.metrics.precision_score`` to 1e-12.
    """
    tp, fp, _, _ = _four(tp, fp, fn, tn)
    return quotient(tp, tp + fp)


def recall(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Share of positive outcomes that were found, tp / (tp + fn).

    NaN when no outcome was positive.

    Errors, cost and source as the module says. Checked against ``sklearn.metrics.recall_score`` to 1e-12.
    """
    tp, _, fn, _ = _four(tp, fp, fn, tn)
    return quotient(tp, tp + fn)


def specificity(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Share of negative outcomes that were left alone, tn / (tn + fp).

    NaN when no outcome was negative.

    Errors, cost and source as the module says. Checked against ``sklearn.metrics.recall_score`` of the
    negatives to 1e-12.
    """
    _, fp, _, tn = _four(tp, fp, fn, tn)
    return quotient(tn, tn + fp)


def f1(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn).

    0 when positives exist or were predicted and none was right; NaN when there
    are neither positive outcomes nor positive predictions.

    Errors, cost and source as the module says. Checked against ``sklearn.metrics.f1_score`` to 1e-12.
    """
    tp, fp, fn, _ = _four(tp, fp, fn, tn)
    return quotient(2 * tp, 2 * tp + fp + fn)


def mcc(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> Values:
    """Matthews correlation coefficient (Matthews, 1975), in [-1, 1].

    NaN when outcomes or predictions are all of one class (scikit-learn gives 0).
    For several classes: `multiclass_mcc`.

    Errors and cost as the module says. Checked against ``sklearn.metrics.matthews_corrcoef`` to 1e-12.
    """
    tp, fp, fn, tn = _four(tp, fp, fn, tn)
    covariance = tp * tn - fp * fn
    spread = np.sqrt((tp + fp) * (tn + fn)) * np.sqrt((tp + fn) * (tn + fp))
    return np.clip(quotient(covariance, spread), -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class OfCells:
    """What `of_cells` gives; each field as the function of that name."""

    accuracy: Values
    precision: Values
    recall: Values
    f1: Values
    specificity: Values
    balanced_accuracy: Values
    mcc: Values


def of_cells(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> OfCells:
    """All metrics of one class against the rest, in a third of the time of one by one.

    Every number is equal to that of the single function; arrays of one shape.

    Raises:
        ValueError: a bad count.

    Cost: O(elements). Checked against the single functions, exactly.
    """
    tp, fp, fn, tn = _four(tp, fp, fn, tn)
    chosen, positive, negative = tp + fp, tp + fn, tn + fp
    covariance = tp * tn - fp * fn
    spread = np.sqrt(chosen * (tn + fn)) * np.sqrt(positive * negative)
    accuracy, precision, recall, f1, specificity, mcc = quotient(
        np.array([tp + tn, tp, tp, 2 * tp, tn, covariance]),
        np.array([chosen + fn + tn, chosen, positive, 2 * tp + fp + fn, negative, spread]),
    )
    balanced = (recall + specificity) / 2
    return OfCells(accuracy, precision, recall, f1, specificity, balanced, np.clip(mcc, -1.0, 1.0))


def per_class_counts(confusion: Counts) -> tuple[Values, Values, Values, Values]:
    """(tp, fp, fn, tn) of each class against the rest.

    Args:
        confusion: shape (..., classes, classes), rows the outcome, columns the
            prediction.

    Returns:
        Four arrays of shape (..., classes); all 0 for an empty matrix.

    Raises:
        ValueError: not square, or a bad count.

    Cost: O(elements). Source as the module says. Checked against
    ``sklearn.metrics.multilabel_confusion_matrix``, exactly.
    """
    matrix = _square(confusion)
    outcomes: Values = matrix.sum(axis=-1)
    predictions: Values = matrix.sum(axis=-2)
    tp: Values = np.diagonal(matrix, axis1=-2, axis2=-1)
    total: Values = outcomes.sum(axis=-1, keepdims=True)
    # Grouped so that only differences of sums over the same cells are taken.
    return tp, predictions - tp, outcomes - tp, (total - outcomes) - (predictions - tp)


def multiclass_accuracy(confusion: Counts) -> Values:
    """Share of records on the diagonal, shape (...); NaN for an empty matrix.

    Argument, errors, cost and source as for `per_class_counts`. Checked against
    ``sklearn.metrics.accuracy_score`` to 1e-12.
    """
    matrix = _square(confusion)
    return quotient(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def multiclass_mcc(confusion: Counts) -> Values:
    """Matthews correlation for several classes (R_K; Gorodkin, 2004), in [-1, 1].

    NaN when outcomes or predictions are all of one class. Equal to `mcc` for two
    classes. Argument, errors and cost as for `per_class_counts`. Checked against
    ``sklearn.metrics.matthews_corrcoef`` to 1e-12.
    """
    matrix = _square(confusion)
    total = matrix.sum(axis=(-2, -1))
    outcomes, predictions = matrix.sum(axis=-1), matrix.sum(axis=-2)
    right = np.trace(matrix, axis1=-2, axis2=-1)
    covariance = right * total - (outcomes * predictions).sum(axis=-1)
    of_outcomes = total**2 - (outcomes**2).sum(axis=-1)
    of_predictions = total**2 - (predictions**2).sum(axis=-1)
    return np.clip(quotient(covariance, np.sqrt(of_outcomes * of_predictions)), -1.0, 1.0)


def _square(confusion: Counts) -> Values:
    matrix = checked_counts(confusion, "confusion")
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"confusion: expected shape (..., K, K), found {matrix.shape}")
    return matrix


def macro(values: Values) -> Values:
    """Plain mean over the last axis (classes) of what is defined; NaN when nothing is.

    Raises: nothing; any number is taken. Cost: O(elements). Checked against
    scikit-learn's ``average="macro"`` to 1e-12.
    """
    there = ~np.isnan(values)
    return quotient(np.where(there, values, 0.0).sum(axis=-1), there.sum(axis=-1))


def weighted(values: Values, support: Counts) -> Values:
    """Mean over the last axis weighted by *support*, of what is defined.

    A class whose value is NaN takes no part, nor does its weight. NaN when no
    class with a value has support.

    Raises:
        ValueError: a bad support, or one that does not broadcast with *values*.

    Cost: O(elements). Checked against scikit-learn's ``average="weighted"`` to 1e-12.
    """
    weights = np.where(np.isnan(values), 0.0, checked_counts(support, "support"))
    return quotient((np.nan_to_num(values) * weights).sum(axis=-1), weights.sum(axis=-1))


def roc_auc(positive_counts: Counts, negative_counts: Counts) -> tuple[Values, Values]:
    """Area under the ROC curve from score bins, and how far it can be off.

    The chance that a positive record's score lies above a negative one's, a tie
    (here: the same bin) counting half; the Mann-Whitney statistic.

    Args:
        positive_counts, negative_counts: shape (..., bins), the records of each
            outcome per score bin, bins ascending by score.

    Returns:
        (value, half width), each of shape (...). The area of the unbinned scores
        lies in value +- half width, where half width = ``sum(P_i * N_i) /
        (2 * P * N)``; where each distinct score has its own bin they are equal.
        Both NaN when a class is absent.

    Raises:
        ValueError: shapes differ, no axis of bins, or a bad count.

    Cost: O(elements). Source: Hanley and McNeil, 1982. Checked against
    ``sklearn.metrics.roc_auc_score`` to 1e-12, and the half width on continuous
    scores.
    """
    positive, negative = checked_classes(positive_counts, negative_counts)
    pairs = positive.sum(axis=-1) * negative.sum(axis=-1)
    tied = (positive * negative).sum(axis=-1) / 2
    above = (positive * (np.cumsum(negative, axis=-1) - negative)).sum(axis=-1)
    return np.minimum(quotient(above + tied, pairs), 1.0), quotient(tied, pairs)


def average_precision(positive_counts: Counts, negative_counts: Counts) -> Values:
    """Average precision from score bins: precision at each bin's lower end, weighted by recall.

    ``sum((R_i - R_(i+1)) * precision_i)`` from the highest bin down, without
    interpolation; records of one bin are tied. Arguments, errors and cost as for
    `roc_auc`.

    Returns:
        In [0, 1], shape (...); 1 without negatives; NaN without positives.

    Source: scikit-learn's definition. Checked against
    ``sklearn.metrics.average_precision_score`` to 1e-12.
    """
    positive, negative = checked_classes(positive_counts, negative_counts)
    found = np.cumsum(positive[..., ::-1], axis=-1)
    flagged = found + np.cumsum(negative[..., ::-1], axis=-1)
    precisions = np.zeros_like(flagged)
    np.divide(found, flagged, out=precisions, where=flagged > 0)
    gained: Values = (positive[..., ::-1] * precisions).sum(axis=-1)
    return np.minimum(quotient(gained, positive.sum(axis=-1)), 1.0)


def average_precision_without_one(positive_counts: Counts, negative_counts: Counts) -> Values:
    """`average_precision` with one record fewer in each cell in turn, all of them in one pass.

    Arguments as for `roc_auc`, whole counts.

    Returns:
        Shape (2 * bins, ...): the cells of the negatives by bin, then of the positives; of an empty cell
        a number without meaning.

    Raises:
        ValueError: shapes differ, or a bad count.

    Cost: O(elements), where taking each away is O(bins * elements).
    Source: by hand; only the precisions from the record's bin down change. Checked against
    `average_precision` of the counts without it to 1e-12.
    """
    positive, negative = checked_classes(positive_counts, negative_counts)
    own = positive[..., ::-1]
    found = np.cumsum(own, axis=-1)
    flagged = found + np.cumsum(negative[..., ::-1], axis=-1)
    left = np.where(flagged > 1, flagged - 1, np.inf)
    n = found[..., -1:]
    gained = own * found / np.where(flagged > 0, flagged, np.inf)
    above = np.cumsum(gained, axis=-1) - gained
    no_negative, no_positive = own * found / left, own * (found - 1) / left
    negatives = above + _from_here(no_negative)
    positives = above + _from_here(no_positive) - (found - 1) / left
    cells = np.concatenate(
        [quotient(negatives, n)[..., ::-1], quotient(positives, n - 1)[..., ::-1]], axis=-1
    )
    return np.asarray(np.minimum(np.moveaxis(cells, -1, 0), 1.0))


def _from_here(values: Values) -> Values:
    """Sums of each and all that follow."""
    return np.asarray(np.cumsum(values[..., ::-1], axis=-1)[..., ::-1])


def average_precision_range(positive_counts: Counts, negative_counts: Counts) -> tuple[Values, Values]:
    """Between which values the average precision of the unbinned scores lies, given the bins.

    A positive record of bin i is found at a threshold that has flagged all records of higher bins, at
    least itself and at most all of its own: its precision lies between ``(T + 1) / (T + 1 + F + N_i)``
    and ``(T + P_i) / (T + P_i + F)``, T and F the positives and negatives of higher bins. Arguments
    and errors as for `roc_auc`.

    Returns:
        (low, high), each of shape (...), around `average_precision`; both NaN without positives.
        O(elements).

    Source: by hand. Checked on ordered and tied scores against
    ``sklearn.metrics.average_precision_score``.
    """
    positive, negative = checked_classes(positive_counts, negative_counts)
    above = _higher(positive), _higher(negative)
    worst = quotient(above[0] + 1, above[0] + 1 + above[1] + negative)
    best = quotient(above[0] + positive, above[0] + positive + above[1])
    n = positive.sum(axis=-1)
    low, high = (np.where(positive > 0, positive * p, 0.0).sum(axis=-1) for p in (worst, best))
    return quotient(low, n), np.minimum(quotient(high, n), 1.0)


def _higher(counts: Values) -> Values:
    """Counts of the bins above each."""
    return np.asarray(np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1] - counts)


def log_loss(sum_log_loss: Numbers, n: Numbers) -> Values:
    """Mean of ``-ln(score of the class that came)``, in nats; NaN without records.

    The caller clips scores to the float64 epsilon before it sums, as
    scikit-learn does; one score of 0 would make it infinite. A sum that is not
    finite gives NaN; errors (of *n*) and cost as the module says. Source: Good,
    "Rational decisions", 1952. Checked against ``sklearn.metrics.log_loss`` to
    1e-12 relative.
    """
    return quotient(sum_log_loss, checked_counts(n, "n"))


def brier(sum_squared: Numbers, n: Numbers) -> Values:
    """Mean squared difference of score and outcome (Brier, 1950); NaN without records.

    Errors (of *n*) and cost as the module says. Checked against
    ``sklearn.metrics.brier_score_loss`` to 1e-12 relative.
    """
    return quotient(sum_squared, checked_counts(n, "n"))


def ece(bin_counts: Counts, bin_score_sums: Values, bin_outcome_sums: Values) -> Values:
    """Expected calibration error: |mean outcome - mean score| of each bin, weighted by its share.

    Args:
        bin_counts: records per score bin, shape (..., bins).
        bin_score_sums: sum of their scores.
        bin_outcome_sums: sum of their outcomes (0 or 1).

    Returns:
        In [0, 1] for scores in [0, 1], shape (...); empty bins take no part; NaN
        without records. It falls with fewer bins: quote their number beside it.

    Raises:
        ValueError: shapes differ, no axis of bins, or a bad count of records.

    Cost: O(elements). Source: Naeini, Cooper and Hauskrecht, 2015, eq. 3. Checked by hand and
    against ``sklearn.calibration.calibration_curve`` weighted by counts, to 1e-12.
    """
    counts, gaps = _calibration_gaps(bin_counts, bin_score_sums, bin_outcome_sums)
    return quotient(gaps.sum(axis=-1), counts.sum(axis=-1))


def mce(bin_counts: Counts, bin_score_sums: Values, bin_outcome_sums: Values) -> Values:
    """Maximum calibration error: the largest |mean outcome - mean score| of a bin.

    Arguments, errors, cost and source as for `ece`; one record in a bin is enough
    to decide it. NaN without records. Checked by hand and against
    ``sklearn.calibration.calibration_curve`` to 1e-12.
    """
    counts, gaps = _calibration_gaps(bin_counts, bin_score_sums, bin_outcome_sums)
    worst: Values = np.nan_to_num(quotient(gaps, counts)).max(axis=-1)
    return np.where(totals(counts)[..., 0] > 0, worst, np.nan)


def _calibration_gaps(
    bin_counts: Counts, bin_score_sums: Values, bin_outcome_sums: Values
) -> tuple[Values, Values]:
    counts = checked_counts(bin_counts, "bin_counts")
    scores, outcomes = np.asarray(bin_score_sums), np.asarray(bin_outcome_sums)
    if counts.ndim == 0 or not counts.shape == scores.shape == outcomes.shape:
        raise ValueError(
            f"bin_score_sums, bin_outcome_sums: expected the shape of bin_counts, {counts.shape}, "
            f"found {scores.shape} and {outcomes.shape}"
        )
    return counts, np.where(counts > 0, np.abs(outcomes - scores), 0.0)
