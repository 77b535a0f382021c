"""Features and outputs in the bins of a reference: what drift is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Layout, LinearSketch, Row
from driftgauge.records import Floats, Ints

FINE_BINS = 64
TAIL_BINS = 12
NUMERIC_BINS = FINE_BINS + 2 * TAIL_BINS
MISSING, NOT_FINITE = NUMERIC_BINS, NUMERIC_BINS + 1
NUMERIC_CELLS = NUMERIC_BINS + 2
COARSE_BINS = 10
# From this many records sorting them first is faster than looking each one up.
SORTED_FROM = 64
BYTES = 256

Cells: TypeAlias = NDArray[np.uint8] | Ints
"""The cell of each value of a categorical name, shape (n,)."""
Column: TypeAlias = Sequence[str | None] | Cells
"""Texts, or the cells that they fall into."""

# The coarse bins, then missing, then what has no place in a bin: unseen (categorical), not finite.
COARSE_CELLS = COARSE_BINS + 2


def feature_key(name: str) -> str:
    """The key of the feature *name*."""
    return "f:" + name


def output_key(name: str) -> str:
    """The key of the model's output *name*: score, prediction."""
    return "o:" + name


@dataclass(frozen=True, slots=True)
class InputBins:
    """The bins that a reference decides, for F numeric and C categorical features and outputs.

    Attributes:
        numeric, categorical: keys in the order of the rows below; a key is `feature_key` or
            `output_key` of a name, so that a feature called "score" is not the model's score.
        identifiers: categorical keys watched for missing only.
        edges: shape (F, NUMERIC_BINS - 1), ascending; bin i holds edges[i-1] < x <= edges[i].
            12 tail bins, 64 fine ones (those not needed are empty), 12 tail bins.
        centre: shape (F,), what sums are taken about: the reference mean.
        low, high: shape (F,), the range that is in range.
        coarse: shape (F, NUMERIC_BINS), the coarse bin of each.
        categories: per categorical name its categories, at most `limit`, most frequent first.
        folded: per categorical name the reference's categories beyond `limit`, counted as other.
        limit: categories a feature.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    identifiers: frozenset[str]
    edges: Floats
    centre: Floats
    low: Floats
    high: Floats
    coarse: Ints
    categories: tuple[tuple[str, ...], ...]
    folded: tuple[frozenset[str], ...]
    limit: int


def category_coarse(limit: int) -> Ints:
    """The coarse cell of each categorical cell: the nine most frequent alone, the rest together.

    Shape (limit + 3,): categories, other, unseen, missing.
    """
    cells = np.minimum(np.arange(limit + 3), COARSE_BINS - 1)
    cells[limit + 1] = COARSE_BINS + 1
    cells[limit + 2] = COARSE_BINS
    return cells.astype(np.int64)


class _Codes(dict[str | None, int]):
    """A category's text to its cell; a text that isn't known is unseen."""

    def __init__(self, known: dict[str | None, int], unseen: int) -> None:
        super().__init__(known)
        self.unseen = unseen

    def __missing__(self, text: str | None) -> int:
        return self.unseen


class Inputs(LinearSketch):
    """Counts per bin and moments of every feature and output, all at once.

    Per numeric name 90 bin counts (88 bins, missing, not finite), the counts clipped and out of
    range, the sums of (x - centre) and its square for x clipped to the outermost tail edges; per
    categorical name its categories, other, unseen and missing. 25 features (20 + 5) take 8.6 kB.
    `add` is exact for counts.
    """

    def __init__(self, bins: InputBins) -> None:
        self.bins = bins
        count, names = len(bins.numeric), len(bins.categorical)
        self.category_cells = bins.limit + 3
        self.other, self.unseen, self.missing = bins.limit, bins.limit + 1, bins.limit + 2
        self.layout = Layout(
            counts={
                "records": (1,),
                "bins": (count, NUMERIC_CELLS),
                "clipped": (count,),
                "outside": (count,),
                "categories": (names, self.category_cells),
            },
            sums={"deviation": (count,), "square": (count,)},
        )
        self._offsets = np.arange(count, dtype=np.int64)[:, None] * NUMERIC_CELLS
        # The open tail bins count as atoms at the outermost edges, where values are clipped.
        self.outer_edges = np.concatenate([bins.edges[:, :1], bins.edges, bins.edges[:, -1:]], axis=1)
        self._coarse_ends = _coarse_ends(bins.coarse)
        self._floor = bins.edges[:, :1] if count else np.zeros((0, 1))
        self._ceiling = bins.edges[:, -1:] if count else np.zeros((0, 1))
        self._marks = _marks(bins)
        self.columns = {name: column for column, name in enumerate(bins.categorical)}
        self._coders = tuple(
            self._coder(*each) for each in zip(bins.categorical, bins.categories, bins.folded, strict=True)
        )

    def _coder(self, key: str, known: Sequence[str], folded: frozenset[str]) -> _Codes:
        codes: dict[str | None, int] = dict.fromkeys(folded, self.other)
        codes |= {text: code for code, text in enumerate(known)}
        codes[None] = self.missing
        # Every value of an identifier is new; how many are is no drift.
        return _Codes(codes, self.other if key in self.bins.identifiers else self.unseen)

    def codes(self, column: int, values: Column) -> Cells:
        """The cell of each value of the categorical name at *column*; itself if it holds cells. O(n)."""
        if isinstance(values, np.ndarray):
            return values
        found = map(self._coders[column].__getitem__, values)
        # Bytes take half the time of an array of integers.
        if self.category_cells <= BYTES:
            return np.frombuffer(bytes(found), np.uint8)
        return np.fromiter(found, np.int64, len(values))

    def row(self, numeric: Floats, categorical: Mapping[str, Column], records: int) -> Row:
        """The row of n records.

        Args:
            numeric: shape (F, n), rows as in ``bins.numeric``; NaN missing, infinities not finite.
            categorical: per name n texts, or their `codes`; a name that is absent is missing in
                every record.
            records: n.

        Cost: O(n * (F log bins + C)).
        """
        row = self.zero()
        self.layout.count(row, "records")[0] = records
        if numeric.size:
            self._add_numeric(row, numeric)
        block = self.layout.count(row, "categories")
        for column, name in enumerate(self.bins.categorical):
            values = categorical.get(name)
            if values is None:
                block[column, self.missing] = records
            else:
                block[column] = np.bincount(self.codes(column, values), minlength=self.category_cells)
        return row

    def _add_numeric(self, row: Row, numeric: Floats) -> None:
        if numeric.shape[1] >= SORTED_FROM:
            self._count_sorted(row, np.sort(numeric, axis=1))
        else:
            self._count_each(row, numeric)
        # Most batches have nothing to clip and nothing to leave out.
        if self.layout.count(row, "clipped").any():
            deviation = np.clip(numeric, self._floor, self._ceiling) - self.bins.centre[:, None]
        else:
            deviation = numeric - self.bins.centre[:, None]
        if self.layout.count(row, "bins")[:, MISSING:].any():
            deviation[~np.isfinite(numeric)] = 0.0
        self.layout.sum(row, "deviation")[:] = deviation.sum(axis=1)
        self.layout.sum(row, "square")[:] = np.einsum("ij,ij->i", deviation, deviation)

    def _count_each(self, row: Row, numeric: Floats) -> None:
        """Counts by looking up each value among the edges."""
        finite = np.isfinite(numeric)
        bins = numeric_bins(self.bins.edges, numeric, np.isnan(numeric), finite)
        cells = np.bincount((bins + self._offsets).ravel(), minlength=self._offsets.size * NUMERIC_CELLS)
        self.layout.count(row, "bins")[:] = cells.reshape(-1, NUMERIC_CELLS)
        below, above = numeric < self._floor, numeric > self._ceiling
        self.layout.count(row, "clipped")[:] = ((below | above) & finite).sum(axis=1)
        low, high = self.bins.low[:, None], self.bins.high[:, None]
        self.layout.count(row, "outside")[:] = (((numeric < low) | (numeric > high)) & finite).sum(axis=1)

    def _count_sorted(self, row: Row, ordered: Floats) -> None:
        """Counts by looking up each edge among the sorted values: a third of the cost of `_count_each`
        for a thousand values, and the same counts.
        """
        upto = np.empty(self._marks.shape, np.int64)
        for feature, values in enumerate(ordered):
            upto[feature] = values.searchsorted(self._marks[feature], side="right")
        least, edges = upto[:, 0], upto[:, 1:NUMERIC_BINS]
        before_floor, before_low, to_high, most, valid = upto[:, NUMERIC_BINS:].T
        finite = most - least
        cells = self.layout.count(row, "bins")
        cells[:, 0] = edges[:, 0] - least
        cells[:, 1 : NUMERIC_BINS - 1] = np.diff(edges, axis=1)
        cells[:, NUMERIC_BINS - 1] = most - edges[:, -1]
        cells[:, NOT_FINITE] = valid - finite
        cells[:, MISSING] = ordered.shape[1] - valid
        self.layout.count(row, "clipped")[:] = (before_floor - least) + (most - edges[:, -1])
        self.layout.count(row, "outside")[:] = np.maximum(before_low - least, 0) + np.maximum(
            most - to_high, 0
        )

    def coarse(self, row: Row) -> Ints:
        """Coarse counts of every name, numeric ones first: shape (F + C, COARSE_CELLS); leading axes of
        the row's stay.
        """
        bins, texts = self.layout.count(row, "bins"), self.layout.count(row, "categories")
        count = bins.shape[-2]
        table = np.zeros((*bins.shape[:-2], count + texts.shape[-2], COARSE_CELLS), np.int64)
        below = np.zeros((*bins.shape[:-1], NUMERIC_BINS + 1), np.uint32)
        # Of one type: numbers that change type are summed slowly. No sum exceeds `records`, a cell itself.
        np.cumsum(bins[..., :NUMERIC_BINS], axis=-1, dtype=np.uint32, out=below[..., 1:])
        upto = below.reshape(*bins.shape[:-2], -1).take(self._coarse_ends, axis=-1)
        numeric, categorical = table[..., :count, :], table[..., count:, :]
        numeric[..., 0] = upto[..., 0]
        np.subtract(upto[..., 1:], upto[..., :-1], out=numeric[..., 1:COARSE_BINS])
        numeric[..., COARSE_BINS:] = bins[..., NUMERIC_BINS:]
        # The most frequent categories alone, the rest together with `other`.
        alone = min(COARSE_BINS - 1, self.unseen)
        categorical[..., :alone] = texts[..., :alone]
        categorical[..., COARSE_BINS - 1] += texts[..., alone : self.unseen].sum(axis=-1, dtype=np.uint32)
        categorical[..., COARSE_BINS] = texts[..., self.missing]
        categorical[..., COARSE_BINS + 1] = texts[..., self.unseen]
        return table

    def folded(self, row: Row) -> int:
        """Values counted as other, identifiers' not among them."""
        watched = [key not in self.bins.identifiers for key in self.bins.categorical]
        return int(self.layout.count(row, "categories")[watched, self.other].sum())

    def records(self, row: Row) -> int:
        """Records in the row."""
        return int(self.layout.count(row, "records")[0])


