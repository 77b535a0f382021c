"""One pass over a file: columns into learning tallies by day, and a reference of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from driftgauge import reference as references
from driftgauge.config import FeatureKind, Task
from driftgauge.profile.cells import CellKind, Column, Numbers, Texts
from driftgauge.profile.chunks import Chunk, Records
from driftgauge.profile.csv_records import CsvRecords
from driftgauge.profile.days import Days
from driftgauge.profile.findings import Findings
from driftgauge.profile.ndjson_records import NdjsonRecords
from driftgauge.profile.opening import format_of
from driftgauge.profile.outputs import Outputs
from driftgauge.profile.parquet_records import ParquetRecords
from driftgauge.profile.relation import RelationTally
from driftgauge.profile.settings import Format, ProfileError, Settings
from driftgauge.profile.tallies import NumericColumn, TextColumn
from driftgauge.records import Ints
from driftgauge.reference import Reference
from driftgauge.sketches.inputs import feature_key
from driftgauge.sketches.learning import LearningRow

_READERS: Mapping[Format, type[CsvRecords | NdjsonRecords | ParquetRecords]] = {
    Format.CSV: CsvRecords,
    Format.NDJSON: NdjsonRecords,
    Format.PARQUET: ParquetRecords,
}
_MOST_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest finite value of a numeric key."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Identifier:
    """A feature that is watched for missing values only, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """How many values a segment or outcome column has; *more* when it was no longer counted."""

    name: str
    role: str
    values: int
    more: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What a file came to.

    Attributes:
        rows: records that the reference stands on.
        task: None where neither score nor prediction was named.
        ranges: by key.
        others: segment columns and the outcome.
        findings: sentences about what was left out or not taken.
    """

    reference: Reference
    rows: int
    seconds: float
    task: Task | None
    task_guessed: bool
    ranges: Mapping[str, Range]
    identifiers: tuple[Identifier, ...]
    others: tuple[ColumnValues, ...]
    findings: tuple[str, ...]


def profile(path: Path, settings: Settings, on_progress: Callable[[int], None] = lambda _: None) -> Profile:
    """The reference of the records in *path*, read once; twice where it has outcomes.

    Args:
        on_progress: told the bytes of the file read so far, after each chunk.

    Raises:
        ProfileError: the file can't be read, lacks a named column, or holds no record.

    Cost: about 5 us a row of 7 columns of CSV, twice as much with outcomes. Memory: a chunk of rows,
    and 16 bytes for each learning bin of each column and day, together at most
    ``settings.memory_bytes``.
    """
    began = perf_counter()
    roles = {**dict.fromkeys(settings.model.segments or (), "--segment"), **settings.roles.by_name()}
    findings = Findings()
    kinds = _declared_kinds(settings)
    skipped = frozenset(roles) - {name for name, flag in roles.items() if flag not in {"--id", "--ignore"}}
    form = settings.format or format_of(path)
    records: Records = _READERS[form](path, settings, skipped, kinds, findings)
    _check_names(path, records.names(), settings)
    profiler = _Profiler(path, settings, findings, roles)
    for chunk in records.chunks():
        profiler.add(chunk)
        on_progress(records.position())
    found = profiler.finish(began)
    tally = RelationTally.of(settings, found.reference, found.task)
    if tally is None:
        return found
    # Read again in silence: whatever there is to find was found.
    quiet = Findings()
    days = Days(settings.roles.time, quiet)
    for chunk in _READERS[form](path, settings, skipped, kinds, quiet).chunks():
        slots, known = days.of(chunk)
        tally.add(chunk if known.all() else _kept(chunk, known), slots)
    relation = tally.relation(tuple(slot for _, slot in days.numbers()))
    reference = replace(found.reference, relation=relation, loss=tally.loss())
    return replace(found, reference=reference, seconds=perf_counter() - began)


def _declared_kinds(settings: Settings) -> Mapping[str, CellKind]:
    cells = {
        FeatureKind.NUMERIC: CellKind.NUMBER,
        FeatureKind.CATEGORICAL: CellKind.TEXT,
        FeatureKind.IDENTIFIER: CellKind.TEXT,
    }
    return {n: cells[f.kind] for n, f in settings.model.features.items() if f.kind is not None}


def _check_names(path: Path, names: tuple[str, ...] | None, settings: Settings) -> None:
    """Every column that was named is there, as far as the file tells before it is read."""
    for name, flag in settings.roles.named():
        if names is not None and name not in names:
            listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            raise ProfileError(f"{path}: {flag}: expected one of the columns {listed}; got {name!r}")


@dataclass(slots=True)
class _Values:
    role: str
    seen: set[str] = field(default_factory=set)
    more: bool = False

    def add(self, column: Column) -> None:
        if not self.more:
            values = column.values.tolist() if isinstance(column, Numbers) else column.values
            self.seen |= {str(v) for v in set(values) if v is not None and v == v}  # noqa: PLR0124  # NaN differs from itself
            self.more = len(self.seen) > _MOST_VALUES


class _Profiler:
    """The state of one pass."""

    def __init__(self, path: Path, settings: Settings, findings: Findings, roles: Mapping[str, str]) -> None:
        self._path = path
        self._settings = settings
        self._findings = findings
        self._roles = roles
        self._days = Days(settings.roles.time, findings)
        self._outputs = Outputs(settings.roles, settings.model, settings.limits, findings)
        self._numeric: dict[str, NumericColumn] = {}
        self._texts: dict[str, TextColumn] = {}
        self._values: dict[str, _Values] = {}
        self._refused: set[str] = set()
        self._seen: set[str] = set()
        self._rows = 0

    def add(self, chunk: Chunk) -> None:
        """Count a chunk."""
        self._seen |= chunk.columns.keys()
        slots, known = self._days.of(chunk)
        if not known.all():
            chunk = _kept(chunk, known)
        self._rows += chunk.rows
        if not chunk.rows:
            return
        self._check_score(chunk)
        self._outputs.add(chunk, slots)
        for name, column in chunk.columns.items():
            flag = self._roles.get(name)
            if flag in {"--segment", "--outcome"}:
                self._values.setdefault(name, _Values(flag)).add(column)
            if flag is None or (flag == "--segment" and name in self._settings.model.features):
                self._feature(name, column, slots)
        self._keep_within_memory()

    def _check_score(self, chunk: Chunk) -> None:
        column = chunk.columns.get(self._settings.roles.score or "")
        if isinstance(column, Texts):
            row = next(i for i, text in enumerate(column.values) if text is not None)
            raise ProfileError(
                f"{self._path}: --score {self._settings.roles.score!r}: expected numbers, "
                f"got {column.values[row]!r} ({chunk.where(row)})"
            )

    def _feature(self, name: str, column: Column, slots: Ints) -> None:
        if not self._takes(name):
            return
        key = feature_key(name)
        if isinstance(column, Numbers):
            if key not in self._numeric:
                self._numeric[key] = NumericColumn()
            self._numeric[key].add(column.values, slots)
        else:
            if key not in self._texts:
                self._texts[key] = TextColumn()
            self._texts[key].add(list(column.values), slots)

    def _takes(self, name: str) -> bool:
        """Whether a feature is watched, by the rules of the intake; what is not is reported once."""
        key = feature_key(name)
        if key in self._numeric or key in self._texts:
            return True
        if name in self._refused:
            return False
        limits, model = self._settings.limits, self._settings.model
        why = None
        if name not in model.features and not model.discover_features:
            why = "left out: expected only declared features (discover_features: false)"
        elif len(name) > limits.label_characters:
            why = f"left out: expected names of at most {limits.label_characters} characters"
        elif len(self._numeric) + len(self._texts) >= limits.features:
            why = f"left out: expected at most {limits.features} features"
        if why is not None:
            self._refused.add(name)
            self._findings.add(1, "column", why, repr(name[:60]))
        return why is None

    def _keep_within_memory(self) -> None:
        columns = tuple(self._numeric.items())
        if sum(column.nbytes for _, column in columns) > self._settings.memory_bytes:
            for _, column in columns:
                column.settle()
        while sum(column.nbytes for _, column in columns) > self._settings.memory_bytes:
            key, largest = max(columns, key=lambda pair: pair[1].nbytes)
            if not largest.coarsen():
                return
            sentence = "given coarser bins: counts by day would take too much memory"
            self._findings.add(1, "column", sentence, repr(key[2:]))

    def finish(self, began: float) -> Profile:
        """The reference of all chunks."""
        self._check_found()
        for name in self._settings.model.features:
            if name not in self._seen:
                self._findings.add(1, "declared feature", "without a value in any row", repr(name))
        numeric = self._numeric | self._outputs.numeric()
        texts = self._texts | self._outputs.texts()
        for numbers in numeric.values():
            numbers.settle()
        for words in texts.values():
            words.settle()
        growing = [key for key, column in numeric.items() if column.grows]
        reference = references.build(
            {day: self._learned(slot, numeric, texts) for day, slot in self._days.numbers()},
            first=self._days.first,
            last=self._days.last,
            declared=self._settings.model.features,
            category_limit=self._settings.limits.categories,
            growing=growing,
        )
        return Profile(
            reference=reference,
            rows=self._rows,
            seconds=perf_counter() - began,
            task=self._outputs.task,
            task_guessed=self._outputs.guessed,
            ranges={key: Range(c.low, c.high) for key, c in numeric.items() if c.values},
            identifiers=tuple(self._identifiers(reference, growing)),
            others=tuple(ColumnValues(n, v.role[2:], len(v.seen), v.more) for n, v in self._values.items()),
            findings=tuple(self._findings.lines()),
        )

    def _check_found(self) -> None:
        for name, flag in self._settings.roles.named():
            if flag in {"--time", "--score", "--prediction"} and name not in self._seen and self._rows:
                raise ProfileError(f"{self._path}: {flag} {name!r}: expected values, got none in any row")
        if not self._rows:
            left_out = "".join(f"; {line}" for line in self._findings.lines())
            raise ProfileError(f"{self._path}: expected at least one record, got none{left_out}")

    def _learned(
        self, slot: int, numeric: Mapping[str, NumericColumn], texts: Mapping[str, TextColumn]
    ) -> LearningRow:
        records = self._days.records[slot]
        return LearningRow(
            records,
            {key: column.tally(slot, records) for key, column in numeric.items()},
            {key: column.tally(slot, records) for key, column in texts.items()},
        )

    def _identifiers(self, reference: Reference, growing: Iterable[str]) -> Iterable[Identifier]:
        grown = set(growing)
        for key in reference.bins.categorical:
            if key in reference.bins.identifiers:
                declared = self._settings.model.features.get(key[2:])
                if declared is not None and declared.kind is FeatureKind.IDENTIFIER:
                    reason = "declared an identifier"
                elif key in grown:
                    reason = "its numbers only grow"
                else:
                    reason = "most of its texts differ"
                yield Identifier(key[2:], reason)


def _kept(chunk: Chunk, known: np.ndarray) -> Chunk:
    rows = np.flatnonzero(known).tolist()
    columns = {name: column.at(known) for name, column in chunk.columns.items()}
    return Chunk(len(rows), columns, lambda row: chunk.where(rows[row]))
