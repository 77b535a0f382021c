"""Columns on their way from decoded values to the records of one model version.

`Loose` columns are what the decoder left: texts or numbers where either may stand, nothing checked
that a type can't say. A `Chunk` holds finished ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.records import Floats, Ints, Label, Reason

Column: TypeAlias = Sequence[Any] | Floats
Invalid: TypeAlias = Counter[tuple[str, Reason]]

Shares: TypeAlias = Mapping[str, float | None]

UNNAMED: Final = ""
"""Values of features that are no row of the result are counted under this name."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What was dropped of one record that was kept."""

    invalid: Invalid = field(default_factory=Counter)
    ignored: Counter[Reason] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Place:
    """Where records stood: request in the group and index in the request, shape (n,) each."""

    request: Ints
    index: Ints

    def __len__(self) -> int:
        return len(self.request)

    def at(self, rows: Sequence[int] | Ints) -> Place:
        """The places of *rows*."""
        return Place(self.request[rows], self.index[rows])


@dataclass(frozen=True, slots=True)
class Loose:
    """n records' columns as decoded.

    Attributes:
        fields: the plain fields by name; a field that no record has may be absent.
        numeric: shape (features, n).
        given: whether each record had features; None where all had.
        dropped, ignored: columns that are not taken, with the reason; what isn't None counts.
        scores: per record its shares by class, or per class its column.
        spoilt: by row, what careful reading dropped.
    """

    place: Place
    fields: Mapping[str, Column]
    numeric_names: tuple[str, ...]
    numeric: Floats
    categorical: Mapping[str, Sequence[Label]]
    segments: Mapping[str, Sequence[Label]]
    scores: Sequence[Shares | None] | Mapping[str, Floats]
    given: NDArray[np.bool_] | None
    dropped: Sequence[tuple[Reason, Column]] = ()
    ignored: Sequence[tuple[Reason, Column]] = ()
    spoilt: Mapping[int, Spoilt] = field(default_factory=dict)

    def without(self, bad: Iterable[int]) -> Loose:
        """These columns but for the *bad* rows."""
        keep = np.ones(len(self.place), np.bool_)
        keep[list(bad)] = False
        return self.at(np.flatnonzero(keep))

    def at(self, rows: Ints) -> Loose:
        """These columns' *rows*, which rise."""
        keep = np.zeros(len(self.place), np.bool_)
        keep[rows] = True
        renumbered = {old: new for new, old in enumerate(rows.tolist())} if self.spoilt else {}
        return Loose(
            self.place.at(rows),
            {name: _kept(column, keep) for name, column in self.fields.items()},
            self.numeric_names,
            self.numeric[:, rows],
            {name: _kept(column, keep) for name, column in self.categorical.items()},
            {name: _kept(column, keep) for name, column in self.segments.items()},
            _kept_scores(self.scores, keep),
            None if self.given is None else self.given[rows],
            [(reason, _kept(column, keep)) for reason, column in self.dropped],
            [(reason, _kept(column, keep)) for reason, column in self.ignored],
            {renumbered[row]: each for row, each in self.spoilt.items() if row in renumbered},
        )


def _kept_scores(scores: Any, keep: NDArray[np.bool_]) -> Any:
    if isinstance(scores, Mapping):
        return {name: column[keep] for name, column in scores.items()}
    return _kept(scores, keep)


def _kept(column: Any, keep: NDArray[np.bool_]) -> Any:
    return column[keep] if isinstance(column, np.ndarray) else list(compress(column, keep))


@dataclass(frozen=True, slots=True)
class Chunk:
    """n finished records of one model version; fields as in `Predictions` and `Outcomes`.

    Attributes:
        numeric: shape (features, n).
    """

    place: Place
    ids: Sequence[str | None]
    numbers: Mapping[str, Floats]
    labels: Mapping[str, Sequence[Label]]
    numeric_names: tuple[str, ...]
    numeric: Floats
    categorical: Mapping[str, Sequence[str | None]]
    segments: Mapping[str, Sequence[str | None]]
    scores: Mapping[str, Floats]
    failed: NDArray[np.bool_]
    trace_ids: Sequence[str | None]
    invalid: Invalid
    ignored: Counter[Reason]

    def __len__(self) -> int:
        return len(self.place)
