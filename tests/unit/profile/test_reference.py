"""A profile is the reference that the same records make by any other way."""

from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.unit.monitor.driving import Driver, predictions
from tests.unit.profile.conftest import csv_text, kinds, ndjson, zipped

from driftgauge import reference as references
from driftgauge.config import Config, Feature, FeatureKind, Limits, Model, Task
from driftgauge.profile import Roles, Settings, profile
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning, LearningRow

CAR_LOAN = {"time": "timestamp", "score": "y_pred_proba", "prediction": "y_pred", "outcome": "repaid"}
NUMERIC = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
TEXTS = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")


@pytest.fixture(scope="module")
def car_loan(demo_data):
    with gzip.open(demo_data / "car_loan" / "reference.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def car_loan_profile(demo_data):
    path = demo_data / "car_loan" / "reference.csv.gz"
    return profile(path, Settings(roles=Roles(**CAR_LOAN, ids=("id",))))


def built(rows):
    """The reference of car_loan's rows, each day fed to the sketch by itself."""
    learning, days = Learning(20), {}
    times = np.array([datetime.fromisoformat(r["timestamp"]).replace(tzinfo=UTC).timestamp() for r in rows])
    numeric = {"f:" + name: [float(r[name]) for r in rows] for name in NUMERIC}
    numeric["o:score"] = [float(r["y_pred_proba"]) for r in rows]
    texts = {"f:" + name: [r[name] for r in rows] for name in TEXTS}
    texts["f:repaid_loan_on_prev_car"] = [text.lower() for text in texts["f:repaid_loan_on_prev_car"]]
    texts["o:prediction"] = [r["y_pred"] for r in rows]
    stack = np.array(list(numeric.values()))
    day = times // 86_400
    for each in np.unique(day):
        places = np.flatnonzero(day == each)
        chosen = {key: [values[i] for i in places] for key, values in texts.items()}
        days[int(each)] = learning.row(tuple(numeric), stack[:, places], chosen, places.size, {})
    return references.build(days, first=times[0], last=times[-1], declared={}, category_limit=50)


def assert_equal(one, other):
    assert one.bins.numeric == other.bins.numeric
    assert one.bins.categorical == other.bins.categorical
    assert one.bins.categories == other.bins.categories
    np.testing.assert_array_equal(one.bins.edges, other.bins.edges)
    np.testing.assert_array_equal(one.bins.coarse, other.bins.coarse)
    np.testing.assert_array_equal(one.row.counts, other.row.counts)
    assert one.id == other.id
    assert [day for day, _ in one.days] == [day for day, _ in other.days]
    for (_, mine), (_, theirs) in zip(one.days, other.days, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(one.bins.centre, other.bins.centre, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12)
    assert (one.first, one.last) == (other.first, other.last)


def test_car_loan_is_what_building_it_day_by_day_gives(car_loan, car_loan_profile):
    assert car_loan_profile.rows == 50_000
    assert car_loan_profile.findings == ()
    assert_equal(car_loan_profile.reference, built(car_loan))


def test_moments_and_extremes_are_numpys(car_loan, car_loan_profile):
    reference = car_loan_profile.reference
    _, means, sds = references.moments(Inputs(reference.bins), reference.row)
    for name in NUMERIC:
        values = np.array([float(row[name]) for row in car_loan])
        place = reference.bins.numeric.index("f:" + name)
        assert means[place] == pytest.approx(values.mean(), rel=1e-10)
        assert sds[place] == pytest.approx(values.std(), rel=1e-8)
        extremes = car_loan_profile.ranges["f:" + name]
        assert (extremes.low, extremes.high) == (values.min(), values.max())


def test_counts_by_day_add_up_to_the_total(car_loan_profile):
    reference = car_loan_profile.reference
    inputs = Inputs(reference.bins)
    assert len(reference.days) == 303
    np.testing.assert_array_equal(sum(counts for _, counts in reference.days), inputs.coarse(reference.row))
    assert (sum(counts for _, counts in reference.days).sum(axis=1) == 50_000).all()


def test_it_reads_back_from_its_file(car_loan_profile):
    text = references.to_json(car_loan_profile.reference)
    assert_equal(references.from_json(text, "x"), car_loan_profile.reference)


@pytest.fixture(scope="module")
def table():
    """Rows over five days: numbers with holes, texts, booleans, a score."""
    rng = np.random.default_rng(7)
    n = 3_000
    rows = []
    for i in range(n):
        rows.append(
            {
                "ts": f"2026-01-{1 + i * 5 // n:02d}T{i % 24:02d}:00:00Z",
                "x": float(rng.normal()),
                "amount": None if i % 50 == 3 else round(float(rng.lognormal(3)), 2),
                "age": int(rng.integers(18, 90)),
                "plan": None if i % 70 == 9 else ["basic", "pro", "enterprise"][int(rng.integers(3))],
                "active": bool(rng.random() < 0.4),
                "score": round(float(rng.random()), 3),
            }
        )
    return rows


TABLE = {"time": "ts", "score": "score"}


def as_csv(rows):
    def cell(value):
        return "" if value is None else value

    return csv_text(rows[0], [[cell(v) for v in row.values()] for row in rows])


def test_every_form_of_the_same_records_makes_the_same_reference(profiled, table):
    expected = profiled(as_csv(table), roles=TABLE).reference
    quoted = as_csv(table).replace("basic", '"basic"').replace("\n", "\r\n")
    holes = ndjson([{k: v for k, v in row.items() if v is not None} for row in table])
    nested = ndjson(
        [
            {
                "ts": row["ts"],
                "score": row["score"],
                "features": {k: row[k] for k in ("x", "amount", "age", "plan", "active")},
            }
            for row in table
        ]
    )
    for content, name in (
        (zipped(as_csv(table)), "train.csv.gz"),
        (zipped(as_csv(table)), "train.csv"),
        ("\ufeff" + quoted, "bom.csv"),
        (as_csv(table).replace(",", "\t"), "train.tsv"),
        (ndjson(table), "train.ndjson"),
        (zipped(ndjson(table)), "train.jsonl.gz"),
        (holes, "holes.jsonl"),
        (nested, "nested.jsonl"),
    ):
        assert_equal(profiled(content, name, roles=TABLE).reference, expected)


def test_parquet_makes_the_same_reference(profiled, table, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    expected = profiled(as_csv(table), roles=TABLE).reference
    whole = pyarrow.Table.from_pylist(table)
    times = [datetime.fromisoformat(row["ts"]) for row in table]
    typed = whole.set_column(0, "ts", pyarrow.array(times, pyarrow.timestamp("us", "UTC")))
    coded = typed.set_column(4, "plan", typed["plan"].dictionary_encode())
    for number, each in enumerate((whole, typed, coded)):
        path = tmp_path / f"{number}.parquet"
        parquet.write_table(each, path, row_group_size=700)
        assert_equal(profile(path, Settings(roles=Roles(**TABLE), chunk_rows=512)).reference, expected)


def test_neither_the_order_of_rows_nor_the_size_of_chunks_matters(profiled, table):
    expected = profiled(as_csv(table), roles=TABLE).reference
    shuffled = [table[i] for i in np.random.default_rng(3).permutation(len(table))]
    for rows, chunk in ((table, 97), (shuffled, 20_000), (shuffled, 640)):
        assert_equal(profiled(as_csv(rows), roles=TABLE, chunk_rows=chunk).reference, expected)


@pytest.mark.parametrize("distinct", [1_000, 1_025, 4_000])
def test_many_categories_end_as_the_sketch_would_keep_them(profiled, distinct):
    rng = np.random.default_rng(distinct)
    texts = [f"t{i:05d}" for i in rng.integers(0, distinct, 12_000)]
    days = rng.integers(1, 4, len(texts))
    rows = [[f"2026-01-0{day}", text] for day, text in zip(days, texts, strict=True)]
    total = Learning(1).row((), np.zeros((0, len(texts))), {"f:city": texts}, len(texts), {})
    expected = references.build({0: total}, first=0, last=0, declared={}, category_limit=50)
    found = profiled(csv_text(("ts", "city"), rows), roles={"time": "ts"}, chunk_rows=500).reference
    assert found.bins.categories == expected.bins.categories
    np.testing.assert_array_equal(found.row.counts, expected.row.counts)


def test_many_distinct_numbers_end_in_the_sketchs_bins(profiled):
    """Over ten orders of magnitude there are more than 8,192 learning bins, so they get coarser."""
    values = 10 ** np.random.default_rng(5).uniform(-5, 5, 40_000)
    row = Learning(1).row(("f:x",), values[None], {}, values.size, {})
    assert row.numeric["f:x"].level > 0
    expected = references.build({0: row}, first=0, last=0, declared={}, category_limit=50)
    found = profiled(csv_text(["x"], [[repr(v)] for v in values.tolist()]), chunk_rows=1_000)
    np.testing.assert_array_equal(found.reference.bins.edges, expected.bins.edges)
    np.testing.assert_array_equal(found.reference.row.counts, expected.row.counts)


def test_too_little_memory_for_days_makes_bins_coarser_and_nothing_wrong(profiled, table):
    found = profiled(as_csv(table), roles=TABLE, memory_bytes=50_000, chunk_rows=500)
    reference = found.reference
    np.testing.assert_array_equal(
        sum(counts for _, counts in reference.days), Inputs(reference.bins).coarse(reference.row)
    )
    (sentence,) = found.findings
    assert sentence.endswith("coarser bins: counts by day would take too much memory (first: 'x')")
    values = np.sort([row["x"] for row in table])
    edges = reference.bins.edges[reference.bins.numeric.index("f:x")][12:75]
    ranks = np.searchsorted(values, edges) / values.size
    assert np.abs(ranks - np.arange(1, 64) / 64).max() < 0.02


def served(rows, numeric, texts, **config):
    """The reference of what `serve` counts of the same records."""
    driver = Driver(Config(models={"m": Model(**config)}))
    given = {name: [row[name] for row in rows] for name in ("score", "prediction") if name in rows[0]}
    driver.send(
        predictions(
            [None] * len(rows),
            numeric={name: [np.nan if row[name] is None else row[name] for row in rows] for name in numeric},
            categorical={name: [row[name] for row in rows] for name in texts},
            score=[np.nan if s is None else s for s in given["score"]] if "score" in given else None,
            prediction=given.get("prediction"),
        )
    )
    window = driver.view().windows[-1]
    total = LearningRow()
    total.records = len(rows)
    total.numeric = window.inputs.numeric | window.outputs.numeric
    total.categorical = window.inputs.categorical | window.outputs.categorical
    return references.build({0: total}, first=np.nan, last=np.nan, declared={}, category_limit=50)


OUTPUTS = {
    "binary": [{"score": i / 300, "prediction": [1, 0, None][i % 3]} for i in range(300)],
    "binary from booleans": [{"prediction": [True, False, None][i % 3]} for i in range(300)],
    "binary from the score alone": [{"score": i / 300} for i in range(300)],
    "scores with holes": [{"score": None if i % 7 == 1 else i / 300} for i in range(300)],
    "regression": [{"prediction": None if i % 9 == 1 else i * 1.5} for i in range(300)],
    "multiclass": [{"prediction": ["red", "green", None, "blue"][i % 4]} for i in range(300)],
    "more classes than are kept": [{"prediction": f"class {i % 30}"} for i in range(300)],
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_outputs_are_what_serve_counts(profiled, case):
    rows = [{"x": float(i % 17), "plan": "ab"[i % 2], **row} for i, row in enumerate(OUTPUTS[case])]
    roles = {name: name for name in ("score", "prediction") if name in rows[0]}
    expected = served(rows, ("x",), ("plan",))
    assert any(key.startswith("o:") for key in (*expected.bins.numeric, *expected.bins.categorical))
    for content, name in ((as_csv(rows), "train.csv"), (ndjson(rows), "train.ndjson")):
        assert_equal_without_days(profiled(content, name, roles=roles).reference, expected)


@pytest.mark.parametrize("positive", ["churned", "0"])
def test_a_positive_class_counts_as_serve_counts_it(profiled, positive):
    rows = [{"x": 1.0, "prediction": ["churned", "retained", "0", "1"][i % 4]} for i in range(200)]
    model = {"task": Task.BINARY, "positive_class": positive}
    expected = served(rows, ("x",), (), **model)
    found = profiled(as_csv(rows), roles={"prediction": "prediction"}, model=Model(**model))
    assert_equal_without_days(found.reference, expected)


def assert_equal_without_days(one, other):
    assert (one.bins.numeric, one.bins.categorical) == (other.bins.numeric, other.bins.categorical)
    assert one.bins.categories == other.bins.categories
    np.testing.assert_array_equal(one.row.counts, other.row.counts)
    assert one.id == other.id


def test_declared_features_come_first_with_their_kind_and_range(profiled):
    features = {
        "code": Feature(kind=FeatureKind.CATEGORICAL),
        "age": Feature(min=18, max=30),
        "gone": Feature(kind=FeatureKind.NUMERIC),
    }
    rows = [[i % 50, 1.5, ["5", "5.0", "07", "true"][i % 4]] for i in range(400)]
    found = profiled(csv_text(("age", "other", "code"), rows), model=Model(features=features))
    bins = found.reference.bins
    assert bins.numeric == ("f:age", "f:other")
    assert (bins.low[0], bins.high[0]) == (18, 30)
    # The text that a sender's 5, 5.0 and true have in `serve`.
    assert bins.categories == (("5", "07", "true"),)
    assert found.findings == ("1 declared feature without a value in any row (first: 'gone')",)


def test_discovery_switched_off_leaves_the_rest_out(profiled):
    model = Model(features={"age": Feature()}, discover_features=False)
    found = profiled("age,x,y\n1,2,3\n2,3,4\n", model=model)
    assert kinds(found) == {"f:age": "numeric"}
    assert found.findings == (
        "2 columns left out: expected only declared features (discover_features: false) (first: 'x')",
    )


def test_no_more_features_than_the_limit(profiled):
    found = profiled("a,b,c\n1,2,3\n", limits=Limits(features=2))
    assert kinds(found) == {"f:a": "numeric", "f:b": "numeric"}
    assert found.findings == ("1 column left out: expected at most 2 features (first: 'c')",)


def four_days(n):
    """n rows whose numbers have few distinct values, so that their counts are soon complete."""
    rng = np.random.default_rng(11)
    columns = (
        [f"2026-01-0{1 + i * 4 // n}" for i in range(n)],
        rng.integers(0, 300, n) / 8,
        rng.choice(["a", "b", "c"], n).tolist(),
        [f"id{number}" for number in rng.integers(0, 10**12, n)],
        rng.integers(0, 100, n) / 100,
    )
    return csv_text(("ts", "x", "plan", "free", "score"), zip(*columns, strict=True))


def peak(path):
    tracemalloc.start()
    try:
        profile(path, Settings(roles=Roles(time="ts", score="score"), chunk_rows=500))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_rows(tmp_path):
    peaks = []
    for n in (3_000, 30_000):
        path = tmp_path / f"{n}.csv"
        path.write_text(four_days(n))
        peaks.append(peak(path))
    assert peaks[1] < 1.3 * peaks[0], peaks


def test_its_json_is_readable(car_loan_profile):
    document = json.loads(references.to_json(car_loan_profile.reference))
    assert document["format"] == "driftgauge-reference"
    assert document["records"] == 50_000
    assert [each["key"] for each in document["numeric"]][-1] == "o:score"
    assert document["first"] == "2018-01-01T00:00:00Z"
