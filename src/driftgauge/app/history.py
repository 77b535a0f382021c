"""A model's past, from saved panes: hours for as long as they are kept, days before."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.evaluate.quality import measured, quality
from driftgauge.evaluate.segments import Totals, groups
from driftgauge.layout import Row
from driftgauge.monitor.version import Version
from driftgauge.snapshot import ClassQuality, Cohort, Quality, Value
from driftgauge.view import VersionView
from driftgauge.web.ports import HistoryQuery, HistoryRow, Statistic
from driftgauge.windows import Part, Resolution

DAY_SECONDS = 86_400.0
_LABELS = frozenset(
    {"model", "model_version", "window", "cohort", "segment", "segment_value", "class_", "samples"}
)


def history(version: Version, view: VersionView, query: HistoryQuery) -> Iterator[HistoryRow]:
    """Rows of one version, oldest first; runs in the writer's thread.

    Cost: a look-up a span, about 50 us; five weeks of hours are 840.
    """
    grid = version.coarse.grid
    if version.first_time is None:
        return
    newest = grid.index(view.now)
    kept_from = version.retired_before.get(Resolution.COARSE, grid.index(version.first_time))
    for day in range(version.day(grid.index(version.first_time)), version.day(kept_from) + 1):
        start = day * DAY_SECONDS / version.model.scale
        if _wanted(query, start, DAY_SECONDS / version.model.scale):
            rows = {p: _saved(version, Resolution.DAY, day, p) for p in (Part.TRAFFIC, Part.ARRIVED)}
            yield from _row(version, view, start, DAY_SECONDS / version.model.scale, rows)
    for index in range(kept_from, newest + 1):
        start = grid.start(index)
        if _wanted(query, start, grid.width_seconds):
            found = {p: version.coarse.peek(p, index) for p in (Part.TRAFFIC, Part.ARRIVED)}
            rows = {p: row if isinstance(row, Row) else None for p, row in found.items()}
            yield from _row(version, view, start, grid.width_seconds, rows)


def _wanted(query: HistoryQuery, start: float, seconds: float) -> bool:
    after = query.start is None or start + seconds > query.start
    return after and (query.end is None or start < query.end)


def _saved(version: Version, resolution: Resolution, index: int, part: Part) -> Row | None:
    data = version.shelf.pane(version.owner, resolution, index, part)
    row = None if data is None else version.decode(part, data)
    return row if isinstance(row, Row) else None


def _row(
    version: Version, view: VersionView, start: float, seconds: float, rows: dict[Part, Row | None]
) -> Iterator[HistoryRow]:
    traffic, arrived = rows[Part.TRAFFIC], rows[Part.ARRIVED]
    if traffic is None and arrived is None:
        return
    outcomes = 0.0
    found: tuple[Statistic, ...] = ()
    if arrived is not None and view.quality is not None:
        totals = Totals.of(view, [("", Cohort.ARRIVED, arrived, None)], groups(view)[:1])
        rows_of = quality(totals, measured(totals))
        outcomes = float(view.quality.outcomes(arrived)[0])
        whole = [c for c in rows_of.classes if not c.class_]
        found = tuple(_statistics(rows_of.quality[0])) + tuple(s for c in whole for s in _statistics(c))
    predictions = 0.0 if traffic is None else float(version.traffic.predictions(traffic))
    yield HistoryRow(version.name, start, seconds, predictions, outcomes, found)


def _statistics(row: Quality | ClassQuality) -> Iterator[Statistic]:
    for name in row.__struct_fields__:
        if name not in _LABELS:
            number: Value = getattr(row, name)
            if number is not None:
                yield Statistic(name, number)
