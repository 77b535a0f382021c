"""What a panel says of itself, from the metric table; and the unit that a metric's name ends in."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from driftgauge.artefacts.dashboards.queries import metric
from driftgauge.config import Family
from driftgauge.metrics import ADVICE, PREFIX
from driftgauge.metrics.table import COHORT, NOT_AVERAGED

WEIGHTED: Final = "Pods are weighted by their records."
HALF_OF_PODS: Final = "It holds where at least half of the pods that can judge say so."

# Grafana's names of the units, by the end of a metric's name.
_UNITS: Final = MappingProxyType({"ratio": "percentunit", "seconds": "s", "bytes": "bytes"})
_ACTIONS: Final = {PREFIX + name: advice.action for advice in ADVICE for name in advice.metrics}


def meaning(name: str, *more: str, family: Family | None = None) -> str:
    """HELP of the metric *name*, what to do when it moves, and *more* sentences between.

    A panel that needs a family beside the default one says which.
    """
    known = metric(name)
    told = known.help.replace(NOT_AVERAGED, "").replace(COHORT, "")
    action = _ACTIONS.get(known.name, "")
    needs = f"Needs family {family} under `metrics:`." if family else ""
    return "\n\n".join(filter(None, (told, *more, action, needs)))


def unit(name: str) -> str:
    """Grafana's unit of the metric *name*; plain numbers and counts have none."""
    return _UNITS.get(name.removesuffix("_total").rsplit("_", 1)[-1], "none")
