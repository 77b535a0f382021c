"""Opens the doors that a configuration names, and closes them; a door that can't open is a value."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from driftgauge.config import Config
from driftgauge.web.auth import TokenFile
from driftgauge.web.intake import Intake
from driftgauge.web.observation import Observation
from driftgauge.web.ports import DoorCounts, IntakePort, ObservationPort
from driftgauge.web.protocol import DoorServer
from driftgauge.web.references import References
from driftgauge.web.routing import Door, Route

INTAKE, OBSERVATION, OUTSIDE = "intake", "observation", "outside"

DRAIN_SECONDS = 2.0
BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class DoorState:
    """How one configured door is.

    Attributes:
        name: intake, observation or outside.
        listen: as configured.
        address: where it can be reached, ``host:port`` or ``unix:/path``; None while it isn't bound.
        fault: in words why it lets nobody in; None when all is well.
    """

    name: str
    listen: str
    address: str | None
    fault: str | None


@dataclass(slots=True)
class _Opened:
    name: str
    listen: str
    routes: tuple[Route, ...]
    token: TokenFile | None
    fault: str | None = None
    address: str | None = None
    runner: web.ServerRunner | None = field(default=None, repr=False)


class Doors:
    """The doors of one configuration.

    Args:
        config: its addresses, token files and limits.
        drain_seconds: how long requests under way may take when the doors close; those that wait
            longer are cancelled, and get as long again.
    """

    def __init__(
        self,
        config: Config,
        intake: IntakePort,
        observation: ObservationPort,
        counts: DoorCounts,
        *,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._counts = counts
        self._drain_seconds = drain_seconds
        references = References(intake, observation)
        self._doors = self._configured(config, Intake(config, intake, counts), observation, references)

    def _configured(
        self, config: Config, intake: Intake, port: ObservationPort, references: References
    ) -> tuple[_Opened, ...]:
        observation = (*Observation(port, self._intake_address).routes(), *references.reading_routes())
        everything = (*intake.routes(), *references.changing_routes(), *observation)
        found = [_Opened(INTAKE, config.intake.listen, everything, _token(config.intake.token_file))]
        # One address for both is enough: the intake door answers all paths.
        if config.observation.listen != config.intake.listen or config.intake.listen.endswith(":0"):
            token = _token(config.observation.token_file)
            found.append(_Opened(OBSERVATION, config.observation.listen, observation, token))
        if config.outside.listen is not None:
            token = _token(config.outside.token_file)
            found.append(_Opened(OUTSIDE, config.outside.listen, intake.outside_routes(), token))
        return tuple(found)

    async def open(self) -> tuple[DoorState, ...]:
        """Open every door that isn't; may be called again to retry one whose port was taken.

        Never raises for a door: a fault is in its state.
        """
        for door in self._doors:
            if door.runner is None:
                await self._open(door)
        return self.states()

    def states(self) -> tuple[DoorState, ...]:
        """How each door is now; a token file that can't be read shuts one that is bound."""
        return tuple(DoorState(door.name, door.listen, door.address, _fault(door)) for door in self._doors)

    async def close(self) -> None:
        """Take no more connections, let requests under way end, and close."""
        await asyncio.gather(*(_close(door) for door in self._doors))

    async def _open(self, door: _Opened) -> None:
        if door.name == OUTSIDE and door.token is None:
            door.fault = "outside.token_file: required where outside.listen is given"
            return
        server = DoorServer(Door(door.routes, self._counts, door.token), asyncio.get_running_loop())
        runner = web.ServerRunner(server, shutdown_timeout=self._drain_seconds)
        await runner.setup()
        try:
            door.address = await _bind(runner, door.listen)
        except (OSError, ValueError) as error:
            await runner.cleanup()
            door.fault = f"{door.name}.listen {door.listen}: {_reason(error)}"
            return
        door.runner, door.fault = runner, None

    def _intake_address(self) -> str:
        return next((door.address or "" for door in self._doors if door.name == INTAKE), "")


def split_address(listen: str) -> tuple[str, int]:
    """Host and port of ``host:port``, ``[v6]:port`` or ``:port`` (all interfaces, the host empty).

    Raises:
        ValueError: it is none of them.
    """
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    plain = ":" not in host and "[" not in host
    if (
        not colon
        or not (bracketed or plain)
        or not (port.isascii() and port.isdecimal())
        or int(port) > 65535
    ):
        raise ValueError("expected host:port or unix:/path")
    return host.strip("[]"), int(port)


def _token(path: Path | None) -> TokenFile | None:
    return None if path is None else TokenFile(path)


def _fault(door: _Opened) -> str | None:
    if door.fault is not None or door.token is None:
        return door.fault
    fault = door.token.fault()
    return None if fault is None else f"{door.name}.token_file {fault}"


async def _bind(runner: web.ServerRunner, listen: str) -> str:
    """Listen, and return the address that was bound."""
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        await asyncio.to_thread(_clear_stale_socket, path)
        await web.UnixSite(runner, path, backlog=BACKLOG).start()
        return listen
    host, port = split_address(listen)
    site = web.TCPSite(runner, host or None, port, backlog=BACKLOG)
    await site.start()
    return f"[{host}]:{site.port}" if ":" in host else f"{host or '0.0.0.0'}:{site.port}"  # noqa: S104


def _clear_stale_socket(path: Path) -> None:
    """Remove a socket that a dead process left; the event loop would remove a living one's too.

    Raises:
        OSError: somebody listens there, or it is no socket.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "a file that is no socket is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


async def _close(door: _Opened) -> None:
    runner, door.runner, address, door.address = door.runner, None, door.address, None
    if runner is not None:
        await runner.cleanup()
    if address is not None and address.startswith("unix:"):
        await asyncio.to_thread(Path(address.removeprefix("unix:")).unlink, missing_ok=True)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error)
