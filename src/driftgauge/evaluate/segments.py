"""The whole model and its segments as places of a sketch, and numbers of them as rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality import Quality
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
class Totals:
    """Totals of several windows and cohorts, evaluated at once, and whom their rows are of.

    Attributes:
        row: the totals stacked, arrays of shape (totals, cells).
        digests: each by groups of panes, in the sketch's `digest_layout`, arrays of shape (groups of
            panes, totals, cells); a total with fewer groups than others has some of nothing.
        cohorts: window and cohort of each total.
        groups: the whole model, then its segments; places: their numbers in the sketch's groups.
        samples: outcomes, shape (totals, groups).
        present: which of them have rows: the whole model, and segments with outcomes.
    """

    view: VersionView
    row: Row
    digests: Row
    cohorts: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    places: Ints
    samples: Floats
    present: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        view: VersionView,
        totals: Sequence[tuple[str, str, Row, Row | None]],
        known: Sequence[Group],
    ) -> Totals:
        """Of *totals*: window, cohort, total, digests (None without groups); at least one."""
        assert view.quality is not None
        row = Row(
            np.stack([total.counts for _, _, total, _ in totals]),
            np.stack([total.sums for _, _, total, _ in totals]),
        )
        places = np.array([group.number for group in known])
        samples = view.quality.outcomes(row)[:, places].astype(np.float64)
        present = samples > 0
        present[:, places == 0] = True
        digests = [_digests(view.quality, total, each) for _, _, total, each in totals]
        cohorts = tuple((window, cohort) for window, cohort, _, _ in totals)
        return cls(view, row, _stacked(digests), cohorts, tuple(known), places, samples, present)

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Which groups have samples enough for numbers, shape (totals, groups)."""
        return self.samples >= LEAST_SAMPLES

    @property
    def labels(self) -> list[tuple[str, str, str, str]]:
        """Those that all rows of each total begin with."""
        return [(self.view.model, self.view.version, *cohort) for cohort in self.cohorts]

    def group_labels(self, chosen: NDArray[np.bool_], *more: str) -> list[tuple[str, ...]]:
        """Labels of the *chosen* of (totals, groups), and *more* behind them."""
        labels = self.labels
        named = [(group.segment, group.segment_value) for group in self.groups]
        return [(*labels[total], *named[place], *more) for total, place in np.argwhere(chosen).tolist()]

    @property
    def whole(self) -> NDArray[np.bool_]:
        """The whole model's rows among (totals, groups)."""
        chosen = np.zeros(self.present.shape, np.bool_)
        chosen[:, 0] = True
        return chosen


def _digests(quality: Quality, total: Row, each: Row | None) -> Row:
    """Those of a total; without groups the total itself is the only one."""
    if each is not None:
        return each
    digest = quality.digest(total)
    return Row(digest.counts[None], digest.sums[None])


def _stacked(digests: Sequence[Row]) -> Row:
    """Digests of totals side by side, with groups of nothing where there are fewer."""
    most = max(len(each.counts) for each in digests)
    shape = (most, len(digests))
    counts = np.zeros((*shape, digests[0].counts.shape[1]), np.int64)
    sums = np.zeros((*shape, digests[0].sums.shape[1]))
    for place, each in enumerate(digests):
        counts[: len(each.counts), place] = each.counts
        sums[: len(each.sums), place] = each.sums
    return Row(counts, sums)  # type: ignore[arg-type]


def rows(
    kind: Callable[..., AnyRow],
    numbers: Numbers,
    labels: Sequence[tuple[Any, ...]],
    first: str,
    chosen: NDArray[np.bool_],
) -> list[AnyRow]:
    """A row of *kind* for each of *labels*, the *chosen* in order; fields from *first* on from *numbers*.

    Numbers have the shape of *chosen*.
    """
    names = _value_names(kind, first)
    columns = [listed(numbers[name][chosen]) if name in numbers else _NONE * len(labels) for name in names]
    return [kind(*label, *values) for label, values in zip(labels, zip(*columns, strict=True), strict=True)]


@cache
def _value_names(kind: Any, first: str) -> tuple[str, ...]:
    names: tuple[str, ...] = kind.__struct_fields__
    return names[names.index(first) :]


def listed(numbers: Floats) -> list[Value]:
    """Numbers as rows hold them: None where there is none. O(n)."""
    return [n if -np.inf < n < np.inf else None for n in numbers.tolist()]


def where_enough(numbers: dict[str, Floats], enough: NDArray[np.bool_]) -> dict[str, Floats]:
    """*numbers* without those of groups with too few samples, all of the shape of *enough*."""
    if enough.all():
        return numbers
    return {name: np.where(enough, values, np.nan) for name, values in numbers.items()}
