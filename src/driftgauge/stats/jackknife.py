"""Intervals from groups of records that may hang together: the delete-one-group jackknife.

Records of one hour resemble each other (autocorrelation, the same customers, a cycle), so that an
interval that takes them for independent is too narrow. Groups of consecutive panes are nearly
independent where they are longer than what the records remember, and their spread tells the rest.
Any statistic that is a function of sums will do: compute it of `left_out` sums, all groups at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from driftgauge.stats.arrays import Counts, Numbers, Values, checked_counts, quotient
from driftgauge.stats.special import functions

LEAST_GROUPS: Final = 5.0
"""Below so many groups (their effective number) the spread says too little: there is no interval."""


def left_out(groups: Counts) -> Values:
    """The sums of all groups but one, for each of them.

    Args:
        groups: shape (groups, ...): additive counts or sums by group.

    Returns:
        The same shape. Whole numbers are exact. O(elements).

    Raises:
        ValueError: no axis of groups. Any number is taken.

    Checked against sums over the other groups, by hand.
    """
    array = np.asarray(groups)
    if array.ndim == 0:
        raise ValueError("groups: expected an axis of groups, found a number")
    return np.asarray(array.sum(axis=0) - array, dtype=np.float64)


def effective_groups(sizes: Counts) -> Values:
    """How many equal groups tell as much as these of unequal size: ``(sum m) ** 2 / sum m ** 2``.

    Args:
        sizes: shape (groups, ...), records of each group, 0 for one that takes no part.

    Returns:
        Shape (...), from 1 to the number of groups; 0 without records. O(elements).

    Raises:
        ValueError: a negative size, or no axis of groups.

    Source: Kish, 1965, section 8.2. Checked by hand.
    """
    counts = _sizes(sizes)
    found = quotient(np.square(counts.sum(axis=0)), np.square(counts).sum(axis=0))
    return np.where(np.isnan(found), 0.0, found)


def standard_error(value: Numbers, values_left_out: Values, sizes: Counts) -> Values:
    """Standard error of *value* by the delete-one-group jackknife, groups of unequal size.

    With n records, m_j of them in group j, ``h_j = n / m_j``, and pseudo-values
    ``p_j = h_j * value - (h_j - 1) * values_left_out[j]``: the root of
    ``mean over j of (p_j - p) ** 2 / (h_j - 1)``, where p is the jackknife's own estimate
    ``g * value - sum((1 - m_j / n) * values_left_out[j])``. Equal groups make it the textbook's
    ``sqrt((g - 1) / g * sum((left_out - mean left_out) ** 2))``.

    Args:
        value: of all records, shape (...).
        values_left_out: the same statistic without each group, shape (groups, ...).
        sizes: records that the statistic has in each group, shape (groups, ...) or what broadcasts
            to it; a group of 0 takes no part.

    Returns:
        Shape (...), at least 0; NaN with fewer than 2 groups, or where the statistic is undefined
        without one of them (all positives in one group). O(elements).

    Raises:
        ValueError: shapes that don't fit, or a negative size.

    Source: Busing, Meijer and van der Leeden, 1999, eq. 4 and 8. Checked to 1e-12 against
    the standard error of a mean (groups of one record), the textbook's formula (equal groups) and the
    paper's definitions written out (unequal ones).
    """
    return _root_mean(*_deviations(value, values_left_out, sizes))


def serial_error(value: Numbers, values_left_out: Values, sizes: Counts) -> Values:
    """`standard_error`, made larger by what neighbouring groups have in common.

    Times the root of ``1 + 2 * (r_1 + r_2)``, r_k the autocorrelation of the groups' deviations at lag
    k, as far as they are above 0 without a gap: where records remember each other for longer than a
    group, the spread of single groups says too little. Of independent groups it is 10% larger in the
    mean; with fewer than about 10 it hardly sees anything.

    Arguments, results, errors and cost as for `standard_error`; the groups in order of time.

    Source: Geyer, 1992, section 3.3 (initial positive sequence), cut at lag 2. Checked by hand, and by
    the coverage measured in docs/measured-intervals.md.
    """
    number, deviations = _deviations(value, values_left_out, sizes)
    variance = np.square(deviations).sum(axis=0)
    first, second = (quotient((deviations[lag:] * deviations[:-lag]).sum(axis=0), variance) for lag in (1, 2))
    first = np.fmax(first, 0.0)
    second = np.where(first > 0, np.fmax(second, 0.0), 0.0)
    return _root_mean(number, deviations) * np.sqrt(1 + 2 * (first + second))


def _root_mean(number: Values, deviations: Values) -> Values:
    squares = np.square(deviations).sum(axis=0)
    return np.sqrt(np.where(number >= 2, quotient(squares, number), np.nan))


def _deviations(value: Numbers, values_left_out: Values, sizes: Counts) -> tuple[Values, Values]:
    """How many groups take part, and ``(p_j - p) / sqrt(h_j - 1)`` of each, 0 for one that doesn't."""
    whole, without = np.asarray(value, dtype=np.float64), np.asarray(values_left_out, dtype=np.float64)
    counts = _sizes(sizes)
    if without.shape[1:] != whole.shape or counts.shape[:1] != without.shape[:1]:
        raise ValueError(
            f"values_left_out, sizes: expected shape (groups, *{whole.shape}), "
            f"found {without.shape} and {counts.shape}"
        )
    counts = np.broadcast_to(
        counts.reshape(counts.shape + (1,) * (without.ndim - counts.ndim)), without.shape
    )
    there = counts > 0
    n, number = counts.sum(axis=0), there.sum(axis=0)
    share = np.where(there, quotient(counts, n), 0.0)
    estimate = number * whole - np.where(there, (1 - share) * without, 0.0).sum(axis=0)
    # With h_j = 1 / share, so that no group of 0 divides.
    pseudo = whole - (1 - share) * without - share * estimate
    return number, np.where(there, quotient(pseudo, np.sqrt(share * (1 - share))), 0.0)


def t_reach(standard_errors: Numbers, groups: Numbers, confidence: float = 0.95) -> Values:
    """Half the width of the interval: the t-quantile with groups - 1 degrees of freedom.

    Args:
        standard_errors: shape (...), at least 0.
        groups: how many (effective) groups they stand on, shape (...).
        confidence: in (0, 1).

    Returns:
        Shape (...); NaN below `LEAST_GROUPS` groups. O(elements).

    Raises:
        ValueError: confidence outside of (0, 1), a standard error below 0, groups below 0 or not finite.

    Source: Student, 1908. Checked against ``scipy.stats.t.ppf`` to 1e-9.
    """
    special = functions()

    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence}")
    number, errors = checked_counts(groups, "groups"), np.asarray(standard_errors, dtype=np.float64)
    if (errors < 0).any():
        raise ValueError("standard_errors: expected at least 0, found less")
    enough = number >= LEAST_GROUPS - 1e-9
    quantile = special.stdtrit(np.where(enough, number - 1, 1.0), (1 + confidence) / 2)
    return np.where(enough, errors * quantile, np.nan)


def _sizes(sizes: Counts) -> Values:
    counts = checked_counts(sizes, "sizes")
    if counts.ndim == 0:
        raise ValueError("sizes: expected an axis of groups, found a number")
    return counts
