"""The checks that every statistic shares, by hand."""

import numpy as np
import pytest

from driftgauge.stats import arrays


@pytest.mark.parametrize(
    "counts", [[3, 0, 7], np.array([3, 0, 7], np.uint32), np.array([3, 0, 7], np.float32)]
)
def test_counts_come_back_as_float64(counts):
    found = arrays.checked_counts(counts, "counts")
    assert found.dtype == np.float64
    assert found.tolist() == [3.0, 0.0, 7.0]
    assert arrays.checked_counts(np.zeros((0, 4)), "counts").shape == (0, 4)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_the_first_bad_count_is_told_by_its_place(bad):
    with pytest.raises(ValueError, match=rf"rows: .* at least 0, found {bad} at \(1, 0\)"):
        arrays.checked_counts(np.array([[1.0, 2.0], [bad, bad]]), "rows")


def test_a_pair_comes_back_in_its_order():
    reference, current = arrays.checked_pair([1, 2], [[3, 4], [5, 6]])
    assert (reference.tolist(), current.tolist()) == ([1, 2], [[3, 4], [5, 6]])
    for other in ([1, 2, 3], 3, np.ones((3, 2))):
        with pytest.raises(ValueError, match="current_counts: expected the bins of reference_counts"):
            arrays.checked_pair(np.ones((2, 2)), other)
    with pytest.raises(ValueError, match="reference_counts: expected at least 1 bin"):
        arrays.checked_pair([], [])


def test_the_bins_of_two_classes_come_back_in_their_order():
    positive, negative = arrays.checked_classes([1, 2], [3, 4])
    assert (positive.tolist(), negative.tolist()) == ([1, 2], [3, 4])
    for other in ([[3, 4]], [1, 2, 3], 3):
        with pytest.raises(ValueError, match="negative_counts: expected the bins of positive_counts"):
            arrays.checked_classes([1, 2], other)
    with pytest.raises(ValueError, match="positive_counts: expected finite counts"):
        arrays.checked_classes([1, -2], [3, 4])


def test_widths_are_between_the_edges_and_held_at_the_largest_float():
    found = arrays.checked_edges([0, 1, 1, 4], np.ones(3))
    assert (found.ends.tolist(), found.widths.tolist()) == ([0, 1, 1, 4], [1, 0, 3])
    assert arrays.checked_edges(found, np.ones((2, 3))) is found
    with pytest.raises(ValueError, match="one more than the bins"):
        arrays.checked_edges(found, np.ones(4))
    widest = arrays.checked_edges([-arrays.LARGEST, arrays.LARGEST], np.ones(1))
    assert widest.widths.tolist() == [arrays.LARGEST]
    for bad, message in [
        ([0, 1], "one more than the bins"),
        ([0, 2, 1, 3], "ascending"),
        ([0, 1, 2, np.inf], "finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            arrays.checked_edges(bad, np.ones(3))


@pytest.mark.parametrize("ordered", [False, True])
def test_a_sample_holds_totals_shares_and_sums(ordered):
    found = arrays.Sample.of(np.array([[1, 0, 3], [0, 0, 0]], np.uint32), ordered=ordered)
    assert found.totals == pytest.approx(np.array([[4.0], [np.nan]]), nan_ok=True)
    assert found.shares[0].tolist() == [0.25, 0.0, 0.75]
    assert np.isnan(found.shares[1]).all()
    assert found.cumulated().tolist() == [[1.0, 1.0, 4.0], [0.0, 0.0, 0.0]]
    assert arrays.Sample.of(found) is found
    for bad, message in (([1, -1], "rows: expected finite counts"), (3, "rows: expected at least 1 bin")):
        with pytest.raises(ValueError, match=message):
            arrays.Sample.of(bad, "rows")


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.int64, np.float64])
def test_sums_and_roots_of_a_sample_are_of_its_shares(dtype, ordered):
    found = arrays.Sample.of(np.array([[4, 0, 9, 3], [0, 0, 0, 0]], dtype), ordered=ordered)
    assert found.shares_upto[0].tolist() == [0.25, 0.25, 0.8125, 1.0]
    assert found.share_roots[0].tolist() == [0.5, 0.0, 0.75, np.sqrt(0.1875)]
    assert np.isnan(found.shares_upto[1]).all()
    assert np.isnan(found.share_roots[1]).all()


def test_sums_of_a_sample_are_exact_where_they_exceed_the_type_of_its_counts():
    most = np.iinfo(np.uint32).max
    found = arrays.Sample.of(np.array([[most, 1, most], [0, 2, 3]], np.uint32), ordered=True)
    assert found.cumulated().tolist() == [[most, 2**32, 2**32 + most], [0, 2, 5]]
    assert found.totals.tolist() == [[2.0**33 - 1], [5.0]]


def test_totals_of_nothing_are_nan():
    found = arrays.totals(np.array([[1.0, 2.0], [0.0, 0.0]]))
    assert found == pytest.approx(np.array([[3.0], [np.nan]]), nan_ok=True)
    assert arrays.totals(np.zeros((2, 0))) == pytest.approx(np.full((2, 1), np.nan), nan_ok=True)


def test_a_quotient_that_is_no_finite_number_is_nan_without_a_warning():
    with np.errstate(all="raise"):
        found = arrays.quotient(np.array([3.0, 1.0, 0.0, np.inf, 1e300]), [2.0, 0.0, 0.0, 2.0, 1e-300])
    assert found == pytest.approx([1.5, *[np.nan] * 4], nan_ok=True)
    with pytest.raises(ValueError, match="broadcast"):
        arrays.quotient(np.ones(2), np.ones(3))
