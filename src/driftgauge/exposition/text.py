"""A Snapshot -> exposition text, from cached, already escaped beginnings of lines.

Driven by the metric table alone. The beginning of a line (name and labels) is escaped when its series
first appears and kept as long as its row stays in the Snapshot, so the cache holds at most as many
entries as the series limit admits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from driftgauge.exposition.lines import heads, label_set
from driftgauge.exposition.rendered import Family, Rendered, SeriesCount
from driftgauge.metrics import SNAPSHOT_METRICS, Metric, Part
from driftgauge.snapshot import Snapshot, Value, VersionSnapshot

_Key = tuple[str, ...]
# Of one row: the beginning of each value's line, None where not admitted; last, the labels as text.
_Beginnings = list[str | None]
_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class _Group:
    """Metrics of one row class with the same labels: what one row is turned into.

    Attributes:
        number: its place among all groups.
        applies: whether a row has the metrics, None where all have.
        labels: a row's label values, in the order of *label_names*.
        values: a row's values, in the order of *metrics*.
        places: the family number of each metric.
        least: the least value that each metric may have.
    """

    number: int
    applies: Callable[[Any], bool] | None
    label_names: tuple[str, ...]
    labels: Callable[[Any], _Key]
    values: Callable[[Any], tuple[Value, ...]]
    metrics: tuple[Metric, ...]
    places: tuple[int, ...]
    least: tuple[float, ...]


@dataclass(slots=True)
class _Book:
    """What is remembered of one model version between two texts.

    Attributes:
        known: per group, the beginnings of lines by label values.
        taken: every beginning that is admitted.
    """

    known: tuple[dict[_Key, _Beginnings], ...]
    taken: set[str] = field(default_factory=set)


class Exposition:
    """Renders Snapshots, one after the other; keeps which series were admitted.

    Args:
        families: the names of the metric families that are on, beside ``default``.
        series_limit: most series of one model version. They are admitted in the order of the
            Snapshot's rows, and stay admitted: a row keeps the places of its values, also while one
            is None, until the row is gone from the Snapshot.
    """

    def __init__(self, families: Collection[str], series_limit: int) -> None:
        enabled = {"default", *families}
        self._metrics = tuple(m for m in SNAPSHOT_METRICS if m.family in enabled)
        self._heads = tuple(heads(m) for m in self._metrics)
        self._groups = _groups(self._metrics, enabled)
        self._plans = _plans(self._groups)
        self._limit = series_limit
        self._books: dict[tuple[str, str], _Book] = {}
        self._wanted: set[bool] = set()

    def render(self, snapshot: Snapshot) -> Rendered:
        """The text of *snapshot*. One call at a time; may run beside scrapes of earlier texts.

        Values that are None are left out; so is, and is counted, what must never be exposed (NaN, an
        infinity, a negative counter, a series twice).

        Cost: 1.5 microseconds a series at 10,000 series seen before, half of it the digits of the floats;
        about twice that for new ones.
        """
        out: list[list[str]] = [[] for _ in self._metrics]
        books: dict[tuple[str, str], _Book] = {}
        counts, invalid = [], 0
        for version in snapshot.versions:
            key = (version.state.model, version.state.model_version)
            before = self._books.get(key) or _Book(tuple({} for _ in self._groups))
            page = _VersionText(before, self._limit, out)
            page.write(version, self._plans)
            books[key] = page.finish()
            counts.append(SeriesCount(*key, page.exported, page.dropped))
            invalid += page.invalid
        self._books = books
        rendered = Rendered(self._families(out), tuple(counts), invalid, self._wanted)
        rendered.prepare()
        return rendered

    def _families(self, out: list[list[str]]) -> tuple[Family, ...]:
        return tuple(
            Family(metric, *head, ("\n".join(lines) + "\n").encode())
            for metric, head, lines in zip(self._metrics, self._heads, out, strict=True)
            if lines
        )


class _VersionText:
    """Writes the lines of one model version's rows."""

    def __init__(self, book: _Book, limit: int, out: list[list[str]]) -> None:
        self._book = book
        self._limit = limit
        self._out = out
        self._fresh: tuple[dict[_Key, _Beginnings], ...] = tuple({} for _ in book.known)
        self.exported = 0
        self.dropped = 0
        self.invalid = 0

    def write(self, version: VersionSnapshot, plans: dict[type[Any], tuple[_Group, ...]]) -> None:
        for row in version.rows():
            for group in plans.get(type(row), ()):
                if group.applies is None or group.applies(row):
                    self._row(group, row)

    def finish(self) -> _Book:
        """What to remember: rows that didn't come again give their places back."""
        taken = self._book.taken
        for known, fresh in zip(self._book.known, self._fresh, strict=True):
            for key in known.keys() - fresh.keys():
                taken.difference_update(b for b in known[key][:-1] if b is not None)
        return _Book(self._fresh, taken)

    def _row(self, group: _Group, row: object) -> None:
        key = group.labels(row)
        fresh = self._fresh[group.number]
        values = group.values(row)
        if key in fresh:
            self.invalid += sum(value is not None for value in values)
            return
        beginnings = self._book.known[group.number].get(key)
        if beginnings is None:
            beginnings = [*[None] * len(values), label_set(group.label_names, key)]
        fresh[key] = beginnings
        out, places, least, exported = self._out, group.places, group.least, 0
        for i, value in enumerate(values):
            if value is None:
                continue
            if not least[i] <= value <= _LARGEST:
                self.invalid += 1
            elif beginning := beginnings[i] or self._admit(group, i, beginnings):
                out[places[i]].append(beginning + repr(float(value)))
                exported += 1
        self.exported += exported

    def _admit(self, group: _Group, i: int, beginnings: _Beginnings) -> str | None:
        """The beginning of a new series' lines; None when the limit, or an equal line, keeps it out."""
        taken = self._book.taken
        if len(taken) >= self._limit:
            self.dropped += 1
            return None
        beginning = f"{group.metrics[i].name}{beginnings[-1]}"
        if beginning in taken:
            self.invalid += 1
            return None
        taken.add(beginning)
        beginnings[i] = beginning
        return beginning


