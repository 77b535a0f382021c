"""Append-only logs of equal-sized rows in SQLite blobs: writing, reading, expiring, thinning."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from driftgauge.store.directory import FIRST_BITS, Blob, Directory, as_cells
from driftgauge.store.values import Append, Cells, Held, Mask, Numbers, Thinned

CACHE_BYTES = 4 << 20
SCAN_BLOBS = 128
LOADED = 4096  # blobs read of the directories at once
LOGS = 1 << 15

_INSERT = (
    "INSERT OR REPLACE INTO rows (id, span, itemsize, oldest, newest, positions, data)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_READ = "SELECT positions, data FROM rows WHERE id = ?"
_OFFSET = np.dtype("<u4")

Stored = tuple[NDArray[np.uint32] | None, bytes]


class BlobCache:
    """The blobs last read or written, up to a number of bytes."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[int, Stored] = OrderedDict()
        self._bytes = 0

    def get(self, key: int) -> Stored | None:
        """The blob, now the youngest."""
        stored = self._held.get(key)
        if stored is not None:
            self._held.move_to_end(key)
        return stored

    def put(self, key: int, stored: Stored) -> None:
        """Keep a blob; the eldest make room."""
        self.drop(key)
        self._held[key] = stored
        self._bytes += len(stored[1])
        while self._bytes > self._limit:
            _, (_, data) = self._held.popitem(last=False)
            self._bytes -= len(data)

    def drop(self, key: int) -> None:
        """Forget a blob."""
        stored = self._held.pop(key, None)
        if stored is not None:
            self._bytes -= len(stored[1])


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction does to the logs; taken up after it was committed."""

    appended: tuple[tuple[Directory, tuple[Blob, ...]], ...] = ()
    removed: tuple[tuple[Directory, int, int], ...] = ()  # log, first row of the blob, rows kept

    @property
    def bytes(self) -> int:
        """Bytes that the transaction writes."""
        return sum(len(blob.data) for _, blobs in self.appended for blob in blobs)


class RowLogs:
    """All logs of a store. Writing takes three steps: plan, write, and, once committed, accept."""

    def __init__(self) -> None:
        self._logs: dict[int, Directory] = {}
        self._cache = BlobCache()

    @property
    def kept_bytes(self) -> int:
        """Bytes of the rows of all logs; from any thread."""
        return sum(log.kept_bytes for log in list(self._logs.values()))

    @property
    def kept_rows(self) -> int:
        """Rows of all logs; from any thread."""
        return sum(log.kept for log in list(self._logs.values()))

    def numbers(self) -> tuple[int, ...]:
        """The logs that there are."""
        return tuple(sorted(self._logs))

    def get(self, log: int) -> Directory | None:
        """One log's directory; None while it is empty."""
        return self._logs.get(log)

    def load(self, connection: sqlite3.Connection) -> None:
        """Read all directories; the blobs themselves stay unread."""
        query = (
            "SELECT id >> ?, itemsize, id & ?, span, length(data) / itemsize, oldest, newest"
            " FROM rows ORDER BY id"
        )
        found = connection.execute(query, (FIRST_BITS, (1 << FIRST_BITS) - 1))
        while blobs := found.fetchmany(LOADED):
            for (number, itemsize), of in groupby(blobs, key=itemgetter(0, 1)):
                directory = self._logs.setdefault(number, Directory(number, itemsize))
                directory.restore([blob[2:] for blob in of])

    def plan(self, appends: Sequence[Append], drops: Sequence[tuple[int, int]]) -> Change:
        """What a batch does. Raises ValueError as `Directory.fold`."""
        by_log: dict[int, list[Append]] = {}
        for append in appends:
            by_log.setdefault(append.log, []).append(append)
        appended = []
        for number, several in by_log.items():
            log = self._logs.get(number) or _new_log(number, several[0])
            dropped = {first for dropped_log, first in drops if dropped_log == number}
            appended.append((log, log.fold(several, dropped)))
        removed = [
            (directory, first, 0)
            for number, first in drops
            if (directory := self._logs.get(number)) and directory.find(first) is not None
        ]
        return Change(tuple(appended), tuple(removed))

    def write(self, connection: sqlite3.Connection, change: Change) -> None:
        """The statements of a plan, inside the caller's transaction."""
        if change.removed:
            connection.executemany(
                "DELETE FROM rows WHERE id = ?", [(log.key(first),) for log, first, _ in change.removed]
            )
        for log, blobs in change.appended:
            connection.executemany(
                _INSERT,
                [
                    (log.key(b.first), b.span, log.itemsize, b.oldest, b.newest, b.positions, b.data)
                    for b in blobs
                ],
            )

    def accept(self, change: Change) -> None:
        """Take up a plan that was committed."""
        for log in {log.number: log for log, _, _ in change.removed}.values():
            of_log = [(first, kept) for other, first, kept in change.removed if other is log]
            log.thinned([first for first, _ in of_log], [kept for _, kept in of_log])
            for first, _ in of_log:
                self._cache.drop(log.key(first))
        for log, blobs in change.appended:
            if blobs:
                self._logs[log.number] = log
                log.accept(blobs)
            for blob in blobs:
                self._cache.put(log.key(blob.first), (None, blob.data))

    def forget(self, log: int) -> None:
        """Take an empty log out, so that its number can serve rows of another size."""
        self._logs.pop(log, None)

    def rows(self, connection: sqlite3.Connection, log: int, numbers: Numbers) -> tuple[Cells, Mask]:
        """As `Store.rows`."""
        directory = self._logs.get(log)
        found = np.zeros(len(numbers), np.bool_)
        if directory is None or not len(directory.entries):
            return np.zeros((len(numbers), 0 if directory is None else directory.itemsize), np.uint8), found
        cells = np.zeros((len(numbers), directory.itemsize), np.uint8)
        order = np.argsort(numbers, kind="stable")
        wanted = numbers[order].astype(np.int64)
        place = np.searchsorted(directory.entries["first"], wanted, side="right") - 1
        entries = directory.entries[place]
        offsets = wanted - entries["first"]
        inside = (place >= 0) & (offsets < entries["span"])
        order, place, offsets = order[inside], place[inside], offsets[inside]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        pieces, there = self._gather(connection, directory, place, offsets, starts)
        found[order] = there
        cells[order[there]] = np.frombuffer(b"".join(pieces), np.uint8).reshape(-1, directory.itemsize)
        return cells, found

    def _gather(
        self,
        connection: sqlite3.Connection,
        log: Directory,
        place: NDArray[np.int64],
        offsets: NDArray[np.int64],
        starts: NDArray[np.int64],
    ) -> tuple[list[bytes], Mask]:
        """The wanted rows blob by blob, each blob read once."""
        firsts = log.entries["first"][place[starts]].tolist()
        ends = np.append(starts, len(place))[1:].tolist()
        pieces: list[bytes] = []
        there = np.ones(len(place), np.bool_)
        size = log.itemsize
        bytes_in = (offsets * size).tolist()
        for first, begin, end in zip(firsts, starts.tolist(), ends, strict=True):
            positions, data = self._read(connection, log.key(first), end - begin)
            wanted = bytes_in[begin:end]
            if positions is not None:
                slots, there[begin:end] = _slots(positions, offsets[begin:end])
                wanted = (slots * size).tolist()
            pieces += [data[at : at + size] for at in wanted]
        return pieces, there

    def _read(self, connection: sqlite3.Connection, key: int, wanted: int) -> Stored:
        stored = self._cache.get(key)
        if stored is not None:
            return stored
        row = connection.execute(_READ, (key,)).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"expected blob {key} of the rows, found none")
        stored = (_offsets(row[0]), row[1])
        if wanted > 1:  # single rows come from anywhere; keeping their blobs costs and never pays
            self._cache.put(key, stored)
        return stored

    def held(self, connection: sqlite3.Connection, log: Directory, places: Sequence[int]) -> tuple[Held, ...]:
        """Whole blobs by their place in the directory; not kept in the cache."""
        read = []
        for first, span in log.entries[["first", "span"]][list(places)].tolist():
            positions, data = connection.execute(_READ, (log.key(first),)).fetchone()
            read.append(_held(log.itemsize, [(first, span, positions, data)]))
        return tuple(read)

    def scan(self, connection: sqlite3.Connection, log: int) -> Iterator[Held]:
        """As `Store.scan`."""
        directory = self._logs.get(log)
        if directory is None:
            return
        key, end = directory.key(0), directory.key(0) + (1 << FIRST_BITS)
        query = "SELECT id, span, positions, data FROM rows WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        while found := connection.execute(query, (key, end, SCAN_BLOBS)).fetchall():
            key = found[-1][0] + 1
            base = directory.key(0)
            yield _held(directory.itemsize, [(row[0] - base, *row[1:]) for row in found])

    def thin(
        self,
        connection: sqlite3.Connection,
        log: int,
        keep: Callable[[Cells], Mask],
        budget: int,
        start: int,
    ) -> tuple[Change, Thinned]:
        """Write the thinned blobs inside the caller's transaction; as `Store.thin`."""
        directory = self._logs[log]
        begin = int(np.searchsorted(directory.entries["first"], start))
        places = range(begin, min(begin + budget, len(directory.entries)))
        after = places.stop < len(directory.entries)
        next_row = int(directory.entries["first"][places.stop]) if after else None
        removed, numbers, rows = [], [], []
        for place, held in zip(places, self.held(connection, directory, places), strict=True):
            mask = np.asarray(keep(held.rows), np.bool_)
            if mask.all():
                continue
            entry = directory.entries[place]
            self._rewrite(connection, directory, held, mask, (float(entry["oldest"]), float(entry["newest"])))
            removed.append((directory, held.first, int(mask.sum())))
            numbers.append(held.numbers[~mask])
            rows.append(held.rows[~mask])
        none = (np.zeros(0, np.uint64), np.zeros((0, directory.itemsize), np.uint8))
        gone = (np.concatenate((none[0], *numbers)), np.concatenate((none[1], *rows)))
        return Change(removed=tuple(removed)), Thinned(*gone, next_row)

    def _rewrite(
        self,
        connection: sqlite3.Connection,
        log: Directory,
        held: Held,
        mask: Mask,
        times: tuple[float, float],
    ) -> None:
        key = log.key(held.first)
        if not mask.any():
            connection.execute("DELETE FROM rows WHERE id = ?", (key,))
            return
        positions = (held.numbers[mask] - np.uint64(held.first)).astype(_OFFSET).tobytes()
        data = held.rows[mask].tobytes()
        connection.execute(_INSERT, (key, held.span, log.itemsize, *times, positions, data))


