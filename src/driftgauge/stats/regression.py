"""Quality of regressions from running sums.

The error is e = prediction - outcome, in the outcome's units. Sums over n
records: ``sum_e``, ``sum_abs_e``, ``sum_e2``; of the outcome y ``sum_y`` and
``sum_y2``, both about the same fixed centre, which drops out (about 0 they are
the plain sums; about the reference mean nothing cancels). Arrays of any shape,
or numbers. NaN where n is 0; a negative n raises ``ValueError``. O(elements).
Each is checked against scikit-learn's metric of that name to 1e-12, unless it
says otherwise.
"""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts, quotient

_CONSTANT = 1e-12
"""Part of the sum of squares below which what is left about the mean is rounding."""


def rmse(n: Numbers, sum_e2: Numbers) -> Values:
    """Root mean squared error, in the outcome's units."""
    return np.sqrt(np.maximum(quotient(sum_e2, checked_counts(n, "n")), 0.0))


def mae(n: Numbers, sum_abs_e: Numbers) -> Values:
    """Mean absolute error, in the outcome's units."""
    return quotient(sum_abs_e, checked_counts(n, "n"))


def bias(n: Numbers, sum_e: Numbers) -> Values:
    """Mean of prediction - outcome: above 0, the model predicts too much."""
    return quotient(sum_e, checked_counts(n, "n"))


def r2(n: Numbers, sum_e2: Numbers, sum_y: Numbers, sum_y2: Numbers) -> Values:
    """Coefficient of determination, 1 - sum_e2 / sum((y - mean y) ** 2); at most 1.

    NaN where n is below 2 or the outcome is constant: its squares about the mean
    below 1e-12 of those about the centre, which is where rounding begins
    (scikit-learn gives 1 or 0 there). Relative error of the part below the line:
    about 1e-16 * (1 + (mean y - centre) ** 2 / variance).

    Checked against ``sklearn.metrics.r2_score`` to 1e-10.
    """
    count = checked_counts(n, "n")
    squares = np.asarray(sum_y2, dtype=np.float64)
    with np.errstate(all="ignore"):
        about_mean = squares - np.square(sum_y) / np.where(count >= 2, count, np.nan)
    varies = about_mean > _CONSTANT * squares
    return 1.0 - quotient(sum_e2, np.where(varies, about_mean, np.nan))


def mape(n: Numbers, sum_ape: Numbers) -> Values:
    """Mean of |e / y|, as a ratio (0.1 is ten percent).

    *n* counts the records in the sum: those with an outcome of 0 have no
    percentage error and belong in neither.
    """
    return quotient(sum_ape, checked_counts(n, "n"))
