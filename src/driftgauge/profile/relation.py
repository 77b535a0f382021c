"""A second pass over a file with outcomes: what came out in the bins of the reference just made."""

from __future__ import annotations

import numpy as np

from driftgauge.config import Task
from driftgauge.layout import Row
from driftgauge.monitor.structure import OTHER, Coder, Structure
from driftgauge.profile.cells import Numbers, Texts
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.losses import LossRows
from driftgauge.profile.outputs import labels_of, scores_of
from driftgauge.profile.settings import Settings
from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference
from driftgauge.reference import relation as relations
from driftgauge.reference.loss import ExpectedLoss
from driftgauge.reference.relation import Relation
from driftgauge.sketches.coarse import CoarseCodes, Codes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs, feature_key
from driftgauge.sketches.quality import (
    BinaryQuality,
    Groups,
    Joined,
    MulticlassQuality,
    Quality,
    RegressionQuality,
)

_WHOLE = Groups(0, 0)


class RelationTally:
    """Outcomes of all chunks so far, by day and coarse bin, and the quality of their predictions."""

    def __init__(self, settings: Settings, reference: Reference, task: Task) -> None:
        self._settings = settings
        inputs = Inputs(reference.bins)
        self._codes = CoarseCodes(
            inputs, reference.id, tuple(settings.model.features), settings.limits.features
        )
        self._reference = reference
        self._coder = Coder(Structure(task=task), settings.model, settings.limits)
        self._task = task
        self._quality: Quality | None = None
        self._sketch: Concept | None = None
        self._total: Row | None = None
        self._days: dict[int, Row] = {}
        self._losses = LossRows()

    @classmethod
    def of(cls, settings: Settings, reference: Reference, task: Task | None) -> RelationTally | None:
        """The tally of a file with outcomes; None where there are none, or no features."""
        features = reference.only("f:")
        if settings.roles.outcome is None or task is None or features is None:
            return None
        return cls(settings, features, task)

    def add(self, chunk: Chunk, slots: Ints) -> None:
        """Count a chunk's outcomes in the days *slots*; records without one count nowhere."""
        roles, columns = self._settings.roles, chunk.columns
        outcome = self._coder.labels(labels_of(columns.get(roles.outcome or ""), chunk.rows))
        prediction = self._coder.labels(labels_of(columns.get(roles.prediction or ""), chunk.rows))
        score = scores_of(columns.get(roles.score or ""), chunk.rows)
        if self._task is Task.BINARY:
            filled = np.isnan(prediction) & ~np.isnan(score)
            prediction[filled] = score[filled] >= self._settings.model.threshold
        self._coder.centre_on(outcome)
        known = np.flatnonzero(~np.isnan(outcome))
        if not known.size:
            return
        joined = Joined(
            outcome,
            prediction,
            np.where((score >= 0) & (score <= 1), score, np.nan),
            np.zeros((chunk.rows, 0)),
            np.zeros((0, chunk.rows), np.uint8),
            np.full(chunk.rows, np.nan),
            bins=self._bins(chunk),
        ).at(known)
        self._count(joined, slots[known])

    def _bins(self, chunk: Chunk) -> Codes:
        numeric = {feature_key(n): c.values for n, c in chunk.columns.items() if isinstance(c, Numbers)}
        texts = {feature_key(n): c.values for n, c in chunk.columns.items() if isinstance(c, Texts)}
        values: Floats = np.array(list(numeric.values())).reshape(len(numeric), chunk.rows)
        return self._codes.codes(tuple(numeric), values, texts, chunk.rows)

    def _count(self, joined: Joined, slots: Ints) -> None:
        quality, sketch, total = self._sketches()
        total.add(quality.row(joined))
        if self._task is Task.REGRESSION:
            self._losses.add(joined)
        for slot in np.unique(slots).tolist():
            self._days.setdefault(slot, sketch.zero()).add(sketch.row(joined.at(slots == slot)))

    def _sketches(self) -> tuple[Quality, Concept, Row]:
        """Made with the first outcomes: a regression's are summed about the first one."""
        if self._quality is None or self._sketch is None or self._total is None:
            self._quality = self._made_quality()
            self._sketch = Concept.beside(self._quality, len(self._codes.keys))
            self._total = self._quality.zero()
            self._total.counts = self._total.counts.astype(np.int64)
        return self._quality, self._sketch, self._total

    def _made_quality(self) -> Quality:
        if self._task is Task.BINARY:
            return BinaryQuality(_WHOLE)
        if self._task is Task.MULTICLASS:
            return MulticlassQuality(_WHOLE, self._settings.limits.classes + 1)
        return RegressionQuality(_WHOLE, self._coder.structure.outcome_centre or 0.0)

    def loss(self) -> ExpectedLoss | None:
        """The error to expect of a regression's predictions; None of another task or too few records."""
        return self._losses.learned(self._codes.keys)

    def relation(self, slots: tuple[int, ...]) -> Relation | None:
        """The relation, its days in the order *slots*; None without an outcome."""
        if self._sketch is None:
            return None
        classes = {Task.BINARY: ("0", "1"), Task.REGRESSION: ()}.get(
            self._task, (*self._coder.structure.classes, OTHER)
        )
        return relations.of_rows(
            self._codes.keys,
            classes,
            self._sketch,
            [self._days[slot] for slot in slots if slot in self._days],
            self._quality,
            self._total,
            (self._reference.first, self._reference.last),
        )
