"""The database file under the store: opened and checked, bounded in bytes, written in transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from driftgauge.config import VOLUME_SHARE, Durability
from driftgauge.errors import StoreError, StoreFullError
from driftgauge.store import connection as files
from driftgauge.store import schema
from driftgauge.store.connection import MEMORY, PAGE_BYTES, wording
from driftgauge.store.values import Phase

OVERHEAD = 16 * PAGE_BYTES  # pages that a small transaction touches
RESERVE = 16 << 20  # kept back from commits, so that checkpoints and expiry can still make room


@dataclass(frozen=True, slots=True)
class Examined:
    """What lay there: whether a database did, what was wrong with it, where it was moved to."""

    found: bool
    damage: str | None = None
    moved_to: Path | None = None


class Database:
    """One writing connection, and what is known of its file without asking it.

    Attributes:
        path: of the file, or ``:memory:``.
        limit: bytes that database and WAL may take together; None without a limit.
        suspect: after a failure that may have left the connection wrong; open it anew.
        commits, failures, last_commit_seconds: since it was made.
    """

    def __init__(
        self,
        directory: Path,
        durability: Durability,
        max_bytes: int | None,
        on_phase: Callable[[Phase], None],
        clock: Callable[[], float],
    ) -> None:
        in_memory = durability is Durability.MEMORY
        self.path: str | Path = MEMORY if in_memory else directory / files.DATABASE_NAME
        self.limit = max_bytes
        self.suspect = False
        self.commits = self.failures = 0
        self.last_commit_seconds = 0.0
        self.pages = self.free_pages = 0
        self._directory = directory
        self._durability = durability
        self._max_bytes = max_bytes
        self._on_phase = on_phase
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._check = True
        self._wal_next = 0

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection.

        Raises:
            StoreError: there is none.
        """
        if self._connection is None:
            raise StoreError(f"{self.path}: expected an open store")
        return self._connection

    # -- opening and closing

    def open(self) -> Examined:
        """Take the directory, look at the file, connect, migrate. Raises StoreError, all let go."""
        self._close_connection()
        try:
            with wording(self.path, "open"):
                examined = self._examine()
                self._connection = files.connect(self.path, self._durability)
                schema.apply(self._connection, schema.STEPS, lambda _: self._on_phase(Phase.MIGRATE))
                self._bound_pages(self._connection)
        except BaseException:
            self._let_go()
            raise
        finally:
            self._on_phase(Phase.IDLE)
        self.suspect = self._check = False
        return examined

    def _examine(self) -> Examined:
        if not isinstance(self.path, Path):
            return Examined(found=False)
        if self._lock is None:
            self._lock = files.lock(self._directory)
        wal = self.path.with_name(f"{self.path.name}-wal")
        found = self.path.exists() and self.path.stat().st_size + self.wal_bytes() > 0
        damage = None
        if found and self._check:
            damage = files.damage(self.path, len(schema.STEPS))
        elif not self.path.exists() and self.wal_bytes():
            # SQLite would take the orphan's pages for the new database's
            damage = f"expected a database beside {wal.name}, found none"
        if damage is None:
            return Examined(found)
        return Examined(found, damage, files.move_aside(self.path, self._clock()))

    def _bound_pages(self, connection: sqlite3.Connection) -> None:
        self._wal_next = 0
        if self._max_bytes is None and isinstance(self.path, Path):
            volume = os.statvfs(self._directory)
            self.limit = int(volume.f_blocks * volume.f_frsize * VOLUME_SHARE)
        if self.limit is not None:
            connection.execute(f"PRAGMA max_page_count={max(1, self.limit // PAGE_BYTES)}")
        self._count_pages(connection)

    def close(self) -> None:
        """Bring the WAL into the database and let the directory go; SQLite's errors are passed over."""
        if self._connection is not None:
            self.cut_wal()
        self._let_go()
        self._check = True

    def _let_go(self) -> None:
        self._close_connection()
        if self._lock is not None:
            files.unlock(self._lock)
            self._lock = None

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    # -- transactions

    @contextmanager
    def reading(self, doing: str, *, snapshot: bool = False) -> Iterator[sqlite3.Connection]:
        """Failures worded and remembered; with *snapshot* all reads see one state, and cost less."""
        connection = self.connection
        with wording(self.path, doing):
            try:
                if snapshot:
                    connection.execute("BEGIN")
                yield connection
            except sqlite3.Error as error:
                self._failed(error)
                raise
            finally:
                if snapshot and connection.in_transaction:
                    connection.execute("COMMIT")

    @contextmanager
    def transaction(self, phase: Phase, doing: str) -> Iterator[sqlite3.Connection]:
        """All or nothing; *phase* is told before it begins, and IDLE once it ended either way."""
        connection = self.connection
        begun = time.perf_counter()
        self._on_phase(phase)
        try:
            with wording(self.path, doing):
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        except BaseException as error:
            self._failed(error.__cause__ if isinstance(error, StoreError) else error)
            self._roll_back(connection)
            if isinstance(error, StoreFullError):
                self.cut_wal()  # what the database already has room for need not lie there twice
            raise
        finally:
            self._on_phase(Phase.IDLE)
        self.commits += 1
        self.last_commit_seconds = time.perf_counter() - begun

    def _failed(self, error: BaseException | None) -> None:
        self.failures += 1
        if isinstance(error, sqlite3.Error):
            self.suspect = self.suspect or files.is_suspect(error)
            self._check = self._check or files.is_damage(error)

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.suspect = True

    # -- bytes

    def require_room(self, need: int, *, reserve: bool = False) -> None:
        """Refuse before writing what would pass the limit; cut the WAL first where that helps.

        Raises:
            StoreFullError: *need* more bytes don't fit; with *reserve*, nor does what is kept back.
        """
        if self.limit is None:
            return
        limit = self.limit - (min(self.limit // 20, RESERVE) if reserve else 0)
        if self._projected(need) > limit:
            self.cut_wal()
        if (projected := self._projected(need)) > limit:
            self.failures += 1
            raise StoreFullError(
                f"{self.path}: expected at most {limit} bytes with its WAL, got {projected} with {need} more"
            )

    def _projected(self, need: int) -> int:
        grows = max(0, need + OVERHEAD - self.free_pages * PAGE_BYTES)
        return self.pages * PAGE_BYTES + grows + self.wal_bytes() + need + OVERHEAD

    def wal_bytes(self) -> int:
        """Bytes of the WAL's file; from any thread."""
        try:
            return os.stat(f"{self.path}-wal").st_size  # noqa: PTH116 - half the cost of Path's
        except OSError:
            return 0

    def volume_free(self) -> int | None:
        """Bytes left on the volume, from any thread; None in memory."""
        if isinstance(self.path, Path):
            with suppress(OSError):
                volume = os.statvfs(self._directory)
                return volume.f_bavail * volume.f_frsize
        return None

    def bound_wal(self, bound: int) -> None:
        """After a commit: count pages, and cut a WAL above *bound*. What fails here fails again."""
        size = self.wal_bytes()
        if size > max(bound, self._wal_next):
            self.cut_wal()
            left = self.wal_bytes()
            # a reader holds it: not again before it grew by as much
            self._wal_next = left + bound if left > bound else 0
        else:
            with suppress(sqlite3.Error):
                self._count_pages(self.connection)

    def cut_wal(self) -> None:
        """Move the WAL into the database and cut it to nothing, as far as readers allow at once."""
        connection = self.connection
        try:
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute("PRAGMA busy_timeout=2000")
            self._count_pages(connection)
        except sqlite3.Error as error:
            self._failed(error)

    def _count_pages(self, connection: sqlite3.Connection) -> None:
        self.pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        self.free_pages = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
