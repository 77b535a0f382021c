"""Opening, closing, dying, and what is left; real files in a temporary folder."""

import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from driftgauge.config import Durability
from driftgauge.errors import StoreError
from driftgauge.store import DATABASE_NAME, Batch, Outcome, PaneWrite, Phase, Store, schema
from driftgauge.store.connection import DAMAGED_KEPT


def test_a_new_directory_is_made_and_told_empty(make, tmp_path):
    opened = make(tmp_path / "deep" / "data").open()
    assert opened.outcome is Outcome.EMPTY
    assert (opened.sequence, opened.position) == (0, 0)
    assert opened.sqlite_version == sqlite3.sqlite_version
    assert opened.schema_version == len(schema.STEPS)
    assert (tmp_path / "deep" / "data" / DATABASE_NAME).exists()


def test_what_was_committed_is_restored_after_closing(make, batch_of, cells):
    store = make()
    store.open()
    assert store.commit(batch_of(0, 5, payload=b"one")) == 1
    store.checkpoint(1, [PaneWrite(1, "hour", 3600, "a", b"row")], {"clock": b"c"})
    assert store.commit(batch_of(5, 5, payload=b"two", keys=((b"k", b"answer", 0.0),))) == 2
    store.close()

    again = make(clock=lambda: 1.0)
    opened = again.open()
    assert opened.outcome is Outcome.RESTORED
    assert (opened.sequence, opened.position) == (2, 1) == (again.sequence, again.position)
    assert list(again.batches_since(1)) == [(2, b"two")] == list(again.batches_since(0))
    assert again.states() == {"clock": b"c"}
    assert [(p.resolution, p.start, p.part, p.row) for p in again.panes(1)] == [("hour", 3600, "a", b"row")]
    assert again.answer(b"k") == b"answer"
    rows, found = again.rows(1, np.arange(10, dtype=np.uint64))
    assert found.all()
    assert (rows == cells(0, 10)).all()
    assert again.commit(Batch(b"three")) == 3


def test_sequence_numbers_never_come_twice(make):
    store = make()
    store.open()
    store.commit(Batch(b""))
    store.commit(Batch(b""))
    store.checkpoint(2, [], {})
    store.close()
    again = make()
    assert again.open().sequence == 2
    assert again.commit(Batch(b"")) == 3


def test_a_copy_taken_without_closing_has_all_that_was_committed(store, make, batch_of, tmp_path, cells):
    for turn in range(20):
        store.commit(batch_of(turn * 50, 50, payload=b"%d" % turn))
    store.checkpoint(10, [PaneWrite(7, "hour", h, "a", b"x" * h) for h in range(50)], {"s": b"1"})
    copy = tmp_path / "copy"
    copy.mkdir()
    for side in ("", "-wal"):  # what a killed process leaves: no clean end, no -shm to trust
        shutil.copy(tmp_path / "data" / (DATABASE_NAME + side), copy)
    assert (copy / f"{DATABASE_NAME}-wal").stat().st_size > 0
    revived = make(copy)
    opened = revived.open()
    assert (opened.outcome, opened.sequence, opened.position) == (Outcome.RESTORED, 20, 10)
    assert [n for n, _ in revived.batches_since(0)] == list(range(11, 21))
    assert len(list(revived.panes(7))) == 50
    rows, found = revived.rows(1, np.arange(1000, dtype=np.uint64))
    assert found.all()
    assert (rows == cells(0, 1000)).all()


def test_a_torn_end_of_the_wal_loses_only_what_was_not_committed(store, make, batch_of, tmp_path):
    store.commit(batch_of(0, 50))
    wal = tmp_path / "data" / f"{DATABASE_NAME}-wal"
    whole = wal.stat().st_size
    store.commit(batch_of(50, 50))
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "data" / DATABASE_NAME, copy)
    (copy / wal.name).write_bytes(wal.read_bytes()[: whole + 5000])  # the second commit half written
    revived = make(copy)
    assert revived.open().sequence == 1
    assert revived.rows(1, np.array([49, 50], np.uint64))[1].tolist() == [True, False]


def test_memory_takes_the_same_way_and_leaves_nothing(make, batch_of, tmp_path):
    store = make(tmp_path / "none", durability=Durability.MEMORY)
    assert store.open().outcome is Outcome.EMPTY
    assert store.commit(batch_of(0, 10)) == 1
    store.checkpoint(1, [PaneWrite(1, "hour", 0, "a", b"r")], {})
    assert store.rows(1, np.array([9], np.uint64))[1].all()
    assert store.statistics().volume_free_bytes is None
    store.close()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("durability", "level"), [(Durability.FULL, 2), (Durability.NORMAL, 1)])
def test_durability_sets_how_far_a_commit_goes(make, durability, level):
    store = make(durability=durability)
    store.open()
    connection = store._database.connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA secure_delete").fetchone() == (0,)


def test_closing_brings_the_wal_in_and_lets_the_directory_go(make, batch_of, tmp_path):
    store = make()
    store.open()
    store.commit(batch_of(0, 500))
    store.close()
    assert not (tmp_path / "data" / f"{DATABASE_NAME}-wal").exists()
    assert make().open().outcome is Outcome.RESTORED
    store.close()  # again: nothing to do


