"""The store's one thread: everything that is read or written of it runs there, in order."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from driftgauge.errors import StoreError
from driftgauge.store.connection import worded
from driftgauge.trigger.store import Decisions

P = ParamSpec("P")
R = TypeVar("R")


class Memory:
    """Runs the store's methods in a thread of their own; the event loop never waits for the disk."""

    def __init__(self, decisions: Decisions, failed: Callable[[], None]) -> None:
        self.decisions = decisions
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="driftgauge-trigger-store")

    async def __call__(self, function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
        """What *function* returns; called in the store's thread, after all that was asked before.

        It is finished there even when the caller is cancelled.

        Raises:
            StoreError: the store can't; counted.
        """
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.shield(
                loop.run_in_executor(self._thread, lambda: function(*arguments, **keywords))
            )
        except StoreError:
            self._failed()
            raise
        except sqlite3.Error as error:
            self._failed()
            raise worded(error, self.decisions.path, "read") from error

    def close(self) -> None:
        """Finish what was asked, then close the store."""
        self._thread.submit(self.decisions.close)
        self._thread.shutdown(wait=True)
