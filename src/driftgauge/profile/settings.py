"""What a profile is made with: which columns play which part, and the bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from driftgauge.config import Limits, Model
from driftgauge.errors import DriftgaugeError

CHUNK_ROWS = 10_000
# A cell in memory takes 60 bytes: of wide files fewer rows are read at once.
CHUNK_CELLS = 500_000
_LEAST_ROWS = 100
MEMORY_BYTES = 256 << 20


class ProfileError(DriftgaugeError):
    """A file that can't be profiled; says which file, where in it, what was expected and found."""


class Format(StrEnum):
    """The form of the file."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns that are no features; every other named column is one.

    Attributes:
        outcome: read to guess the task as `serve` does, summarised, and counted by the features' bins in
            a second pass: the reference of the relation and of quality.
        segments: summarised only, unless the model declares a feature of that name; the
            model's own segments are counted among them.
    """

    time: str | None = None
    score: str | None = None
    prediction: str | None = None
    outcome: str | None = None
    segments: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def named(self) -> Iterator[tuple[str, str]]:
        """Each column that was named, with the flag that named it."""
        for flag in ("time", "score", "prediction", "outcome"):
            name: str | None = getattr(self, flag)
            if name is not None:
                yield name, f"--{flag}"
        for flag, names in (("segment", self.segments), ("id", self.ids), ("ignore", self.ignored)):
            yield from ((name, f"--{flag}") for name in names)

    def by_name(self) -> Mapping[str, str]:
        """The flag by column.

        Raises:
            ProfileError: a column was given two parts.
        """
        found: dict[str, str] = {}
        for name, flag in self.named():
            if found.setdefault(name, flag) != flag:
                raise ProfileError(f"{flag}: expected a column that is not {found[name]} too, got {name!r}")
        return found


@dataclass(frozen=True, slots=True)
class Settings:
    """How a file is read and what its reference is bounded by.

    Attributes:
        model: declared features, task, positive class and threshold, as `serve` has them.
        missing: cells that mean a missing value, beside the empty one.
        format: guessed from the file's name when None.
        chunk_rows: rows in memory at once, of files of up to 50 columns; fewer of wider ones.
        memory_bytes: what counts by day may take; beyond it their bins get coarser.
    """

    roles: Roles = field(default_factory=Roles)
    model: Model = field(default_factory=Model)
    limits: Limits = field(default_factory=Limits)
    missing: frozenset[str] = frozenset()
    delimiter: str = ","
    format: Format | None = None
    chunk_rows: int = CHUNK_ROWS
    memory_bytes: int = MEMORY_BYTES

    def rows_at_once(self, columns: int) -> int:
        """Rows of a chunk of a file of so many columns."""
        return min(self.chunk_rows, max(_LEAST_ROWS, CHUNK_CELLS // max(1, columns)))
