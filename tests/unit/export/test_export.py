"""`driftgauge export` and `inspect` on a store that the real one wrote."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest
from click.testing import CliRunner
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.cli import main
from driftgauge.config import Config, Durability, Export, Model, Outcomes
from driftgauge.store import Batch, Store


@pytest.fixture
def data(tmp_path):
    """A data directory with what its batches kept."""
    directory = tmp_path / "data"

    def keep(*exports):
        store = Store(directory, Durability.NORMAL)
        store.open()
        store.commit(Batch(b"", exports=tuple(exports)))
        store.close()
        return directory

    return keep


def kept(kind, number=1, **more):
    record = {
        "type": kind, "model": "m", "model_version": "1", "prediction_id": f"p{number}",
        "timestamp": 1767225600.0 + number, **more,
    }  # fmt: skip
    return (record["timestamp"], json.dumps(record).encode())


def prediction(number=1, **more):
    given = {
        "prediction": True,
        "score": 0.5,
        "features": {"age": number, "plan": "a"},
        "segments": {"region": "eu"},
    }
    return kept("prediction", number, **{**given, **more})


def outcome(number=1, **more):
    return kept("outcome", number, **{"outcome": 1, "value": None, **more})


def export(directory, *arguments):
    result = CliRunner().invoke(
        main, ["export", "--data", str(directory), "--model", "m", *map(str, arguments)]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(directory, *arguments):
    return list(csv.DictReader(io.StringIO(export(directory, *arguments).stdout)))


def test_a_table_of_joined_records(data):
    result = export(data(prediction(1), outcome(1), prediction(2), outcome(2, outcome=0, value=12.5)))
    assert result.stdout.splitlines() == [
        "model,model_version,prediction_id,prediction_timestamp,outcome_timestamp,prediction,score,outcome,value,age,plan,segment.region",
        "m,1,p1,2026-01-01T00:00:01Z,2026-01-01T00:00:01Z,true,0.5,1,,1,a,eu",
        "m,1,p2,2026-01-01T00:00:02Z,2026-01-01T00:00:02Z,true,0.5,0,12.5,2,a,eu",
    ]
    assert result.stderr == "2 records\n"


def test_what_has_only_one_half_is_left_out(data):
    directory = data(prediction(1), outcome(2), prediction(3, outcome=0), prediction(4), outcome(4))
    assert [row["prediction_id"] for row in rows(directory)] == ["p3", "p4"]


def test_an_outcome_may_come_first_and_the_first_one_wins(data):
    directory = data(outcome(1, outcome=1), outcome(1, outcome=0), prediction(1))
    assert [row["outcome"] for row in rows(directory)] == ["1"]


def test_an_outcome_without_a_version_joins_every_version(data):
    directory = data(
        prediction(1), prediction(1, model_version="2"), prediction(1, model_version="3"),
        outcome(1, model_version="3", outcome=8), outcome(1, model_version=None, outcome=7),
    )  # fmt: skip
    assert [(row["model_version"], row["outcome"]) for row in rows(directory)] == [
        ("1", "7"),
        ("2", "7"),
        ("3", "8"),
    ]
    assert [row["outcome"] for row in rows(directory, "--model-version", "2")] == ["7"]


def test_the_last_outcome_counts_where_the_model_took_revisions(data):
    again = {"replaces": True}
    directory = data(
        outcome(1, outcome=0, **again), prediction(1), outcome(1, outcome=1, **again),
        prediction(2), outcome(2, outcome=0, **again), outcome(2, outcome=2, value=3.5, **again),
        outcome(2, outcome=1, model_version=None, **again),
        prediction(3, outcome=5), outcome(3, outcome=6, **again),
        prediction(4, outcome=5), outcome(4, outcome=6, model_version="2", **again),
    )  # fmt: skip
    assert [(row["prediction_id"], row["outcome"]) for row in rows(directory)] == [
        ("p1", "1"), ("p2", "1"), ("p3", "6"), ("p4", "5"),
    ]  # fmt: skip


def test_an_outcome_that_came_first_wins_over_one_that_comes_with_its_prediction(data):
    directory = data(outcome(1, outcome=0), prediction(1, outcome=1), prediction(2, outcome=1), outcome(2))
    assert [row["outcome"] for row in rows(directory)] == ["0", "1"]


def test_another_models_outcomes_do_not_join(data):
    directory = data(prediction(1), outcome(1, model="other"))
    result = export(directory)
    assert result.stderr.splitlines() == [
        "0 records", "driftgauge: nothing was kept for these; is export.keep configured?",
    ]  # fmt: skip


def test_by_the_predictions_time(data):
    directory = data(*(each for n in range(1, 6) for each in (prediction(n), outcome(n))))
    found = rows(directory, "--since", "2026-01-01T00:00:02Z", "--until", 1767225604)
    assert [row["prediction_id"] for row in found] == ["p2", "p3"]


def test_columns_of_all_records_and_names_that_are_taken(data):
    directory = data(
        prediction(1, features={"score": 3, "a": None}), outcome(1),
        prediction(2, features={"b": 'x,"y"\n'}, segments={"plan": None}), outcome(2),
    )  # fmt: skip
    found = rows(directory)
    assert list(found[0])[9:] == ["feature.score", "a", "b", "segment.region", "segment.plan"]
    assert (found[0]["feature.score"], found[0]["a"], found[1]["b"]) == ("3", "", 'x,"y"\n')


def test_json_lines(data, tmp_path):
    directory = data(prediction(1), outcome(1))
    result = export(directory, "--format", "ndjson", "--output", tmp_path / "out.ndjson")
    (line,) = (tmp_path / "out.ndjson").read_text().splitlines()
    assert json.loads(line) == {
        "model": "m", "model_version": "1", "prediction_id": "p1", "prediction_timestamp": 1767225601.0,
        "outcome_timestamp": 1767225601.0, "prediction": True, "score": 0.5, "outcome": 1, "value": None,
        "features": {"age": 1, "plan": "a"}, "segments": {"region": "eu"},
    }  # fmt: skip
    assert (result.stdout, result.stderr) == ("", f"1 record to {tmp_path / 'out.ndjson'}\n")


def test_parquet(data, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    directory = data(
        prediction(1), outcome(1), prediction(2, prediction=None, features={"age": None, "plan": "b", "paid": True}), outcome(2)
    )  # fmt: skip
    export(directory, "--format", "parquet", "--output", tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.schema.field("age").type == "double"
    assert table.schema.field("prediction").type == "bool"
    assert table.select(["age", "plan", "paid", "prediction"]).to_pylist() == [
        {"age": 1.0, "plan": "a", "paid": None, "prediction": True},
        {"age": None, "plan": "b", "paid": True, "prediction": None},
    ]


def test_parquet_needs_its_extra_and_a_file(data, tmp_path, monkeypatch):
    directory = data(prediction(1), outcome(1))
    assert (
        export(directory, "--format", "parquet").stderr
        == "driftgauge: --output: expected a file for Parquet, got none\n"
    )
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = export(directory, "--format", "parquet", "--output", tmp_path / "x.parquet")
    assert result.exit_code == 1
    assert result.stderr == (
        "driftgauge: --format parquet: expected pyarrow, got none; pip install 'driftgauge[parquet]'\n"
    )


def test_where_it_can_not_be_written(data, tmp_path):
    result = export(data(prediction(1), outcome(1)), "--output", tmp_path / "none" / "x.csv")
    assert result.exit_code == 1
    assert (
        result.stderr == f"driftgauge: {tmp_path}/none/x.csv: can't be written: No such file or directory\n"
    )


def test_a_record_that_is_none(data):
    directory = data((1.0, b'{"type": "prediction"}'))
    result = export(directory)
    assert result.exit_code == 1
    assert result.stderr == (
        f"driftgauge: {directory}/driftgauge.sqlite: kept record 1: expected a prediction or an outcome, "
        "got: Object missing required field `model`\n"
    )


def test_what_the_monitor_keeps_is_what_is_exported(data):
    """The writer's records, through the writer's own code, come back joined."""
    driver = Driver(
        Config(models={"m": Model()}, export=Export(keep=86400.0, sample=1.0, features=("age", "plan")))
    )
    taken = driver.send(
        predictions(
            ["p1", "p2"], [WALL, WALL], numeric={"age": [20, 30], "secret": [1, 2]}, categorical={"plan": ["a", None]},
            score=[0.1, 0.9], prediction=[0, 1], segments={"region": ["eu", None]},
        )
    )  # fmt: skip
    told = driver.send(outcomes(["p2", "p1"], [1, 0], [WALL + 1, WALL + 2]))
    found = rows(data(*taken.exports, *told.exports))
    assert [(r["prediction_id"], r["age"], r["plan"], r["outcome"], r["segment.region"]) for r in found] == [
        ("p1", "20.0", "a", "0", "eu"), ("p2", "30.0", "", "1", ""),
    ]  # fmt: skip
    assert "secret" not in found[0]


@pytest.mark.parametrize(("revisions", "counts"), [(True, "11101"), (False, "00000")])
def test_the_export_has_the_outcomes_that_the_numbers_stand_on(data, revisions, counts):
    """Told again in another batch, in the same one, for one version, before the prediction and with it."""
    held = Driver(
        Config(
            models={"m": Model(outcomes=Outcomes(revisions=revisions))},
            export=Export(keep=86400.0, sample=1.0),
        )
    )
    ids, kept_records = ["a", "b", "c", "d", "e"], []

    def send(batch):
        kept_records.extend(held.send(batch).exports)

    send(outcomes(["d"], [0], [WALL]))
    send(predictions(ids, [WALL] * 5, score=[0.9] * 5, outcome=[None, None, None, 1, 0]))
    send(outcomes(["a", "b", "b"], [0, 0, 1], [WALL + 1] * 3))
    send(outcomes(["c"], [0], [WALL + 1], version="1"))
    send(outcomes(["a", "c", "e"], [1, 1, 1], [WALL + 2] * 3, version="1"))
    quality, row = held.quality()
    right = int(quality.count(row, "confusion")[0, 1].sum())
    found = {r["prediction_id"]: r["outcome"] for r in rows(data(*kept_records))}
    assert "".join(found[name] for name in ids) == counts
    assert (right, int(quality.outcomes(row)[0])) == (counts.count("1"), 5)


def test_inspect_shows_tables_and_versions(data):
    directory = data(prediction(1), outcome(1))
    result = CliRunner().invoke(main, ["inspect", "--data", str(directory), "--json"])
    found = json.loads(result.stdout)
    assert found["path"] == f"{directory}/driftgauge.sqlite"
    assert {table["name"]: table["rows"] for table in found["tables"]}["exports"] == 2
    lines = CliRunner().invoke(main, ["inspect", "--data", str(directory)]).stdout.splitlines()
    assert lines[0].startswith(
        f"{directory}/driftgauge.sqlite: schema version {found['schema_version']}, SQLite 3."
    )
    assert [line.split()[:2] for line in lines[2:]] == [[t["name"], str(t["rows"])] for t in found["tables"]]


def test_inspect_writes_nothing(data):
    directory = data(prediction(1))
    path = directory / "driftgauge.sqlite"
    before = path.read_bytes()
    CliRunner().invoke(main, ["inspect", "--data", str(directory)])
    assert path.read_bytes() == before
