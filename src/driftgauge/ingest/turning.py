"""Columns turned into records, to be read with care."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np

from driftgauge.ingest.fields import NESTED, Key
from driftgauge.ingest.texts import nullable
from driftgauge.ingest.wording import Fault, kind, shown
from driftgauge.records import Floats, Reason

Object: TypeAlias = Mapping[str, object]
Path: TypeAlias = tuple[str, ...]


class MisshapenError(Exception):
    """Columns that are no columns; carries the `Fault` of the whole request."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(reason, detail)


@dataclass(frozen=True, slots=True)
class Turning:
    """Columns of *n* cells each, and what holds for all their records.

    Attributes:
        flat, nested: the columns by key, and those below a key by theirs.
        whole: the model and the version, under the keys that a record has them.
    """

    flat: Mapping[str, list[Any]]
    nested: Mapping[str, Mapping[str, list[Any]]]
    n: int
    whole: Mapping[str, Any]

    def records(self, start: int, stop: int) -> Sequence[Object]:
        """The records from *start* to before *stop*."""
        records: list[dict[str, Any]] = [dict(self.whole) for _ in range(start, min(stop, self.n))]
        for name, cells in self.flat.items():
            for record, cell in zip(records, cells[start:stop], strict=True):
                if cell is not None or name not in self.whole:
                    record[name] = cell
        for name, columns in self.nested.items():
            cut = [cells[start:stop] for cells in columns.values()]
            rows = zip(*cut, strict=True) if cut else repeat(())
            for record, row in zip(records, rows, strict=False):
                record[name] = dict(zip(columns, row, strict=True))
        return records


def turning(columns: object, keys: Sequence[Key], model: str | None, version: object) -> Turning:
    """*columns*, decoded JSON, ready to be turned.

    Raises:
        MisshapenError: something in it is no column, or one differs in length from the first.
    """
    shapes = {key.incoming: key.shape for key in keys}
    taken = _Columns()
    flat: dict[str, list[Any]] = {}
    nested: dict[str, dict[str, list[Any]]] = {}
    for name, column in _object(columns, ("columns",), "an object").items():
        if column is None:
            continue
        if shapes.get(name) in NESTED:
            below = _object(column, ("columns", name), "an object of columns")
            named = {each: taken.of(cells, (name, each)) for each, cells in below.items()}
            nested[name] = {each: cells for each, cells in named.items() if cells is not None}
        else:
            flat[name] = taken.of(column, (name,)) or []
    whole = {"model": model, "model_version": version}
    return Turning(
        flat, nested, taken.n, {key.incoming: whole[key.field] for key in keys if key.field in whole}
    )


class _Columns:
    """Gives columns as lists, and holds them all to the length of the first."""

    def __init__(self) -> None:
        self.n = 0
        self.first: Path = ()

    def of(self, column: object, path: Path) -> list[Any] | None:
        if column is None:
            return None
        cells = column if isinstance(column, list) else _unpacked(column, path)
        if not self.first:
            self.first, self.n = path, len(cells)
        elif len(cells) != self.n:
            raise MisshapenError(
                Reason.COLUMNS_DIFFER,
                f"{_place(path)}: expected {self.n} values, as many as {_place(self.first)} has, "
                f"got {len(cells)}",
            )
        return cells


def _place(path: Path) -> str:
    return ".".join(("columns", *map(shown, path)))


def _unpacked(column: object, path: Path) -> list[Any]:
    if isinstance(column, dict) and column.keys() == {"float64"}:
        return nullable(_numbers(column["float64"], _place((*path, "float64"))))
    expected = 'expected an array or {"float64": base64}'
    raise MisshapenError(Reason.WRONG_TYPE, f"{_place(path)}: {expected}, got {kind(column)}")


def _numbers(text: object, place: str) -> Floats:
    expected = "expected base64 of little-endian float64"
    if not isinstance(text, str):
        raise MisshapenError(Reason.WRONG_TYPE, f"{place}: {expected}, got {kind(text)}")
    try:
        data = binascii.a2b_base64(text.encode(), strict_mode=True)
    except ValueError:
        raise MisshapenError(Reason.MALFORMED, f"{place}: {expected}, got other text") from None
    numbers = unpacked(data)
    if numbers is None:
        raise MisshapenError(Reason.MALFORMED, f"{place}: {expected}, got {len(data)} bytes")
    return numbers


def unpacked(data: bytes) -> Floats | None:
    """The numbers of *data*, little-endian float64; None where a part of one is left over."""
    if len(data) % 8:
        return None
    return np.frombuffer(data, "<f8").astype(np.float64)


def _object(value: object, path: Path, expected: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    place = ".".join((path[0], *map(shown, path[1:])))
    raise MisshapenError(Reason.WRONG_TYPE, f"{place}: expected {expected}, got {kind(value)}")
