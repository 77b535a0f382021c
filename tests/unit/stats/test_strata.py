"""Post-stratification by hand, and where labels are missing by score."""

import numpy as np
import pytest

from driftgauge.stats.strata import post_stratified, post_stratified_mean, runs_of_equal_mass


def test_each_stratum_weighs_what_it_does_among_all():
    labelled = np.array([[8, 2], [1, 1], [0, 0]])
    weighted, supported = post_stratified(labelled, np.array([20, 60, 20]))
    assert weighted.tolist() == [[16, 4], [30, 30], [0, 0]]
    assert supported == pytest.approx(0.8)


def test_where_all_are_labelled_nothing_changes():
    labelled = np.arange(12).reshape(3, 2, 2)
    weighted, supported = post_stratified(labelled, labelled.sum(axis=(1, 2)))
    np.testing.assert_array_equal(weighted, labelled)
    assert supported == 1


def test_without_predictions_there_is_no_support():
    weighted, supported = post_stratified(np.ones((2, 1)), np.zeros(2))
    assert np.isnan(supported)
    assert not weighted.any()


def test_labels_missing_by_score_mislead_the_plain_accuracy_and_not_the_reweighted_one():
    rng = np.random.default_rng(11)
    plain, reweighted = [], []
    for _ in range(40):
        score = rng.random(5_000)
        right = rng.random(5_000) < 0.5 + np.abs(score - 0.5)
        known = rng.random(5_000) < np.where(score < 0.3, 0.8, 0.05)
        tenth = (score * 10).astype(int)
        labelled = np.zeros((10, 2))
        np.add.at(labelled, (tenth[known], right[known].astype(int)), 1)
        weighted, _ = post_stratified(labelled, np.bincount(tenth, minlength=10))
        plain.append(right[known].mean() - right.mean())
        reweighted.append(weighted[:, 1].sum() / weighted.sum() - right.mean())
    assert np.mean(plain) > 0.05
    assert abs(np.mean(reweighted)) < 0.005


def test_means_by_hand():
    sums = np.array([[8.0, -4.0], [3.0, 6.0], [0.0, 0.0]])
    means, supported = post_stratified_mean(np.array([4, 2, 0]), sums, np.array([20, 60, 20]))
    # Means of 2 and 1.5, and of -1 and 3, a quarter and three.
    assert means.tolist() == [1.625, 2.0]
    assert supported == pytest.approx(0.8)


def test_means_are_numpys_of_records_weighed_by_their_stratum():
    rng = np.random.default_rng(5)
    place, values = rng.integers(0, 6, 500), rng.normal(3, 2, 500)
    samples, everything = np.bincount(place, minlength=6), rng.integers(100, 900, 6)
    sums = np.bincount(place, weights=values, minlength=6)
    weights = (everything / samples)[place]
    means, supported = post_stratified_mean(samples, sums, everything)
    assert means == pytest.approx(np.average(values, weights=weights), rel=1e-12)
    assert supported == 1


def test_values_missing_by_stratum_mislead_the_plain_mean_and_not_the_reweighted_one():
    rng = np.random.default_rng(6)
    place = rng.integers(0, 10, 40_000)
    values = rng.normal(place, 1.0)
    known = rng.random(40_000) < (place + 1) / 11
    samples = np.bincount(place[known], minlength=10)
    sums = np.bincount(place[known], weights=values[known], minlength=10)
    means, _ = post_stratified_mean(samples, sums, np.bincount(place, minlength=10))
    assert abs(values[known].mean() - values.mean()) > 1
    assert abs(means - values.mean()) < 0.05


def test_without_labels_there_is_no_mean():
    means, supported = post_stratified_mean(np.zeros(2), np.zeros(2), np.ones(2))
    assert np.isnan(means)
    assert supported == 0
    assert np.isnan(post_stratified_mean(np.zeros(2), np.zeros(2), np.zeros(2))[1])


def test_what_does_not_fit_is_refused():
    for samples, sums, everything in ((2, 2, 3), (2, 3, 2), (3, 2, 2)):
        with pytest.raises(ValueError, match="expected one number for each stratum"):
            post_stratified_mean(np.ones(samples), np.ones(sums), np.ones(everything))
    with pytest.raises(ValueError, match="sums: expected finite numbers"):
        post_stratified_mean(np.ones(2), np.array([1.0, np.nan]), np.ones(2))
    with pytest.raises(ValueError, match="samples: expected finite counts"):
        post_stratified_mean(np.array([-1.0, 2]), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="everything: expected one number for each stratum"):
        post_stratified(np.ones((3, 2)), np.ones(2))
    with pytest.raises(ValueError, match="labelled: expected finite counts"):
        post_stratified(np.array([-1.0, 2]), np.ones(2))
    with pytest.raises(ValueError, match="runs: expected at least 1"):
        runs_of_equal_mass(np.ones(3), 0)
    with pytest.raises(ValueError, match="masses: expected shape"):
        runs_of_equal_mass(np.ones((3, 2)), 2)


def test_runs_have_equal_mass_and_heavy_bins_leave_some_out():
    assert runs_of_equal_mass(np.ones(8), 4).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert runs_of_equal_mass(np.array([90, 5, 5, 0]), 10).tolist() == [4, 9, 9, 9]
    assert runs_of_equal_mass(np.zeros(3), 5).tolist() == [0, 0, 0]
