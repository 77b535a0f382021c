"""The seam between the worker and what it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from driftgauge.errors import DriftgaugeError
from driftgauge.trigger.decision import Decision


class ActionFailed(DriftgaugeError):
    """The run can't be started, and another try would not help."""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that is there now.

    Attributes:
        reference: what the other side calls it.
        detail: for people; that it was there already, for example.
    """

    reference: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over."""

    well: bool
    detail: str = ""


class Action(Protocol):
    """Starts runs of one kind."""

    @property
    def kind(self) -> str:
        """What it is called in the configuration."""

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Start the decision's run, or find it started already.

        A command alone can't find that out: the worker calls this once for it.

        Raises:
            ActionFailed: it can't be started.
            asking.Unanswered: it isn't known to be started; try again later.
        """

    async def ended(self, decision: Decision) -> Ended | None:
        """Whether the run is over; None while it isn't, or where nobody can tell.

        Raises:
            asking.Unanswered: nobody answered; ask again later.
        """

    async def close(self) -> None:
        """Let go of what is held; runs go on."""
