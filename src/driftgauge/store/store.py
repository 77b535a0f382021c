"""The store: one writer, one transaction a batch, checkpoints, and all that a restart needs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from driftgauge.config import Durability
from driftgauge.errors import StoreError
from driftgauge.store import panes as stored_panes
from driftgauge.store import schema
from driftgauge.store.connection import PAGE_BYTES
from driftgauge.store.database import Database
from driftgauge.store.retention import Retention
from driftgauge.store.rows import Change, RowLogs
from driftgauge.store.values import (
    Batch,
    Cells,
    Event,
    Held,
    Keep,
    Mask,
    Numbers,
    Opened,
    Outcome,
    Pane,
    PaneWrite,
    Phase,
    States,
    StoreStatistics,
    Thinned,
)

WAL_AFTER_CHECKPOINT = 8 << 20  # above it a checkpoint ends by cutting the WAL
WAL_AFTER_COMMIT = 32 << 20  # above it a commit does
REPLAYED = 64  # batches read at once


class Store:
    """SQLite in WAL. All methods but `statistics` belong to one thread at a time, the writer's.

    After an error: the transaction is undone, on disk and in memory, and the store can be used
    again; where the connection itself may be damaged, the next call opens it anew first. Compare
    `sequence` with your own after a `StoreError`: a batch that was refused because the disk failed
    *while* it was committed can turn out to be in the file; `batches_since` then gives it.

    Raises, from every method that reads or writes:
        StoreFullError: the byte limit or the volume is full; nothing was kept.
        StoreError: the file can't be read or written now.
    """

    def __init__(
        self,
        directory: Path,
        durability: Durability,
        *,
        max_bytes: int | None = None,
        keep: Keep | None = None,
        on_phase: Callable[[Phase], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(directory, durability, max_bytes, on_phase, clock)
        self._clock = clock
        self._keep = keep or Keep()
        self._logs = RowLogs()
        self._side = Retention(self._keep)
        self._sequence = self._position = 0
        self._batches = self._batch_bytes = 0

    # -- opening and closing

    @property
    def sequence(self) -> int:
        """Of the newest batch that the file holds."""
        return self._sequence

    @property
    def position(self) -> int:
        """Of the newest batch that the panes and states contain."""
        return self._position

    def open(self) -> Opened:
        """Take the directory, check the file, migrate it, read the directories of the logs.

        A damaged file is moved aside with its -wal and -shm, and a fresh one begun.

        Raises:
            StoreError: another process has the directory; a newer program wrote the file (it is
                left as it is); it can't be made or read. `open` may be called again.

        Cost: quick_check, about 1 ms a MiB of file.
        """
        examined = self._database.open()
        self._database.suspect = True  # until all is read
        with self._database.reading("open") as connection:
            self._load(connection)
            version = schema.version(connection)
        self._database.suspect = False
        outcome = Outcome.RESTORED if examined.found else Outcome.EMPTY
        return Opened(
            outcome if examined.damage is None else Outcome.DAMAGED,
            sqlite3.sqlite_version,
            version,
            self._sequence,
            self._position,
            examined.moved_to,
            examined.damage or "",
        )

    def _load(self, connection: sqlite3.Connection) -> None:
        """Take up what the file holds; what was known stays while that fails."""
        logs, side = RowLogs(), Retention(self._keep)
        logs.load(connection)
        side.load(connection)
        row = connection.execute("SELECT value FROM meta WHERE name = 'position'").fetchone()
        position = 0 if row is None else int(row[0])
        newest = connection.execute("SELECT max(sequence) FROM batches").fetchone()[0]
        self._count_batches(connection)
        self._logs, self._side = logs, side
        self._sequence, self._position = max(position, newest or 0), position

    def reopen(self) -> Opened:
        """Give up the connection and read the file afresh; `open` after a failure.

        What it tells may differ from what the caller knows: see the class.
        """
        return self.open()

    def close(self) -> None:
        """Bring the WAL into the database and let the directory go; never raises for SQLite."""
        self._database.close()

    # -- writing

    def commit(self, batch: Batch) -> int:
        """Keep a batch in one transaction; its sequence number, one above the one before.

        Durable on return: `full` against power loss, `normal` against any death of the process.

        Raises:
            ValueError: rows that don't fit their log; nothing was kept.

        Cost: 0.1 ms, and 0.4 us a row of 64 bytes; `full` adds one fsync.
        """
        self._ready()
        change = self._logs.plan(batch.appends, batch.drops)
        self._database.require_room(_weight(batch, change), reserve=True)
        sequence = self._sequence + 1
        with self._transaction(Phase.EXPIRE if batch.drops else Phase.COMMIT, "commit") as connection:
            connection.execute("INSERT INTO batches VALUES (?, ?)", (sequence, batch.payload))
            self._logs.write(connection, change)
            self._side.keep_answers(connection, batch.keys)
            self._side.keep_exports(connection, batch.exports)
            self._side.keep_events(connection, batch.events)
        self._sequence = sequence
        self._batches += 1
        self._batch_bytes += len(batch.payload)
        self._logs.accept(change)
        self._database.bound_wal(WAL_AFTER_COMMIT)
        return sequence

    def checkpoint(self, position: int, panes: Iterable[PaneWrite], states: States) -> None:
        """Save what the batches up to *position* add up to, and let those go, in one transaction.

        Args:
            position: at most `sequence`, not below the one before.
            panes: written or deleted, in order; may be a generator.
            states: by name; None deletes, names not given stay.
        """
        if not self._position <= position <= self._sequence:
            raise ValueError(f"checkpoint: expected {self._position} to {self._sequence}, got {position}")
        self._ready()
        self._database.require_room(0)
        with self._transaction(Phase.CHECKPOINT, "checkpoint") as connection:
            stored_panes.write_panes(connection, panes)
            stored_panes.write_states(connection, states)
            connection.execute("DELETE FROM batches WHERE sequence <= ?", (position,))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('position', ?)", (position,))
        self._position = position
        with self._reading("count batches") as connection:
            self._count_batches(connection)
        self._database.bound_wal(WAL_AFTER_CHECKPOINT)

    def note(self, events: Iterable[Event]) -> None:
        """Keep what happened, outside of a batch."""
        with self._transaction(Phase.COMMIT, "note events") as connection:
            self._side.keep_events(connection, events)

    # -- reading what a restart needs

    def states(self) -> dict[str, bytes]:
        """All states by name."""
        with self._reading("read states") as connection:
            return stored_panes.read_states(connection)

    def panes(self, owner: int) -> Iterator[Pane]:
        """All panes of an owner, by resolution, start and part."""
        with self._reading("read panes") as connection:
            for resolution in stored_panes.resolutions(connection, owner):
                yield from stored_panes.read_panes(connection, owner, resolution)

    def pane(self, owner: int, resolution: str, start: int, part: str) -> bytes | None:
        """One part of one pane; None where there is none."""
        with self._reading("read a pane") as connection:
            return stored_panes.read_pane(connection, owner, resolution, start, part)

    def batches_since(self, position: int) -> Iterator[tuple[int, bytes]]:
        """Batches above *position* as (sequence, payload), in order."""
        query = "SELECT sequence, payload FROM batches WHERE sequence > ? ORDER BY sequence LIMIT ?"
        with self._reading("read batches") as connection:
            while found := connection.execute(query, (position, REPLAYED)).fetchall():
                yield from found
                position = found[-1][0]

    def answer(self, key: bytes) -> bytes | None:
        """The answer kept for an Idempotency-Key; None when there is none or it is too old."""
        with self._reading("read an answer") as connection:
            return self._side.answer(connection, key, self._clock())

    # -- logs of rows

    def logs(self) -> tuple[int, ...]:
        """The numbers of all logs."""
        return self._logs.numbers()

    def end(self, log: int) -> int:
        """The number after the log's last row; 0 where nothing is left of it."""
        directory = self._logs.get(log)
        return 0 if directory is None else directory.end

    def first(self, log: int) -> int:
        """The number of the log's eldest row; its end where nothing is left of it."""
        directory = self._logs.get(log)
        if directory is None or not len(directory.entries):
            return self.end(log)
        return int(directory.entries[0]["first"])

    def count(self, log: int) -> int:
        """How many rows a log has; O(1)."""
        directory = self._logs.get(log)
        return 0 if directory is None else directory.kept

    def row_bytes(self, log: int) -> int:
        """Bytes of a log's rows; O(1)."""
        directory = self._logs.get(log)
        return 0 if directory is None else directory.kept_bytes

    def rows(self, log: int, numbers: Numbers) -> tuple[Cells, Mask]:
        """Rows by number, in any order, repeats allowed.

        Returns:
            cells of shape (n, itemsize), zeros where not found (itemsize 0 for an unknown log), and
            which were found: rows dropped, thinned out or never written were not.

        Cost: one read of up to 8 kB a blob that isn't among the 4 MiB last used, 8 us; else 1 us a row.
        """
        with self._reading("read rows", snapshot=True) as connection:
            return self._logs.rows(connection, log, numbers)

    def scan(self, log: int) -> Iterator[Held]:
        """All rows of a log in order, about a MiB at a time; 0.1 s a million rows of 64 bytes."""
        with self._reading("scan rows") as connection:
            yield from self._logs.scan(connection, log)

    def expired(self, log: int, before: float) -> tuple[tuple[int, int], ...]:
        """(first row, span) of the blobs whose newest time is below *before*; reads no file."""
        directory = self._logs.get(log)
        if directory is None:
            return ()
        entries = directory.entries
        first_and_span = entries[entries["newest"] < before][["first", "span"]].tolist()
        return tuple((first, span) for first, span in first_and_span)

    def oldest(self, log: int, before: float, limit: int) -> tuple[Held, ...]:
        """The rows of the first *limit* expired blobs, to act on before a batch drops them."""
        directory = self._logs.get(log)
        if directory is None:
            return ()
        places = (directory.entries["newest"] < before).nonzero()[0][:limit]
        with self._reading("read expired rows", snapshot=True) as connection:
            return self._logs.held(connection, directory, places.tolist())

    def thin(self, log: int, keep: Callable[[Cells], Mask], budget_blobs: int, start: int = 0) -> Thinned:
        """Take out the rows that *keep* refuses, in at most *budget_blobs* blobs from row *start*.

        Those kept keep their numbers. Doing it again changes nothing when *keep* decides by the
        row alone, so a death between two steps needs no repair.

        Args:
            keep: (n, itemsize) cells to n booleans.
        """
        self._ready()
        if self._logs.get(log) is None:
            raise ValueError(f"thin: expected one of the logs {self.logs()}, got {log}")
        self._database.require_room(0)
        with self._transaction(Phase.EXPIRE, "thin rows") as connection:
            change, thinned = self._logs.thin(connection, log, keep, budget_blobs, start)
        self._logs.accept(change)
        self._database.bound_wal(WAL_AFTER_COMMIT)
        return thinned

    # -- making room

    def drop_log(self, log: int, limit: int = 256) -> int:
        """Delete up to *limit* blobs of a log that nobody needs; how many, 0 once it is gone."""
        directory = self._logs.get(log)
        if directory is None:
            return 0
        firsts = directory.entries["first"][:limit].tolist()
        change = Change(removed=tuple((directory, first, 0) for first in firsts))
        with self._transaction(Phase.EXPIRE, "drop rows") as connection:
            self._logs.write(connection, change)
        self._logs.accept(change)
        if not len(directory.entries):
            self._logs.forget(log)
        self._database.bound_wal(WAL_AFTER_COMMIT)
        return len(firsts)

    def forget_owner(self, owner: int, limit: int = 256) -> int:
        """Delete up to *limit* panes of an owner; how many, 0 once all are gone."""
        cut = "DELETE FROM panes WHERE rowid IN (SELECT rowid FROM panes WHERE owner = ? LIMIT ?)"
        with self._transaction(Phase.EXPIRE, "drop panes") as connection:
            deleted = connection.execute(cut, (owner, limit)).rowcount
        self._database.bound_wal(WAL_AFTER_COMMIT)
        return deleted

    def trim_exports(self, before: float, max_bytes: int) -> int:
        """Delete kept records that are too old or too many, at most 1000; how many."""
        with self._transaction(Phase.EXPIRE, "trim exports") as connection:
            return self._side.trim_exports(connection, before, max_bytes)

    def statistics(self) -> StoreStatistics:
        """Sizes and costs; from any thread, without touching the connection."""
        database = self._database
        return StoreStatistics(
            database_bytes=database.pages * PAGE_BYTES,
            wal_bytes=database.wal_bytes(),
            free_bytes=database.free_pages * PAGE_BYTES,
            limit_bytes=database.limit,
            volume_free_bytes=database.volume_free(),
            pending_bytes=self._logs.kept_bytes,
            pending_rows=self._logs.kept_rows,
            batch_bytes=self._batch_bytes,
            batches=self._batches,
            export_bytes=self._side.export_bytes,
            answers=self._side.answers,
            commits=database.commits,
            failures=database.failures,
            last_commit_seconds=database.last_commit_seconds,
        )

    # -- transactions

    def _ready(self) -> Database:
        """The database, opened anew where its connection was suspect."""
        if self._database.suspect:
            known = self._sequence
            found = self.reopen().sequence
            if found != known:
                raise StoreError(f"{self._database.path}: reopen: expected batch {known} last, got {found}")
        return self._database

    @contextmanager
    def _reading(self, doing: str, *, snapshot: bool = False) -> Iterator[sqlite3.Connection]:
        with self._ready().reading(doing, snapshot=snapshot) as connection:
            yield connection

    @contextmanager
    def _transaction(self, phase: Phase, doing: str) -> Iterator[sqlite3.Connection]:
        counts = self._side.answers, self._side.export_bytes
        try:
            with self._ready().transaction(phase, doing) as connection:
                yield connection
        except BaseException:
            self._side.answers, self._side.export_bytes = counts
            raise

    def _count_batches(self, connection: sqlite3.Connection) -> None:
        query = "SELECT count(*), coalesce(sum(length(payload)), 0) FROM batches"
        self._batches, self._batch_bytes = map(int, connection.execute(query).fetchone())


def _weight(batch: Batch, change: Change) -> int:
    """Bytes that a batch adds."""
    answers = sum(len(key) + len(answer) for key, answer, _ in batch.keys)
    exports = sum(len(payload) for _, payload in batch.exports)
    return len(batch.payload) + change.bytes + answers + exports
