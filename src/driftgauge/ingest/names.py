"""The feature or segment names that one model's records use, by what becomes of their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from driftgauge.records import Reason

REMEMBERED: Final = 1000
"""Names without a place that are remembered, so that steady senders of them stay fast."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be taken up: whether at all, how many names, how long one may be, of which kinds."""

    discover: bool
    most: int
    longest: int
    numbers: bool

    def refused(self, name: str, *, full: bool) -> Reason | None:
        """Why a new *name* can't be taken up, where *full* says that there are as many as may be."""
        if not self.discover:
            return Reason.OUT_OF_DOMAIN
        if len(name) > self.longest:
            return Reason.TOO_LONG
        return Reason.TOO_MANY if full else None


@dataclass(frozen=True, slots=True)
class Names:
    """Names by what becomes of their values.

    Attributes:
        numeric, categorical: their values are taken; these are the rows of the decoded columns.
        silent: their values are skipped and not counted.
        unsettled: only nulls, arrays and objects so far, so that they have no kind.
        dropped: values are not taken, and counted by the reason.
        order: as the sender writes them, which is the order that decodes fastest.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    dropped: Mapping[str, Reason] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Every name, in the sender's order as far as it is known."""
        known = dict.fromkeys(
            (*self.numeric, *self.categorical, *self.silent, *self.unsettled, *self.dropped)
        )
        first = [name for name in self.order if name in known]
        return tuple(dict.fromkeys((*first, *known)))

    def reasons(self, values: Mapping[str, object], bounds: Bounds) -> Counter[Reason]:
        """Why *values*, of names that have no row, are not taken; how many for each reason."""
        full = len(self.numeric) + len(self.categorical) >= bounds.most
        return Counter(
            self.dropped.get(name) or bounds.refused(name, full=full) or _shapeless(value)
            for name, value in values.items()
        )

    def grown(self, objects: Iterable[object], bounds: Bounds) -> Names:
        """These names and those that *objects* bring; the same value where they bring none.

        A name's kind is that of its first value that is a number, a text, or true or false.
        """
        growth = _Growth(self, bounds)
        for each in objects:
            if isinstance(each, dict):
                growth.take(each)
        return growth.names() if growth.changed else self


def _shapeless(value: object) -> Reason:
    return Reason.WRONG_TYPE if isinstance(value, list | dict) else Reason.TOO_MANY


class _Growth:
    def __init__(self, names: Names, bounds: Bounds) -> None:
        self.before, self.bounds, self.changed = names, bounds, False
        self.numeric, self.categorical = list(names.numeric), list(names.categorical)
        self.unsettled = dict.fromkeys(names.unsettled)
        self.dropped = dict(names.dropped)
        self.settled = {*names.numeric, *names.categorical, *names.silent}
        self.order = dict.fromkeys(names.order)

    def take(self, each: Mapping[str, object]) -> None:
        for name, value in each.items():
            if name not in self.settled and name not in self.dropped:
                if self._sated():
                    return
                self._place(name, value)

    def _sated(self) -> bool:
        """Whether no name can be placed any more, taken or dropped."""
        return len(self.dropped) >= REMEMBERED and (self._full() or not self.bounds.discover)

    def _full(self) -> bool:
        return len(self.numeric) + len(self.categorical) >= self.bounds.most

    def _place(self, name: str, value: object) -> None:
        if (reason := self.bounds.refused(name, full=self._full())) is not None:
            if len(self.dropped) < REMEMBERED:
                self.dropped[name] = reason
                self.unsettled.pop(name, None)
                self._moved(name)
        elif value is None or isinstance(value, list | dict):
            if name not in self.unsettled and len(self.unsettled) < REMEMBERED:
                self.unsettled[name] = None
                self._moved(name)
        else:
            number = self.bounds.numbers and not isinstance(value, bool | str)
            (self.numeric if number else self.categorical).append(name)
            self.unsettled.pop(name, None)
            self.settled.add(name)
            self._moved(name)

    def _moved(self, name: str) -> None:
        self.changed = True
        self.order[name] = None

    def names(self) -> Names:
        return Names(
            numeric=tuple(self.numeric),
            categorical=tuple(self.categorical),
            silent=self.before.silent,
            unsettled=tuple(self.unsettled),
            dropped=self.dropped,
            order=tuple(self.order),
        )
