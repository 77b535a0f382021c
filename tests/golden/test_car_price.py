"""The car price's ten analysis chunks as windows, against nannyml 0.13.1, scikit-learn and scipy.

Regression; everything moves in chunk 5 and the error becomes smaller: a change for the better.
"""

import pytest
from scipy import stats as scipy_stats
from sklearn import metrics
from tests.golden import feeding

from driftgauge.config import Task
from driftgauge.snapshot import Cohort

pytestmark = pytest.mark.golden

COLUMNS = feeding.Columns(
    numeric=("car_age", "km_driven", "price_new", "accident_count", "door_count"),
    categorical=("fuel", "transmission"),
    task=Task.REGRESSION,
    prediction="y_pred",
    outcome="y_true",
)
CHUNK, WIDTH = 6_000, 6_000 * 33.6
NUMBERS = (*COLUMNS.numeric, "y_pred")
NAMES = {"y_pred": "prediction"}
CHUNKS = range(10)


@pytest.fixture(scope="module")
def reference(data):
    return feeding.records(feeding.table(data / "car_price" / "reference.csv.gz"), COLUMNS)


@pytest.fixture(scope="module")
def chunks(data, reference, tmp_path_factory):
    told = feeding.table(data / "car_price" / "analysis_targets.csv.gz")
    outcome = {row["id"]: row["y_true"] for row in told}
    rows = feeding.table(data / "car_price" / "analysis.csv.gz")
    analysis = feeding.records([{**row, "y_true": outcome[row["id"]]} for row in rows], COLUMNS)
    begin = analysis.times[0]
    cut = [(begin + i * WIDTH, WIDTH, analysis.at(slice(i * CHUNK, (i + 1) * CHUNK))) for i in CHUNKS]
    return feeding.fed(reference, cut, tmp_path_factory.mktemp("car_price") / "reference.json")


@pytest.fixture(scope="module")
def published(data):
    folder = data / "car_price"
    return {
        **feeding.golden(folder / "golden_drift_chunk6000.csv"),
        **feeding.golden(folder / "golden_performance_chunk6000.csv"),
    }


@pytest.mark.parametrize("i", CHUNKS)
@pytest.mark.parametrize("cohort", [Cohort.ARRIVED, Cohort.MATURED])
def test_errors_are_the_golden_ones(chunks, published, i, cohort):
    quality = chunks[i].quality(cohort)
    assert quality.samples == CHUNK
    assert quality.mae == pytest.approx(published[i, "mae", ""], rel=1e-9)
    assert quality.rmse == pytest.approx(published[i, "rmse", ""], rel=1e-9)
    assert quality.rmse**2 == pytest.approx(published[i, "mse", ""], rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_percentage_error_is_the_golden_one(chunks, published, i):
    (found,) = [p for p in chunks[i].snapshot.performance if p.cohort == Cohort.ARRIVED]
    assert found.mape == pytest.approx(published[i, "mape", ""], rel=1e-9)
    assert found.mape_samples == CHUNK


@pytest.mark.parametrize("i", CHUNKS)
def test_intervals_of_independent_records_surround_the_golden_values(chunks, published, i):
    (found,) = [r for r in chunks[i].snapshot.intervals if r.cohort == Cohort.ARRIVED]
    for name in ("mae", "rmse"):
        low, high, exact = (
            getattr(found, f"{name}_low"),
            getattr(found, f"{name}_high"),
            published[i, name, ""],
        )
        assert low < exact < high
        assert high - low < 0.1 * exact


@pytest.mark.parametrize("i", CHUNKS)
def test_r2_and_bias_are_scikit_learns(chunks, i):
    outcome, prediction = chunks[i].records.values["y_true"], chunks[i].records.values["y_pred"]
    assert chunks[i].quality().r2 == pytest.approx(metrics.r2_score(outcome, prediction), abs=1e-9)
    assert chunks[i].quality().bias == pytest.approx((prediction - outcome).mean(), rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_ks_is_within_its_bound_and_one_64th(chunks, reference, published, i):
    for name in NUMBERS:
        drift = chunks[i].drift(NAMES.get(name, name))
        exact = scipy_stats.ks_2samp(reference.values[name], chunks[i].records.values[name]).statistic
        assert drift.ks == pytest.approx(published[i, name, "kolmogorov_smirnov"], abs=1 / 64)
        assert drift.ks <= exact + 1e-12
        assert exact <= drift.ks + drift.ks_bound + 1e-12
        assert exact - drift.ks <= 1 / 64


@pytest.mark.parametrize("i", CHUNKS)
def test_distance_of_categories_is_the_golden_one(chunks, published, i):
    for name in COLUMNS.categorical:
        assert chunks[i].drift(name).js_distance == pytest.approx(
            published[i, name, "jensen_shannon"], abs=1e-9
        )


@pytest.mark.parametrize("i", CHUNKS)
def test_means_are_those_of_the_records(chunks, reference, i):
    for name in NUMBERS:
        given, now = reference.values[name], chunks[i].records.values[name]
        shift = (now.mean() - given.mean()) / given.std()
        assert chunks[i].drift(NAMES.get(name, name)).mean_shift_sd == pytest.approx(shift, abs=1e-9)


def test_all_seven_features_and_the_prediction_move_with_chunk_5(chunks):
    for name in (*COLUMNS.numeric, *COLUMNS.categorical, "prediction"):
        before = max(chunk.drift(name).psi for chunk in chunks[:5])
        after = min(chunk.drift(name).psi for chunk in chunks[5:])
        assert after > 4 * before, f"{name}: {before:.4f} before, {after:.4f} after"


def test_the_error_becomes_smaller(chunks):
    mae = [chunk.quality().mae for chunk in chunks]
    assert min(mae[:5]) > 830
    assert max(mae[5:]) < 720
