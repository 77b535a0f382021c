"""Array types, the checks that every statistic shares, and the safe quotient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Counts: TypeAlias = npt.NDArray[np.floating | np.integer]
"""Numbers of records, whole or weighted: any integer or floating array."""

Values: TypeAlias = npt.NDArray[np.float64]
"""Results, or samples: float64. NaN stands for "undefined here"."""

Bins: TypeAlias = npt.NDArray[np.intp]
"""Bin numbers."""

Numbers: TypeAlias = Counts | float
"""An array of any shape, or one number."""

LARGEST = float(np.finfo(np.float64).max)
_GREATEST_SMALL: Final = int(np.iinfo(np.uint32).max)


def checked_counts(counts: Numbers, where: str) -> Values:
    """*counts* as float64; every element must be finite and at least 0.

    Raises:
        ValueError: the first element that is negative or not finite, by index.

    Cost: nothing for unsigned integers, one pass for others. Checked by hand.
    """
    return _checked(counts, where).astype(np.float64, copy=False)


def _checked(counts: Numbers, where: str) -> Counts:
    """*counts* of whatever type they are."""
    array = np.asarray(counts)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{where}: expected an array of numbers, found dtype {array.dtype}")
    if array.dtype.kind in "if" and array.size and not 0 <= array.min() <= array.max() < np.inf:
        bad = ~((array >= 0) & (array < np.inf))
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{where}: expected finite counts of at least 0, found {array[index]} at {index}")
    return array


def checked_classes(positive_counts: Counts, negative_counts: Counts) -> tuple[Values, Values]:
    """Score bins (last axis) of the two classes as float64, of the same shape.

    Raises:
        ValueError: no axis of bins, shapes that differ, a count that is negative or not finite.

    Cost: O(elements), one pass a side. Checked by hand.
    """
    positive = checked_counts(positive_counts, "positive_counts")
    negative = checked_counts(negative_counts, "negative_counts")
    if positive.ndim == 0 or positive.shape != negative.shape:
        raise ValueError(
            f"negative_counts: expected the bins of positive_counts, shape {positive.shape}, "
            f"found {negative.shape}"
        )
    return positive, negative


def checked_pair(reference_counts: Counts, current_counts: Counts) -> tuple[Values, Values]:
    """Both sides as float64, with equal bins (last axis) and fitting leading axes.

    Raises:
        ValueError: no bins, a different number of bins, leading axes that do
            not broadcast, or a bad count.

    Cost: O(elements), one pass a side. Checked by hand.
    """
    reference = checked_counts(reference_counts, "reference_counts")
    current = checked_counts(current_counts, "current_counts")
    check_fit(reference, current)
    return reference, current


def check_fit(reference: Counts, current: Counts) -> None:
    """That both sides have equal bins (last axis) and leading axes that broadcast.

    Raises:
        ValueError: they don't, or there are no bins.

    Cost: O(1). Checked by hand, through the messages of `divergence`.
    """
    if reference.ndim == 0 or reference.shape[-1] == 0:
        raise ValueError(
            f"reference_counts: expected at least 1 bin on the last axis, found shape {reference.shape}"
        )
    if reference.shape != current.shape and not _fit(reference.shape, current.shape):
        raise ValueError(
            f"current_counts: expected the bins of reference_counts, shape {reference.shape}, "
            f"found {current.shape}"
        )


@dataclass(frozen=True)
class Sample:
    """Counts that were checked once, and what is wanted of them each time they are compared.

    Functions that take `Binned` take it in place of the counts, and give the same numbers: a reference
    is compared at every evaluation, a window by several functions.

    Attributes:
        counts: shape (..., bins), the very array that was given; upto: their sums from the first bin on,
            where the order of the bins means something; totals: shape (..., 1), NaN for an empty row;
            shares: counts / totals.

    Errors and cost as `of`, its only maker. Checked as that is.
    """

    counts: Counts
    totals: Values
    shares: Values
    upto: Counts | None = None

    @classmethod
    def of(cls, counts: Binned, where: str = "counts", *, ordered: bool = False) -> Sample:
        """Those of *counts*, themselves if they are a sample already; *ordered* where the bins are.

        Raises:
            ValueError: no axis of bins, or a count that is negative or not finite.

        Cost: O(elements), two passes. Checked: every function that takes it, against plain counts.
        """
        if isinstance(counts, Sample):
            return counts
        checked = _checked(counts, where)
        if checked.ndim == 0:
            raise ValueError(f"{where}: expected at least 1 bin on the last axis, found shape ()")
        upto = _cumulated(checked) if ordered else None
        # The last sum is the total, but for the rounding of weights.
        exact = upto is not None and upto.dtype.kind in "ui"
        whole = totals(upto[..., -1:] if upto is not None and exact else checked)
        return cls(checked, whole, checked / whole, upto)

    def cumulated(self) -> Counts:
        """Sums of the counts from the first bin on, in the counts' shape; whole numbers of whole counts.
        Not to be written to.

        Raises: nothing. Cost: O(elements), none where *ordered* bins were asked for. Checked by hand.
        """
        return _cumulated(self.counts) if self.upto is None else self.upto

    @cached_property
    def shares_upto(self) -> Values:
        """`cumulated` / totals, kept: a reference's are asked for at every evaluation.

        Raises: nothing. Cost: O(elements), once. Checked by hand.
        """
        found: Values = self.cumulated() / self.totals
        return found

    @cached_property
    def share_roots(self) -> Values:
        """Square roots of the shares, kept likewise.

        Raises: nothing. Cost: O(elements), once. Checked by hand.
        """
        return np.sqrt(self.shares)


Binned: TypeAlias = Counts | Sample
"""Counts by bin on the last axis, checked by whoever takes them, or once."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges that were checked once, and the widths between them; taken in place of plain ones.

    Errors and cost as `of`, its only maker. Checked as that is.
    """

    ends: Values
    widths: Values

    @classmethod
    def of(cls, edges: Values) -> Self:
        """Those of *edges*, shape (..., bins + 1), finite and never falling.

        Raises:
            ValueError: they aren't so.

        Cost: O(edges), some passes. Checked: every function that takes it, against plain edges.
        """
        array = np.asarray(edges, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            widths = array[..., 1:] - array[..., :-1]
        if widths.size and not 0 <= widths.min() <= widths.max() < np.inf:
            if not np.isfinite(array).all():
                raise ValueError("edges: expected finite numbers, found NaN or infinity")
            if widths.min() < 0:
                raise ValueError("edges: expected ascending order, found a step down")
        return cls(array, np.minimum(widths, LARGEST))


def checked_edges(edges: Values | Edges, counts: Counts) -> Edges:
    """*edges*, and the widths between them.

    There must be one more than the bins of *counts*, finite and never falling;
    leading axes broadcast with those of *counts*. A width that overflows is held
    at the largest float.

    Raises:
        ValueError: any of these does not hold.

    Cost: O(edges); O(1) for those that were checked. Checked by hand.
    """
    array = edges.ends if isinstance(edges, Edges) else np.asarray(edges, dtype=np.float64)
    ends = (*counts.shape[:-1], counts.shape[-1] + 1)
    if array.shape != ends and not _fit(ends, array.shape):
        raise ValueError(f"edges: expected one more than the bins of {counts.shape}, found {array.shape}")
    return edges if isinstance(edges, Edges) else Edges.of(array)


def _cumulated(counts: Counts) -> Counts:
    # Whole numbers are added in a third of the time, and in a fifth where their sums are small too.
    if counts.dtype == np.uint32 and int(counts.max(initial=0)) * counts.shape[-1] <= _GREATEST_SMALL:
        return np.cumsum(counts, axis=-1, dtype=np.uint32)
    return np.cumsum(
        counts.astype(np.int64 if counts.dtype.kind in "bui" else np.float64, copy=False), axis=-1
    )


def _fit(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    if not second or first[-1] != second[-1]:
        return False
    axes = zip(reversed(first), reversed(second), strict=False)
    return all(one == other or 1 in (one, other) for one, other in axes)


def totals(counts: Counts) -> Values:
    """Sum over the last axis, kept as an axis of 1; NaN where it is 0.

    Dividing by it makes a row without data NaN without a warning.

    Raises: nothing; counts are taken as `checked_counts` leaves them. Cost: O(elements). Checked by hand.
    """
    total: Values = counts.sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.where(total > 0, total, np.nan)


def quotient(numerator: Numbers, denominator: Numbers) -> Values:
    """``numerator / denominator``; NaN where that is not a finite number (0 below the line).

    Raises:
        ValueError: shapes that do not broadcast; any number is taken.

    Cost: O(elements), 5 us for a few. Checked by hand.
    """
    with np.errstate(all="ignore"):
        result = np.asarray(np.true_divide(numerator, denominator), dtype=np.float64)
    return np.where(np.isfinite(result), result, np.nan)
