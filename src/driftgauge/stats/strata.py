"""From the labelled to all: quality reweighted by strata, because labels are not missing at random."""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Counts, Values, checked_counts, quotient


def post_stratified(labelled: Counts, everything: Counts) -> tuple[Values, Values]:
    """Labelled counts, weighted so that each stratum weighs what it does among all predictions.

    Right as long as labels are missing at random *within* a stratum, whatever their share in each.

    Args:
        labelled: shape (strata, ...): labelled records by stratum and by what is to be counted.
        everything: shape (strata,): all predictions by stratum, labelled or not.

    Returns:
        (weighted, supported): *weighted* of the shape of *labelled*, each stratum's cells times
        ``everything / labelled``, 0 where a stratum has no label; *supported*, a number: the share of
        all predictions that lies in strata with labels, NaN without predictions. O(elements).

    Raises:
        ValueError: a bad count, or shapes that don't fit.

    Source: Horvitz and Thompson, 1952; Holt and Smith, 1979 (post-stratification). Checked by hand and
    by a simulation whose labels are missing by score.
    """
    known, whole = checked_counts(labelled, "labelled"), checked_counts(everything, "everything")
    if known.ndim == 0 or known.shape[:1] != whole.shape:
        raise ValueError(
            f"everything: expected one number for each stratum of {known.shape}, found {whole.shape}"
        )
    in_stratum: Values = known.reshape(len(known), -1).sum(axis=1)
    weights = np.nan_to_num(quotient(whole, in_stratum))
    supported = quotient(whole[in_stratum > 0].sum(), whole.sum())
    return known * weights.reshape(-1, *(1,) * (known.ndim - 1)), supported


def post_stratified_mean(samples: Counts, sums: Values, everything: Counts) -> tuple[Values, Values]:
    """Means of labelled values, weighted so that each stratum weighs what it does among all predictions.

    ``sum W_s S_s / n_s`` over the strata with labels, by the sum of their W_s; right as `post_stratified` is.

    Args:
        samples: shape (strata,), labelled records n_s.
        sums: shape (strata, ...), sums S_s of the values over them, of either sign.
        everything: shape (strata,), all predictions W_s, labelled or not.

    Returns:
        (means, supported): shape (...), NaN without labels; a number: the share of all predictions that
        lies in strata with labels, NaN without predictions. O(elements).

    Raises:
        ValueError: a bad count, a sum that is not finite, or shapes that don't fit.

    Source: Holt and Smith, 1979, eq. 2. Checked by hand, against numpy's weighted mean of the records, and
    by a simulation whose labels are missing by stratum.
    """
    known, whole = checked_counts(samples, "samples"), checked_counts(everything, "everything")
    values = np.asarray(sums, dtype=np.float64)
    if known.ndim != 1 or known.shape != whole.shape or values.shape[:1] != known.shape:
        raise ValueError(
            f"samples, sums, everything: expected one number for each stratum, found shapes {known.shape}, "
            f"{values.shape} and {whole.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("sums: expected finite numbers, found NaN or infinity")
    there = known > 0
    weights = np.where(there, whole, 0.0)
    means = np.tensordot(np.nan_to_num(quotient(weights, known)), values, axes=1)
    return quotient(means, weights.sum()), quotient(weights.sum(), whole.sum())


def runs_of_equal_mass(masses: Counts, runs: int) -> Values:
    """Which of about *runs* runs of equal mass each bin belongs to, in order, shape (bins,).

    A bin belongs to the run in which its middle lies; heavy bins leave runs out. All 0 without mass.

    Raises:
        ValueError: a bad count, no bins, or fewer than 1 run.

    Cost: O(bins). Checked by hand.
    """
    counts = checked_counts(masses, "masses")
    if counts.ndim != 1 or not counts.size:
        raise ValueError(f"masses: expected shape (bins,), found {counts.shape}")
    if runs < 1:
        raise ValueError(f"runs: expected at least 1, found {runs}")
    middle = np.nan_to_num(quotient(np.cumsum(counts) - counts / 2, counts.sum()))
    return np.minimum(np.floor(middle * runs), runs - 1)
