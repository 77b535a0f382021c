"""Requests of the trigger to others: bounded in time and bytes, repeated where that helps."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp

from driftgauge import __version__
from driftgauge.errors import DriftgaugeError

LARGEST_ANSWER = 64 << 20
LONGEST_SECRET = 4096
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unanswered(DriftgaugeError):
    """Nobody gave a usable answer; another try later may help."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is asked, and how.

    Attributes:
        name: the word of the closed set that labels the counter of failures.
        attempts: how often a request is made before it has failed.
    """

    name: str
    timeout: float
    token_file: Path | None = None
    ca_file: Path | None = None
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of HTTP, whatever it says."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


class Asker:
    """Makes requests, with backoff and jitter between attempts.

    Args:
        random: draws the jitter.
        sleep: waits so many seconds.
        failed: told the peer's name when a request has failed for good.
    """

    def __init__(
        self,
        *,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._random = random
        self._sleep = sleep
        self._failed = failed
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self,
        peer: Peer,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer; statuses that ask for another try are tried again, and redirects are not followed.

        Raises:
            Unanswered: nobody answered in time, or all attempts were put off; says why, without secrets.
        """
        fault = ""
        for attempt in range(peer.attempts):
            if attempt:
                await self._sleep(self._pause(attempt))
            try:
                reply = await self._once(peer, method, url, body, headers or {}, query)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                fault = f"{peer.name}: {_words(error, peer.timeout)}"
                continue
            if reply.status not in _AGAIN:
                return reply
            fault = f"{peer.name}: answered {reply.status}"
        self._failed(peer.name)
        raise Unanswered(fault)

    async def _once(
        self,
        peer: Peer,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
    ) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": f"driftgauge/{__version__}"}
            )
        given = dict(headers)
        if peer.token_file is not None:
            given["Authorization"] = f"Bearer {secret(peer.token_file).decode('latin-1')}"
        async with self._session.request(
            method,
            url,
            data=body,
            headers=given,
            params=query,
            timeout=aiohttp.ClientTimeout(total=peer.timeout),
            ssl=_tls(peer.ca_file) if url.startswith("https:") else True,
            allow_redirects=False,
        ) as answer:
            return Reply(answer.status, await _bounded(answer))

    def _pause(self, attempt: int) -> float:
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
        return pause * self._random.uniform(0.5, 1.5)


def secret(path: Path) -> bytes:
    """The first line of a file that holds a secret, read at each use, so that it can be rotated.

    Raises:
        OSError: it can't be read.
        ValueError: it is too long, or its first line is empty.
    """
    with path.open("rb") as file:
        content = file.read(LONGEST_SECRET + 1)
    found = content.partition(b"\n")[0].strip()
    if not found or len(content) > LONGEST_SECRET:
        raise ValueError(f"{path}: expected a first line and at most {LONGEST_SECRET} bytes")
    return found


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_chunked(1 << 16):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise ValueError(f"expected an answer of at most {LARGEST_ANSWER >> 20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always checked; against *ca_file* alone where one is given."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _words(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    number = getattr(getattr(error, "os_error", error), "errno", None)
    # OpenSSL's numbers are none of the system's.
    if isinstance(number, int) and number > 0 and not isinstance(error, aiohttp.ClientSSLError):
        return os.strerror(number).lower()
    return " ".join(str(error).split())[:200] or type(error).__name__
