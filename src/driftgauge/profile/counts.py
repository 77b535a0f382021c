"""Counts by day and code: one sorted array a column, so that a shuffled year costs what a sorted one does.

They become one `LearningRow` a day, equal to what feeding each day's records by itself would give.
"""

from __future__ import annotations

import numpy as np

from driftgauge.records import Ints

CODE_BITS = 21
# Codes of numbers run from -2**20 to 2**20 - 1; they are kept from 0 on.
CODE_OFFSET = 1 << (CODE_BITS - 1)
_CODE_MASK = (1 << CODE_BITS) - 1
_LEAST_PENDING = 20_000


class DayCounts:
    """How often each (day, code) was seen; days are numbered in order of appearance.

    Memory: 16 bytes a pair that was seen, and as much again while new ones are sorted in.
    """

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)
        self._pending: list[Ints] = []
        self._waiting = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the sorted arrays and of what waits to be sorted in."""
        return self._keys.nbytes + self._counts.nbytes + 8 * self._waiting

    def add(self, slots: Ints, codes: Ints) -> bool:
        """Count parallel *slots* and *codes* (0 to 2**21 - 1); whether they were sorted in now.

        Cost: O(n log n), amortised.
        """
        self._pending.append(slots << CODE_BITS | codes)
        self._waiting += codes.size
        if self._waiting < max(_LEAST_PENDING, self._keys.size // 2):
            return False
        self.settle()
        return True

    def settle(self) -> None:
        """Sort in what is waiting."""
        if self._pending:
            fresh, counts = np.unique(np.concatenate(self._pending), return_counts=True)
            self._pending, self._waiting = [], 0
            self._merge(
                np.concatenate([self._keys, fresh]), np.concatenate([self._counts, counts.astype(np.int64)])
            )

    def _merge(self, keys: Ints, counts: Ints) -> None:
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if keys.size else order
        self._keys = keys[first]
        self._counts = np.add.reduceat(counts, first) if keys.size else counts

    def codes(self) -> Ints:
        """Every code that was seen, ascending."""
        self.settle()
        return np.unique(self._keys & _CODE_MASK)

    def recode(self, table: Ints) -> None:
        """Replace each code by the one at its place in *table*, adding up those that fall together."""
        self.settle()
        self._merge((self._keys & ~_CODE_MASK) | table[self._keys & _CODE_MASK], self._counts)

    def shift(self) -> None:
        """Halve the resolution of numbers' codes: one bit less, as `NumericTally` does it."""
        self.settle()
        codes = ((self._keys & _CODE_MASK) - CODE_OFFSET) >> 1
        self._merge((self._keys & ~_CODE_MASK) | (codes + CODE_OFFSET), self._counts)

    def of(self, slot: int) -> tuple[Ints, Ints]:
        """Codes and counts of one day, ascending; views."""
        self.settle()
        begin, end = np.searchsorted(self._keys, [slot << CODE_BITS, (slot + 1) << CODE_BITS])
        return self._keys[begin:end] & _CODE_MASK, self._counts[begin:end]


class DaySums:
    """One number a day, by the same numbering."""

    def __init__(self) -> None:
        self._sums = np.zeros(8)

    def add(self, slots: Ints, values: np.ndarray | None = None) -> None:
        """Add parallel *values* (1 each when None) to their days."""
        if slots.size:
            more = np.bincount(slots, weights=values)
            if more.size > self._sums.size:
                self._sums = np.concatenate([self._sums, np.zeros(max(more.size, self._sums.size))])
            self._sums[: more.size] += more

    def __getitem__(self, slot: int) -> float:
        return float(self._sums[slot]) if slot < self._sums.size else 0.0
