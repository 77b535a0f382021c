"""Reading beside the writer: history, export, backup. Never writes, never checkpoints."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from driftgauge.store import panes as stored_panes
from driftgauge.store.connection import DATABASE_NAME, read_only, wording
from driftgauge.store.values import Event, Pane

PAGE = 1_000


class Reader:
    """A read-only connection to a store's file; one thread at a time, as many readers as wanted.

    Iterators read a page at a time and hold no snapshot in between.

    Raises:
        StoreError: there is no store in *directory*, or it can't be read.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / DATABASE_NAME
        with self._wording("open for reading"):
            self._connection = read_only(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def resolutions(self, owner: int) -> tuple[str, ...]:
        """The resolutions of which an owner has panes."""
        with self._wording("read panes"):
            return stored_panes.resolutions(self._connection, owner)

    def panes(
        self, owner: int, resolution: str, begin: int, end: int, part: str | None = None
    ) -> Iterator[Pane]:
        """Panes of an owner with ``begin <= start < end`` in epoch seconds, by start and part."""
        with self._wording("read panes"):
            yield from stored_panes.read_panes(self._connection, owner, resolution, begin, end, part)

    def states(self) -> dict[str, bytes]:
        """All states by name, as of the last checkpoint."""
        with self._wording("read states"):
            return stored_panes.read_states(self._connection)

    def events(self, model: str | None = None, limit: int = 100) -> tuple[Event, ...]:
        """What happened, newest first; of all models or one."""
        query = (
            "SELECT time, model, kind, text FROM events WHERE ? IS NULL OR model = ? ORDER BY id DESC LIMIT ?"
        )
        with self._wording("read events"):
            return tuple(Event(*row) for row in self._connection.execute(query, (model, model, limit)))

    def exports(self, after: int = 0) -> Iterator[tuple[int, float, bytes]]:
        """Kept records as (number, epoch seconds, JSON), in order of arrival, numbers above *after*."""
        query = "SELECT id, time, payload FROM exports WHERE id > ? ORDER BY id LIMIT ?"
        with self._wording("read exports"):
            while found := self._connection.execute(query, (after, PAGE)).fetchall():
                yield from found
                after = found[-1][0]

    def backup(self, destination: Path) -> None:
        """A consistent copy of the whole database, while the writer goes on.

        Raises:
            StoreError: *destination* exists, or can't be written.
        """
        with wording(destination, "back up"):
            destination.touch(exist_ok=False)
            with closing(sqlite3.connect(destination)) as copy:
                self._connection.backup(copy)

    @contextmanager
    def _wording(self, doing: str) -> Iterator[None]:
        with wording(self.path, doing):
            yield
