"""Sums of value, their interval, and every threshold at once."""

import statistics

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix

from driftgauge.stats.isotonic import Isotonic, isotonic
from driftgauge.stats.value import (
    by_threshold,
    expected_error_total,
    expected_total,
    simultaneous_z,
    total_interval,
)

WORTH = np.array([[0.0, -5.0], [-120.0, 40.0]])


def test_the_interval_is_the_sample_variance_of_the_mean_times_the_records():
    values = [40.0, 40.0, -5.0, -120.0, 0.0, 40.0, -5.0]
    reach = 1.96 * (len(values) * statistics.variance(values)) ** 0.5
    low, high = total_interval(sum(values), sum(v * v for v in values), len(values))
    assert low == pytest.approx(sum(values) - reach, rel=1e-9)
    assert high == pytest.approx(sum(values) + reach, rel=1e-9)


def test_the_interval_of_equal_values_has_no_width_and_that_of_one_record_is_unknown():
    low, high = total_interval(
        np.array([30.0, 10.0, 0.0]), np.array([300.0, 100.0, 0.0]), np.array([3, 1, 0])
    )
    assert (low[0], high[0]) == (30.0, 30.0)
    assert np.isnan(low[1:]).all()
    assert np.isnan(high[1:]).all()


def test_the_interval_covers_what_another_window_is_worth_on_the_average():
    rng = np.random.default_rng(3)
    mean, n = 0.2 * 40 - 0.8 * 5, 400
    values = np.where(rng.random((2_000, n)) < 0.2, 40.0, -5.0)
    low, high = total_interval(values.sum(axis=1), (values**2).sum(axis=1), np.full(2_000, n))
    covered = ((low <= mean * n) & (high >= mean * n)).mean()
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize(
    ("total", "squares", "n", "z", "words"),
    [
        (np.nan, 1.0, 3, 1.96, "total: expected finite numbers"),
        (1.0, -1.0, 3, 1.96, "squares: expected finite counts of at least 0"),
        (1.0, 1.0, -3, 1.96, "n: expected finite counts of at least 0"),
        (1.0, 1.0, 3, 0.0, "z: expected a finite number above 0"),
    ],
)
def test_an_interval_of_nonsense_is_refused(total, squares, n, z, words):
    with pytest.raises(ValueError, match=words):
        total_interval(total, squares, n, z=z)


def test_every_threshold_is_what_a_weighted_confusion_matrix_gives_there():
    rng = np.random.default_rng(1)
    score = np.round(rng.random(500), 2)
    outcome = (rng.random(500) < score).astype(int)
    weight = rng.lognormal(0, 1, 500)
    worth = np.array([[3.0, -5.0], [-120.0, 40.0]])
    edges = np.arange(1, 100) / 100
    bins = edges.searchsorted(score, side="right")
    amounts = np.zeros((2, 100))
    np.add.at(amounts, (outcome, bins), weight)
    found = by_threshold(worth[:, 0] @ amounts, worth[:, 1] @ amounts)
    assert found.shape == (99,)
    for threshold, value in zip(edges, found, strict=True):
        cells = confusion_matrix(outcome, score >= threshold, labels=[0, 1], sample_weight=weight)
        assert value == pytest.approx((cells * worth).sum(), rel=1e-9)


def test_thresholds_of_one_bin_or_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="at least 2 bins"):
        by_threshold(np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="expected equal shapes"):
        by_threshold(np.zeros(3), np.zeros(4))


@pytest.mark.parametrize("comparisons", [1, 3, 99])
def test_intervals_that_hold_at_once_are_those_of_bonferroni(comparisons):
    assert simultaneous_z(comparisons) == pytest.approx(stats.norm.ppf(1 - 0.025 / comparisons), abs=1e-12)


def test_a_confidence_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected at least 1 comparison"):
        simultaneous_z(0)
    with pytest.raises(ValueError, match="confidence in"):
        simultaneous_z(3, 1.0)


def test_what_decisions_are_worth_before_their_outcomes_by_hand():
    calibration = Isotonic(np.array([0.1, 0.8]), np.array([0, 1]), np.array([1e12, 1e12]))
    amounts = np.array([[10.0, 0.0], [2.0, 30.0]])
    found = expected_total(amounts, amounts, WORTH, calibration)
    by_hand = 10 * 0.1 * -120 + 2 * (0.1 * 40 + 0.9 * -5) + 30 * (0.8 * 40 + 0.2 * -5)
    assert found.value == pytest.approx(by_hand, rel=1e-12)
    variance = 10 * 0.09 * 120**2 + 2 * 0.09 * 45**2 + 30 * 0.16 * 45**2
    assert found.error == pytest.approx(variance**0.5, rel=1e-6)
    twice = expected_total(2 * amounts, 4 * amounts, WORTH, calibration)
    assert twice.value == pytest.approx(2 * by_hand, rel=1e-12)
    assert twice.error == pytest.approx(2 * variance**0.5, rel=1e-6)


