"""A reference: what a model version's inputs and outputs looked like when it was right.

It is made from learning rows, one a day, whose bins no data decide; fine edges are snapped to the
edges of those bins, so that one pass over the data counts exactly. It is saved as versioned JSON
that a person can read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from driftgauge.config import Feature, FeatureKind
from driftgauge.errors import ReferenceFileError
from driftgauge.layout import SUMMED_LIMIT, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.inputs import (
    COARSE_BINS,
    COARSE_CELLS,
    FINE_BINS,
    MISSING,
    NOT_FINITE,
    NUMERIC_BINS,
    TAIL_BINS,
    InputBins,
    Inputs,
    feature_key,
)
from driftgauge.sketches.learning import CategoryTally, LearningRow, NumericTally, bin_bounds
from driftgauge.stats.binning import coarse_groups, quantile_edges, tail_edges, tail_width

FORMAT = "driftgauge-reference"
FORMAT_VERSION = 1
DAY_SECONDS = 86_400
# Text is an identifier when more than half of at least this many values differ.
IDENTIFIER_SAMPLES = 100
KEPT_FOLDED = 1024
MOST_CATEGORIES = 100_000


@dataclass(frozen=True, slots=True)
class Reference:
    """Bins, the counts in them, and the coarse counts of each day.

    Attributes:
        id: hash of the edges, categories and counts; the label `reference` of bin series.
        bins: where values fall.
        row: the reference's own counts and moments, a row of `Inputs`.
        first, last: epoch seconds of its first and last record; NaN where it has no times.
        days: number of the day (epoch) and its coarse counts, shape (names, COARSE_CELLS).
    """

    id: str
    bins: InputBins
    row: Row
    first: float
    last: float
    days: tuple[tuple[int, Ints], ...]

    @property
    def span_seconds(self) -> float:
        """Time from the first to the last record; 0 where it has no times."""
        return 0.0 if np.isnan(self.first) else self.last - self.first

    def only(self, prefix: str) -> Reference | None:
        """The part of it whose keys begin with *prefix*; None where there is none. O(cells)."""
        numeric = [i for i, k in enumerate(self.bins.numeric) if k.startswith(prefix)]
        texts = [i for i, k in enumerate(self.bins.categorical) if k.startswith(prefix)]
        if not numeric and not texts:
            return None
        bins = InputBins(
            tuple(self.bins.numeric[i] for i in numeric),
            tuple(self.bins.categorical[i] for i in texts),
            frozenset(k for k in self.bins.identifiers if k.startswith(prefix)),
            self.bins.edges[numeric],
            self.bins.centre[numeric],
            self.bins.low[numeric],
            self.bins.high[numeric],
            self.bins.coarse[numeric],
            tuple(self.bins.categories[i] for i in texts),
            tuple(self.bins.folded[i] for i in texts),
            self.bins.limit,
        )
        places = [*numeric, *(len(self.bins.numeric) + i for i in texts)]
        days = tuple((day, counts[places]) for day, counts in self.days)
        row = _chosen(Inputs(self.bins), self.row, Inputs(bins), numeric, texts)
        return _identified(bins, row, self.first, self.last, days)


def _chosen(whole: Inputs, row: Row, part: Inputs, numeric: Sequence[int], texts: Sequence[int]) -> Row:
    chosen = part.zero()
    part.layout.count(chosen, "records")[:] = whole.layout.count(row, "records")
    for name in ("bins", "clipped", "outside"):
        part.layout.count(chosen, name)[:] = whole.layout.count(row, name)[list(numeric)]
    part.layout.count(chosen, "categories")[:] = whole.layout.count(row, "categories")[list(texts)]
    for name in ("deviation", "square"):
        part.layout.sum(chosen, name)[:] = whole.layout.sum(row, name)[list(numeric)]
    return chosen


@dataclass(frozen=True, slots=True)
class _Binned:
    edges: Floats
    coarse: Ints
    centre: float
    low: float
    high: float


def build(
    days: Mapping[int, LearningRow],
    *,
    first: float,
    last: float,
    declared: Mapping[str, Feature],
    category_limit: int,
    growing: Collection[str] = (),
) -> Reference:
    """The reference of the records in *days* (key: number of the day, or 0 without times).

    Args:
        declared: what the configuration says of features: kind and range.
        category_limit: categories a feature; the rest is other.
        growing: keys of numbers that never fell in order of arrival: identifiers.

    Raises:
        ReferenceFileError: there is no record.
    """
    total = LearningRow()
    for row in days.values():
        total.add(row)
    if not total.records:
        raise ReferenceFileError("a reference needs at least one record, got none")
    kinds = guess_kinds(total, declared, growing)
    numeric = [key for key, kind in kinds.items() if kind is FeatureKind.NUMERIC]
    texts = [key for key, kind in kinds.items() if kind is not FeatureKind.NUMERIC]
    binned = [_bin(total.numeric[key], _declared(declared, key)) for key in numeric]
    ranked = [_ranked(total, key, kinds[key]) for key in texts]
    bins = InputBins(
        numeric=tuple(numeric),
        categorical=tuple(texts),
        identifiers=frozenset(k for k in texts if kinds[k] is FeatureKind.IDENTIFIER),
        edges=_stacked([b.edges for b in binned], NUMERIC_BINS - 1),
        centre=np.array([b.centre for b in binned], np.float64),
        low=np.array([b.low for b in binned], np.float64),
        high=np.array([b.high for b in binned], np.float64),
        coarse=_stacked([b.coarse for b in binned], NUMERIC_BINS).astype(np.int64),
        categories=tuple(tuple(r[:category_limit]) for r in ranked),
        folded=tuple(frozenset(r[category_limit : category_limit + KEPT_FOLDED]) for r in ranked),
        limit=category_limit,
    )
    inputs = Inputs(bins)
    coarse = tuple((day, inputs.coarse(project(inputs, row))) for day, row in sorted(days.items()))
    return _identified(bins, project(inputs, total), first, last, coarse)


def _stacked(rows: Sequence[Floats | Ints], width: int) -> Floats:
    return np.array(rows, np.float64).reshape(len(rows), width)


def _declared(declared: Mapping[str, Feature], key: str) -> Feature:
    return declared.get(key[2:], Feature()) if key.startswith("f:") else Feature()


def _identified(
    bins: InputBins, row: Row, first: float, last: float, days: tuple[tuple[int, Ints], ...]
) -> Reference:
    digest = hashlib.blake2b(digest_size=6)
    digest.update(repr((bins.numeric, bins.categorical, bins.categories)).encode())
    digest.update(bins.edges.astype("<f8").tobytes())
    digest.update(row.counts.astype("<u4").tobytes())
    return Reference(digest.hexdigest(), bins, row, first, last, days)


def guess_kinds(
    total: LearningRow, declared: Mapping[str, Feature], growing: Collection[str] = ()
) -> dict[str, FeatureKind]:
    """The kind of every key: as declared; else text and booleans are categorical, numbers numeric,
    text that mostly differs and numbers that only grow identifiers.

    Declared features come first, in the order of their declaration, then the others as they came.
    """
    seen = [*total.numeric, *(k for k in total.categorical if k not in total.numeric)]
    first = [feature_key(name) for name in declared if feature_key(name) in seen]
    return {
        key: _kind(total, key, _declared(declared, key).kind, growing)
        for key in [*first, *(k for k in seen if k not in first)]
    }


def _kind(
    total: LearningRow, key: str, declared: FeatureKind | None, growing: Collection[str]
) -> FeatureKind:
    numbers, texts = total.numeric.get(key), total.categorical.get(key)
    if declared is FeatureKind.IDENTIFIER:
        return FeatureKind.IDENTIFIER
    if numbers is not None and (texts is None or numbers.values >= texts.values):
        if key in growing and not key.startswith("o:") and numbers.values >= IDENTIFIER_SAMPLES:
            return FeatureKind.IDENTIFIER
        return FeatureKind.NUMERIC
    assert texts is not None
    different = len(texts.counts) + texts.other
    if texts.values >= IDENTIFIER_SAMPLES and different > texts.values / 2:
        return FeatureKind.IDENTIFIER
    return FeatureKind.CATEGORICAL


def _ranked(total: LearningRow, key: str, kind: FeatureKind) -> list[str]:
    texts = total.categorical.get(key)
    if texts is None or kind is FeatureKind.IDENTIFIER:
        return []
    return [text for text, _ in sorted(texts.counts.items(), key=lambda kv: (-kv[1], kv[0]))]


def _bin(tally: NumericTally, declared: Feature) -> _Binned:
    """The edges of one numeric feature, snapped to its learning bins, none beyond `SUMMED_LIMIT`."""
    if not tally.codes.size:
        low_edges, high_edges = tail_edges(0.0, 0.0, 1.0, TAIL_BINS)
        edges = np.concatenate([low_edges, np.zeros(FINE_BINS - 1), high_edges])
        return _Binned(edges, _coarse(np.zeros(FINE_BINS, np.int64)), 0.0, -np.inf, np.inf)
    low, high = bin_bounds(tally.codes, tally.level)
    lower, upper = _summable(low), _summable(high)
    ranks = quantile_edges(np.arange(tally.codes.size, dtype=np.float64), tally.counts, FINE_BINS)
    place = np.ceil(ranks).astype(np.int64)
    under = np.nextafter(np.maximum(low, -2 * SUMMED_LIMIT), -np.inf)
    fine = _summable(np.where(ranks == place, high[place], under[place]))
    mean = tally.centre + tally.deviation / tally.values
    sd = np.sqrt(tally.about(mean)[1] / tally.values)
    cumulative = np.cumsum(tally.counts) / tally.values
    quartiles = upper[np.searchsorted(cumulative, [0.25, 0.75])]
    width = tail_width(float(quartiles[1] - quartiles[0]), float(sd))
    low_edges, high_edges = tail_edges(float(lower[0]), float(upper[-1]), width, TAIL_BINS)
    edges = np.concatenate([low_edges, fine, high_edges])
    placed = np.searchsorted(edges, upper) - TAIL_BINS
    counts = np.bincount(placed, weights=tally.counts, minlength=FINE_BINS).astype(np.int64)
    return _Binned(
        edges,
        _coarse(counts),
        mean,
        float(low[0]) if declared.min is None else declared.min,
        float(high[-1]) if declared.max is None else declared.max,
    )


def _summable(values: Floats) -> Floats:
    return np.clip(values, -SUMMED_LIMIT, SUMMED_LIMIT)


def _coarse(fine_counts: Ints) -> Ints:
    """The coarse bin of every bin; the tails get their own where there is room for them.

    A reference of a single value would otherwise put a moved feature into the bin it left.
    """
    groups = coarse_groups(fine_counts, COARSE_BINS).astype(np.int64)
    used = int(groups[np.flatnonzero(fine_counts)].max(initial=0)) + 1
    groups = np.minimum(groups, used - 1)
    apart = used + 2 <= COARSE_BINS
    low, middle, high = (0, groups + 1, used + 1) if apart else (0, groups, used - 1)
    return np.concatenate([np.full(TAIL_BINS, low), middle, np.full(TAIL_BINS, high)])


def project(inputs: Inputs, learned: LearningRow) -> Row:
    """The row of `Inputs` that *learned* is: exact where its bins are unions of learning bins.

    They are for every row that went into the reference. Sums are exact too, unless a value lies beyond
    the outermost edges and is clipped: then they are of the middles of bins, within 0.1% of a value.
    """
    row = inputs.zero()
    layout, bins = inputs.layout, inputs.bins
    layout.count(row, "records")[0] = learned.records
    block = layout.count(row, "bins")
    for column, key in enumerate(bins.numeric):
        tally = learned.numeric.get(key)
        if tally is None:
            block[column, MISSING] = learned.records
            continue
        _project_numeric(inputs, row, column, tally)
    cells = layout.count(row, "categories")
    for column, key in enumerate(bins.categorical):
        cells[column] = _project_texts(inputs, column, key, learned)
    return row


def _project_numeric(inputs: Inputs, row: Row, column: int, tally: NumericTally) -> None:
    layout, bins = inputs.layout, inputs.bins
    lower, upper = bin_bounds(tally.codes, tally.level)
    edges = bins.edges[column]
    cells = layout.count(row, "bins")[column]
    cells[:NUMERIC_BINS] = np.bincount(
        np.searchsorted(edges, upper), weights=tally.counts, minlength=NUMERIC_BINS
    )
    cells[MISSING], cells[NOT_FINITE] = tally.missing, tally.not_finite
    # A bin's end next to zero is the number as it was written, for numbers of few digits.
    near = np.where(np.abs(lower) < np.abs(upper), lower, upper)
    clipped = (upper < edges[0]) | (lower > edges[-1])
    outside = (near < bins.low[column]) | (near > bins.high[column])
    layout.count(row, "clipped")[column] = tally.counts[clipped].sum()
    layout.count(row, "outside")[column] = tally.counts[outside].sum()
    centre = float(bins.centre[column])
    deviation, square = tally.about(centre)
    if clipped.any():
        apart = np.clip(lower / 2 + upper / 2, edges[0], edges[-1]) - centre
        deviation, square = float(tally.counts @ apart), float(tally.counts @ apart**2)
    layout.sum(row, "deviation")[column] = deviation
    layout.sum(row, "square")[column] = square


def _project_texts(inputs: Inputs, column: int, key: str, learned: LearningRow) -> Ints:
    cells = np.zeros(inputs.category_cells, np.int64)
    texts = learned.categorical.get(key)
    numbers = learned.numeric.get(key)
    if texts is not None:
        _add_texts(inputs, column, texts, cells)
    elif numbers is not None:
        cells[inputs.other] = numbers.values + numbers.not_finite
        cells[inputs.missing] = numbers.missing
    else:
        cells[inputs.missing] = learned.records
    return cells


def _add_texts(inputs: Inputs, column: int, texts: CategoryTally, cells: Ints) -> None:
    if texts.counts:
        np.add.at(cells, inputs.codes(column, list(texts.counts)), list(texts.counts.values()))
    cells[inputs.other] += texts.other
    cells[inputs.missing] = texts.missing


# --- the file ---------------------------------------------------------------------------------


class _Numeric(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    mean: float
    standard_deviation: float
    centre: float
    low: float | None
    high: float | None
    edges: list[float]
    counts: list[int]
    coarse: list[int]
    missing: int
    not_finite: int
    clipped: int
    outside: int
    deviation: float
    square: float
    kind: str = "numeric"


class _Categorical(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    kind: str
    categories: dict[str, int]
    folded: list[str]
    other: int
    unseen: int
    missing: int


class _Day(msgspec.Struct, forbid_unknown_fields=True):
    day: int
    coarse: dict[str, list[int]]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    id: str
    records: int
    first: str | None
    last: str | None
    category_limit: int
    numeric: list[_Numeric]
    categorical: list[_Categorical]
    days: list[_Day]


def moments(inputs: Inputs, row: Row) -> tuple[Ints, Floats, Floats]:
    """Finite values, mean and standard deviation (ddof 0) of every numeric name; NaN when empty."""
    n = inputs.layout.count(row, "bins")[:, :NUMERIC_BINS].sum(axis=1, dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = inputs.layout.sum(row, "deviation") / n
        square = inputs.layout.sum(row, "square") / n
    return n, inputs.bins.centre + deviation, np.sqrt(np.maximum(square - deviation**2, 0.0))


def _iso(seconds: float) -> str | None:
    if np.isnan(seconds):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def to_json(reference: Reference) -> bytes:
    """The reference as readable JSON; every float is written so that it reads back equal."""
    inputs, bins, row = Inputs(reference.bins), reference.bins, reference.row
    names = (*bins.numeric, *bins.categorical)
    _, means, sds = moments(inputs, row)
    file = _File(
        FORMAT,
        FORMAT_VERSION,
        reference.id,
        inputs.records(row),
        _iso(reference.first),
        _iso(reference.last),
        bins.limit,
        [_numeric(inputs, row, i, float(means[i]), float(sds[i])) for i in range(len(bins.numeric))],
        [_categorical(inputs, row, i) for i in range(len(bins.categorical))],
        [_Day(day, dict(zip(names, counts.tolist(), strict=True))) for day, counts in reference.days],
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def _numeric(inputs: Inputs, row: Row, column: int, mean: float, sd: float) -> _Numeric:
    bins, layout = inputs.bins, inputs.layout
    cells = layout.count(row, "bins")[column]
    low, high = float(bins.low[column]), float(bins.high[column])
    return _Numeric(
        key=bins.numeric[column],
        mean=0.0 if np.isnan(mean) else mean,
        standard_deviation=0.0 if np.isnan(sd) else sd,
        centre=float(bins.centre[column]),
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        edges=bins.edges[column].tolist(),
        counts=cells[:NUMERIC_BINS].tolist(),
        coarse=bins.coarse[column].tolist(),
        missing=int(cells[MISSING]),
        not_finite=int(cells[NOT_FINITE]),
        clipped=int(layout.count(row, "clipped")[column]),
        outside=int(layout.count(row, "outside")[column]),
        deviation=float(layout.sum(row, "deviation")[column]),
        square=float(layout.sum(row, "square")[column]),
    )


def _categorical(inputs: Inputs, row: Row, column: int) -> _Categorical:
    bins = inputs.bins
    key = bins.categorical[column]
    cells = inputs.layout.count(row, "categories")[column].tolist()
    return _Categorical(
        key=key,
        kind="identifier" if key in bins.identifiers else "categorical",
        categories=dict(zip(bins.categories[column], cells, strict=False)),
        folded=sorted(bins.folded[column]),
        other=cells[inputs.other],
        unseen=cells[inputs.unseen],
        missing=cells[inputs.missing],
    )


def from_json(data: bytes, source: str) -> Reference:
    """The reference that `to_json` wrote; *source* names it in errors.

    Raises:
        ReferenceFileError: it isn't such JSON, is of a newer version, or contradicts itself.
    """
    try:
        file = msgspec.json.decode(data, type=_File)
    except msgspec.MsgspecError as error:
        raise ReferenceFileError(f"{source}: expected a reference file, got: {error}") from error
    if file.format != FORMAT or file.version != FORMAT_VERSION:
        raise ReferenceFileError(
            f"{source}: expected format {FORMAT} version {FORMAT_VERSION}, got "
            f"{file.format[:40]!r} version {file.version}"
        )
    _check(file, source)
    bins = InputBins(
        numeric=tuple(n.key for n in file.numeric),
        categorical=tuple(c.key for c in file.categorical),
        identifiers=frozenset(c.key for c in file.categorical if c.kind == "identifier"),
        edges=_stacked([np.array(n.edges) for n in file.numeric], NUMERIC_BINS - 1),
        centre=np.array([n.centre for n in file.numeric], np.float64),
        low=np.array([-np.inf if n.low is None else n.low for n in file.numeric], np.float64),
        high=np.array([np.inf if n.high is None else n.high for n in file.numeric], np.float64),
        coarse=_stacked([np.array(n.coarse) for n in file.numeric], NUMERIC_BINS).astype(np.int64),
        categories=tuple(tuple(c.categories) for c in file.categorical),
        folded=tuple(frozenset(c.folded) for c in file.categorical),
        limit=file.category_limit,
    )
    names = (*bins.numeric, *bins.categorical)
    days = tuple((d.day, np.array([d.coarse[name] for name in names], np.int64)) for d in file.days)
    row = _row(Inputs(bins), file)
    first, last = _seconds(file.first, source), _seconds(file.last, source)
    reference = _identified(bins, row, first, last, days)
    if reference.id != file.id:
        raise ReferenceFileError(
            f"{source}: its edges and counts give id {reference.id}, but it says {file.id[:40]!r}; "
            "a reference is made by `driftgauge profile`, not by hand"
        )
    return reference


def _seconds(text: str | None, source: str) -> float:
    if text is None:
        return float("nan")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ReferenceFileError(
            f"{source}: expected times like 2026-01-31T00:00:00Z, got {text[:40]!r}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check(file: _File, source: str) -> None:
    if not 0 <= file.records < 2**32:
        raise ReferenceFileError(f"{source}: records must be 0 to 4294967295")
    if not 0 <= file.category_limit <= MOST_CATEGORIES:
        raise ReferenceFileError(
            f"{source}: category_limit must be 0 to {MOST_CATEGORIES}, got {file.category_limit}"
        )
    names = Counter([*(n.key for n in file.numeric), *(c.key for c in file.categorical)])
    for key, times in names.items():
        if times > 1:
            raise ReferenceFileError(f"{source}: expected each name once, got {key!r} {times} times")
    for numeric in file.numeric:
        _check_numeric(numeric, source)
    for categorical in file.categorical:
        _check_categorical(categorical, file.category_limit, source)
    for day in file.days:
        _check_day(day, frozenset(names), source)


def _check_numeric(n: _Numeric, source: str) -> None:
    lengths = (len(n.edges), len(n.counts), len(n.coarse))
    if lengths != (NUMERIC_BINS - 1, NUMERIC_BINS, NUMERIC_BINS):
        raise ReferenceFileError(
            f"{source} numeric {n.key!r}: expected {NUMERIC_BINS - 1} edges and {NUMERIC_BINS} "
            f"counts and coarse bins, got {lengths[0]}, {lengths[1]} and {lengths[2]}"
        )
    if not np.all(np.diff(n.edges) >= 0) or not np.all(np.isfinite(n.edges)):
        raise ReferenceFileError(f"{source} numeric {n.key!r}: edges must be finite and ascend")
    _check_counts(source, n.key, [*n.counts, n.missing, n.not_finite, n.clipped, n.outside])
    if not all(0 <= c < COARSE_BINS for c in n.coarse):
        raise ReferenceFileError(f"{source} numeric {n.key!r}: coarse bins must be 0 to {COARSE_BINS - 1}")


def _check_categorical(c: _Categorical, limit: int, source: str) -> None:
    if len(c.categories) > limit:
        raise ReferenceFileError(
            f"{source} categorical {c.key!r}: expected at most {limit} categories, got {len(c.categories)}"
        )
    _check_counts(source, c.key, [*c.categories.values(), c.other, c.unseen, c.missing])


def _check_day(day: _Day, names: frozenset[str], source: str) -> None:
    if day.coarse.keys() != names or any(len(v) != COARSE_CELLS for v in day.coarse.values()):
        raise ReferenceFileError(f"{source} day {day.day}: expected {COARSE_CELLS} counts for each name")
    for key, counts in day.coarse.items():
        _check_counts(f"{source} day {day.day}", key, counts)


def _check_counts(source: str, key: str, counts: Sequence[int]) -> None:
    if not all(0 <= count < 2**32 for count in counts):
        raise ReferenceFileError(f"{source} {key!r}: counts must be 0 to 4294967295")


def _row(inputs: Inputs, file: _File) -> Row:
    row = inputs.zero()
    layout = inputs.layout
    layout.count(row, "records")[0] = file.records
    for i, n in enumerate(file.numeric):
        layout.count(row, "bins")[i] = [*n.counts, n.missing, n.not_finite]
        layout.count(row, "clipped")[i] = n.clipped
        layout.count(row, "outside")[i] = n.outside
        layout.sum(row, "deviation")[i] = n.deviation
        layout.sum(row, "square")[i] = n.square
    for i, c in enumerate(file.categorical):
        cells = layout.count(row, "categories")[i]
        cells[: len(c.categories)] = list(c.categories.values())
        cells[inputs.other :] = [c.other, c.unseen, c.missing]
    return row


def load(path: Path) -> Reference:
    """The reference in a file.

    Raises:
        ReferenceFileError: it can't be read or isn't one; the path stands in the message.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReferenceFileError(f"{path}: can't be read: {error.strerror}") from error
    return from_json(data, str(path))


def halves_differ(reference: Reference, floor: float) -> tuple[str, ...]:
    """Keys whose alternate days differ by a PSI of at least *floor*: an unstable reference."""
    from driftgauge.stats.divergence import psi

    if len(reference.days) < 2:
        return ()
    stack = np.array([counts for _, counts in reference.days])
    even, odd = stack[::2].sum(axis=0), stack[1::2].sum(axis=0)
    usable = (even.sum(axis=1) > 0) & (odd.sum(axis=1) > 0)
    names = np.array((*reference.bins.numeric, *reference.bins.categorical), object)[usable]
    values = psi(even[usable], odd[usable])
    return tuple(names[values >= floor])
