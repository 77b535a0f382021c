"""The doors for records: POST /v1/predictions and POST /v1/outcomes."""

from __future__ import annotations

from functools import lru_cache
from time import perf_counter

from aiohttp import hdrs, web

from driftgauge.config import Config, Durability
from driftgauge.errors import RequestError
from driftgauge.records import Answer, Kind, Media, Reason, Request
from driftgauge.web.body import Bodies
from driftgauge.web.ports import DoorCounts, IntakePort
from driftgauge.web.prebuilt import Prebuilt, suits
from driftgauge.web.problem import Taken, listed, nothing_valid, respond_json
from driftgauge.web.routing import Parameters, Route

PREDICTIONS = "/v1/predictions"
OUTCOMES = "/v1/outcomes"

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255

MEDIA = {
    "application/json": Media.JSON,
    "application/x-ndjson": Media.NDJSON,
    "application/ndjson": Media.NDJSON,
    "application/jsonl": Media.NDJSON,
}
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class Intake:
    """Takes bodies through a door, hands them to the port, and words what it says."""

    def __init__(self, config: Config, port: IntakePort, counts: DoorCounts) -> None:
        self._port = port
        self._counts = counts
        self._bodies = Bodies(
            max_body=config.intake.max_body,
            max_inflated=config.intake.max_inflated,
            held=config.intake.queue,
            coming=port.coming,
        )
        # 202 says what memory means: taken, but gone with the process.
        self._status = 202 if config.store.durability is Durability.MEMORY else 200
        self._prebuilt = Prebuilt(self._status)

    def routes(self) -> tuple[Route, ...]:
        """Both paths."""
        return (Route(hdrs.METH_POST, PREDICTIONS, self.predictions), *self.outside_routes())

    def outside_routes(self) -> tuple[Route, ...]:
        """The path of the door for senders outside of the pod."""
        return (Route(hdrs.METH_POST, OUTCOMES, self.outcomes),)

    async def predictions(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """Take predictions."""
        return await self._take(request, Kind.PREDICTIONS, PREDICTIONS)

    async def outcomes(self, request: web.BaseRequest, _: Parameters) -> web.StreamResponse:
        """Take outcomes."""
        return await self._take(request, Kind.OUTCOMES, OUTCOMES)

    async def _take(self, request: web.BaseRequest, kind: Kind, path: str) -> web.StreamResponse:
        refuse_other_origins(request)
        self._port.requests_open()
        headers = request.headers
        media = media_of(headers.get(hdrs.CONTENT_TYPE))
        key = idempotency_key(headers.get(IDEMPOTENCY_KEY))
        body = await self._bodies.read(request)
        began = perf_counter()
        try:
            answer = await self._port.submit(Request(kind, media, body, key))
        finally:
            self._counts.answered(path, perf_counter() - began)
        return self._words(request, answer)

    def _words(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if not answer.rejected:
            if suits(request):
                return self._prebuilt.answer(answer.accepted, answer.duplicates)
        elif not answer.accepted and not answer.duplicates:
            self._counts.refused(Reason.NOTHING_VALID)
            return nothing_valid(answer)
        taken = Taken(answer.accepted, answer.duplicates, listed(answer), len(answer.rejected))
        return respond_json(taken, status=self._status)


@lru_cache(maxsize=64)
def media_of(content_type: str | None) -> Media:
    """The form of a body by its Content-Type; without one it is JSON.

    Raises:
        RequestError: 415, another type, or text in another encoding than UTF-8.
    """
    if not content_type or not content_type.strip():
        return Media.JSON
    name, *parameters = (part.strip() for part in content_type.split(";"))
    media = MEDIA.get(name.lower())
    if media is None:
        raise RequestError(415, Reason.MEDIA_TYPE, _expected_media(name.lower()))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in _CHARSETS:
            detail = "Content-Type: expected charset utf-8, got another one"
            raise RequestError(415, Reason.MEDIA_TYPE, detail)
    return media


def idempotency_key(header: str | None) -> str | None:
    """The key that marks a request as the same one when it is sent again.

    Raises:
        RequestError: 400, it is empty, longer than 255 characters, or not printable.
    """
    if header is None:
        return None
    if len(header) > LONGEST_KEY:
        detail = f"{IDEMPOTENCY_KEY}: expected at most {LONGEST_KEY} characters, got {len(header)}"
        raise RequestError(400, Reason.TOO_LONG, detail)
    if not header or not header.isprintable():
        detail = f"{IDEMPOTENCY_KEY}: expected 1 to {LONGEST_KEY} printable characters"
        raise RequestError(400, Reason.OUT_OF_DOMAIN, detail)
    return header


def refuse_other_origins(request: web.BaseRequest) -> None:
    """Keep web pages out: a browser on this machine would post for any of them.

    Raises:
        RequestError: 403, the request names an origin, and it is not this address.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and origin.partition("://")[2] != request.headers.get(hdrs.HOST):
        raise RequestError(403, Reason.FORBIDDEN, "Origin: expected none, got a web page's")


def _expected_media(name: str) -> str:
    known = ", ".join(MEDIA)
    hint = "; with curl, add -H 'Content-Type: application/json'" if name.endswith("form-urlencoded") else ""
    return f"Content-Type: expected one of {known}, got another one{hint}"
