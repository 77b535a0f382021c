"""One running trigger: its door, its memory, its worker, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from random import Random
from time import monotonic
from typing import Final

from aiohttp import web

from driftgauge.config import Config
from driftgauge.errors import DriftgaugeError
from driftgauge.trigger.actions.building import actions
from driftgauge.trigger.asking import Asker, Peer
from driftgauge.trigger.counting import Counting
from driftgauge.trigger.doors import Doors
from driftgauge.trigger.exporting import Exporter
from driftgauge.trigger.facts import FactFinder
from driftgauge.trigger.openapi import document
from driftgauge.trigger.remembering import Memory
from driftgauge.trigger.sources import Source
from driftgauge.trigger.sources.prometheus import Prometheus
from driftgauge.trigger.sources.sidecar import Sidecar
from driftgauge.trigger.store import Decisions
from driftgauge.trigger.worker import Means, Worker
from driftgauge.trigger_config import Endpoint
from driftgauge.web.auth import TokenFile
from driftgauge.web.protocol import DoorServer
from driftgauge.web.routing import Door
from driftgauge.web.server import split_address

log = logging.getLogger(__name__)

STOPPED_BY: Final = (signal.SIGTERM, signal.SIGINT)
DRAIN_SECONDS: Final = 2.0
STUCK_SECONDS: Final = 180.0


class Service:
    """Built from a configuration; `start` and `stop` are its whole life.

    Args:
        clock: wall time, epoch seconds.
        random: draws the jitter between attempts.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        trigger = config.trigger
        self.counting = Counting(config.limits.models)
        self.counting.know((*config.models, *(m for p in trigger.policies.values() for m in p.models)))
        self._asker = Asker(random=random or Random(), failed=self.counting.request_failed)  # noqa: S311 - jitter
        self._store = Decisions(trigger.directory, models=config.limits.models)
        self._memory = Memory(self._store, self.counting.store_failed)
        facts = FactFinder(
            self._asker,
            source(config, self._asker, clock),
            trigger.alertmanager.url,
            _peer("alertmanager", trigger.alertmanager),
            config.time_scale,
        )
        means = Means(
            memory=self._memory,
            facts=facts,
            actions=actions(trigger, self._asker, self.wake),
            exporter=Exporter(trigger.export),
            counting=self.counting,
            clock=clock,
        )
        self.worker = Worker(config, means)
        doors = Doors(trigger, config.time_scale, self._memory, self.counting, self, clock, document())
        token = None if trigger.token_file is None else TokenFile(trigger.token_file)
        self._door = Door(doors.routes(), self.counting, token)
        self._listen = trigger.listen
        self._runner: web.ServerRunner | None = None
        self._draining = False

    async def start(self) -> str:
        """Open the store, begin to work, open the door; the address, ``host:port``.

        Raises:
            StoreError: the directory is held by another process, or the database can't be used.
            DriftgaugeError: the address can't be had.
        """
        await self._memory(self._store.open)
        await self.worker.start()
        server = DoorServer(self._door, asyncio.get_running_loop())
        self._runner = web.ServerRunner(server, shutdown_timeout=DRAIN_SECONDS)
        await self._runner.setup()
        host, port = split_address(self._listen)
        site = web.TCPSite(self._runner, host or None, port)
        try:
            await site.start()
        except OSError as error:
            found = (error.strerror or str(error)).lower()
            raise DriftgaugeError(f"trigger.listen {self._listen}: {found}") from error
        return f"{host or '0.0.0.0'}:{site.port}"  # noqa: S104 - what was asked for

    async def stop(self) -> None:
        """Take no more alerts, finish what is being recorded, close."""
        self._draining = True
        if self._runner is not None:
            await self._runner.cleanup()
        await self.worker.stop()
        await self._asker.close()
        await asyncio.to_thread(self._memory.close)

    def wake(self) -> None:
        """Tell the worker that there is something to do."""
        self.worker.wake()

    def stuck(self) -> str | None:
        """Why nothing moves; None when all is well."""
        still = monotonic() - self.worker.beat
        return f"the worker has not moved for {still:.0f} s" if still > STUCK_SECONDS else None

    def not_ready(self) -> str | None:
        """Why no alert is taken; None when it is."""
        return "stopping" if self._draining else None


def source(config: Config, asker: Asker, clock: Callable[[], float]) -> Source | None:
    """Whom labels and versions are asked of; None where nobody is configured."""
    sidecar, prometheus = config.trigger.sidecar, config.trigger.prometheus
    if sidecar.url is not None:
        return Sidecar(asker, _peer("sidecar", sidecar), sidecar.url, config.time_scale)
    if prometheus.url is not None:
        peer = _peer("prometheus", prometheus)
        return Prometheus(asker, peer, prometheus.url, clock, config.time_scale)
    return None


def _peer(name: str, endpoint: Endpoint) -> Peer:
    # Two attempts: an answer is waited for with a decision in hand, and asked for again at the next look.
    return Peer(name, endpoint.timeout, endpoint.token_file, endpoint.ca_file, attempts=2)


def run(config: Config) -> int:
    """Serve until SIGTERM or SIGINT; 0 when stopped in order.

    Raises:
        DriftgaugeError: it can't begin: the store, or the address.
    """
    return asyncio.run(_serve(config))


async def _serve(config: Config) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPED_BY:
        loop.add_signal_handler(number, stopped.set)
    service = Service(config)
    try:
        address = await service.start()
        log.info("listening on %s, %d policies", address, len(config.trigger.policies))
        await stopped.wait()
    finally:
        await service.stop()
    return 0
