"""Quality: joined predictions and outcomes, for the whole model and by segment.

Groups are numbered 0 for the whole model, then ``1 + column * (values + 1) + value`` for each value
of each segment column, the last value of a column being `other`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import SUMMED_LIMIT, Counts, Layout, LinearSketch, Row, Sums
from driftgauge.records import Floats, Ints
from driftgauge.stats.binning import log_edges, log_odds_edges


def _middles(edges: Floats) -> Floats:
    """The middle of each bin in log-odds; of the two open ones the edge."""
    log_odds = np.log(edges) - np.log1p(-edges)
    ends = np.concatenate([log_odds[:1], log_odds, log_odds[-1:]])
    return np.asarray((ends[1:] + ends[:-1]) / 2)


SCORE_EDGES: Final[Floats] = log_odds_edges()
SCORE_BINS: Final = SCORE_EDGES.size + 1
# The log-odds that stand for each score bin: its middle, and the outermost edges beyond them.
SCORE_LOG_ODDS: Final[Floats] = _middles(SCORE_EDGES)
CALIBRATION_BINS: Final = 10
# 10% relative error from a second to four years: enough to tell a label delay of days.
DELAY_EDGES: Final[Floats] = log_edges(1.0, 1.3e8, 0.1)
NO_SEGMENT: Final = 255
# Probabilities of 0 and 1 give an infinite loss; scikit-learn's bound.
_EPSILON: Final = float(np.finfo(np.float64).eps)


def _coarse_scores() -> Ints:
    """The coarse bin of each score bin: finer near 0 and 1, where rare classes are decided."""
    tail = np.array([0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075])
    wanted = np.concatenate([tail, np.linspace(0.1, 0.9, 17), 1 - tail[::-1]])
    places = np.unique(np.abs(SCORE_EDGES[:, None] - wanted[None, :]).argmin(axis=0))
    return np.searchsorted(places, np.arange(SCORE_BINS), side="left").astype(np.int64)


COARSE_SCORE: Final[Ints] = _coarse_scores()
COARSE_SCORE_BINS: Final = int(COARSE_SCORE.max()) + 1
_COARSE_STARTS: Final[Ints] = np.searchsorted(COARSE_SCORE, np.arange(COARSE_SCORE_BINS))


def coarse_scores(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Counts by score bin, on the last axis, by coarse score bin."""
    return np.add.reduceat(counts, _COARSE_STARTS, axis=-1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Joined:
    """n predictions with their outcomes.

    Attributes:
        outcome: shape (n,), the class's code, or the number.
        prediction: shape (n,), likewise; NaN where there is none.
        score: shape (n,), in [0, 1]; NaN where there is none (binary).
        scores: shape (n, classes), NaN rows where there are none (multiclass), else shape (n, 0).
        segments: shape (columns, n), codes; `NO_SEGMENT` where a record has none.
        delay: shape (n,), seconds from prediction to outcome.
        implied: whether silence at the horizon implied these outcomes.
        bins: shape (features, n), the coarse bin of each watched feature when it was predicted, rows
            and codes as `CoarseCodes` of the version's reference has them; None where none are known.
        value: shape (n,), what each outcome says that it was worth; NaN where it says nothing.
        weight: shape (n,), what the values of its cell are multiplied by; NaN where it isn't known.
    """

    outcome: Floats
    prediction: Floats
    score: Floats
    scores: Floats
    segments: NDArray[np.uint8]
    delay: Floats
    implied: bool = False
    bins: NDArray[np.uint8] | None = None
    value: Floats | None = None
    weight: Floats | None = None

    def __len__(self) -> int:
        return self.outcome.size

    def at(self, chosen: NDArray[np.bool_] | Ints) -> Joined:
        """The chosen records."""
        return Joined(
            self.outcome[chosen],
            self.prediction[chosen],
            self.score[chosen],
            self.scores[chosen],
            self.segments[:, chosen],
            self.delay[chosen],
            self.implied,
            None if self.bins is None else self.bins[:, chosen],
            None if self.value is None else self.value[chosen],
            None if self.weight is None else self.weight[chosen],
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """How records fall into the whole model and its segments."""

    columns: int
    values: int

    @property
    def count(self) -> int:
        """Groups in all."""
        return 1 + self.columns * (self.values + 1)

    def number(self, column: int, value: int) -> int:
        """The group of a value of a segment column."""
        return 1 + column * (self.values + 1) + value

    def spread(self, segments: NDArray[np.uint8]) -> tuple[Ints, Ints]:
        """Group and record number of every membership: the whole model first, then each column."""
        n = segments.shape[1]
        columns, records = np.nonzero(segments != NO_SEGMENT)
        groups = 1 + columns * (self.values + 1) + segments[columns, records]
        return (
            np.concatenate([np.zeros(n, np.int64), groups]),
            np.concatenate([np.arange(n), records]),
        )


def _flat(shape: tuple[int, ...], places: tuple[Ints, ...]) -> Ints:
    """The number of the cell of *shape* that the parallel *places* name, row-major."""
    flat = places[0]
    for size, place in zip(shape[1:], places[1:], strict=True):
        flat = flat * size + place
    return flat


def _counted(shape: tuple[int, ...], *places: Ints) -> NDArray[np.int64]:
    """How many times each cell of *shape* is named by the parallel *places*."""
    return np.bincount(_flat(shape, places), minlength=prod(shape)).reshape(shape)


def _summed(shape: tuple[int, ...], values: Floats, *places: Ints) -> Floats:
    """Sums of *values* in each cell of *shape*."""
    flat = np.bincount(_flat(shape, places), weights=values, minlength=prod(shape))
    return flat.astype(np.float64, copy=False).reshape(shape)


def _clipped(values: Floats) -> Floats:
    """*values* within the limit beyond which their squares would overflow a sum."""
    return np.clip(values, -SUMMED_LIMIT, SUMMED_LIMIT)


class Quality(LinearSketch):
    """What the three tasks share: groups, label delay, implied outcomes."""

    def __init__(
        self,
        groups: Groups,
        counts: dict[str, tuple[int, ...]],
        sums: dict[str, tuple[int, ...]],
        digest: Layout,
    ) -> None:
        self.groups = groups
        self.digest_layout = digest
        self.layout = Layout(
            counts={
                "outcomes": (groups.count,),
                "implied": (1,),
                "delay": (DELAY_EDGES.size + 1,),
                **counts,
            },
            sums=sums,
        )

    def row(self, joined: Joined) -> Row:
        """The row of n joined records. O(n * segment columns + cells)."""
        row = self.zero()
        group, record = self.groups.spread(joined.segments)
        self.layout.count(row, "outcomes")[:] = np.bincount(group, minlength=self.groups.count)
        self.layout.count(row, "implied")[0] = len(joined) if joined.implied else 0
        delays = joined.delay[~np.isnan(joined.delay)]
        self.layout.count(row, "delay")[:] = np.bincount(
            np.searchsorted(DELAY_EDGES, delays), minlength=DELAY_EDGES.size + 1
        )
        self._fill(row, joined, group, record)
        return row

    @abstractmethod
    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        """Fill the task's own blocks; *group* and *record* are parallel, one of each membership."""

    def digest(self, row: Row) -> Row:
        """What a group of panes keeps of *row*: enough for intervals of the whole model's numbers and
        of each segment's main one. Additive like the row; of `digest_layout`. O(cells).

        With 34 groups a digest takes 1.6 kB (binary), 16 kB (21 classes) or 2.2 kB (regression): in all
        groups of panes of three windows and both cohorts 0.3, 2.4 and 0.3 MB.
        """
        small = self.digest_layout.zero()
        # A group of days at tens of thousands of records a second outgrows 32 bits.
        small.counts = small.counts.astype(np.int64)
        for name in self.digest_layout.counts:
            self.digest_layout.count(small, name)[:] = self._digested(row, name)
        for name, shape in self.digest_layout.sums.items():
            block = self.layout.sum(row, name)
            self.digest_layout.sum(small, name)[:] = block[tuple(slice(n) for n in shape)]
        return small

    def _digested(self, row: Row, name: str) -> NDArray[np.integer]:
        """A block of counts as the digest has it."""
        return self.layout.count(row, name)

    def outcomes(self, row: Row) -> Counts:
        """Joined outcomes per group."""
        return self.layout.count(row, "outcomes")

    def implied(self, row: Row) -> int:
        """Outcomes implied by silence."""
        return int(self.layout.count(row, "implied")[0])

    def delay(self, row: Row) -> Counts:
        """Outcomes per bucket of `DELAY_EDGES`."""
        return self.layout.count(row, "delay")

    def count(self, row: Row, name: str) -> Counts:
        """A block of counts by name."""
        return self.layout.count(row, name)

    def sum(self, row: Row, name: str) -> Sums:
        """A block of sums by name."""
        return self.layout.sum(row, name)


class BinaryQuality(Quality):
    """Confusion, log loss, Brier, reliability and score bins of a binary model.

    ROC AUC of the whole model comes from 711 fixed score bins per class: off by at most half the
    sum of P_i N_i / (P N), under 0.001 on continuous scores and exact on scores of two decimals; a
    segment's from the coarse ones, with its own half-width. ``strata`` are the whole model's records
    with a predicted class, by it, by outcome and by coarse score bin, the last those without a score: the
    strata in which `sketches.scores` counts all predictions. 34 groups take 22 kB.
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
            },
            digest=Layout(
                counts={"confusion": (g, 2, 2), "score": (2, COARSE_SCORE_BINS)},
                sums={"log_loss": (1,), "brier": (1,)},
            ),
        )

    def _digested(self, row: Row, name: str) -> NDArray[np.integer]:
        return self.layout.count(row, "coarse")[0] if name == "score" else self.layout.count(row, name)

    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        outcome = joined.outcome.astype(np.int64)
        known = ~np.isnan(joined.prediction[record])
        g, r = group[known], record[known]
        confusion = self.layout.count(row, "confusion")
        confusion[:] = _counted(confusion.shape, g, outcome[r], joined.prediction[r].astype(np.int64))
        scored = ~np.isnan(joined.score[record])
        self._fill_strata(row, outcome, joined)
        if scored.any():
            self._fill_scores(row, outcome, joined.score, group[scored], record[scored])

    def _fill_strata(self, row: Row, outcome: Ints, joined: Joined) -> None:
        known = ~np.isnan(joined.prediction)
        predicted, score = joined.prediction[known].astype(np.int64), joined.score[known]
        bins = np.minimum(SCORE_EDGES.searchsorted(score), SCORE_BINS - 1)
        strata = self.layout.count(row, "strata")
        coarse = np.where(np.isnan(score), COARSE_SCORE_BINS, COARSE_SCORE[bins])
        strata[:] = _counted(strata.shape, predicted, outcome[known], coarse)

    def _fill_scores(self, row: Row, outcome: Ints, score: Floats, g: Ints, r: Ints) -> None:
        whole = ~np.isnan(score)
        bins = SCORE_EDGES.searchsorted(score)
        score_block = self.layout.count(row, "score")
        score_block[:] = _counted(score_block.shape, outcome[whole], bins[whole])
        coarse = self.layout.count(row, "coarse")
        bins[~whole] = 0
        coarse[:] = _counted(coarse.shape, g, outcome[r], COARSE_SCORE[bins][r])
        safe: Floats = np.where(whole, score, 0.5)
        tenth = np.minimum((safe * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
        reliability = self.layout.count(row, "reliability")
        reliability[:] = _counted(reliability.shape, g, tenth[r], outcome[r])
        shape = (self.groups.count, CALIBRATION_BINS)
        self.layout.sum(row, "scores")[:] = _summed(shape, safe[r], g, tenth[r])
        clipped = np.clip(safe, _EPSILON, 1 - _EPSILON)
        loss = -np.where(outcome == 1, np.log(clipped), np.log1p(-clipped))
        self.layout.sum(row, "log_loss")[:] = _summed((self.groups.count,), loss[r], g)
        square: Floats = np.square(safe - outcome)
        self.layout.sum(row, "brier")[:] = _summed((self.groups.count,), square[r], g)
        self.layout.sum(row, "log_loss_square")[0] = np.square(loss[whole]).sum()
        self.layout.sum(row, "brier_square")[0] = np.square(square[whole]).sum()


class MulticlassQuality(Quality):
    """Confusion by class, log loss, Brier, top-label reliability and one-against-rest score bins.

    `classes` counts `other`, the last. Segments carry right and wrong only. 21 classes take 0.1 MB,
    nearly all of it score bins that stay empty until probabilities are sent.
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
            },
            sums={
                "log_loss": (1,),
                "brier": (1,),
                "scores": (CALIBRATION_BINS,),
                "log_loss_square": (1,),
                "brier_square": (1,),
            },
            digest=Layout(
                counts={
                    "predicted": (groups.count,),
                    "right": (groups.count,),
                    "confusion": (classes, classes),
                    "score": (classes, 2, COARSE_SCORE_BINS),
                },
                sums={"log_loss": (1,), "brier": (1,)},
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
        confusion[:] = _counted(confusion.shape, outcome[known], predicted[known])
        # `other` is a sum of probabilities, which rounding may leave above 1.
        usable = (joined.scores >= 0) & (joined.scores <= 1 + 1e-9)
        scored = usable.all(axis=1) & (joined.scores.shape[1] > 0)
        if scored.any():
            self._fill_scores(row, outcome[scored], joined.scores[scored])

    def _fill_scores(self, row: Row, outcome: Ints, scores: Floats) -> None:
        n, classes = scores.shape
        bins = SCORE_EDGES.searchsorted(scores)
        column = np.broadcast_to(np.arange(classes), (n, classes))
        own = (column == outcome[:, None]).astype(np.int64)
        block = self.layout.count(row, "score")
        block[:] = _counted(block.shape, column.ravel(), own.ravel(), bins.ravel())
        given = np.clip(scores[np.arange(n), outcome], _EPSILON, 1.0)
        for name, values in (("log_loss", -np.log(given)), ("brier", ((scores - own) ** 2).sum(axis=1))):
            self.layout.sum(row, name)[0] = values.sum()
            self.layout.sum(row, name + "_square")[0] = np.square(values).sum()
        top = scores.argmax(axis=1)
        confidence = scores[np.arange(n), top]
        tenth = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
        reliability = self.layout.count(row, "reliability")
        reliability[:] = _counted(reliability.shape, tenth, (top == outcome).astype(np.int64))
        self.layout.sum(row, "scores")[:] = _summed((CALIBRATION_BINS,), confidence, tenth)


# Places in the sums of a regression's group.
(
    ERROR,
    ABSOLUTE,
    SQUARE,
    OUTCOME,
    OUTCOME_SQUARE,
    PERCENT,
    OVER,
    UNDER,
    OUTCOME_OVER,
    OUTCOME_UNDER,
) = range(10)


# Places in the higher moments of a regression: of the error e and the outcome z about the centre.
ERROR_4, ERROR_2_OUTCOME, ERROR_2_OUTCOME_2, OUTCOME_3, OUTCOME_4 = range(5)
# Beyond it fourth powers would overflow a sum.
_FOURTH_LIMIT: Final = float(np.sqrt(SUMMED_LIMIT))


class RegressionQuality(Quality):
    """Sums of errors and outcomes per group, outcomes about a fixed centre.

    RMSE, MAE, R2 and bias are functions of these sums, exact to rounding; the centre keeps R2 exact
    where the outcomes' mean is large beside their spread. Numbers are clipped to `SUMMED_LIMIT`.
    ``moments`` are sums of third and fourth powers for the whole model: what tells how far RMSE and R2
    can be off by chance.
    """

    def __init__(self, groups: Groups, centre: float) -> None:
        self.centre = float(np.clip(centre, -SUMMED_LIMIT, SUMMED_LIMIT))
        super().__init__(
            groups,
            counts={"errors": (groups.count,), "percents": (groups.count,)},
            sums={"sums": (groups.count, 10), "moments": (5,)},
            digest=Layout(
                counts={"errors": (groups.count,), "percents": (groups.count,)},
                sums={"sums": (groups.count, PERCENT + 1)},
            ),
        )

    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        known = ~np.isnan(joined.prediction[record])
        g, r = group[known], record[known]
        self.layout.count(row, "errors")[:] = np.bincount(g, minlength=self.groups.count)
        outcome = _clipped(joined.outcome[r])
        error = _clipped(joined.prediction[r]) - outcome
        about = outcome - self.centre
        nonzero = outcome != 0
        self.layout.count(row, "percents")[:] = np.bincount(g[nonzero], minlength=self.groups.count)
        percent = np.zeros_like(error)
        with np.errstate(over="ignore"):
            percent[nonzero] = np.abs(_clipped(error[nonzero] / outcome[nonzero]))
        sums = self.layout.sum(row, "sums")
        for place, values in enumerate(
            (
                error,
                np.abs(error),
                error * error,
                about,
                about * about,
                percent,
                np.maximum(error, 0),
                np.maximum(-error, 0),
                np.maximum(about, 0),
                np.maximum(-about, 0),
            )
        ):
            sums[:, place] = _summed((self.groups.count,), values, g)
        whole = ~np.isnan(joined.prediction)
        self._fill_moments(row, joined.outcome[whole], joined.prediction[whole])

    def _fill_moments(self, row: Row, outcome: Floats, prediction: Floats) -> None:
        outcome = _clipped(outcome)
        error = np.clip(_clipped(prediction) - outcome, -_FOURTH_LIMIT, _FOURTH_LIMIT)
        about = np.clip(outcome - self.centre, -_FOURTH_LIMIT, _FOURTH_LIMIT)
        e2, z2 = error * error, about * about
        self.layout.sum(row, "moments")[:] = [
            (e2 * e2).sum(),
            (e2 * about).sum(),
            (e2 * z2).sum(),
            (z2 * about).sum(),
            (z2 * z2).sum(),
        ]
