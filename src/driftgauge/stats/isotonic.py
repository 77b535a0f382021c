"""What a score means: the outcome's chance by score bin, made monotone from binned outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.stats.arrays import Bins, Counts, Values, checked_counts

_DECILES = 10


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A monotone calibration over B score bins.

    Attributes:
        chance: shape (B,), the outcome's chance in each bin, never falling.
        block: shape (B,), the number of the block of bins that share a chance; of an empty bin the one
            below it (of leading empty bins the first).
        records: shape (blocks,), what each block stands on.
    """

    chance: Values
    block: Bins
    records: Values


def isotonic(positives: Counts, negatives: Counts) -> Isotonic:
    """Isotonic regression of the outcome on the score bin, by pooling adjacent violators.

    The non-decreasing chances nearest to the observed ones in weighted squares. A bin without records
    takes the straight line, by bin number, between the filled bins beside it, and the nearest one's
    chance beyond the last.

    Args:
        positives, negatives: shape (B,), records of each outcome by score bin, in order of score.

    Raises:
        ValueError: shapes differ, a count is bad, or there is no record at all.

    Cost: O(B); 0.3 ms for 711 filled bins. Source: Ayer, Brunk, Ewing, Reid and Silverman, 1955; used
    for scores by Zadrozny and Elkan, 2002. Checked against scikit-learn's IsotonicRegression.
    """
    ones, totals = _checked(positives, negatives)
    filled = np.flatnonzero(totals)
    if not filled.size:
        raise ValueError("positives, negatives: expected at least one record, found none")
    blocks: list[tuple[float, float, int]] = []
    for one, total in zip(ones[filled].tolist(), totals[filled].tolist(), strict=True):
        count = 1
        while blocks and blocks[-1][0] * total >= one * blocks[-1][1]:
            below = blocks.pop()
            one, total, count = one + below[0], total + below[1], count + below[2]  # noqa: PLW2901  # pooled
        blocks.append((one, total, count))
    pooled = np.array([block[:2] for block in blocks], np.float64)
    of_filled = np.repeat(np.arange(len(blocks)), [block[2] for block in blocks])
    every = np.arange(ones.size)
    chance = np.interp(every, filled, (pooled[:, 0] / pooled[:, 1])[of_filled])
    below_each = np.maximum(np.searchsorted(filled, every, side="right") - 1, 0)
    return Isotonic(chance, of_filled[below_each], pooled[:, 1])


def held_out_error(positives: Counts, negatives: Counts, rng: np.random.Generator) -> float:
    """Expected calibration error of `isotonic` on records that it was not fitted on, in [0, 1].

    Each bin's records are dealt into two halves at random (hypergeometric, as if the records
    themselves were), each half is calibrated by the other, and the gaps between the sums of outcomes
    and of chances in tenths of the chance are added up, half by half (their gaps would cancel). Biased
    upwards by the noise of n records, by at most about 2.5 / sqrt(n) (flat scores; less where they tell).

    Args:
        positives, negatives: shape (B,), whole records by outcome and score bin.
        rng: what deals; the same state gives the same error.

    Returns:
        NaN where a half is empty: fewer than two records in one bin.

    Raises:
        ValueError: as `isotonic`.

    Cost: two fits. Source: two-fold cross-validation; ECE by Naeini, Cooper and Hauskrecht, 2015.
    Checked on calibrated and on flat scores, and by hand on a single bin.
    """
    ones, totals = _checked(positives, negatives)
    whole = totals.astype(np.int64)
    half = (whole + rng.integers(0, 2, whole.size)) // 2
    first = rng.hypergeometric(ones.astype(np.int64), whole - ones.astype(np.int64), half)
    halves = ((first, half - first), (ones - first, whole - half - (ones - first)))
    if not half.any() or not (whole - half).any():
        return float("nan")
    gap = 0.0
    for fitted, tested in (halves, halves[::-1]):
        chance = isotonic(*fitted).chance
        tenth = np.minimum((chance * _DECILES).astype(np.int64), _DECILES - 1)
        beyond = tested[0] - (tested[0] + tested[1]) * chance
        gap += float(np.abs(np.bincount(tenth, weights=beyond, minlength=_DECILES)).sum())
    return gap / float(totals.sum())


def _checked(positives: Counts, negatives: Counts) -> tuple[Values, Values]:
    ones, zeros = checked_counts(positives, "positives"), checked_counts(negatives, "negatives")
    if ones.shape != zeros.shape or ones.ndim != 1:
        raise ValueError(
            f"positives, negatives: expected two rows of bins, found shapes {ones.shape} and {zeros.shape}"
        )
    return ones, ones + zeros
