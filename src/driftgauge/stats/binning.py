"""Edges of bins, unions of bins, and quantiles read back from bins.

A bin number is ``np.searchsorted(edges, x, side="left")`` everywhere: inner
edges e[0] <= e[1] <= ... make bin i hold e[i-1] < x <= e[i], the first bin has
no lower end and the last no upper one. An edge given twice makes an empty bin.

The makers of edges work on one feature at a time, when a reference is made; no
function here is called per record.
"""

from __future__ import annotations

import math

import numpy as np

from driftgauge.stats.arrays import (
    LARGEST,
    Binned,
    Bins,
    Counts,
    Edges,
    Numbers,
    Sample,
    Values,
    checked_counts,
    checked_edges,
)
from driftgauge.stats.partition import Flags, cuts_between

_LEAST = float(np.nextafter(0.0, 1.0))


def quantile_edges(values: Values, weights: Counts, bins: int, *, distinct_limit: int = 20) -> Values:
    """Inner edges that share a weighted sample out over *bins* bins of about equal mass.

    An *atom* is a value heavier than 1/bins of the total, or any value while
    there are at most *distinct_limit* of them. It gets a bin of its own: the
    edge below it is the next smaller float, the edge above it the atom itself,
    so that its neighbours, even ones that the sample never showed, fall
    elsewhere. Between two adjoining atoms that costs one bin more; where this
    would take more than half of all edges (or would part fewer distinct values)
    their edges are the lower atom only. With at most *bins* distinct values each
    has its own bin. Otherwise the lighter values are cut at their quantiles.
    Where more bins are asked for by atoms than there are, the lightest
    neighbours are joined.

    Args:
        values: finite, ascending, repeats allowed; shape (n,), n at least 1.
        weights: mass of each value; same shape, sum above 0. Weights of 0 are ignored.
        bins: at least 1.
        distinct_limit: see above.

    Returns:
        Shape (bins - 1,), ascending. Where fewer edges are needed, the largest
        value is repeated at the end: those bins are empty, and the last one
        holds only what exceeds the sample.

    Raises:
        ValueError: shapes, order, values not finite, weights, or *bins*.

    Cost: O(n + bins ** 2). Checked against the inverted-CDF quantiles of
    ``numpy.quantile(method="inverted_cdf")`` and by hand on named shapes.
    """
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, found {bins}")
    distinct, masses = _distinct(values, weights)
    atoms = masses * bins > masses.sum()
    if len(distinct) <= distinct_limit:
        atoms[:] = True
    cuts, apart = cuts_between(masses, atoms, bins)
    edges = _edges_at(distinct, atoms, cuts, apart=apart)
    padded = np.full(bins - 1, distinct[-1])
    padded[: len(edges)] = edges
    return padded


def _distinct(values: Values, weights: Counts) -> tuple[Values, Values]:
    sample = np.asarray(values, dtype=np.float64)
    masses = checked_counts(weights, "weights")
    if sample.ndim != 1 or sample.shape != masses.shape:
        raise ValueError(f"weights: expected one for each value, shape {sample.shape}, found {masses.shape}")
    if not np.isfinite(sample).all() or (sample[1:] < sample[:-1]).any():
        raise ValueError("values: expected finite numbers in ascending order, found otherwise")
    sample, masses = sample[masses > 0], masses[masses > 0]
    if not len(sample):
        raise ValueError("weights: expected a sum above 0, found 0")
    starts = np.flatnonzero(np.concatenate(([True], sample[1:] > sample[:-1])))
    return sample[starts], np.add.reduceat(masses, starts)


def _edges_at(distinct: Values, atoms: Flags, cuts: Flags, *, apart: bool) -> Values:
    """The edge of each cut: the value below it, or just under the atom above it, or both."""
    upper = distinct[:-1][cuts & (atoms[:-1] | ~atoms[1:])]
    under = cuts & atoms[1:] & (~atoms[:-1] | apart)
    lower = np.nextafter(distinct[1:][under], -np.inf)
    return np.unique(np.concatenate((upper, lower)))


