"""Cuts of a row of masses against numpy's quantiles and by hand."""

import numpy as np
import pytest

from driftgauge.stats.partition import cuts_between


def places(masses, atoms, bins):
    masses = np.array(masses, dtype=float)
    cuts, apart = cuts_between(masses, np.isin(np.arange(masses.size), atoms), bins)
    assert cuts.shape == (masses.size - 1,)
    return np.flatnonzero(cuts).tolist(), apart


@pytest.mark.parametrize("bins", [2, 7, 64])
def test_without_atoms_cuts_are_the_weighted_inverted_cdf_quantiles(bins):
    masses = np.random.default_rng(20261126).integers(1, 9, 2_000)
    levels = np.arange(1, bins) / bins
    wanted = np.quantile(np.arange(2_000), levels, method="inverted_cdf", weights=masses)
    assert places(masses, [], bins) == (wanted.tolist(), True)


def test_an_atom_is_cut_off_on_both_sides_and_what_is_left_goes_to_the_heaviest_run():
    assert places([1, 1, 6, 1, 1], [2], 4) == ([0, 1, 2], False)
    assert places([1, 1, 6, 2, 2], [2], 4) == ([1, 2, 3], False)


def test_adjoining_atoms_are_parted_by_a_gap_where_there_is_room():
    assert places([1, 1], [0, 1], 3) == ([0], True)
    assert places([1, 1], [0, 1], 2) == ([0], False)


def test_too_many_atoms_join_the_lightest_neighbours():
    assert places([1, 2, 40, 5, 3], range(5), 3) == ([1, 2], False)


def test_one_value_or_one_bin_needs_no_cut():
    assert places([3], [0], 5) == ([], True)
    assert places([3, 4, 5], [], 1) == ([], True)


@pytest.mark.parametrize(
    ("masses", "atoms", "bins", "message"),
    [
        (np.ones(3), np.zeros(2, bool), 4, r"expected two of shape \(n,\), found \(3,\) and \(2,\)"),
        (np.ones(0), np.zeros(0, bool), 4, r"found \(0,\)"),
        (np.array([1.0, 0.0]), np.zeros(2, bool), 4, "finite masses above 0"),
        (np.array([1.0, np.nan]), np.zeros(2, bool), 4, "finite masses above 0"),
        (np.array([1.0, np.inf]), np.zeros(2, bool), 4, "finite masses above 0"),
        (np.ones(2), np.zeros(2, bool), 0, "at least 1 bin, found 0 bins"),
    ],
)
def test_what_does_not_fit_is_refused(masses, atoms, bins, message):
    with pytest.raises(ValueError, match=message):
        cuts_between(masses, atoms, bins)
