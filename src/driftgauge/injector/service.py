"""One running injector: its two addresses, its certificate, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import time
from collections.abc import Callable
from time import monotonic
from typing import Final

from aiohttp import web

from driftgauge.errors import DriftgaugeError
from driftgauge.injector.certificate import Certificate
from driftgauge.injector.counting import Counting
from driftgauge.injector.doors import Doors
from driftgauge.injector.settings import Settings
from driftgauge.web.protocol import DoorServer
from driftgauge.web.routing import Door, Route
from driftgauge.web.server import split_address

log = logging.getLogger(__name__)

STOPPED_BY: Final = (signal.SIGTERM, signal.SIGINT)
DRAIN_SECONDS: Final = 2.0
STUCK_SECONDS: Final = 180.0


class Service:
    """Built from its settings; `start` and `stop` are its whole life.

    Args:
        clock: wall time, epoch seconds.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self.counting = Counting()
        self.certificate = Certificate(settings.certificate, settings.key, clock)
        self._doors = Doors(settings.sidecar, self.counting, self)
        self._runners: list[web.ServerRunner] = []
        self._watching: asyncio.Task[None] | None = None
        self._beat = monotonic()
        self._draining = False

    async def start(self) -> tuple[str, str]:
        """Read the certificate and open both addresses, ``host:port``: with TLS, and without.

        A certificate that can't be used yet is no reason to end: it is looked for again and again.

        Raises:
            DriftgaugeError: an address can't be had.
        """
        await self.look()
        settings = self._settings
        try:
            asked = await self._open("--listen", settings.listen, self._doors.reviewing(), tls=True)
            seen = await self._open(
                "--metrics-listen", settings.metrics_listen, self._doors.observing(), tls=False
            )
        except DriftgaugeError:
            await self.stop()
            raise
        self._watching = asyncio.create_task(self._watch())
        return asked, seen

    async def stop(self) -> None:
        """Let the questions under way end, and close."""
        self._draining = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        self._runners.clear()

    async def linger(self, ended: asyncio.Event) -> None:
        """Answer on, no longer ready, until the cluster has forgotten the address or *ended* is set.

        What is asked of an address that is closed too soon starts without its sidecar.
        """
        self._draining = True
        try:
            async with asyncio.timeout(self._settings.linger_seconds):
                await ended.wait()
        except TimeoutError:
            return

    async def look(self) -> None:
        """Read the certificate if its files changed."""
        changed = await asyncio.to_thread(self.certificate.refresh)
        self._beat = monotonic()
        if changed is not None:
            found = self.certificate.validity
            self.counting.looked(loaded=changed, not_after=None if found is None else found.not_after)

    def stuck(self) -> str | None:
        """Why nothing moves; None when all is well."""
        still = monotonic() - self._beat
        return f"the certificate was not looked at for {still:.0f} s" if still > STUCK_SECONDS else None

    def not_ready(self) -> str | None:
        """Why the API server can't be answered; None when it can."""
        return "stopping" if self._draining else self.certificate.fault()

    def draining(self) -> bool:
        """Whether it is about to stop."""
        return self._draining

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.look_seconds)
            await self.look()

    async def _open(self, option: str, listen: str, routes: tuple[Route, ...], *, tls: bool) -> str:
        server = DoorServer(Door(routes, self.counting), asyncio.get_running_loop())
        runner = web.ServerRunner(server, shutdown_timeout=DRAIN_SECONDS)
        self._runners.append(runner)
        await runner.setup()
        host, port = split_address(listen)
        context: ssl.SSLContext | None = self.certificate.context if tls else None
        site = web.TCPSite(runner, host or None, port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            found = (error.strerror or str(error)).lower()
            raise DriftgaugeError(f"{option} {listen}: {found}") from error
        return f"{host or '0.0.0.0'}:{site.port}"  # noqa: S104 - what was asked for


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, the second of which ends it at once; 0 when stopped in order.

    Raises:
        DriftgaugeError: it can't begin: an address.
    """
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stopped, at_once = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (at_once if stopped.is_set() else stopped).set()

    loop = asyncio.get_running_loop()
    for number in STOPPED_BY:
        loop.add_signal_handler(number, signalled)
    service = Service(settings)
    asked, seen = await service.start()
    try:
        log.info("listening on %s with TLS, on %s for metrics", asked, seen)
        await stopped.wait()
        await service.linger(at_once)
    finally:
        await service.stop()
    return 0
