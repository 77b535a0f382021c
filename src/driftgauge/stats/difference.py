"""Whether two samples of joined records differ in quality: one model version against another.

Both samples are taken for independent of each other. Where the same cases were seen by both (shadow
traffic) these err on the side of no difference, and `stats.paired` has the tests.
`inflation` widens the standard error for records that resemble their neighbours: the root of the
overdispersion factor. Shapes broadcast; everything is elementwise. NaN where a sample is too small to
tell; negative counts raise ``ValueError``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.stats.arrays import Counts, Numbers, Values, checked_classes, checked_counts, quotient
from driftgauge.stats.intervals import wilson
from driftgauge.stats.special import functions


@dataclass(frozen=True, slots=True)
class Difference:
    """The second sample's value minus the first's.

    Attributes:
        value: the difference.
        low, high: its interval; around *value*.
        p: two-sided, 0 to 1: the chance of one at least as large if there were none.
    """

    value: Values
    low: Values
    high: Values
    p: Values


def proportions(
    first_hits: Numbers,
    first_n: Numbers,
    second_hits: Numbers,
    second_n: Numbers,
    *,
    inflation: Numbers = 1.0,
    z: float = 1.96,
) -> Difference:
    """Difference of two shares: pooled z test, and Newcombe's interval from two Wilson ones.

    Args:
        first_hits, second_hits: at most first_n, second_n.
        inflation: at least 1; multiplies the standard error.
        z: half width of the interval in standard errors; 1.96 is 95%.

    Returns:
        NaN where a sample is empty. p is 1 where both shares are 0, or both 1. O(elements).

    Raises:
        ValueError: negative counts, more hits than records, inflation below 1, z not above 0.

    Source: Newcombe, 1998, method 10; the z test is the chi-square test of a 2 by 2 table without
    correction. Checked against ``scipy.stats.chi2_contingency(..., correction=False)`` to 1e-9 and
    Newcombe's published table (1998, table II) to its 4 digits.
    """
    hits = checked_counts(first_hits, "first_hits"), checked_counts(second_hits, "second_hits")
    n = checked_counts(first_n, "first_n"), checked_counts(second_n, "second_n")
    factor = inflated(inflation)
    (low_1, high_1), (low_2, high_2) = wilson(hits[0], n[0], z), wilson(hits[1], n[1], z)
    share_1, share_2 = quotient(hits[0], n[0]), quotient(hits[1], n[1])
    value = share_2 - share_1
    below = np.hypot(share_2 - low_2, high_1 - share_1)
    above = np.hypot(high_2 - share_2, share_1 - low_1)
    pooled = quotient(hits[0] + hits[1], n[0] + n[1])
    error = np.sqrt(pooled * (1 - pooled) * (quotient(1.0, n[0]) + quotient(1.0, n[1])))
    return Difference(
        value,
        np.maximum(value - factor * below, -1.0),
        np.minimum(value + factor * above, 1.0),
        two_sided(value, factor * error),
    )


def auc_variance(positive_counts: Counts, negative_counts: Counts) -> Values:
    """Variance of the ROC AUC from score bins, by the placements of each class among the other.

    ``S10 / P + S01 / N`` with the sample variances (ddof 1) of the placements: the share of the other
    class that a record's score beats, ties (here: the same bin) counting half.

    Args:
        positive_counts, negative_counts: shape (..., bins), bins ascending by score.

    Returns:
        Shape (...); NaN with fewer than 2 records of a class. O(elements).

    Raises:
        ValueError: shapes that differ, negative counts.

    Source: DeLong, DeLong and Clarke-Pearson, 1988, eq. 5 and 6. Checked against the definition
    written out over every pair of records to 1e-12.
    """
    positive, negative = checked_classes(positive_counts, negative_counts)
    beaten = np.cumsum(negative, axis=-1) - negative / 2
    beating = positive.sum(axis=-1, keepdims=True) - np.cumsum(positive, axis=-1) + positive / 2
    return _placed(positive, beaten, negative) + _placed(negative, beating, positive)


def _placed(counts: Values, placements: Values, others: Values) -> Values:
    """Sample variance of the mean placement of the records in *counts* among *others*."""
    n = counts.sum(axis=-1)
    share = quotient(placements, others.sum(axis=-1, keepdims=True))
    mean = quotient((counts * share).sum(axis=-1), n)
    squares = (counts * np.square(share - np.expand_dims(mean, -1))).sum(axis=-1)
    return quotient(squares, np.where(n >= 2, n * (n - 1), np.nan))


def roc_aucs(
    first: tuple[Values, Values], second: tuple[Values, Values], *, inflation: Numbers = 1.0, z: float = 1.96
) -> Difference:
    """Difference of two ROC AUCs of independent samples: a z test.

    Args:
        first, second: value and variance of each, as `auc_variance` gives it.
        inflation: at least 1; multiplies the standard error.
        z: half width of the interval in standard errors; 1.96 is 95%.

    Returns:
        NaN where either is. O(elements).

    Raises:
        ValueError: an area outside [0, 1], a negative variance, inflation below 1, z not above 0.

    Source: Hanley and McNeil, 1982, for independent samples (their eq. 4), with DeLong's variances.
    Checked against ``scipy.stats.norm.sf`` of the ratio to 1e-12.
    """
    if (np.asarray(first[1]) < 0).any() or (np.asarray(second[1]) < 0).any():
        raise ValueError("variance: expected numbers of at least 0, found less")
    areas = np.asarray(first[0], np.float64), np.asarray(second[0], np.float64)
    if any(((area < 0) | (area > 1)).any() for area in areas):
        raise ValueError("area: expected values in [0, 1], found others")
    if not 0 < z < np.inf:
        raise ValueError(f"z: expected a finite number above 0, found {z}")
    value = areas[1] - areas[0]
    error = inflated(inflation) * np.sqrt(np.asarray(first[1], np.float64) + second[1])
    p = two_sided(value, error)
    return Difference(value, np.maximum(value - z * error, -1.0), np.minimum(value + z * error, 1.0), p)


def means(
    first: tuple[Numbers, Numbers, Numbers],
    second: tuple[Numbers, Numbers, Numbers],
    *,
    inflation: Numbers = 1.0,
    confidence: float = 0.95,
) -> Difference:
    """Difference of two means of unequal variance: Welch's t test.

    Args:
        first, second: records, sum, and sum of squares (both about the same centre) of each sample.
        inflation: at least 1; multiplies the standard error.
        confidence: of the interval, in (0, 1).

    Returns:
        NaN where a sample has fewer than 2 records. p is 1 where neither varies and they are equal, 0
        where neither varies and they are not. O(elements).

    Raises:
        ValueError: negative counts, inflation below 1, confidence outside of (0, 1).

    Source: Welch, 1947, degrees of freedom by Welch-Satterthwaite. Checked against
    ``scipy.stats.ttest_ind(equal_var=False)`` and its interval to 1e-9.
    """
    special = functions()

    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence}")
    factor = inflated(inflation)
    mean_1, error_1, n_1 = mean_and_variance(*first)
    mean_2, error_2, n_2 = mean_and_variance(*second)
    value, square = mean_2 - mean_1, error_1 + error_2
    freedom = quotient(
        np.square(square), quotient(np.square(error_1), n_1 - 1) + quotient(np.square(error_2), n_2 - 1)
    )
    error = factor * np.sqrt(square)
    reach = np.where(
        error > 0, special.stdtrit(np.where(error > 0, freedom, 1.0), (1 + confidence) / 2) * error, error
    )
    p = 2 * special.stdtr(freedom, -np.abs(quotient(value, error)))
    p = np.where(error == 0, np.where(value == 0, 1.0, 0.0), p)
    return Difference(value, value - reach, value + reach, np.where(np.isnan(value), np.nan, p))


def mean_and_variance(n: Numbers, total: Numbers, squares: Numbers) -> tuple[Values, Values, Values]:
    """Mean of *n* values with these sums, the mean's variance, and how many they are.

    Returns:
        All NaN with fewer than 2. O(elements).

    Raises:
        ValueError: negative counts.

    Source: the variance with ddof 1. Checked by the tests of `means` and `stats.paired`.
    """
    count = checked_counts(n, "n")
    enough = np.where(count >= 2, count, np.nan)
    mean = quotient(total, enough)
    spread = np.maximum(np.asarray(squares, np.float64) - enough * np.square(mean), 0.0)
    return mean, quotient(spread, enough * (enough - 1)), enough


def inflated(inflation: Numbers) -> Values:
    """What a standard error is multiplied by. O(elements).

    Raises:
        ValueError: a number below 1.

    Checked by the tests of all that takes an inflation.
    """
    factor = np.asarray(inflation, np.float64)
    if not (factor >= 1).all():
        raise ValueError("inflation: expected numbers of at least 1, found less")
    return factor


def two_sided(value: Values, error: Values) -> Values:
    """Chance of a normal deviate at least as far from 0 as *value* is in units of *error*.

    1 where there is neither a value nor an error, NaN where either is. Raises: nothing. O(elements).
    Checked against ``scipy.stats.norm.sf`` to 1e-12.
    """
    special = functions()

    ratio = quotient(np.abs(value), error)
    p = 2 * special.ndtr(-ratio)
    certain = np.where(np.asarray(value) == 0, 1.0, 0.0)
    return np.where(np.isnan(value) | np.isnan(error), np.nan, np.where(np.asarray(error) == 0, certain, p))
