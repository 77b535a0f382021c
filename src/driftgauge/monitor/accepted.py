"""The accepted records of a batch of predictions, coded: classes, segments and weights as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Task
from driftgauge.monitor.batch import pick
from driftgauge.monitor.model import Model
from driftgauge.monitor.structure import Coder
from driftgauge.records import Floats, Ints, Predictions


@dataclass(frozen=True, slots=True)
class Accepted:
    """The accepted records of a batch, coded. Places number the accepted records."""

    batch: Predictions
    chosen: Ints
    place_of: Ints
    times: Floats
    prediction: Floats
    outcome: Floats
    score: Floats
    scores: Floats
    segments: NDArray[np.uint8]
    weight: Floats | None
    whole: bool

    @classmethod
    def of(
        cls,
        model: Model,
        batch: Predictions,
        times: Floats,
        accepted: NDArray[np.bool_],
        coder: Coder,
    ) -> Accepted:
        """The records that *accepted* chooses, shape (n,); the coder learns what is new in them."""
        chosen = np.flatnonzero(accepted)
        whole = chosen.size == len(batch)
        predictions = pick(batch.prediction, chosen, whole=whole)
        outcomes = pick(batch.outcome, chosen, whole=whole)
        score = batch.score[chosen]
        coder.settle_task(
            predictions,
            outcomes,
            scored=bool((~np.isnan(score)).any()),
            classes=bool(batch.scores),
        )
        scores = class_scores(batch, chosen, coder)
        prediction = coder.labels(predictions)
        outcome = coder.labels(outcomes)
        coder.centre_on(outcome)
        place_of = np.full(len(batch), -1, np.int64)
        place_of[chosen] = np.arange(chosen.size)
        columns = {
            name: pick(texts, chosen, whole=whole) for name, texts in segment_texts(model, batch).items()
        }
        return cls(
            batch,
            chosen,
            place_of,
            times[chosen],
            prediction,
            outcome,
            score,
            scores,
            coder.segments(columns, chosen.size),
            value_weight(model, batch, chosen),
            whole,
        )

    def settle_predictions(self, task: Task | None, threshold: float) -> int:
        """Predict classes where only scores were sent.

        Returns:
            how many predictions were sent that no class or number was read from.
        """
        absent = np.isnan(self.prediction)
        if task is Task.BINARY:
            scored = ~np.isnan(self.score)
            filled = absent & scored
            self.prediction[filled] = self.score[filled] >= threshold
        elif task is Task.MULTICLASS and self.scores.shape[1]:
            filled = absent & ~np.isnan(self.scores).any(axis=1)
            self.prediction[filled] = self.scores[filled].argmax(axis=1)
        labels = pick(self.batch.prediction, self.chosen, whole=self.whole)
        return int(np.count_nonzero(absent)) - labels.count(None)


def segment_texts(model: Model, batch: Predictions) -> dict[str, Sequence[str | None]]:
    """Segment columns of a batch: as sent, or a categorical feature of the same name."""
    columns = dict(batch.segments)
    for name in model.config.segments or ():
        if name not in columns and name in batch.categorical:
            columns[name] = batch.categorical[name]
    return columns


def value_weight(model: Model, batch: Predictions, chosen: Ints) -> Floats | None:
    """What the value of each record is multiplied by; NaN where it has no such number, None where no
    weight is configured.
    """
    name = model.value_weight
    if name is None:
        return None
    if name not in batch.numeric_names:
        return np.full(chosen.size, np.nan)
    weight: Floats = batch.numeric[batch.numeric_names.index(name)][chosen]
    return weight


def class_scores(batch: Predictions, chosen: Ints, coder: Coder) -> Floats:
    """Probabilities by class code, shape (n, classes + 1); NaN rows where a record gave none."""
    if not batch.scores or coder.structure.task is not Task.MULTICLASS:
        return np.zeros((chosen.size, 0))
    out = np.zeros((chosen.size, coder.limits.classes + 1))
    absent = np.ones(chosen.size, np.bool_)
    for name, column in batch.scores.items():
        values = column[chosen]
        given = ~np.isnan(values)
        absent &= ~given
        out[given, coder.class_code(name)] += values[given]
    out[absent] = np.nan
    return out
