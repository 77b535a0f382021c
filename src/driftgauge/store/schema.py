"""The schema, the only place where it stands; `serve` and the command line apply the same steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x44524746  # "DRGF", so that `file` and other tools can tell whose database it is

STEPS: tuple[str, ...] = (
    # What a restart needs: batches since the last checkpoint, and what the checkpoint holds.
    """
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);
CREATE TABLE batches (
  sequence INTEGER PRIMARY KEY,
  payload BLOB NOT NULL
);
CREATE TABLE panes (
  owner INTEGER NOT NULL,
  resolution TEXT NOT NULL,
  start INTEGER NOT NULL,
  part TEXT NOT NULL,
  row BLOB NOT NULL,
  PRIMARY KEY (owner, resolution, start, part)
);
CREATE TABLE states (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
);
""",
    # Rows that wait for their other half. id is log << 48 | number of the blob's first row; rows
    # thinned out leave the offsets of the others in positions (uint32, little-endian).
    """
CREATE TABLE rows (
  id INTEGER PRIMARY KEY,
  span INTEGER NOT NULL,
  itemsize INTEGER NOT NULL,
  oldest REAL NOT NULL,
  newest REAL NOT NULL,
  positions BLOB,
  data BLOB NOT NULL
);
""",
    # Bounded side tables: answers by Idempotency-Key, records kept for retraining, what happened.
    """
CREATE TABLE answers (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  answer BLOB NOT NULL,
  time REAL NOT NULL
);
CREATE INDEX answers_by_time ON answers (time);
CREATE TABLE exports (
  id INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
);
""",
)


def version(connection: sqlite3.Connection) -> int:
    """Steps that the database has: 0 when it is new."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def apply(
    connection: sqlite3.Connection,
    steps: tuple[str, ...] = STEPS,
    on_step: Callable[[int], None] = lambda _: None,
) -> int:
    """Bring the database to ``len(steps)``; how many steps that took.

    Each step and the record of it (``user_version``) are one transaction, so a death in between
    leaves the database at a whole step. Works on any connection, sqlite-utils' too.

    Raises:
        sqlite3.Error: a step failed; it was rolled back, those before it stay.
    """
    present = version(connection)
    for number in range(present + 1, len(steps) + 1):
        on_step(number)
        try:
            # executescript commits what is open before it runs, so BEGIN must stand inside
            connection.executescript(
                f"BEGIN IMMEDIATE;{steps[number - 1]}"
                f"PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={number};COMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return max(0, len(steps) - present)
