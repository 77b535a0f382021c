"""Panes over time, and windows as sums of panes; given `now`, reading no clock.

A *pane* is what came within one step of a grid (a minute, an hour). A pane has parts, each with a
state of its own: traffic, inputs, outputs, outcomes by arrival, outcomes by the prediction's time,
predictions by score. Panes not touched lately live in the store and come back when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Row
from driftgauge.sketches.learning import LearningRow

AnyState = Row | LearningRow


class Part(StrEnum):
    """What of a pane; each is saved apart, as they change at different times."""

    TRAFFIC = "traffic"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    ARRIVED = "arrived"
    MATURED = "matured"
    CONCEPT = "concept"
    PREDICTED = "predicted"
    VALUE_ARRIVED = "value_arrived"
    VALUE_MATURED = "value_matured"
    VALUE_PREDICTED = "value_predicted"
    SEGMENTS = "segments"
    SEGMENT_REFERENCE = "segment_reference"
    PAIRED = "paired"


class Resolution(StrEnum):
    """Which grid a pane lies on."""

    FINE = "fine"
    COARSE = "coarse"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Grid:
    """Panes of *width_seconds*, one of them beginning at *origin*."""

    width_seconds: float
    origin: float = 0.0

    def index(self, time: float) -> int:
        """The pane that holds *time*; a pane holds its begin, not its end."""
        return floor((time - self.origin) / self.width_seconds)

    def start(self, index: int) -> float:
        """When the pane begins."""
        return self.origin + index * self.width_seconds

    def closed_panes(self, window_seconds: float) -> int:
        """How many closed panes cover a window."""
        return max(1, ceil(window_seconds / self.width_seconds - 1e-9))


Load = Callable[[Part, int], AnyState | None]
Zero = Callable[[Part], AnyState]


@dataclass(slots=True)
class PaneSeries:
    """All panes of one grid: those touched lately in memory, the others behind *load*.

    Owned by the writer. `dirty` are the panes changed since the last checkpoint; `shelved` those
    that *load* can give, None where that isn't known (after a restart): most panes that are asked
    for and aren't in memory never were.
    """

    grid: Grid
    load: Load
    zero: Zero
    shelved: set[tuple[Part, int]] | None = None
    hot: dict[tuple[Part, int], AnyState] = field(default_factory=dict)
    dirty: set[tuple[Part, int]] = field(default_factory=set)

    def row(self, part: Part, index: int) -> AnyState | None:
        """The pane's state, the series' own; None where nothing came."""
        key = (part, index)
        found = self.hot.get(key)
        if found is None and (self.shelved is None or key in self.shelved):
            found = self.load(part, index)
            if found is not None:
                self.hot[key] = found
        return found

    def peek(self, part: Part, index: int) -> AnyState | None:
        """As `row`, for a look at many old panes: what comes from the store isn't kept in memory."""
        key = (part, index)
        found = self.hot.get(key)
        if found is None and (self.shelved is None or key in self.shelved):
            found = self.load(part, index)
        return found

    def add(self, part: Part, index: int, row: AnyState) -> None:
        """Add *row*, which stays the caller's."""
        held = self.row(part, index)
        if held is None:
            held = self.zero(part)
            self.hot[part, index] = held
        held.add(row)  # type: ignore[arg-type]
        self.dirty.add((part, index))

    def take(self, part: Part, index: int, row: AnyState) -> None:
        """Take away *row*, which was added before."""
        held = self.row(part, index)
        if held is not None:
            held.subtract(row)  # type: ignore[arg-type]
            self.dirty.add((part, index))

    def forget(self, before: int) -> None:
        """Let go of clean panes older than *before*; the store has them."""
        for key in [k for k in self.hot if k[1] < before and k not in self.dirty]:
            del self.hot[key]
            if self.shelved is not None:
                self.shelved.add(key)

    def total(self, part: Part, first: int, end: int) -> AnyState:
        """A new state: the sum of the panes first..end-1, all of them closed or not. O(panes)."""
        total = self.zero(part)
        if isinstance(total, Row):
            # A window of days at tens of thousands of records a second outgrows 32 bits.
            total.counts = total.counts.astype(np.int64)
        for _, row in self.rows(part, first, end):
            total.add(row)  # type: ignore[arg-type]
        return total

    def rows(self, part: Part, first: int, end: int) -> Iterator[tuple[int, AnyState]]:
        """The panes first..end-1 where anything came, as `peek` finds them."""
        for index in range(first, end):
            row = self.peek(part, index)
            if row is not None:
                yield index, row

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(row.nbytes for row in self.hot.values())


# A running total is made anew after this many steps, so that rounding can't build up in its sums.
RECOMPUTE_AFTER = 96
# And at once where less than this part of a sum is left of what was taken away: a value of 1e30 must
# not spoil a window's sums after it has left.
_CANCELLED: Final = 1e-6


# A window's panes fall into so many groups at most, but for the open pane's and a cut one at its begin.
MOST_GROUPS: Final = 24
Digest = Callable[[AnyState], Row]