def tail_edges(minimum: float, maximum: float, width: float, count: int = 12) -> tuple[Values, Values]:
    """Edges beyond the extremes of a reference, each bin twice as wide as the one before.

    Joined as ``concatenate((low, quantile_edges(...), high))`` they make *count*
    more bins on each side; the outermost of each side is open, and its edge,
    ``width * (2 ** (count - 1) - 1)`` from the extreme (2047 widths for 12), is
    the limit to which values are clipped before they are summed.

    Args:
        minimum, maximum: extremes of the reference, finite.
        width: of the first tail bin, above 0; see `tail_width`.
        count: edges on each side, at least 1.

    Returns:
        (low, high), each of shape (count,) and ascending: low ends at the float
        below *minimum*, high begins at *maximum*. Held at the largest finite
        float; a width below the spacing of floats there makes equal edges.

    Raises:
        ValueError: extremes not finite or in the wrong order, width, or count.

    Cost: O(count). Checked by hand.
    """
    if not -LARGEST <= minimum <= maximum <= LARGEST:
        raise ValueError(f"minimum, maximum: expected finite and ascending, found {minimum} and {maximum}")
    if not 0 < width < math.inf or count < 1:
        raise ValueError(
            f"width, count: expected a finite width above 0 and at least 1 edge, found {width} and {count}"
        )
    with np.errstate(over="ignore"):
        reach = width * (np.exp2(np.arange(count)) - 1)
        low = np.nextafter(minimum, -np.inf) - reach[::-1]
        high = maximum + reach
    return np.clip(low, -LARGEST, LARGEST), np.clip(high, -LARGEST, LARGEST)


def tail_width(iqr: float, standard_deviation: float) -> float:
    """Width of the first tail bin: a quarter of the interquartile range.

    Where that is not above 0 or not finite, a quarter of the standard deviation; where
    that is too, 1. Always finite and above 0, in the feature's units.

    Raises: nothing; any two numbers, NaN too, have a width. Cost: O(1). Checked by hand.
    """
    for spread in (iqr, standard_deviation):
        if 0 < 0.25 * spread < math.inf:
            return 0.25 * spread
    return 1.0


def coarse_groups(fine_counts: Counts, groups: int = 10) -> Bins:
    """Unions of adjoining fine bins with masses as equal as such unions can be.

    Of all ways to cut the filled bins into *groups* runs, the one with the least
    sum of squared masses (so an atom may fill a group alone); the first such one,
    by dynamic programming. An empty bin goes with the next filled bin above it,
    and those above the last filled bin with that one, so tails join the
    outermost groups. A row without counts is shared out by number of bins.

    Args:
        fine_counts: shape (bins,), the reference's mass per fine bin.
        groups: at least 1.

    Returns:
        Shape (bins,), never falling, from 0 to at most groups - 1. With fewer
        filled bins than *groups* the highest groups stay unused.

    Raises:
        ValueError: not one-dimensional, no bins, a bad count, or *groups*.

    Cost: O(groups * bins ** 2), 0.3 ms for 88 bins. Checked against a search
    through every partition of small rows.
    """
    counts = checked_counts(fine_counts, "fine_counts")
    if counts.ndim != 1 or not len(counts):
        raise ValueError(f"fine_counts: expected shape (bins,), found {counts.shape}")
    if groups < 1:
        raise ValueError(f"groups: expected at least 1, found {groups}")
    if not counts.any():
        counts = np.ones_like(counts)
    filled = np.flatnonzero(counts)
    ends = _best_ends(counts[filled], min(groups, len(filled)))
    last_bins = filled[ends[:-1] - 1]
    return np.searchsorted(last_bins, np.arange(len(counts)), side="left")


def _best_ends(masses: Values, groups: int) -> Bins:
    """Numbers of masses in the first 1, 2, ... *groups* runs of the best partition."""
    cumulated = np.concatenate(([0.0], np.cumsum(masses)))
    cost = np.square(cumulated[None, :] - cumulated[:, None])
    cost[np.tri(len(cumulated), dtype=np.bool_)] = np.inf  # a run holds at least one
    best, steps = cost[0], []
    for _ in range(groups - 1):
        through = best[:, None] + cost
        steps.append(through.argmin(axis=0))
        best = through.min(axis=0)
    ends = [len(masses)]
    for step in reversed(steps):
        ends.append(int(step[ends[-1]]))
    return np.array(ends[::-1], dtype=np.intp)


def log_odds_edges() -> Values:
    """Inner edges of the fixed quality bins for scores in [0, 1]: 710, making 711 bins.

    513 edges uniform in log-odds from -12 to 12 (512 bins, and one beyond each
    end), rounded to 12 decimals so that every machine has the same, joined with
    two for each multiple v of 0.01 in (0, 1): v and the float below it. So a
    score that reads as "0.29" sits alone in its bin, apart from what lies just
    under and just over it: scores of two decimals give the exact ROC AUC, and
    both ``score >= v`` and ``score > v`` can be read off at every multiple. v is
    ``k / 100``, the float nearest to the decimal; ``k * 0.01`` is not (57 * 0.01
    is 0.5700000000000001).

    Returns:
        Shape (710,), strictly ascending, all inside (0, 1).

    Scores beyond the outermost edges (below 6.1e-6, above 1 - 6.1e-6) are tied:
    a model that puts many there, on both sides of the outcome, has a ROC AUC
    that is off by more than 0.001, and a half width that says so.

    Raises: nothing, as it takes nothing. Cost: 0.1 ms; made once.
    Checked: ROC AUC of two-decimal scores equals scikit-learn's to 1e-12; of
    continuous scores inside the edges it is within 0.001; always within the half
    width.
    """
    smooth = 1 / (1 + np.exp(-np.linspace(-12.0, 12.0, 513)))
    multiples = np.arange(1, 100) / 100
    below = np.nextafter(multiples, -np.inf)
    return np.unique(np.concatenate((np.round(smooth, 12), multiples, below)))