def test_a_second_store_on_the_directory_is_refused_with_the_holders_number(store, make, tmp_path):
    with pytest.raises(
        StoreError, match=r"data: expected no other writer, found process \d+ holding"
    ) as error:
        make().open()
    assert "\n" not in str(error.value)


def test_a_second_process_is_refused(store, tmp_path):
    code = (
        "import sys; from pathlib import Path; from driftgauge.store import Store;"
        "from driftgauge.config import Durability;"
        "Store(Path(sys.argv[1]), Durability.NORMAL).open()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "StoreError" in done.stderr
    assert "expected no other writer" in done.stderr


def test_a_directory_that_cannot_be_made_is_worded_and_tried_again(make, tmp_path):
    (tmp_path / "data").write_text("a file")
    store = make()
    with pytest.raises(
        StoreError, match=r": expected a directory to write to, got: (File exists|Not a directory)"
    ):
        store.open()
    with pytest.raises(StoreError, match="expected an open store"):
        store.commit(Batch(b""))
    (tmp_path / "data").unlink()
    assert store.open().outcome is Outcome.EMPTY


def damage(path, where=4096 * 2):
    content = bytearray(path.read_bytes())
    content[where : where + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: damage(path, 0), id="header"),
        pytest.param(damage, id="a page of a table"),
        pytest.param(
            lambda path: path.write_bytes(b"not a database, but long enough to be read " * 200), id="text"
        ),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:10_000]), id="cut off"),
        pytest.param(lambda path: path.unlink(), id="only its -wal is left"),
    ],
)
def test_a_damaged_file_is_moved_aside_whole_and_a_fresh_one_begun(make, batch_of, tmp_path, spoil):
    store = make(clock=lambda: 1_700_000_000.25)
    store.open()
    store.commit(batch_of(0, 2000))
    store.close()
    path = tmp_path / "data" / DATABASE_NAME
    spoil(path)
    path.with_name(f"{path.name}-wal").write_bytes(b"a wal of some sort")
    left = {p.name for p in path.parent.iterdir()} - {"driftgauge.lock"}

    opened = store.open()
    assert opened.outcome is Outcome.DAMAGED
    assert opened.moved_to == path.with_name(f"{DATABASE_NAME}.damaged-20231114T221320.250000Z")
    assert opened.damage
    assert "\n" not in opened.damage
    assert opened.sequence == 0
    assert {name.replace(DATABASE_NAME, opened.moved_to.name) for name in left} <= {
        p.name for p in path.parent.iterdir()
    }
    assert store.commit(batch_of(0, 10)) == 1
    store.close()
    assert store.open().outcome is Outcome.RESTORED


def test_only_the_newest_damaged_files_are_kept(make, tmp_path):
    clock = iter(range(100))
    store = make(clock=lambda: next(clock))
    for _ in range(DAMAGED_KEPT + 3):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / DATABASE_NAME).write_bytes(b"x" * 5000)
        assert store.open().outcome is Outcome.DAMAGED
        store.close()
    kept = sorted(p.name[-10:] for p in (tmp_path / "data").glob("*.damaged-*Z"))
    assert kept == ["03.000000Z", "04.000000Z", "05.000000Z"]
    assert len(kept) == DAMAGED_KEPT


def test_a_newer_schema_is_refused_and_the_file_left_as_it_is(make, tmp_path):
    store = make()
    store.open()
    store._database.connection.execute("PRAGMA user_version=99")
    store.close()
    path = tmp_path / "data" / DATABASE_NAME
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"expected schema version 3 or older, got 99: a newer driftgauge wrote it"
    ):
        store.open()
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.damaged-*"))


def test_each_phase_is_told_before_it_begins_and_idle_after_it(make, batch_of):
    told = []
    store = make(on_phase=told.append)
    store.open()
    assert told == [Phase.MIGRATE] * 3 + [Phase.IDLE]
    del told[:]
    store.commit(batch_of(0, 10))
    store.checkpoint(1, [], {})
    (held,) = store.oldest(1, 1.0, 9)
    store.commit(Batch(b"", drops=((1, held.first),)))
    assert told == [Phase.COMMIT, Phase.IDLE, Phase.CHECKPOINT, Phase.IDLE, Phase.EXPIRE, Phase.IDLE]


def test_a_store_is_built_without_touching_the_disk(tmp_path):
    Store(tmp_path / "data", Durability.NORMAL)
    assert list(tmp_path.iterdir()) == []


def test_a_reopening_that_fails_forgets_nothing_and_is_tried_again(store, batch_of, monkeypatch):
    store.commit(batch_of(0, 10))
    store._database.suspect = True
    with monkeypatch.context() as patch:
        patch.setattr(
            "driftgauge.store.connection.connect",
            lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("unable to open database file")),
        )
        with pytest.raises(StoreError, match="open: OperationalError: unable to open database file"):
            store.commit(batch_of(10, 10))
    assert store.sequence == 1
    assert store.commit(batch_of(10, 10)) == 2
    assert store.rows(1, np.arange(20, dtype=np.uint64))[1].all()


def test_a_volume_without_room_for_the_lock_files_text_still_gives_the_lock(make, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("driftgauge.store.connection.os.pwrite", full)
    store = make()
    store.open()
    with pytest.raises(StoreError, match="expected no other writer, found process unknown holding"):
        make().open()
    store.close()
    make().open()
