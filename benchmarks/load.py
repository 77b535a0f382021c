"""The load generator, a process of its own: keep-alive connections, each sending as soon as it was answered.

Reads orders, a line of JSON each, and answers each with a line: what the server said, added up.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import uvloop

from benchmarks.typical import Form, Shape, Template, templates

LONGEST_SECONDS = 120.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_COUNTS = re.compile(rb'"accepted":(\d+),"duplicates":(\d+)')


@dataclass(frozen=True, slots=True)
class Order:
    """What to send.

    Attributes:
        first: number of the first body; its records' ids come from it.
        size: records a body.
        ages: seconds before now at which each body was made, one after another; for histories.
    """

    port: int
    form: str
    first: int
    bodies: int
    connections: int
    size: int
    numeric: int
    categorical: int
    version: str
    ages: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Told:
    """What the server answered."""

    accepted: int = 0
    duplicates: int = 0
    failed: int = 0
    seconds: float = 0.0
    sample: str = ""


@lru_cache(maxsize=16)
def made(form: str, numeric: int, categorical: int, size: int, version: str) -> tuple[Template, ...]:
    """Templates are made once."""
    return templates(Form(form), Shape(numeric, categorical), size, version)


def requests(order: Order) -> Iterator[bytes]:
    """Whole requests, stamped when they are sent."""
    found = made(order.form, order.numeric, order.categorical, order.size, order.version)
    for i in range(order.bodies):
        now = time.time() - (order.ages[i] if order.ages else 0.0)
        yield found[i % len(found)].request(order.first + i, now)


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one was answered."""

    def __init__(self, source: Iterator[bytes], told: Told, done: asyncio.Future[None]) -> None:
        self.source, self.told, self.done = source, told, done
        self.transport: Any = None  # uvloop's are no asyncio.Transport
        self.held = b""
        self.wanted = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self.source, None)
        if request is None:
            self.transport.close()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.held += data
        if self.wanted < 0 and (end := self.held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.held, 0, end)
            self.wanted = end + 4 + int(length[1] if length else 0)
        if 0 <= self.wanted <= len(self.held):
            self._answered(self.held)
            self.held, self.wanted = b"", -1
            self._next()

    def _answered(self, answer: bytes) -> None:
        counts = _COUNTS.search(answer)
        if answer[9:12] != b"200" or counts is None:
            self.told.failed += 1
            self.told.sample = answer[:300].decode(errors="replace")
            return
        self.told.accepted += int(counts[1])
        self.told.duplicates += int(counts[2])

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self.told.failed += 1
            self.told.sample = str(error)
        if not self.done.done():
            self.done.set_result(None)


async def send(order: Order) -> Told:
    """Carry an order out."""
    loop = asyncio.get_running_loop()
    source, told = requests(order), Told()
    began = time.perf_counter()
    ends = []
    for _ in range(min(order.connections, order.bodies)):
        done: asyncio.Future[None] = loop.create_future()
        ends.append(done)
        await loop.create_connection(lambda d=done: Connection(source, told, d), "127.0.0.1", order.port)
    try:
        await asyncio.wait_for(asyncio.gather(*ends), LONGEST_SECONDS)
    except TimeoutError:
        told.failed, told.sample = told.failed + 1, f"no end after {LONGEST_SECONDS:.0f} s"
    told.seconds = time.perf_counter() - began
    return told


def main() -> None:
    """Orders in, answers out, until the input ends."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        made(order.form, order.numeric, order.categorical, order.size, order.version)
        told = uvloop.run(send(order))
        answer = {name: getattr(told, name) for name in Told.__slots__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
