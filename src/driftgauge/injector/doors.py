"""The paths of the injector: the API server's question, health, metrics."""

from __future__ import annotations

import logging
import traceback
from time import perf_counter
from typing import Final, Protocol

from aiohttp import hdrs, web

from driftgauge.artefacts.manifests import Sidecar
from driftgauge.errors import RequestError
from driftgauge.injector.counting import Counting
from driftgauge.injector.judging import Judgement, Result, judge
from driftgauge.injector.refusing import Refusal
from driftgauge.injector.review import Request, answer, decode
from driftgauge.records import Media, Reason
from driftgauge.web.body import Bodies
from driftgauge.web.intake import media_of
from driftgauge.web.problem import respond_json
from driftgauge.web.routing import Parameters, Route
from driftgauge.web.scraping import exposition, health, readiness

log = logging.getLogger(__name__)

MUTATE: Final = "/mutate"
# The API server takes objects of at most 3 MiB.
MAX_BODY: Final = 4 << 20


class Service(Protocol):
    """What the doors ask of the process."""

    def stuck(self) -> str | None:
        """Why nothing moves; None when all is well."""

    def not_ready(self) -> str | None:
        """Why the API server can't be answered; None when it can."""

    def draining(self) -> bool:
        """Whether it is about to stop."""


class Doors:
    """Answers the requests of both addresses.

    Args:
        sidecar: what a pod gets where its annotations don't choose.
    """

    def __init__(self, sidecar: Sidecar, counting: Counting, service: Service) -> None:
        self._sidecar = sidecar
        self._counting = counting
        self._service = service
        self._bodies = Bodies(max_body=MAX_BODY, max_inflated=MAX_BODY, held=4 * MAX_BODY, seconds=10.0)

    def reviewing(self) -> tuple[Route, ...]:
        """Paths of the address with TLS."""
        return (Route(hdrs.METH_POST, MUTATE, self.mutate), *self._health())

    def observing(self) -> tuple[Route, ...]:
        """Paths of the address without."""
        return (Route(hdrs.METH_GET, "/metrics", self.metrics), *self._health())

    async def mutate(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """Tell the API server what to change in a new pod; whatever it is, the pod is allowed."""
        if media_of(request.headers.get(hdrs.CONTENT_TYPE)) is not Media.JSON:
            raise RequestError(415, Reason.MEDIA_TYPE, "Content-Type: expected application/json")
        body = await self._bodies.read(request)
        began = perf_counter()
        asked = decode(body)
        judgement = self._judged(asked)
        if asked.dry_run is not True:
            self._counting.judged(judgement)
        response = respond_json(answer(asked, judgement))
        if self._service.draining():
            # So that the API server asks the other replica next.
            response.force_close()
        self._counting.answered(MUTATE, perf_counter() - began)
        return response

    def _judged(self, asked: Request) -> Judgement:
        if not asked.is_new_pod:
            detail = f"expected a new Pod, got {asked.operation[:20]!a} of {asked.kind.kind[:60]!a}"
            return Judgement(Result.REFUSED, reason=Refusal.NOT_A_NEW_POD, detail=detail)
        try:
            judgement = judge(asked.object, self._sidecar)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not keep a pod from starting
            return _failed(error)
        if judgement.result is not Result.UNASKED:
            log.info("%s: %s %s", _name(asked), judgement.result, judgement.detail or "")
        return judgement

    async def metrics(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """The exposition, in the form that the client asks for."""
        return exposition(self._counting, request)

    async def healthz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while nothing is stuck."""
        return health(self._service.stuck())

    async def readyz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while the API server can be answered: a certificate that holds, and not about to stop."""
        return readiness(self._service.not_ready())

    def _health(self) -> tuple[Route, ...]:
        return (
            Route(hdrs.METH_GET, "/healthz", self.healthz),
            Route(hdrs.METH_GET, "/readyz", self.readyz),
        )


def _failed(error: Exception) -> Judgement:
    """The log gets kind and place, not the message, which may hold the pod's values."""
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-10:]))
    log.error("a pod could not be judged: %s at %s", type(error).__name__, place)
    return Judgement(
        Result.FAILED, detail=f"it failed inside the injector ({type(error).__name__}), whose log says where"
    )


def _name(asked: Request) -> str:
    """Namespace and name of a pod, as far as it has one yet; fit for a line of a log."""
    metadata = asked.object.get("metadata") if isinstance(asked.object, dict) else None
    found = metadata if isinstance(metadata, dict) else {}
    name = found.get("name") or f"{found.get('generateName', '')}*"
    return ascii(f"{asked.namespace}/{name}"[:320])
