"""Parquet, through pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from driftgauge.ingest.texts import texts
from driftgauge.profile.cells import CellKind, Column, Numbers, Texts
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.findings import Findings
from driftgauge.profile.settings import ProfileError, Settings


class ParquetRecords:
    """The rows of a Parquet file. Args as of `CsvRecords`.

    Moments become epoch seconds in the column of `--time` and text elsewhere; what is neither a
    number, a text, true or false nor a moment is left out, a column at a time.

    Raises:
        ProfileError: pyarrow is not installed, or the file is no Parquet.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        skipped: frozenset[str],
        kinds: Mapping[str, CellKind],
        findings: Findings,
    ) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise ProfileError(
                f"{path}: expected pyarrow for Parquet, got none; pip install 'driftgauge[parquet]'"
            ) from error
        self.path = path
        self._arrow: Any = pa
        self._settings, self._kinds, self._findings = settings, kinds, findings
        try:
            self._file: Any = parquet.ParquetFile(path)
        except FileNotFoundError as error:
            raise ProfileError(f"{path}: expected a file, got none of that name") from error
        except (pa.ArrowException, OSError) as error:
            raise ProfileError(f"{path}: expected a Parquet file, got: {_line(error)}") from error
        self._schema: Any = self._file.schema_arrow
        self._size = path.stat().st_size
        self._rows = 0
        self._wanted = [n for n in self._schema.names if n and n not in skipped and self._readable(n)]

    def names(self) -> tuple[str, ...]:
        """The schema's columns."""
        return tuple(self._schema.names)

    def position(self) -> int:
        """Bytes of the file that have been read, by the share of its rows."""
        rows = int(self._file.metadata.num_rows)
        return self._size * self._rows // max(1, rows)

    def chunks(self) -> Iterator[Chunk]:
        """All rows."""
        try:
            rows = self._settings.rows_at_once(len(self._wanted))
            for batch in self._file.iter_batches(rows, columns=self._wanted):
                yield self._chunk(batch)
        except (self._arrow.ArrowException, OSError) as error:
            raise ProfileError(f"{self.path}: can't be read on: {_line(error)}") from error

    def _chunk(self, batch: Any) -> Chunk:
        before = self._rows
        self._rows += batch.num_rows
        columns: dict[str, Column] = {}
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if values.null_count < len(values):
                columns[name] = self._column(name, values)
        return Chunk(batch.num_rows, columns, lambda row: f"row {before + row + 1}")

    def _readable(self, name: str) -> bool:
        kind = self._schema.field(name).type
        types = self._arrow.types
        if types.is_dictionary(kind):
            kind = kind.value_type
        fits = any(
            test(kind)
            for test in (
                types.is_integer,
                types.is_floating,
                types.is_decimal,
                types.is_boolean,
                types.is_string,
                types.is_large_string,
                types.is_timestamp,
                types.is_date,
                types.is_null,
            )
        )
        if not fits:
            sentence = "left out: expected numbers, texts, booleans or moments"
            self._findings.add(1, "column", sentence, f"{name!r}, {kind}")
        return fits

    def _column(self, name: str, values: Any) -> Column:
        arrow, types = self._arrow, self._arrow.types
        if types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if name == self._settings.roles.time and (
            types.is_timestamp(values.type) or types.is_date(values.type)
        ):
            micros = values.cast(arrow.timestamp("us")).cast(arrow.int64())
            return Numbers(_floats(arrow, micros) / 1e6)
        kind = self._kinds.get(name)
        numeric = types.is_integer(values.type) or types.is_floating(values.type)
        if (numeric or types.is_decimal(values.type)) and kind in {None, CellKind.NUMBER}:
            return Numbers(_floats(arrow, values))
        longest = self._settings.limits.label_characters
        found = texts([_scalar(v) for v in values.to_pylist()], longest)
        return Texts(found, types.is_boolean(values.type))


def _floats(arrow: Any, values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    floats = values.cast(arrow.float64(), safe=False)
    return np.asarray(floats.to_numpy(zero_copy_only=False), np.float64)


def _scalar(value: Any) -> bool | int | float | str | None:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
