"""Append-only logs of predictions and outcomes, found by the hash of their id.

The join is symmetric: both halves stay for the horizon, and whichever comes second finds the first.
So an outcome may come before its prediction, and a record sent again is found wherever it came from.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.joins import JoinIndex
from driftgauge.monitor.ports import Shelf
from driftgauge.records import Floats, Ints

Hashes = NDArray[np.uint64]
Rows = NDArray[np.void]

ANY_VERSION: Final = -1


class Met(IntEnum):
    """What a kept outcome had met when it came."""

    NOT = 0
    JOINED = 1
    COMPLETE = 2
    """It carried its own score or prediction, is counted, and joins none."""
    REVISED = 3
    """It is a later word on an outcome that is kept before it, and has that one's time."""


def prediction_dtype(
    segment_columns: int, classes: int, bin_bytes: int, *, weighted: bool = False
) -> np.dtype[np.void]:
    """A kept prediction: 44 bytes with three segment columns; *classes* probabilities beside, the
    coarse bins of its features with the tag of what binned them, and the weight of its value where one
    is configured.
    """
    fields: list[tuple[str, str] | tuple[str, str, tuple[int, ...]]] = [
        ("low", "<u8"),
        ("high", "<u8"),
        ("time", "<f8"),
        ("score", "<f8"),
        ("prediction", "<f8"),
        ("segments", "u1", (segment_columns,)),
        ("joined", "u1"),
    ]
    if bin_bytes:
        fields += [("binned_by", "<u4"), ("bins", "u1", (bin_bytes,))]
    if classes:
        fields.append(("scores", "<f8", (classes,)))
    if weighted:
        fields.append(("weight", "<f8"))
    return np.dtype(fields)


def prediction_logs(owner: int) -> tuple[int, int]:
    """Numbers of a version's logs of kept predictions: without and with probabilities by class."""
    return 2 * owner, 2 * owner + 1


OUTCOME: Final = np.dtype(
    [
        ("low", "<u8"),
        ("high", "<u8"),
        ("time", "<f8"),
        ("outcome", "<f8"),
        ("value", "<f8"),
        ("version", "<i8"),
        ("met", "u1"),
    ]
)


def outcome_rows(
    hashes: Hashes,
    times: Floats,
    outcomes: Floats,
    version: int,
    met: Ints,
) -> Rows:
    """Rows of the outcomes' log, for one version or `ANY_VERSION`; *met* of shape (n,), see `Met`."""
    rows = np.zeros(len(hashes), OUTCOME)
    rows["low"], rows["high"] = hashes[:, 0], hashes[:, 1]
    rows["time"], rows["outcome"], rows["value"] = times, outcomes, np.nan
    rows["version"], rows["met"] = version, met
    return rows


def first_and_last(positions: Ints, rows: Rows) -> tuple[Ints, Rows, Rows]:
    """Distinct *positions*, as `RecordLog.find` gives them, and the first and the last row of each."""
    distinct, begin = np.unique(positions, return_index=True)
    end = np.append(begin[1:], positions.size) - 1 if positions.size else begin
    return distinct, rows[begin], rows[end]


def weights(rows: Rows) -> Floats | None:
    """The weights that kept predictions carry; None where none is configured."""
    return rows["weight"].copy() if "weight" in (rows.dtype.names or ()) else None


class RecordLog:
    """One log and its index. Owned by the writer; the index is made anew from the rows at start."""

    def __init__(self, log: int, dtype: np.dtype[np.void], shelf: Shelf) -> None:
        self.log = log
        self.dtype = dtype
        self.shelf = shelf
        self.index = JoinIndex()
        self.first_row = 0
        self.next_row = 0
        self.reserved = 0

    def restore(self) -> None:
        """Index every row on the shelf. About 0.3 s a million."""
        self.index.expect(self.shelf.count(self.log))
        for number, piece in enumerate(self.shelf.scan(self.log)):
            if not number:
                self.first_row = int(piece.numbers[0])
            kept = piece.rows.view(self.dtype).reshape(-1)
            self.index.add(np.ascontiguousarray(kept["low"]), piece.numbers)
        self.index.expect(0)
        self.next_row = self.reserved = max(self.next_row, self.shelf.end(self.log))

    def find(self, hashes: Hashes) -> tuple[Ints, Rows]:
        """Every kept row whose whole id hash is asked for.

        Returns:
            positions in *hashes* and the rows, parallel; several of one position where an id has
            several rows, in the order in which they came.
        """
        if not len(self.index) or not len(hashes):
            return np.zeros(0, np.int64), np.zeros(0, self.dtype)
        positions, numbers = self.index.candidates(np.ascontiguousarray(hashes[:, 0]))
        if not positions.size:
            return positions, np.zeros(0, self.dtype)
        found, there = self.shelf.rows(self.log, numbers)
        rows = np.ascontiguousarray(found[there]).view(self.dtype).reshape(-1)
        positions, numbers = positions[there], numbers[there]
        same = (rows["low"] == hashes[positions, 0]) & (rows["high"] == hashes[positions, 1])
        order = np.lexsort((numbers[same], positions[same]))
        return positions[same][order], rows[same][order]

    def at(self, first: int, end: int) -> Rows:
        """Those of the rows numbered *first* to before *end* that are still kept."""
        found, there = self.shelf.rows(self.log, np.arange(first, end, dtype=np.uint64))
        if not there.any():
            return np.zeros(0, self.dtype)
        return np.ascontiguousarray(found[there]).view(self.dtype).reshape(-1)

    def reserve(self, count: int) -> int:
        """The number of the first of *count* rows about to be committed."""
        first, self.reserved = self.reserved, self.reserved + count
        return first

    def release(self) -> None:
        """Give back numbers that were reserved for rows that were not committed."""
        self.reserved = self.next_row

    def added(self, rows: Rows) -> None:
        """Index rows that were committed, in the order in which they were reserved."""
        numbers = np.arange(self.next_row, self.next_row + rows.size, dtype=np.uint64)
        self.index.add(np.ascontiguousarray(rows["low"]), numbers)
        self.next_row += rows.size

    def forget(self, before: int) -> None:
        """Rows below *before* are gone from the shelf."""
        self.first_row = max(self.first_row, before)
        self.index.forget(before)

    def discard(self, cells: NDArray[np.uint8], numbers: NDArray[np.uint64]) -> None:
        """Rows *cells* with these numbers were taken off the shelf."""
        rows = np.ascontiguousarray(cells).view(self.dtype).reshape(-1)
        self.index.discard(np.ascontiguousarray(rows["low"]), numbers)

    def fits(self) -> bool:
        """Whether the shelf's rows have this log's form; a changed limit changes it."""
        cells, _ = self.shelf.rows(self.log, np.zeros(0, np.uint64))
        return cells.shape[1] in (0, self.dtype.itemsize)

    def __len__(self) -> int:
        return len(self.index)
