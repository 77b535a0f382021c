"""NDJSON: one flat object a line, or a record as it is sent to the intake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from driftgauge.profile.cells import CellKind, Column, ValueReader
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.findings import Findings
from driftgauge.profile.opening import Stream, buffered
from driftgauge.profile.settings import ProfileError, Settings

# float() makes an infinity of 1e999, where msgspec's own reading gives up the line.
_DECODER = msgspec.json.Decoder(float_hook=float)
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
_FLATTENED = ("features", "segments")
_MOST_COLUMNS = 10_000
_CHUNK_BYTES = 4 << 20


class NdjsonRecords:
    """The objects of an NDJSON file; their keys are the columns, in order of appearance.

    Objects under ``features`` and ``segments`` are flattened, so that records as they are sent to
    ``POST /v1/predictions`` can be profiled. Args as of `CsvRecords`.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        skipped: frozenset[str],
        kinds: Mapping[str, CellKind],
        findings: Findings,
    ) -> None:
        self.path = path
        self._settings = settings
        self._skipped, self._kinds = skipped, kinds
        self._findings = findings
        self._stream = Stream(path)
        self._readers: dict[str, ValueReader | None] = {}

    def names(self) -> tuple[str, ...] | None:
        """None: every line may bring new ones."""
        return None

    def position(self) -> int:
        """Bytes of the file that have been read."""
        return self._stream.position()

    def chunks(self) -> Iterator[Chunk]:
        """All objects."""
        source = buffered(self._stream)
        if source.peek(3)[:3] == b"\xef\xbb\xbf":
            source.read(3)
        if source.peek(1)[:1] == b"[":
            raise ProfileError(f"{self.path}:1: expected one JSON object a line, got a list")
        line = 0
        while lines := self._lines(source):
            yield self._chunk(lines, line)
            line += len(lines)

    def _lines(self, source: BinaryIO) -> list[bytes]:
        """The lines of a chunk: so many rows, or so many bytes where rows are long."""
        lines, size = [], 0
        for line in islice(source, self._settings.chunk_rows):
            lines.append(line)
            size += len(line)
            if size > _CHUNK_BYTES:
                break
        return lines

    def _chunk(self, lines: list[bytes], before: int) -> Chunk:
        records: list[dict[str, object]] = []
        numbers: list[int] = []
        for number, line in enumerate(lines, before + 1):
            record = self._record(line, number)
            if record is not None:
                records.append(record)
                numbers.append(number)

        def where(row: int) -> str:
            return f"line {numbers[row]}"

        self._take_up(records)
        columns: dict[str, Column] = {}
        for name, reader in self._readers.items():
            if reader is not None:
                column = reader.read([record.get(name) for record in records], where)
                if column is not None:
                    columns[name] = column
        return Chunk(len(records), columns, where)

    def _record(self, line: bytes, number: int) -> dict[str, object] | None:
        if line.isspace():
            return None
        try:
            record = _DECODER.decode(line)
        except _UNREADABLE:
            self._findings.add(1, "row", "left out: expected a JSON object", f"line {number}, not JSON")
            return None
        if not isinstance(record, dict):
            self._findings.add(1, "row", "left out: expected a JSON object", f"line {number}, another value")
            return None
        return _flat(record)

    def _take_up(self, records: list[dict[str, object]]) -> None:
        longest = self._settings.limits.label_characters
        for record in records:
            for name in record:
                if name in self._readers:
                    continue
                if len(self._readers) >= _MOST_COLUMNS:
                    raise ProfileError(f"{self.path}: expected at most {_MOST_COLUMNS} columns, got more")
                wanted = bool(name) and name not in self._skipped
                self._readers[name] = (
                    ValueReader(name, self._kinds.get(name), longest, self._findings) if wanted else None
                )


def _flat(record: dict[str, object]) -> dict[str, object]:
    """*record* with the members of its features and segments beside its own."""
    if not any(isinstance(record.get(name), dict) for name in _FLATTENED):
        return record
    flat = {k: v for k, v in record.items() if k not in _FLATTENED}
    for name in _FLATTENED:
        nested = record.get(name)
        if isinstance(nested, dict):
            flat |= nested
    return flat
