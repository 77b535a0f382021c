"""What a record's score and prediction are counted as: the same as `serve` counts.

`monitor.predictions` counts the score as a number; the prediction as a number (regression), as "0"
or "1" (binary; from the score and the threshold where a record gives none), or as its class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftgauge.config import Limits, Model, Task
from driftgauge.monitor.structure import OTHER, binary_code, guess_task, number_of, text_of
from driftgauge.profile.cells import Column, Numbers
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.findings import Findings
from driftgauge.profile.settings import Roles
from driftgauge.profile.tallies import NumericColumn, TextColumn
from driftgauge.records import Floats, Ints, Label
from driftgauge.sketches.inputs import output_key


class Outputs:
    """Scores and predictions of all chunks so far.

    Attributes:
        task: the model's, or guessed from the first chunk that tells, as `serve` does.
    """

    def __init__(self, roles: Roles, model: Model, limits: Limits, findings: Findings) -> None:
        self.roles = roles
        self.model = model
        self.task: Task | None = model.task
        self.guessed = model.task is None
        self._limits = limits
        self._findings = findings
        self._classes: dict[str, None] = {}
        self._score = NumericColumn()
        self._number = NumericColumn()
        self._class = TextColumn()
        self._classed = False

    def add(self, chunk: Chunk, slots: Ints) -> None:
        """Count a chunk's outputs in the days *slots*."""
        roles, columns = self.roles, chunk.columns
        score = scores_of(columns.get(roles.score or ""), chunk.rows)
        labels = labels_of(columns.get(roles.prediction or ""), chunk.rows)
        if self.task is None:
            outcomes = labels_of(columns.get(roles.outcome or ""), chunk.rows)
            scored = bool((~np.isnan(score)).any())
            self.task = guess_task(labels, outcomes, scored=scored, classes=False)
        self._score.add(score, slots)
        if self.task is Task.REGRESSION:
            self._number.add(self._numbers(labels, chunk), slots)
        elif self.task is not None and (roles.prediction or (roles.score and self.task is Task.BINARY)):
            texts = self._binary(labels, score, chunk) if self.task is Task.BINARY else self._texts(labels)
            self._class.add(texts, slots)
            self._classed = True

    def _numbers(self, labels: Sequence[Label], chunk: Chunk) -> Floats:
        numbers = np.array([number_of(label) for label in labels], np.float64)
        self._unread(labels, np.isnan(numbers), chunk, "a number")
        return numbers

    def _binary(self, labels: Sequence[Label], score: Floats, chunk: Chunk) -> list[str | None]:
        if self.roles.prediction is None:
            return _binary_texts(np.where(np.isnan(score), np.nan, score >= self.model.threshold))
        positive = self.model.positive_class
        known = {label: binary_code(label, positive) for label in set(labels) if label is not None}
        codes = np.array([np.nan if label is None else known[label] for label in labels])
        expected = "true, false, 1 or 0" if positive is None else f"{positive!r} or another class"
        self._unread(labels, np.isnan(codes), chunk, expected)
        filled = np.isnan(codes) & ~np.isnan(score)
        codes[filled] = score[filled] >= self.model.threshold
        return _binary_texts(codes)

    def _texts(self, labels: Sequence[Label]) -> list[str | None]:
        return [None if label is None else self._known(text_of(label)) for label in labels]

    def _known(self, text: str) -> str:
        if text not in self._classes:
            if len(self._classes) >= self._limits.classes:
                return OTHER
            self._classes[text] = None
        return text

    def _unread(self, labels: Sequence[Label], unread: np.ndarray, chunk: Chunk, expected: str) -> None:
        rows = [row for row in np.flatnonzero(unread).tolist() if labels[row] is not None]
        if rows:
            found = f"{chunk.where(rows[0])}, {labels[rows[0]]!r}"
            sentence = f"of {self.roles.prediction!r} counted as missing: expected {expected}"
            self._findings.add(len(rows), "prediction", sentence, found)

    def numeric(self) -> dict[str, NumericColumn]:
        """Numeric outputs by key."""
        found = {output_key("score"): self._score, output_key("prediction"): self._number}
        return {key: column for key, column in found.items() if column.values}

    def texts(self) -> dict[str, TextColumn]:
        """Categorical outputs by key."""
        return {output_key("prediction"): self._class} if self._classed else {}


def _binary_texts(codes: Floats) -> list[str | None]:
    places = np.where(np.isnan(codes), 2, codes).astype(np.int64)
    texts: list[str | None] = np.array(("0", "1", None), object)[places].tolist()
    return texts


def scores_of(column: Column | None, rows: int) -> Floats:
    """Finite scores; what `serve` would refuse is missing."""
    if not isinstance(column, Numbers):
        return np.full(rows, np.nan)
    return np.where(np.isfinite(column.values), column.values, np.nan)


def labels_of(column: Column | None, rows: int) -> Sequence[Label]:
    """Labels as a JSON sender would have sent them."""
    if column is None:
        return [None] * rows
    if isinstance(column, Numbers):
        return [None if value != value else value for value in column.values.tolist()]  # noqa: PLR0124  # NaN differs from itself
    if column.booleans:
        return [None if text is None else text == "true" for text in column.values]
    return column.values
