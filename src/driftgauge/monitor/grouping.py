"""Records by the pane that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftgauge.records import Floats, Ints

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version

FINE_PANES_KEPT = 2 * 60


def panes(version: Version, times: Floats, chosen: Ints, now: float) -> list[tuple[int | None, int, Ints]]:
    """The panes of the chosen records: fine number (None where too old for one), coarse number,
    places.
    """
    coarse_grid, fine = version.coarse.grid, version.fine
    coarse = np.floor((times[chosen] - coarse_grid.origin) / coarse_grid.width_seconds)
    if fine is None:
        return [(None, int(p), chosen[where]) for p, where in grouped(coarse)]
    minutes = np.floor((times[chosen] - fine.grid.origin) / fine.grid.width_seconds)
    oldest = fine.grid.index(now) - FINE_PANES_KEPT - 1
    recent = minutes >= oldest
    found: list[tuple[int | None, int, Ints]] = []
    for hour, where in grouped(coarse):
        inside, young = minutes[where], recent[where]
        if not young.all():
            found.append((None, int(hour), chosen[where[~young]]))
        kept = where[young]
        found += [(int(m), int(hour), chosen[kept[w]]) for m, w in grouped(inside[young])]
    return found


def grouped(values: Floats) -> list[tuple[float, Ints]]:
    """Each distinct value and where it stands, ascending."""
    if not values.size:
        return []
    if values[0] == values[-1] and (values == values[0]).all():
        return [(float(values[0]), np.arange(values.size))]
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    return list(zip(distinct.tolist(), np.split(order, starts[1:]), strict=True))
