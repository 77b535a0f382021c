"""What the trigger remembers: alerts as heard last, decisions, and what happened to each. One writer."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from driftgauge.config import Durability
from driftgauge.errors import StoreError
from driftgauge.store import connection as files
from driftgauge.store import schema as migrations
from driftgauge.store.connection import wording
from driftgauge.trigger.decision import JUDGED_AGAIN, PATIENT, Decision, State, decision_id
from driftgauge.trigger.payload import Alert, AlertResult
from driftgauge.trigger.schema import STEPS

DATABASE_NAME = "trigger.sqlite"
MOST_ALERTS = 10_000
MOST_EVENTS = 200  # a decision
_DECODER = msgspec.json.Decoder(Decision)


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a decision: the state that it led to, and why."""

    time: float
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert that a policy asks for: it opens a decision, or belongs to one that is there."""

    policy: str
    alert: Alert
    cooldown_seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What a committed delivery led to: results, decisions it opened or belongs to."""

    results: Counter[AlertResult]
    decisions: tuple[str, ...]
    opened: tuple[Decision, ...]


class Decisions:
    """The trigger's database. Made in one thread and used by one thread at a time.

    A commit survives power loss: that a command was started must not be forgotten.

    Args:
        directory: of the trigger alone; held by one process at a time.
        models: how many models may have decisions.
    """

    def __init__(self, directory: Path, *, models: int) -> None:
        self.path = directory / DATABASE_NAME
        self._directory = directory
        self._models = models
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Take the directory, look at the file, migrate.

        Raises:
            StoreError: another process holds it, or the file is damaged or newer. A damaged file is left
                as it is: to begin with an empty one would forget which commands were started.
        """
        with wording(self.path, "open"):
            self._lock = files.lock(self._directory)
            try:
                self._connection = self._opened()
            except BaseException:
                self.close()
                raise

    def _opened(self) -> sqlite3.Connection:
        if self.path.exists() and self.path.stat().st_size:
            damage = files.damage(self.path, len(STEPS))
            if damage is not None:
                raise StoreError(
                    f"{self.path}: expected a sound database, found: {damage}; move it aside to begin anew, "
                    "and look first at what runs"
                )
        connection = files.connect(self.path, Durability.FULL)
        connection.execute("PRAGMA wal_autocheckpoint=1000")
        connection.execute("PRAGMA foreign_keys=ON")
        migrations.apply(connection, STEPS)
        return connection

    def close(self) -> None:
        """Let the directory go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with suppress(sqlite3.Error):
                connection.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            files.unlock(lock)

    # --- deliveries -------------------------------------------------------------------------

    def take(self, alerts: Sequence[Alert], wanted: Sequence[Wanted], now: float) -> Taken:
        """Remember a delivery's alerts and what they ask for, in one transaction.

        An alert belongs to the decision of its model and cause whose cool-down lasts, whatever its
        startsAt; one that was refused is then judged again.

        Raises:
            StoreError: nothing of it was kept.
        """
        results: Counter[AlertResult] = Counter()
        ids: dict[str, None] = {}
        opened: list[Decision] = []
        with self._transaction("take alerts") as connection:
            for alert in alerts:
                _remember(connection, alert, now)
            _bound_alerts(connection)
            models = {str(row[0]) for row in connection.execute("SELECT DISTINCT model FROM decisions")}
            for each in wanted:
                found = self._decision_of(connection, each, models, now)
                if found is None:
                    results[AlertResult.MODEL_LIMIT] += 1
                    continue
                decision, new = found
                results[AlertResult.OPENED if new else AlertResult.ATTACHED] += 1
                ids[decision.id] = None
                if new:
                    opened.append(decision)
            asked = {id(each.alert) for each in wanted}
            for alert in alerts:
                if id(alert) not in asked:
                    results[AlertResult.REMEMBERED if alert.firing else AlertResult.RESOLVED] += 1
        return Taken(results, tuple(ids), tuple(opened))

    def _decision_of(
        self, connection: sqlite3.Connection, wanted: Wanted, models: set[str], now: float
    ) -> tuple[Decision, bool] | None:
        """The decision that an alert belongs to, and whether it is new; None where no model has room.

        Args:
            models: those that have decisions; a new one is added.
        """
        alert = wanted.alert
        row = connection.execute(
            "SELECT decision FROM decisions WHERE model=? AND cause=? AND until>? ORDER BY until DESC",
            (alert.model, alert.name, now),
        ).fetchone()
        if row is not None:
            return self._attached(connection, _DECODER.decode(row[0]), alert, now), False
        if alert.model not in models and len(models) >= self._models:
            return None
        models.add(alert.model)
        name = decision_id(alert.model, alert.name, now, wanted.cooldown_seconds)
        again = connection.execute("SELECT decision FROM decisions WHERE id=?", (name,)).fetchone()
        if again is not None:  # the cool-down was made shorter since: the old one's number is ours
            return self._attached(connection, _DECODER.decode(again[0]), alert, now), False
        decision = Decision(
            id=name,
            policy=wanted.policy,
            model=alert.model,
            cause=alert.name,
            opened_at=now,
            until=now + wanted.cooldown_seconds,
            state=State.OPEN,
            state_at=now,
            change_began=min(alert.starts_at, now),
            window=alert.window,
            reason=alert.reason,
        )
        _write(connection, decision)
        _tell(connection, decision, now, alert.reason)
        return decision, True

    @staticmethod
    def _attached(connection: sqlite3.Connection, decision: Decision, alert: Alert, now: float) -> Decision:
        changed = msgspec.structs.replace(
            decision,
            deliveries=decision.deliveries + 1,
            change_began=min(decision.change_began, alert.starts_at),
        )
        if decision.state in JUDGED_AGAIN:
            changed = msgspec.structs.replace(changed, state=State.OPEN, state_at=now)
        _write(connection, changed)
        return changed

    # --- decisions --------------------------------------------------------------------------

    def change(
        self, name: str, change: Callable[[Decision], Decision], now: float, detail: str = ""
    ) -> Decision:
        """Change one decision in a transaction; a new state is an event with *detail*.

        *change* gets what stands there now, and may return it as it is.

        Raises:
            KeyError: there is none of this id.
            StoreError: nothing was changed.
        """
        with self._transaction("change a decision") as connection:
            row = connection.execute("SELECT decision FROM decisions WHERE id=?", (name,)).fetchone()
            if row is None:
                raise KeyError(name)
            before = _DECODER.decode(row[0])
            after = change(before)
            if after.state is not before.state:
                after = msgspec.structs.replace(after, state_at=now)
            if after != before:
                _write(connection, after)
            if after.state is not before.state or detail:
                _tell(connection, after, now, detail)
        return after

    def expire(self, now: float, keep_seconds: float) -> int:
        """End what waited until its cool-down was over, forget what was closed long ago; how many ended."""
        with self._transaction("expire") as connection:
            late = [
                _DECODER.decode(row[0])
                for row in connection.execute(
                    "SELECT decision FROM decisions WHERE closed_at IS NULL AND until<=?", (now,)
                )
            ]
            late = [decision for decision in late if decision.state in PATIENT]
            for decision in late:
                ended = msgspec.structs.replace(decision, state=State.EXPIRED, state_at=now, closed_at=now)
                _write(connection, ended)
                _tell(connection, ended, now, "its cool-down is over")
            connection.execute(
                "DELETE FROM decisions WHERE closed_at IS NOT NULL AND closed_at<?", (now - keep_seconds,)
            )
        return len(late)

    def decision(self, name: str) -> Decision | None:
        """The one of this id."""
        row = self._open.execute("SELECT decision FROM decisions WHERE id=?", (name,)).fetchone()
        return None if row is None else _DECODER.decode(row[0])

    def events(self, name: str) -> tuple[Event, ...]:
        """What happened to it, oldest first."""
        rows = self._open.execute(
            "SELECT time, state, detail FROM events WHERE decision=? ORDER BY id", (name,)
        )
        return tuple(Event(time, State(state), detail) for time, state, detail in rows)

    def listed(self, *, model: str | None, state: str | None, limit: int) -> tuple[Decision, ...]:
        """Decisions, the newest first."""
        rows = self._open.execute(
            "SELECT decision FROM decisions WHERE (?1 IS NULL OR model=?1) AND (?2 IS NULL OR state=?2)"
            " ORDER BY opened_at DESC, id LIMIT ?3",
            (model, state, limit),
        )
        return tuple(_DECODER.decode(row[0]) for row in rows)

    def unfinished(self) -> tuple[Decision, ...]:
        """Decisions that something is still to be done about, the oldest first."""
        rows = self._open.execute(
            "SELECT decision FROM decisions WHERE closed_at IS NULL ORDER BY opened_at, id"
        )
        return tuple(_DECODER.decode(row[0]) for row in rows)

    def runs(self) -> tuple[Decision, ...]:
        """Decisions whose run was started, or may have been, the newest first."""
        rows = self._open.execute(
            "SELECT decision FROM decisions WHERE started_at IS NOT NULL"
            " ORDER BY started_at DESC, id LIMIT 1000"
        )
        return tuple(_DECODER.decode(row[0]) for row in rows)

    def firing(self) -> tuple[tuple[str, str], ...]:
        """Name and model of each alert that was firing when it was heard last."""
        rows = self._open.execute("SELECT DISTINCT name, model FROM alerts WHERE firing ORDER BY name, model")
        return tuple((str(name), str(model)) for name, model in rows)

    # --- the connection ---------------------------------------------------------------------

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path}: expected an open database")
        return self._connection

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[sqlite3.Connection]:
        connection = self._open
        with wording(self.path, doing):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                raise


