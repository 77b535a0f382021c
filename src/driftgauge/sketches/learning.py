"""Features in bins that no data decide, while a reference is being learned.

A number's bin is the top of its own binary form: sign, exponent and the first `MANTISSA_BITS` bits
of the fraction, so that bins are log-linear (512 an octave, 0.2% wide; integers below 1024 have
their own) and two states add up whatever they have seen. A feature that fills more than
`BIN_LIMIT` bins is kept one bit coarser, again and again until it fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import StoreError
from driftgauge.layout import SUMMED_LIMIT, Sketch
from driftgauge.records import Floats, Ints

MANTISSA_BITS = 9
BIN_LIMIT = 2048
CATEGORY_LIMIT = 1024
_SHIFT = 52 - MANTISSA_BITS
_SIGN = np.int64(1) << np.int64(63 - _SHIFT)
_LARGEST_BITS = np.array(np.finfo(np.float64).max).view(np.uint64)
# Bits that can be dropped: then only the sign is left.
_LEVELS = 63 - _SHIFT
# What cancelling leaves of a sum of squares when nothing varies, as a part of what was cancelled.
_ROUNDING = 1e-12


def bin_codes(values: Floats) -> Ints:
    """The learning bin of each finite value, at the finest level; codes ascend with the values.

    Shape as *values*. -0.0 counts as 0.0. O(n).
    """
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64) >> np.uint64(_SHIFT)
    codes = bits.astype(np.int64)
    return np.where(codes >= _SIGN, _SIGN - 1 - codes, codes)


def bin_bounds(codes: Ints, level: int) -> tuple[Floats, Floats]:
    """Least and greatest float of each bin at *level* (bits dropped); shapes as *codes*."""
    first = codes << level
    last = first + ((1 << level) - 1)
    return _edge(first, low=True), _edge(last, low=False)


def _edge(codes: Ints, *, low: bool) -> Floats:
    negative = codes < 0
    magnitude = np.where(negative, -1 - codes, codes).astype(np.uint64) << np.uint64(_SHIFT)
    # The bound away from zero is the largest float of the bin: all lower bits set.
    filled = magnitude | np.uint64((1 << _SHIFT) - 1)
    outer = np.where(negative == low, filled, magnitude)
    # A coarse bin may reach beyond the largest float, where bits mean infinity or NaN.
    value = np.minimum(outer, _LARGEST_BITS).view(np.float64)
    # -0.0 counts as 0.0, so negative bins end with the smallest number below it.
    return np.where(negative, -np.maximum(value, np.finfo(np.float64).smallest_subnormal), value)


@dataclass(slots=True)
class NumericTally:
    """Counts of one numeric feature in learning bins, beside its moments about a fixed centre.

    Moments are of values clipped to `SUMMED_LIMIT`.
    """

    centre: float
    level: int = 0
    codes: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    missing: int = 0
    not_finite: int = 0
    deviation: float = 0.0
    square: float = 0.0

    @classmethod
    def of(cls, values: Floats, centre: float) -> NumericTally:
        """The tally of n values; NaN missing, infinities not finite. O(n log n)."""
        finite = values[np.isfinite(values)]
        codes, counts = np.unique(bin_codes(finite), return_counts=True)
        centre = min(max(centre, -SUMMED_LIMIT), SUMMED_LIMIT)
        deviation = np.minimum(np.maximum(finite, -SUMMED_LIMIT), SUMMED_LIMIT) - centre
        missing = int(np.count_nonzero(np.isnan(values)))
        tally = cls(
            centre,
            0,
            codes,
            counts.astype(np.int64),
            missing,
            values.size - finite.size - missing,
            float(deviation.sum()),
            float(deviation @ deviation),
        )
        tally._fit()
        return tally

    @property
    def values(self) -> int:
        """Finite values."""
        return int(self.counts.sum())

    def about(self, centre: float) -> tuple[float, float]:
        """Sums of x - *centre* and of its square; a square that is but rounding is 0."""
        n, shift = self.values, self.centre - centre
        square = self.square + 2 * shift * self.deviation + n * shift * shift
        constant = square <= _ROUNDING * (self.square + n * shift * shift)
        return self.deviation + n * shift, 0.0 if constant else square

    def _coarsen(self, level: int) -> None:
        if level > self.level:
            codes, inverse = np.unique(self.codes >> (level - self.level), return_inverse=True)
            counts = np.zeros(codes.size, np.int64)
            np.add.at(counts, inverse, self.counts)
            self.codes, self.counts, self.level = codes, counts, level

    def _fit(self) -> None:
        while self.codes.size > BIN_LIMIT:
            self._coarsen(self.level + 1)

    def _combine(self, other: NumericTally, sign: int) -> None:
        level = max(self.level, other.level)
        self._coarsen(level)
        codes, inverse = np.unique(
            np.concatenate([self.codes, other.codes >> (level - other.level)]), return_inverse=True
        )
        counts = np.zeros(codes.size, np.int64)
        np.add.at(counts, inverse, np.concatenate([self.counts, sign * other.counts]))
        kept = counts != 0
        self.codes, self.counts = codes[kept], counts[kept]
        self.missing += sign * other.missing
        self.not_finite += sign * other.not_finite
        # Another's moments about this centre: sum (x - c) = sum (x - o) + n (o - c).
        n, shift = other.values, other.centre - self.centre
        self.deviation += sign * (other.deviation + n * shift)
        self.square += sign * (other.square + 2 * shift * other.deviation + n * shift * shift)
        self._fit()

    def add(self, other: NumericTally) -> None:
        """Merge; the coarser level of the two, or a coarser one where the bins would be too many."""
        self._combine(other, 1)

    def subtract(self, other: NumericTally) -> None:
        """Take away what was added before."""
        self._combine(other, -1)


@dataclass(slots=True)
class CategoryTally:
    """Counts of one categorical feature's texts, at most `CATEGORY_LIMIT`, the rest as other."""

    counts: dict[str, int] = field(default_factory=dict)
    other: int = 0
    missing: int = 0

    @classmethod
    def of(cls, values: Sequence[str | None]) -> CategoryTally:
        """The tally of n texts. O(n)."""
        tally = cls()
        for value in values:
            if value is None:
                tally.missing += 1
            else:
                tally.counts[value] = tally.counts.get(value, 0) + 1
        tally._fit()
        return tally

    @property
    def values(self) -> int:
        """Texts that are not missing."""
        return sum(self.counts.values()) + self.other

    def _fit(self) -> None:
        if len(self.counts) > CATEGORY_LIMIT:
            # By text, not by count: which categories stay must not depend on the order of arrival.
            for text in sorted(self.counts)[CATEGORY_LIMIT:]:
                self.other += self.counts.pop(text)

    def add(self, other: CategoryTally) -> None:
        """Merge."""
        for text, count in other.counts.items():
            self.counts[text] = self.counts.get(text, 0) + count
        self.other += other.other
        self.missing += other.missing
        self._fit()

    def subtract(self, other: CategoryTally) -> None:
        """Take away what was added; a category that has been folded meanwhile comes off other."""
        for text, count in other.counts.items():
            left = self.counts.get(text, 0) - count
            if left > 0:
                self.counts[text] = left
            else:
                self.counts.pop(text, None)
                self.other += min(left, 0)
        self.other -= other.other
        self.missing -= other.missing


