"""Totals of earlier spans that a window is compared with: the one before it, the same hours a week ago."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from driftgauge.config import DAY, Against
from driftgauge.windows import Grid, PaneSeries, Part, RangeTotal, Resolution

WEEK: Final = 7 * DAY
PARTS: Final = (Part.INPUTS, Part.OUTPUTS)

Span = Callable[[float], tuple[int, int]]


@dataclass(slots=True)
class Earlier:
    """One earlier span of one window, kept while it moves.

    Attributes:
        span: the panes (first, end) at a time of the model's clock.
    """

    against: Against
    resolution: Resolution
    span: Span
    totals: dict[Part, RangeTotal]

    def move(self, now: float) -> None:
        """Let the span follow *now*. O(steps * cells)."""
        for total in self.totals.values():
            total.move(*self.span(now))


def earlier(
    wanted: tuple[Against, ...], seconds: float, scale: float, series: PaneSeries, coarse: PaneSeries
) -> Iterator[Earlier]:
    """What a window of *seconds* (as configured) on *series* is compared with beside the reference."""
    panes = series.grid.closed_panes(seconds / scale)
    if Against.PREVIOUS_WINDOW in wanted:
        resolution = Resolution.COARSE if series is coarse else Resolution.FINE
        span = _previous(series.grid, panes)
        yield Earlier(Against.PREVIOUS_WINDOW, resolution, span, _totals(series))
    same_hours = Against.SAME_HOURS_LAST_WEEK
    if same_hours in wanted and same_hours.suits(seconds):
        span = _week_ago(series.grid, coarse.grid, panes, WEEK / scale)
        yield Earlier(same_hours, Resolution.COARSE, span, _totals(coarse))


def _totals(series: PaneSeries) -> dict[Part, RangeTotal]:
    return {part: RangeTotal(series, part) for part in PARTS}


def _previous(grid: Grid, panes: int) -> Span:
    def span(now: float) -> tuple[int, int]:
        end = grid.index(now) - panes
        return end - panes, end

    return span


def _week_ago(grid: Grid, coarse: Grid, panes: int, week: float) -> Span:
    """Whole coarse panes: those of the closed panes a week ago, or those that a window of minutes
    touches, for minutes aren't kept so long.
    """

    def span(now: float) -> tuple[int, int]:
        if grid == coarse:
            end = coarse.index(now - week)
            return end - panes, end
        begin = grid.start(grid.index(now) - panes) - week
        end = coarse.index(now - week)
        return coarse.index(begin), end if coarse.start(end) == now - week else end + 1

    return span
