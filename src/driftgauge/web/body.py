"""Bodies read within limits: so many bytes as sent, so many inflated, so many held at once."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.web_protocol import RequestPayloadError

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.web.problem import EncodingError

# gzip is inflated in pieces of so many bytes as sent; after so many inflated the event loop gets its turn.
PIECE = 1 << 16
TURN = 1 << 20

# A body may be several gzip members, but not so many that their bookkeeping is the attack.
MEMBERS = 100

_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})


class Bodies:
    """Reads the bodies of one door.

    Args:
        max_body: most bytes of a body as sent.
        max_inflated: most bytes of it after gzip.
        held: most bytes that all bodies that are still coming may hold together.
        seconds: how long a body may take to come.
        coming: told 1 when a body begins to come that isn't there yet, -1 when it has or won't.
    """

    def __init__(
        self,
        *,
        max_body: int,
        max_inflated: int,
        held: int,
        seconds: float = 60.0,
        coming: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._max_body = max_body
        self._max_inflated = max_inflated
        self._most_held = max(held, max_body)
        self._held = 0
        self._seconds = seconds
        self._coming = coming

    async def read(self, request: web.BaseRequest) -> bytes:
        """The whole body, inflated.

        Raises:
            RequestError: 400 broken framing, broken or truncated gzip, empty; 408 too slow; 413 too
                large, as sent or inflated; 415 another encoding; 417 another expectation; 429 too many
                bytes are held.
        """
        inflated = _is_gzip(request)
        length = request.content_length
        if length is not None and length > self._max_body:
            raise _too_large("bytes", self._max_body)
        if request.content.is_eof():  # a small body comes with its head: nothing to wait for
            body = self._at_once(request)
        else:
            body = await self._as_it_comes(request)
        if inflated:
            body = await inflate(body, self._max_inflated)
        if not body:
            raise RequestError(400, Reason.MALFORMED, "expected a body, got none")
        return body

    def _at_once(self, request: web.BaseRequest) -> bytes:
        try:
            body = request.content.read_nowait()
        except (RequestPayloadError, ConnectionError) as error:
            raise _broken() from error
        if len(body) > self._max_body:
            raise _too_large("bytes", self._max_body)
        return body

    async def _as_it_comes(self, request: web.BaseRequest) -> bytes:
        pieces: list[bytes] = []
        size = 0
        self._coming(1)
        try:
            await _continue(request)
            async with asyncio.timeout(self._seconds):
                while piece := await request.content.readany():
                    size += len(piece)
                    self._hold(len(piece))
                    pieces.append(piece)
                    if size > self._max_body:
                        raise _too_large("bytes", self._max_body)
            return b"".join(pieces)
        except TimeoutError:
            raise RequestError(
                408, Reason.MALFORMED, f"the body did not come within {self._seconds:g} s"
            ) from None
        except (RequestPayloadError, ConnectionError) as error:
            raise _broken() from error
        finally:
            self._held -= size
            self._coming(-1)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._most_held:
            detail = "too many bodies are coming at once"
            raise RequestError(429, Reason.OVERLOADED, detail, retry_after_seconds=1)


async def inflate(body: bytes, limit: int) -> bytes:
    """*body* without gzip, in bounded steps that let the event loop run in between.

    Raises:
        RequestError: 413 when it is longer than *limit*; 400 when it is no gzip or ends too early.
    """
    pieces: list[bytes] = []
    size, turn, members = 0, TURN, 1
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for start in range(0, len(body), PIECE):
        rest = body[start : start + PIECE]
        while rest:
            if inflater.eof:
                inflater, members = zlib.decompressobj(zlib.MAX_WBITS | 16), members + 1
            pieces.append(_step(inflater, rest, limit - size + 1))
            size += len(pieces[-1])
            if size > limit:
                raise _too_large("bytes after gzip", limit)
            if members > MEMBERS:
                raise RequestError(400, Reason.MALFORMED, f"gzip: expected at most {MEMBERS} members")
            rest = inflater.unused_data
        if size > turn:
            turn = size + TURN
            await asyncio.sleep(0)
    if not inflater.eof:
        raise RequestError(400, Reason.MALFORMED, "gzip: the body ends before its stream does")
    return b"".join(pieces)


def _step(inflater: zlib._Decompress, piece: bytes, most: int) -> bytes:
    try:
        return inflater.decompress(piece, most)
    except zlib.error:
        raise RequestError(400, Reason.MALFORMED, "gzip: the body is not a gzip stream") from None


def _is_gzip(request: web.BaseRequest) -> bool:
    """Whether the body is gzip; a second coding, or any other, is refused."""
    headers = request.headers
    if hdrs.CONTENT_ENCODING not in headers:
        return False
    encoding = ",".join(headers.getall(hdrs.CONTENT_ENCODING)).strip().lower()
    if encoding in _GZIP:
        return True
    if encoding in _PLAIN:
        return False
    raise EncodingError(415, Reason.ENCODING, "Content-Encoding: expected gzip or identity, got another one")


async def _continue(request: web.BaseRequest) -> None:
    """Tell a client that waits for it that its body is wanted."""
    expected = request.headers.get(hdrs.EXPECT)
    if expected is None or request.version != HttpVersion11:
        return
    if expected.strip().lower() != "100-continue":
        raise RequestError(417, Reason.MALFORMED, "Expect: expected 100-continue, got another one")
    transport = request.transport
    if transport is not None:
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _too_large(what: str, limit: int) -> RequestError:
    return RequestError(413, Reason.TOO_LARGE, f"expected a body of at most {limit} {what}, got more")


def _broken() -> RequestError:
    return RequestError(400, Reason.MALFORMED, "the body broke off, or its framing is not that of HTTP/1.1")
