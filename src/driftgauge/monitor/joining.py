"""Joined records into panes: by the time the outcome came, and by the prediction's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftgauge.monitor.grouping import grouped, panes
from driftgauge.monitor.update import PaneDelta
from driftgauge.records import Floats
from driftgauge.sketches.inputs import COARSE_CELLS
from driftgauge.sketches.quality import Joined, Quality
from driftgauge.windows import Grid, Part

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version


def join_deltas(
    version: Version,
    quality: Quality,
    records: Joined,
    came: Floats,
    predicted: Floats,
    now: float,
) -> list[PaneDelta]:
    """The rows that n joined records add; none to panes that are no longer kept.

    Args:
        came, predicted: shape (n,), when each outcome came and its prediction was made.
        now: the model's time.
    """
    grid = version.coarse.grid
    oldest = grid.index(now - version.retained_seconds)
    arrived = np.flatnonzero(_hours(grid, came) >= oldest)
    deltas = [
        PaneDelta(Part.ARRIVED, fine, coarse, quality.row(records.at(places)).to_bytes())
        for fine, coarse, places in panes(version, came, arrived, now)
    ]
    hours = _hours(grid, predicted)
    kept = np.flatnonzero(hours >= oldest)
    deltas += [
        PaneDelta(Part.MATURED, None, int(hour), quality.row(records.at(kept[places])).to_bytes())
        for hour, places in grouped(hours[kept])
    ]
    value = version.model.value
    if value is not None:
        deltas += [
            PaneDelta(Part.VALUE_ARRIVED, fine, coarse, version.priced(records.at(places)))
            for fine, coarse, places in panes(version, came, arrived, now)
        ]
        deltas += [
            PaneDelta(Part.VALUE_MATURED, None, int(hour), version.priced(records.at(kept[places])))
            for hour, places in grouped(hours[kept])
        ]
    related = version.relating.sketch_beside(quality)
    if related is not None and records.bins is not None and (records.bins < COARSE_CELLS).any():
        deltas += [
            PaneDelta(
                Part.CONCEPT, None, int(hour), version.relating.encode(related.row(records.at(kept[places])))
            )
            for hour, places in grouped(hours[kept])
        ]
    return deltas


def _hours(grid: Grid, times: Floats) -> Floats:
    """The coarse pane of each time, as floats."""
    return np.asarray(np.floor((times - grid.origin) / grid.width_seconds))