def _remember(connection: sqlite3.Connection, alert: Alert, now: float) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?)",
        (alert.fingerprint, alert.name, alert.model, alert.severity, alert.firing, alert.starts_at, now),
    )


def _bound_alerts(connection: sqlite3.Connection) -> None:
    """Forget what resolved longest ago, then what was heard of longest ago."""
    connection.execute(
        "DELETE FROM alerts WHERE fingerprint IN (SELECT fingerprint FROM alerts"
        " ORDER BY firing DESC, heard_at DESC LIMIT -1 OFFSET ?)",
        (MOST_ALERTS,),
    )


def _write(connection: sqlite3.Connection, decision: Decision) -> None:
    connection.execute(
        "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " state=excluded.state, until=excluded.until, started_at=excluded.started_at,"
        " closed_at=excluded.closed_at, decision=excluded.decision",
        (
            decision.id,
            decision.policy,
            decision.model,
            decision.cause,
            decision.state,
            decision.opened_at,
            decision.until,
            None if decision.run is None else decision.run.started_at,
            decision.closed_at,
            msgspec.json.encode(decision).decode(),
        ),
    )


def _tell(connection: sqlite3.Connection, decision: Decision, now: float, detail: str) -> None:
    connection.execute(
        "INSERT INTO events (decision, time, state, detail) VALUES (?, ?, ?, ?)",
        (decision.id, now, decision.state, detail),
    )
    connection.execute(
        "DELETE FROM events WHERE decision=?1 AND id IN (SELECT id FROM events WHERE decision=?1"
        " ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        (decision.id, MOST_EVENTS),
    )
