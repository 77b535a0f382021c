"""Files, connections and their failures: what must hold before the first statement runs."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from driftgauge.config import Durability
from driftgauge.errors import StoreError, StoreFullError
from driftgauge.store import schema

DATABASE_NAME = "driftgauge.sqlite"
LOCK_NAME = "driftgauge.lock"
MEMORY = ":memory:"
PAGE_BYTES = 4096
DAMAGED_KEPT = 3  # copies of damaged files: a disk that fails daily must not fill itself with them
_SIDES = ("", "-wal", "-shm")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# After these the connection may remember what the file doesn't hold; a new one reads it afresh.
_SUSPECT = _DAMAGED | {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_MISUSE,
}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's code without its extension; 0 for faults of the Python module itself."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken."""
    return primary_code(error) in _DAMAGED


def is_suspect(error: sqlite3.Error) -> bool:
    """Whether the connection should be opened anew before it is used again."""
    return primary_code(error) in _SUSPECT or isinstance(error, sqlite3.ProgrammingError)


def worded(error: sqlite3.Error | OSError, path: str | Path, doing: str) -> StoreError:
    """The failure in the words of this project: which file, doing what, and why."""
    if isinstance(error, OSError):
        return StoreError(f"{path}: {doing}: {error.strerror or error}")
    if primary_code(error) == sqlite3.SQLITE_FULL:
        return StoreFullError(f"{path}: {doing}: expected room, found the volume or the limit full")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"{path}: {doing}: {name}: {error}")


@contextmanager
def wording(path: str | Path, doing: str) -> Iterator[None]:
    """Turn SQLite's and the system's errors into worded ones."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise worded(error, path, doing) from error


def connect(path: str | Path, durability: Durability) -> sqlite3.Connection:
    """The writing connection: WAL, no implicit transactions, checkpoints only when asked for.

    Raises:
        sqlite3.Error: it can't be opened, or the file system can't do WAL.
    """
    # the owner keeps to one thread at a time; it may hand over between start, run and stop
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        _prepare(connection, str(path), durability)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str, durability: Durability) -> None:
    level = "FULL" if durability is Durability.FULL else "NORMAL"
    for pragma in (
        f"page_size={PAGE_BYTES}",
        "auto_vacuum=NONE",
        "busy_timeout=2000",
        f"synchronous={level}",
        "wal_autocheckpoint=0",
        "secure_delete=OFF",  # Debian's default overwrites every deleted row with zeros
        "temp_store=MEMORY",  # no files that the byte limit would not see
        "cache_size=-4096",
    ):
        connection.execute(f"PRAGMA {pragma}")
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if path != MEMORY and mode != "wal":
        raise sqlite3.OperationalError(f"expected a file system that can do WAL, got journal mode {mode}")


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint.

    Raises:
        StoreError: there is no such file.
        sqlite3.Error: it can't be opened.
    """
    if not path.exists():
        raise StoreError(f"{path}: expected the database of `driftgauge serve`, found no such file")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA busy_timeout=2000")
    return connection


def damage(path: Path, known_version: int) -> str | None:
    """What is wrong with the file, in a line; None when it is sound. The file is only read.

    Raises:
        StoreError: a newer program wrote it, or it can't be read.

    Cost: reads the whole file once, 1 ms a MiB from the system's cache.
    """
    with wording(path, "check"):
        try:
            with closing(read_only(path)) as connection:
                _refuse_newer(connection, path, known_version)
                found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return str(error)
    return None if found == ["ok"] else "; ".join(found).replace("\n", " ")


def _refuse_newer(connection: sqlite3.Connection, path: Path, known_version: int) -> None:
    version = schema.version(connection)
    if version > known_version:
        raise StoreError(
            f"{path}: expected schema version {known_version} or older, got {version}: "
            "a newer driftgauge wrote it"
        )


def move_aside(path: Path, now: float) -> Path:
    """Rename a damaged database with its -wal and -shm; where it lies now. The newest 3 are kept.

    Raises:
        OSError: the volume refuses.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    moved = path.with_name(f"{path.name}.damaged-{stamp}")
    for side in reversed(_SIDES):  # the database last: while it has its name, a retry finds the rest
        with suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(moved.with_name(moved.name + side))
    _forget_damaged(path)
    return moved


def _forget_damaged(path: Path) -> None:
    found = sorted(p for p in path.parent.glob(f"{path.name}.damaged-*Z"))
    for old in found[:-DAMAGED_KEPT]:
        for side in _SIDES:
            old.with_name(old.name + side).unlink(missing_ok=True)


def lock(directory: Path) -> int:
    """Make the directory, and hold it for this process; the descriptor that `unlock` takes.

    Raises:
        StoreError: it is no directory to write to, or another process holds it.
        OSError: the volume refuses.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise StoreError(f"{directory}: expected a directory to write to, got: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise
        raise StoreError(
            f"{directory}: expected no other writer, found process {holder} holding {LOCK_NAME}"
        ) from error
    with suppress(OSError):  # the number is for the message above; a full volume has no room for it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def unlock(descriptor: int) -> None:
    """Let another process have the directory."""
    os.close(descriptor)