def _new_log(number: int, append: Append) -> Directory:
    if not 0 <= number < LOGS:
        raise ValueError(f"log: expected a number from 0 to {LOGS - 1}, got {number}")
    return Directory(number, as_cells(append.rows).shape[1])


def _offsets(positions: bytes | None) -> NDArray[np.uint32] | None:
    return None if positions is None else np.frombuffer(positions, _OFFSET)


def _slots(positions: NDArray[np.uint32], offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], Mask]:
    """Where the rows at *offsets* of the span stand among those kept; only those that were kept."""
    slots = np.searchsorted(positions, offsets)
    there: Mask = positions[np.minimum(slots, len(positions) - 1)] == offsets
    return slots[there], there


def _held(itemsize: int, blobs: Sequence[tuple[int, int, bytes | None, bytes]]) -> Held:
    numbers = []
    for first, span, stored, _ in blobs:
        positions = _offsets(stored)
        numbers.append(
            np.arange(first, first + span) if positions is None else positions.astype(np.int64) + first
        )
    first, (last, span) = blobs[0][0], blobs[-1][:2]
    rows = np.frombuffer(b"".join([data for *_, data in blobs]), np.uint8).reshape(-1, itemsize)
    return Held(first, last + span - first, np.concatenate(numbers).astype(np.uint64), rows)
