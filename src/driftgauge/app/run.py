"""`serve`: an Application on an event loop of its own, until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable

from driftgauge.app.application import Application
from driftgauge.config import Config
from driftgauge.errors import DriftgaugeError

log = logging.getLogger(__name__)

STOPPED_BY = (signal.SIGTERM, signal.SIGINT)


def run(
    config: Config,
    *,
    strict: bool = False,
    reload: Callable[[], Config] | None = None,
    configuration_error: str | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; 0 when stopped in order, 1 when *strict* and something failed.

    Args:
        reload: reads the configuration again, for SIGHUP; raises ConfigurationError.
        configuration_error: why the configuration on disk is not the one in force.
    """
    serving = _serve(config, strict=strict, reload=reload, configuration_error=configuration_error)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serving)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The one of uvloop where it is installed, for a third of the cost of a request; asyncio's elsewhere."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    config: Config,
    *,
    strict: bool,
    reload: Callable[[], Config] | None,
    configuration_error: str | None,
) -> int:
    app = Application(config, configuration_error=configuration_error)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPED_BY:
        loop.add_signal_handler(number, stopped.set)
    tasks: set[asyncio.Task[None]] = set()
    if reload is not None:
        loop.add_signal_handler(signal.SIGHUP, _reload_soon, app, reload, tasks)
    gc.freeze()  # what is imported lives as long as the process: no collection need look at it
    states = await app.start()
    for door in states:
        if door.address is not None:
            log.info("%s: listening on %s", door.name, door.address)
    faults = [door.fault for door in states if door.fault is not None]
    if strict:
        await asyncio.to_thread(app.writer.tried.wait)
        if not app.writer.restored:
            faults.append(f"the store: {app.writer.store_fault}")
    if strict and faults:
        for fault in faults:
            log.error("--strict: %s", fault)
        await app.stop()
        return 1
    await stopped.wait()
    await app.stop()
    return 0


def _reload_soon(app: Application, reload: Callable[[], Config], tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.get_running_loop().create_task(_reload(app, reload))
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _reload(app: Application, reload: Callable[[], Config]) -> None:
    try:
        config = await asyncio.to_thread(reload)
        await app.reload(config)
    except DriftgaugeError as error:
        app.reload_failed(str(error))
        for line in str(error).splitlines():
            log.error("reload refused, the old configuration stays: %s", line)  # noqa: TRY400 - worded
    else:
        log.info("the configuration was loaded again")
