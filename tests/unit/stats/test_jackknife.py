"""The delete-one-group jackknife against the standard error of a mean and the paper's own steps."""

import numpy as np
import pytest
from scipy import stats

from driftgauge.stats import jackknife

RNG = np.random.default_rng(20)
VALUES = RNG.lognormal(size=60)


def ratio(values):
    """A statistic that is no mean."""
    return values.std() / values.mean()


def without(values, cuts, statistic):
    pieces = np.split(values, cuts)
    left = [np.concatenate([p for j, p in enumerate(pieces) if j != i]) for i in range(len(pieces))]
    return np.array([statistic(v) for v in left]), np.array([len(p) for p in pieces])


def test_of_a_mean_it_is_the_standard_error_of_the_mean():
    left, sizes = without(VALUES, range(1, 60), np.mean)
    assert jackknife.standard_error(VALUES.mean(), left, sizes) == pytest.approx(stats.sem(VALUES), rel=1e-12)


@pytest.mark.parametrize("groups", [2, 5, 12, 60])
def test_equal_groups_give_the_textbooks_formula(groups):
    left, sizes = without(VALUES, range(60 // groups, 60, 60 // groups), ratio)
    wanted = np.sqrt((groups - 1) / groups * ((left - left.mean()) ** 2).sum())
    assert jackknife.standard_error(ratio(VALUES), left, sizes) == pytest.approx(wanted, rel=1e-12)


def test_unequal_groups_give_what_the_paper_says():
    left, sizes = without(VALUES, [3, 20, 26, 59], ratio)
    value, n, g = ratio(VALUES), 60, 5
    h = n / sizes
    estimate = g * value - ((1 - sizes / n) * left).sum()
    pseudo = h * value - (h - 1) * left
    wanted = np.sqrt((1 / g) * ((pseudo - estimate) ** 2 / (h - 1)).sum())
    assert jackknife.standard_error(value, left, sizes) == pytest.approx(wanted, rel=1e-12)


def test_a_group_without_records_takes_no_part():
    left, sizes = without(VALUES, [10, 30], ratio)
    more = np.insert(left, 1, np.nan), np.insert(sizes, 1, 0)
    assert jackknife.standard_error(ratio(VALUES), *more) == jackknife.standard_error(
        ratio(VALUES), left, sizes
    )


def test_statistics_stand_beside_each_other_with_sizes_of_their_own():
    left, sizes = without(VALUES, [10, 30], ratio)
    means, _ = without(VALUES, [10, 30], np.mean)
    both = jackknife.standard_error(
        np.array([ratio(VALUES), VALUES.mean()]), np.stack([left, means], axis=1), sizes
    )
    assert both.tolist() == [
        jackknife.standard_error(ratio(VALUES), left, sizes),
        jackknife.standard_error(VALUES.mean(), means, sizes),
    ]


@pytest.mark.parametrize("sizes", [[60], [60, 0], [0, 0]])
def test_fewer_than_two_groups_give_nothing(sizes):
    left = np.full(len(sizes), 1.0)
    assert np.isnan(jackknife.standard_error(1.0, left, np.array(sizes)))


def test_a_statistic_that_one_group_alone_makes_possible_has_no_error():
    assert np.isnan(jackknife.standard_error(0.5, np.array([0.5, np.nan, 0.4]), np.array([1, 1, 1])))


def test_left_out_sums_are_those_of_the_others():
    groups = RNG.integers(0, 9, (6, 2, 3))
    wanted = [np.delete(groups, i, axis=0).sum(axis=0) for i in range(6)]
    np.testing.assert_array_equal(jackknife.left_out(groups), wanted)


def test_effective_groups_count_equal_ones_and_hardly_small_ones():
    assert jackknife.effective_groups(np.full(7, 3)) == pytest.approx(7)
    assert jackknife.effective_groups(np.array([90, 10])) == pytest.approx(100**2 / (90**2 + 10**2))
    assert jackknife.effective_groups(np.zeros((3, 2))).tolist() == [0, 0]


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_the_reach_is_scipys_t(confidence):
    for groups in (5, 5.5, 12, 25):
        wanted = 2.0 * stats.t.ppf((1 + confidence) / 2, groups - 1)
        assert jackknife.t_reach(2.0, groups, confidence) == pytest.approx(wanted, rel=1e-9)


def test_there_is_no_reach_below_5_groups():
    assert np.isnan(jackknife.t_reach(np.array([1.0, 1.0, 1.0]), np.array([0, 1, 4.9]))).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected shape"):
        jackknife.standard_error(1.0, np.zeros((3, 2)), np.ones(3))
    with pytest.raises(ValueError, match="expected shape"):
        jackknife.standard_error(1.0, np.zeros(3), np.ones(2))
    with pytest.raises(ValueError, match="sizes: expected finite counts"):
        jackknife.standard_error(1.0, np.zeros(2), np.array([-1, 2]))
    with pytest.raises(ValueError, match="an axis of groups"):
        jackknife.left_out(3.0)
    with pytest.raises(ValueError, match="an axis of groups"):
        jackknife.effective_groups(3.0)
    for confidence in (0, 1, np.nan):
        with pytest.raises(ValueError, match="confidence: expected"):
            jackknife.t_reach(1.0, 9, confidence)
    with pytest.raises(ValueError, match="standard_errors: expected at least 0"):
        jackknife.t_reach(-1.0, 9)
    for groups in (-1, np.nan):
        with pytest.raises(ValueError, match="groups: expected finite counts"):
            jackknife.t_reach(1.0, groups)


def test_what_neighbouring_groups_share_makes_the_error_larger():
    blocks = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 4)  # each group's 3 followers are like it
    left = (blocks.sum() - blocks) / 23
    plain = jackknife.standard_error(blocks.mean(), left, np.ones(24))
    d = blocks - blocks.mean()
    r = [(d[k:] * d[:-k]).sum() / (d**2).sum() for k in (1, 2)]
    wanted = plain * np.sqrt(1 + 2 * sum(r))
    assert min(r) > 0
    assert jackknife.serial_error(blocks.mean(), left, np.ones(24)) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("values", [np.tile([0.0, 1.0], 12), np.ones(24)])
def test_neighbours_that_are_unlike_or_all_alike_leave_it(values):
    left = (values.sum() - values) / 23
    plain = jackknife.standard_error(values.mean(), left, np.ones(24))
    assert jackknife.serial_error(values.mean(), left, np.ones(24)) == pytest.approx(plain, abs=1e-12)


def test_a_gap_in_the_positive_correlations_ends_them():
    values = np.tile([0.0, 0.0, 1.0, 1.0, -1.0, -1.0], 4) * np.tile([1, -1], 12)
    left = (values.sum() - values) / 23
    d = values - values.mean()
    assert (d[1:] * d[:-1]).sum() < 0
    plain = jackknife.standard_error(values.mean(), left, np.ones(24))
    assert jackknife.serial_error(values.mean(), left, np.ones(24)) == pytest.approx(plain, rel=1e-12)
