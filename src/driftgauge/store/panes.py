"""Panes and states: what a checkpoint holds, in statements shared by the writer and the readers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from driftgauge.store.values import Pane, PaneWrite, States

PAGE = 256
_EVER = 1 << 62
_PUT = (
    "INSERT INTO panes (owner, resolution, start, part, row) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (owner, resolution, start, part) DO UPDATE SET row = excluded.row"
)
_DROP = "DELETE FROM panes WHERE owner = ? AND resolution = ? AND start = ? AND part = ?"


def write_panes(connection: sqlite3.Connection, panes: Iterable[PaneWrite]) -> None:
    """Write and delete panes, in order."""
    for pane in panes:
        place = (pane.owner, pane.resolution, pane.start, pane.part)
        if pane.row is None:
            connection.execute(_DROP, place)
        else:
            connection.execute(_PUT, (*place, pane.row))


def write_states(connection: sqlite3.Connection, states: States) -> None:
    """Write states by name; None deletes."""
    gone = [(name,) for name, value in states.items() if value is None]
    kept = [(name, value) for name, value in states.items() if value is not None]
    connection.executemany("DELETE FROM states WHERE name = ?", gone)
    put = "INSERT INTO states VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.executemany(put, kept)


def read_states(connection: sqlite3.Connection) -> dict[str, bytes]:
    """All states by name."""
    return dict(connection.execute("SELECT name, value FROM states ORDER BY name"))


def read_pane(
    connection: sqlite3.Connection, owner: int, resolution: str, start: int, part: str
) -> bytes | None:
    """One part of one pane."""
    query = "SELECT row FROM panes WHERE owner = ? AND resolution = ? AND start = ? AND part = ?"
    row = connection.execute(query, (owner, resolution, start, part)).fetchone()
    return None if row is None else bytes(row[0])


def resolutions(connection: sqlite3.Connection, owner: int) -> tuple[str, ...]:
    """The resolutions of which an owner has panes."""
    query = "SELECT DISTINCT resolution FROM panes WHERE owner = ? ORDER BY resolution"
    return tuple(row[0] for row in connection.execute(query, (owner,)))


def read_panes(
    connection: sqlite3.Connection,
    owner: int,
    resolution: str,
    begin: int = -_EVER,
    end: int = _EVER,
    part: str | None = None,
) -> Iterator[Pane]:
    """Panes with ``begin <= start < end``, by start and part; all parts, or the one asked for.

    Read a page at a time: no snapshot stays open between two, so a slow reader can't keep the WAL
    from being cut, and panes written meanwhile may or may not appear.
    """
    query = (
        "SELECT start, part, row FROM panes WHERE owner = ? AND resolution = ?"
        " AND (start, part) > (?, ?) AND start < ? AND (? IS NULL OR part = ?)"
        " ORDER BY start, part LIMIT ?"
    )
    after: tuple[int, str] = (begin - 1, "\U0010ffff")
    while found := connection.execute(query, (owner, resolution, *after, end, part, part, PAGE)).fetchall():
        for start, name, row in found:
            yield Pane(resolution, start, name, row)
        after = (found[-1][0], found[-1][1])
