"""`demo`: an Application, and real records replayed into it through its own door."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from driftgauge.app.application import Application
from driftgauge.app.restoring import Kept, open_kept
from driftgauge.app.run import STOPPED_BY, loop_factory
from driftgauge.config import DAY, HOUR, Config
from driftgauge.demo import alerts
from driftgauge.demo.models import CHURN, NAMES, REPLAYED, configuration, reference_path
from driftgauge.demo.profiles import reference_of
from driftgauge.demo.replay import AnyReplay, ChurnScript, Pace, Replay, ReplayError, share_done
from driftgauge.demo.screen import Screen
from driftgauge.reference import to_json
from driftgauge.snapshot import Notice
from driftgauge.web.ports import Progress
from driftgauge.web.server import DoorState
from driftgauge.windows import Grid

# Twelve days a second: the longest of the replays, 18 months, takes 46 seconds.
TIME_SCALE: Final = 12 * DAY
TICK_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for; see `run`."""

    duration: float | None
    time_scale: float
    listen: str
    metrics_listen: str
    prometheus: bool
    models: tuple[str, ...]
    data: Path


def run(
    *,
    duration: float | None,
    time_scale: float | None,
    listen: str,
    metrics_listen: str,
    prometheus: bool,
    models: tuple[str, ...],
    data: Path | None,
) -> int:
    """Serve and replay until Ctrl-C, SIGTERM or the end of *duration*; 0 unless the demo failed.

    Args:
        duration: seconds of wall time until it stops by itself; None until it is stopped.
        time_scale: seconds of the records' time that pass in a second; None for twelve days.
        listen, metrics_listen: as for `serve`.
        prometheus: whether a Prometheus with the shipped rules is started beside it.
        models: which of `driftgauge.demo.models.NAMES` are replayed; empty for all.
        data: where state is kept, a directory that is empty or not there; None for one that is
            removed at the end.
    """
    screen = Screen(sys.stdout)
    began = monotonic()
    unknown = [name for name in models if name not in NAMES]
    if unknown:
        screen.say(f"demo: model: expected one of {', '.join(NAMES)}, got {', '.join(unknown)}")
        return 1
    if data is not None and data.exists() and (not data.is_dir() or any(data.iterdir())):
        screen.say(f"demo: {data}: expected an empty directory, or none: a replay begins anew each time")
        return 1
    with tempfile.TemporaryDirectory(prefix="driftgauge-demo-", ignore_cleanup_errors=True) as folder:
        kept = Path(folder) / "data" if data is None else data
        chosen = tuple(name for name in NAMES if name in models or not models)
        scale = time_scale or TIME_SCALE
        wish = Wish(duration, scale, listen, metrics_listen, prometheus, chosen, kept)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(Demo(wish, Path(folder), screen, began).run())


def pane_seconds(time_scale: float) -> float:
    """An hour as everywhere; a day where a hundred hours or more pass in a second."""
    return HOUR if time_scale < 100 * HOUR else DAY


