"""The file of a reference: versioned JSON that a person can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from driftgauge.errors import ReferenceFileError
from driftgauge.layout import Row
from driftgauge.reference import loss as losses
from driftgauge.reference.relation import RelationFile, loaded, saved
from driftgauge.reference.values import Reference, identified, moments, stacked
from driftgauge.sketches.inputs import (
    COARSE_BINS,
    COARSE_CELLS,
    MISSING,
    NOT_FINITE,
    NUMERIC_BINS,
    InputBins,
    Inputs,
)

FORMAT = "driftgauge-reference"
FORMAT_VERSION = 1
MOST_CATEGORIES = 100_000


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


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
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
    relation: RelationFile | None = None
    loss: losses.LossFile | None = None


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
        None if reference.relation is None else saved(reference.relation),
        None if reference.loss is None else losses.saved(reference.loss),
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
        edges=stacked([np.array(n.edges) for n in file.numeric], NUMERIC_BINS - 1),
        centre=np.array([n.centre for n in file.numeric], np.float64),
        low=np.array([-np.inf if n.low is None else n.low for n in file.numeric], np.float64),
        high=np.array([np.inf if n.high is None else n.high for n in file.numeric], np.float64),
        coarse=stacked([np.array(n.coarse) for n in file.numeric], NUMERIC_BINS).astype(np.int64),
        categories=tuple(tuple(c.categories) for c in file.categorical),
        folded=tuple(frozenset(c.folded) for c in file.categorical),
        limit=file.category_limit,
    )
    names = (*bins.numeric, *bins.categorical)
    days = tuple((d.day, np.array([d.coarse[name] for name in names], np.int64)) for d in file.days)
    row = _row(Inputs(bins), file)
    first, last = _seconds(file.first, source), _seconds(file.last, source)
    reference = identified(bins, row, first, last, days)
    if file.relation is not None:
        reference = replace(reference, relation=loaded(file.relation, source))
    if file.loss is not None:
        reference = replace(reference, loss=losses.loaded(file.loss, source))
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
