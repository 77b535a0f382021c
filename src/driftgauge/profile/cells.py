"""Columns of a chunk as numbers or texts, decided once a column as a JSON sender would have sent them.

A column's kind is settled by the first chunk in which it has a value: all cells numbers, all true or
false, else text. What doesn't fit later counts as missing and is reported.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.config_file.scalars import label_text
from driftgauge.ingest.texts import cut, text_of
from driftgauge.profile.findings import Findings
from driftgauge.records import Floats

Where: TypeAlias = Callable[[int], str]

# As JSON has them, with what programs that write CSV add: a plus, ".5", "5.". Not 02139: leading
# zeros are codes. NaN is missing, an infinity not finite.
_NUMBER = re.compile(
    r"[-+]?(?:(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|(?i:nan|inf|infinity))"
)
_BOOLEANS = {word: word.lower() for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_MOSTLY = 0.5


class CellKind(StrEnum):
    """What a column's cells are."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Numbers:
    """n numbers of one column, shape (n,); NaN is missing, an infinity not finite."""

    values: Floats

    def at(self, kept: NDArray[np.bool_]) -> Numbers:
        """The kept rows."""
        return Numbers(self.values[kept])


@dataclass(frozen=True, slots=True)
class Texts:
    """n texts of one column, None where missing; *booleans* where all are "true" or "false"."""

    values: Sequence[str | None]
    booleans: bool = False

    def at(self, kept: NDArray[np.bool_]) -> Texts:
        """The kept rows."""
        return Texts([v for v, keep in zip(self.values, kept.tolist(), strict=True) if keep], self.booleans)


Column: TypeAlias = Numbers | Texts


def _shown(cell: object) -> str:
    return repr(cell if not isinstance(cell, str) or len(cell) <= 40 else cell[:39] + "…")


class CellReader:
    """Cells of one CSV column.

    Args:
        missing: what an empty value looks like, "" among it.
        kind: where the configuration declares one.
        longest: characters of a text that are kept, as in `serve`.
    """

    def __init__(
        self, name: str, missing: frozenset[str], kind: CellKind | None, longest: int, findings: Findings
    ) -> None:
        self.name = name
        self.kind = kind
        self._declared = kind is not None
        self._missing = missing
        self._longest = longest
        self._findings = findings

    def read(self, cells: Sequence[str], where: Where) -> Column | None:
        """The column of *cells*; None while nothing but missing values was seen."""
        if self.kind is None:
            self.kind = self._settled(cells, where)
        if self.kind is None:
            return None
        return self._numbers(cells, where) if self.kind is CellKind.NUMBER else self._texts(cells)

    def _settled(self, cells: Sequence[str], where: Where) -> CellKind | None:
        distinct = {cell.strip() for cell in set(cells)} - self._missing
        if not distinct:
            return None
        numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in distinct)
        if numbers == len(distinct):
            return CellKind.NUMBER
        if all(cell in _BOOLEANS for cell in distinct):
            return CellKind.BOOLEAN
        if numbers > _MOSTLY * len(distinct):
            self._hint(cells, where)
        return CellKind.TEXT

    def _hint(self, cells: Sequence[str], where: Where) -> None:
        """Say that a column is text though most of it is numbers: often a mark for missing values."""
        for row, cell in enumerate(cells):
            if cell.strip() not in self._missing and not _NUMBER.fullmatch(cell.strip()):
                text = _shown(cell)
                sentence = (
                    f"{self.name!r} is text, though mostly numbers; --missing names marks of missing ones"
                )
                self._findings.add(1, "column", sentence, f"{where(row)}, {text}")
                return

    def _numbers(self, cells: Sequence[str], where: Where) -> Numbers:
        missing = self._missing
        try:
            values = np.array([math.nan if cell in missing else float(cell) for cell in cells])
        except ValueError:
            return self._one_by_one(cells, where)
        # float() takes 1_000 and digits of every script for numbers; both are texts to JSON.
        joined = ",".join(cells)
        if "_" in joined or not joined.isascii():
            return self._one_by_one(cells, where)
        return Numbers(values)

    def _one_by_one(self, cells: Sequence[str], where: Where) -> Numbers:
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            stripped = cell.strip()
            if stripped in self._missing:
                continue
            number = _number(stripped)
            if number is not None:
                values[row] = number
            else:
                sentence = f"of {self.name!r} counted as missing: expected a number"
                self._findings.add(1, "value", sentence, f"{where(row)}, {_shown(cell)}")
        return Numbers(values)

    def _texts(self, cells: Sequence[str]) -> Texts:
        distinct = set(cells)
        if self.kind is CellKind.TEXT and not self._declared and max(map(len, distinct)) <= self._longest:
            gone = {cell for cell in distinct if cell.strip() in self._missing}
            return Texts([None if cell in gone else cell for cell in cells] if gone else cells)
        plain = {cell: self._text(cell) for cell in distinct}
        return Texts(list(map(plain.__getitem__, cells)), self.kind is CellKind.BOOLEAN)

    def _text(self, cell: str) -> str | None:
        if cell.strip() in self._missing:
            return None
        if self.kind is CellKind.BOOLEAN:
            return _BOOLEANS.get(cell.strip(), cut(cell, self._longest))
        # Declared categorical: the sender's 5 and 5.0 are "5".
        return cut(label_text(cell) if self._declared else cell, self._longest)


def _number(cell: str) -> float | None:
    """The number that a cell of a column of numbers is; leading zeros do no harm there."""
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


class ValueReader:
    """Values of one column of JSON objects; as `CellReader`, but each value has its own type."""

    def __init__(self, name: str, kind: CellKind | None, longest: int, findings: Findings) -> None:
        self.name = name
        self.kind = kind
        self._longest = longest
        self._findings = findings

    def read(self, values: Sequence[object], where: Where) -> Column | None:
        """The column of *values*; None while no number, text or boolean was seen."""
        types = set(map(type, values)) - {type(None)}
        if self.kind is None:
            self.kind = _kind_of(types)
        if not types <= {int, float, bool, str}:
            values = self._scalars(values, where)
        if self.kind is None:
            return None
        return self._numbers(values, where) if self.kind is CellKind.NUMBER else self._texts(values)

    def _scalars(self, values: Sequence[object], where: Where) -> Sequence[object]:
        nested = [row for row, value in enumerate(values) if isinstance(value, list | dict)]
        sentence = f"of {self.name!r} counted as missing: expected a number, a text, or true or false"
        if nested:
            self._findings.add(len(nested), "value", sentence, f"{where(nested[0])}, a list or an object")
        return [None if isinstance(value, list | dict) else value for value in values]

    def _numbers(self, values: Sequence[object], where: Where) -> Numbers:
        found = np.full(len(values), np.nan)
        for row, value in enumerate(values):
            if type(value) is float or type(value) is int:
                found[row] = _float(value)
            elif value is not None:
                sentence = f"of {self.name!r} counted as missing: expected a number"
                self._findings.add(1, "value", sentence, f"{where(row)}, {_shown(value)}")
        return Numbers(found)

    def _texts(self, values: Sequence[object]) -> Texts:
        return Texts(
            [None if v is None else text_of(v, self._longest) for v in values],  # type: ignore[arg-type]  # scalars alone are left
            self.kind is CellKind.BOOLEAN,
        )


def _kind_of(types: set[type]) -> CellKind | None:
    scalars = types & {int, float, bool, str}
    if not scalars:
        return None
    if scalars <= {int, float}:
        return CellKind.NUMBER
    return CellKind.BOOLEAN if scalars == {bool} else CellKind.TEXT


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