@dataclass(slots=True)
class GroupTotals:
    """A range of panes summed by runs of *width* panes, as digests: for delete-one-group intervals.

    A run begins at a multiple of the width, so that a pane never changes its group while the range
    moves: only the first group shrinks and the last one grows. A group that loses panes is summed
    anew from those left, at most ``width - 1`` of them, so that rounding can't build up.

    Memory: at most `MOST_GROUPS` + 2 digests. Owned by the writer.
    """

    digest: Digest
    width: int
    held: dict[int, Row] = field(default_factory=dict)

    @classmethod
    def over(cls, panes: int, digest: Digest) -> GroupTotals:
        """Groups for a range of so many panes."""
        return cls(digest, ceil(panes / MOST_GROUPS))

    def add(self, index: int, row: AnyState) -> None:
        """Add *row*, which stays the caller's, to the group of the pane *index*."""
        group, digest = index // self.width, self.digest(row)
        held = self.held.get(group)
        if held is None:
            self.held[group] = digest
        else:
            held.add(digest)

    def take(self, index: int, row: AnyState) -> None:
        """Take away *row*, which was added to the group of the pane *index*."""
        held = self.held.get(index // self.width)
        if held is not None:
            held.subtract(self.digest(row))

    def expire(self, series: PaneSeries, part: Part, left: Iterable[int], first: int, end: int) -> None:
        """Make the groups of the panes *left* those of what remains of them within first..end-1."""
        for group in {index // self.width for index in left}:
            self.held.pop(group, None)
            begin, stop = group * self.width, (group + 1) * self.width
            for index, row in series.rows(part, max(begin, first), min(stop, end)):
                self.add(index, row)

    def stacked(self, newest: AnyState | None, index: int) -> Row | None:
        """A copy, arrays of shape (groups, cells) in order of time, the open pane *index* with it."""
        rows = dict(self.held)
        if newest is not None:
            group, digest = index // self.width, self.digest(newest)
            if group in rows:
                digest.add(rows[group])
            rows[group] = digest
        if not rows:
            return None
        ordered = [rows[group] for group in sorted(rows)]
        return Row(np.stack([r.counts for r in ordered]), np.stack([r.sums for r in ordered]))


@dataclass(slots=True)
class RangeTotal:
    """The sum of the closed panes first..end-1 of one part, kept while the range moves.

    `row` is the total's own. Moving by a step costs one addition and one subtraction, whatever the
    range's length; every `RECOMPUTE_AFTER` steps, where the ranges don't overlap, and where a sum has
    all but cancelled, it is summed anew. `groups`, where there are any, follow it.
    """

    series: PaneSeries
    part: Part
    first: int = 0
    end: int = 0
    row: AnyState | None = None
    steps: int = 0
    groups: GroupTotals | None = None

    def move(self, first: int, end: int) -> None:
        """Make the total that of first..end-1."""
        if self.row is not None and (first, end) == (self.first, self.end):
            return
        overlaps = self.row is not None and first < self.end and end > self.first
        changed = abs(first - self.first) + abs(end - self.end)
        if not overlaps or changed >= end - first or self.steps + changed > max(RECOMPUTE_AFTER, end - first):
            self._sum_anew(first, end)
        elif self._shift(first, end):
            self.steps += changed
        else:
            self._sum_anew(first, end)
        self.first, self.end = first, end

    def _sum_anew(self, first: int, end: int) -> None:
        if self.groups is not None:
            self.groups.held.clear()
        total = self.series.total(self.part, first, first)
        for index, row in self.series.rows(self.part, first, end):
            total.add(row)  # type: ignore[arg-type]
            if self.groups is not None:
                self.groups.add(index, row)
        self.row, self.steps = total, 0

    def _shift(self, first: int, end: int) -> bool:
        """Add and take away the panes that differ; whether the sums are still good."""
        for index in (*range(first, self.first), *range(self.end, end)):
            row = self.series.row(self.part, index)
            if row is not None and self.row is not None:
                self.row.add(row)  # type: ignore[arg-type]
                if self.groups is not None:
                    self.groups.add(index, row)
        good, left = True, (*range(self.first, first), *range(end, self.end))
        for index in left:
            good &= self._expire(index)
        if good and self.groups is not None:
            self.groups.expire(self.series, self.part, left, first, end)
        return good

    def _expire(self, index: int) -> bool:
        row = self.series.row(self.part, index)
        if row is None or self.row is None:
            return True
        self.row.subtract(row)  # type: ignore[arg-type]
        return not _cancelled(self.row, row)

    def added(self, part: Part, index: int, row: AnyState) -> None:
        """Take note that *row* was added to the pane *index* of *part*."""
        if part is self.part and self.row is not None and self.first <= index < self.end:
            self.row.add(row)  # type: ignore[arg-type]
            if self.groups is not None:
                self.groups.add(index, row)

    def taken(self, part: Part, index: int, row: AnyState) -> None:
        """Take note that *row* was taken away from the pane *index* of *part*."""
        if part is self.part and self.row is not None and self.first <= index < self.end:
            self.row.subtract(row)  # type: ignore[arg-type]
            if self.groups is not None:
                self.groups.take(index, row)


def _cancelled(left: AnyState, taken: AnyState) -> bool:
    """Whether so little is *left* of a sum that *taken* was part of that its rounding shows."""
    remains, gone = _sums(left, taken), _sums(taken, taken)
    return not bool((np.abs(remains) >= _CANCELLED * np.abs(gone)).all())


def _sums(state: AnyState, like: AnyState) -> NDArray[np.float64]:
    if isinstance(state, Row) or isinstance(like, Row):
        return state.sums if isinstance(state, Row) else np.zeros(0)
    return np.array([(state.numeric[k].deviation, state.numeric[k].square) for k in like.numeric])


def window_name(seconds: float) -> str:
    """The label of a window's length: the largest unit that divides it: 90 minutes is ``90m``."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def dirty_rows(series: PaneSeries) -> Iterator[tuple[Part, int, AnyState]]:
    """The panes that a checkpoint must save, in order."""
    for part, index in sorted(series.dirty):
        yield part, index, series.hot[part, index]
