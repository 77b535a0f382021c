"""Whether binned samples differ by more than chance, where records are not independent.

Arguments named ``reference_counts`` and ``current_counts`` are as in `divergence`: shape
(features, bins) or any other leading axes, which broadcast. p-values come from ``scipy.special``,
imported at the first call. Functions are O(elements), about 0.1 ms for 25 features of 12 bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.stats.arrays import Counts, Numbers, Values, checked_counts, checked_pair
from driftgauge.stats.divergence import chi_square
from driftgauge.stats.special import functions

LEAST_EXPECTED = 5.0
"""Expected records per bin below which the chi-square distribution is no good guide (Cochran, 1954)."""


def merged(
    reference_counts: Counts, current_counts: Counts, *, least: float = LEAST_EXPECTED
) -> tuple[Values, Values]:
    """Both sides with their sparse bins merged, so that every bin left is expected to hold *least*.

    A bin is sparse when the smaller of its two expected counts (under equal shares) is below *least*.
    All sparse bins of a row become one bin; where that is sparse too, it joins the thinnest bin that
    isn't. Merged, not dropped: records in new places must count. Opposite moves within the merged
    bin are not seen.

    Returns:
        Two arrays of the broadcast shape; bins that were merged away hold 0 on both sides. Totals are
        kept. A row that can't be split into two such bins has all records in one bin.

    Raises:
        ValueError: shapes, a bad count, or *least* below 0.

    Cost: O(elements). Checked against merging bin by bin in Python.
    """
    if not 0 <= least < np.inf:
        raise ValueError(f"least: expected a finite number of at least 0, found {least}")
    reference, current = np.broadcast_arrays(*checked_pair(reference_counts, current_counts))
    both, share = reference + current, _smaller_share(reference, current)
    expected = both * share
    sparse = expected < least
    # Whole counts are summed before they are shared out: a sum of shares may miss *least* by rounding.
    pooled = np.where(sparse, both, 0.0).sum(axis=-1) * share[..., 0]
    thinnest = np.where(sparse, np.inf, expected).argmin(axis=-1)
    # Where all bins are sparse, thinnest is 0, and everything is one bin either way.
    place = np.where(pooled >= least, sparse.argmax(axis=-1), thinnest)
    return _pooled(reference, sparse, place), _pooled(current, sparse, place)


def _smaller_share(reference: Values, current: Values) -> Values:
    """What the side with fewer records expects of each record, shape (..., 1); 0 where there are none."""
    totals = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
    whole = totals[0] + totals[1]
    share: Values = np.minimum(*totals) / np.where(whole > 0, whole, 1.0)
    return share


def _pooled(counts: Values, sparse: np.ndarray, place: np.ndarray) -> Values:
    kept = np.where(sparse, 0.0, counts)
    moved = np.where(sparse, counts, 0.0).sum(axis=-1, keepdims=True)
    at = place[..., None]
    np.put_along_axis(kept, at, np.take_along_axis(kept, at, axis=-1) + moved, axis=-1)
    return kept


def homogeneity(
    reference_counts: Counts, current_counts: Counts, *, least: float = LEAST_EXPECTED
) -> tuple[Values, Values]:
    """Two-sample chi-square of homogeneity over bins that are not sparse (see `merged`).

    Returns:
        (statistic, degrees of freedom). Degrees are 0, and the statistic too, where fewer than two
        bins are left: nothing can be said. NaN where a side has no records.

    Raises:
        ValueError: as `merged`.

    Cost: O(elements). Source: Pearson, 1900; Cochran, 1954, for the guard. Checked against
    ``scipy.stats.chi2_contingency(correction=False)`` on the merged table to 1e-10 relative.
    """
    return chi_square(*merged(reference_counts, current_counts, least=least))


def effective_samples(reference_samples: Numbers, current_samples: Numbers) -> Values:
    """``1 / (1 / n + 1 / m)``: the size of one sample against a known truth that two are worth.

    0 where either is 0. The chi-square of two samples grows with it.

    Raises:
        ValueError: a number that is negative or not finite.

    Cost: O(elements). Checked by hand.
    """
    n = checked_counts(reference_samples, "reference_samples")
    m = checked_counts(current_samples, "current_samples")
    return np.asarray(n * m / np.where(n + m > 0, n + m, 1.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """How much further apart the windows of a reference lie than independent records would.

    Attributes:
        windows: shape (features,), K, how many windows have records.
        excess: shape (features,), at least 0: how much chi-square per degree of freedom exceeds 1,
            per effective sample.
        samples: shape (features,), mean effective samples of a window.
        persistence: shape (features,), in [0, 0.9]: how alike adjoining windows are, the correlation
            of what moves them and one standard error on top.

    Errors: its methods take the fields as `overdispersion` makes them. Cost of each: O(features).
    Checked as `overdispersion` is.
    """

    windows: Values
    excess: Values
    samples: Values
    persistence: Values

    def phi(self, samples: Numbers | None = None) -> Values:
        """Expected chi-square per degree of freedom of a stationary window against the reference.

        Where adjoining windows are alike, a reference of few of them lies closer to its own windows
        and further from those to come than its windows tell: the excess is raised for both.

        Args:
            samples: effective samples of that window. The part of chi-square that comes from shares
                that move from window to window grows with them. Fewer than the reference's own
                windows have are taken for as many, which is the careful side where dependence comes
                from repeated entities. None: as many.

        Returns:
            What they broadcast to, at least 1; 1 where there is no excess.

        Raises:
            ValueError: samples that are negative or not finite.

        Cost: O(elements). Checked against the mean of scipy's chi-square over windows to 1e-10, and
        on records with a known design effect to 5%.
        """
        own = self.samples
        given = own if samples is None else np.maximum(checked_counts(samples, "samples"), own)
        alike = (1.0 + self.persistence) / (1.0 - self.persistence)
        off = np.minimum(alike / np.maximum(self.windows, 1.0), _MOST_OFF)
        return np.asarray(1.0 + self.excess * given * (1.0 + off) / (1.0 - off), dtype=np.float64)

    def independent_windows(self) -> Values:
        """How many independent windows tell as much of a spread; at least 3, at most K.

        Raises: nothing. Cost: O(features). Source: Bayley and Hammersley, 1946, for a first-order
        autoregression. Checked on autoregressive shares.
        """
        squared = self.persistence**2
        return np.minimum(self.windows, np.maximum(self.windows * (1 - squared) / (1 + squared), 3.0))


_MOST_OFF = 0.8
_MOST_PERSISTENT = 0.9
_SEEN_MOVING = 0.2
"""Below this excess over 1 nothing is seen to move, and so nothing of its persistence."""


def overdispersion(window_counts: Counts) -> Overdispersion:
    """Overdispersion from a reference's own windows, each against the rest of the reference.

    For windows of equal size chi-square / degrees of freedom is 1 + excess * samples on average, at
    least 1. Windows of unequal size are weighed by their effective samples, so that days of little
    traffic say little. A window in which too few records leave a single bin adds nothing to the
    excess.

    Args:
        window_counts: shape (windows, features, bins), in order of time.

    Returns:
        Of shape (features,). Without two windows with records there is no excess.

    Raises:
        ValueError: not three axes, or a bad count.

    Cost: O(windows * features * bins), one window at a time, 0.1 ms a window of 25 features.
    Source: Wedderburn, "Quasi-likelihood functions", 1974; Rao and Scott, 1984, for chi-square of
    clustered records. Checked against the mean of scipy's chi-square over windows to 1e-10, on
    records with a known design effect to 5%, and on autoregressive shares.
    """
    counts = checked_counts(window_counts, "window_counts")
    if counts.ndim != 3:
        raise ValueError(f"window_counts: expected (windows, features, bins), found shape {counts.shape}")
    whole = counts.sum(axis=0)
    windows, weight, excess, alike, apart = (np.zeros(counts.shape[1]) for _ in range(5))
    scale = np.sqrt(np.maximum(whole / np.maximum(whole.sum(axis=-1, keepdims=True), 1.0), 1e-300))
    before = np.zeros(whole.shape)
    for window in counts:
        rest = np.maximum(whole - window, 0.0)
        statistic, degrees = homogeneity(rest, window)
        told = degrees > 0
        effective = effective_samples(rest.sum(axis=-1), window.sum(axis=-1))
        windows += window.sum(axis=-1) > 0
        weight += effective
        excess += np.where(told, statistic / np.where(told, degrees, 1.0) - 1.0, 0.0)
        moved = _moved(rest, window, effective, scale)
        alike += np.vecdot(moved, before)
        apart += np.vecdot(moved, moved)
        before = moved
    bins = np.maximum(np.count_nonzero(whole, axis=-1) - 1.0, 1.0)
    return Overdispersion(
        windows,
        np.maximum(excess / np.maximum(weight, 1e-300), 0.0),
        weight / np.maximum(windows, 1.0),
        persistence(windows, alike, apart, bins),
    )


def _moved(rest: Values, window: Values, effective: Values, scale: Values) -> Values:
    """How far each bin's share lies from the rest's, in standard errors of independent records."""
    totals = window.sum(axis=-1, keepdims=True), rest.sum(axis=-1, keepdims=True)
    shares = window / np.maximum(totals[0], 1.0) - rest / np.maximum(totals[1], 1.0)
    return np.asarray(shares * np.sqrt(effective)[..., None] / scale, dtype=np.float64)


def persistence(windows: Values, alike: Values, apart: Values, bins: Values) -> Values:
    """Correlation of adjoining windows without what independent records add to their spread.

    One standard error is added, and it is held within [0, 0.9]: the careful side.

    Args:
        windows: how many there are, shape (features,).
        alike: sum over adjoining windows of the products of their moves, in standard errors, over all
            bins; apart: of the squares of all windows' moves. Each window's move is against the rest.
        bins: degrees of freedom of a window's moves.

    Returns:
        Shape (features,). One standard error, as far as it is within bounds, where nothing is seen to
        move or there are fewer than three windows.

    Raises:
        ValueError: windows or squares that are negative or not finite, or bins not above 0.

    Cost: O(features). Source: the moment estimate of a first-order autocorrelation, less the part of
    independent records. Checked on autoregressive shares, to 0.05.
    """
    windows, apart = checked_counts(windows, "windows"), checked_counts(apart, "apart")
    if not (np.asarray(bins) > 0).all():
        raise ValueError("bins: expected numbers above 0, found others")
    known = np.maximum(windows, 1.0)
    spread = apart / known - bins
    # Each window is held against the rest, which holds its neighbour: by chance they are opposed.
    together = alike / np.maximum(windows - 1.0, 1.0) + bins / known
    seen = (spread > _SEEN_MOVING * bins) & (windows > 2)
    correlation = np.where(seen, together / np.where(seen, spread, 1.0), 0.0)
    return np.clip(correlation + 1.0 / np.sqrt(known), 0.0, _MOST_PERSISTENT)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def overdispersed_p(statistic: Counts, degrees_of_freedom: Counts, phi: Numbers, windows: Numbers) -> Values:
    """Chance of a chi-square at least this large where it is *phi* times too large on average.

    The bins of a feature that drifts to and fro move together. So the excess is laid on one of the
    degrees of freedom, the worst case: the statistic is taken for the sum of a chi-square with one
    degree less and of ``1 + degrees * (phi - 1)`` times a squared Student t, with as many degrees of
    freedom as the *windows* leave from which phi is known.

    Args:
        windows: independent windows behind phi, see `Overdispersion.independent_windows`.

    Returns:
        In [0, 1]; 1 without degrees of freedom. NaN where the statistic is NaN and with fewer than
        two windows.

    Raises:
        ValueError: a statistic, a degree or a number of windows below 0, or a phi below 1.

    Cost: 32 evaluations of the chi-square tail an element, about 5 us.
    Source: the two-sided t test of a shift between windows; the sum by Gauss-Legendre quadrature.
    Checked against a million draws, to 5% for p above 1e-3, and with one degree against
    ``scipy.stats.t.sf`` to 1e-12 relative.
    """
    special = functions()

    dispersion, known = np.asarray(phi, np.float64), checked_counts(windows, "windows")
    if (dispersion < 1).any():
        raise ValueError("phi: expected at least 1, found less")
    value = checked_nan(statistic, "statistic")
    degrees = checked_nan(degrees_of_freedom, "degrees_of_freedom")
    value, degrees, dispersion, known = np.broadcast_arrays(value, degrees, dispersion, known)
    freedom = np.where(known > 1, known - 1.0, np.nan)
    with np.errstate(all="ignore"):
        heavy = 1.0 + np.maximum(degrees, 1.0) * (dispersion - 1.0)
        tail = np.asarray(special.fdtrc(1.0, freedom, value / heavy))
        reach = np.sqrt(value / heavy)[..., None]
        at = reach * (_NODES + 1) / 2
        left = np.maximum(value[..., None] - heavy[..., None] * at**2, 0.0)
        rest = special.chdtrc(np.maximum(degrees - 1.0, 1.0)[..., None], left)
        middle = (reach * _WEIGHTS * student_density(at, freedom[..., None]) * rest).sum(axis=-1)
        p = np.minimum(tail + np.where(degrees > 1, middle, 0.0), 1.0)
    return np.where(degrees == 0, np.where(np.isnan(value), np.nan, 1.0), p)


def student_density(t: Values, freedom: Values) -> Values:
    """Density of Student's t, any shapes that broadcast; NaN where either argument is.

    Raises:
        ValueError: a freedom that is not above 0.

    Cost: O(elements). Source: Student, 1908; Fisher, 1925. Checked against ``scipy.stats.t.pdf`` to
    1e-12 relative.
    """
    special = functions()

    if (np.asarray(freedom) <= 0).any():
        raise ValueError("freedom: expected numbers above 0, found others")

    scale = np.exp(special.gammaln((freedom + 1) / 2) - special.gammaln(freedom / 2)) / np.sqrt(
        freedom * np.pi
    )
    return np.asarray(scale * (1.0 + t * t / freedom) ** (-(freedom + 1) / 2), dtype=np.float64)


def checked_nan(values: Numbers, where: str) -> Values:
    """*values* as float64; none may be below 0, NaN is let through.

    Raises:
        ValueError: one is.

    Cost: O(elements), one pass. Checked by hand, through the messages of `detectable`.
    """
    array = np.asarray(values, dtype=np.float64)
    if (array < 0).any():
        raise ValueError(f"{where}: expected at least 0, found less")
    return array


def benjamini_hochberg(p: Values) -> Values:
    """p-values adjusted for their number: those at most q are significant at a false discovery rate q.

    Args:
        p: shape (..., tests), in [0, 1]; NaN is no test, and stays NaN.

    Returns:
        Same shape, in [p, 1], in the order of *p*.

    Raises:
        ValueError: no axis, or a p-value outside [0, 1].

    Cost: O(tests log tests). Source: Benjamini and Hochberg, 1995. Checked against
    ``scipy.stats.false_discovery_control`` to 1e-15.
    """
    given = np.asarray(p, dtype=np.float64)
    if given.ndim == 0:
        raise ValueError("p: expected at least one axis, found a number")
    if ((given < 0) | (given > 1)).any():
        raise ValueError("p: expected values in [0, 1], found others")
    order = np.argsort(given, axis=-1)  # NaN last
    tests = np.count_nonzero(~np.isnan(given), axis=-1, keepdims=True)
    rank = np.arange(1, given.shape[-1] + 1)
    scaled = np.take_along_axis(given, order, axis=-1) * tests / rank
    least = np.fmin.accumulate(np.where(np.isnan(scaled), 1.0, scaled)[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.full(given.shape, np.nan)
    np.put_along_axis(adjusted, order, np.minimum(least, 1.0), axis=-1)
    return np.where(np.isnan(given), np.nan, adjusted)
