"""A file profiled with outcomes: what came out in each bin, by day, and how good the predictions were."""

import csv
import gzip
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from sklearn import metrics
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions
from tests.unit.profile.conftest import csv_text

from driftgauge import reference as references
from driftgauge.config import Config, Model, Task
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.errors import ReferenceFileError
from driftgauge.evaluate import evaluate
from driftgauge.profile import Roles, Settings, profile
from driftgauge.reference import relation as relations
from driftgauge.snapshot import ReferenceState

CAR_LOAN = {"time": "timestamp", "score": "y_pred_proba", "prediction": "y_pred", "outcome": "repaid"}


@pytest.fixture(scope="module")
def rows(demo_data):
    with gzip.open(demo_data / "car_loan" / "reference.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found(demo_data):
    path = demo_data / "car_loan" / "reference.csv.gz"
    return profile(path, Settings(roles=Roles(**CAR_LOAN, ids=("id",))))


def test_outcomes_are_counted_in_the_bins_of_the_reference(found, rows):
    reference, relation = found.reference, found.reference.relation
    assert relation.classes == ("0", "1")
    assert relation.outcomes == len(rows)
    place = reference.bins.numeric.index("f:car_value")
    values = np.array([float(r["car_value"]) for r in rows])
    repaid = np.array([int(float(r["repaid"])) for r in rows])
    bins = reference.bins.coarse[place][np.searchsorted(reference.bins.edges[place], values)]
    expected = np.zeros((12, 2), int)
    np.add.at(expected, (bins, repaid), 1)
    np.testing.assert_array_equal(relation.records[relation.keys.index("f:car_value")], expected)
    days = {datetime.fromisoformat(r["timestamp"]).replace(tzinfo=UTC).date() for r in rows}
    assert len(relation.periods) == -(-len(days) // -(-len(days) // 64))
    np.testing.assert_array_equal(sum(records for records, _ in relation.periods), relation.records)


def test_quality_is_that_of_the_files_predictions(found, rows):
    relation = found.reference.relation
    repaid = np.array([int(float(r["repaid"])) for r in rows])
    predicted = np.array([int(float(r["y_pred"])) for r in rows])
    cells = relation.quality.count(relation.quality_row, "confusion")[0]
    np.testing.assert_array_equal(cells, metrics.confusion_matrix(repaid, predicted))
    loss = relation.quality.sum(relation.quality_row, "log_loss")[0] / len(rows)
    score = np.array([float(r["y_pred_proba"]) for r in rows])
    assert loss == pytest.approx(metrics.log_loss(repaid, score), rel=1e-9)


def test_a_file_keeps_the_relation_and_one_without_it_loads(found, tmp_path):
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(found.reference))
    read = references.load(path)
    assert read.id == found.reference.id
    assert read.relation.id == found.reference.relation.id
    np.testing.assert_array_equal(
        read.relation.quality_row.counts, found.reference.relation.quality_row.counts
    )
    without = references.to_json(replace(found.reference, relation=None))
    assert b'"relation"' not in without
    path.write_bytes(without)
    assert references.load(path).relation is None


def test_without_outcomes_there_is_no_relation(profiled):
    text = csv_text(["x", "p"], [(i % 7, 0.5) for i in range(50)])
    assert profiled(text, roles={"score": "p"}).reference.relation is None
    empty = csv_text(["x", "p", "y"], [(i % 7, 0.5, "") for i in range(50)])
    assert profiled(empty, roles={"score": "p", "outcome": "y"}).reference.relation is None


def test_rows_without_an_outcome_count_nowhere(profiled):
    text = csv_text(["x", "p", "y"], [(i % 7, 0.9, i % 2 if i < 30 else "") for i in range(50)])
    relation = profiled(text, roles={"score": "p", "outcome": "y"}).reference.relation
    assert relation.outcomes == 30
    assert relation.quality.count(relation.quality_row, "confusion")[0].tolist() == [[0, 15], [0, 15]]
    assert len(relation.periods) == 1


def test_classes_keep_their_names_and_numbers_their_errors(profiled):
    text = csv_text(["x", "p", "y"], [(i % 7, "abc"[i % 3], "abc"[i % 2]) for i in range(60)])
    relation = profiled(text, roles={"prediction": "p", "outcome": "y"}).reference.relation
    assert relation.classes == ("a", "b", "c", "other")
    assert relation.records[0].sum(axis=0).tolist() == [30, 30, 0, 0]
    text = csv_text(["x", "p", "y"], [(i % 7, i + 0.5, i) for i in range(60)])
    relation = profiled(text, roles={"prediction": "p", "outcome": "y"}).reference.relation
    assert relation.classes == ()
    assert relation.errors[0].sum(axis=0).tolist() == [30.0, 15.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: setattr(f.relation, "records", {"f:x": [[1, 2]]}), "12 bins of 2 counts"),
        (lambda f: f.relation.records.update({"f:x": [[-1, 2]] * 12}), "12 bins of 2 counts"),
        (lambda f: f.periods[0].records.update({"f:y": [[1, 2]] * 12}), "12 bins of 2 counts"),
        (lambda f: setattr(f.relation, "errors", {}), "12 bins of 2 counts"),
        (lambda f: setattr(f.quality, "task", "ranking"), "expected a task, got 'ranking'"),
        (lambda f: f.quality.counts.update({"score": {"999999": 1}}), "expected the cells of binary"),
        (lambda f: f.quality.counts.update({"score": {"x": 1}}), "expected the cells of binary"),
        (lambda f: f.quality.counts.update({"score": {"1": -1}}), "counts of at least 0"),
        (lambda f: f.quality.sums.update({"brier": [1.0, 2.0]}), "expected the cells of binary"),
    ],
)
def test_a_relation_that_contradicts_itself_is_refused(profiled, change, message):
    text = csv_text(["x", "p", "y"], [(i % 7, 0.9, i % 2) for i in range(50)])
    file = relations.saved(profiled(text, roles={"score": "p", "outcome": "y"}).reference.relation)
    change(file)
    with pytest.raises(ReferenceFileError, match=message):
        relations.from_json(msgspec.json.encode(file), "here")
    with pytest.raises(ReferenceFileError, match="here: expected a relation, got"):
        relations.from_json(b"{}", "here")


