"""Programs that the demo starts, and ends with itself."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import dataclass
from typing import Final

STOP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and all that it wrote."""

    code: int
    said: str


async def run_program(*command: str) -> Ended:
    """Run *command* to its end; cancelled, it ends the program: first asked, half a second later killed.

    The program gets a session of its own, so that a Ctrl-C in the terminal reaches the demo alone.

    Raises:
        OSError: it can't be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            await _end(process)
    return Ended(process.returncode or 0, said.decode(errors="replace").strip())


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
