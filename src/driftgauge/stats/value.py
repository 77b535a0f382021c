"""Value of decisions: the interval of a sum, and the value at every threshold of a score."""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts
from driftgauge.stats.estimation import Estimated
from driftgauge.stats.isotonic import Isotonic
from driftgauge.stats.special import functions


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
        raise ValueError(
            f"below, above: expected equal shapes of at least 2 bins, found {below.shape} and {above.shape}"
        )
    left = np.cumsum(below, axis=-1)[..., :-1]
    right = np.cumsum(above[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return np.asarray(left + right, dtype=np.float64)


def simultaneous_z(comparisons: int, confidence: float = 0.95) -> float:
    """Half width in standard errors at which so many two-sided intervals hold at once.

    Bonferroni: each at ``1 - (1 - confidence) / comparisons``. So the best of them may be chosen
    after the fact and its interval still holds.

    Raises:
        ValueError: no comparison, or a confidence that is not between 0 and 1.

    Cost: O(1). Source: Dunn, 1961. Checked against ``scipy.stats.norm.ppf`` to 1e-12.
    """
    special = functions()

    if comparisons < 1 or not 0 < confidence < 1:
        raise ValueError(
            "comparisons, confidence: expected at least 1 comparison and a confidence in (0, 1), "
            f"found {comparisons} and {confidence}"
        )
    return float(-special.ndtri((1 - confidence) / (2 * comparisons)))


def expected_total(amounts: Values, squares: Values, worth: Values, calibration: Isotonic) -> Estimated:
    """What binary decisions are worth whose outcomes are not known, from calibrated scores.

    ``sum over predictions p and bins b of A[p, b] (c_b w[1, p] + (1 - c_b) w[0, p])``. Its error is that
    of the realised total about it: the outcomes' own chance, ``sum Q c (1 - c) (w[1, p] - w[0, p])^2``,
    and what the calibration's finite records add, by blocks of bins that share a chance.

    Args:
        amounts: shape (..., 2, B), sum of the records' amounts by predicted class (the second is
            positive) and score bin; any sign. Where each record counts once, their number.
        squares: the same of their squares, at least 0.
        worth: shape (2, 2), value of a unit of amount by outcome and prediction.
        calibration: of B bins.

    Returns:
        Shape (...), in the unit of *worth*; 0 without records. O(elements).

    Raises:
        ValueError: shapes that don't fit, numbers that are not finite, a negative square.

    Source: Elkan, 2001, section 1, for the value; the law of total variance for the error. Checked by
    hand and by simulation.
    """
    a, q, w = np.asarray(amounts, np.float64), checked_counts(squares, "squares"), np.asarray(worth)
    c = calibration.chance
    if a.ndim < 2 or a.shape[-2:] != (2, c.size) or q.shape != a.shape or w.shape != (2, 2):
        raise ValueError(
            f"amounts, squares, worth: expected shapes (..., 2, {c.size}) twice and (2, 2), "
            f"found {a.shape}, {q.shape} and {w.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(w).all()):
        raise ValueError("amounts, worth: expected finite numbers, found NaN or infinity")
    step = (w[1] - w[0])[:, None]
    total = (a * (w[0][:, None] + c * step)).sum(axis=(-2, -1))
    chance = (q * c * (1 - c) * step**2).sum(axis=(-2, -1))
    member = (calibration.block[:, None] == np.arange(calibration.records.size)).astype(np.float64)
    pooled = (a * step).sum(axis=-2) @ member
    of_block = np.zeros(calibration.records.size)
    of_block[calibration.block] = c
    fitted = (pooled**2 * of_block * (1 - of_block) / calibration.records).sum(axis=-1)
    return Estimated(np.asarray(total), np.asarray(np.sqrt(chance + fitted)))


def expected_error_total(
    absolute: Values, square: Values, variance: Values, over: float, worth: tuple[float, float]
) -> Estimated:
    """What predictions of a regression are worth whose outcomes are not known, from their expected errors.

    A unit of the error is worth ``m = s w_over + (1 - s) w_under`` on average, s the share of all error
    that is too much: the total is ``m sum E|e|``. Its error is that of the realised total about it:
    ``(s w_over^2 + (1 - s) w_under^2) sum E e^2 - m^2 sum (E|e|)^2`` under the root, records independent.

    Args:
        absolute, square, variance: shape (...), the sums over the predictions of ``E|e|``, ``E e^2`` and
            ``E e^2 - (E|e|)^2``, at least 0.
        over: s, in [0, 1].
        worth: (w_over, w_under), value of a unit of each, of either sign.

    Returns:
        Shape (...), in the unit of *worth*; 0 without records. O(elements).

    Raises:
        ValueError: a sum is negative or not finite, a share outside of [0, 1], worth that is not finite.

    Source: the law of total variance; Casella and Berger, 2002, theorem 4.4.7. Checked by hand and by
    simulation.
    """
    first, second = checked_counts(absolute, "absolute"), checked_counts(square, "square")
    spread = checked_counts(variance, "variance")
    if not 0 <= over <= 1 or not np.isfinite(worth).all():
        raise ValueError(f"over, worth: expected a share and finite numbers, found {over} and {worth}")
    unit = over * worth[0] + (1 - over) * worth[1]
    unit_square = over * worth[0] ** 2 + (1 - over) * worth[1] ** 2
    beyond = unit_square * second - unit**2 * np.maximum(second - spread, 0.0)
    return Estimated(unit * first, np.sqrt(np.maximum(beyond, 0.0)))
