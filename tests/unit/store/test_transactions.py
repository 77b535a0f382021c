"""All or nothing: failures inside transactions, full volumes, broken connections, bounds."""

import sqlite3

import numpy as np
import pytest

from driftgauge.errors import StoreError, StoreFullError
from driftgauge.store import DATABASE_NAME, Batch, Event, Keep, Outcome, PaneWrite, Phase, Reader

KIB = 1024


def all_rows(store):
    tables = ("meta", "batches", "panes", "states", "rows", "answers", "exports", "events")
    connection = store._database.connection
    return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def refuse(store, table, verb="INSERT"):
    """From now on the database itself refuses to write to *table*: a failure in mid-transaction."""
    store._database.connection.execute(
        f"CREATE TEMP TRIGGER broken BEFORE {verb} ON main.{table} BEGIN SELECT raise(ABORT, 'broken'); END"
    )


def mend(store):
    store._database.connection.execute("DROP TRIGGER broken")


@pytest.mark.parametrize("table", ["rows", "answers", "exports", "events"])
def test_a_commit_that_fails_half_way_leaves_nothing_anywhere(store, batch_of, table):
    first = batch_of(
        0, 10, keys=((b"k", b"a", 0.0),), exports=((0.0, b"{}"),), events=(Event(0.0, "m", "k", "t"),)
    )
    store.commit(first)
    before, counts = all_rows(store), store.statistics()
    refuse(store, table)
    second = batch_of(
        10, 10, keys=((b"l", b"a", 0.0),), exports=((1.0, b"{}"),), events=(Event(1.0, "m", "k", "t"),)
    )
    with pytest.raises(StoreError, match=rf"{DATABASE_NAME}: commit: SQLITE_CONSTRAINT_TRIGGER: broken"):
        store.commit(second)
    assert all_rows(store) == before
    assert store.sequence == 1
    assert store.rows(1, np.array([10], np.uint64))[1].tolist() == [False]
    after = store.statistics()
    assert (after.pending_rows, after.answers, after.export_bytes) == (10, 1, 2)
    assert after.failures == counts.failures + 1
    mend(store)
    assert store.commit(second) == 2
    assert store.rows(1, np.array([10], np.uint64))[1].tolist() == [True]


def test_a_checkpoint_that_fails_half_way_leaves_panes_batches_and_position(store):
    store.commit(Batch(b"one"))
    store.checkpoint(1, [PaneWrite(1, "hour", 0, "a", b"old")], {"s": b"old"})
    store.commit(Batch(b"two"))
    before = all_rows(store)

    def panes():
        yield PaneWrite(1, "hour", 0, "a", b"new")
        yield PaneWrite(1, "hour", 0, "b", b"new")
        raise RuntimeError("died while making panes")

    with pytest.raises(RuntimeError, match="died while making panes"):
        store.checkpoint(2, panes(), {"s": b"new"})
    assert all_rows(store) == before
    refuse(store, "batches", "DELETE")
    with pytest.raises(StoreError, match="checkpoint: SQLITE_CONSTRAINT_TRIGGER: broken"):
        store.checkpoint(2, [PaneWrite(1, "hour", 0, "a", b"new")], {"s": b"new"})
    assert all_rows(store) == before
    assert (store.position, store.sequence) == (1, 2)
    mend(store)
    store.checkpoint(2, [PaneWrite(1, "hour", 0, "a", b"new")], {"s": b"new"})
    assert store.position == 2
    assert list(store.batches_since(0)) == []


def test_the_phase_is_idle_after_a_failure(make, batch_of):
    told = []
    store = make(on_phase=told.append)
    store.open()
    refuse(store, "rows")
    with pytest.raises(StoreError):
        store.commit(batch_of(0, 1))
    assert told[-2:] == [Phase.COMMIT, Phase.IDLE]


def test_a_checkpoint_writes_deletes_and_forgets(store):
    for payload in (b"1", b"22", b"333"):
        store.commit(Batch(payload))
    assert (store.statistics().batches, store.statistics().batch_bytes) == (3, 6)
    store.checkpoint(
        2,
        [PaneWrite(1, "minute", 60, "a", b"x"), PaneWrite(1, "minute", 120, "a", b"y")],
        {"one": b"1", "two": b"2"},
    )
    assert list(store.batches_since(0)) == [(3, b"333")]
    assert (store.statistics().batches, store.statistics().batch_bytes) == (1, 3)
    store.checkpoint(
        3,
        [PaneWrite(1, "minute", 60, "a", None), PaneWrite(1, "minute", 120, "a", b"z")],
        {"one": None, "three": b"3", "never": None},
    )
    assert store.pane(1, "minute", 60, "a") is None
    assert store.pane(1, "minute", 120, "a") == b"z"
    assert store.states() == {"two": b"2", "three": b"3"}
    for position in (2, 4):
        with pytest.raises(ValueError, match=f"checkpoint: expected 3 to 3, got {position}"):
            store.checkpoint(position, [], {})


