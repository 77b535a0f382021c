"""Vectors of counts and sums with named slices, and what every sketch can do with them.

A `Row` is what a batch of records becomes, what a pane holds and what a window sums: addition of
rows is merging, subtraction is expiry, and its bytes are what is saved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import StoreError

Counts: TypeAlias = NDArray[np.uint32]
Sums: TypeAlias = NDArray[np.float64]

# Numbers are clipped to it before they are summed: squares of 1e27 of them still have a finite sum.
SUMMED_LIMIT: Final = float(np.nextafter(2.0**465, 0.0))

_WIDTHS = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"))
_SPARSE: Final = 256
_SPARSE_SUMS: Final = 512
# Far beyond any layout (1,000 features have 0.2 million): spoilt bytes must not ask for gigabytes.
_MOST_CELLS: Final = 1 << 24


class Additive(Protocol):
    """A state that adds, takes away, copies and saves itself."""

    def add(self, other: Any) -> None:
        """Merge."""

    def subtract(self, other: Any) -> None:
        """Expire."""

    def copy(self) -> Self:
        """An equal state that shares nothing."""

    def to_bytes(self) -> bytes:
        """The state as it is saved."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""


@dataclass(slots=True)
class Row:
    """A vector of uint32 counts beside one of float64 sums; owned by whoever made it.

    Counts are exact: a cell holds up to 4,294,967,295 records, and adding and taking away the same
    row leaves every count as it was. Sums are exact up to floating-point rounding.
    """

    counts: Counts
    sums: Sums

    def add(self, other: Row) -> None:
        """Merge: the records of both. O(cells)."""
        self.counts += other.counts
        self.sums += other.sums

    def subtract(self, other: Row) -> None:
        """Expire: take away what was added before. O(cells)."""
        self.counts -= other.counts
        self.sums -= other.sums

    def copy(self) -> Row:
        """An equal row that shares nothing."""
        return Row(self.counts.copy(), self.sums.copy())

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.counts.nbytes + self.sums.nbytes

    def to_bytes(self) -> bytes:
        """The row, sparse where that is smaller; a batch of few records touches few cells.

        Header of 16 bytes (cells, filled cells, sums, width of a count, sparse or not), then the
        positions of filled cells, the counts in the narrowest width that holds them; the sums, where they
        are sparse their number and positions before those that aren't 0.
        """
        filled = np.flatnonzero(self.counts)
        top = int(self.counts.max(initial=0))
        width = next(w for w in _WIDTHS if top < 1 << (8 * w.itemsize))
        sparse = filled.size * (4 + width.itemsize) < self.counts.size * width.itemsize
        summed = np.flatnonzero(self.sums)
        few = 4 + 12 * summed.size < 8 * self.sums.size
        header = np.array(
            [
                self.counts.size,
                filled.size,
                self.sums.size,
                width.itemsize + (_SPARSE if sparse else 0) + (_SPARSE_SUMS if few else 0),
            ],
            "<u4",
        )
        body = (
            filled.astype("<u4").tobytes() + self.counts[filled].astype(width).tobytes()
            if sparse
            else self.counts.astype(width).tobytes()
        )
        if few:
            places = summed.size.to_bytes(4, "little") + summed.astype("<u4").tobytes()
            return header.tobytes() + body + places + self.sums[summed].astype("<f8").tobytes()
        return header.tobytes() + body + self.sums.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Row:
        """The row that `to_bytes` made.

        Raises:
            StoreError: the bytes are not such a row.
        """
        try:
            return cls._read(data)
        except (ValueError, IndexError) as error:
            raise StoreError(f"a saved row of {len(data)} bytes can't be read: {error}") from error

    @classmethod
    def _read(cls, data: bytes) -> Row:
        cells, filled, sums, form = np.frombuffer(data, "<u4", 4).tolist()
        sparse, few = form & _SPARSE, form & _SPARSE_SUMS
        width = next((w for w in _WIDTHS if w.itemsize == form & ~(_SPARSE | _SPARSE_SUMS)), None)
        if width is None or max(cells, sums) > _MOST_CELLS:
            raise ValueError(f"its header says {cells} counts of form {form}")
        held = filled if sparse else cells
        end = 16 + (4 * filled if sparse else 0) + width.itemsize * held
        summed = int(np.frombuffer(data, "<u4", 1, end)[0]) if few else sums
        expected = end + (4 + 12 * summed if few else 8 * sums)
        if len(data) != expected:
            raise ValueError(f"its header says {expected} bytes")
        counts = np.zeros(cells, np.uint32)
        at = 16 + (4 * filled if sparse else 0)
        places = np.frombuffer(data, "<u4", filled, 16) if sparse else slice(None)
        counts[places] = np.frombuffer(data, width, held, at)
        if not few:
            return cls(counts, np.frombuffer(data, "<f8", sums, end).astype(np.float64))
        values = np.zeros(sums)
        values[np.frombuffer(data, "<u4", summed, end + 4)] = np.frombuffer(
            data, "<f8", summed, end + 4 + 4 * summed
        )
        return cls(counts, values)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each named block of a row stands.

    Attributes:
        counts, sums: block name -> shape; blocks follow each other in this order. A name stands in
            one of the two only.
        cells, sum_cells: lengths of the counts and of the sums.
    """

    counts: Mapping[str, tuple[int, ...]]
    sums: Mapping[str, tuple[int, ...]]
    cells: int = field(init=False)
    sum_cells: int = field(init=False)
    _places: dict[str, slice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[str, slice] = {}
        for blocks in (self.counts, self.sums):
            at = 0
            for name, shape in blocks.items():
                places[name] = slice(at, at + prod(shape))
                at += prod(shape)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "cells", sum(map(prod, self.counts.values())))
        object.__setattr__(self, "sum_cells", sum(map(prod, self.sums.values())))

    def zero(self) -> Row:
        """A row of nothing."""
        return Row(np.zeros(self.cells, np.uint32), np.zeros(self.sum_cells, np.float64))

    def count(self, row: Row, name: str) -> Counts:
        """A view of the block *name* of the counts, in its shape; leading axes of the row's stay."""
        block = row.counts[..., self._places[name]]
        return block.reshape(block.shape[:-1] + self.counts[name])

    def sum(self, row: Row, name: str) -> Sums:
        """A view of the block *name* of the sums, in its shape; leading axes of the row's stay."""
        block = row.sums[..., self._places[name]]
        return block.reshape(block.shape[:-1] + self.sums[name])

    def fits(self, row: Row) -> bool:
        """Whether *row* has this layout's lengths."""
        return row.counts.size == self.cells and row.sums.size == self.sum_cells


