"""Alerts on series that a scrape will not have: nothing would ever fire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from driftgauge.artefacts.alerts.promql import Selector, terms
from driftgauge.artefacts.alerts.reading import Reading, readings
from driftgauge.check.series import Row, rows
from driftgauge.check.shape import shape_of
from driftgauge.config import Config
from driftgauge.metrics import BY_NAME, PREFIX
from driftgauge.metrics.table import RowClass
from driftgauge.reference import Reference

_NONE: Mapping[str, Reference] = MappingProxyType({})
# The model is known; of the others only records tell the values: whatever is asked for may come.
_OPEN = frozenset({"model", "model_version", "against_version", "reference"})


def alert_warnings(config: Config, references: Mapping[str, Reference] = _NONE) -> Iterator[str]:
    """A line for each entry of `alerts` that stands on what its model doesn't export.

    Args:
        references: of the models that have one, where it tells of features and their kinds.

    Cost: the rows of each model that has alerts, about 1 us a row, and for each entry those of its metrics.
    """
    made: dict[str, dict[RowClass, list[Row]]] = {}
    for reading in readings(config):
        name = reading.entry.when.model
        if name not in made:
            by_kind = made[name] = {}
            for row in rows(shape_of(name, reading.model, config, references.get(name)), config.metrics):
                by_kind.setdefault(row.kind, []).append(row)
        for selector in _needed(reading):
            if not _is_there(selector, made[name]):
                yield f"alerts: {reading.entry.alert} never fires: there will be no {selector}"


def _needed(reading: Reading) -> Iterator[Selector]:
    if reading.word.of_traffic:
        return
    found = terms(reading)
    for each in (found.value, found.weight, found.covered, found.given, found.known):
        if each is not None:
            yield each


def _is_there(selector: Selector, by_kind: Mapping[RowClass, list[Row]]) -> bool:
    metric = BY_NAME[PREFIX + selector.name]
    kind = by_kind.get(metric.row, []) if metric.row is not None else []
    filled = (row for row in kind if row.filled is None or metric.value in row.filled)
    asked = {name: text for name, text in selector.labels.items() if name not in _OPEN}
    return any(_has(row, asked) for row in filled)


def _has(row: Row, asked: Mapping[str, str]) -> bool:
    for name, text in asked.items():
        has = row.labels.get(name, "")
        # A shape's own segment values and classes are placeholders.
        if (bool(has) != bool(text)) if name in {"segment_value", "class"} else has != text:
            return False
    return True