def test_panes_of_an_owner_come_in_order_and_are_forgotten_in_bounded_steps(store):
    panes = [
        PaneWrite(owner, resolution, start, part, f"{owner}{resolution}{start}{part}".encode())
        for owner in (1, 2)
        for resolution in ("hour", "minute")
        for start in range(0, 400 * 60, 60)
        for part in ("a", "b")
    ]
    store.checkpoint(0, reversed(panes), {})
    got = [(p.resolution, p.start, p.part, p.row) for p in store.panes(2)]
    assert got == [(p.resolution, p.start, p.part, p.row) for p in panes if p.owner == 2]
    deleted = [store.forget_owner(1, limit=1000) for _ in range(3)]
    assert deleted == [1000, 600, 0]
    assert list(store.panes(1)) == []
    assert len(list(store.panes(2))) == 1600


def test_the_byte_limit_refuses_before_writing_and_lets_room_be_made(make, batch_of):
    store = make(max_bytes=1024 * KIB)
    store.open()
    full = r"expected at most 996148 bytes with its WAL, got \d+ with 64001 more"
    with pytest.raises(StoreFullError, match=full):  # noqa: PT012 - which of the commits is refused is not the point
        for turn in range(100):
            store.commit(batch_of(turn * 1000, 1000, itemsize=64, time=turn * 60.0))
    kept = store.sequence
    row = kept * 1000
    statistics = store.statistics()
    assert statistics.database_bytes + statistics.wal_bytes <= statistics.limit_bytes == 1024 * KIB
    assert kept > 3
    assert store.rows(1, np.array([row - 1, row], np.uint64))[1].tolist() == [True, False]
    store.checkpoint(kept, [PaneWrite(1, "hour", 0, "a", b"r" * 1000)], {})  # from what is kept back
    while dropped := store.drop_log(1, 50):
        assert dropped <= 50
    assert store.commit(batch_of(0, 1000, itemsize=64)) == kept + 1


def test_the_databases_own_bound_is_a_worded_failure_and_the_store_goes_on(store, batch_of):
    pages = store._database.connection.execute("PRAGMA page_count").fetchone()[0]
    store._database.connection.execute(f"PRAGMA max_page_count={pages + 10}")
    store.commit(batch_of(0, 10))
    before = all_rows(store)
    with pytest.raises(
        StoreFullError, match=r"sqlite: commit: expected room, found the volume or the limit full"
    ):
        store.commit(batch_of(10, 10_000))
    with pytest.raises(StoreFullError, match=r"sqlite: checkpoint: expected room"):
        store.checkpoint(1, [PaneWrite(1, "hour", s, "a", b"x" * 4000) for s in range(50)], {})
    assert all_rows(store) == before
    store._database.connection.execute("PRAGMA max_page_count=1000000")
    assert store.commit(batch_of(10, 10_000)) == 2


def test_without_a_limit_given_it_is_a_share_of_the_volume(store):
    statistics = store.statistics()
    assert statistics.limit_bytes > statistics.volume_free_bytes * 0.5
    assert statistics.volume_free_bytes > 0


class Failing:
    """A connection whose statements fail as a disk would make them fail."""

    def __init__(self, connection, statement, code, name):
        self._connection, self._statement, self._code, self._name = connection, statement, code, name

    def __getattr__(self, attribute):
        return getattr(self._connection, attribute)

    def execute(self, statement, *arguments):
        if statement.startswith(self._statement):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = self._code, self._name
            raise error
        return self._connection.execute(statement, *arguments)


@pytest.mark.parametrize(
    ("statement", "code", "name"),
    [
        ("COMMIT", 4874, "SQLITE_IOERR_SHMSIZE"),
        ("COMMIT", 778, "SQLITE_IOERR_WRITE"),
        ("BEGIN", 266, "SQLITE_IOERR_READ"),
        ("INSERT", 8, "SQLITE_READONLY"),
    ],
)
def test_after_an_io_error_the_connection_is_opened_anew(store, batch_of, statement, code, name):
    store.commit(batch_of(0, 10))
    broken = Failing(store._database.connection, statement, code, name)
    store._database._connection = broken
    with pytest.raises(StoreError, match=f"commit: {name}: disk I/O error"):
        store.commit(batch_of(10, 10))
    assert store.commit(batch_of(10, 10)) == 2
    assert store._database.connection is not broken
    assert store.rows(1, np.arange(20, dtype=np.uint64))[1].all()


def test_a_refused_batch_that_turns_out_to_be_kept_is_told(store, batch_of):
    store.commit(batch_of(0, 10, payload=b"one"))
    connection = store._database.connection

    class FailsAfterwards(Failing):
        def execute(self, statement, *arguments):
            if statement == "COMMIT":
                connection.execute(statement)
            return super().execute(statement, *arguments)

    store._database._connection = FailsAfterwards(connection, "COMMIT", 1034, "SQLITE_IOERR_FSYNC")
    with pytest.raises(StoreError, match="SQLITE_IOERR_FSYNC"):
        store.commit(batch_of(10, 10, payload=b"two"))
    assert store.sequence == 1
    with pytest.raises(StoreError, match="reopen: expected batch 1 last, got 2"):
        store.commit(batch_of(10, 10, payload=b"three"))
    assert store.sequence == 2
    assert list(store.batches_since(1)) == [(2, b"two")]
    assert store.commit(batch_of(20, 10, payload=b"three")) == 3


