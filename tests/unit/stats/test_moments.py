"""Moments from running sums against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.stats import moments

SEED = 20261122


def sums(values, centre):
    deviations = values - centre
    return len(values), deviations.sum(axis=0), (deviations**2).sum(axis=0)


@pytest.mark.parametrize("centre", [0.0, 5.0, -100.0])
@pytest.mark.parametrize("ddof", [0, 1])
def test_mean_and_variance_are_numpys_whatever_the_centre(centre, ddof):
    values = np.random.default_rng(SEED).normal(5, 2, (1000, 7))
    n, total, squares = sums(values, centre)
    assert moments.mean(n, total, centre) == pytest.approx(values.mean(axis=0), rel=1e-12)
    found = moments.variance(n, total, squares, ddof=ddof)
    assert found == pytest.approx(values.var(axis=0, ddof=ddof), rel=1e-10)
    found = moments.standard_deviation(n, total, squares, ddof=ddof)
    assert found == pytest.approx(values.std(axis=0, ddof=ddof), rel=1e-10)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50).filter(lambda v: np.std(v) > 1e-3),
    st.floats(-1e6, 1e6),
)
def test_the_error_of_the_variance_is_what_its_docstring_says(values, centre):
    values = np.array(values)
    found = moments.variance(*sums(values, centre))
    tolerance = 1e-14 * (1 + (values.mean() - centre) ** 2 / values.var())
    assert found == pytest.approx(values.var(), rel=tolerance)


def test_sums_of_parts_give_the_moments_of_the_whole():
    values = np.random.default_rng(SEED).exponential(3, 500)
    first, second = sums(values[:123], 3.0), sums(values[123:], 3.0)
    n, total, squares = (a + b for a, b in zip(first, second, strict=True))
    assert moments.mean(n, total, 3.0) == pytest.approx(values.mean(), rel=1e-13)
    assert moments.variance(n, total, squares) == pytest.approx(values.var(), rel=1e-12)


def test_without_records_nothing_is_defined():
    assert np.isnan(moments.mean(0, 0.0, 3.0))
    assert np.isnan(moments.variance(np.array([0, 1]), np.zeros(2), np.zeros(2), ddof=1)).all()
    assert moments.variance(1, 2.0, 4.0) == 0


def test_rounding_never_makes_a_variance_negative():
    assert moments.variance(3, 0.3, 0.03 - 1e-18) == 0


def test_shifts_by_hand():
    assert moments.mean_shift_sd(10.0, 2.0, 11.0) == 0.5
    assert moments.mean_shift_sd(10.0, 2.0, 9.0) == -0.5
    assert moments.mean_shift_ratio(10.0, 11.0) == pytest.approx(0.1)
    assert moments.mean_shift_ratio(-10.0, -9.0) == pytest.approx(0.1)
    assert moments.in_reference_sds(3.0, 10.0, 2.0) == 1.5
    spreads = moments.reference_spread(
        np.array([10.0, 10.0, -0.1, 0.0]), np.array([2.0, 0.0, 1.4e-17, 1e-300])
    )
    assert spreads == pytest.approx(np.array([2.0, np.nan, np.nan, 1e-300]), nan_ok=True, abs=0)


def test_shifts_without_a_scale_are_nan():
    assert np.isnan(moments.mean_shift_ratio(0.0, 1.0))
    assert np.isnan(moments.in_reference_sds(1.0, 10.0, 0.0))
    assert np.isnan(moments.mean_shift_sd(10.0, 0.0, 11.0))
    # 0.1 thirty times: the standard deviation that rounding leaves is no scale
    assert np.isnan(moments.mean_shift_sd(0.1, 1.4e-17, 0.2))
    assert np.isnan(moments.in_reference_sds(0.1, 0.1, 1.4e-17))
    assert moments.mean_shift_sd(0.0, 1e-300, 0.0) == 0


def test_what_can_not_be_held_is_nan_without_a_warning():
    with np.errstate(all="raise"):
        assert np.isnan(moments.mean_shift_sd(0.0, 1e-300, 1e300))
        assert np.isnan(moments.mean_shift_ratio(-1.7e308, 1.7e308))
        assert np.isnan(moments.variance(2, 1e300, 1e308))
        assert np.isnan(moments.mean(0, 1e308))


def test_features_are_taken_all_at_once():
    found = moments.mean_shift_sd(np.zeros(3), np.array([1.0, 2.0, 0.0]), np.ones((2, 3)))
    assert found.shape == (2, 3)
    assert found[:, :2].tolist() == [[1.0, 0.5], [1.0, 0.5]]


def test_a_negative_number_of_records_is_refused():
    with pytest.raises(ValueError, match=r"n: expected finite counts of at least 0, found -1 at \(\)"):
        moments.mean(-1, 2.0)
    with pytest.raises(ValueError, match=r"n: expected finite counts of at least 0, found -1 at \(1,\)"):
        moments.variance(np.array([1, -1]), 2.0, 3.0)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="n: expected finite counts"):
            moments.mean(bad, 2.0)


def test_a_negative_standard_deviation_is_refused():
    for call in (
        lambda: moments.in_reference_sds(1.0, 2.0, np.array([1.0, -1.0])),
        lambda: moments.mean_shift_sd(1.0, -1.0, 2.0),
    ):
        with pytest.raises(ValueError, match="reference_sd: expected at least 0, found less"):
            call()


def test_a_shift_of_unlike_shapes_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        moments.mean_shift_ratio(np.ones(2), np.ones(3))