class Sketch(ABC):
    """A fixed-size summary of records that adds up.

    Every concrete subclass is found by the property battery (``tests/property``), which feeds it
    whole and in parts, in other orders, expires, saves and loads it, and checks its bound.
    """

    @abstractmethod
    def zero(self) -> Any:
        """The state of no records, an `Additive`."""

    @abstractmethod
    def load(self, data: bytes) -> Any:
        """The state that ``to_bytes`` saved.

        Raises:
            StoreError: the bytes are of another layout.
        """

    @property
    @abstractmethod
    def bound_bytes(self) -> int:
        """The most bytes that a state may take in memory, whatever it is fed."""


class LinearSketch(Sketch):
    """A sketch whose state is one `Row` of its `layout`."""

    layout: Layout

    def zero(self) -> Row:
        """The state of no records."""
        return self.layout.zero()

    def load(self, data: bytes) -> Row:
        r"""The state that was saved; StoreError where it can\'t be."""
        row = Row.from_bytes(data)
        if not self.layout.fits(row):
            raise StoreError(
                f"a saved row has {row.counts.size} counts and {row.sums.size} sums, expected "
                f"{self.layout.cells} and {self.layout.sum_cells}"
            )
        return row

    @property
    def bound_bytes(self) -> int:
        """The most bytes that a state takes."""
        return 4 * self.layout.cells + 8 * self.layout.sum_cells