def _coarse_ends(coarse: Ints) -> Ints:
    """Where sums up to the end of each coarse bin stand, shape (F, COARSE_BINS), in a flat array of
    NUMERIC_BINS + 1 sums a name, which begin with 0; *coarse* never falls.
    """
    upto: Ints = (coarse[:, :, None] <= np.arange(COARSE_BINS)).sum(axis=1, dtype=np.int64)
    return upto + np.arange(len(coarse))[:, None] * (NUMERIC_BINS + 1)


def _marks(bins: InputBins) -> Floats:
    """What `_count_sorted` looks up, shape (F, NUMERIC_BINS + 5): how many values are at or below minus
    infinity, each edge, just below the floor, just below the range, its end, the greatest float, and
    infinity.
    """
    ends = np.full((len(bins.numeric), 1), np.inf)
    with np.errstate(over="ignore"):  # below the least float there is only minus infinity
        below_floor = np.nextafter(bins.edges[:, :1], -np.inf)
        below_low = np.nextafter(bins.low, -np.inf)[:, None]
    greatest = np.full_like(ends, np.finfo(np.float64).max)
    return np.concatenate(
        [-ends, bins.edges, below_floor, below_low, bins.high[:, None], greatest, ends], axis=1
    )


def numeric_bins(
    edges: Floats, numeric: Floats, missing: NDArray[np.bool_], finite: NDArray[np.bool_]
) -> Ints:
    """The cell of every value: shape of *numeric*, (F, n)."""
    bins = np.empty(numeric.shape, np.int64)
    for feature in range(len(edges)):
        bins[feature] = edges[feature].searchsorted(numeric[feature])
    if not finite.all():
        bins[~finite] = NOT_FINITE
        bins[missing] = MISSING
    return bins
