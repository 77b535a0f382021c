"""Where to cut a row of masses into runs: the combinatorial half of `quantile_edges`.

Masses are those of n ascending distinct values; cut j (of n - 1) lies between
values j and j + 1. Runs of O(bins) Python steps, when a reference is made.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from driftgauge.stats.arrays import Bins, Values

Flags: TypeAlias = npt.NDArray[np.bool_]


def cuts_between(masses: Values, atoms: Flags, bins: int) -> tuple[Flags, bool]:
    """Cuts for *bins* bins, and whether adjoining atoms are kept apart by a gap.

    Args:
        masses: shape (n,), each above 0.
        atoms: shape (n,), the values that want a bin of their own.
        bins: at least 1.

    Returns:
        (cuts, apart): cuts of shape (n - 1,); apart says that each cut between
        two adjoining atoms has two edges. All edges together: at most bins - 1.

    Raises:
        ValueError: shapes differ or hold nothing, a mass is not above 0 or not finite, or *bins*.

    Cost: O(n + bins ** 2). Checked against the weighted quantiles of
    ``numpy.quantile(method="inverted_cdf")`` and by hand.
    """
    if masses.ndim != 1 or not masses.size or atoms.shape != masses.shape:
        raise ValueError(f"masses, atoms: expected two of shape (n,), found {masses.shape} and {atoms.shape}")
    if bins < 1 or not 0 < masses.min() <= masses.max() < np.inf:
        raise ValueError(
            f"masses, bins: expected finite masses above 0 and at least 1 bin, found {bins} bins"
        )
    room = bins - 1
    cuts = atoms[:-1] | atoms[1:]
    if len(masses) <= bins:
        cuts[:] = True
    gaps = int((atoms[:-1] & atoms[1:]).sum())
    edges = int(cuts.sum()) + gaps
    apart = edges <= (room if len(masses) <= bins else room // 2)
    room -= gaps if apart else 0
    if cuts.sum() > room:
        return _joined(masses, cuts, room), False
    return _divided(masses, cuts, room), apart


def _joined(masses: Values, cuts: Flags, room: int) -> Flags:
    """Cuts less those between the lightest neighbouring runs, until *room* are left."""
    kept = cuts.copy()
    while kept.sum() > room:
        runs = np.add.reduceat(masses, _starts(kept))
        lightest = int(np.argmin(runs[:-1] + runs[1:]))
        kept[np.flatnonzero(kept)[lightest]] = False
    return kept


def _divided(masses: Values, cuts: Flags, room: int) -> Flags:
    """Cuts and more of them, at quantiles of the heaviest runs, until *room* or all are used."""
    more = cuts.copy()
    while (spare := room - int(more.sum())) > 0 and not more.all():
        starts = _starts(more)
        stops = np.append(starts[1:], len(masses))
        for start, stop, parts in zip(starts, stops, _parts(masses, starts, stops, spare), strict=True):
            more[start + _quantile_cuts(masses[start:stop], int(parts))] = True
    return more


def _parts(masses: Values, starts: Bins, stops: Bins, spare: int) -> Bins:
    """How many parts each run is cut into: one more, *spare* times, where parts are heaviest."""
    runs = np.add.reduceat(masses, starts)
    lengths = stops - starts
    parts = np.ones_like(lengths)
    for _ in range(spare):
        load = np.where(parts < lengths, runs / parts, 0.0)
        heaviest = int(np.argmax(load))
        if load[heaviest] == 0:
            break
        parts[heaviest] += 1
    return parts


def _quantile_cuts(masses: Values, parts: int) -> Bins:
    """Cuts of one run at its inverted-CDF quantiles 1/parts, 2/parts, ..."""
    cumulated = np.cumsum(masses)
    wanted = cumulated[-1] * np.arange(1, parts) / parts
    first: Bins = np.searchsorted(cumulated, wanted, side="left")
    first[first > len(masses) - 2] = len(masses) - 2
    return first


def _starts(cuts: Flags) -> Bins:
    return np.concatenate(([0], np.flatnonzero(cuts) + 1))
