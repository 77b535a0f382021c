"""The commonest answer, written as bytes: 200 or 202 with three counts and nothing refused.

Making and sending aiohttp's Response is a large part of what a small request costs; this saves most of it.
"""

from __future__ import annotations

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

from driftgauge.web.problem import JSON, SERVER, title

_HEAD = (
    "HTTP/1.1 {} {}\r\nServer: {}\r\nContent-Type: {}\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)


class PrebuiltAnswer(web.StreamResponse):
    """A finished answer: it can be sent once, as it stands, to a client that keeps its connection."""

    def __init__(self, message: bytes) -> None:
        # Not super().__init__(): the state that it makes is what this class saves, and none is used.
        self._message = message

    @property
    def keep_alive(self) -> bool:
        """Always: see `suits`."""
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the whole answer.

        Raises:
            ConnectionResetError: the client is gone.
        """
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.write(self._message)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


class Prebuilt:
    """Makes the answers of one status: 200, or 202 where durability is memory."""

    def __init__(self, status: int) -> None:
        self._head = _HEAD.format(status, title(status), SERVER, JSON)

    def answer(self, accepted: int, duplicates: int) -> PrebuiltAnswer:
        """The answer to a request nothing of which was refused."""
        body = f'{{"accepted":{accepted},"duplicates":{duplicates},"rejected":[],"rejected_total":0}}'
        date = rfc822_formatted_time()
        message = f"{self._head}Date: {date}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        return PrebuiltAnswer(message.encode("ascii"))


def suits(request: web.BaseRequest) -> bool:
    """Whether a prebuilt answer can be sent: HTTP/1.1, and the connection stays."""
    return request.version == HttpVersion11 and request.keep_alive