class Demo:
    """One demonstration: `run` is its whole life.

    Args:
        folder: for reference files and Prometheus's data.
        began: `monotonic()` of the start, from which the duration counts.
    """

    def __init__(self, wish: Wish, folder: Path, screen: Screen, began: float) -> None:
        self._wish = wish
        self._folder = folder
        self._screen = screen
        self._began = began
        self._app = Application(
            configuration(
                wish.models,
                folder,
                listen=wish.listen,
                metrics_listen=wish.metrics_listen,
                data=wish.data,
                time_scale=wish.time_scale,
            ),
            opener=self._open_kept,
        )
        self._replays: list[AnyReplay] = []
        self._stopped = asyncio.Event()
        self._told: Notice | None = None
        self._code = 0

    async def run(self) -> int:
        """Serve, replay, and stop in order; the exit code."""
        loop = asyncio.get_running_loop()
        for number in STOPPED_BY:
            loop.add_signal_handler(number, self._stopped.set)
        doors = await self._app.start()
        tasks = self._tasks(doors)
        try:
            await asyncio.wait_for(self._stopped.wait(), self._left())
        except TimeoutError:
            self._screen.say(f"The duration of {self._wish.duration:g} s is over{self._share()}.")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._screen.end_progress()
        await self._app.stop()
        if not self._code:
            self._screen.say("Stopped.")
        return self._code

    def _share(self) -> str:
        """Where the replay is, unless it is over."""
        done = share_done(self._replays) if self._replays else 0.0
        return "" if done == 1 else f", at {done:.0%} of the replay"

    def _tasks(self, doors: Sequence[DoorState]) -> list[asyncio.Task[None]]:
        """What runs beside the sidecar; nothing where a door couldn't be opened."""
        faults = [door.fault for door in doors if door.fault is not None]
        if faults:
            self._fail(
                f"{'; '.join(faults)}. --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 take free ports"
            )
            return []
        addresses = [door.address or "" for door in doors]
        work = [self._play(addresses[0], addresses[-1]), self._tell()]
        if self._wish.prometheus:
            work.append(self._watch_alerts(addresses[-1]))
        return [asyncio.create_task(coroutine) for coroutine in work]

    def _left(self) -> float | None:
        """Seconds of the duration that are left."""
        duration = self._wish.duration
        return None if duration is None else max(0.0, self._began + duration - monotonic())

    def _fail(self, reason: str) -> None:
        self._code = 1
        self._screen.say(f"demo: {reason}")
        self._stopped.set()

    def _open_kept(self, config: Config) -> Kept:
        """The store, with panes as wide as the time scale asks for."""
        grid = Grid(pane_seconds(self._wish.time_scale))
        return open_kept(config, grid_of=lambda _: grid)

    # --- the replay -------------------------------------------------------------------------

    async def _play(self, intake: str, observation: str) -> None:
        self._screen.say(
            f"driftgauge listens on http://{intake}/ for records, metrics and its page"
            + (f", on http://{observation}/ for metrics and page." if observation != intake else ".")
        )
        replays = await asyncio.to_thread(self._prepared)
        self._screen.say(
            f"{', '.join(r.model for r in replays)}: {max(r.seconds for r in replays) / DAY:.0f} days of "
            f"records go through the HTTP door at time_scale {self._wish.time_scale:,.0f} "
            f"({self._wish.time_scale / DAY:,.3g} days a second)."
        )
        self._replays = replays
        pace = Pace(self._wish.time_scale)
        try:
            async with asyncio.TaskGroup() as group:
                for replay in replays:
                    group.create_task(self._play_one(replay, f"http://{intake}", pace))
        except* ReplayError as errors:
            self._fail("; ".join(str(error) for error in errors.exceptions))
        if self._code:
            return
        await self._app.evaluate_now()
        self._look()
        self._screen.end_progress()
        self._screen.say(
            f"The replay is over; the last windows stay. Look at http://{intake}/, or ask:\n"
            f"  curl -s http://{intake}/metrics | grep driftgauge_feature_psi\n"
            "Ctrl-C ends it."
        )

    def _prepared(self) -> list[AnyReplay]:
        """Read the records and write the reference files; takes about a second."""
        replays: list[AnyReplay] = []
        for name in self._wish.models:
            if name == CHURN:
                replays.append(ChurnScript())
                continue
            recorded = REPLAYED[name].recorded()
            reference_path(self._folder, name).write_bytes(to_json(reference_of(recorded.reference)))
            replays.append(Replay(name, recorded.current))
        return replays

    async def _play_one(self, replay: AnyReplay, url: str, pace: Pace) -> None:
        await replay.run(url, pace)
        self._screen.say(f"{replay.model}: all is sent: {replay.result()}.")

    # --- telling ----------------------------------------------------------------------------

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._look()

    def _look(self) -> None:
        """Say what is new, on the screen and on the page."""
        notices = self._app.notices()
        # The narrator keeps the newest sentences only, so that a count would not find the fresh ones.
        places = [i for i, notice in enumerate(notices) if notice is self._told]
        fresh = notices[places[-1] + 1 :] if places else notices
        for notice in fresh:
            self._screen.notice(notice)
        self._told = notices[-1] if notices else None
        if self._replays:
            done = share_done(self._replays)
            progress = Progress("the replay" if done < 1 else "the replay, which is over", done)
            self._app.set_progress(progress)
            if done < 1:
                self._screen.progress(progress)

    # --- alerts -----------------------------------------------------------------------------

    async def _watch_alerts(self, target: str) -> None:
        command = shutil.which("prometheus")
        if command is None:
            self._screen.say("--prometheus: no prometheus is on PATH; the demo goes on without it.")
            return
        port = alerts.free_port(alerts.PORT)
        scale = self._wish.time_scale
        self._screen.say(
            f"Prometheus scrapes it each second: http://127.0.0.1:{port}/alerts\n"
            f"Durations of the shipped rules are divided by {scale:,.0f}; each is at least a few scrapes."
        )
        ended = await alerts.run_prometheus(command, self._folder, port, target, scale)
        self._screen.say(f"--prometheus: Prometheus ended with {ended.code}: {ended.said[-500:]}")
