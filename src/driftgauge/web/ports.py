"""What the doors ask of the rest of the program; `app` gives it, tests fake it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from driftgauge.records import Answer, Request
from driftgauge.reference import Reference
from driftgauge.snapshot import Notice, Snapshot


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the process does its work; *stuck* says in words what doesn't move, else None."""

    stuck: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether state is restored and records are taken; *reason* says in words why not."""

    ready: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the process that may be degraded while the rest works; *detail* says how, else empty."""

    name: str
    up: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: what it is called, and the share that is done, 0 to 1."""

    label: str
    done: float


@dataclass(frozen=True, slots=True)
class Statistic:
    """One named number of a span of time; *name* is a field of `snapshot.Quality` or `ClassQuality`."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One span of a model version's past.

    Attributes:
        start: epoch seconds, on the model's clock.
        seconds: length of the span.
        predictions: how many predictions fell into it.
        outcomes: how many joined outcomes the quality stands on.
        quality: what could be computed from them; empty without outcomes.
    """

    model_version: str
    start: float
    seconds: float
    predictions: float
    outcomes: float
    quality: tuple[Statistic, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which part of a model's history is asked for; None is no bound, and every version."""

    model: str
    model_version: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class ReferenceQuery:
    """Whose reference is asked for; None is the newest version."""

    model: str
    model_version: str | None = None


class ReferenceAction(StrEnum):
    """What may be done with a reference."""

    ACCEPT = "accept"
    RELEARN = "relearn"


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """What to do with whose reference.

    Attributes:
        model_version: None is the newest.
        window, since: relearn: take what is kept of so many seconds, or since an epoch second;
            with neither begin to learn.
    """

    model: str
    model_version: str | None
    action: ReferenceAction
    window: float | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class ReferencePart:
    """What became of the reference of a version's inputs or outputs, and what it stands on."""

    part: str
    state: str
    reference: str
    records: int
    span_seconds: float
    note: str


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """What ``POST /v1/models/{model}/reference/...`` answers."""

    model: str
    model_version: str
    parts: tuple[ReferencePart, ...]


class IntakePort(Protocol):
    """Takes records, and orders about references. Called on the event loop, `submit` by many requests
    at once.
    """

    def requests_open(self) -> None:
        """Return when a body may be read now.

        Raises:
            RequestError: 429 when too much waits, 503 when records can't be taken (draining, a store
                that doesn't work), each with ``retry_after_seconds``.
        """

    def coming(self, bodies: int) -> None:
        """Take note that so many bodies more, or less where it is negative, are being read: what is
        submitted meanwhile may wait for them.
        """

    async def submit(self, request: Request) -> Answer:
        """Take one request's records and return after their commit; the port owns *request* from then on.

        A client that goes away doesn't cancel it.

        Raises:
            RequestError: the whole request was refused and nothing of it was kept.
        """

    async def change_reference(self, request: ReferenceRequest) -> ReferenceChange | None:
        """Accept or relearn a reference, and return after the commit; None for an unknown version.

        Raises:
            RequestError: 409, it can't be done now, and why; 503, the store can't take it.
        """


class ObservationPort(Protocol):
    """Gives what is known. All but `history` and `reference` return at once, from finished values."""

    def metrics(
        self, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> tuple[bytes, str, str | None]:
        """/metrics: body, Content-Type, Content-Encoding or None. Works while the store doesn't."""

    def health(self) -> Health:
        """Whether anything is stuck."""

    def readiness(self) -> Readiness:
        """Whether records are taken."""

    def components(self) -> tuple[Component, ...]:
        """All parts of the process, degraded or not."""

    def snapshot(self) -> Snapshot:
        """The newest finished evaluation."""

    def notices(self) -> tuple[Notice, ...]:
        """What happened, the newest last."""

    def progress(self) -> Progress | None:
        """How far a replay is; None when none runs."""

    async def history(self, query: HistoryQuery) -> tuple[HistoryRow, ...] | None:
        """A model's rows in order of start, None for a model that isn't known.

        Raises:
            RequestError: 503, the store can't be read now.
        """

    async def reference(self, query: ReferenceQuery) -> Reference | None:
        """What a version is compared with, None for a version that isn't known.

        Raises:
            RequestError: 404, it has no reference yet; 503, the store isn't open.
        """


class DoorCounts(Protocol):
    """Counts what the doors do; called on the event loop, once or twice a request."""

    def refused(self, reason: str) -> None:
        """Count a request that was not taken, by the word of `records.Reason` that its answer gives."""

    def answered(self, path: str, seconds: float) -> None:
        """Count a request to *path* (a route's template), *seconds* from its last byte to its answer."""