@dataclass(slots=True)
class LearningRow:
    """What a batch, a pane or a window holds while its version's reference is being learned."""

    records: int = 0
    numeric: dict[str, NumericTally] = field(default_factory=dict)
    categorical: dict[str, CategoryTally] = field(default_factory=dict)

    def add(self, other: LearningRow) -> None:
        """Merge: the records of both. A name that one side never saw is missing in its records."""
        self._combine(other, 1)

    def subtract(self, other: LearningRow) -> None:
        """Expire: take away what was added before."""
        self._combine(other, -1)

    def _combine(self, other: LearningRow, sign: int) -> None:
        for name, tally in other.numeric.items():
            mine = self.numeric.get(name)
            if mine is None:
                mine = self.numeric[name] = NumericTally(tally.centre, missing=self.records)
            mine.add(tally) if sign > 0 else mine.subtract(tally)
        for name, texts in other.categorical.items():
            own = self.categorical.get(name)
            if own is None:
                own = self.categorical[name] = CategoryTally(missing=self.records)
            own.add(texts) if sign > 0 else own.subtract(texts)
        for name, tally in self.numeric.items():
            if name not in other.numeric:
                tally.missing += sign * other.records
        for name, texts in self.categorical.items():
            if name not in other.categorical:
                texts.missing += sign * other.records
        self.records += sign * other.records

    def copy(self) -> LearningRow:
        """An equal row that shares nothing that changes."""
        twin = LearningRow()
        twin.add(self)
        return twin

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        numeric = sum(200 + t.codes.nbytes + t.counts.nbytes for t in self.numeric.values())
        texts = sum(200 + sum(150 + len(k) for k in t.counts) for t in self.categorical.values())
        return numeric + texts

    def to_bytes(self) -> bytes:
        """The row as MessagePack: per name its level, bin codes as deltas, counts and moments."""
        return msgspec.msgpack.encode(
            _Saved(
                self.records,
                {
                    name: _SavedNumeric(
                        tally.centre,
                        tally.level,
                        _packed(np.diff(tally.codes, prepend=0)),
                        _packed(tally.counts),
                        tally.missing,
                        tally.not_finite,
                        tally.deviation,
                        tally.square,
                    )
                    for name, tally in self.numeric.items()
                },
                {
                    name: _SavedCategories(t.counts, t.other, t.missing)
                    for name, t in self.categorical.items()
                },
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> LearningRow:
        """The row that `to_bytes` made.

        Raises:
            StoreError: the bytes are not such a row.
        """
        try:
            saved = _DECODER.decode(data)
            numeric = {name: _loaded(s) for name, s in saved.numeric.items()}
        except (msgspec.MsgspecError, ValueError) as error:
            raise StoreError(f"a saved learning row can't be read: {error}") from error
        return cls(
            saved.records,
            numeric,
            {name: CategoryTally(s.counts, s.other, s.missing) for name, s in saved.categorical.items()},
        )


class _SavedNumeric(msgspec.Struct, array_like=True):
    centre: float
    level: int
    codes: bytes
    counts: bytes
    missing: int
    not_finite: int
    deviation: float
    square: float


class _SavedCategories(msgspec.Struct, array_like=True):
    counts: dict[str, int]
    other: int
    missing: int


class _Saved(msgspec.Struct, array_like=True):
    records: int
    numeric: dict[str, _SavedNumeric]
    categorical: dict[str, _SavedCategories]


_DECODER = msgspec.msgpack.Decoder(_Saved)
_INTS = tuple((np.dtype(f"<i{width}"), 1 << (8 * width - 1)) for width in (1, 2, 4, 8))


def _packed(values: NDArray[np.int64]) -> bytes:
    """Integers in the narrowest width that holds them all, the width first."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    width = next(w for w, end in _INTS if -end <= low and high < end)
    return bytes([width.itemsize]) + values.astype(width).tobytes()


def _unpacked(data: bytes) -> Ints:
    width = next((w for w, _ in _INTS if data[:1] == bytes([w.itemsize])), None)
    if width is None:
        raise ValueError("expected integers of 1, 2, 4 or 8 bytes")
    return np.frombuffer(data, width, offset=1).astype(np.int64)


def _loaded(saved: _SavedNumeric) -> NumericTally:
    steps, counts = _unpacked(saved.codes), _unpacked(saved.counts)
    if steps.size != counts.size or steps.size > BIN_LIMIT or not 0 <= saved.level <= _LEVELS:
        raise ValueError(f"{steps.size} bins at level {saved.level} and {counts.size} counts")
    if (steps[1:] <= 0).any() or (counts <= 0).any():
        raise ValueError("expected bins that ascend and counts above 0")
    return NumericTally(
        saved.centre,
        saved.level,
        np.cumsum(steps),
        counts,
        saved.missing,
        saved.not_finite,
        saved.deviation,
        saved.square,
    )


class Learning(Sketch):
    """Every feature's values in bins that no data decide.

    `add` is exact in counts (the level that a feature ends at depends only on the values it has
    seen, not on their order), for categories as long as a feature has at most `CATEGORY_LIMIT`.
    Memory: at most 2,048 bins of 16 bytes a numeric feature (33 kB), 1,024 texts a categorical
    one. A bin's width is 0.2% of its value or less, until a feature fills more than 2,048 bins.
    """

    def __init__(self, features: int, label_characters: int = 128) -> None:
        self.features = features
        self.label_characters = label_characters

    def zero(self) -> LearningRow:
        """The state of no records."""
        return LearningRow()

    def load(self, data: bytes) -> LearningRow:
        r"""The state that was saved; StoreError where it can\'t be."""
        return LearningRow.from_bytes(data)

    def row(
        self,
        names: Sequence[str],
        numeric: Floats,
        categorical: Mapping[str, Sequence[str | None]],
        records: int,
        centres: Mapping[str, float],
    ) -> LearningRow:
        """The row of n records: *numeric* of shape (len(names), n). O(features * n log n)."""
        return LearningRow(
            records,
            {
                name: NumericTally.of(values, centres.get(name, 0.0))
                for name, values in zip(names, numeric, strict=True)
            },
            {name: CategoryTally.of(values) for name, values in categorical.items()},
        )

    @property
    def bound_bytes(self) -> int:
        """The most bytes that a state takes."""
        each = max(16 * BIN_LIMIT, CATEGORY_LIMIT * (150 + self.label_characters))
        return self.features * (200 + each)
