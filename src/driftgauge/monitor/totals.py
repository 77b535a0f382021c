"""The running totals of one window: which parts it sums, over which panes, and how it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftgauge.config import HOUR
from driftgauge.layout import Row
from driftgauge.monitor.earlier import Earlier, earlier
from driftgauge.sketches.paired import Paired
from driftgauge.windows import (
    AnyState,
    Digest,
    GroupTotals,
    PaneSeries,
    Part,
    RangeTotal,
    Resolution,
    window_name,
)

if TYPE_CHECKING:
    from driftgauge.monitor.model import Model
    from driftgauge.monitor.version import Version

# Windows up to this long stand on minutes; the rest on hours.
FINE_WINDOW: Final = 2 * HOUR


@dataclass(slots=True)
class WindowTotals:
    """The running totals of one window. Owned by the writer.

    Attributes:
        current: by part, the closed panes of the window.
        predicted: outcomes of the window by prediction time; coarse panes, as all below.
        matured, matured_traffic, matured_scores, value_matured, value_predicted, concept: the newest
            matured window.
        earlier: spans that the window is compared with.
    """

    name: str
    seconds: float
    resolution: Resolution
    current: dict[Part, RangeTotal]
    predicted: RangeTotal
    matured: RangeTotal
    matured_traffic: RangeTotal
    matured_scores: RangeTotal
    value_matured: RangeTotal
    value_predicted: RangeTotal
    earlier: tuple[Earlier, ...]
    concept: RangeTotal

    def on(self, resolution: Resolution) -> Iterator[RangeTotal]:
        """The totals that stand on the panes of a resolution."""
        if self.resolution is resolution:
            yield from self.current.values()
        if resolution is Resolution.COARSE:
            yield self.predicted
            yield from self._matured
        for before in self.earlier:
            if before.resolution is resolution:
                yield from before.totals.values()

    @property
    def _matured(self) -> tuple[RangeTotal, ...]:
        return (
            self.matured,
            self.matured_traffic,
            self.matured_scores,
            self.value_matured,
            self.value_predicted,
            self.concept,
        )

    def move(self, version: Version, now: float) -> None:
        """Let the window end at *now*: closed panes in, expired ones out. O(steps * cells)."""
        series = version.panes_of(self.resolution)
        end = series.grid.index(now)
        first = end - series.grid.closed_panes(self.seconds)
        for part, total in self.current.items():
            if _needed(version, part):
                total.move(first, end)
        for before in self.earlier:
            before.move(now)
        if version.model.quality is not None:
            self._move_outcomes(version, now)

    def _move_outcomes(self, version: Version, now: float) -> None:
        grid = version.coarse.grid
        panes = grid.closed_panes(self.seconds)
        end = grid.index(now)
        self.predicted.move(end - panes, end)
        if version.matures_after is not None:
            end = grid.index(now - version.matures_after / version.model.scale)
            for total in self._matured:
                if _needed_matured(version, total.part):
                    total.move(end - panes, end)


def _needed(version: Version, part: Part) -> bool:
    """Whether anything can be said of a current total yet."""
    if part is Part.PREDICTED:
        return version.model.scores is not None
    if part is Part.SEGMENTS:
        return version.segmenting.sketch is not None
    if part is Part.PAIRED:
        return version.model.paired is not None and version.pairing.older != 0
    return part is not Part.ARRIVED or version.model.quality is not None


def _needed_matured(version: Version, part: Part) -> bool:
    """Whether a matured total is counted at all."""
    if part is Part.VALUE_MATURED:
        return version.model.value is not None
    if part is Part.VALUE_PREDICTED:
        return version.model.weighted_scores is not None
    return part is not Part.CONCEPT or version.relating.sketch is not None


def window_totals(version: Version, seconds: float) -> WindowTotals:
    """The totals of a window of *seconds*, as configured, over the panes of *version*; all are empty."""
    model, coarse = version.model, version.coarse
    series = version.fine if version.fine is not None and seconds <= FINE_WINDOW else coarse
    scaled = seconds / model.scale
    current = {part: RangeTotal(series, part) for part in _current_parts(version)}
    matured, value = RangeTotal(coarse, Part.MATURED), RangeTotal(coarse, Part.VALUE_MATURED)
    _group((current[Part.ARRIVED], matured), scaled, _quality_digest(model))
    _group((current[Part.PAIRED],), scaled, _whole)
    if model.value is not None:
        _group((current[Part.VALUE_ARRIVED], value), scaled, _value_digest(model))
    return WindowTotals(
        name=window_name(seconds),
        seconds=scaled,
        resolution=Resolution.COARSE if series is coarse else Resolution.FINE,
        current=current,
        predicted=RangeTotal(coarse, Part.MATURED),
        matured=matured,
        matured_traffic=RangeTotal(coarse, Part.TRAFFIC),
        matured_scores=RangeTotal(coarse, Part.PREDICTED),
        value_matured=value,
        value_predicted=RangeTotal(coarse, Part.VALUE_PREDICTED),
        earlier=tuple(earlier(model.config.against, seconds, model.scale, series, coarse)),
        concept=RangeTotal(coarse, Part.CONCEPT),
    )


def _current_parts(version: Version) -> Iterator[Part]:
    yield from (Part.TRAFFIC, Part.INPUTS, Part.OUTPUTS, Part.ARRIVED, Part.PREDICTED, Part.PAIRED)
    if version.model.value is not None:
        yield Part.VALUE_ARRIVED
    if version.model.weighted_scores is not None:
        yield Part.VALUE_PREDICTED
    if version.segmenting.features:
        yield Part.SEGMENTS


def _group(totals: tuple[RangeTotal, ...], seconds: float, digest: Digest) -> None:
    """Let totals of a window of *seconds* keep groups of their panes."""
    for total in totals:
        total.groups = GroupTotals.over(total.series.grid.closed_panes(seconds), digest)


def _quality_digest(model: Model) -> Digest:
    """What groups of panes keep of a row of quality, of the task as it is known then."""

    def digest(row: AnyState) -> Row:
        quality = model.quality
        assert quality is not None
        assert isinstance(row, Row)
        return quality.digest(row)

    return digest


def _whole(row: AnyState) -> Row:
    """What groups of panes keep of a row of pairs."""
    assert isinstance(row, Row)
    return Paired.digest(row)


def _value_digest(model: Model) -> Digest:
    """What groups of panes keep of a row of value."""

    def digest(row: AnyState) -> Row:
        assert model.value is not None
        assert isinstance(row, Row)
        return model.value.digest(row)

    return digest


def with_open(total: RangeTotal, series: PaneSeries, open_pane: int) -> AnyState | None:
    """A copy of a total with the open pane's records; None for a total that was never moved."""
    if total.row is None:
        return None
    whole = total.row.copy()
    newest = series.row(total.part, open_pane)
    if newest is not None:
        whole.add(newest)  # type: ignore[arg-type]
    return whole


def groups_with_open(total: RangeTotal, series: PaneSeries, open_pane: int) -> Row | None:
    """A copy of a total's groups with the open pane's records."""
    if total.row is None or total.groups is None:
        return None
    return total.groups.stacked(series.row(total.part, open_pane), open_pane)


def groups(total: RangeTotal) -> Row | None:
    """A copy of a total's groups."""
    return None if total.row is None or total.groups is None else total.groups.stacked(None, 0)
