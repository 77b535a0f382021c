"""The paths of a version's reference: read as a file, accepted, learned anew."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from driftgauge.config_file import parse_duration
from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.reference import to_json
from driftgauge.web.intake import refuse_other_origins
from driftgauge.web.observation import moment, unknown_model
from driftgauge.web.ports import (
    IntakePort,
    ObservationPort,
    ReferenceAction,
    ReferenceQuery,
    ReferenceRequest,
)
from driftgauge.web.problem import respond, respond_json
from driftgauge.web.routing import Parameters, Route

REFERENCE = "/v1/models/{model}/reference"


class References:
    """Reads through the observation's port, changes through the intake's."""

    def __init__(self, intake: IntakePort, observation: ObservationPort) -> None:
        self._intake = intake
        self._observation = observation

    def reading_routes(self) -> tuple[Route, ...]:
        """The path that any door for reading has."""
        return (Route(hdrs.METH_GET, REFERENCE, self.read),)

    def changing_routes(self) -> tuple[Route, ...]:
        """The paths of the intake door alone: they change state."""
        return (
            Route(hdrs.METH_POST, f"{REFERENCE}/accept", self.accept),
            Route(hdrs.METH_POST, f"{REFERENCE}/relearn", self.relearn),
        )

    async def read(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """The reference that a version is compared with, as `driftgauge profile` writes one."""
        (name,) = parameters
        query = ReferenceQuery(name, request.rel_url.query.get("model_version"))
        reference = await self._observation.reference(query)
        if reference is None:
            raise unknown_model()
        # A thousand features are megabytes.
        return respond(await asyncio.to_thread(to_json, reference))

    async def accept(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """Freeze what is provisional or unstable."""
        return await self._change(request, parameters, ReferenceAction.ACCEPT, None, None)

    async def relearn(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """Learn anew, or take what is kept of ``?window=`` or since ``?since=``."""
        query = request.rel_url.query
        window, since = _window(query.get("window")), moment("since", query.get("since"))
        if window is not None and since is not None:
            raise RequestError(400, Reason.OUT_OF_DOMAIN, "expected window or since, got both")
        return await self._change(request, parameters, ReferenceAction.RELEARN, window, since)

    async def _change(
        self,
        request: web.BaseRequest,
        parameters: Parameters,
        action: ReferenceAction,
        window: float | None,
        since: float | None,
    ) -> web.StreamResponse:
        refuse_other_origins(request)
        self._intake.requests_open()
        (name,) = parameters
        version = request.rel_url.query.get("model_version")
        changed = await self._intake.change_reference(ReferenceRequest(name, version, action, window, since))
        if changed is None:
            raise unknown_model()
        return respond_json(changed)


def _window(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as unfit:
        raise RequestError(400, Reason.OUT_OF_DOMAIN, f"window: expected {unfit}") from unfit
