"""Twenty-eight four-week chunks of the electricity market, against scikit-learn 1.9.1 and scipy 1.14.1.

Binary on real records; three features are constant until they begin to move in chunk 6.
"""

import pytest
from tests.golden import feeding
from tests.golden.binning import golden_counts, show_psi

from driftgauge.config import DAY, Task
from driftgauge.snapshot import Cohort
from driftgauge.stats import divergence

pytestmark = [pytest.mark.golden, pytest.mark.needs_elec2]

FEATURES = ("nswprice", "nswdemand", "vicprice", "vicdemand", "transfer")
NUMBERS = (*FEATURES, "score")
CONSTANT = ("vicprice", "vicdemand", "transfer")
COLUMNS = feeding.Columns(
    numeric=FEATURES,
    categorical=(),
    task=Task.BINARY,
    prediction="prediction",
    outcome="class",
    score="score",
)
ROWS, WIDTH = 1_344, 1_344 * 1_800.0
CHUNKS = range(28)


@pytest.fixture(scope="module")
def rows(elec2):
    return feeding.table(elec2 / "records.csv.gz")


@pytest.fixture(scope="module")
def reference(rows):
    return feeding.records([row for row in rows if row["chunk"] == "reference"], COLUMNS)


@pytest.fixture(scope="module")
def chunks(rows, reference, tmp_path_factory):
    analysis = feeding.records([row for row in rows if row["chunk"].isdigit()], COLUMNS)
    begin = analysis.times[0]
    cut = [(begin + i * WIDTH, WIDTH, analysis.at(slice(i * ROWS, (i + 1) * ROWS))) for i in CHUNKS]
    return feeding.fed(reference, cut, tmp_path_factory.mktemp("elec2") / "reference.json")


@pytest.fixture(scope="module")
def published(elec2):
    return {
        **feeding.golden(elec2 / "golden_drift.csv"),
        **feeding.golden(elec2 / "golden_performance.csv"),
    }


@pytest.fixture(scope="module")
def edges(elec2):
    return feeding.inner_edges(elec2 / "bins.json")


@pytest.mark.parametrize("i", CHUNKS)
@pytest.mark.parametrize("cohort", [Cohort.ARRIVED, Cohort.MATURED])
def test_metrics_of_stored_sums_are_the_golden_ones(chunks, published, i, cohort):
    quality, classes = chunks[i].quality(cohort), chunks[i].classes(cohort)
    found = {
        "rows": quality.samples,
        "accuracy": quality.accuracy,
        "precision": classes.precision,
        "recall": classes.recall,
        "f1": classes.f1,
        "log_loss": quality.log_loss,
        "brier": quality.brier,
        "ece_10_equal_width": quality.ece,
    }
    assert found == pytest.approx({name: published[i, name, ""] for name in found}, rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_confusion_is_the_golden_one(chunks, published, i):
    (tn, fp), (fn, tp) = chunks[i].count("confusion")[0].tolist()
    found = {"tn": tn, "fp": fp, "fn": fn, "tp": tp}
    assert found == {name: published[i, name, ""] for name in found}
    (more,) = [p for p in chunks[i].snapshot.performance if p.cohort == Cohort.ARRIVED]
    assert more.mcc == pytest.approx(published[i, "mcc", ""], abs=1e-9)
    assert more.balanced_accuracy == pytest.approx(published[i, "balanced_accuracy", ""], rel=1e-9)


@pytest.mark.parametrize("i", CHUNKS)
def test_roc_auc_is_within_its_half_width_and_a_thousandth(chunks, published, i):
    classes, exact = chunks[i].classes(), published[i, "roc_auc", ""]
    assert abs(classes.roc_auc - exact) <= classes.roc_auc_half_width + 1e-12
    assert classes.roc_auc == pytest.approx(exact, abs=0.001)


@pytest.mark.parametrize("i", CHUNKS)
def test_average_precision_is_within_its_half_width_and_a_hundredth(chunks, published, i):
    (found,) = [c for c in chunks[i].snapshot.class_performance if c.cohort == Cohort.ARRIVED]
    exact = published[i, "average_precision", ""]
    assert abs(found.average_precision - exact) <= found.average_precision_half_width + 1e-12
    assert found.average_precision == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("i", CHUNKS)
def test_ks_is_within_its_bound_and_one_64th(chunks, published, i):
    for name in NUMBERS:
        drift, exact = chunks[i].drift(name), published[i, name, "ks_statistic"]
        assert drift.ks <= exact + 1e-12
        assert exact <= drift.ks + drift.ks_bound + 1e-12
        assert exact - drift.ks <= 1 / 64


@pytest.mark.parametrize("i", CHUNKS)
def test_psi_by_the_golden_edges_is_the_golden_psi(chunks, reference, published, edges, i):
    for name in NUMBERS:
        before = golden_counts(edges[name], reference.values[name])
        now = golden_counts(edges[name], chunks[i].records.values[name])
        assert divergence.psi(before, now) == pytest.approx(
            published[i, name, "psi_reference_deciles"], abs=1e-9
        )


def test_psi_by_default_bins_differs_from_the_golden_one_by_this_much(chunks, published):
    for name in ("nswprice", "nswdemand", "score"):
        pairs = [(c.drift(name).psi, published[c.number, name, "psi_reference_deciles"]) for c in chunks]
        show_psi("elec2", name, pairs)
        for default, golden in pairs:
            assert (default >= 0.1) == (golden >= 0.1) or 0.05 < golden < 0.2


@pytest.mark.parametrize("i", CHUNKS)
def test_the_predicted_class_is_compared_as_golden(chunks, published, i):
    drift = chunks[i].drift("prediction")
    assert drift.psi == pytest.approx(published[i, "prediction", "psi_categories"], abs=1e-9)
    distance = published[i, "prediction", "js_distance_base2_categories"]
    assert drift.js_distance == pytest.approx(distance, abs=1e-9)


@pytest.mark.parametrize("i", range(6))
def test_a_constant_feature_has_not_moved_and_has_no_shift_in_standard_deviations(chunks, i):
    for name in CONSTANT:
        drift = chunks[i].drift(name)
        assert (drift.psi, drift.ks, drift.js_distance) == (0.0, 0.0, 0.0)
        assert drift.mean_shift_sd is None
        assert drift.wasserstein is None
        assert drift.mean_shift_ratio == pytest.approx(0.0, abs=1e-12)
        assert drift.out_of_range_ratio == 0.0


@pytest.mark.parametrize("i", range(7, 28))
def test_a_constant_feature_that_begins_to_move_is_seen(chunks, i):
    for name in CONSTANT:
        assert chunks[i].drift(name).psi > 5
        assert chunks[i].drift(name).ks > 0.3


def test_the_model_is_worst_in_chunk_11_and_back_in_21(chunks):
    area = [chunk.classes().roc_auc for chunk in chunks]
    assert area[0] > 0.91
    assert min(area) == area[11] < 0.73
    assert area[21] > 0.9
    assert chunks[17].quality().ece == pytest.approx(0.41, abs=0.01)


def test_the_reference_replayed_as_current_gives_no_verdict(reference, tmp_path):
    """Ninety days of 48 records, by phi 12 to 20 in windows of 7 days."""
    found = feeding.verdicts_of_a_replay(reference, tmp_path / "reference.json", (7 * DAY, 28 * DAY))
    assert sum(row.state == "judged" for row in found) > 2_000
    assert {row.drift for row in found} <= {0.0, None}
    assert {row.beyond_reference for row in found} <= {0.0, None}
