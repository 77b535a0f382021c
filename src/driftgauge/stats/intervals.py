"""Intervals and standard errors that take records for independent."""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Counts, Numbers, Values, checked_counts, quotient


def wilson(successes: Numbers, n: Numbers, z: float = 1.96) -> tuple[Values, Values]:
    """Wilson score interval of a binomial share.

    Args:
        successes: at least 0, at most n; whole or weighted. Shapes broadcast.
        n: trials.
        z: half width in standard errors; 1.96 is 95%.

    Returns:
        (low, high), inside [0, 1] and around successes / n; low is exactly 0
        without successes, high exactly 1 without failures. NaN where n is 0.
        O(elements).

    Raises:
        ValueError: a negative count, more successes than trials, or z not above 0.

    Source: Wilson, 1927; Brown, Cai and DasGupta, 2001, eq. 4. Checked against
    ``scipy.stats.binomtest(...).proportion_ci(method="wilson")`` to 1e-12.
    """
    hits, trials = checked_counts(successes, "successes"), checked_counts(n, "n")
    if not 0 < z < np.inf:
        raise ValueError(f"z: expected a finite number above 0, found {z}")
    if (hits > trials).any():
        raise ValueError("successes: expected at most n, found more")
    some = np.where(trials > 0, trials, np.nan)
    middle = hits + z * z / 2
    reach = z * np.sqrt(hits * (some - hits) / some + z * z / 4)
    low = np.where(hits == 0, 0.0, np.maximum((middle - reach) / (some + z * z), 0.0))
    high = np.where(hits == some, 1.0, np.minimum((middle + reach) / (some + z * z), 1.0))
    return np.where(np.isnan(some), np.nan, low), high


def difference_interval(
    first: tuple[Numbers, Numbers, Numbers], second: tuple[Numbers, Numbers, Numbers]
) -> tuple[Values, Values]:
    """Interval of *first* less *second*, from the interval of each: two independent samples.

    Args:
        first, second: (value, low, high) of any equal shapes; NaN where there is none.

    Returns:
        (low, high); NaN where an end isn't known. O(elements).

    Raises:
        ValueError: a low end above, or a high end below its value.

    Source: Newcombe, "Interval estimation for the difference between independent proportions", 1998,
    method 10; Zou and Donner, 2008, for other numbers. Checked against his printed
    56/70 less 48/80, to its 4 digits.
    """
    (a, a_low, a_high), (b, b_low, b_high) = (
        tuple(np.asarray(part, np.float64) for part in side) for side in (first, second)
    )
    if (a_low > a).any() or (a_high < a).any() or (b_low > b).any() or (b_high < b).any():
        raise ValueError("first, second: expected low <= value <= high, found others")
    apart = a - b
    return apart - np.hypot(a - a_low, b_high - b), apart + np.hypot(a_high - a, b - b_low)


def f1_interval(tp: Numbers, fp: Numbers, fn: Numbers, z: float = 1.96) -> tuple[Values, Values]:
    """Interval of F1 = 2 J / (1 + J), J the share of tp among tp + fp + fn: Wilson's of J, mapped.

    Args:
        tp, fp, fn: at least 0; shapes broadcast. z: as for `wilson`.

    Returns:
        (low, high), inside [0, 1] and around F1; NaN where all are 0. O(elements).

    Raises:
        ValueError: as `wilson`.

    Source: Wilson, 1927; F1 is a rising function of the Jaccard index. Checked against
    ``scipy.stats.binomtest`` of J, mapped, to 1e-12.
    """
    hits = checked_counts(tp, "tp")
    low, high = wilson(hits, hits + checked_counts(fp, "fp") + checked_counts(fn, "fn"), z)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def roc_auc_error(area: Numbers, positives: Numbers, negatives: Numbers) -> Values:
    """Standard error of an area under the ROC curve of independent records.

    Args:
        area: in [0, 1]. positives, negatives: records of each outcome. Shapes broadcast.

    Returns:
        At least 0; 0 for areas of 0 and 1; NaN where a class is absent or the area is NaN. O(elements).

    Raises:
        ValueError: a negative count, or an area outside [0, 1].

    Source: Hanley and McNeil, 1982, table I (exponential scores). Checked against the paper's example
    (area 0.893 of 51 and 58: 0.032) and against the spread of simulated exponential scores to 5%.
    """
    p, n = checked_counts(positives, "positives"), checked_counts(negatives, "negatives")
    a = np.asarray(area, dtype=np.float64)
    if ((a < 0) | (a > 1)).any():
        raise ValueError("area: expected values in [0, 1], found others")
    square = np.square(a)
    one = a / (2 - a) - square
    two = 2 * square / (1 + a) - square
    return np.sqrt(np.maximum(quotient(a * (1 - a) + (p - 1) * one + (n - 1) * two, p * n), 0.0))


def mean_error(n: Numbers, total: Numbers, total_of_squares: Numbers) -> Values:
    """Standard error of the mean of n independent values, from their sum and their squares'.

    Returns:
        At least 0; NaN where n is below 2. Cancels where the mean is above 1e6 standard deviations.
        O(elements).

    Raises:
        ValueError: a negative n.

    Checked against ``scipy.stats.sem`` to 1e-9.
    """
    count = checked_counts(n, "n")
    mean = quotient(total, count)
    variance = np.maximum(quotient(total_of_squares, count) - np.square(mean), 0.0)
    return np.sqrt(quotient(variance, np.where(count >= 2, count - 1, np.nan)))


