"""Performance without outcomes: what confusion counts and ROC AUC to expect of calibrated scores.

Everything is a function of the positives by predicted class and score bin, whose expectation is the
number of predictions times the bin's chance; its sampling error follows by the delta method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.stats.arrays import Bins, Counts, Values, checked_counts, quotient
from driftgauge.stats.isotonic import Isotonic

# What another positive in the bins of either predicted class changes, at first, above the line of
# accuracy, precision, recall and F1.
_SLOPES = np.array([[-1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 2.0]])


@dataclass(frozen=True, slots=True)
class Estimated:
    """A metric's expected value, and the standard error of the realised one about it; NaN: undefined."""

    value: Values
    error: Values


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of predictions whose outcomes are not known, all of one leading shape.

    Attributes:
        confusion: shape (..., 2, 2), expected records by outcome and predicted class.
    """

    confusion: Values
    accuracy: Estimated
    precision: Estimated
    recall: Estimated
    f1: Estimated
    roc_auc: Estimated


def expected(counts: Counts, calibration: Isotonic) -> Expected:
    """Confidence-based estimates of binary predictions (CBPE), any number of groups at once.

    Assumes that the chance of the outcome given the score is what it was where it was calibrated; a
    change of that (concept drift) can't be seen. ``TP = sum n1 c``, ``FP = sum n1 (1 - c)``,
    ``FN = sum n0 c``, ``TN = sum n0 (1 - c)`` over the bins; ROC AUC from the expected positives and
    negatives by bin, ties counted half. The error is that of the realised value about the estimate:
    the outcomes' own chance, ``sum n c (1 - c) g^2`` with g the derivative by a bin's positives, and
    what the calibration's finite records add, by blocks.

    Args:
        counts: shape (..., 2, B), predictions by predicted class (the second is positive) and bin.
        calibration: of B bins, or with the chance and block of each of them.

    Returns:
        values of shape (...,); NaN where nothing was predicted (precision: nothing positive).

    Raises:
        ValueError: a count is bad, or the bins aren't the calibration's.

    Cost: O(groups * B). Source: NannyML, "Confidence-based Performance Estimation" (documentation of
    0.13); Poisson-binomial variance (Le Cam, 1960). Checked against NannyML's CBPE on the car
    loan, within 0.002 in each chunk (tests/golden); against scikit-learn's metrics with each chance as a
    weight; the error by simulation.
    """
    n = checked_counts(counts, "counts")
    bins = calibration.chance.size
    if n.ndim < 2 or n.shape[-2:] != (2, bins):
        raise ValueError(f"counts: expected shape (..., 2, {bins}), found {n.shape}")
    c = calibration.chance
    hits, misses = (n * c).sum(axis=-1), (n * (1 - c)).sum(axis=-1)
    confusion = np.stack([misses, hits], axis=-2)
    fn, tp = hits[..., 0], hits[..., 1]
    tn, fp = misses[..., 0], misses[..., 1]
    total, chosen, positive = tn + fp + fn + tp, tp + fp, tp + fn
    below = np.stack([total, chosen, positive, chosen + positive], axis=-1)
    values = quotient(np.stack([tp + tn, tp, tp, 2 * tp], axis=-1), below)
    # By predicted class, of accuracy, precision, recall and F1, times what is below the line.
    slopes = np.broadcast_to(_SLOPES, (*values.shape, 2)).copy()
    slopes[..., 2:, :] -= values[..., 2:, None]
    auc, slope = _roc_auc(n.sum(axis=-2), c)
    pooling = _Pooling.of(calibration)
    errors = pooling.error(n, quotient(slopes, below[..., None]))
    of_auc = pooling.error_by_bin(n.sum(axis=-2), slope)
    errors = np.where(np.isnan(values), np.nan, errors)
    accuracy, precision, recall, f1 = (Estimated(values[..., i], errors[..., i]) for i in range(4))
    of_area = Estimated(auc, np.where(np.isnan(auc), np.nan, of_auc))
    return Expected(confusion, accuracy, precision, recall, f1, of_area)


def _roc_auc(n: Values, c: Values) -> tuple[Values, Values]:
    """Expected ROC AUC of predictions by bin, and its derivative by each bin's positives."""
    positive, negative = n * c, n * (1 - c)
    ones, zeros = positive.sum(axis=-1, keepdims=True), negative.sum(axis=-1, keepdims=True)
    below = np.cumsum(negative, axis=-1) - negative / 2
    above = ones - np.cumsum(positive, axis=-1) + positive / 2
    auc = quotient((positive * below).sum(axis=-1, keepdims=True), ones * zeros)
    slope = quotient(below - above, ones * zeros) - quotient(auc, ones) + quotient(auc, zeros)
    return auc[..., 0], slope


