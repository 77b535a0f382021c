"""What two versions of a model made of the same cases: sums of the differences, case by case.

Both rows are of the same ids and the same outcomes, so what is hard or easy about a case drops out of the
difference. Sums are of the newer version's loss less the older one's, and of its square.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import SUMMED_LIMIT, Layout, LinearSketch, Row
from driftgauge.records import Floats
from driftgauge.sketches.cells import counted
from driftgauge.sketches.quality import COARSE_SCORE, COARSE_SCORE_BINS, SCORE_EDGES, Joined
from driftgauge.sketches.quality.task import EPSILON

# Places in a sum: of the differences, and of their squares.
DIFFERENCE, SQUARE = range(2)
_LARGEST: Final = float(np.sqrt(SUMMED_LIMIT))


class Paired(LinearSketch):
    """What the three tasks share: ``pairs`` counts all; a group of panes keeps a row as it is."""

    def __init__(self, counts: dict[str, tuple[int, ...]], sums: tuple[str, ...]) -> None:
        self.layout = Layout(counts={"pairs": (1,), **counts}, sums=dict.fromkeys(sums, (2,)))

    def row(self, older: Joined, newer: Joined) -> Row:
        """The row of n cases, in the same order on both sides. O(n + cells)."""
        row = self.zero()
        self.layout.count(row, "pairs")[0] = len(newer)
        self._fill(row, older, newer)
        return row

    @abstractmethod
    def _fill(self, row: Row, older: Joined, newer: Joined) -> None:
        """Fill the task's own blocks."""

    def _right(self, row: Row, older: Joined, newer: Joined) -> None:
        known = ~np.isnan(older.prediction) & ~np.isnan(newer.prediction)
        before, now = ((side.prediction == side.outcome)[known].astype(np.int64) for side in (older, newer))
        self.layout.count(row, "right")[:] = counted((2, 2), before, now)

    def _add(self, row: Row, name: str, differences: Floats) -> None:
        self.layout.sum(row, name)[:] = differences.sum(), np.square(differences).sum()

    def pairs(self, row: Row) -> int:
        """Cases in the row."""
        return int(self.layout.count(row, "pairs")[0])

    @staticmethod
    def digest(row: Row) -> Row:
        """What a group of panes keeps of *row*: all of it, for intervals."""
        # A group of days at tens of thousands of records a second outgrows 32 bits.
        return Row(row.counts.astype(np.int64), row.sums.copy())


class BinaryPaired(Paired):
    """``right`` by the older version's answer and the newer one's; ``scores`` by outcome and the coarse bins
    of both scores, from which the covariance of the two ROC AUCs follows. 9 kB in memory, saved where filled.
    """

    def __init__(self) -> None:
        super().__init__(
            {"right": (2, 2), "scores": (2, COARSE_SCORE_BINS, COARSE_SCORE_BINS)}, ("brier", "log_loss")
        )

    def _fill(self, row: Row, older: Joined, newer: Joined) -> None:
        self._right(row, older, newer)
        scored = ~np.isnan(older.score) & ~np.isnan(newer.score)
        outcome = newer.outcome[scored]
        before, now = older.score[scored], newer.score[scored]
        scores = self.layout.count(row, "scores")
        scores[:] = counted(scores.shape, outcome.astype(np.int64), _coarse(before), _coarse(now))
        self._add(row, "brier", np.square(now - outcome) - np.square(before - outcome))
        self._add(row, "log_loss", _log_loss(now, outcome) - _log_loss(before, outcome))


class MulticlassPaired(Paired):
    """``right`` as for two classes; ``scored`` are cases with probabilities of both versions. 68 bytes."""

    def __init__(self) -> None:
        super().__init__({"right": (2, 2), "scored": (1,)}, ("brier", "log_loss"))

    def _fill(self, row: Row, older: Joined, newer: Joined) -> None:
        self._right(row, older, newer)
        scored = _usable(older) & _usable(newer)
        self.layout.count(row, "scored")[0] = np.count_nonzero(scored)
        if not scored.any():
            return
        outcome = newer.outcome[scored].astype(np.int64)
        before, now = (_class_losses(side.scores[scored], outcome) for side in (older, newer))
        self._add(row, "brier", now[0] - before[0])
        self._add(row, "log_loss", now[1] - before[1])


class RegressionPaired(Paired):
    """Differences of absolute and of squared errors, of cases that both versions predicted. 40 bytes."""

    def __init__(self) -> None:
        super().__init__({"errors": (1,)}, ("absolute", "square"))

    def _fill(self, row: Row, older: Joined, newer: Joined) -> None:
        known = ~np.isnan(older.prediction) & ~np.isnan(newer.prediction)
        self.layout.count(row, "errors")[0] = np.count_nonzero(known)
        # Fourth powers of errors are summed.
        before, now = (
            np.clip(np.abs(side.prediction - side.outcome)[known], 0, _LARGEST) for side in (older, newer)
        )
        self._add(row, "absolute", now - before)
        self._add(row, "square", now * now - before * before)


def _coarse(score: Floats) -> NDArray[np.int64]:
    return COARSE_SCORE[SCORE_EDGES.searchsorted(score)]


def _log_loss(score: Floats, outcome: Floats) -> Floats:
    clipped = np.clip(score, EPSILON, 1 - EPSILON)
    return -np.where(outcome == 1, np.log(clipped), np.log1p(-clipped))


def _usable(side: Joined) -> NDArray[np.bool_]:
    if not side.scores.shape[1]:
        return np.zeros(len(side), np.bool_)
    return np.asarray(((side.scores >= 0) & (side.scores <= 1 + 1e-9)).all(axis=1))


def _class_losses(scores: Floats, outcome: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Brier score and log loss of each case."""
    places = np.arange(outcome.size)
    given = np.clip(scores[places, outcome], EPSILON, 1.0)
    own = np.zeros_like(scores)
    own[places, outcome] = 1.0
    return np.square(scores - own).sum(axis=1), -np.log(given)