def test_the_realised_total_lies_about_the_expected_one_as_its_error_says():
    """Both drawn anew each time: the outcomes that calibrate, and those that are to come."""
    rng = np.random.default_rng(4)
    chance = np.array([0.05, 0.2, 0.5, 0.9])
    amounts = np.array([[40.0, 30.0, 0.0, 0.0], [0.0, 0.0, 20.0, 60.0]])
    apart, errors = [], []
    for _ in range(2_000):
        calibrated = np.array([300, 200, 100, 200])
        ones = rng.binomial(calibrated, chance)
        found = expected_total(amounts, amounts, WORTH, isotonic(ones, calibrated - ones))
        hits = rng.binomial(amounts.astype(int), chance)
        realised = (hits * WORTH[1][:, None] + (amounts - hits) * WORTH[0][:, None]).sum()
        apart.append(realised - found.value)
        errors.append(found.error)
    assert abs(np.mean(apart)) < 4 * np.std(apart) / 2_000**0.5
    assert np.std(apart) == pytest.approx(np.mean(errors), rel=0.05)


@pytest.mark.parametrize(
    ("amounts", "squares", "worth", "words"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3)), WORTH, "expected shapes"),
        (np.zeros((2, 2)), np.zeros((3, 2, 2)), WORTH, "expected shapes"),
        (np.full((2, 2), np.nan), np.zeros((2, 2)), WORTH, "expected finite numbers"),
        (np.zeros((2, 2)), np.full((2, 2), -1.0), WORTH, "squares: expected finite counts"),
    ],
)
def test_an_expectation_of_nonsense_is_refused(amounts, squares, worth, words):
    calibration = Isotonic(np.array([0.1, 0.8]), np.array([0, 1]), np.array([10.0, 10.0]))
    with pytest.raises(ValueError, match=words):
        expected_total(amounts, squares, worth, calibration)


# --- a regression's, from expected errors ---------------------------------------------------------


def test_expected_errors_are_worth_their_split_by_hand():
    # Three records with |e| of 2 each for sure, a quarter of it too much at -8, the rest at -4.
    made = expected_error_total(np.array([6.0]), np.array([12.0]), np.array([0.0]), 0.25, (-8.0, -4.0))
    assert made.value.tolist() == [6 * -5.0]
    assert made.error == pytest.approx(np.sqrt((0.25 * 64 + 0.75 * 16) * 12 - 25 * 12))
    even = expected_error_total(np.array([6.0]), np.array([12.0]), np.array([0.0]), 0.3, (-4.0, -4.0))
    assert even.error == pytest.approx(0.0, abs=1e-9)
    none = expected_error_total(np.zeros(1), np.zeros(1), np.zeros(1), 0.5, (1.0, 2.0))
    assert (none.value.tolist(), none.error.tolist()) == ([0.0], [0.0])


def test_the_error_of_an_expected_total_is_the_spread_of_samples():
    rng = np.random.default_rng(4)
    scale = rng.uniform(1, 5, 300)
    expected, square = scale * np.sqrt(2 / np.pi), scale**2
    size = np.abs(rng.normal(size=(20_000, 300))) * scale
    over = rng.random((20_000, 300)) < 0.3
    totals = np.where(over, -2.0 * size, -0.5 * size).sum(axis=1)
    made = expected_error_total(expected.sum(), square.sum(), (square - expected**2).sum(), 0.3, (-2.0, -0.5))
    assert made.value == pytest.approx(totals.mean(), rel=0.01)
    assert made.error == pytest.approx(totals.std(), rel=0.03)


def test_bad_expected_errors_are_refused():
    with pytest.raises(ValueError, match="over, worth: expected a share"):
        expected_error_total(np.ones(1), np.ones(1), np.ones(1), 1.2, (1.0, 1.0))
    with pytest.raises(ValueError, match="over, worth: expected a share"):
        expected_error_total(np.ones(1), np.ones(1), np.ones(1), 0.2, (1.0, np.inf))
    with pytest.raises(ValueError, match="absolute: expected finite counts"):
        expected_error_total(-np.ones(1), np.ones(1), np.ones(1), 0.2, (1.0, 1.0))
