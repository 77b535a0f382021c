"""Reading beside the writer."""

import sqlite3
from contextlib import closing

import pytest

from driftgauge.errors import StoreError
from driftgauge.store import Batch, Event, PaneWrite, Reader


@pytest.fixture
def reader(store, tmp_path):
    with Reader(tmp_path / "data") as reader:
        yield reader


def test_there_must_be_a_store(tmp_path):
    with pytest.raises(
        StoreError,
        match=r"driftgauge.sqlite: expected the database of `driftgauge serve`, found no such file",
    ):
        Reader(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_panes_by_resolution_time_and_part(store, reader):
    panes = [
        PaneWrite(1, resolution, start, part, b"%d" % start)
        for resolution in ("day", "hour")
        for start in range(600)
        for part in ("a", "b")
    ]
    store.checkpoint(0, panes, {})
    assert reader.resolutions(1) == ("day", "hour")
    assert reader.resolutions(2) == ()
    got = [(p.start, p.part) for p in reader.panes(1, "day", 10, 500)]
    assert got == [(start, part) for start in range(10, 500) for part in ("a", "b")]
    assert [p.start for p in reader.panes(1, "hour", 590, 10_000, "b")] == list(range(590, 600))
    assert list(reader.panes(1, "minute", 0, 1000)) == []


def test_a_reader_sees_each_commit_as_it_comes(store, reader):
    store.checkpoint(0, [], {"a": b"1"})
    assert reader.states() == {"a": b"1"}
    store.checkpoint(0, [], {"a": b"2"})
    assert reader.states() == {"a": b"2"}


def test_a_half_read_iterator_neither_holds_a_snapshot_nor_stops_the_writer(store, reader):
    store.checkpoint(0, [PaneWrite(1, "hour", start, "a", b"x") for start in range(600)], {})
    panes = reader.panes(1, "hour", 0, 600)
    next(panes)
    store.checkpoint(0, [PaneWrite(1, "hour", 599, "a", None)], {})
    store._database.cut_wal()
    assert store.statistics().wal_bytes == 0
    assert [p.start for p in panes] == list(range(1, 599))


def test_events_newest_first_and_of_one_model(store, reader):
    store.note([Event(1.0, "churn", "drift", "age moved"), Event(2.0, "bike", "drift", "temp moved")])
    store.commit(Batch(b"", events=(Event(3.0, "churn", "drift", "age came back"),)))
    assert [e.time for e in reader.events()] == [3.0, 2.0, 1.0]
    assert reader.events("churn", limit=1) == (Event(3.0, "churn", "drift", "age came back"),)
    assert reader.events("none") == ()


def test_exports_in_order_and_from_where_one_stopped(store, reader):
    store.commit(Batch(b"", exports=tuple((float(n), b'{"n":%d}' % n) for n in range(2500))))
    got = list(reader.exports())
    assert [payload for _, _, payload in got] == [b'{"n":%d}' % n for n in range(2500)]
    number = got[1200][0]
    assert next(iter(reader.exports(after=number)))[1] == 1201.0


def test_a_reader_cannot_write(reader):
    with pytest.raises(sqlite3.OperationalError, match="readonly database"):
        reader._connection.execute("INSERT INTO states VALUES ('a', x'00')")


def test_a_backup_is_a_sound_copy_and_overwrites_nothing(store, reader, tmp_path, batch_of):
    store.commit(batch_of(0, 5000))
    reader.backup(tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        assert copy.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT sum(span) FROM rows").fetchone() == (5000,)
    with pytest.raises(StoreError, match=r"copy.sqlite: back up: File exists"):
        reader.backup(tmp_path / "copy.sqlite")
