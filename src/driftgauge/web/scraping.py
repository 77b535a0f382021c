"""What a scraper and a probe are answered, the same at every door that has /metrics, /healthz and /readyz."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiohttp import hdrs, web

from driftgauge.web.problem import respond, unwell


class Exposing(Protocol):
    """What has metrics."""

    def metrics(
        self, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> tuple[bytes, str, str | None]:
        """Body, content type and content encoding, by the values of the request's headers."""


def exposition(source: Exposing, request: web.BaseRequest) -> web.StreamResponse:
    """The exposition, in the form that the client asks for."""
    headers = request.headers
    body, content_type, encoding = source.metrics(
        ",".join(headers.getall(hdrs.ACCEPT, ())),
        ",".join(headers.getall(hdrs.ACCEPT_ENCODING, ())),
        request.rel_url.query.getall("name[]", []),
    )
    more = ((hdrs.CONTENT_ENCODING, encoding),) if encoding else ()
    vary = (hdrs.VARY, "Accept, Accept-Encoding")
    return respond(body, content_type=content_type, headers=(vary, *more))


def health(stuck: str | None) -> web.StreamResponse:
    """200 while nothing is *stuck*."""
    return unwell("stuck", stuck) if stuck else respond(b'{"status":"ok"}')


def readiness(reason: str | None) -> web.StreamResponse:
    """200 while there is no *reason* to send nothing here."""
    return unwell("not_ready", reason) if reason is not None else respond(b'{"status":"ready"}')
