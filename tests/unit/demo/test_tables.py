"""The carried records, as the demo reads them."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from driftgauge.demo import tables


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def bike():
    return tables.bike()


@pytest.fixture(scope="module")
def loan():
    return tables.car_loan()


def test_the_reference_and_the_months_of_bike_rentals_are_apart(bike, demo_data):
    chunks = [row["chunk"] for row in rows(demo_data / "bike_sharing" / "records.csv.gz")]
    months = [chunk for chunk in chunks if chunk not in ("train", "reference")]
    assert (len(bike.reference), len(bike.current)) == (chunks.count("reference"), len(months))
    assert bike.current.times[0] == seconds("2011-07-01T00:00:00")
    assert bike.current.times[-1] == seconds("2012-12-31T23:00:00")


def test_a_bike_record_is_the_row_of_its_id(bike, demo_data):
    [row] = [r for r in rows(demo_data / "bike_sharing" / "records.csv.gz") if r["id"] == "12345"]
    place = list(bike.current.ids).index("12345")
    assert bike.current.times[place] == seconds(row["timestamp"])
    assert {name: values[place] for name, values in bike.current.numeric.items()} == {
        name: float(row[name]) for name in ("hr", "temp", "atemp", "hum", "windspeed")
    }
    assert bike.current.categorical["season"][place] == row["season"]
    assert bike.current.outcome[place] == float(row["cnt"])
    assert bike.current.prediction[place] == float(row["prediction"])


def test_a_loan_has_the_label_of_its_id(loan, demo_data):
    folder = demo_data / "car_loan"
    [row] = [r for r in rows(folder / "analysis.csv.gz") if r["id"] == "77777"]
    [target] = [r for r in rows(folder / "analysis_targets.csv.gz") if r["id"] == "77777"]
    place = list(loan.current.ids).index("77777")
    assert loan.current.score[place] == float(row["y_pred_proba"])
    assert loan.current.prediction[place] == float(row["y_pred"])
    assert loan.current.outcome[place] == float(target["repaid"])
    assert loan.current.times[place] == pytest.approx(seconds(row["timestamp"]), abs=1e-3)


def test_booleans_are_written_as_json_writes_them(loan):
    assert set(loan.current.categorical["repaid_loan_on_prev_car"]) == {"true", "false"}


def test_all_records_come_in_order_of_time(bike, loan):
    for table in (bike.reference, bike.current, loan.reference, loan.current):
        assert (np.diff(table.times) > 0).all()