def test_a_read_only_connection_is_worded(store, batch_of):
    store._database.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="commit: SQLITE_READONLY: attempt to write a readonly database"):
        store.commit(batch_of(0, 1))
    assert store.commit(batch_of(0, 1)) == 1


def test_damage_found_while_running_is_moved_aside_at_reopening(store, batch_of):
    store.commit(batch_of(0, 10))
    store._database._connection = Failing(store._database.connection, "INSERT", 11, "SQLITE_CORRUPT")
    with pytest.raises(StoreError, match="SQLITE_CORRUPT"):
        store.commit(batch_of(10, 10))
    assert store.reopen().outcome is Outcome.RESTORED  # the file itself is sound: checked, and kept
    assert store.commit(batch_of(10, 10)) == 2


def test_the_wal_is_bounded_by_commits_and_by_checkpoints(store, batch_of, monkeypatch):
    monkeypatch.setattr("driftgauge.store.store.WAL_AFTER_COMMIT", 400 * KIB)
    for turn in range(40):
        store.commit(batch_of(turn * 1000, 1000, itemsize=64))
        assert store.statistics().wal_bytes <= 400 * KIB
    monkeypatch.setattr("driftgauge.store.store.WAL_AFTER_CHECKPOINT", 0)
    store.checkpoint(40, [], {})
    assert store.statistics().wal_bytes == 0


def test_a_reader_in_the_way_delays_the_cut_of_the_wal_and_nothing_else(
    store, batch_of, tmp_path, monkeypatch
):
    monkeypatch.setattr("driftgauge.store.store.WAL_AFTER_COMMIT", 200 * KIB)
    with Reader(tmp_path / "data") as reader:
        reader._connection.execute("BEGIN")
        reader._connection.execute("SELECT count(*) FROM rows").fetchone()
        for turn in range(20):
            assert store.commit(batch_of(turn * 1000, 1000, itemsize=64)) == turn + 1
        assert store.statistics().wal_bytes > 400 * KIB
        reader._connection.execute("COMMIT")
    for turn in range(20, 30):
        store.commit(batch_of(turn * 1000, 1000, itemsize=64))
    assert store.statistics().wal_bytes <= 200 * KIB
    assert store.statistics().failures == 0


def test_answers_expire_by_time_and_by_count_and_the_first_one_stands(make):
    now = [1000.0]
    store = make(keep=Keep(answers=3, answers_seconds=100.0), clock=lambda: now[0])
    store.open()
    store.commit(Batch(b"", keys=((b"a", b"first", 1000.0),)))
    store.commit(Batch(b"", keys=((b"a", b"second", 1001.0),)))
    assert store.answer(b"a") == b"first"
    assert store.answer(b"never") is None
    now[0] = 1100.5
    assert store.answer(b"a") is None
    store.commit(Batch(b"", keys=((b"a", b"third", 1101.0),)))
    assert store.answer(b"a") == b"third"
    for n in range(10):
        store.commit(Batch(b"", keys=((b"%d" % n, b"x", 1102.0 + n),)))
    assert store.statistics().answers == 3
    now[0] = 1112.0
    assert [store.answer(b"%d" % n) is not None for n in range(10)] == [False] * 7 + [True] * 3


def test_exports_are_trimmed_by_age_then_by_bytes(store):
    store.commit(Batch(b"", exports=tuple((float(n), b"x" * 10) for n in range(20))))
    assert store.statistics().export_bytes == 200
    assert store.trim_exports(before=5.0, max_bytes=10_000) == 5
    assert store.trim_exports(before=5.0, max_bytes=100) == 5
    assert store.trim_exports(before=5.0, max_bytes=100) == 0
    assert store.statistics().export_bytes == 100
    store.reopen()
    assert store.statistics().export_bytes == 100


def test_events_are_bounded(make):
    store = make(keep=Keep(events=10))
    store.open()
    store.note(Event(float(n), "m", "drift", f"text {n}") for n in range(25))
    store.note([])
    texts = [row[4] for row in all_rows(store)["events"]]
    assert texts == [f"text {n}" for n in range(15, 25)]


def test_statistics_tell_what_was_done(store, batch_of):
    before = store.statistics()
    assert (before.commits, before.failures, before.last_commit_seconds) == (0, 0, 0.0)
    store.commit(batch_of(0, 1000))
    after = store.statistics()
    assert after.commits == 1
    assert after.last_commit_seconds > 0
    assert after.wal_bytes > 16_000
    assert after.database_bytes > before.database_bytes
    store.drop_log(1)
    assert store.statistics().free_bytes > 8000