@dataclass(frozen=True, slots=True)
class _Pooling:
    """How far outcomes, and the calibration, spread: ``c (1 - c)`` by bin, and by block per record."""

    own: Values
    fitted: Values
    starts: Bins

    @classmethod
    def of(cls, calibration: Isotonic) -> _Pooling:
        c, block = calibration.chance, calibration.block
        filled = np.zeros(calibration.records.size)
        filled[block] = c
        # Bins of a block follow each other.
        starts = block.searchsorted(np.arange(calibration.records.size))
        return cls(c * (1 - c), filled * (1 - filled) / calibration.records, starts)

    def error(self, n: Values, slopes: Values) -> Values:
        """Shape (..., metrics): *slopes* by metric and predicted class, (..., metrics, 2)."""
        chance = np.vecdot(slopes**2, np.vecdot(n, self.own)[..., None, :])
        pooled = slopes @ np.add.reduceat(n, self.starts, axis=-1)
        return np.asarray(np.sqrt(chance + np.vecdot(pooled**2, self.fitted)), np.float64)

    def error_by_bin(self, n: Values, slope: Values) -> Values:
        """Shape (...): *slope* by bin whatever the predicted class, shape (..., B), as *n*."""
        weight = n * slope
        pooled = np.add.reduceat(weight, self.starts, axis=-1)
        chance = np.vecdot(weight * slope, self.own)
        return np.asarray(np.sqrt(chance + np.vecdot(pooled**2, self.fitted)), np.float64)


def unsupported_ratio(counts: Counts, records: Counts, least: float) -> float:
    """Share of predictions in bins where fewer than *least* records were calibrated; NaN when empty.

    Args:
        counts, records: shape (B,), predictions and calibration records by the same bins.
        least: records that a bin needs.

    Raises:
        ValueError: shapes differ or a count is bad.

    Cost: O(B). Checked by hand.
    """
    n, held = checked_counts(counts, "counts"), checked_counts(records, "records")
    if n.shape != held.shape:
        raise ValueError(f"records: expected shape {n.shape}, found {held.shape}")
    return float(quotient(n[held < least].sum(), n.sum()))


def expected_errors(
    n: Counts, absolute: Values, square: Values, variance: Values, fourth: Values
) -> tuple[Estimated, Estimated]:
    """Mean absolute and root mean squared error to expect of n predictions (direct loss estimation).

    Args:
        n: shape (...), predictions. The sums over them of what a model of the loss expects of each:
        absolute, square: the error's absolute value and square.
        variance: of the absolute value: its expected square less the square of its expectation.
        fourth: the error's fourth power.

    Returns:
        MAE and RMSE with the error of the realised value about each: ``sqrt(variance) / n``, and
        ``sqrt(fourth - square of squares) / (2 n RMSE)`` with the latter bounded by ``square^2 / n``;
        independent records, the model's own error left out. NaN where nothing was predicted.

    Raises:
        ValueError: a sum is negative or not finite, or n is.

    Cost: O(elements). Source: NannyML, "Direct Loss Estimation" (documentation of 0.13); delta method.
    Checked by hand and by simulation; against NannyML's table of the car price in tests/golden.
    """
    count = checked_counts(n, "n")
    sums = (absolute, square, variance, fourth)
    names = ("absolute", "square", "variance", "fourth")
    first, second, spread, high = (checked_counts(s, name) for s, name in zip(sums, names, strict=True))
    rmse = np.sqrt(quotient(second, count))
    beyond = np.maximum(high - quotient(second**2, count), 0.0)
    return (
        Estimated(quotient(first, count), quotient(np.sqrt(spread), count)),
        Estimated(rmse, quotient(np.sqrt(beyond), 2 * count * rmse)),
    )
