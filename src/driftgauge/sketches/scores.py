"""What was predicted, labelled or not: scores in fixed bins by predicted class.

Quality tells of the predictions that have an outcome; this tells of all of them, in the same bins that
no reference decides. Expected confusion counts are linear in it, and so is the reweighting of quality
from the labelled to all.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import SUMMED_LIMIT, Counts, Layout, LinearSketch, Row, Sums
from driftgauge.records import Floats, Ints
from driftgauge.sketches.cells import counted
from driftgauge.sketches.quality import (
    COARSE_SCORE,
    COARSE_SCORE_BINS,
    SCORE_BINS,
    SCORE_EDGES,
    STRATA,
    Groups,
    stratum,
)


def _coarse_edges() -> Floats:
    """The inner edges of the coarse score bins; bin i holds edges[i-1] < x <= edges[i]."""
    last = np.searchsorted(COARSE_SCORE, np.arange(COARSE_SCORE_BINS - 1), side="right") - 1
    return np.asarray(SCORE_EDGES[last], np.float64)


COARSE_SCORE_EDGES: Final[Floats] = _coarse_edges()


# Columns of an expected loss: absolute error, its square, the variance of the absolute one, the fourth
# power, and 1 where the record lies in a bin that nothing is known of.
LOSSES: Final = 5
ABSOLUTE, SQUARE, VARIANCE, FOURTH, UNSUPPORTED = range(LOSSES)


@dataclass(frozen=True, slots=True)
class Scored:
    """n predictions.

    Attributes:
        prediction: shape (n,), the predicted class's code, or the number; NaN where there is none.
        score: shape (n,), the positive class's; NaN where there is none (binary).
        scores: shape (n, classes), NaN rows where there are none (multiclass), else shape (n, 0).
        segments: shape (columns, n), codes; `NO_SEGMENT` where a record has none.
        loss: shape (n, LOSSES), what a regression's loss is expected to be; NaN rows where nothing is.
    """

    prediction: Floats
    score: Floats
    scores: Floats
    segments: NDArray[np.uint8]
    loss: Floats | None = None

    def at(self, chosen: Ints) -> Scored:
        """The chosen predictions."""
        return Scored(
            self.prediction[chosen],
            self.score[chosen],
            self.scores[chosen],
            self.segments[:, chosen],
            None if self.loss is None else self.loss[chosen],
        )


class Scores(LinearSketch):
    """What the three tasks share: groups, and the number of predictions in each."""

    def __init__(
        self, groups: Groups, counts: dict[str, tuple[int, ...]], sums: dict[str, tuple[int, ...]]
    ) -> None:
        self.groups = groups
        self.layout = Layout(counts=counts, sums=sums)

    def row(self, scored: Scored) -> Row:
        """The row of n predictions. O(n * segment columns + cells)."""
        row = self.zero()
        group, record = self.groups.spread(scored.segments)
        known = ~np.isnan(scored.prediction[record])
        self._fill(row, scored, group[known], record[known])
        return row

    @abstractmethod
    def _fill(self, row: Row, scored: Scored, group: Ints, record: Ints) -> None:
        """Fill the blocks; *group* and *record* are parallel, one of each membership of a record that
        has a prediction.
        """

    def count(self, row: Row, name: str) -> Counts:
        """A block of counts by name."""
        return self.layout.count(row, name)

    def sum(self, row: Row, name: str) -> Sums:
        """A block of sums by name."""
        return self.layout.sum(row, name)

    @abstractmethod
    def predicted(self, row: Row) -> Ints:
        """Predictions by group, shape (groups,), with a score or without."""


class BinaryScores(Scores):
    """Predictions of a binary model by predicted class and score.

    ``score`` (2, SCORE_BINS) holds the whole model's scores by predicted class; ``coarse`` (groups, 2,
    COARSE_SCORE_BINS + 1) every group's in the coarse bins, the last cell those without a score. A score
    outside of 0 to 1 is none. Counts are exact. 34 groups take 15 kB.
    """

    def __init__(self, groups: Groups) -> None:
        blocks = {"score": (2, SCORE_BINS), "coarse": (groups.count, 2, COARSE_SCORE_BINS + 1)}
        super().__init__(groups, blocks, {})

    def _fill(self, row: Row, scored: Scored, group: Ints, record: Ints) -> None:
        usable = (scored.score >= 0) & (scored.score <= 1)
        bins = SCORE_EDGES.searchsorted(scored.score)
        bins[~usable] = 0
        known = ~np.isnan(scored.prediction)
        code = (scored.prediction == 1).astype(np.int64)
        whole = usable & known
        _count(self.count(row, "score"), code[whole], bins[whole])
        coarse = np.where(usable, COARSE_SCORE[bins], COARSE_SCORE_BINS)
        cell = code * (COARSE_SCORE_BINS + 1) + coarse
        block = self.count(row, "coarse")
        _count(block.reshape(len(block), -1), group, cell[record])

    def predicted(self, row: Row) -> Ints:
        """Predictions by group."""
        return np.asarray(self.by_class(row).sum(axis=1), np.int64)

    def by_class(self, row: Row) -> Ints:
        """Predictions by group and predicted class, with a score or without, shape (groups, 2)."""
        return np.asarray(self.count(row, "coarse").sum(axis=2), np.int64)

    def coarse(self, row: Row) -> Counts:
        """Those with a score by group, predicted class and coarse bin, a view."""
        return self.count(row, "coarse")[:, :, :COARSE_SCORE_BINS]


class MulticlassScores(Scores):
    """Predictions of a multiclass model by predicted class and each class's probability.

    Blocks: ``predicted`` (groups, classes); ``scored`` (classes), those of the whole model with
    probabilities, by predicted class; ``coarse`` (classes, classes, COARSE_SCORE_BINS), of them by
    predicted class, class, and that class's probability in coarse bins, where it is above 0 (most are
    0 where classes are many). `classes` counts `other`, the last. Counts are exact. 21 classes take
    63 kB, of which 34 groups take 3 kB.
    """

    def __init__(self, groups: Groups, classes: int) -> None:
        self.classes = classes
        blocks = {
            "predicted": (groups.count, classes),
            "scored": (classes,),
            "coarse": (classes, classes, COARSE_SCORE_BINS),
        }
        super().__init__(groups, blocks, {})

    def _fill(self, row: Row, scored: Scored, group: Ints, record: Ints) -> None:
        code = np.nan_to_num(scored.prediction).astype(np.int64)
        _count(self.count(row, "predicted"), group, code[record])
        if not scored.scores.shape[1]:
            return
        # `other` is a sum of probabilities, which rounding may leave above 1.
        usable = (scored.scores.min(axis=1) >= 0) & (scored.scores.max(axis=1) <= 1 + 1e-9)
        chosen = np.flatnonzero(usable & ~np.isnan(scored.prediction))
        _count(self.count(row, "scored"), code[chosen])
        scores = scored.scores[chosen]
        place, column = np.nonzero(scores)
        bins = COARSE_SCORE_EDGES.searchsorted(scores[place, column])
        _count(self.count(row, "coarse"), code[chosen][place], column, bins)

    def predicted(self, row: Row) -> Ints:
        """Predictions by group."""
        return np.asarray(self.count(row, "predicted").sum(axis=1), np.int64)

    def by_class(self, row: Row) -> Ints:
        """Predictions by group and predicted class, shape (groups, classes)."""
        return self.count(row, "predicted").astype(np.int64)

    def coarse(self, row: Row) -> Ints:
        """``coarse`` with the probabilities of 0, which are in the first bin; a new array."""
        block = self.count(row, "coarse").astype(np.int64)
        block[:, :, 0] += self.count(row, "scored").astype(np.int64)[:, None] - block.sum(axis=2)
        return block


class RegressionScores(Scores):
    """Predictions of a regression: how many, their sum and their squares' by group, exact to rounding.

    Blocks: ``predicted`` (groups,); the sums ``prediction`` and ``square`` (groups,) of predictions
    clipped to `SUMMED_LIMIT`; ``estimated`` (groups,), of how many a loss is expected, and the sums
    ``loss`` (groups, LOSSES) of what is; ``strata`` (STRATA,), the whole model's by `stratum`. 34 groups take
    2.7 kB.
    """

    def __init__(self, groups: Groups) -> None:
        g = groups.count
        super().__init__(
            groups,
            {"predicted": (g,), "estimated": (g,), "strata": (STRATA,)},
            {"prediction": (g,), "square": (g,), "loss": (g, LOSSES)},
        )

    def _fill(self, row: Row, scored: Scored, group: Ints, record: Ints) -> None:
        g = self.groups.count
        self.count(row, "predicted")[:] = np.bincount(group, minlength=g)
        number = np.clip(scored.prediction[record], -SUMMED_LIMIT, SUMMED_LIMIT)
        self.sum(row, "prediction")[:] = np.bincount(group, weights=number, minlength=g)
        self.sum(row, "square")[:] = np.bincount(group, weights=number * number, minlength=g)
        whole = scored.prediction[~np.isnan(scored.prediction)]
        self.count(row, "strata")[:] = np.bincount(stratum(whole), minlength=STRATA)
        if scored.loss is None:
            return
        known = np.isfinite(scored.loss[record]).all(axis=1)
        group, record = group[known], record[known]
        self.count(row, "estimated")[:] = np.bincount(group, minlength=g)
        losses = np.clip(scored.loss[record], -SUMMED_LIMIT, SUMMED_LIMIT)
        for column in range(LOSSES):
            sums = np.bincount(group, weights=losses[:, column], minlength=g)
            self.sum(row, "loss")[:, column] = sums

    def predicted(self, row: Row) -> Ints:
        """Predictions by group."""
        return self.count(row, "predicted").astype(np.int64)


def _count(block: Counts, *places: Ints) -> None:
    """Count in *block* each cell that the parallel *places* name."""
    block[:] = counted(block.shape, *places)
