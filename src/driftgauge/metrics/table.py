"""What the tables of metrics are made of: one metric, the usual labels, the usual sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

PREFIX = "driftgauge_"
RowClass: TypeAlias = type[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that have a metric in another family than the rest: those of segments, of single classes.

    Attributes:
        label: rows where this label isn't empty.
        family: the name that switches them on, where the metric itself is on.
    """

    label: str
    family: str

    def holds(self, label: Callable[[str], str]) -> bool:
        """Whether a row, told by its labels, is one of them."""
        return bool(label(self.label))


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric.

    Attributes:
        name: as exposed, with the prefix and (for counters) ``_total``.
        labels: in the order of exposition; a row's field ``class_`` is the label ``class``.
        family: ``default``, or the name under `metrics:` that switches it on.
        row: the row class it is read from; None for a live metric.
        value: the row's field that holds its value.
        when: a label that must not be empty for a row to have this metric (``feature``/``output``).
        buckets: upper bounds of a histogram.
        parts: rows that need another family too.
    """

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    family: str = "default"
    row: RowClass | None = None
    value: str = ""
    when: str = ""
    buckets: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()

    def apart(self, enabled: Collection[str]) -> tuple[Part, ...]:
        """The parts that are left out where only the families *enabled* are on."""
        return tuple(part for part in self.parts if part.family not in enabled)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person needs beside HELP, for metrics that are read alike; printed in docs/metrics.md.

    Attributes:
        metrics: names without the prefix.
        bounds: the values that they may take: ``0 to 1``, ``at least 0``, ``any``.
        trust: how far to trust them: what they stand on, their error, when they mislead.
        action: what to do when they move.
    """

    metrics: tuple[str, ...]
    bounds: str
    trust: str
    action: str


VERSION = ("model", "model_version")
IN_WINDOW = (*VERSION, "window")
OF_FEATURE = (*VERSION, "feature", "window")
OF_OUTPUT = (*VERSION, "output", "window")
OF_SEGMENT = (*IN_WINDOW, "cohort", "segment", "segment_value")
OF_CLASS = (*OF_SEGMENT, "class")

NOT_AVERAGED = " Do not average over replicas."
COHORT = (
    " cohort=arrived chooses by the time the outcome came, matured by the prediction's time, the "
    "window shifted back until its outcomes are complete."
)


def gauges(
    row: RowClass,
    labels: tuple[str, ...],
    *table: tuple[str, str, str],
    family: str = "default",
    parts: tuple[Part, ...] = (),
) -> tuple[Metric, ...]:
    """Gauges (counters where the name ends in _total) of one row class: (name, field, help)."""
    return tuple(
        Metric(
            PREFIX + name,
            "counter" if name.endswith("_total") else "gauge",
            text,
            labels,
            family,
            row=row,
            value=value,
            parts=parts,
        )
        for name, value, text in table
    )
