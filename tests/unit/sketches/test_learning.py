"""Bins that no data decide: where a number falls, and what its bin's bounds are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.sketches.learning import CategoryTally, Learning, NumericTally, bin_bounds, bin_codes

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=50), st.integers(0, 20))
def test_the_bounds_of_a_bin_contain_its_values(values, level):
    values = np.array(values)
    lower, upper = bin_bounds(bin_codes(values) >> level, level)
    assert (lower <= values).all()
    assert (values <= upper).all()


@given(st.lists(finite, min_size=2, max_size=50))
def test_codes_ascend_with_the_values(values):
    ordered = np.sort(np.array(values))
    assert (np.diff(bin_codes(ordered)) >= 0).all()


@given(st.lists(finite, min_size=2, max_size=50), st.integers(0, 20))
def test_bins_never_overlap(values, level):
    codes = np.unique(bin_codes(np.array(values)) >> level)
    lower, upper = bin_bounds(codes, level)
    assert (upper[:-1] < lower[1:]).all()
    assert (lower <= upper).all()


def test_whole_numbers_below_1024_each_have_a_bin_that_begins_with_them():
    values = np.arange(-1023.0, 1024.0)
    codes = bin_codes(values)
    assert np.unique(codes).size == values.size
    lower, upper = bin_bounds(codes, 0)
    np.testing.assert_array_equal(np.where(values < 0, upper, lower)[values != 0], values[values != 0])


@pytest.mark.parametrize("value", [1.0, 3.7, 1e-300, 12345.678, 1e300])
def test_a_bin_is_a_500th_of_its_value_wide(value):
    lower, upper = bin_bounds(bin_codes(np.array([value, -value])), 0)
    assert ((upper - lower) / value <= 1 / 512).all()


def test_minus_zero_counts_as_zero():
    zero, minus, below = bin_codes(np.array([0.0, -0.0, -5e-324]))
    assert zero == minus == below + 1
    lower, upper = bin_bounds(np.array([below, zero]), 0)
    assert upper[0] < lower[1] == 0.0


def test_the_outermost_bins_end_with_the_largest_numbers():
    top = np.finfo(np.float64).max
    lower, upper = bin_bounds(bin_codes(np.array([-top, top])), 0)
    assert lower[0] == -top
    assert upper[1] == top


@pytest.mark.parametrize("centre", [0.0, 49.0, -1e6])
def test_moments_are_numpys_whatever_the_centre(centre):
    rng = np.random.default_rng(1)
    values = rng.normal(50, 3, 4_000)
    parts = NumericTally(40.0)
    for piece in np.array_split(values, 9):
        parts.add(NumericTally.of(piece, centre))
    deviation, square = parts.about(50.0)
    assert deviation == pytest.approx((values - 50).sum(), abs=1e-6)
    assert square == pytest.approx(((values - 50) ** 2).sum(), rel=1e-4 if centre == -1e6 else 1e-9)


@pytest.mark.parametrize("value", [0.003467, 1e9 + 0.1, -7.25, 0.0, 1e300])
@pytest.mark.parametrize("centre", [0.0, 1.0])
def test_a_constant_has_no_spread_whatever_the_centre(value, centre):
    tally = NumericTally(0.0)
    for _ in range(300):
        tally.add(NumericTally.of(np.full(7, value), centre))
    mean = tally.centre + tally.deviation / tally.values
    assert tally.about(mean)[1] == 0.0


def test_missing_and_not_finite_are_counted_apart():
    tally = NumericTally.of(np.array([1.0, np.nan, np.inf, -np.inf, np.nan, 2.0]), 0.0)
    assert (tally.values, tally.missing, tally.not_finite) == (2, 2, 2)


def test_a_category_that_was_folded_meanwhile_comes_off_other():
    late = CategoryTally.of([f"z{i}" for i in range(1024)])
    early = CategoryTally.of(["a", "b"])
    late.add(early)
    assert (len(late.counts), late.other) == (1024, 2)
    late.subtract(CategoryTally.of([f"z{i}" for i in range(1024)]))
    assert late.counts == {"a": 1, "b": 1}
    assert (late.other, late.values) == (0, 2)


def test_a_row_counts_its_records_and_what_they_hold():
    row = Learning(3).row(
        ("f:x",), np.array([[1.0, np.nan, 3.0]]), {"f:c": ["a", None, "a"]}, 3, {"f:x": 1.0}
    )
    assert row.records == 3
    assert (row.numeric["f:x"].values, row.numeric["f:x"].missing) == (2, 1)
    assert (row.numeric["f:x"].deviation, row.numeric["f:x"].square) == (2.0, 4.0)
    assert (row.categorical["f:c"].counts, row.categorical["f:c"].missing) == ({"a": 2}, 1)
