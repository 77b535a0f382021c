"""Isotonic calibration of binned outcomes, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from driftgauge.stats.isotonic import held_out_error, isotonic


def drawn(seed, bins=60, most=40):
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, most, bins)
    chance = np.clip(np.linspace(0.02, 0.98, bins) + rng.normal(0, 0.1, bins), 0, 1)
    positives = rng.binomial(totals, chance)
    return positives, totals - positives


@pytest.mark.parametrize("seed", range(8))
def test_it_is_scikit_learns_isotonic_regression(seed):
    positives, negatives = drawn(seed, most=6)
    totals = positives + negatives
    filled = np.flatnonzero(totals)
    oracle = IsotonicRegression(out_of_bounds="clip")
    oracle.fit(filled, positives[filled] / totals[filled], sample_weight=totals[filled])
    found = isotonic(positives, negatives)
    np.testing.assert_allclose(found.chance, oracle.predict(np.arange(60)), atol=1e-12)


def test_by_hand_bins_that_fall_are_pooled():
    found = isotonic([1, 3, 1, 4], [3, 1, 3, 0])
    assert found.chance.tolist() == [0.25, 0.5, 0.5, 1.0]
    assert found.block.tolist() == [0, 1, 1, 2]
    assert found.records.tolist() == [4.0, 8.0, 4.0]


def test_an_empty_bin_lies_between_its_neighbours_and_the_ends_go_on():
    found = isotonic([0, 0, 0, 2, 0], [0, 2, 0, 0, 0])
    assert found.chance.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert found.block.tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("positives", "negatives", "message"),
    [
        ([0, 0], [0, 0], "at least one record"),
        ([1], [1, 2], r"shapes \(1,\) and \(2,\)"),
        ([-1], [2], "finite counts of at least 0"),
        ([[1]], [[2]], "two rows of bins"),
    ],
)
def test_bad_counts_are_refused(positives, negatives, message):
    with pytest.raises(ValueError, match=message):
        isotonic(np.array(positives), np.array(negatives))
    if message != "at least one record":
        with pytest.raises(ValueError, match=message):
            held_out_error(np.array(positives), np.array(negatives), np.random.default_rng(0))


def test_held_out_error_is_small_where_the_chance_rises_with_the_score():
    positives, negatives = drawn(1, bins=100, most=400)
    assert 0 < held_out_error(positives, negatives, np.random.default_rng(0)) < 0.02


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_held_out_error_of_a_flat_score_is_the_noise_of_so_many_records(n):
    rng = np.random.default_rng(7)
    totals = rng.multinomial(n, np.full(200, 1 / 200))
    positives = rng.binomial(totals, 0.5)
    errors = [held_out_error(positives, totals - positives, np.random.default_rng(s)) for s in range(20)]
    assert 0 < np.mean(errors) < 2.5 / np.sqrt(n)


def test_held_out_error_of_a_few_records_is_large():
    """Records of a few a bin are learned by heart: half of them tell nothing of the other half."""
    rng = np.random.default_rng(3)
    positives = rng.integers(0, 2, 300)
    assert held_out_error(positives, 1 - positives, np.random.default_rng(0)) > 0.05


def test_held_out_error_by_hand_in_a_single_bin():
    """One record of each outcome: each half has one of them and is wrong by 1 about the other."""
    errors = {held_out_error([1], [1], np.random.default_rng(seed)) for seed in range(20)}
    assert errors == {1.0}
    assert np.isnan(held_out_error([1], [0], np.random.default_rng(0)))
