"""One log's directory: which row numbers lie in which blob of the file, and which blobs to write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.store.values import Append, Cells

BLOB_BYTES = 8_000  # two pages: a row is read with its blob, so larger costs more a look-up
MERGE_SECONDS = 60.0  # appends within a minute share a blob, which expires as a whole
FIRST_BITS = 48

_ENTRY = np.dtype([("first", "i8"), ("span", "i8"), ("kept", "i8"), ("oldest", "f8"), ("newest", "f8")])

Entries = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Blob:
    """Rows that share a blob; *data* holds those at *positions* of the span, or all."""

    first: int
    span: int
    oldest: float
    newest: float
    data: bytes
    positions: bytes | None = None


class Directory:
    """One log's directory in memory: an entry a blob, in the order of row numbers.

    Memory: 40 bytes a blob of up to 8 kB. Changes only by what was committed.
    """

    def __init__(self, number: int, itemsize: int) -> None:
        self.number = number
        self.itemsize = itemsize
        self.kept = 0
        self.end = 0
        self._entries = np.zeros(8, _ENTRY)
        self._begin = self._end = 0
        self._tail: Blob | None = None

    @property
    def entries(self) -> Entries:
        """A view; the first is the eldest row number."""
        return self._entries[self._begin : self._end]

    @property
    def kept_bytes(self) -> int:
        """Bytes of the rows that are there."""
        return self.kept * self.itemsize

    def key(self, first: int) -> int:
        """The rowid of the blob that begins with row *first*."""
        return self.number << FIRST_BITS | first

    def fold(self, appends: Iterable[Append], dropped: set[int]) -> tuple[Blob, ...]:
        """The blobs to write for *appends*; the first may replace the log's newest blob.

        Raises:
            ValueError: rows of another size, below the log's end, or without a finite time.
        """
        tail, end = self._tail, self.end
        if tail is not None and tail.first in dropped:
            tail = None
        blobs: list[Blob] = []
        for append in appends:
            cells = self._checked(append, end)
            if len(cells):
                blobs += self._cut(tail, append, cells)
                tail, end = blobs[-1], append.first_row + len(cells)
        return tuple(blobs)

    def _checked(self, append: Append, end: int) -> Cells:
        cells = as_cells(append.rows)
        if cells.shape[1] != self.itemsize:
            raise ValueError(
                f"log {self.number}: expected rows of {self.itemsize} bytes, got {cells.shape[1]}"
            )
        if len(append.times) != len(cells) or not np.isfinite(append.times).all():
            raise ValueError(f"log {self.number}: expected {len(cells)} finite times")
        if not end <= append.first_row < 1 << FIRST_BITS:
            raise ValueError(f"log {self.number}: expected a first row from {end}, got {append.first_row}")
        return cells

    def _cut(self, tail: Blob | None, append: Append, cells: Cells) -> list[Blob]:
        if tail is not None and (joined := self._join(tail, append, cells)) is not None:
            return [joined]
        parts = -(-len(cells) // max(1, BLOB_BYTES // self.itemsize))
        edges = [part * len(cells) // parts for part in range(parts + 1)]
        return [
            Blob(
                append.first_row + begin,
                end - begin,
                float(append.times[begin:end].min()),
                float(append.times[begin:end].max()),
                cells[begin:end].tobytes(),
            )
            for begin, end in pairwise(edges)
        ]

    def _join(self, tail: Blob, append: Append, cells: Cells) -> Blob | None:
        oldest = min(tail.oldest, float(append.times.min()))
        newest = max(tail.newest, float(append.times.max()))
        fits = len(tail.data) + cells.nbytes <= BLOB_BYTES and newest - oldest <= MERGE_SECONDS
        if not fits or tail.first + tail.span != append.first_row:
            return None
        return Blob(tail.first, tail.span + len(cells), oldest, newest, tail.data + cells.tobytes())

    def accept(self, blobs: Iterable[Blob]) -> None:
        """Take up what was committed."""
        for blob in blobs:
            if self._tail is not None and self._tail.first == blob.first:
                self.kept -= int(self.entries["kept"][-1])
                self._end -= 1
            kept = len(blob.data) // self.itemsize
            self.restore([(blob.first, blob.span, kept, blob.oldest, blob.newest)])
            self._tail = blob

    def restore(self, blobs: Sequence[tuple[int, int, int, float, float]]) -> None:
        """Take up blobs that lie in the file, as (first, span, kept, oldest, newest), in their order."""
        end = self._end + len(blobs)
        if end > len(self._entries):
            held = self.entries
            self._entries = np.concatenate((held, np.zeros(max(len(held), len(blobs)) + 8, _ENTRY)))
            self._begin, self._end, end = 0, len(held), len(held) + len(blobs)
        self._entries[self._end : end] = blobs
        self._end = end
        self.kept += sum(kept for _, _, kept, _, _ in blobs)
        self.end = blobs[-1][0] + blobs[-1][1]

    def find(self, first: int) -> int | None:
        """Place of the blob that begins with row *first*."""
        place = int(np.searchsorted(self.entries["first"], first))
        there = place < len(self.entries) and self.entries["first"][place] == first
        return place if there else None

    def thinned(self, firsts: Sequence[int], kept: Sequence[int]) -> None:
        """These blobs now hold so many rows; those with none are gone. 5 us a 1000 blobs of the log."""
        places = np.searchsorted(self.entries["first"], firsts)
        self.entries["kept"][places] = kept
        gone = np.flatnonzero(self.entries["kept"] == 0)
        if len(gone) and gone[-1] == len(gone) - 1:
            self._begin += len(gone)
        elif len(gone):
            left = np.delete(self.entries, gone)
            self._end = self._begin + len(left)
            self.entries[:] = left
        self.kept = int(self.entries["kept"].sum())
        if self._tail is not None and self._tail.first in firsts:
            self._tail = None


def as_cells(rows: NDArray[Any]) -> Cells:
    """Structured rows as bytes, shape (n, itemsize); uint8 of two dimensions as it is."""
    if rows.dtype == np.uint8 and rows.ndim == 2:
        return np.ascontiguousarray(rows)
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
