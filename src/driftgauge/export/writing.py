"""Kept records as CSV, NDJSON or Parquet."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from driftgauge.errors import DriftgaugeError
from driftgauge.export.records import Joined, Kept, Wanted
from driftgauge.records import Label
from driftgauge.store import Reader

FIXED = (
    "model",
    "model_version",
    "prediction_id",
    "prediction_timestamp",
    "outcome_timestamp",
    "prediction",
    "score",
    "outcome",
    "value",
)
_TIMES = (FIXED.index("prediction_timestamp"), FIXED.index("outcome_timestamp"))
PARQUET_ROWS = 20_000


class ExportFormat(StrEnum):
    """The form of an export."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: the fixed ones, features by their names, segments as ``segment.plan``.

    A feature that has a fixed column's name is ``feature.score``.
    """

    features: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in order."""
        features = (f"feature.{name}" if name in FIXED else name for name in self.features)
        return (*FIXED, *features, *(f"segment.{name}" for name in self.segments))

    def cells(self, record: Kept) -> list[Label]:
        """A record's values, in the same order; times as RFC 3339."""
        fixed: list[Label] = [getattr(record, name) for name in FIXED]
        for place in _TIMES:
            fixed[place] = _moment(fixed[place])
        features = [record.features.get(name) for name in self.features]
        return [*fixed, *features, *(record.segments.get(name) for name in self.segments)]


def write(directory: Path, wanted: Wanted, form: ExportFormat, output: Path | None) -> int:
    """Write the wanted records of a data directory; how many there were.

    Tables take passes of their own to learn their columns and types; memory: see `Joined`.

    Raises:
        DriftgaugeError: the store can't be read, *output* can't be written, or pyarrow is missing.
    """
    writers: dict[ExportFormat, Callable[[Joined, Path | None], int]] = {
        ExportFormat.CSV: _write_csv,
        ExportFormat.NDJSON: _write_ndjson,
        ExportFormat.PARQUET: _write_parquet,
    }
    with Reader(directory) as reader:
        return writers[form](Joined(reader, wanted), output)


def _columns(records: Joined) -> Columns:
    """The columns of all records."""
    features: dict[str, None] = {}
    segments: dict[str, None] = {}
    for record in records:
        features |= dict.fromkeys(record.features)
        segments |= dict.fromkeys(record.segments)
    return Columns(tuple(features), tuple(segments))


def _write_csv(records: Joined, output: Path | None) -> int:
    columns = _columns(records)
    count = 0
    with _opened(output) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns.names)
        for record in records:
            writer.writerow([_cell(value) for value in columns.cells(record)])
            count += 1
        text.detach()
    return count


def _write_ndjson(records: Joined, output: Path | None) -> int:
    count = 0
    with _opened(output) as file:
        for record in records:
            file.write(msgspec.json.encode(record) + b"\n")
            count += 1
    return count


def _write_parquet(records: Joined, output: Path | None) -> int:
    if output is None:
        raise DriftgaugeError("--output: expected a file for Parquet, got none")
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise DriftgaugeError(
            "--format parquet: expected pyarrow, got none; pip install 'driftgauge[parquet]'"
        ) from error
    columns = _columns(records)
    kinds = _kinds((columns.cells(record) for record in records), len(columns.names))
    schema = pa.schema([(name, kind(pa)) for name, kind in zip(columns.names, kinds, strict=True)])
    count = 0
    with _opened(output) as file, parquet.ParquetWriter(file, schema) as writer:
        left = iter(records)
        while page := [columns.cells(record) for record in islice(left, PARQUET_ROWS)]:
            count += len(page)
            writer.write_table(_table(pa, schema, page))
    return count


def _kinds(rows: Iterator[list[Label]], width: int) -> list[Callable[[Any], Any]]:
    """The Arrow type of each column: numbers, booleans, else text."""
    types: list[set[type]] = [set() for _ in range(width)]
    for row in rows:
        for seen, value in zip(types, row, strict=True):
            if value is not None:
                seen.add(type(value))
    return [_kind(seen) for seen in types]


def _kind(seen: set[type]) -> Callable[[Any], Any]:
    if seen and seen <= {int, float}:
        return lambda pa: pa.float64()
    return (lambda pa: pa.bool_()) if seen == {bool} else (lambda pa: pa.string())


def _table(pa: Any, schema: Any, page: Sequence[list[Label]]) -> Any:
    arrays = []
    for field, values in zip(schema, zip(*page, strict=True), strict=True):
        if field.type == pa.string():
            arrays.append(pa.array([None if v is None else str(_cell(v)) for v in values], field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema)


def _moment(value: Label) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")


def _cell(value: Label) -> Label:
    """Booleans as JSON has them."""
    return ("true" if value else "false") if isinstance(value, bool) else value


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """*output*, put in its place when it is whole; stdout when None."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(output)
    except OSError as error:
        raise DriftgaugeError(f"{output}: can't be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
