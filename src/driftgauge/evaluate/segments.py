"""The whole model and its segments as places of a sketch, and numbers of them as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.snapshot import Value
from driftgauge.view import VersionView

Numbers = Mapping[str, Floats]
"""Numbers by the name of the row's field that they fill; NaN where there is none."""

_NONE: Final[tuple[Value, ...]] = (None,)
AnyRow = TypeVar("AnyRow")


@dataclass(frozen=True, slots=True)
class Group:
    """A place in the sketch's groups and the labels of its rows."""

    number: int
    segment: str
    segment_value: str


def groups(view: VersionView) -> tuple[Group, ...]:
    """The whole model, then each known value of each segment column, then its `other`."""
    found = [Group(0, "", "")]
    if view.quality is not None:
        places = view.quality.groups
        for column, name in enumerate(view.columns):
            values = [*enumerate(view.values[column]), (places.values, "other")]
            found += [Group(places.number(column, i), name, text) for i, text in values]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Total:
    """One window's total of one cohort, and whom its rows are of.

    Attributes:
        present: the whole model, then the segments that have outcomes.
        places: their numbers in the sketch's groups.
        samples: their outcomes.
        digests: the total by groups of panes, in the sketch's `digest_layout`; None without any.
    """

    view: VersionView
    row: Row
    digests: Row | None
    window: str
    cohort: str
    present: tuple[Group, ...]
    places: Ints
    samples: Floats

    @classmethod
    def of(
        cls,
        view: VersionView,
        row: Row,
        digests: Row | None,
        window: str,
        cohort: str,
        known: Sequence[Group],
    ) -> Total:
        """The total *row*, of the groups *known*."""
        assert view.quality is not None
        outcomes = view.quality.outcomes(row)
        counts = outcomes[[group.number for group in known]].tolist()
        present = tuple(g for g, n in zip(known, counts, strict=True) if n > 0 or g.number == 0)
        places = np.array([group.number for group in present])
        return cls(view, row, digests, window, cohort, present, places, outcomes[places].astype(np.float64))

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """Those that all rows begin with."""
        return self.view.model, self.view.version, self.window, self.cohort

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Which groups have samples enough for numbers."""
        return self.samples >= LEAST_SAMPLES


def rows(
    kind: Callable[..., AnyRow], numbers: Numbers, labels: Sequence[tuple[Any, ...]], first: str
) -> Iterator[AnyRow]:
    """A row of *kind* for each of *labels*, its fields from *first* on filled from *numbers*."""
    names = _value_names(kind, first)
    columns = [listed(numbers[name]) if name in numbers else _NONE * len(labels) for name in names]
    for label, values in zip(labels, zip(*columns, strict=True), strict=True):
        yield kind(*label, *values)


@cache
def _value_names(kind: Any, first: str) -> tuple[str, ...]:
    names = tuple(field.name for field in fields(kind))
    return names[names.index(first) :]


def listed(numbers: Floats) -> list[Value]:
    """Numbers as rows hold them: None where there is none. O(n)."""
    return [n if -np.inf < n < np.inf else None for n in numbers.tolist()]


def where_enough(numbers: dict[str, Floats], enough: NDArray[np.bool_]) -> dict[str, Floats]:
    """*numbers*, of shape (groups,), without those of groups with too few samples."""
    if enough.all():
        return numbers
    return {name: np.where(enough, values, np.nan) for name, values in numbers.items()}
