"""What a store's file holds, through sqlite-utils on a connection that can't write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from driftgauge.store import DATABASE_NAME
from driftgauge.store import schema as store_schema
from driftgauge.store.connection import read_only, wording


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table: its rows, and its bytes with its indexes' where SQLite can tell."""

    name: str
    rows: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A store's file from outside."""

    path: str
    sqlite_version: str
    schema_version: int
    database_bytes: int
    wal_bytes: int
    tables: tuple[TableSize, ...]


def inspected(directory: Path) -> Inspection:
    """What the data directory's database holds. Reads only; `serve` may run meanwhile.

    Raises:
        StoreError: there is none, or it can't be read.

    Cost: reads every table's keys once.
    """
    from sqlite_utils import Database

    path = directory / DATABASE_NAME
    with wording(path, "inspect"), closing(read_only(path)) as connection:
        database = Database(connection)
        wal = path.with_name(path.name + "-wal")
        sizes = _sizes(connection)
        return Inspection(
            path=str(path),
            sqlite_version=sqlite3.sqlite_version,
            schema_version=store_schema.version(connection),
            database_bytes=path.stat().st_size,
            wal_bytes=wal.stat().st_size if wal.exists() else 0,
            tables=tuple(
                TableSize(name, database[name].count, sizes.get(name)) for name in database.table_names()
            ),
        )


def _sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """Bytes by table, its indexes among them; empty where this SQLite has no dbstat."""
    query = (
        "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_schema AS m ON m.name = s.name"
        " GROUP BY m.tbl_name"
    )
    try:
        return {str(name): int(size) for name, size in connection.execute(query)}
    except sqlite3.OperationalError:
        return {}
