"""Verdicts on relations, taken when a pane of a window's matured cohort closes."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from driftgauge.config import DAY
from driftgauge.layout import Row
from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.reference.comparing import compared
from driftgauge.reference.verdicts import RelationJudged, judge
from driftgauge.windows import RangeTotal

# Shorter windows are shown only, as for drift.
SHORTEST: Final = DAY


def step(version: Version, now: float) -> Update | None:
    """Judge every edge that has closed since the last one; the update that keeps what was found.

    Where the clock has jumped, edges that no hold can reach back to are passed over: a run is as long
    without them.

    Cost: nothing until a pane closes; then what `compared` costs, a window of at least a day.
    """
    found = tuple(_judged(version, now))
    if not found:
        return None
    model = version.model
    return Update(model.owner, model.name, version.owner, version.name, related=found)


def _judged(version: Version, now: float) -> Iterator[RelationJudged]:
    relating, scale = version.relating, version.model.scale
    if relating.reference is None or relating.sketch is None or version.matures_after is None:
        return
    grid = version.coarse.grid
    end = grid.index(now - version.matures_after / scale)
    for window in version.windows:
        if window.seconds * scale >= SHORTEST:
            last = _window(version, window.name, window.concept, grid.closed_panes(window.seconds), end)
            if last is not None:
                yield last


def _window(version: Version, name: str, total: RangeTotal, panes: int, end: int) -> RelationJudged | None:
    """The newest edge of a window; None where none has closed."""
    relating, hold = version.relating, max(1, ceil(panes / 2))
    last, begun = relating.judged.get(name), relating.begun
    if begun is None or (last is not None and last.edge >= end):
        return None
    reached = begun if last is None else last.edge
    edges = range(max(reached + 1, end + 1 - hold), end + 1)
    for edge in edges:
        if edge != reached + 1:
            last = None
        last, reached = _edge(version, name, total, panes, edge, last, hold), edge
    return last if edges else None


def _edge(
    version: Version,
    name: str,
    total: RangeTotal,
    panes: int,
    edge: int,
    last: RelationJudged | None,
    hold: int,
) -> RelationJudged:
    relating, codes = version.relating, version.inputs.codes
    sketch, relation = relating.sketch, relating.reference
    assert sketch is not None
    assert relation is not None
    assert codes is not None
    total.move(edge - panes, edge)
    row = total.row if isinstance(total.row, Row) else sketch.zero()
    found = compared(relation, sketch, row, codes, version.model.structure.classes)
    covered = (edge - max(relating.begun or 0, edge - panes)) / panes
    table = judge(found, covered, last, hold)
    return RelationJudged(name, edge, relating.reference_id, table.tobytes())
