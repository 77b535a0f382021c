"""Decoded structures -> loose columns: the pivot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple

from driftgauge.ingest.columns import Loose, Place, Spoilt
from driftgauge.ingest.finish import packed
from driftgauge.ingest.forms import NULL, Form, Part
from driftgauge.records import Floats, Label, Reason

NESTED = ("features", "segments")
REPEATING: Final = frozenset({"model", "model_version", "prediction", "outcome"})
"""Fields of few distinct texts, as categories and segments are."""
MOST_SHARED: Final = 256
"""Distinct texts of a column from which sharing them costs more than it saves."""


class Pivot:
    """Columns of structures of one form, which come a lot at a time, in order.

    Small lots are faster than large ones: a lot's objects are let go while they still are in the
    core's cache.
    """

    def __init__(self, form: Form) -> None:
        self.n = 0
        self._form = form
        self._places = form.places
        self._ignored: list[tuple[int, list[Any]]] = [(place, []) for place in form.ignored_places]
        self._plain: dict[str, list[Any]] = {name: [] for name in form.attributes if name not in NESTED}
        self._shared: dict[str, dict[str | None, str | None]] = {
            name: {} for name in REPEATING & self._plain.keys()
        }
        parts = {"features": form.features, "segments": form.segments}
        self._nested = {name: _Nested(part) for name, part in parts.items() if name in form.attributes}

    def take(self, records: Iterable[Struct]) -> None:
        """Adds *records*, at least one."""
        columns = list(zip(*map(astuple, records), strict=True))
        for name, whole in self._plain.items():
            column = self._column(name, columns)
            known = self._shared.get(name)
            whole.extend(column if known is None else shared(column, known))
        for place, whole in self._ignored:
            whole.extend(columns[place])
        for name, nested in self._nested.items():
            nested.take(self._column(name, columns))
        self.n += len(columns[0])

    def _column(self, name: str, columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """The values of a field, which may stand under several keys."""
        places = self._places[name]
        return columns[places[0]] if len(places) == 1 else merged([columns[place] for place in places])

    def loose(self, place: Place, spoilt: Mapping[int, Spoilt]) -> Loose:
        """The columns of all records taken, which stood at *place*."""
        fields: dict[str, Sequence[Any]] = dict(self._plain)
        features, segments = self._nested.get("features"), self._nested["segments"]
        ignored = segments.skipped()
        ignored += [(Reason.UNKNOWN_KEY, _counted(whole)) for _, whole in self._ignored]
        return Loose(
            place=place,
            scores=fields.pop("scores", ()),
            fields=fields,
            numeric_names=() if features is None else self._form.features.names.numeric,
            numeric=np.empty((0, self.n)) if features is None else features.matrix(),
            categorical={} if features is None else features.columns(),
            segments=segments.columns(),
            given=None if features is None else features.given(),
            dropped=[] if features is None else features.skipped(),
            ignored=ignored,
            spoilt=spoilt,
        )


def shared(column: Sequence[Any], known: dict[str | None, str | None]) -> Iterable[Any]:
    """*column*, each text of it the one object that *known* holds of it.

    A lot's texts are in the core's cache, a whole column's are not: what looks at every value of it
    later finds the few that are left.
    """
    if len(known) > MOST_SHARED or not set(map(type, column)) <= {str, NoneType}:
        return column
    return map(known.setdefault, column, column)


def merged(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The first of *columns* with the others' values where it has none."""
    first = columns[0]
    for other in columns[1:]:
        first = [b if a is None or a != a else a for a, b in zip(first, other, strict=True)]  # noqa: PLR0124  # NaN
    return first


class _Nested:
    """The columns of features, or of segments."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._n = 0
        self._absent: list[int] = []
        self._numeric: list[tuple[int, list[bytes]]] = [(place, []) for place in part.numeric_places]
        self._others: dict[int, list[Any]] = {place: [] for place in part.other_places}
        categorical = (part.position[each] for each in part.categorical)
        self._shared: dict[int, dict[str | None, str | None]] = {place: {} for place in categorical}

    def take(self, structures: Sequence[Struct | None]) -> None:
        """Adds the parts of a lot of records; None where a record had none."""
        if not all(structures):
            self._absent += [self._n + row for row, each in enumerate(structures) if each is None]
            empty = self._part.empty
            structures = [empty if each is None else each for each in structures]
        self._n += len(structures)
        columns = list(zip(*map(astuple, structures), strict=True))  # type: ignore[arg-type]  # none is None
        for place, lots in self._numeric:
            lots.append(packed(columns[place]))
        for place, whole in self._others.items():
            known = self._shared.get(place)
            whole.extend(columns[place] if known is None else shared(columns[place], known))

    def given(self) -> np.ndarray | None:
        """Which records had this part; None where all had."""
        if not self._absent:
            return None
        given = np.ones(self._n, np.bool_)
        given[self._absent] = False
        return given

    def matrix(self) -> Floats:
        """The numbers, shape (numeric names, n)."""
        lots = chain.from_iterable(lots for _, lots in self._numeric)
        return np.frombuffer(bytearray().join(lots)).reshape(len(self._numeric), self._n)

    def columns(self) -> dict[str, Sequence[Label]]:
        """The other columns that are taken, by name."""
        part = self._part
        columns = (self._others[part.position[each]] for each in part.categorical)
        return dict(zip(part.names.categorical, columns, strict=True))

    def skipped(self) -> list[tuple[Reason, Sequence[Any]]]:
        """Columns of the names that are not taken, None where there was no value."""
        part = self._part
        unsettled: list[tuple[Reason, Sequence[Any]]] = [
            (Reason.WRONG_TYPE, self._others[part.position[each]]) for each in part.unsettled
        ]
        dropped = [(reason, _counted(self._others[part.position[each]])) for each, reason in part.dropped]
        return [*unsettled, *dropped]


def _counted(raw: Sequence[Any]) -> list[Any]:
    return [None if each == NULL else each for each in raw]
