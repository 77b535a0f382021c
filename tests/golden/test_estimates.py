"""Performance without outcomes on the car loan, against nannyml 0.13.1's CBPE.

The whole way: `driftgauge profile` of the reference with its outcomes, its file given to a monitor, every
chunk of reference and analysis a window.
"""

import csv

import numpy as np
import pytest
from tests.golden import feeding
from tests.golden.test_car_loan import CHUNK, CHUNKS, COLUMNS, WIDTH

from driftgauge.profile import Roles, Settings, profile

pytestmark = pytest.mark.golden

SETTINGS = Settings(
    roles=Roles(time="timestamp", score="y_pred_proba", prediction="y_pred", outcome="repaid", ids=("id",))
)
TOLERANCE = 0.002
MEASURES = ("roc_auc", "accuracy", "f1")


@pytest.fixture(scope="module")
def reference(demo_data):
    return feeding.records(feeding.table(demo_data / "car_loan" / "reference.csv.gz"), COLUMNS)


@pytest.fixture(scope="module")
def analysis(demo_data):
    told = feeding.table(demo_data / "car_loan" / "analysis_targets.csv.gz")
    outcome = {row["id"]: row["repaid"] for row in told}
    rows = feeding.table(demo_data / "car_loan" / "analysis.csv.gz")
    return feeding.records([{**row, "repaid": outcome[row["id"]]} for row in rows], COLUMNS)


@pytest.fixture(scope="module")
def estimated(demo_data, reference, analysis, tmp_path_factory):
    """Row of the estimates by period and chunk."""
    profiled = profile(demo_data / "car_loan" / "reference.csv.gz", SETTINGS).reference
    found = {}
    for period, records in (("reference", reference), ("analysis", analysis)):
        begin = records.times[0]
        cut = [(begin + i * WIDTH, WIDTH, records.at(slice(i * CHUNK, (i + 1) * CHUNK))) for i in CHUNKS]
        path = tmp_path_factory.mktemp(period) / "reference.json"
        for chunk in feeding.fed(reference, cut, path, reference=profiled):
            (found[period, chunk.number],) = chunk.snapshot.estimates
    return found


@pytest.fixture(scope="module")
def published(data):
    found = {}
    with (data / "car_loan" / "golden_cbpe_chunk5000.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["value"] and row["field"] in ("value", "realized", "sampling_error"):
                key = (row["period"], int(row["chunk_index"]) % 10, row["name"], row["field"])
                found[key] = float(row["value"])
    return found


@pytest.mark.parametrize("period", ["reference", "analysis"])
@pytest.mark.parametrize("i", CHUNKS)
def test_estimates_are_nannymls(estimated, published, period, i):
    row = estimated[period, i]
    assert row.state == "given"
    for name in MEASURES:
        golden = published[period, i, name, "value"]
        assert getattr(row, name) == pytest.approx(golden, abs=TOLERANCE), name
        assert getattr(row, name) == pytest.approx(golden, abs=1e-6), "nearer than was asked"


@pytest.mark.parametrize("i", CHUNKS)
def test_the_gap_is_the_estimate_less_the_realised_value(estimated, data, i):
    realised = feeding.golden(data / "car_loan" / "golden_performance_chunk5000.csv")
    row = estimated["analysis", i]
    for name in (*MEASURES, "precision", "recall"):
        expected = getattr(row, name) - realised[i, name, ""]
        assert getattr(row, f"{name}_gap") == pytest.approx(expected, abs=1e-9), name


@pytest.mark.parametrize("name", MEASURES)
def test_errors_are_of_the_size_of_nannymls_and_cover_what_came(estimated, published, name):
    """Theirs is one number of the reference's; its F1 is of another formula, twice as wide."""
    errors = [getattr(row, f"{name}_error") for row in estimated.values()]
    golden = published["analysis", 0, name, "sampling_error"]
    assert golden / 2.5 < min(errors) <= max(errors) < 2.5 * golden
    beyond = [abs(getattr(r, f"{name}_gap")) / getattr(r, f"{name}_error") for r in estimated.values()]
    assert np.mean(np.array(beyond) < 2) >= 0.9