def cell_error(value: Numbers, values_without_one: Values, counts: Counts) -> Values:
    """Standard error of a function of cell counts, records independent: the delete-one jackknife.

    Args:
        value: of all n records, shape (...).
        values_without_one: the same with one record fewer in each cell, shape (cells, ...).
        counts: records in each cell, shape (cells, ...); an empty cell takes no part.

    Returns:
        Shape (...): ``sqrt((n - 1) / n * sum(counts * (values_without_one - their mean) ** 2))``; NaN
        below 2 records, or where the value is undefined without some record. O(elements).

    Raises:
        ValueError: a negative count, or shapes that don't fit.

    Source: Efron and Stein, 1981. Checked against the standard error of a mean to 1e-12, and of the
    Matthews correlation against the spread of simulated samples to 5%.
    """
    whole = np.asarray(value, dtype=np.float64)
    cells, without = checked_counts(counts, "counts"), np.asarray(values_without_one, dtype=np.float64)
    if without.shape != cells.shape or without.shape[1:] != whole.shape:
        raise ValueError(
            f"values_without_one, counts: expected shape (cells, *{whole.shape}), "
            f"found {without.shape} and {cells.shape}"
        )
    n = cells.sum(axis=0)
    weighted = np.where(cells > 0, cells * without, 0.0)
    mean = quotient(weighted.sum(axis=0), n)
    squares = np.where(cells > 0, cells * np.square(without - mean), 0.0).sum(axis=0)
    return np.sqrt(np.where(n >= 2, quotient(n - 1, n) * squares, np.nan))


def mean_of_intervals(
    values: Values, ends: tuple[Values, Values], *, least: float = 0.0, most: float = 1.0
) -> tuple[Values, Values]:
    """Interval of the mean over the last axis of independent numbers, from the interval of each.

    Args:
        values: shape (..., K); NaN where there is none, which takes no part.
        ends: (low, high) of each.
        least, most: bounds of the numbers.

    Returns:
        (low, high), shape (...): the mean less, and plus, the root of the sum of the squared distances to
        the ends, by K; NaN where nothing is known. O(elements).

    Raises:
        ValueError: a low end above, or a high end below its value.

    Source: Zou and Donner, 2008, eq. 7 and 8 (method of variance estimates recovery). Checked by hand,
    and by its coverage on simulated shares.
    """
    numbers, (low, high) = np.asarray(values, np.float64), (np.asarray(e, np.float64) for e in ends)
    if (low > numbers).any() or (high < numbers).any():
        raise ValueError("ends: expected low <= value <= high, found others")
    known = ~np.isnan(numbers)
    count = known.sum(axis=-1)
    mean = quotient(np.where(known, numbers, 0.0).sum(axis=-1), count)
    below, above = (
        quotient(np.sqrt(np.where(known, np.square(end - numbers), 0.0).sum(axis=-1)), count)
        for end in (low, high)
    )
    return np.maximum(mean - below, least), np.minimum(mean + above, most)


def multiclass_mcc_error(confusion: Counts) -> Values:
    """Standard error of `classification.multiclass_mcc` of independent records, by the delta method.

    ``sum n_ij g_ij ** 2`` under the root, g the derivative by each cell: of a multinomial, whose mean
    derivative is 0 since the coefficient doesn't depend on the number of records.

    Args:
        confusion: shape (..., classes, classes), outcomes by predictions.

    Returns:
        Shape (...), at least 0; NaN where the coefficient is. O(elements).

    Raises:
        ValueError: a bad count, or a matrix that isn't square.

    Source: Gorodkin, 2004 (the coefficient); Casella and Berger, 2002, theorem 5.5.24. Checked against the
    delete-one jackknife to 1% on 1,000 records, and against the spread of simulated samples to 5%.
    """
    n = checked_counts(confusion, "confusion")
    if n.ndim < 2 or n.shape[-1] != n.shape[-2]:
        raise ValueError(f"confusion: expected a square matrix on the last axes, found shape {n.shape}")
    total = n.sum(axis=(-2, -1))[..., None, None]
    outcomes, predictions = n.sum(axis=-1)[..., :, None], n.sum(axis=-2)[..., None, :]
    right = np.trace(n, axis1=-2, axis2=-1)[..., None, None]
    by_class = (outcomes * np.swapaxes(predictions, -1, -2)).sum(axis=-2)[..., None]
    covariance = right * total - by_class
    of_outcomes = total**2 - np.square(outcomes).sum(axis=-2, keepdims=True)
    of_predictions = total**2 - np.square(predictions).sum(axis=-1, keepdims=True)
    below = np.sqrt(of_outcomes * of_predictions)
    # A record more in a cell: outcome i, prediction j.
    crossed = np.swapaxes(predictions, -1, -2) + np.swapaxes(outcomes, -1, -2)
    slope = total * np.eye(n.shape[-1]) + right - crossed
    value = quotient(covariance, below)
    slope = quotient(slope, below) - value * (
        quotient(total - outcomes, of_outcomes) + quotient(total - predictions, of_predictions)
    )
    return np.asarray(np.sqrt((n * np.square(slope)).sum(axis=(-2, -1))), np.float64)