def test_quality_of_another_version_is_left_out(profiled):
    text = csv_text(["x", "p", "y"], [(i % 7, 0.9, i % 2) for i in range(50)])
    file = relations.saved(profiled(text, roles={"score": "p", "outcome": "y"}).reference.relation)
    file.quality.sums.pop("brier")
    assert relations.loaded(file, "here").quality is None


# --- in a running monitor ----------------------------------------------------------------------


def records(rng, n, slope):
    x = rng.normal(size=n)
    score = 1 / (1 + np.exp(-1.5 * x))
    return x, score, (rng.random(n) < 1 / (1 + np.exp(-slope * x))).astype(int)


def test_a_given_relation_is_compared_with_at_once(tmp_path):
    rng = np.random.default_rng(1)
    lines = []
    for day in range(20):
        x, score, y = records(rng, 400, 1.5)
        lines += [(f"2026-01-{day + 1:02d}T12:00:00Z", a, b, c) for a, b, c in zip(x, score, y, strict=True)]
    path = tmp_path / "train.csv"
    path.write_text(csv_text(["t", "x", "p", "y"], lines))
    made = profile(path, Settings(roles=Roles(time="t", score="p", outcome="y"))).reference
    file = tmp_path / "reference.json"
    file.write_bytes(references.to_json(made))
    model = Model(
        task=Task.BINARY,
        reference=file,
        windows=(86_400.0,),
        outcomes=OutcomesConfig(horizon=86_400.0, matures_after=60.0),
    )
    for slope, changed in ((1.5, False), (-0.5, True)):
        held = Driver(Config(models={"m": model}))
        x, score, y = records(rng, 4_000, slope)
        times = np.linspace(WALL - 8 * 3600, WALL - 2 * 3600, 4_000)
        ids = [f"{i}" for i in range(4_000)]
        held.send(predictions(ids, times, numeric={"x": x}, score=score))
        held.send(outcomes(ids, y.tolist(), times + 30))
        version = evaluate([held.view()], WALL, 0.0).versions[0]
        assert version.relation[0].state == ReferenceState.GIVEN
        assert version.relation[0].outcomes == 8_000
        (row,) = version.relation_shifts
        assert (row.feature, row.samples) == ("x", 4_000.0)
        assert (row.adjusted_p < 1e-4) is changed
        assert (row.shift > 0.5) is changed
        (change,) = version.quality_changes
        assert (change.accuracy_high < -0.2) is changed
