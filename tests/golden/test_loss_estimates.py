"""The error to expect without outcomes on the car price, beside nannyml 0.13.1's DLE and what came.

The whole way: `driftgauge profile` of the reference with its outcomes, its file given to a monitor, every
chunk of the analysis a window.
"""

import numpy as np
import pytest
from tests.golden import feeding
from tests.golden.test_car_price import CHUNK, CHUNKS, COLUMNS, WIDTH

from driftgauge.config import Task
from driftgauge.profile import Roles, Settings, profile

pytestmark = pytest.mark.golden

SETTINGS = Settings(roles=Roles(time="timestamp", prediction="y_pred", outcome="y_true", ids=("id",)))


@pytest.fixture(scope="module")
def profiled(data):
    return profile(data / "car_price" / "reference.csv.gz", SETTINGS).reference


@pytest.fixture(scope="module")
def estimated(data, profiled, tmp_path_factory):
    """The row of each chunk of the analysis."""
    told = feeding.table(data / "car_price" / "analysis_targets.csv.gz")
    outcome = {row["id"]: row["y_true"] for row in told}
    rows = feeding.table(data / "car_price" / "analysis.csv.gz")
    analysis = feeding.records([{**row, "y_true": outcome[row["id"]]} for row in rows], COLUMNS)
    begin = analysis.times[0]
    cut = [(begin + i * WIDTH, WIDTH, analysis.at(slice(i * CHUNK, (i + 1) * CHUNK))) for i in CHUNKS]
    path = tmp_path_factory.mktemp("car_price") / "reference.json"
    chunks = feeding.fed(analysis, cut, path, reference=profiled)
    assert chunks[0].view.task is Task.REGRESSION
    return [chunk.snapshot.estimates[0] for chunk in chunks]


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_it_is_no_further_from_what_came_than_nannymls(estimated, data, name):
    realised = feeding.golden(data / "car_price" / "golden_performance_chunk6000.csv")
    theirs = feeding.golden(data / "car_price" / "golden_dle_chunk6000.csv")
    came = np.array([realised[i, name, ""] for i in CHUNKS])
    golden = np.array([theirs[i, name, ""] for i in CHUNKS])
    ours = np.array([getattr(row, name) for row in estimated])
    print(f"{name}: realised, ours, nannyml's")  # the table is the measurement
    for row in zip(came, ours, golden, strict=True):
        print("  ".join(f"{number:8.2f}" for number in row))
    ours_off, theirs_off = np.abs(ours - came).mean(), np.abs(golden - came).mean()
    print(f"mean absolute gap {ours_off:.2f}, nannyml's {theirs_off:.2f}")
    assert ours_off <= theirs_off


def test_the_gap_is_the_estimate_less_what_came(estimated, data):
    realised = feeding.golden(data / "car_price" / "golden_performance_chunk6000.csv")
    for i, row in enumerate(estimated):
        assert (row.state, row.samples) == ("given", CHUNK)
        assert row.unsupported_ratio < 0.01
        for name in ("mae", "rmse"):
            expected = getattr(row, name) - realised[i, name, ""]
            assert getattr(row, f"{name}_gap") == pytest.approx(expected, rel=1e-6)


def test_the_error_is_of_the_size_of_nannymls(estimated):
    """Theirs, of the reference: 8.2 (MAE) and 10.3 (RMSE)."""
    assert 5 < min(row.mae_error for row in estimated) < max(row.mae_error for row in estimated) < 16
    assert all(row.rmse_error > row.mae_error for row in estimated)
