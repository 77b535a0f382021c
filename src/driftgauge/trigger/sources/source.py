"""The seam between the worker and whom it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from driftgauge.errors import DriftgaugeError
from driftgauge.trigger.decision import Comparison, Measure


class Unknown(DriftgaugeError):
    """Somebody answered, and what was asked for isn't known; says why."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A model as it is now.

    Attributes:
        versions: the newest last where the order is known.
        measures: the whole model's main quality by version, of those that have enough outcomes.
        comparisons: the newer version against the older one, by (newer, older).
    """

    versions: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    comparisons: Mapping[tuple[str, str], Comparison] = field(default_factory=dict)


class Source(Protocol):
    """Is asked before a run is started, and afterwards."""

    async def labels(self, model: str, since: float) -> float:
        """Outcomes of *model* that matured since epoch second *since*, rather too few than too many.

        Raises:
            Unknown: the label delay isn't known yet, or the model isn't.
            asking.Unanswered: nobody answered.
        """

    async def observed(self, model: str, window: str) -> Observed:
        """The model's versions, and quality in *window*, or the longest one where there is no such.

        Raises:
            Unknown: the answer can't be understood.
            asking.Unanswered: nobody answered.
        """
