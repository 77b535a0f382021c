"""CSV: rows in bulk, columns typed, malformed rows left out and counted with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from driftgauge.profile.cells import CellKind, CellReader, Column
from driftgauge.profile.chunks import Chunk
from driftgauge.profile.findings import Findings
from driftgauge.profile.opening import BLOCK_BYTES, Stream, buffered
from driftgauge.profile.settings import ProfileError, Settings

_Row = list[str]


class CsvRecords:
    """The rows of a CSV file; its first line names the columns.

    Args:
        skipped: columns whose cells aren't looked at.
        kinds: declared kinds by column.

    Cost: about 3 us a row of 7 columns.
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
        self._findings = findings
        self._stream = Stream(path)
        text = io.TextIOWrapper(
            buffered(self._stream), encoding="utf-8", errors="surrogateescape", newline=""
        )
        text._CHUNK_SIZE = BLOCK_BYTES  # type: ignore[attr-defined]  # noqa: SLF001  # 8 kB at a time cost a tenth more
        delimiter = "\t" if _is_tsv(path) and settings.delimiter == "," else settings.delimiter
        self._reader = csv.reader(text, delimiter=delimiter)
        self._header = _header(path, self._reader, delimiter)
        self._chunk_rows = settings.rows_at_once(len(self._header))
        missing = settings.missing | {""}
        longest = settings.limits.label_characters
        self._readers = {
            place: CellReader(name, missing, kinds.get(name), longest, findings)
            for place, name in enumerate(self._header)
            if name and name not in skipped
        }
        if "" in self._header:
            place = self._header.index("") + 1
            findings.add(1, "column", "without a name left out", f"column {place}")

    def names(self) -> tuple[str, ...]:
        """The header, without columns that have no name."""
        return tuple(name for name in self._header if name)

    def position(self) -> int:
        """Bytes of the file that have been read."""
        return self._stream.position()

    def chunks(self) -> Iterator[Chunk]:
        """All well-formed rows."""
        while True:
            before = self._reader.line_num
            rows, broken = self._rows()
            if rows:
                yield self._chunk(rows, before)
            if broken:
                sentence = "left out: expected a row, got a field without an end (an open quote?)"
                self._findings.add(1, "row", sentence, f"line {self._reader.line_num}")
            elif len(rows) < self._chunk_rows:
                return

    def _rows(self) -> tuple[list[_Row], bool]:
        """Rows of a chunk, and whether the one after them can't be read."""
        rows: list[_Row] = []
        try:
            rows.extend(islice(self._reader, self._chunk_rows))
        except csv.Error:
            return rows, True
        return rows, False

    def _chunk(self, rows: list[_Row], before: int) -> Chunk:
        plain = self._reader.line_num == before + len(rows)
        lines: Sequence[int] = range(before + 1, before + 1 + len(rows)) if plain else _starts(rows, before)
        if self._stream.suspect or set(map(len, rows)) != {len(self._header)}:
            rows, lines = self._well_formed(rows, lines)

        def where(row: int) -> str:
            return f"line {lines[row]}"

        cells = list(zip(*rows, strict=True))
        columns: dict[str, Column] = {}
        for place, reader in self._readers.items() if rows else ():
            column = reader.read(cells[place], where)
            if column is not None:
                columns[reader.name] = column
        return Chunk(len(rows), columns, where)

    def _well_formed(self, rows: list[_Row], lines: Sequence[int]) -> tuple[list[_Row], list[int]]:
        """Rows of as many fields as the header has, without NUL, in UTF-8; and their lines."""
        kept, kept_lines = [], []
        for row, line in zip(rows, lines, strict=True):
            fault = self._fault(row)
            if fault is None:
                kept.append(row)
                kept_lines.append(line)
            elif row:  # a blank line is no row
                sentence, found = fault
                self._findings.add(1, "row", f"left out: expected {sentence}", f"line {line}{found}")
        return kept, kept_lines

    def _fault(self, row: _Row) -> tuple[str, str] | None:
        """What was expected of a row that can't be taken, and what was found."""
        width = len(self._header)
        if len(row) != width:
            return f"{width} fields", f", {len(row)} fields"
        if not self._stream.suspect:
            return None
        if any("\0" in cell for cell in row):
            return "no NUL", ""
        return None if all(map(_encodable, row)) else ("UTF-8", "")


def _encodable(cell: str) -> bool:
    """Whether a cell is text; bytes that were not UTF-8 are lone surrogates in it."""
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _starts(rows: Sequence[_Row], before: int) -> list[int]:
    """The line in which each row begins, quoted line ends counted."""
    starts, line = [], before + 1
    for row in rows:
        starts.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    return starts


def _header(path: Path, reader: Iterator[_Row], delimiter: str) -> tuple[str, ...]:
    try:
        names = next(reader, None)
    except csv.Error as error:
        raise ProfileError(f"{path}:1: expected a header, got: {error}") from error
    if not names:
        raise ProfileError(f"{path}:1: expected a header that names the columns, got nothing")
    names[0] = names[0].removeprefix("\ufeff")
    for place, name in enumerate(names):
        if not _encodable(name) or "\0" in name:
            raise ProfileError(f"{path}:1: expected a header in UTF-8, got bytes that are not")
        if name and name in names[:place]:
            raise ProfileError(f"{path}:1: expected each column once, got {name!r} again")
    other = next((mark for mark in (";", "\t", "|") if mark != delimiter and mark in names[0]), None)
    if len(names) == 1 and other is not None:
        flag = f"--delimiter {'TAB' if other == chr(9) else repr(other)}"
        raise ProfileError(
            f"{path}:1: expected columns parted by {delimiter!r}, got one column; perhaps {flag}?"
        )
    return tuple(names)


def _is_tsv(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".tsv")
