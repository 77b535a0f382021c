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
from driftgauge.reference import Reference

_NONE: Mapping[str, Reference] = MappingProxyType({})
# Only records tell their values; whatever is asked for may come.
_OPEN = frozenset({"model_version", "against_version", "reference"})


def alert_warnings(config: Config, references: Mapping[str, Reference] = _NONE) -> Iterator[str]:
    """A line for each entry of `alerts` that stands on what its model doesn't export.

    Args:
        references: of the models that have one, where it tells of features and their kinds.

    Cost: the rows of each model that has alerts, about 1 us a row, times its entries.
    """
    made: dict[str, tuple[Row, ...]] = {}
    for reading in readings(config):
        name = reading.entry.when.model
        if name not in made:
            shape = shape_of(name, reading.model, config, references.get(name))
            made[name] = tuple(rows(shape, config.metrics))
        for selector in _needed(reading):
            if not any(_is_of(selector, row) for row in made[name]):
                yield f"alerts: {reading.entry.alert} never fires: there will be no {selector}"


def _needed(reading: Reading) -> Iterator[Selector]:
    if reading.word.of_traffic:
        return
    found = terms(reading)
    for each in (found.value, found.weight, found.covered, found.given, found.known):
        if each is not None:
            yield each


def _is_of(selector: Selector, row: Row) -> bool:
    metric = BY_NAME[PREFIX + selector.name]
    if metric.row is not row.kind or (row.filled is not None and metric.value not in row.filled):
        return False
    asked = {name: text for name, text in selector.labels.items() if name != "model" and name not in _OPEN}
    for name, text in asked.items():
        has = row.labels.get(name, "")
        # A shape's own segment values and classes are placeholders.
        if (bool(has) != bool(text)) if name in {"segment_value", "class"} else has != text:
            return False
    return True
