"""The paths for reading: /metrics, health, the page, and what is known of each model as JSON."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime

import msgspec
from aiohttp import hdrs, web

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.snapshot import Snapshot, VersionSnapshot
from driftgauge.web.answers import History, Model, Models, encode, feature_answer
from driftgauge.web.openapi import document
from driftgauge.web.page import CONTENT_SECURITY_POLICY, View, asked
from driftgauge.web.page.pages import Pages, accepts_gzip
from driftgauge.web.ports import HistoryQuery, ObservationPort
from driftgauge.web.problem import respond, respond_json
from driftgauge.web.routing import Parameters, Route
from driftgauge.web.scraping import exposition, health, readiness


class Observation:
    """Answers from the port's finished values.

    Args:
        intake_address: where records can be sent, for the page's example.
    """

    def __init__(self, port: ObservationPort, intake_address: Callable[[], str]) -> None:
        self._port = port
        self._intake_address = intake_address
        self._pages = Pages()
        self._openapi = msgspec.json.encode(document())

    def routes(self) -> tuple[Route, ...]:
        """All paths; health needs no token, because a kubelet's probe has none."""
        return (
            Route(hdrs.METH_GET, "/", self.page),
            Route(hdrs.METH_GET, "/metrics", self.metrics),
            Route(hdrs.METH_GET, "/healthz", self.healthz, needs_token=False),
            Route(hdrs.METH_GET, "/readyz", self.readyz, needs_token=False),
            Route(hdrs.METH_GET, "/v1/models", self.models),
            Route(hdrs.METH_GET, "/v1/models/{model}", self.model),
            Route(hdrs.METH_GET, "/v1/models/{model}/features/{feature}", self.feature),
            Route(hdrs.METH_GET, "/v1/models/{model}/outputs/{output}", self.output),
            Route(hdrs.METH_GET, "/v1/models/{model}/history", self.history),
            Route(hdrs.METH_GET, "/openapi.json", self.openapi),
        )

    async def metrics(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """The exposition, in the form that the client asks for."""
        return exposition(self._port, request)

    async def healthz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while nothing is stuck."""
        return health(self._port.health().stuck)

    async def readyz(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """200 while state is restored and records are taken."""
        found = self._port.readiness()
        return readiness(None if found.ready else found.reason)

    async def models(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """Each model version as a whole."""
        snapshot = self._port.snapshot()
        return respond_json(
            Models(
                evaluated_at=snapshot.evaluated_at,
                evaluation_seconds=snapshot.seconds,
                versions=tuple(version.state for version in snapshot.versions),
                notices=self._port.notices(),
                components=self._port.components(),
                progress=self._port.progress(),
            )
        )

    async def model(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """All rows of one model's versions, or of the one that ``?model_version=`` names."""
        (name,) = parameters
        snapshot = self._port.snapshot()
        wanted = request.rel_url.query.get("model_version")
        versions = tuple(
            version
            for version in snapshot.versions
            if version.state.model == name and wanted in {None, version.state.model_version}
        )
        if not versions:
            raise unknown_model()
        return respond(encode(Model(name, snapshot.evaluated_at, versions)))

    async def feature(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """All of one feature of the version that ``?model_version=`` names, else of the newest."""
        model, feature = parameters
        return await self._named(request, model, feature, "")

    async def output(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """All of the score or of the prediction, likewise."""
        model, output = parameters
        return await self._named(request, model, "", output)

    async def _named(
        self, request: web.BaseRequest, model: str, feature: str, output: str
    ) -> web.StreamResponse:
        snapshot = self._port.snapshot()
        version = version_of(snapshot, model, request.rel_url.query.get("model_version"))
        if version is None:
            raise unknown_model()
        # It looks through the rows of all features.
        found = await asyncio.to_thread(feature_answer, snapshot, version, feature, output)
        if found is None:
            detail = "no feature or output of this name; GET /v1/models/{model} has them all"
            raise RequestError(404, Reason.NOT_FOUND, detail)
        return respond(await asyncio.to_thread(encode, found))

    async def history(self, request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
        """One model's past, between ``?start=`` and ``?end=`` where given."""
        (name,) = parameters
        query = request.rel_url.query
        wanted = HistoryQuery(
            model=name,
            model_version=query.get("model_version"),
            start=moment("start", query.get("start")),
            end=moment("end", query.get("end")),
        )
        rows = await self._port.history(wanted)
        if rows is None:
            raise unknown_model()
        return respond_json(History(name, rows))

    async def openapi(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:  # noqa: ARG002
        """The document that describes all of this."""
        return respond(self._openapi)

    async def page(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """The page for people."""
        port = self._port
        view = View(
            snapshot=port.snapshot(),
            notices=port.notices(),
            components=port.components(),
            readiness=port.readiness(),
            progress=port.progress(),
            intake_address=self._intake_address(),
        )
        compressed = accepts_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
        chosen = asked(request.rel_url.query)
        # Of many features it takes longer than another request should wait.
        body = await asyncio.to_thread(self._pages.body, view, chosen, compressed=compressed)
        headers = [
            ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
            ("Referrer-Policy", "no-referrer"),
            (hdrs.VARY, "Accept-Encoding"),
            *([(hdrs.CONTENT_ENCODING, "gzip")] if compressed else []),
        ]
        return respond(body, content_type="text/html; charset=utf-8", headers=tuple(headers))


def moment(name: str, text: str | None) -> float | None:
    """Epoch seconds of a query parameter: a number of them, or RFC 3339 with a zone; None when absent.

    Raises:
        RequestError: 400, it is neither.
    """
    if text is None:
        return None
    # In a query a plus sign that isn't encoded has become a space; no moment has one there.
    text = text.strip().replace(" ", "+")
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else _rfc3339(text)
    except (ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        detail = f"{name}: expected epoch seconds or RFC 3339 with a zone (2026-01-31T00:00:00Z)"
        raise RequestError(400, Reason.BAD_TIMESTAMP, detail)
    return seconds


def _rfc3339(text: str) -> float:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found.timestamp()


def version_of(snapshot: Snapshot, model: str, wanted: str | None) -> VersionSnapshot | None:
    """The version of *model* that is *wanted*, the newest where that is None; None where there is none."""
    found = [
        version
        for version in snapshot.versions
        if version.state.model == model and wanted in {None, version.state.model_version}
    ]
    return found[-1] if found else None


def unknown_model() -> RequestError:
    """404 for a name that isn't known."""
    return RequestError(404, Reason.NOT_FOUND, "no model of this name and version; GET /v1/models lists them")