def _groups(metrics: tuple[Metric, ...], enabled: Collection[str]) -> tuple[_Group, ...]:
    """*metrics* by row class, labels and condition, in the order of the table."""
    found: dict[tuple[type[Any], tuple[str, ...], str, tuple[Part, ...]], list[int]] = {}
    for place, metric in enumerate(metrics):
        if metric.row is not None:
            key = (metric.row, metric.labels, metric.when, metric.apart(enabled))
            found.setdefault(key, []).append(place)
    return tuple(
        _Group(
            number=number,
            applies=_condition(when, apart),
            label_names=labels,
            labels=_fields(tuple(map(_field, labels))),
            values=_fields(tuple(metrics[place].value for place in places)),
            metrics=tuple(metrics[place] for place in places),
            places=tuple(places),
            least=tuple(0.0 if metrics[place].type == "counter" else -_LARGEST for place in places),
        )
        for number, ((_, labels, when, apart), places) in enumerate(found.items())
    )


def _condition(when: str, apart: tuple[Part, ...]) -> Callable[[Any], bool] | None:
    """Whether a row has metrics that need the label *when*, and that its parts *apart* don't have."""
    if not apart:
        return attrgetter(when) if when else None

    def applies(row: object) -> bool:
        def label(name: str) -> str:
            return str(getattr(row, _field(name)))

        return (not when or bool(label(when))) and not any(part.holds(label) for part in apart)

    return applies


def _field(label: str) -> str:
    """The field of a row that holds *label*: `class` is a word of Python."""
    return "class_" if label == "class" else label


def _plans(groups: tuple[_Group, ...]) -> dict[type[Any], tuple[_Group, ...]]:
    plans: dict[type[Any], tuple[_Group, ...]] = {}
    for group in groups:
        row = group.metrics[0].row
        if row is not None:
            plans[row] = (*plans.get(row, ()), group)
    return plans


def _fields(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the fields *names* of a row as a tuple, also where it is only one."""
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda row: (get(row),)
