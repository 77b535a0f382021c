"""What goes into the store and what comes out of it: keys, numbers and blobs, no model's meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.uint64]
Cells: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]


class Phase(StrEnum):
    """What the writer is doing; told before it begins, and `IDLE` after it ended or failed."""

    COMMIT = "commit"
    CHECKPOINT = "checkpoint"
    EXPIRE = "expire"
    MIGRATE = "migrate"
    IDLE = "idle"


class Outcome(StrEnum):
    """What opening found."""

    RESTORED = "restored"
    EMPTY = "empty"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found when the store was opened.

    Attributes:
        outcome: restored; empty (nothing was there); damaged (it was moved aside, now empty).
        moved_to: where the damaged file lies, its -wal and -shm beside it; None otherwise.
        damage: what was wrong with it, one line; "" otherwise.
        sqlite_version: of the library, as ``3.40.1``.
        schema_version: steps applied.
        sequence: that of the newest batch in the file, 0 when there never was one.
        position: that of the newest batch that the panes and states contain.
    """

    outcome: Outcome
    sqlite_version: str
    schema_version: int
    sequence: int
    position: int
    moved_to: Path | None = None
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Append:
    """Rows for the end of a log.

    Attributes:
        log: 0 to 32767.
        first_row: number of the first row; at or above the log's end, below 2**48.
        rows: shape (n,) structured or (n, itemsize) uint8; the itemsize is the log's, for good.
        times: shape (n,), the epoch seconds by which each row expires.
    """

    log: int
    first_row: int
    rows: NDArray[Any]
    times: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for people to read."""

    time: float
    model: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one transaction keeps.

    Attributes:
        payload: the replayable update; `Store.batches_since` gives it back.
        appends: rows for logs.
        drops: (log, first row) of expired blobs, as `Store.oldest` told them; unknown ones are
            passed over, so a repeated drop is harmless.
        keys: (Idempotency-Key, answer, epoch seconds).
        exports: (epoch seconds, JSON) of joined records that are kept for retraining.
        events: what happened.
    """

    payload: bytes
    appends: tuple[Append, ...] = ()
    drops: tuple[tuple[int, int], ...] = ()
    keys: tuple[tuple[bytes, bytes, float], ...] = ()
    exports: tuple[tuple[float, bytes], ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class PaneWrite:
    """One part of a pane: written, or deleted when *row* is None.

    *owner* is the number of what the pane belongs to (a model version), *resolution* its length by
    name (minute, hour, day), *start* its epoch second, *part* what of it this is.
    """

    owner: int
    resolution: str
    start: int
    part: str
    row: bytes | None


@dataclass(frozen=True, slots=True)
class Pane:
    """One stored part of a pane; as `PaneWrite`."""

    resolution: str
    start: int
    part: str
    row: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of a log as they lie in the store.

    Attributes:
        first, span: the row numbers covered, whether their rows are still there or thinned out.
        numbers: shape (n,), of the rows that are there, rising.
        rows: shape (n, itemsize).
    """

    first: int
    span: int
    numbers: Numbers
    rows: Cells


@dataclass(frozen=True, slots=True)
class Thinned:
    """What a step of thinning took away, and from where the next one goes on (None: all seen)."""

    numbers: Numbers
    rows: Cells
    next_row: int | None


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """Sizes and costs, for the gauges.

    Attributes:
        database_bytes, wal_bytes: the two files.
        free_bytes: pages inside the database that wait for reuse.
        limit_bytes: what database and WAL may take together; None without a limit.
        volume_free_bytes: left on the volume; None in memory.
        pending_bytes, pending_rows: rows of all logs.
        batch_bytes, batches: payloads that no checkpoint contains yet.
        export_bytes: kept records.
        answers: kept answers.
        commits: transactions since the process began; failures: those that were rolled back.
        last_commit_seconds: how long the newest one took.
    """

    database_bytes: int
    wal_bytes: int
    free_bytes: int
    limit_bytes: int | None
    volume_free_bytes: int | None
    pending_bytes: int
    pending_rows: int
    batch_bytes: int
    batches: int
    export_bytes: int
    answers: int
    commits: int
    failures: int
    last_commit_seconds: float


@dataclass(frozen=True, slots=True)
class Keep:
    """How long and how much of the side tables is kept."""

    answers: int = 100_000
    answers_seconds: float = 86_400.0
    events: int = 10_000


States: TypeAlias = Mapping[str, bytes | None]
