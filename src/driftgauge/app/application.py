"""One running driftgauge: doors, writer, evaluation, and what each of them is told of the others."""

from __future__ import annotations

import asyncio
import logging
import platform
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic, perf_counter
from typing import Final

from msgspec import structs

from driftgauge import __version__
from driftgauge.app import references
from driftgauge.app.counting import Counting
from driftgauge.app.history import history
from driftgauge.app.memory import DECODING_FACTOR, SHED_SHARE, fitted, limit_bytes, resident_bytes
from driftgauge.app.restoring import Kept, open_kept
from driftgauge.app.upkeep import Upkeep
from driftgauge.app.writer import Writer
from driftgauge.config import Config, Family
from driftgauge.errors import DriftgaugeError, RequestError
from driftgauge.evaluate import evaluate
from driftgauge.exposition.live import Live
from driftgauge.exposition.page import compose
from driftgauge.exposition.rendered import Rendered, SeriesCount
from driftgauge.exposition.text import Exposition
from driftgauge.monitor.viewing import view
from driftgauge.narrate import Narrator
from driftgauge.records import Answer, Reason, Request
from driftgauge.reference import Reference
from driftgauge.snapshot import EMPTY, Notice, Snapshot, VersionSnapshot
from driftgauge.view import VersionView
from driftgauge.web.ports import (
    Component,
    Health,
    HistoryQuery,
    HistoryRow,
    Progress,
    Readiness,
    ReferenceChange,
    ReferenceQuery,
    ReferenceRequest,
)
from driftgauge.web.server import Doors, DoorState

log = logging.getLogger(__name__)

STUCK_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 1.0
LEAST_EVALUATION_SECONDS: Final = 0.25
STOP_SECONDS: Final = 1.5
# What waited is answered by then; clients that go on asking are not waited for.
DRAIN_SECONDS: Final = 0.2
DOOR_RETRY_SECONDS: Final = 5.0


