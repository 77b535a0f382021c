"""Quality of models of more than two classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.cells import counted, summed
from driftgauge.sketches.quality.joined import Groups, Joined
from driftgauge.sketches.quality.score_bins import (
    CALIBRATION_BINS,
    COARSE_SCORE_BINS,
    SCORE_BINS,
    SCORE_EDGES,
    coarse_scores,
)
from driftgauge.sketches.quality.task import EPSILON, Quality


class MulticlassQuality(Quality):
    """Confusion by class, log loss, Brier, top-label reliability and one-against-rest score bins.

    `classes` counts `other`, the last. Segments carry right and wrong only; ``strata_scored`` and
    ``strata_log_loss`` are records with probabilities and their loss by predicted class. 21 classes take
    0.1 MB, nearly all of it score bins that stay empty until probabilities are sent.
    """

    def __init__(self, groups: Groups, classes: int) -> None:
        self.classes = classes
        super().__init__(
            groups,
            counts={
                "predicted": (groups.count,),
                "right": (groups.count,),
                "confusion": (classes, classes),
                "reliability": (CALIBRATION_BINS, 2),
                "score": (classes, 2, SCORE_BINS),
                "strata_scored": (classes,),
            },
            sums={
                "log_loss": (1,),
                "brier": (1,),
                "scores": (CALIBRATION_BINS,),
                "log_loss_square": (1,),
                "brier_square": (1,),
                "strata_log_loss": (classes,),
            },
            digest=Layout(
                counts={
                    "predicted": (groups.count,),
                    "right": (groups.count,),
                    "confusion": (classes, classes),
                    "score": (classes, 2, COARSE_SCORE_BINS),
                    "reliability": (CALIBRATION_BINS, 2),
                },
                sums={"log_loss": (1,), "brier": (1,), "scores": (CALIBRATION_BINS,)},
            ),
        )

    def _digested(self, row: Row, name: str) -> NDArray[np.integer]:
        block = self.layout.count(row, name)
        return coarse_scores(block) if name == "score" else block

    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        known = ~np.isnan(joined.prediction)
        outcome = joined.outcome.astype(np.int64)
        predicted = np.where(known, joined.prediction, -1).astype(np.int64)
        g, r = group[known[record]], record[known[record]]
        self.layout.count(row, "predicted")[:] = np.bincount(g, minlength=self.groups.count)
        right = outcome[r] == predicted[r]
        self.layout.count(row, "right")[:] = np.bincount(g[right], minlength=self.groups.count)
        confusion = self.layout.count(row, "confusion")
        confusion[:] = counted(confusion.shape, outcome[known], predicted[known])
        # `other` is a sum of probabilities, which rounding may leave above 1.
        usable = (joined.scores >= 0) & (joined.scores <= 1 + 1e-9)
        scored = usable.all(axis=1) & (joined.scores.shape[1] > 0)
        if scored.any():
            self._fill_scores(row, outcome[scored], predicted[scored], joined.scores[scored])

    def _fill_scores(self, row: Row, outcome: Ints, predicted: Ints, scores: Floats) -> None:
        n, classes = scores.shape
        bins = SCORE_EDGES.searchsorted(scores)
        column = np.broadcast_to(np.arange(classes), (n, classes))
        own = (column == outcome[:, None]).astype(np.int64)
        block = self.layout.count(row, "score")
        block[:] = counted(block.shape, column.ravel(), own.ravel(), bins.ravel())
        given = np.clip(scores[np.arange(n), outcome], EPSILON, 1.0)
        for name, values in (("log_loss", -np.log(given)), ("brier", ((scores - own) ** 2).sum(axis=1))):
            self.layout.sum(row, name)[0] = values.sum()
            self.layout.sum(row, name + "_square")[0] = np.square(values).sum()
        judged = predicted >= 0
        strata = predicted[judged]
        self.layout.count(row, "strata_scored")[:] = np.bincount(strata, minlength=self.classes)
        loss = -np.log(given[judged])
        self.layout.sum(row, "strata_log_loss")[:] = np.bincount(strata, loss, self.classes)
        top = scores.argmax(axis=1)
        confidence = scores[np.arange(n), top]
        tenth = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
        reliability = self.layout.count(row, "reliability")
        reliability[:] = counted(reliability.shape, tenth, (top == outcome).astype(np.int64))
        self.layout.sum(row, "scores")[:] = summed((CALIBRATION_BINS,), confidence, tenth)
