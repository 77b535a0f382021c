"""The features and outputs of a batch as columns, and what they tell that the version did not know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftgauge.config import Task
from driftgauge.monitor.accepted import Accepted
from driftgauge.monitor.batch import pick
from driftgauge.monitor.structure import OTHER, Coder
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Ints, Predictions
from driftgauge.sketches.coarse import Codes
from driftgauge.sketches.inputs import Column, feature_key, output_key


@dataclass(frozen=True, slots=True)
class Columns:
    """Numeric and categorical columns by key."""

    names: tuple[str, ...]
    numeric: Floats
    texts: dict[str, Column]

    def at(self, places: Ints) -> Columns:
        """The records at *places*."""
        return Columns(
            self.names,
            self.numeric[:, places],
            {
                key: column[places]
                if isinstance(column, np.ndarray)
                else [column[i] for i in places.tolist()]
                for key, column in self.texts.items()
            },
        )


class BatchColumns:
    """The columns of one batch.

    Attributes:
        fresh_numeric, fresh_texts: names of features that the version has not seen before.
        centres: by key, what its sums are to be taken about: the first finite value.
        growing: by key, the last value of a feature that has only grown so far; None once it has not.
    """

    def __init__(self, version: Version, accepted: Accepted, coder: Coder) -> None:
        self.version = version
        self.accepted = accepted
        self.coder = coder
        self.fresh_numeric: tuple[str, ...] = ()
        self.fresh_texts: tuple[str, ...] = ()
        self.centres: dict[str, float] = {}
        self.growing: dict[str, float | None] = {}

    @cached_property
    def features(self) -> Columns:
        """The accepted records' features by key."""
        batch, watch = self.accepted.batch, self.version.inputs
        self._discover(batch)
        return Columns(
            tuple(map(feature_key, batch.numeric_names)),
            batch.numeric[:, self.accepted.chosen] if not self.accepted.whole else batch.numeric,
            {
                key: watch.column(key, pick(texts, self.accepted.chosen, whole=self.accepted.whole))
                for key, texts in zip(
                    map(feature_key, batch.categorical), batch.categorical.values(), strict=True
                )
            },
        )

    def _discover(self, batch: Predictions) -> None:
        if self.version.inputs.binned:
            return
        version = self.version
        self.fresh_numeric = tuple(n for n in batch.numeric_names if n not in version.numeric)
        self.fresh_texts = tuple(n for n in batch.categorical if n not in version.categorical)
        for name, values in zip(batch.numeric_names, batch.numeric, strict=True):
            key = feature_key(name)
            finite = values[np.isfinite(values)]
            if finite.size:
                if key not in version.centres:
                    self.centres[key] = float(finite[0])
                self._watch_growth(key, finite)

    def _watch_growth(self, key: str, finite: Floats) -> None:
        last = self.version.growing.get(key, -np.inf)
        if last is None:
            return
        grows = bool(finite[0] > last and (finite[1:] > finite[:-1]).all())
        self.growing[key] = float(finite[-1]) if grows else None

    def outputs(self) -> Columns:
        """The accepted records' score and prediction by key, as far as the task has them."""
        accepted, task = self.accepted, self.coder.structure.task
        names: list[str] = []
        rows: list[Floats] = []
        score = accepted.score
        if task is Task.MULTICLASS and accepted.scores.shape[1]:
            score = accepted.scores.max(axis=1)
        if not np.isnan(score).all() or output_key("score") in self.version.centres:
            names.append(output_key("score"))
            rows.append(score)
        texts: dict[str, Column] = {}
        if task is Task.REGRESSION:
            names.append(output_key("prediction"))
            rows.append(accepted.prediction)
        elif task is not None:
            texts[output_key("prediction")] = self._classes(output_key("prediction"))
        numeric = np.array(rows).reshape(len(names), accepted.chosen.size)
        for name, values in zip(names, numeric, strict=True):
            finite = values[np.isfinite(values)]
            if finite.size and name not in self.version.centres:
                self.centres[name] = float(finite[0])
        return Columns(tuple(names), numeric, texts)

    def _classes(self, key: str) -> Column:
        """The predicted classes, as a column of texts called *key*."""
        structure = self.coder.structure
        names: tuple[str | None, ...] = ("0", "1")
        if structure.task is Task.MULTICLASS:
            room = 1 + self.coder.limits.classes - len(structure.classes)
            names = (*structure.classes, *(OTHER,) * room)
        prediction = self.accepted.prediction
        codes = np.where(np.isnan(prediction), len(names), prediction).astype(np.int64)
        found = self.version.outputs.column(key, (*names, None))
        if isinstance(found, np.ndarray):
            return found[codes]
        texts: list[str | None] = np.array(found, object)[codes].tolist()
        return texts

    @cached_property
    def codes(self) -> Codes | None:
        """The coarse bins of every accepted record, shape (features, n); None before a reference is."""
        coded = self.version.inputs.codes
        if coded is None:
            return None
        columns = self.features
        return coded.codes(columns.names, columns.numeric, columns.texts, self.accepted.chosen.size)
