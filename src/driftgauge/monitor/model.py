"""One model: what its versions share: structure, kept outcomes, clock."""

from __future__ import annotations

from functools import cached_property
from math import inf
from typing import Final

import msgspec

from driftgauge.config import HOUR, Clock, Export, Limits, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.monitor.log import OUTCOME, RecordLog
from driftgauge.monitor.ports import Shelf
from driftgauge.monitor.structure import Structure
from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Schema
from driftgauge.sketches.paired import BinaryPaired, MulticlassPaired, Paired, RegressionPaired
from driftgauge.sketches.quality import (
    BinaryQuality,
    Groups,
    MulticlassQuality,
    Quality,
    RegressionQuality,
)
from driftgauge.sketches.scores import BinaryScores, MulticlassScores, RegressionScores, Scores
from driftgauge.sketches.value import Value, WeightedScores
from driftgauge.windows import Grid, Part

# A version that has said nothing for so long may have been replaced.
SILENT_SECONDS: Final = 600.0


class Model:
    """A model and its versions, the newest last. Owned by the writer.

    Attributes:
        scale: what its wall-clock durations are divided by; 1 on a records clock.
        sample_ratio: share of ids that are kept for the join, by their hash; below 1 while the
            pending limit binds.
        reformed: whether records kept before a restart have another form, and can't be joined.
        clock: the greatest accepted time (records clock); None before the first record.
        arrived_to: how far time has been carried forward for expiry.
    """

    def __init__(
        self,
        owner: int,
        name: str,
        config: ModelConfig,
        limits: Limits,
        shelf: Shelf,
        *,
        time_scale: float = 1.0,
        export: Export | None = None,
        coarse: Grid | None = None,
    ) -> None:
        self.owner = owner
        self.name = name
        self.config = config
        self.limits = limits
        self.shelf = shelf
        self.scale = time_scale if config.clock is Clock.WALL else 1.0
        self.coarse_grid = coarse or Grid(HOUR / self.scale)
        self.structure = Structure(task=config.task)
        self.quality: Quality | None = None
        self.scores: Scores | None = None
        self.paired: Paired | None = None
        self.value = self._value_sketch()
        self.weighted_scores = self._weighted_scores()
        self.outcomes = RecordLog(2 * owner, OUTCOME, shelf)
        self.versions: dict[str, Version] = {}
        self.clock: float | None = None
        self.waiting = 0
        self.export = export or Export()
        self.sample_ratio = 1.0
        self.reformed = False
        self._schema: Schema | None = None
        self._schema_of: tuple[object, ...] = ()
        self._settle_quality()

    def _settle_quality(self) -> None:
        self.quality = self.quality_for(self.structure)
        self.scores = self.scores_for(self.structure)
        self.paired = self.paired_for(self.structure)

    @property
    def _groups(self) -> Groups:
        return Groups(self.limits.segment_columns, self.limits.segment_values)

    def quality_for(self, structure: Structure) -> Quality | None:
        """The quality sketch that a batch's *structure* calls for, before it is applied."""
        if self.quality is not None or structure.task is None:
            return self.quality
        groups = self._groups
        if structure.task is Task.BINARY:
            return BinaryQuality(groups)
        if structure.task is Task.MULTICLASS:
            return MulticlassQuality(groups, self.limits.classes + 1)
        if structure.outcome_centre is not None:
            return RegressionQuality(groups, structure.outcome_centre)
        return None

    def scores_for(self, structure: Structure) -> Scores | None:
        """The sketch of predictions that a batch's *structure* calls for, before it is applied."""
        if self.scores is not None or structure.task is None:
            return self.scores
        groups = self._groups
        if structure.task is Task.BINARY:
            return BinaryScores(groups)
        if structure.task is Task.MULTICLASS:
            return MulticlassScores(groups, self.limits.classes + 1)
        return RegressionScores(groups)

    def paired_for(self, structure: Structure) -> Paired | None:
        """The sketch of cases of two versions that a batch's *structure* calls for, before it is applied."""
        if self.paired is not None or structure.task is None:
            return self.paired
        if structure.task is Task.BINARY:
            return BinaryPaired()
        return MulticlassPaired() if structure.task is Task.MULTICLASS else RegressionPaired()

    def _value_sketch(self) -> Value | None:
        """What counts the value of decisions; None where none is configured."""
        task = self.config.task
        if self.config.value is None or task is None:
            return None
        return Value(self._groups, task, weight=self.value_weight)

    def _weighted_scores(self) -> WeightedScores | None:
        """What counts the weights of all predictions of a classifier; None where no weight is configured."""
        weight, task = self.value_weight, self.config.task
        if weight is None or task not in (Task.BINARY, Task.MULTICLASS):
            return None
        classes = 2 if task is Task.BINARY else self.limits.classes + 1
        return WeightedScores(weight, self._groups, task, classes)

    @property
    def value_weight(self) -> str | None:
        """The feature that multiplies the value of decisions."""
        return None if self.config.value is None else self.config.value.weight

    @cached_property
    def declared_ranges(self) -> tuple[tuple[str, float, float], ...]:
        """Features with a declared range and its ends."""
        return tuple(
            (name, -inf if f.min is None else f.min, inf if f.max is None else f.max)
            for name, f in self.config.features.items()
            if f.min is not None or f.max is not None
        )

    def now(self, wall: float) -> float:
        """The model's time; *wall* before its records clock has begun."""
        if self.config.clock is Clock.WALL or self.clock is None:
            return wall
        return self.clock

    def clock_after(self, accepted: Floats, sent: Floats) -> float | None:
        """The records clock after a batch of *accepted* times out of those *sent*; None where it stays.

        A batch that lies wholly beyond what the clock accepts is a gap in the records: it is refused,
        and moves the clock one window towards itself, so that sending it again gets through some day.
        """
        if self.config.clock is Clock.WALL:
            return None
        if self.clock is None:
            return float(accepted.max()) if accepted.size else None
        reach = self.clock + self.longest_seconds
        if accepted.size:
            return max(self.clock, min(float(accepted.max()), reach))
        return reach if sent.size and float(sent.min()) > reach else None

    @property
    def longest_seconds(self) -> float:
        """The longest window, on the model's clock."""
        return max(self.config.windows) / self.scale

    @property
    def horizon_seconds(self) -> float:
        """The horizon, on the model's clock."""
        return self.config.outcomes.horizon / self.scale

    def version(self, name: str, owner: int) -> Version:
        """The version *name*, made with *owner* if it is new, with the features' reference of the
        newest version that has one (outputs start anew).
        """
        found = self.versions.get(name)
        if found is None:
            found = Version(self, owner, name, self.shelf)
            self._inherit(found)
            self.versions[name] = found
        return found

    def _inherit(self, version: Version) -> None:
        for older in reversed(self.versions.values()):
            watch = older.inputs
            if watch.binned and watch.reference is not None:
                version.fix_reference(Part.INPUTS, watch.reference, watch.state)
                return
            if watch.since is not None:
                # Its owner let go of the reference; those of older versions are as old or older.
                return

    def apply(self, update: Update, *, live: bool) -> None:
        """Take in a committed update of one of the versions."""
        if update.structure is not None:
            self.structure = update.structure
            self._settle_quality()
        if update.clock is not None:
            self.clock = update.clock if self.clock is None else max(self.clock, update.clock)
        self.waiting += update.waiting
        if update.version_owner:
            self.versions[update.version].apply(update, live=live)

    @property
    def coded(self) -> int:
        """Features whose coarse bin a kept prediction remembers, at most."""
        return min(self.config.concept.features, self.limits.features)

    @property
    def form(self) -> str:
        """What codes in kept records and in quality depend on; with another form they mean nothing."""
        limits, task = self.limits, self.structure.task
        weighted = "" if self.value_weight is None else f" weighted by {self.value_weight}"
        bounds = f"{limits.classes} {limits.segment_columns} {limits.segment_values}"
        return f"{task} {bounds} {self.coded}{weighted}"

    def restore(self, structure: Structure, clock: float | None, waiting: int, sample_ratio: float) -> None:
        """Take up what a checkpoint saved; a task that the configuration gives now wins."""
        task = self.config.task
        if task is not None and task is not structure.task:
            structure = msgspec.structs.replace(structure, task=task, classes=(), outcome_centre=None)
        limits = self.limits
        self.structure = msgspec.structs.replace(
            structure,
            classes=structure.classes[: limits.classes],
            columns=structure.columns[: limits.segment_columns],
            values=tuple(
                values[: limits.segment_values] for values in structure.values[: limits.segment_columns]
            ),
        )
        self.clock, self.waiting = clock, waiting
        self.sample_ratio = sample_ratio
        self.quality = self.scores = self.paired = None
        self._settle_quality()

    def surplus(self) -> list[Version]:
        """Versions beyond the limit: those first that are silent, the longest silent of them first.

        Of those that speak the least busy goes, so that a stray `model_version` ousts none that
        serves. The busiest counts as speaking even at night, when strays may be all that comes; not
        where one version is kept, or the next one would never be.
        """
        extra = len(self.versions) - self.limits.versions
        if extra <= 0:
            return []
        now = max(v.heard_at or 0.0 for v in self.versions.values())
        busy = {v.owner: v.busy_at(now) for v in self.versions.values()}
        busiest = max(busy, key=busy.__getitem__) if self.limits.versions > 1 else None

        def standing(version: Version) -> tuple[bool, float, int]:
            heard = version.heard_at or 0.0
            if version.owner == busiest or now - heard < SILENT_SECONDS / self.scale:
                return True, busy[version.owner], version.owner
            return False, heard, version.owner

        return sorted(self.versions.values(), key=standing)[:extra]

    def schema(self) -> Schema:
        """What the decoder may know before it reads this model's records.

        The same value until something is learned: it is asked for with every piece of a body.
        """
        newest = next(reversed(self.versions.values()), None)
        state: tuple[object, ...] = (self.structure.columns,)
        if newest is not None:
            watch = newest.inputs
            reference = None if watch.reference is None or not watch.binned else watch.reference.id
            state += (newest.owner, reference, len(newest.numeric), len(newest.categorical))
        if self._schema is None or self._schema_of != state:
            self._schema, self._schema_of = self._made_schema(newest), state
        return self._schema

    def _made_schema(self, newest: Version | None) -> Schema:
        kinds = self.config.features
        numeric = {n: None for n, f in kinds.items() if f.kind is not None and f.kind == "numeric"}
        texts = {n: None for n, f in kinds.items() if f.kind is not None and f.kind != "numeric"}
        discover = self.config.discover_features
        if newest is not None and newest.inputs.binned and newest.inputs.reference is not None:
            bins = newest.inputs.reference.bins
            numeric = {key[2:]: None for key in bins.numeric}
            texts = {key[2:]: None for key in bins.categorical}
            discover = False
        elif newest is not None:
            numeric |= {n: None for n in newest.numeric if n not in texts}
            texts |= {n: None for n in newest.categorical if n not in numeric}
        weight, segments = self.value_weight, self.config.segments
        if weight is not None and weight not in texts:
            numeric.setdefault(weight)  # read, though its drift may not be watched
        return Schema(
            tuple(numeric),
            tuple(texts),
            frozenset(),
            self.structure.columns if segments is None else segments,
            discover,
        )
