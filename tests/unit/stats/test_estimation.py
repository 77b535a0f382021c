"""Expected confusion, ROC AUC and their errors: by hand, against scikit-learn, and by simulation."""

import numpy as np
import pytest
from sklearn import metrics

from driftgauge.stats.estimation import expected, expected_errors, unsupported_ratio
from driftgauge.stats.isotonic import Isotonic, isotonic

NAMES = ("accuracy", "precision", "recall", "f1", "roc_auc")


def certain(chance):
    """A calibration that stands on so many records that it adds no error."""
    chance = np.array(chance, float)
    return Isotonic(chance, np.arange(chance.size), np.full(chance.size, 1e12))


def test_by_hand():
    found = expected(np.array([[10, 0], [0, 20]]), certain([0.1, 0.8]))
    np.testing.assert_allclose(found.confusion, [[9, 4], [1, 16]], rtol=1e-12)
    assert found.accuracy.value == pytest.approx(25 / 30)
    assert found.precision.value == pytest.approx(0.8)
    assert found.recall.value == pytest.approx(16 / 17)
    assert found.f1.value == pytest.approx(32 / 37)
    # 17 positives, 13 negatives: 16 x 9 in order, ties 1 x 9 and 16 x 4 count half
    assert found.roc_auc.value == pytest.approx((16 * 9 + 4.5 + 32) / (17 * 13))
    assert found.accuracy.error == pytest.approx(np.sqrt(10 * 0.09 + 20 * 0.16) / 30)
    assert found.precision.error == pytest.approx(np.sqrt(20 * 0.16) / 20)


def test_it_is_scikit_learns_with_each_chance_as_a_weight():
    rng = np.random.default_rng(2)
    counts, chance = rng.integers(0, 30, (2, 40)), np.sort(rng.random(40))
    found = expected(counts, certain(chance))
    predicted, bins = np.nonzero(counts)
    n = counts[predicted, bins]
    outcome = np.repeat([1, 0], n.size)
    weight = np.concatenate([n * chance[bins], n * (1 - chance[bins])])
    answers = (outcome, np.tile(predicted, 2))
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(*answers, sample_weight=weight))
    assert found.precision.value == pytest.approx(metrics.precision_score(*answers, sample_weight=weight))
    assert found.recall.value == pytest.approx(metrics.recall_score(*answers, sample_weight=weight))
    assert found.f1.value == pytest.approx(metrics.f1_score(*answers, sample_weight=weight))
    auc = metrics.roc_auc_score(outcome, np.tile(bins, 2), sample_weight=weight)
    assert found.roc_auc.value == pytest.approx(auc)
    np.testing.assert_allclose(
        found.confusion, metrics.confusion_matrix(*answers, sample_weight=weight), rtol=1e-12
    )


def test_groups_are_estimated_each_by_itself():
    rng = np.random.default_rng(5)
    counts, calibration = rng.integers(0, 9, (4, 2, 12)), isotonic(rng.integers(0, 9, 12), np.full(12, 9))
    together = expected(counts, calibration)
    for i, group in enumerate(counts):
        alone = expected(group, calibration)
        for name in NAMES:
            one, all_of_them = getattr(alone, name), getattr(together, name)
            assert one.value == pytest.approx(all_of_them.value[i], rel=1e-12)
            assert one.error == pytest.approx(all_of_them.error[i], rel=1e-12)


