"""A program beside the trigger, at most once a decision."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from driftgauge.trigger.actions.action import ActionFailed, Ended, Started
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger.variables import environment, filled
from driftgauge.trigger_config import CommandAction

LOGS_KEPT: Final = 20
GRACE_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1

Program: TypeAlias = subprocess.Popen[bytes]


class Command:
    """Starts a program in a session of its own, its output in a file of its own.

    The worker commits that it starts before it does; so after a crash it isn't known whether the program
    ran, and it is not started again. It outlives the trigger.

    Args:
        logs: the folder of its output, the newest 20 kept.
        moved: called when a program has ended.
    """

    kind: Final = "command"

    def __init__(self, settings: CommandAction, logs: Path, moved: Callable[[], None]) -> None:
        self._settings = settings
        self._logs = logs
        self._moved = moved
        self._watched: dict[str, asyncio.Task[Ended]] = {}

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Start it; see `Action`."""
        arguments = [filled(argument, values) for argument in self._settings.arguments]
        log = self._logs / f"{run_name(decision.id)}.log"
        try:
            process = await asyncio.to_thread(self._started, arguments, log, environment(values))
        except (OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
            raise ActionFailed(f"{arguments[0]}: {found}") from error
        self._watched[decision.id] = asyncio.create_task(self._watch(process))
        return Started(f"pid {process.pid}", f"its output is in {log}")

    async def ended(self, decision: Decision) -> Ended | None:
        """How it ended; see `Action`."""
        task = self._watched.get(decision.id)
        if task is None or not task.done():
            return None
        del self._watched[decision.id]
        return task.result()

    async def close(self) -> None:
        """Let programs go on by themselves."""
        for task in self._watched.values():
            task.cancel()
        await asyncio.gather(*self._watched.values(), return_exceptions=True)

    def _started(self, arguments: Sequence[str], log: Path, more: Mapping[str, str]) -> Program:
        self._logs.mkdir(parents=True, exist_ok=True)
        kept = sorted(self._logs.glob("*.log"), key=lambda path: path.stat().st_mtime)
        for old in kept[: max(0, len(kept) - LOGS_KEPT + 1)]:
            old.unlink(missing_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # asyncio's own would be killed with its event loop; this one outlives the trigger.
            return subprocess.Popen(  # noqa: S603 - the configuration's own words, no shell
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env={**os.environ, **more},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    async def _watch(self, process: Program) -> Ended:
        try:
            async with asyncio.timeout(self._settings.timeout):
                code = await _exit_code(process)
        except TimeoutError:
            await _kill(process)
            self._moved()
            return Ended(well=False, detail=f"killed after {self._settings.timeout:g} s")
        self._moved()
        if code < 0:
            return Ended(well=False, detail=f"ended by signal {-code}")
        return Ended(code == 0, f"exit code {code}")


async def _exit_code(process: Program) -> int:
    while (code := process.poll()) is None:  # noqa: ASYNC110 - no thread for each program
        await asyncio.sleep(POLL_SECONDS)
    return code


async def _kill(process: Program) -> None:
    """End the program and what it started: asked first, then forced."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_exit_code(process), GRACE_SECONDS)
            return