def log_edges(low: float, high: float, relative_error: float) -> Values:
    """Geometric edges from *low* to *high*, as few as the stated error allows.

    The geometric mean of a bin's two ends is within *relative_error* of every
    value inside: neighbouring edges have a ratio of at most
    ``(1 + relative_error) ** 2``. From 0.1 ms to 100 s at 5%: 143 edges.

    Returns:
        Ascending, first *low*, last *high*.

    Raises:
        ValueError: not 0 < low < high < infinity, or relative_error outside (0, 1].

    Cost: O(edges). Checked on values inside each bin, to 1e-12 relative, and on their number by hand.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"low, high: expected 0 < low < high, found {low} and {high}")
    if not 0 < relative_error <= 1:
        raise ValueError(f"relative_error: expected above 0, at most 1, found {relative_error}")
    span = math.log(high) - math.log(low)
    steps = math.ceil(span / (2 * math.log1p(relative_error)))
    edges = np.exp(np.linspace(math.log(low), math.log(high), steps + 1))
    edges[0], edges[-1] = low, high
    return edges


def quantile_from_counts(counts: Binned, edges: Values | Edges, q: Numbers) -> Values:
    """Quantiles of binned samples, by a straight line inside the bin.

    The value below which a share q of the mass lies when each bin's mass is
    spread uniformly between its edges: off by at most the width of the bin that
    it falls in. q = 0 is the lower end of the lowest filled bin, q = 1 the upper
    end of the highest.

    Args:
        counts: shape (..., bins).
        edges: shape (..., bins + 1), finite, never falling; leading axes
            broadcast with those of *counts*.
        q: in [0, 1]; a number, or shape (quantiles,).

    Returns:
        Shape (...) for one q, (..., quantiles) for several. NaN for an empty row.

    Raises:
        ValueError: shapes, a bad count, edges, or q outside [0, 1].

    Cost: O(features * bins * quantiles). Source: Hyndman and Fan, "Sample quantiles in statistical
    packages", 1996, definition 4, between the edges of bins. Checked against ``numpy.interp`` on the
    cumulative shares to 1e-12.
    """
    sample = Sample.of(counts, "counts")
    if sample.counts.shape[-1] == 0:
        raise ValueError(f"counts: expected at least 1 bin on the last axis, found {sample.counts.shape}")
    ends = checked_edges(edges, sample.counts).ends
    levels = np.atleast_1d(np.asarray(q, dtype=np.float64))
    if levels.ndim > 1 or not ((levels >= 0) & (levels <= 1)).all():
        raise ValueError(f"q: expected numbers in [0, 1], found {q}")
    found = _interpolated(sample, ends, levels)
    return found if np.ndim(q) else found[..., 0]


def _interpolated(sample: Sample, ends: Values, levels: Values) -> Values:
    """Shape (..., levels)."""
    upto = sample.cumulated()
    # Sums of weights in two orders may differ by rounding: no level lies beyond the last.
    wanted = np.minimum(levels * sample.totals, upto[..., -1:])
    number = _first_reached(upto, wanted)
    at, sums = _place(upto.shape, number), upto.ravel()
    before = np.where(number > 0, sums[at - 1], 0.0)
    part = (wanted - before) / (sums[at] - before)  # a row without counts wants NaN
    at, flat = _place(ends.shape, number), ends.ravel()
    lower, upper = flat[at], flat[at + 1]
    return np.minimum(np.maximum(lower * (1 - part) + upper * part, lower), upper)


def _first_reached(upto: Counts, wanted: Values) -> Bins:
    """The first bin in which the sum *wanted* is reached, and before which there is something."""
    if upto.dtype.kind == "f":
        least = np.maximum(wanted, _LEAST)
    else:
        # Whole numbers are compared with the whole number that they reach: a quarter less work.
        least = np.fmax(np.ceil(wanted), 1.0).astype(upto.dtype)
    found: Bins = (upto[..., None, :] >= least[..., None]).argmax(axis=-1)
    return found


def _place(shape: tuple[int, ...], places: Bins) -> Bins:
    """Where *places* of the last axis stand in a flat array of *shape*; leading axes broadcast."""
    rows = np.arange(math.prod(shape[:-1])).reshape(*shape[:-1], 1)
    return rows * shape[-1] + places
