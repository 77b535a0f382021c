"""aiohttp's connection, with the errors that it answers by itself turned into problem+json."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.web.problem import title
from driftgauge.web.routing import Door, internal

# After a refusal the rest of the body is read and thrown away for so long, so that the client gets to
# read the answer; then the connection is closed.
LINGER_SECONDS = 2.0


class DoorConnection(web.RequestHandler):
    """One connection to a door."""

    __slots__ = ("_door",)

    def __init__(self, server: DoorServer, door: Door, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._door = door

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it may repeat the request's bytes
    ) -> web.StreamResponse:
        """The answer to what is not HTTP, and to what failed outside of the door's own handlers.

        Raises:
            ConnectionError: an answer has begun already.
        """
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was under way, no other can follow")
        if status >= 500 and exc is not None:
            error = internal(exc)
        else:
            error = RequestError(status, Reason.MALFORMED, _words(status, exc))
        response = self._door.refuse(error)
        response.force_close()
        return response


class DoorServer(web.Server):
    """Makes the connections of one door: bodies as they were sent, no access log."""

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(door, loop=loop)
        self._door = door

    def __call__(self) -> DoorConnection:
        """A new connection."""
        return DoorConnection(
            self,
            self._door,
            loop=self._loop,
            access_log=None,
            auto_decompress=False,
            lingering_time=LINGER_SECONDS,
        )


def _words(status: int, exc: BaseException | None) -> str:
    if isinstance(exc, LineTooLong):
        return "expected a request line and headers of at most 8190 bytes each, got a longer one"
    if status == 400:
        return "expected a request of HTTP/1.1, got something else"
    return title(status).lower()
