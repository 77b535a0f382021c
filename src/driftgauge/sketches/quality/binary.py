"""Quality of binary models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.cells import counted, summed
from driftgauge.sketches.quality.joined import Groups, Joined
from driftgauge.sketches.quality.score_bins import (
    CALIBRATION_BINS,
    COARSE_SCORE,
    COARSE_SCORE_BINS,
    SCORE_BINS,
    SCORE_EDGES,
)
from driftgauge.sketches.quality.task import EPSILON, Quality


class BinaryQuality(Quality):
    """Confusion, log loss, Brier, reliability and score bins of a binary model.

    ROC AUC of the whole model comes from 711 fixed score bins per class: off by at most half the
    sum of P_i N_i / (P N), under 0.001 on continuous scores and exact on scores of two decimals; a
    segment's from the coarse ones, with its own half-width. ``strata`` are the whole model's records
    with a predicted class, by it, by outcome and by coarse score bin, the last those without a score: the
    strata in which `sketches.scores` counts all predictions; ``strata_log_loss`` sums their loss by
    predicted class and bin. 34 groups take 23 kB.
    """

    def __init__(self, groups: Groups) -> None:
        g = groups.count
        super().__init__(
            groups,
            counts={
                "confusion": (g, 2, 2),
                "reliability": (g, CALIBRATION_BINS, 2),
                "coarse": (g, 2, COARSE_SCORE_BINS),
                "score": (2, SCORE_BINS),
                "strata": (2, 2, COARSE_SCORE_BINS + 1),
            },
            sums={
                "log_loss": (g,),
                "brier": (g,),
                "scores": (g, CALIBRATION_BINS),
                "log_loss_square": (1,),
                "brier_square": (1,),
                "strata_log_loss": (2, COARSE_SCORE_BINS),
            },
            digest=Layout(
                counts={
                    "confusion": (g, 2, 2),
                    "score": (2, COARSE_SCORE_BINS),
                    "reliability": (1, CALIBRATION_BINS, 2),
                },
                sums={"log_loss": (1,), "brier": (1,), "scores": (1, CALIBRATION_BINS)},
            ),
        )

    def _digested(self, row: Row, name: str) -> NDArray[np.integer]:
        block: NDArray[np.integer] = self.layout.count(row, "coarse" if name == "score" else name)
        if name == "score":
            block = block[0]
        elif name == "reliability":
            block = block[:1]
        return block

    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        outcome = joined.outcome.astype(np.int64)
        known = ~np.isnan(joined.prediction[record])
        g, r = group[known], record[known]
        confusion = self.layout.count(row, "confusion")
        confusion[:] = counted(confusion.shape, g, outcome[r], joined.prediction[r].astype(np.int64))
        scored = ~np.isnan(joined.score[record])
        self._fill_strata(row, outcome, joined)
        if scored.any():
            self._fill_scores(row, outcome, joined, group[scored], record[scored])

    def _fill_strata(self, row: Row, outcome: Ints, joined: Joined) -> None:
        known = ~np.isnan(joined.prediction)
        predicted, score = joined.prediction[known].astype(np.int64), joined.score[known]
        bins = np.minimum(SCORE_EDGES.searchsorted(score), SCORE_BINS - 1)
        strata = self.layout.count(row, "strata")
        coarse = np.where(np.isnan(score), COARSE_SCORE_BINS, COARSE_SCORE[bins])
        strata[:] = counted(strata.shape, predicted, outcome[known], coarse)

    def _fill_scores(self, row: Row, outcome: Ints, joined: Joined, g: Ints, r: Ints) -> None:
        score, prediction = joined.score, joined.prediction
        whole = ~np.isnan(score)
        bins = SCORE_EDGES.searchsorted(score)
        score_block = self.layout.count(row, "score")
        score_block[:] = counted(score_block.shape, outcome[whole], bins[whole])
        coarse = self.layout.count(row, "coarse")
        bins[~whole] = 0
        coarse[:] = counted(coarse.shape, g, outcome[r], COARSE_SCORE[bins][r])
        safe: Floats = np.where(whole, score, 0.5)
        tenth = np.minimum((safe * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
        reliability = self.layout.count(row, "reliability")
        reliability[:] = counted(reliability.shape, g, tenth[r], outcome[r])
        shape = (self.groups.count, CALIBRATION_BINS)
        self.layout.sum(row, "scores")[:] = summed(shape, safe[r], g, tenth[r])
        clipped = np.clip(safe, EPSILON, 1 - EPSILON)
        loss = -np.where(outcome == 1, np.log(clipped), np.log1p(-clipped))
        self.layout.sum(row, "log_loss")[:] = summed((self.groups.count,), loss[r], g)
        square: Floats = np.square(safe - outcome)
        self.layout.sum(row, "brier")[:] = summed((self.groups.count,), square[r], g)
        self.layout.sum(row, "log_loss_square")[0] = np.square(loss[whole]).sum()
        judged = np.flatnonzero(whole & ~np.isnan(prediction))
        by_stratum = self.layout.sum(row, "strata_log_loss")
        code = prediction[judged].astype(np.int64)
        by_stratum[:] = summed(by_stratum.shape, loss[judged], code, COARSE_SCORE[bins[judged]])
        self.layout.sum(row, "brier_square")[0] = np.square(square[whole]).sum()
