"""The car loan's ten analysis chunks as windows, against nannyml 0.13.1, scikit-learn and scipy.

Binary; the labels come in a file of their own; the drift begins in chunk 5.
"""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn import metrics
from tests.golden import feeding

from driftgauge.config import Task
from driftgauge.snapshot import Cohort
from driftgauge.stats import divergence

pytestmark = pytest.mark.golden

COLUMNS = feeding.Columns(
    numeric=("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure"),
    categorical=("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment"),
    task=Task.BINARY,
    prediction="y_pred",
    outcome="repaid",
    score="y_pred_proba",
)
CHUNK, WIDTH = 5_000, 5_000 * 523.152
NUMBERS = (*COLUMNS.numeric, "y_pred_proba")
TEXTS = (*COLUMNS.categorical, "y_pred")
NAMES = {"y_pred_proba": "score", "y_pred": "prediction"}
MOVE = {"car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car", "score"}
CHUNKS = range(10)


@pytest.fixture(scope="module")
def reference(demo_data):
    return feeding.records(feeding.table(demo_data / "car_loan" / "reference.csv.gz"), COLUMNS)


@pytest.fixture(scope="module")
def chunks(demo_data, reference, tmp_path_factory):
    told = feeding.table(demo_data / "car_loan" / "analysis_targets.csv.gz")
    outcome = {row["id"]: row["repaid"] for row in told}
    rows = feeding.table(demo_data / "car_loan" / "analysis.csv.gz")
    analysis = feeding.records([{**row, "repaid": outcome[row["id"]]} for row in rows], COLUMNS)
    begin = analysis.times[0]
    cut = [(begin + i * WIDTH, WIDTH, analysis.at(slice(i * CHUNK, (i + 1) * CHUNK))) for i in CHUNKS]
    return feeding.fed(reference, cut, tmp_path_factory.mktemp("car_loan") / "reference.json")


@pytest.fixture(scope="module")
def published(data):
    folder = data / "car_loan"
    return {
        **feeding.golden(folder / "golden_drift_chunk5000.csv"),
        **feeding.golden(folder / "golden_performance_chunk5000.csv"),
    }


def cells(chunk):
    (tn, fp), (fn, tp) = chunk.count("confusion")[0].astype(float)
    return tp, fp, fn, tn


@pytest.mark.parametrize("i", CHUNKS)
def test_every_record_of_a_chunk_is_in_its_window_and_no_other(chunks, i):
    chunk = chunks[i]
    assert chunk.window.predictions == CHUNK
    assert chunk.quality().samples == chunk.quality(Cohort.MATURED).samples == CHUNK
    assert chunk.snapshot.labels[0].coverage_ratio == 1.0
    assert {d.samples for d in chunk.snapshot.drift} == {CHUNK}


