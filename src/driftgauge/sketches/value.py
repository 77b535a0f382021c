"""Value: what decisions were worth, for the whole model and by segment.

Held are records and amounts by cell, not money: so the values that the configuration gives the cells
may change, and what was counted before is worth the new ones.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import VALUES_OF_TASK, Task
from driftgauge.errors import StoreError
from driftgauge.layout import Layout, LinearSketch, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.cells import counted, summed
from driftgauge.sketches.quality import COARSE_SCORE, COARSE_SCORE_BINS, SCORE_EDGES, Groups, Joined
from driftgauge.sketches.scores import Scored

# A score of two decimals meets its threshold exactly: bin i holds i / 100 <= score < (i + 1) / 100.
THRESHOLDS: Final[Floats] = np.arange(1, 100) / 100.0
THRESHOLD_BINS: Final = THRESHOLDS.size + 1
CELLS: Final[Mapping[Task, int]] = MappingProxyType({t: len(names) for t, names in VALUES_OF_TASK.items()})
# Amounts are clipped to it: squares of 1e15 of them, times the square of the greatest cell value, are
# still finite, and so is the square of their sum.
AMOUNT_LIMIT: Final = 1e100
_MARK_BYTES: Final = 8


class Priced(LinearSketch):
    """A sketch of amounts, saved with a mark of what they are."""

    def __init__(self, layout: Layout, task: Task, weight: str | None) -> None:
        self.layout = layout
        self._mark = blake2b(f"{task} {weight}".encode(), digest_size=_MARK_BYTES).digest()

    def encode(self, row: Row) -> bytes:
        """The row with a mark of what its amounts are."""
        return self._mark + row.to_bytes()

    def decode(self, data: bytes) -> Row:
        """A saved row; one of another task or weight, from before the configuration changed, counts
        nothing.
        """
        if data[:_MARK_BYTES] != self._mark:
            return self.zero()
        try:
            return self.load(data[_MARK_BYTES:])
        except StoreError:
            return self.zero()

    @abstractmethod
    def samples(self, row: Row) -> Floats:
        """Records that the amounts stand on."""

    @staticmethod
    def digest(row: Row) -> Row:
        """What a group of panes keeps of *row*: all of it, for intervals."""
        # A group of days at tens of thousands of records a second outgrows 32 bits.
        return Row(row.counts.astype(np.int64), row.sums.copy())


class WeightedScores(Priced):
    """Weights of all predictions of a classifier by predicted class and its score, outcome or not.

    Blocks ``records``, ``amount`` and ``square``, of predictions with a class, a score in 0 to 1 and a known
    weight. Binary: shape (groups, 2, COARSE_SCORE_BINS), by the positive class's score; 34 groups take 48 kB.
    Multiclass: shape (1, classes, COARSE_SCORE_BINS), the whole model by the predicted class's own
    probability; 21 classes take 15 kB. Saved where they are filled alone.
    """

    def __init__(self, weight: str, groups: Groups, task: Task = Task.BINARY, classes: int = 2) -> None:
        self.groups = groups if task is Task.BINARY else Groups(0, 0)
        self._shape = (self.groups.count, classes, COARSE_SCORE_BINS)
        self._binary = task is Task.BINARY
        layout = Layout(counts={"records": self._shape}, sums={"amount": self._shape, "square": self._shape})
        super().__init__(layout, task, weight)

    def row(self, scored: Scored, weight: Floats) -> Row:
        """The row of n predictions with their *weight*, shape (n,). O(n * segment columns + cells)."""
        row = self.zero()
        score = scored.score if self._binary else _own_scores(scored)
        usable = (score >= 0) & (score <= 1 + 1e-9) & np.isfinite(weight) & ~np.isnan(scored.prediction)
        code = np.where(usable, scored.prediction, 0).astype(np.int64)
        bins = SCORE_EDGES.searchsorted(np.where(usable, score, 0.0))
        amount = _clipped(np.where(usable, weight, 0.0))
        segments = scored.segments if self._binary else scored.segments[:0]
        group, record = self.groups.spread(segments)
        kept = usable[record]
        group, record = group[kept], record[kept]
        places = group, code[record], COARSE_SCORE[bins][record]
        self.layout.count(row, "records")[:] = counted(self._shape, *places)
        for name, values in (("amount", amount), ("square", amount * amount)):
            self.layout.sum(row, name)[:] = summed(self._shape, values[record], *places)
        return row

    def samples(self, row: Row) -> Floats:
        """Records by group, predicted class and coarse score bin."""
        return self.layout.count(row, "records").astype(np.float64)

    def totals(self, row: Row) -> tuple[Floats, Floats]:
        """Amounts and squared amounts by group, predicted class and coarse score bin."""
        return self.layout.sum(row, "amount"), self.layout.sum(row, "square")


def _own_scores(scored: Scored) -> Floats:
    """The probability of the class that was predicted, shape (n,); NaN where there is none."""
    n, classes = scored.scores.shape
    if not classes:
        return np.full(n, np.nan)
    known = ~np.isnan(scored.prediction)
    code = np.where(known, scored.prediction, 0).astype(np.int64)
    return np.where(known, scored.scores[np.arange(n), code], np.nan)


class Value(Priced):
    """Records and amounts per group and cell, and what records say that they were worth themselves.

    Cells are those of `VALUES_OF_TASK`. A record's amount is its weight, times its error where the
    task is regression; a record with a value of its own is in no cell. Counted are records with a
    prediction, and where a weight is configured a known one. Binary: decisions by outcome, prediction
    and score in 100 bins, from which the value at another threshold is known exactly on scores of two
    decimals. 34 groups of a binary model take 2.8 kB, weighted 11 kB. `add` is exact for counts.
    """

    def __init__(self, groups: Groups, task: Task, *, weight: str | None = None) -> None:
        self.groups, self.task, self.weighted = groups, task, weight is not None
        g, cells = groups.count, CELLS[task]
        self.summed = self.weighted or task is Task.REGRESSION
        counts: dict[str, tuple[int, ...]] = {"records": (g, cells), "own": (g,)}
        sums: dict[str, tuple[int, ...]] = {"own_value": (g,), "own_square": (g,)}
        if self.summed:
            sums |= {"amount": (g, cells), "square": (g, cells)}
        if task is Task.BINARY:
            decisions = (2, 2, THRESHOLD_BINS)
            counts["decisions"] = decisions
            if self.weighted:
                sums |= {"decision_amount": decisions, "decision_square": decisions}
        super().__init__(Layout(counts=counts, sums=sums), task, weight)

    def row(self, joined: Joined) -> Row:
        """The row of n joined records. O(n * segment columns + cells)."""
        row = self.zero()
        n = len(joined)
        own = np.full(n, np.nan) if joined.value is None else joined.value
        weight = self._weight(joined)
        has_own = np.isfinite(own)
        priced = ~has_own & np.isfinite(weight) & ~np.isnan(joined.prediction)
        group, record = self.groups.spread(joined.segments)
        self._fill_own(row, _clipped(own), group[has_own[record]], record[has_own[record]])
        cell, amount = self._priced(joined, priced, weight)
        mine = priced[record]
        g, r = group[mine], record[mine]
        for name, values in (("records", None), ("amount", amount), ("square", amount * amount)):
            if values is None or self.summed:
                self._fill(row, name, values if values is None else values[r], g, cell[r])
        if self.task is Task.BINARY:
            self._fill_decisions(row, joined, priced, cell, amount)
        return row

    def _weight(self, joined: Joined) -> Floats:
        if not self.weighted:
            return np.ones(len(joined))
        return np.full(len(joined), np.nan) if joined.weight is None else joined.weight

    def _priced(self, joined: Joined, priced: NDArray[np.bool_], weight: Floats) -> tuple[Ints, Floats]:
        """Cell and amount of every record; those of records that aren't *priced* mean nothing."""
        outcome = np.where(priced, joined.outcome, 0.0)
        prediction = np.where(priced, joined.prediction, 0.0)
        amount = np.where(priced, weight, 0.0)
        if self.task is Task.BINARY:
            cell = 2 * outcome + prediction
        elif self.task is Task.MULTICLASS:
            cell = outcome == prediction
        else:
            error = _clipped(prediction) - _clipped(outcome)
            cell = error < 0
            # Amounts are clipped once more: a product of two that fit may not.
            amount = _clipped(amount) * np.abs(_clipped(error))
        return np.asarray(cell).astype(np.int64), _clipped(amount)

    def _fill(self, row: Row, name: str, values: Floats | None, *places: Ints) -> None:
        """Count the cells that the parallel *places* name in a block, or sum *values* there."""
        is_count = name in self.layout.counts
        block = self.layout.count(row, name) if is_count else self.layout.sum(row, name)
        shape = block.shape
        block[:] = counted(shape, *places) if values is None else summed(shape, values, *places)

    def _fill_own(self, row: Row, own: Floats, g: Ints, r: Ints) -> None:
        if g.size:
            self._fill(row, "own", None, g)
            self._fill(row, "own_value", own[r], g)
            self._fill(row, "own_square", own[r] * own[r], g)

    def _fill_decisions(
        self, row: Row, joined: Joined, priced: NDArray[np.bool_], cell: Ints, amount: Floats
    ) -> None:
        scored = np.flatnonzero(priced & ~np.isnan(joined.score))
        places = (
            cell[scored] // 2,
            cell[scored] % 2,
            THRESHOLDS.searchsorted(joined.score[scored], side="right"),
        )
        self._fill(row, "decisions", None, *places)
        if self.weighted:
            self._fill(row, "decision_amount", amount[scored], *places)
            self._fill(row, "decision_square", amount[scored] ** 2, *places)

    # --- reading: of rows, and of several stacked, whose axis comes first -------------------

    def samples(self, row: Row) -> Floats:
        """Records that the value stands on, per group."""
        priced = self.layout.count(row, "records").sum(axis=-1, dtype=np.float64)
        return np.asarray(priced + self.layout.count(row, "own"))

    def totals(self, row: Row, cells: Floats) -> tuple[Floats, Floats]:
        """Sum of the records' values and of their squares per group, where a unit of each cell is worth
        *cells*.
        """
        records = self.layout.count(row, "records").astype(np.float64)
        amount = self.layout.sum(row, "amount") if self.summed else records
        square = self.layout.sum(row, "square") if self.summed else records
        own = self.layout.sum(row, "own_value"), self.layout.sum(row, "own_square")
        return amount @ cells + own[0], square @ (cells * cells) + own[1]

    def decisions(self, row: Row) -> tuple[Floats, Floats, Floats]:
        """Binary: records, amounts and squared amounts by outcome, prediction and score's bin, shape
        (..., 2, 2, THRESHOLD_BINS) each.
        """
        records = self.layout.count(row, "decisions").astype(np.float64)
        if not self.weighted:
            return records, records, records
        return (
            records,
            self.layout.sum(row, "decision_amount"),
            self.layout.sum(row, "decision_square"),
        )


def _clipped(values: Floats) -> Floats:
    return np.clip(values, -AMOUNT_LIMIT, AMOUNT_LIMIT)
