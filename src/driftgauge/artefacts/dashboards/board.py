"""What a dashboard is made of, as values; `grafana` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from driftgauge.config import Family

WIDTH = 24
"""Columns of Grafana's grid."""


class Kind(StrEnum):
    """How a panel draws what its queries answer."""

    TREND = "timeseries"
    NUMBER = "stat"
    TABLE = "table"
    BARS = "barchart"
    STATES = "state-timeline"


@dataclass(frozen=True, slots=True)
class Steps:
    """Colours by value: `base` up to the first limit, then each limit's own."""

    base: str
    limits: tuple[tuple[float, str], ...] = ()


PLAIN = Steps("text")


def above(*limits: float) -> Steps:
    """Green, and red from the last of the ascending limits on; orange between them."""
    *lower, last = limits
    return Steps("green", (*((at, "orange") for at in lower), (last, "red")))


def below(limit: float, *more: float) -> Steps:
    """Red, and green from the last of the ascending limits on; orange between them."""
    limits = (limit, *more)
    colours = (*("orange" for _ in more), "green")
    return Steps("red", tuple(zip(limits, colours, strict=True)))


def either_way(limit: float) -> Steps:
    """Green around 0, red from the limit on in both directions."""
    return Steps("red", ((-limit, "green"), (limit, "red")))


@dataclass(frozen=True, slots=True)
class State:
    """A value that stands for something: its text and colour."""

    value: int
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Link:
    """To another dashboard, with the time shown.

    Attributes:
        uid: of the dashboard.
        filled: its variables, each with the label of what was clicked that fills it.
        kept: variables that both dashboards have and whose choice goes along.
    """

    title: str
    uid: str
    filled: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression of a panel.

    Attributes:
        name: of the series, `{{label}}` in it is filled in; in a table the column's title.
        unit, steps, states: of a table's column; those of the panel elsewhere.
    """

    expression: str
    name: str
    unit: str = ""
    steps: Steps | None = None
    states: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        unit: one of Grafana's, for all that is drawn.
        least, most: ends of the axis.
        labels: of a table, each label that is a column and its title, in order.
        sorted_by: of a table, the title of the column whose greatest values come first.
        family: what must be exported for it beside the default metrics.
    """

    kind: Kind
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "none"
    steps: Steps = PLAIN
    states: tuple[State, ...] = ()
    least: float | None = None
    most: float | None = None
    width: int = 8
    height: int = 8
    labels: tuple[tuple[str, str], ...] = ()
    sorted_by: str = ""
    links: tuple[Link, ...] = ()
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A title and the panels below it; folded where most installations have nothing to show there."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """What is chosen at the top of a dashboard.

    Attributes:
        asked: the selector whose label's values are offered.
        several: whether more than one can be chosen, and all are at first; else the first of them is.
        descending: numbers from the greatest down, rather than texts in order.
    """

    name: str
    label: str
    asked: str
    of: str
    several: bool = True
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable of fixed values, the first of them chosen."""

    name: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks on the time axis where *expression* has a value.

    Attributes:
        at_value: the value is the time to mark, in milliseconds, rather than that of the sample.
    """

    name: str
    expression: str
    title: str
    text: str
    colour: str
    at_value: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `uid` is part of every link to it and never changes."""

    uid: str
    title: str
    description: str
    since: str
    variables: tuple[Variable | Choice, ...]
    annotations: tuple[Annotation, ...]
    rows: tuple[Row, ...]

    def panels(self) -> tuple[Panel, ...]:
        """All panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)