@pytest.mark.parametrize("i", CHUNKS)
@pytest.mark.parametrize("cohort", [Cohort.ARRIVED, Cohort.MATURED])
def test_confusion_metrics_are_the_golden_ones(chunks, published, i, cohort):
    quality, classes = chunks[i].quality(cohort), chunks[i].classes(cohort)
    found = {
        "accuracy": quality.accuracy,
        "precision": classes.precision,
        "recall": classes.recall,
        "f1": classes.f1,
        "roc_auc": classes.roc_auc,  # scores of two decimals have a bin each
    }
    assert found == pytest.approx({name: published[i, name, ""] for name in found}, rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_specificity_and_average_precision_are_the_golden_ones(chunks, published, i):
    (found,) = [c for c in chunks[i].snapshot.class_performance if c.cohort == Cohort.ARRIVED]
    assert found.specificity == pytest.approx(published[i, "specificity", ""], rel=1e-9)
    # scores of two decimals have a bin each
    assert found.average_precision == pytest.approx(published[i, "average_precision", ""], rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_intervals_of_independent_records_surround_the_golden_values(chunks, published, i):
    (found,) = [r for r in chunks[i].snapshot.intervals if r.cohort == Cohort.ARRIVED]
    for name in ("accuracy", "precision", "recall", "f1", "roc_auc", "specificity", "average_precision"):
        low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
        assert low < published[i, name, ""] < high
        assert high - low < 0.05


@pytest.mark.parametrize("i", CHUNKS)
def test_where_all_are_labelled_reweighting_changes_nothing(chunks, i):
    (found,) = chunks[i].snapshot.reweighted
    assert found.accuracy == pytest.approx(chunks[i].quality(Cohort.MATURED).accuracy, rel=1e-12)
    assert found.selection_psi == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("i", CHUNKS)
def test_loss_brier_and_calibration_are_scikit_learns(chunks, i):
    quality, rows = chunks[i].quality(), chunks[i].records
    outcome, score = rows.values["repaid"], rows.values["y_pred_proba"]
    assert quality.log_loss == pytest.approx(metrics.log_loss(outcome, score), rel=1e-9)
    assert quality.brier == pytest.approx(metrics.brier_score_loss(outcome, score), rel=1e-9)
    assert quality.ece == pytest.approx(equal_width_ece(outcome, score), rel=1e-9)


def equal_width_ece(outcome, score):
    tenth = np.minimum((score * 10).astype(int), 9)
    gaps = [abs((outcome - score)[tenth == b].sum()) for b in range(10)]
    return sum(gaps) / len(score)


@pytest.mark.parametrize("i", CHUNKS)
def test_ks_is_within_3_thousandths_and_its_bound_holds(chunks, reference, published, i):
    for name in NUMBERS:
        drift = chunks[i].drift(NAMES.get(name, name))
        golden = published[i, name, "kolmogorov_smirnov"]
        exact = scipy_stats.ks_2samp(reference.values[name], chunks[i].records.values[name]).statistic
        assert drift.ks == pytest.approx(golden, abs=0.003)
        assert drift.ks <= exact + 1e-12
        assert exact <= drift.ks + drift.ks_bound + 1e-12
        assert exact - drift.ks <= 1 / 64


@pytest.mark.parametrize("i", CHUNKS)
def test_wasserstein_is_the_golden_one_within_the_width_of_bins(chunks, reference, published, i):
    for name in NUMBERS:
        drift = chunks[i].drift(NAMES.get(name, name))
        golden = published[i, name, "wasserstein"] / reference.values[name].std()
        assert drift.wasserstein == pytest.approx(golden, abs=0.02)


@pytest.mark.parametrize("i", CHUNKS)
def test_distance_of_categories_is_the_golden_one(chunks, published, i):
    for name in TEXTS:
        drift = chunks[i].drift(NAMES.get(name, name))
        assert drift.js_distance == pytest.approx(published[i, name, "jensen_shannon"], abs=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_chi_square_of_categories_is_the_golden_one(chunks, published, i):
    for name in ("salary_range", "size_of_downpayment"):  # of 2 x 2 tables theirs has Yates' correction
        watched = chunks[i].view.inputs
        place = watched.inputs.bins.categorical.index("f:" + name)
        reference = watched.inputs.layout.count(watched.reference.row, "categories")[place]
        current = watched.inputs.layout.count(chunks[i].window.inputs, "categories")[place]
        statistic, _ = divergence.chi_square(reference, current)
        assert statistic == pytest.approx(published[i, name, "chi2"], rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_means_are_those_of_the_records(chunks, reference, i):
    for name in NUMBERS:
        given, now = reference.values[name], chunks[i].records.values[name]
        drift = chunks[i].drift(NAMES.get(name, name))
        shift = now.mean() - given.mean()
        assert drift.mean_shift_sd == pytest.approx(shift / given.std(), abs=1e-9)
        assert drift.mean_shift_ratio == pytest.approx(shift / abs(given.mean()), abs=1e-9)
        assert drift.missing_ratio == np.isnan(now).mean()
        # the learned range ends with its learning bins, which are up to 0.2% wide
        low, high = given.min(), given.max()
        least = ((now < low * (1 - 1 / 512)) | (now > high * (1 + 1 / 512))).mean()
        assert least <= drift.out_of_range_ratio <= ((now < low) | (now > high)).mean()


@pytest.mark.parametrize("i", CHUNKS)
def test_exactly_what_drifts_is_seen_and_from_chunk_5_on(chunks, i):
    moved = {d.feature or d.output for d in chunks[i].snapshot.drift if d.psi >= 0.1}
    assert moved == (MOVE if i >= 5 else set())


def test_quality_falls_with_the_drift(chunks):
    area = [chunk.classes().roc_auc for chunk in chunks]
    accuracy = [chunk.quality().accuracy for chunk in chunks]
    assert min(area[:5]) > 0.967
    assert max(area[5:]) < 0.964
    assert min(accuracy[:5]) > 0.94
    assert max(accuracy[5:]) < 0.925


@pytest.mark.parametrize("i", CHUNKS)
def test_the_verdicts_are_those_that_the_data_say(chunks, i):
    """Windows of a chunk, 30.3 days; phi from windows of 30 days of the reference's 302."""
    verdicts = chunks[i].verdicts()
    assert {v.state for v in verdicts.values()} == {"judged"}
    assert {v.reference_windows for v in verdicts.values()} == {10}
    drifted = {name for name, verdict in verdicts.items() if verdict.drift}
    assert drifted == (MOVE if i >= 5 else set())
    assert not any(v.beyond_reference for v in verdicts.values())
