"""Means, spreads and their shifts from running sums.

Sums are taken about a centre c that does not change while they run (the
reference mean): ``n`` records, ``sum_deviations = sum(x - c)``,
``sum_squares = sum((x - c) ** 2)``. With c near the mean, nothing cancels; with
c = 0 they are the plain sums. Every argument is an array of any shape, or a
number; shapes broadcast, and raise ``ValueError`` where they can't. Sums may be
any numbers; one that is not finite gives NaN. Cost: O(elements), 5 to 20 us.
Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance",
1983, for sums about a shifted centre.
"""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts, quotient

_ROUNDING = 1e-12
"""A standard deviation below this part of the mean is what rounding leaves of 0."""


def mean(n: Numbers, sum_deviations: Numbers, centre: Numbers = 0.0) -> Values:
    """``centre + sum_deviations / n``, in the feature's units; NaN where n is 0.

    Raises:
        ValueError: an n that is negative or not finite.

    Cost as the module says. Checked against ``numpy.mean`` to 1e-12 relative.
    """
    with np.errstate(over="ignore"):
        return centre + quotient(sum_deviations, checked_counts(n, "n"))


def variance(n: Numbers, sum_deviations: Numbers, sum_squares: Numbers, *, ddof: int = 0) -> Values:
    """Variance ``(sum_squares - sum_deviations ** 2 / n) / (n - ddof)``, at least 0.

    NaN where n is not above *ddof*. The relative error is about
    1e-16 * (1 + (mean - c) ** 2 / variance): 1e-10 for a mean a thousand standard
    deviations from the centre. A constant far from the centre leaves rounding,
    not 0.

    Raises:
        ValueError: an n that is negative or not finite.

    Cost as the module says. Checked against ``numpy.var`` with that tolerance.
    """
    count = checked_counts(n, "n")
    degrees = np.where(count > ddof, count - ddof, np.nan)
    with np.errstate(all="ignore"):
        about_mean = sum_squares - np.square(sum_deviations) / np.where(count > 0, count, np.nan)
    return np.maximum(quotient(about_mean, degrees), 0.0)


def standard_deviation(n: Numbers, sum_deviations: Numbers, sum_squares: Numbers, *, ddof: int = 0) -> Values:
    """Square root of `variance`, in the feature's units; NaN where that is.

    Errors and cost as for `variance`. Checked against ``numpy.std`` to 1e-10 relative.
    """
    return np.sqrt(variance(n, sum_deviations, sum_squares, ddof=ddof))


def reference_spread(reference_mean: Numbers, reference_sd: Numbers) -> Values:
    """*reference_sd* as other numbers may be divided by it: NaN where the reference is constant.

    It is where its standard deviation is 0, or below 1e-12 of its |mean|, which is rounding.

    Raises:
        ValueError: a standard deviation below 0.

    Cost as the module says. Checked by hand on either side of that limit.
    """
    if (np.asarray(reference_sd) < 0).any():
        raise ValueError("reference_sd: expected at least 0, found less")
    return np.where(reference_sd > _ROUNDING * np.abs(reference_mean), reference_sd, np.nan)


def in_reference_sds(value: Numbers, reference_mean: Numbers, reference_sd: Numbers) -> Values:
    """*value*, a difference or a spread in the feature's units, in reference standard deviations.

    NaN where the reference is constant, as `reference_spread` says; errors and cost as there.
    Checked by hand on either side of that limit.
    """
    return quotient(value, reference_spread(reference_mean, reference_sd))


def mean_shift_sd(reference_mean: Numbers, reference_sd: Numbers, current_mean: Numbers) -> Values:
    """Signed shift of the mean in reference standard deviations (Glass's delta, 1976).

    NaN where the reference is constant, as `in_reference_sds` says; errors and cost
    as there. Checked by hand.
    """
    with np.errstate(all="ignore"):
        return in_reference_sds(np.subtract(current_mean, reference_mean), reference_mean, reference_sd)


def mean_shift_ratio(reference_mean: Numbers, current_mean: Numbers) -> Values:
    """Signed shift of the mean as a part of the |reference mean|; NaN where that is 0.

    0.1 is ten percent up, also for a negative mean (-10 to -9). Errors (of shapes
    only) and cost as the module says. Checked by hand.
    """
    with np.errstate(all="ignore"):
        return quotient(np.subtract(current_mean, reference_mean), np.abs(reference_mean))
