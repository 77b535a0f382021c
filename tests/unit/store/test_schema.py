"""One schema, whoever applies it, and a step at a time."""

import sqlite3

import pytest
import sqlite_utils

from driftgauge.store import schema


def master(connection):
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()


def plain(path=":memory:"):
    return sqlite3.connect(path, isolation_level=None)


def test_plain_sql_and_sqlite_utils_make_the_same_schema(tmp_path):
    by_hand = plain(tmp_path / "a")
    by_utils = sqlite_utils.Database(tmp_path / "b")
    assert schema.apply(by_hand) == schema.apply(by_utils.conn) == len(schema.STEPS)
    assert master(by_hand) == master(by_utils.conn)
    assert set(by_utils.table_names()) == {
        "meta", "batches", "panes", "states", "rows", "answers", "exports", "events",
    }  # fmt: skip
    for connection in (by_hand, by_utils.conn):
        assert schema.version(connection) == len(schema.STEPS)
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)


def test_sqlite_utils_brings_an_older_file_to_the_same_schema(tmp_path):
    schema.apply(plain(tmp_path / "a"), schema.STEPS[:1])
    database = sqlite_utils.Database(tmp_path / "a")
    assert schema.apply(database.conn) == len(schema.STEPS) - 1
    fresh = plain()
    schema.apply(fresh)
    assert master(database.conn) == master(fresh)


def test_applying_again_does_nothing():
    connection, steps = plain(), []
    assert schema.apply(connection, on_step=steps.append) == len(schema.STEPS)
    assert steps == [1, 2, 3]
    assert schema.apply(connection) == 0


@pytest.mark.parametrize("version", range(1, len(schema.STEPS) + 1))
def test_a_step_keeps_the_data_of_the_version_before(tmp_path, version):
    connection = plain(tmp_path / "a")
    schema.apply(connection, schema.STEPS[:version])
    connection.execute("INSERT INTO batches VALUES (7, x'0102')")
    connection.execute("INSERT INTO panes VALUES (1, 'hour', 0, 'a', x'03')")
    more = (*schema.STEPS, "ALTER TABLE batches ADD COLUMN note TEXT; UPDATE batches SET note = 'kept';")
    assert schema.apply(connection, more) == len(more) - version
    assert connection.execute("SELECT * FROM batches").fetchall() == [(7, b"\1\2", "kept")]
    assert connection.execute("SELECT count(*) FROM panes").fetchone() == (1,)


def test_a_step_that_fails_leaves_the_version_before(tmp_path):
    connection = plain(tmp_path / "a")
    more = (*schema.STEPS, "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        schema.apply(connection, more)
    assert schema.version(connection) == len(schema.STEPS)
    assert "half" not in {row[1] for row in master(connection)}
    assert not connection.in_transaction
    assert schema.apply(connection, (*schema.STEPS, "CREATE TABLE half (a);")) == 1


def test_a_death_between_two_steps_goes_on_with_the_second(tmp_path):
    class Killed(BaseException):
        pass

    def die(number):
        if number == 3:
            raise Killed

    with pytest.raises(Killed):
        schema.apply(plain(tmp_path / "a"), on_step=die)
    survivor = plain(tmp_path / "a")
    assert schema.version(survivor) == 2
    assert schema.apply(survivor) == 1


def test_a_death_inside_a_step_leaves_the_version_before(tmp_path):
    connection = plain(tmp_path / "a")
    connection.execute("PRAGMA journal_mode=WAL")
    schema.apply(connection, schema.STEPS[:2])
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE answers (half)")
    copy = tmp_path / "copy"
    for side in ("", "-wal"):
        (tmp_path / f"copy{side}").write_bytes((tmp_path / f"a{side}").read_bytes())
    survivor = plain(copy)
    assert schema.version(survivor) == 2
    assert schema.apply(survivor) == 1
    connection.execute("ROLLBACK")
