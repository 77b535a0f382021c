"""The paths of the trigger: alerts in, decisions out, approval, health, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final, Protocol, TypeVar

import msgspec
from aiohttp import hdrs, web
from msgspec.structs import replace

from driftgauge.errors import RequestError, StoreError
from driftgauge.records import Media, Reason
from driftgauge.trigger.counting import Counting
from driftgauge.trigger.decision import Decision, State
from driftgauge.trigger.payload import decode
from driftgauge.trigger.policy import policy_for
from driftgauge.trigger.remembering import Memory
from driftgauge.trigger.store import Event, Wanted
from driftgauge.trigger_config import Policy, Trigger
from driftgauge.web.auth import TokenFile
from driftgauge.web.body import Bodies
from driftgauge.web.intake import media_of, refuse_other_origins
from driftgauge.web.problem import respond, respond_json
from driftgauge.web.routing import Parameters, Route
from driftgauge.web.scraping import exposition, health, readiness

ALERTS: Final = "/v1/alerts"
# Alertmanager waits 10 s at least; what isn't committed by then is better sent again.
ANSWER_SECONDS: Final = 0.9
MOST_LISTED: Final = 1000
DEFAULT_LISTED: Final = 100

_Answer = TypeVar("_Answer")


class Received(msgspec.Struct, frozen=True):
    """What a webhook is answered: how many alerts were taken, and the decisions that they belong to."""

    alerts: int
    decisions: tuple[str, ...]


class Listed(msgspec.Struct, frozen=True):
    """What ``GET /v1/decisions`` answers, the newest first."""

    decisions: tuple[Decision, ...]


class Told(msgspec.Struct, frozen=True):
    """What ``GET /v1/decisions/{id}`` answers: a decision, and what happened to it, oldest first."""

    decision: Decision
    events: tuple[Event, ...]


class Service(Protocol):
    """What the doors ask of the process."""

    def wake(self) -> None:
        """Tell the worker that something was committed."""

    def stuck(self) -> str | None:
        """Why nothing moves; None when all is well."""

    def not_ready(self) -> str | None:
        """Why no alert is taken; None when it is."""


class Doors:
    """Answers the requests of the trigger's address."""

    def __init__(
        self,
        settings: Trigger,
        time_scale: float,
        memory: Memory,
        counting: Counting,
        service: Service,
        clock: Callable[[], float],
        openapi: bytes,
    ) -> None:
        self._policies: Mapping[str, Policy] = settings.policies
        self._scale = time_scale
        self._memory = memory
        self._counting = counting
        self._service = service
        self._clock = clock
        self._openapi = openapi
        self._bodies = Bodies(
            max_body=settings.max_body,
            max_inflated=4 * settings.max_body,
            held=8 * settings.max_body,
            seconds=10.0,
        )
        file = settings.approval_token_file
        self._approval = None if file is None else TokenFile(file)

    def routes(self) -> tuple[Route, ...]:
        """All paths. Approval has a token of its own, health and metrics need none."""
        decision = "/v1/decisions/{id}"
        return (
            Route(hdrs.METH_POST, ALERTS, self.alerts),
            Route(hdrs.METH_GET, "/v1/decisions", self.decisions),
            Route(hdrs.METH_GET, decision, self.decision),
            Route(hdrs.METH_POST, f"{decision}/approve", self.approve, needs_token=False),
            Route(hdrs.METH_POST, f"{decision}/settle", self.settle, needs_token=False),
            Route(hdrs.METH_GET, "/metrics", self.metrics, needs_token=False),
            Route(hdrs.METH_GET, "/healthz", self.healthz, needs_token=False),
            Route(hdrs.METH_GET, "/readyz", self.readyz, needs_token=False),
            Route(hdrs.METH_GET, "/openapi.json", self.openapi, needs_token=False),
        )

    async def alerts(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """Commit a webhook, and answer; the decisions come after."""
        refuse_other_origins(request)
        unready = self._service.not_ready()
        if unready is not None:
            raise _unavailable(unready)
        if media_of(request.headers.get(hdrs.CONTENT_TYPE)) is not Media.JSON:
            raise RequestError(415, Reason.MEDIA_TYPE, "Content-Type: expected application/json")
        body = await self._body(request)
        began = perf_counter()
        delivery = decode(body)
        wanted = [
            Wanted(found[0], alert, found[1].cooldown / self._scale)
            for alert in delivery.alerts
            if (found := policy_for(self._policies, alert)) is not None
        ]
        store = self._memory.decisions
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                taken = await self._memory(store.take, delivery.alerts, wanted, self._clock())
        except (StoreError, TimeoutError):
            raise _unavailable("the alerts could not be committed; its log says why") from None
        self._counting.delivered(delivery, taken)
        self._service.wake()
        self._counting.answered(ALERTS, perf_counter() - began)
        return respond_json(Received(len(delivery.alerts), taken.decisions))

    async def _body(self, request: web.BaseRequest) -> bytes:
        try:
            return await self._bodies.read(request)
        except RequestError as error:
            if error.status in {408, 429}:  # Alertmanager tries again after a 5xx alone
                raise _unavailable(error.detail) from error
            raise

    async def decisions(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """The newest decisions, of ``?model=`` and ``?state=`` where given."""
        query = request.rel_url.query
        state = query.get("state")
        if state is not None and state not in set(State):
            raise RequestError(400, Reason.OUT_OF_DOMAIN, f"state: expected one of {', '.join(State)}")
        limit = _limit(query.get("limit"))
        found = await self._read(
            lambda: self._memory.decisions.listed(model=query.get("model"), state=state, limit=limit)
        )
        return respond_json(Listed(found))

    async def decision(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """One decision with all that happened to it."""
        (name,) = parameters
        return respond_json(await self._told(name))

    async def approve(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """Let a run that awaits it go on to the guards, and start if they allow."""
        self._let_in(request)
        (name,) = parameters
        now = self._clock()

        def approved(decision: Decision) -> Decision:
            if decision.state is not State.AWAITING_APPROVAL:
                raise _conflict(f"expected a decision that awaits approval, this one is {decision.state}")
            return replace(decision, state=State.OPEN, approved_at=now)

        return await self._changed(name, approved, "approved")

    async def settle(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """Take a person's word for how an unknown run ended."""
        self._let_in(request)
        (name,) = parameters
        ended = request.rel_url.query.get("ended")
        if ended not in {"finished", "failed"}:
            raise RequestError(400, Reason.OUT_OF_DOMAIN, "ended: expected finished or failed")
        now = self._clock()

        def settled(decision: Decision) -> Decision:
            if decision.state is not State.UNKNOWN or decision.run is None:
                raise _conflict(f"expected a decision whose run is unknown, this one is {decision.state}")
            run = replace(decision.run, ended_at=now)
            if ended == "failed":
                return replace(decision, state=State.FAILED, run=run, closed_at=now)
            return replace(decision, state=State.FINISHED, run=run)

        return await self._changed(name, settled, f"a person says that it {ended}")

    async def metrics(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """The exposition, in the form that the client asks for."""
        return exposition(self._counting, request)

    async def healthz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while nothing is stuck."""
        return health(self._service.stuck())

    async def readyz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while alerts are taken."""
        return readiness(self._service.not_ready())

    async def openapi(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """The document that describes all of this."""
        return respond(self._openapi)

    # --- the store --------------------------------------------------------------------------

    async def _told(self, name: str) -> Told:
        store = self._memory.decisions

        def read() -> Told | None:
            decision = store.decision(name)
            return None if decision is None else Told(decision, store.events(name))

        found = await self._read(read)
        if found is None:
            raise _missing()
        return found

    async def _changed(
        self, name: str, change: Callable[[Decision], Decision], detail: str
    ) -> web.StreamResponse:
        store = self._memory.decisions
        try:
            decision = await self._memory(store.change, name, change, self._clock(), detail)
        except KeyError:
            raise _missing() from None
        except StoreError:
            raise _unavailable("it could not be committed; the log says why") from None
        self._counting.came_to(decision)
        self._service.wake()
        return respond_json(await self._told(name))

    async def _read(self, function: Callable[[], _Answer]) -> _Answer:
        try:
            return await self._memory(function)
        except StoreError:
            raise _unavailable("the store can't be read; the log says why") from None

    def _let_in(self, request: web.BaseRequest) -> None:
        refuse_other_origins(request)
        if self._approval is None:
            detail = "nobody may: trigger.approval_token_file is not configured"
            raise RequestError(403, Reason.FORBIDDEN, detail)
        self._approval.check(request.headers.get(hdrs.AUTHORIZATION))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LISTED
    if not (text.isascii() and text.isdecimal()) or len(text) > 6 or not 0 < int(text) <= MOST_LISTED:
        raise RequestError(400, Reason.OUT_OF_DOMAIN, f"limit: expected 1 to {MOST_LISTED}")
    return int(text)


def _conflict(detail: str) -> RequestError:
    return RequestError(409, Reason.CONFLICT, detail)


def _missing() -> RequestError:
    return RequestError(404, Reason.NOT_FOUND, "no decision of this id; GET /v1/decisions lists them")


def _unavailable(detail: str) -> RequestError:
    return RequestError(503, Reason.STORE, detail, retry_after_seconds=1)
