"""The side tables, each bounded: answers to repeat, records kept for retraining, what happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from driftgauge.store.values import Event, Keep

STEP = 1_000  # rows deleted at once: a bound of the time that the writer is held


class Retention:
    """Inserts and trims inside the caller's transaction; counts what is there.

    The counts are those of the transaction; the caller puts them back after a rollback.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self.answers = 0
        self.export_bytes = 0

    def load(self, connection: sqlite3.Connection) -> None:
        """Count what the file holds."""
        self.answers = _number(connection, "SELECT count(*) FROM answers")
        self.export_bytes = _number(connection, "SELECT coalesce(sum(length(payload)), 0) FROM exports")

    def keep_answers(
        self, connection: sqlite3.Connection, keys: tuple[tuple[bytes, bytes, float], ...]
    ) -> None:
        """Keep answers by their key; those too old, and the eldest beyond the bound, go."""
        if not keys:
            return
        oldest = max(time for *_, time in keys) - self._keep.answers_seconds
        stale = [(key, oldest) for key, *_ in keys]
        self.answers -= connection.executemany(
            "DELETE FROM answers WHERE key = ? AND time < ?", stale
        ).rowcount
        insert = "INSERT OR IGNORE INTO answers (key, answer, time) VALUES (?, ?, ?)"
        self.answers += connection.executemany(insert, keys).rowcount
        cut = "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE time < ? ORDER BY time LIMIT ?)"
        self.answers -= connection.execute(cut, (oldest, STEP)).rowcount
        excess = max(0, self.answers - self._keep.answers)
        if excess:
            self.answers -= connection.execute(cut, (float("inf"), excess)).rowcount

    def answer(self, connection: sqlite3.Connection, key: bytes, now: float) -> bytes | None:
        """The answer kept for *key*, unless it is too old."""
        query = "SELECT answer FROM answers WHERE key = ? AND time >= ?"
        row = connection.execute(query, (key, now - self._keep.answers_seconds)).fetchone()
        return None if row is None else bytes(row[0])

    def keep_exports(self, connection: sqlite3.Connection, exports: tuple[tuple[float, bytes], ...]) -> None:
        """Keep records for retraining."""
        if exports:
            connection.executemany("INSERT INTO exports (time, payload) VALUES (?, ?)", exports)
            self.export_bytes += sum(len(payload) for _, payload in exports)

    def trim_exports(self, connection: sqlite3.Connection, before: float, max_bytes: int) -> int:
        """Delete the first records while they are too old or too many; at most `STEP`."""
        query = "SELECT id, time, length(payload) FROM exports ORDER BY id LIMIT ?"
        last, count = 0, 0
        for number, time, size in connection.execute(query, (STEP,)).fetchall():
            if time >= before and self.export_bytes <= max_bytes:
                break
            self.export_bytes -= size
            last, count = number, count + 1
        connection.execute("DELETE FROM exports WHERE id <= ?", (last,))
        return count

    def keep_events(self, connection: sqlite3.Connection, events: Iterable[Event]) -> None:
        """Keep what happened; the eldest beyond the bound go."""
        rows = [(e.time, e.model, e.kind, e.text) for e in events]
        if not rows:
            return
        connection.executemany("INSERT INTO events (time, model, kind, text) VALUES (?, ?, ?, ?)", rows)
        newest = _number(connection, "SELECT max(id) FROM events")
        connection.execute("DELETE FROM events WHERE id <= ?", (newest - self._keep.events,))


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
