"""The day of each record, and which records have none."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from driftgauge.ingest.timestamps import epoch_seconds
from driftgauge.profile.cells import Column, Numbers
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.findings import Findings
from driftgauge.profile.settings import ProfileError
from driftgauge.records import Floats, Ints
from driftgauge.reference import DAY_SECONDS

MOST_DAYS = 4_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EXPECTED = "RFC 3339 text, a date, or epoch seconds"


class Days:
    """Numbers the days (UTC) of the file in order of appearance; one nameless day without a column.

    Attributes:
        first, last: epoch seconds of the first and last record; NaN without times.
        records: records of each numbered day.
    """

    def __init__(self, column: str | None, findings: Findings) -> None:
        self.column = column
        self.first, self.last = math.nan, math.nan
        self.records: list[int] = [] if column is not None else [0]
        self._findings = findings
        self._slots: dict[int, int] = {} if column is not None else {0: 0}

    def of(self, chunk: Chunk) -> tuple[Ints, NDArray[np.bool_]]:
        """The numbers of the days of a chunk's records that have one, and which have.

        Raises:
            ProfileError: there are more days than a reference may hold.
        """
        if self.column is None:
            self.records[0] += chunk.rows
            return np.zeros(chunk.rows, np.int64), np.ones(chunk.rows, np.bool_)
        seconds = self._seconds(chunk.columns.get(self.column), chunk)
        known = ~np.isnan(seconds)
        times = seconds[known]
        if times.size:
            self.first = float(np.fmin(self.first, times.min()))
            self.last = float(np.fmax(self.last, times.max()))
        days, inverse = np.unique((times // DAY_SECONDS).astype(np.int64), return_inverse=True)
        slots = np.array([self._slot(day) for day in days.tolist()], np.int64)
        for slot, count in zip(slots.tolist(), np.bincount(inverse).tolist(), strict=True):
            self.records[slot] += count
        return slots[inverse] if slots.size else slots, known

    def _slot(self, day: int) -> int:
        slot = self._slots.get(day)
        if slot is None:
            if len(self._slots) >= MOST_DAYS:
                raise ProfileError(
                    f"--time {self.column!r}: expected at most {MOST_DAYS} different days, got more"
                )
            slot = self._slots[day] = len(self.records)
            self.records.append(0)
        return slot

    def _seconds(self, column: Column | None, chunk: Chunk) -> Floats:
        if column is None:
            seconds, bad = np.full(chunk.rows, np.nan), {}
        elif isinstance(column, Numbers):
            seconds, found = epoch_seconds(column.values, "time")
            bad = {row: repr(float(column.values[row])) for row in found}
        else:
            texts = [_moment(text) if text and len(text) == 10 else text for text in column.values]
            seconds, found = epoch_seconds(texts, "time")
            bad = {row: repr(texts[row]) for row in found}
        seconds = np.where(np.isfinite(seconds), seconds, np.nan)
        seconds[list(bad)] = np.nan
        self._report(chunk, seconds, bad)
        return seconds

    def _report(self, chunk: Chunk, seconds: Floats, bad: dict[int, str]) -> None:
        sentence = f"left out: expected a time in {self.column!r}, {EXPECTED}"
        if bad:
            row = min(bad)
            self._findings.add(len(bad), "row", sentence, f"{chunk.where(row)}, {bad[row]}")
        empty = [row for row in np.flatnonzero(np.isnan(seconds)).tolist() if row not in bad]
        if empty:
            self._findings.add(len(empty), "row", sentence, f"{chunk.where(empty[0])}, nothing")

    def numbers(self) -> list[tuple[int, int]]:
        """The epoch number of each day and its number here, in order of time."""
        return sorted(self._slots.items())


def _moment(text: str) -> str:
    """A bare date is its midnight."""
    return f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text