class Application:
    """Built from a configuration; `start`, `stop` and `reload` are its whole life.

    Args:
        configuration_error: why the configuration on disk could not be used, when it couldn't.
        clock: wall time, epoch seconds.
        memory_limit: overrides the cgroup's.
        opener: opens the store; tests look on through it.
    """

    def __init__(
        self,
        config: Config,
        *,
        configuration_error: str | None = None,
        clock: Callable[[], float] = time.time,
        memory_limit: int | None = None,
        opener: Callable[[Config], Kept] = open_kept,
    ) -> None:
        self.memory_limit = limit_bytes(memory_limit)
        config = self._within_memory(config)
        self.config = config
        self.clock = clock
        self.live = Live(started_at=clock())
        self.counting = Counting(self.live)
        self.writer = Writer(config, opener, self.counting, clock, self.memory_limit)
        self.doors = Doors(config, self, self, self.counting, drain_seconds=DRAIN_SECONDS)
        self.configuration_error = configuration_error
        self._exposition = _exposition(config)
        self._narrator = Narrator()
        self._snapshot = EMPTY
        self._rendered = Rendered()
        self._series: dict[tuple[str, str], SeriesCount] = {}
        self._progress: Progress | None = None
        self._draining = False
        self._evaluation_error: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._evaluated = asyncio.Event()

    def _within_memory(self, config: Config) -> Config:
        """The configuration with bodies that the memory limit has room for; a smaller one is told."""
        intake = fitted(config.intake, self.memory_limit)
        if intake.max_body < config.intake.max_body:
            log.warning(
                "memory limit of %d MiB: bodies are taken up to %d KiB, not %d KiB",
                (self.memory_limit or 0) >> 20,
                intake.max_body >> 10,
                config.intake.max_body >> 10,
            )
        return replace(config, intake=intake)

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> tuple[DoorState, ...]:
        """Open the doors, then the store: /metrics answers from the first moment."""
        self.counting.built(__version__, platform.python_version(), sqlite3.sqlite_version)
        self.counting.memory_limit(self.memory_limit)
        self.counting.reloaded(self.clock(), success=self.configuration_error is None)
        self.counting.component("configuration", up=self.configuration_error is None)
        self.writer.start()
        states = await self.doors.open()
        self._tell_doors(states)
        self._tasks = [
            asyncio.create_task(self._evaluate_forever()),
            asyncio.create_task(self._tend_doors()),
        ]
        return states

    async def stop(self) -> None:
        """Refuse new records, answer those that wait, save, close. Under two seconds."""
        self._draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.writer.stop, STOP_SECONDS)
        await self.doors.close()

    async def reload(self, config: Config) -> None:
        """Put *config* in force, whole or not at all; doors that changed their address need a restart.

        Raises:
            DriftgaugeError: it could not be put in force; the old one is.
        """
        try:
            await self.writer.reload(config, asyncio.get_running_loop())
        except DriftgaugeError:
            self.reload_failed("the new configuration could not be put in force")
            raise
        self.config = self._within_memory(config)
        self._exposition = _exposition(config)
        self.configuration_error = None
        self.counting.reloaded(self.clock(), success=True)
        self.counting.component("configuration", up=True)

    def reload_failed(self, reason: str) -> None:
        """Take note that a new configuration was refused; the old one stays in force."""
        self.configuration_error = reason
        self.counting.reloaded(self.clock(), success=False)
        self.counting.component("configuration", up=False)

    def set_progress(self, progress: Progress | None) -> None:
        """How far a replay is, for the page."""
        self._progress = progress

    # --- evaluation -------------------------------------------------------------------------

    async def _evaluate_forever(self) -> None:
        while True:
            every = max(LEAST_EVALUATION_SECONDS, self.config.evaluate / self.config.time_scale)
            began = monotonic()
            await self.evaluate_now()
            await asyncio.sleep(max(0.01, every - (monotonic() - began)))

    async def evaluate_now(self) -> None:
        """One evaluation; its Snapshot and text are in force when this returns."""
        try:
            views = await self.writer.views(asyncio.get_running_loop())
            self._snapshot, self._rendered = await asyncio.to_thread(self._made, views)
        except Exception:
            log.exception("the evaluation failed; the last one is still served")
            self._evaluation_error = "the last evaluation failed; the one before it is served"
            self.counting.evaluation_failed()
            self.counting.component("evaluation", up=False)
            return
        self._evaluation_error = None
        self.counting.component("evaluation", up=True)
        self.counting.component("reference", up=not self.writer.faults())
        self.counting.evaluated(self._snapshot.seconds)
        self._evaluated.set()

    def _made(self, views: Sequence[VersionView]) -> tuple[Snapshot, Rendered]:
        began = perf_counter()
        families = self.config.metrics
        found = evaluate(
            views,
            self.clock(),
            0.0,
            segments=Family.SEGMENTS in families,
            schema=Family.SCHEMA in families,
            concept=Family.CONCEPT in families,
        )
        self._narrator.hear(found)
        versions = tuple(self._with_series(version) for version in found.versions)
        found = replace(
            found,
            seconds=perf_counter() - began,
            versions=versions,
            notices=self._narrator.notices,
        )
        rendered = self._exposition.render(found)
        self._series = {(c.model, c.model_version): c for c in rendered.counts}
        return found, rendered

    def _with_series(self, version: VersionSnapshot) -> VersionSnapshot:
        """How many series the last text held of a version: this one is not written yet."""
        state = version.state
        counts = self._series.get((state.model, state.model_version))
        exported, dropped = (0, 0) if counts is None else (counts.exported, counts.dropped)
        state = structs.replace(state, series=float(exported), series_dropped=float(dropped))
        return replace(version, state=state)

    # --- the doors' questions ---------------------------------------------------------------

    def requests_open(self) -> None:
        """Whether a body may be read now; see `web.ports.IntakePort`."""
        if self._draining:
            raise _busy(503, "the process is stopping")
        if self.writer.store_fault is not None and not self.writer.restored:
            raise RequestError(
                503,
                Reason.STORE,
                f"the store: {self.writer.store_fault}",
                retry_after_seconds=DOOR_RETRY_SECONDS,
            )
        if self.writer.waiting_bytes >= self.config.intake.queue:
            raise _busy(429, "too much waits for the writer")
        if self.memory_limit and resident_bytes() > SHED_SHARE * self.memory_limit:
            raise _busy(503, "memory is nearly used up")

    def coming(self, bodies: int) -> None:
        """Bodies on their way; see `web.ports.IntakePort`."""
        self.writer.coming(bodies)

    async def submit(self, request: Request) -> Answer:
        """Take records; see `web.ports.IntakePort`."""
        waiting = self.writer.waiting_bytes
        if waiting + len(request.body) > self.config.intake.queue and waiting:
            raise _busy(429, "too much waits for the writer")
        needed = DECODING_FACTOR * len(request.body)
        if self.memory_limit and resident_bytes() + needed > self.memory_limit:
            raise _busy(503, "memory is nearly used up; smaller bodies need less")
        self.counting.queue(waiting + len(request.body))
        return await asyncio.shield(self.writer.submit(request, asyncio.get_running_loop()))

    def metrics(
        self, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> tuple[bytes, str, str | None]:
        """/metrics; see `web.ports.ObservationPort`."""
        self.counting.queue(self.writer.waiting_bytes)
        return compose(self._rendered, self.live, accept=accept, accept_encoding=accept_encoding, names=names)

    def health(self) -> Health:
        """Whether the writer's thread moves."""
        still = monotonic() - self.writer.beat
        return Health(f"the writer has not moved for {still:.0f} s" if still > STUCK_SECONDS else None)

    def readiness(self) -> Readiness:
        """Whether state is restored and records are taken."""
        if self._draining:
            return Readiness(ready=False, reason="stopping")
        if not self.writer.restored:
            return Readiness(ready=False, reason=f"the store: {self.writer.store_fault}")
        return Readiness(ready=True)

    def components(self) -> tuple[Component, ...]:
        """All parts, degraded or not."""
        faults = "; ".join(self.writer.faults().values())
        told = (
            ("configuration", self.configuration_error),
            ("store", self.writer.store_fault),
            ("evaluation", self._evaluation_error),
            ("reference", faults or None),
            *((door.name, door.fault) for door in self.doors.states()),
        )
        return tuple(Component(name, detail is None, detail or "") for name, detail in told)

    def snapshot(self) -> Snapshot:
        """The newest finished evaluation."""
        return self._snapshot

    def notices(self) -> tuple[Notice, ...]:
        """What happened."""
        return self._narrator.notices

    def progress(self) -> Progress | None:
        """How far a replay is."""
        return self._progress

    async def history(self, query: HistoryQuery) -> tuple[HistoryRow, ...] | None:
        """A model's past; see `web.ports.ObservationPort`."""

        def found(kept: Kept) -> tuple[HistoryRow, ...] | None:
            model = kept.models.models.get(query.model)
            if model is None:
                return None
            chosen = [v for v in model.versions.values() if query.model_version in (None, v.name)]
            now = model.now(self.clock())
            return tuple(row for v in chosen for row in history(v, view(v, now), query))

        return await self.writer.ask(found, asyncio.get_running_loop())

    async def reference(self, query: ReferenceQuery) -> Reference | None:
        """What a version is compared with; see `web.ports.ObservationPort`."""
        return await self.writer.ask(lambda kept: references.found(kept, query), asyncio.get_running_loop())

    async def change_reference(self, request: ReferenceRequest) -> ReferenceChange | None:
        """Accept or relearn; see `web.ports.IntakePort`."""

        def change(kept: Kept, upkeep: Upkeep) -> ReferenceChange | None:
            return references.changed(kept, upkeep.commit, request, self.clock())

        return await asyncio.shield(self.writer.order(change, asyncio.get_running_loop()))

    # --- the doors themselves ---------------------------------------------------------------

    def _tell_doors(self, states: Sequence[DoorState]) -> None:
        for door in states:
            self.counting.component(door.name, up=door.fault is None)
            if door.fault is not None:
                log.error("%s", door.fault)

    async def _tend_doors(self) -> None:
        """Try again where a port was taken; tell token files that can't be read."""
        while True:
            await asyncio.sleep(DOOR_RETRY_SECONDS)
            states = self.doors.states()
            shut = {door.name for door in states if door.address is None}
            if shut:
                states = await self.doors.open()
            for door in states:
                if door.name in shut and door.address is not None:
                    log.info("%s: listening on %s", door.name, door.address)
                self.counting.component(door.name, up=door.fault is None)


def _busy(status: int, detail: str) -> RequestError:
    return RequestError(status, Reason.OVERLOADED, detail, retry_after_seconds=RETRY_SECONDS)


def _exposition(config: Config) -> Exposition:
    return Exposition(tuple(config.metrics), config.limits.series)
