"""Real doors on free ports, with fake ports behind them, spoken to through plain sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse

import pytest

from driftgauge.config import Config, Intake, Observation
from driftgauge.records import Answer
from driftgauge.snapshot import EMPTY
from driftgauge.web.ports import Health, Readiness
from driftgauge.web.server import Doors

try:  # what `serve` runs on where it installs
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop


@dataclass
class FakeIntake:
    """Remembers what was submitted; answers, refuses or breaks as it is told."""

    answer: Answer = Answer(accepted=1)
    closed: Exception | None = None
    error: BaseException | None = None
    changed: object = None
    requests: list = field(default_factory=list)
    bodies_coming: list = field(default_factory=list)
    gate: threading.Event | None = None
    entered: threading.Event = field(default_factory=threading.Event)

    def requests_open(self):
        if self.closed is not None:
            raise self.closed

    def coming(self, bodies):
        self.bodies_coming.append(bodies)

    async def submit(self, request):
        self.requests.append(request)
        self.entered.set()
        if self.gate is not None:
            await asyncio.to_thread(self.gate.wait, 10)
        if self.error is not None:
            raise self.error
        return self.answer

    async def change_reference(self, request):
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return self.changed


@dataclass
class FakeObservation:
    state: object = EMPTY
    told: tuple = ()
    parts: tuple = ()
    replay: object = None
    well: Health = Health()
    is_ready: Readiness = Readiness(True)
    rows: tuple | None = ()
    known: object = None
    asked: list = field(default_factory=list)
    error: BaseException | None = None

    def metrics(self, accept, accept_encoding, names):
        self.asked.append((accept, accept_encoding, names))
        if self.error is not None:
            raise self.error
        return b"up 1\n", "text/plain; version=0.0.4; charset=utf-8", None

    def health(self):
        return self.well

    def readiness(self):
        return self.is_ready

    def components(self):
        return self.parts

    def snapshot(self):
        return self.state

    def notices(self):
        return self.told

    def progress(self):
        return self.replay

    async def history(self, query):
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return self.rows

    async def reference(self, query):
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return self.known


@dataclass
class FakeCounts:
    reasons: list = field(default_factory=list)
    paths: list = field(default_factory=list)

    def refused(self, reason):
        self.reasons.append(reason)

    def answered(self, path, seconds):
        assert seconds >= 0
        self.paths.append(path)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPResponse
    body: bytes

    def json(self):
        return json.loads(self.body)

    def problem(self) -> tuple[int, str, str]:
        """Status, reason and detail of an error, after a look at what all errors must have."""
        told = self.json()
        assert self.headers["Content-Type"] == "application/problem+json"
        assert told["status"] == self.status
        assert told["type"] == f"urn:driftgauge:problem:{told['reason']}"
        assert told["title"]
        assert "Traceback" not in self.body.decode()
        return self.status, told["reason"], told["detail"]


class Served:
    """Doors in a thread of their own."""

    def __init__(self, config: Config) -> None:
        self.intake, self.observation, self.counts = FakeIntake(), FakeObservation(), FakeCounts()
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.doors = Doors(config, self.intake, self.observation, self.counts, drain_seconds=0.3)
        self.states = self.run(self.doors.open())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def stop(self) -> None:
        if self._thread.is_alive():
            self.run(self.doors.close())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    def address(self, door: str = "intake") -> tuple[str, int]:
        bound = next(s.address for s in self.states if s.name == door)
        host, _, port = bound.rpartition(":")
        return host, int(port)

    def ask(self, method: str, path: str, body=None, headers=None, door: str = "intake") -> Reply:
        connection = HTTPConnection(*self.address(door), timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, door: str = "intake", **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers, door=door)

    def post(
        self, path: str = "/v1/predictions", body: object = b"{}", door: str = "intake", **headers
    ) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body, {"Content-Type": "application/json"} | named, door)

    def raw(self, message: bytes, *more: bytes, door: str = "intake") -> bytes:
        """All that comes back for these bytes until the door closes the connection."""
        with socket.create_connection(self.address(door), timeout=60) as connection:
            for piece in (message, *more):
                connection.sendall(piece)
            return b"".join(iter(lambda: connection.recv(65536), b""))


def local(**more) -> Config:
    # Not the same text as the intake's, which would make them one door.
    addresses = {"intake": Intake(listen="127.0.0.1:0"), "observation": Observation(listen="127.0.0.1:00")}
    return Config(**(addresses | more))


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch):
    """Close at once after a refusal, where a test reads until then."""
    monkeypatch.setattr("driftgauge.web.protocol.LINGER_SECONDS", 0.05)


@pytest.fixture
def serve() -> Iterator:
    """`serve(intake=..., observation=...)` opens doors with these parts of the configuration."""
    started = []

    def start(**parts) -> Served:
        started.append(Served(local(**parts)))
        return started[-1]

    yield start
    for served in started:
        if served.intake.gate is not None:
            served.intake.gate.set()
        served.stop()


@pytest.fixture
def served(serve) -> Served:
    return serve()