@pytest.mark.parametrize("records", [1_500, 1e12], ids=["calibrated on 1,500", "calibration known"])
def test_the_error_is_that_of_realised_values_about_the_estimate(records):
    """200 simulated windows of 1,000: the gaps' spread is the stated error within 18%."""
    rng = np.random.default_rng(11)
    edges = np.linspace(0, 1, 21)
    middle = (edges[:-1] + edges[1:]) / 2
    truth = 0.05 + 0.9 * middle
    bins = np.minimum((rng.beta(0.8, 1.2, 1_000) * 20).astype(int), 19)
    predicted = (bins >= 10).astype(int)
    counts = np.zeros((2, 20))
    np.add.at(counts, (predicted, bins), 1)
    gaps, errors = {name: [] for name in NAMES}, {name: [] for name in NAMES}
    for _ in range(200):
        calibration = certain(truth)
        if records < 1e9:
            totals = rng.multinomial(int(records), np.full(20, 0.05))
            positives = rng.binomial(totals, truth)
            calibration = isotonic(positives, totals - positives)
        found = expected(counts, calibration)
        outcome = rng.random(1_000) < truth[bins]
        realised = {
            "accuracy": metrics.accuracy_score(outcome, predicted),
            "precision": metrics.precision_score(outcome, predicted),
            "recall": metrics.recall_score(outcome, predicted),
            "f1": metrics.f1_score(outcome, predicted),
            "roc_auc": metrics.roc_auc_score(outcome, bins),
        }
        for name in NAMES:
            gaps[name].append(float(getattr(found, name).value) - realised[name])
            errors[name].append(float(getattr(found, name).error))
    for name in NAMES:
        assert np.std(gaps[name]) == pytest.approx(np.mean(errors[name]), rel=0.18), name


def test_what_is_undefined_is_nan_and_nothing_warns():
    nothing = expected(np.zeros((2, 3)), certain([0.1, 0.5, 0.9]))
    for name in NAMES:
        assert np.isnan(getattr(nothing, name).value)
        assert np.isnan(getattr(nothing, name).error)
    never = expected(np.array([[5, 5, 5], [0, 0, 0]]), certain([0.1, 0.5, 0.9]))
    assert np.isnan(never.precision.value)
    assert never.recall.value == 0
    impossible = expected(np.array([[5, 5, 5], [1, 0, 0]]), certain([0, 0, 0]))
    assert np.isnan(impossible.recall.value)
    assert np.isnan(impossible.roc_auc.value)


@pytest.mark.parametrize("counts", [np.zeros((3, 2)), np.zeros((2, 4)), np.array([[1, -1], [0, 0]])])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts"):
        expected(counts, certain([0.1, 0.2]))


def test_unsupported_is_the_share_in_bins_of_few_records():
    assert unsupported_ratio([30, 60, 10], [20, 100, 19], 20) == pytest.approx(0.1)
    assert np.isnan(unsupported_ratio([0, 0], [5, 50], 20))
    with pytest.raises(ValueError, match="records"):
        unsupported_ratio([1], [1, 2], 20)


def test_expected_errors_by_hand():
    mae, rmse = expected_errors(4, 8.0, 36.0, 16.0, 424.0)
    assert (mae.value, mae.error) == (2.0, 1.0)
    assert (rmse.value, rmse.error) == (3.0, pytest.approx(10 / 24))
    assert all(
        np.isnan(v) for each in expected_errors(0, 0.0, 0.0, 0.0, 0.0) for v in (each.value, each.error)
    )


def test_expected_errors_spread_as_realised_ones_do():
    rng = np.random.default_rng(4)
    scale = rng.uniform(0.9, 1.1, 500)
    absolute, square = scale * np.sqrt(2 / np.pi), scale**2
    variance, fourth = square - absolute**2, 3 * square**2
    mae, rmse = expected_errors(500, absolute.sum(), square.sum(), variance.sum(), fourth.sum())
    came = rng.normal(size=(2_000, 500)) * scale
    realised = np.abs(came).mean(axis=1), np.sqrt((came**2).mean(axis=1))
    for found, each in zip((mae, rmse), realised, strict=True):
        assert found.value == pytest.approx(each.mean(), rel=0.01)
        assert found.error == pytest.approx(each.std(), rel=0.06)


@pytest.mark.parametrize("place", range(5))
def test_bad_sums_are_refused(place):
    sums = [1.0] * 5
    sums[place] = -1.0
    with pytest.raises(ValueError, match="finite counts of at least 0"):
        expected_errors(*sums)
