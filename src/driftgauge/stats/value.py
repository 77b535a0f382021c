"""Value of decisions: the interval of a sum, and the value at every threshold of a score."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from driftgauge.stats.arrays import Numbers, Values, checked_counts


def total_interval(total: Numbers, squares: Numbers, n: Numbers, *, z: float = 1.96) -> tuple[Values, Values]:
    """Interval of the sum that as many records of the same kind are worth.

    ``total -+ z * sqrt(n * s2)`` with ``s2 = (squares - total**2 / n) / (n - 1)``, the records taken
    as independent.

    Args:
        total: sum of the records' values; any sign. Shapes broadcast.
        squares: sum of their squares, at least 0.
        n: records, at least 0.
        z: half width in standard errors; 1.96 is 95%.

    Returns:
        (low, high) in the unit of *total*; NaN where n is below 2. O(elements).

    Raises:
        ValueError: a negative or not finite count or square, a total that is not finite, z not above 0.

    Source: Student, 1908, the mean's standard error times n. Checked against the sample variance of
    `statistics` to 1e-9 relative.
    """
    sums = np.asarray(total, dtype=np.float64)
    if not np.isfinite(sums).all():
        raise ValueError("total: expected finite numbers, found NaN or infinity")
    if not 0 < z < np.inf:
        raise ValueError(f"z: expected a finite number above 0, found {z}")
    records, second = checked_counts(n, "n"), checked_counts(squares, "squares")
    some = np.where(records >= 2, records, np.nan)
    variance = np.maximum(second - sums * sums / some, 0.0) / (some - 1)
    reach = z * np.sqrt(some * variance)
    return sums - reach, sums + reach


def by_threshold(below: Values, above: Values) -> Values:
    """Totals at every threshold between the bins of a score.

    Args:
        below: shape (..., bins), what the records of each bin add where the threshold lies above them.
        above: the same where it lies at or below them.

    Returns:
        shape (..., bins - 1): at threshold i, which divides bins i and i + 1, the sum of *below* up
        to bin i and of *above* from bin i + 1 on. O(bins).

    Raises:
        ValueError: shapes differ, or there are fewer than 2 bins.

    Source: Elkan, 2001, "The foundations of cost-sensitive learning", section 1. Checked against
    scikit-learn's confusion_matrix with sample_weight at each threshold to 1e-9.
    """
    if below.shape != above.shape or below.shape[-1] < 2:
        raise ValueError(f"expected equal shapes of at least 2 bins, found {below.shape} and {above.shape}")
    left = np.cumsum(below, axis=-1)[..., :-1]
    right = np.cumsum(above[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return np.asarray(left + right, dtype=np.float64)


def simultaneous_z(comparisons: int, confidence: float = 0.95) -> float:
    """Half width in standard errors at which so many two-sided intervals hold at once.

    Bonferroni: each at ``1 - (1 - confidence) / comparisons``. So the best of them may be chosen
    after the fact and its interval still holds.

    Raises:
        ValueError: no comparison, or a confidence that is not between 0 and 1.

    Source: Dunn, 1961. Checked against ``scipy.stats.norm.ppf`` to 1e-12.
    """
    if comparisons < 1 or not 0 < confidence < 1:
        raise ValueError(f"expected at least 1 comparison and a confidence in (0, 1), found {comparisons}")
    return float(-ndtri((1 - confidence) / (2 * comparisons)))
