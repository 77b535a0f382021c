"""Quality of regressions from running sums.

The error is e = prediction - outcome, in the outcome's units. Sums over n
records: ``sum_e``, ``sum_abs_e``, ``sum_e2``; of the outcome y ``sum_y`` and
``sum_y2``, both about the same fixed centre, which drops out (about 0 they are
the plain sums; about the reference mean nothing cancels). Arrays of any shape,
or numbers. NaN where n is 0 or a sum is not finite; an n that is negative or not
finite, and shapes that do not broadcast, raise ``ValueError``. O(elements).
Source where none is named: Hyndman and Koehler, "Another look at measures of
forecast accuracy", 2006, section 2.
"""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts, quotient

_CONSTANT = 1e-12
"""Part of the sum of squares below which what is left about the mean is rounding."""


def rmse(n: Numbers, sum_e2: Numbers) -> Values:
    """Root mean squared error, in the outcome's units.

    NaN, errors and cost as the module says. Checked against
    ``sklearn.metrics.root_mean_squared_error`` to 1e-12 relative.
    """
    return np.sqrt(np.maximum(quotient(sum_e2, checked_counts(n, "n")), 0.0))


def mae(n: Numbers, sum_abs_e: Numbers) -> Values:
    """Mean absolute error, in the outcome's units.

    NaN, errors and cost as the module says. Checked against
    ``sklearn.metrics.mean_absolute_error`` to 1e-12 relative.
    """
    return quotient(sum_abs_e, checked_counts(n, "n"))


def bias(n: Numbers, sum_e: Numbers) -> Values:
    """Mean of prediction - outcome, in the outcome's units: above 0, the model predicts too much.

    NaN, errors and cost as the module says. Checked against ``numpy.mean`` to 1e-12 relative.
    """
    return quotient(sum_e, checked_counts(n, "n"))


def r2(n: Numbers, sum_e2: Numbers, sum_y: Numbers, sum_y2: Numbers) -> Values:
    """Coefficient of determination, 1 - sum_e2 / sum((y - mean y) ** 2); at most 1.

    NaN where n is below 2 or the outcome is constant: its squares about the mean
    below 1e-12 of those about the centre, which is where rounding begins
    (scikit-learn gives 1 or 0 there). Relative error of the part below the line:
    about 1e-16 * (1 + (mean y - centre) ** 2 / variance).

    Errors and cost as the module says. Source: Kvalseth, "Cautionary note about R2", 1985, eq. 1.
    Checked against ``sklearn.metrics.r2_score`` to 1e-10.
    """
    count = checked_counts(n, "n")
    squares = np.asarray(sum_y2, dtype=np.float64)
    with np.errstate(all="ignore"):
        about_mean = squares - np.square(sum_y) / np.where(count >= 2, count, np.nan)
    varies = about_mean > _CONSTANT * squares
    return 1.0 - quotient(sum_e2, np.where(varies, about_mean, np.nan))


def rmse_error(n: Numbers, sum_e2: Numbers, sum_e4: Numbers) -> Values:
    """Standard error of `rmse` for independent records: that of the mean of e ** 2, by the delta method.

    Returns:
        In the outcome's units, shape as given; 0 where all errors are of one size, NaN where n is below
        2 or every error is 0.

    Errors and cost as the module says. Source: Casella and Berger, 2002, theorem 5.5.24.
    Checked against the spread of simulated samples to
    5%, and against the formula on raw records to 1e-9.
    """
    count = checked_counts(n, "n")
    mean_square = quotient(sum_e2, count)
    with np.errstate(all="ignore"):
        variance = np.maximum(quotient(sum_e4, count) - np.square(mean_square), 0.0)
    return quotient(
        np.sqrt(quotient(variance, np.where(count >= 2, count, np.nan))), 2 * np.sqrt(mean_square)
    )


def r2_error(
    n: Numbers,
    squares: tuple[Numbers, Numbers, Numbers],
    fourths: tuple[Numbers, Numbers, Numbers, Numbers, Numbers],
) -> Values:
    """Standard error of `r2` for independent records, by the delta method on its two means of squares.

    Args:
        squares: sums of e ** 2, z and z ** 2; z is the outcome about a fixed centre near its mean.
        fourths: sums of e ** 4, e ** 2 z, e ** 2 z ** 2, z ** 3 and z ** 4.

    Returns:
        At least 0, shape as given; NaN where `r2` is. Of normal errors and outcomes it is about
        ``2 (1 - R2) * sqrt(R2 / n)`` or more.

    Errors and cost as the module says. Source: Casella and Berger, 2002, section 5.5.4.
    Checked as `rmse_error` is.
    """
    count = checked_counts(n, "n")
    e2, z, z2 = (quotient(s, count) for s in squares)
    e4, e2z, e2z2, z3, z4 = (quotient(s, count) for s in fourths)
    with np.errstate(all="ignore"):
        spread = z2 - np.square(z)
        spread = np.where((count >= 2) & (spread > _CONSTANT * z2), spread, np.nan)
        # Of d = (outcome - mean) ** 2 beside e ** 2.
        e2d = e2z2 - 2 * z * e2z + np.square(z) * e2
        d2 = z4 - 4 * z * z3 + 6 * np.square(z) * z2 - 3 * np.square(np.square(z))
        slope = quotient(e2, spread)
        crossed = e4 - np.square(e2) - 2 * slope * (e2d - e2 * spread)
        variance = crossed + np.square(slope) * (d2 - np.square(spread))
    return quotient(np.sqrt(np.maximum(quotient(variance, count), 0.0)), spread)


def mape(n: Numbers, sum_ape: Numbers) -> Values:
    """Mean of |e / y|, as a ratio (0.1 is ten percent).

    *n* counts the records in the sum: those with an outcome of 0 have no
    percentage error and belong in neither. NaN, errors and cost as the module says.
    Checked against ``sklearn.metrics.mean_absolute_percentage_error`` to 1e-12 relative.
    """
    return quotient(sum_ape, checked_counts(n, "n"))
