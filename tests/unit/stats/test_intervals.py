"""Intervals of independent records against scipy, published examples and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftgauge.stats import classification, intervals


@pytest.mark.parametrize("z", [1.0, 1.96, 2.5758293035489004])
def test_wilson_is_scipys(z):
    confidence = 1 - 2 * stats.norm.sf(z)
    for n in [1, 2, 10, 137, 10_000]:
        for successes in {0, 1, n // 3, n - 1, n}:
            test = stats.binomtest(successes, n)
            wanted = test.proportion_ci(confidence_level=confidence, method="wilson")
            found = intervals.wilson(successes, n, z)
            assert found == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_wilson_is_exact_at_the_ends():
    n = np.array([1, 3, 10, 997, 10**9])
    assert (intervals.wilson(np.zeros(5), n)[0] == 0).all()
    assert (intervals.wilson(n, n)[1] == 1).all()


def test_wilson_without_trials_is_nan():
    low, high = intervals.wilson(np.array([0, 1]), np.array([0, 2]))
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False]


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(0.1, 6))
def test_wilson_surrounds_the_share_inside_0_to_1(n, share, z):
    successes = share * n
    low, high = intervals.wilson(successes, n, z)
    assert 0 <= low <= successes / n * (1 + 1e-12)
    assert successes / n * (1 - 1e-12) <= high <= 1


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="successes: expected at most n, found more"):
        intervals.wilson(3, 2)
    with pytest.raises(ValueError, match="successes: expected finite counts of at least 0, found -1"):
        intervals.wilson(-1, 2)
    for z in [0, -1, np.nan, np.inf]:
        with pytest.raises(ValueError, match="z: expected a finite number above 0, found"):
            intervals.wilson(1, 2, z)


# --- what else takes records for independent --------------------------------------------------


@pytest.mark.parametrize(("tp", "fp", "fn"), [(0, 3, 2), (7, 0, 0), (40, 10, 25), (1, 99, 3)])
def test_the_interval_of_f1_is_that_of_the_jaccard_index_mapped(tp, fp, fn):
    n = tp + fp + fn
    wanted = stats.binomtest(tp, n).proportion_ci(
        confidence_level=1 - 2 * stats.norm.sf(1.96), method="wilson"
    )
    low, high = intervals.f1_interval(tp, fp, fn)
    assert (low, high) == pytest.approx([2 * j / (1 + j) for j in (wanted.low, wanted.high)], abs=1e-12)
    assert low - 1e-12 <= 2 * tp / (2 * tp + fp + fn) <= high + 1e-12


def test_an_f1_of_nothing_has_no_interval():
    assert np.isnan(intervals.f1_interval(0, 0, 0)).all()


def test_the_error_of_an_area_is_the_papers():
    """Hanley and McNeil, 1982: 51 abnormal and 58 normal images, an area of 0.893, by ranks 0.032."""
    assert intervals.roc_auc_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.001)


def test_the_error_of_an_area_is_the_spread_of_exponential_scores():
    rng = np.random.default_rng(8)
    areas = []
    for _ in range(1_500):
        positive, negative = rng.exponential(4.0, 40), rng.exponential(1.0, 60)
        areas.append((positive[:, None] > negative).mean())
    assert intervals.roc_auc_error(0.8, 40, 60) == pytest.approx(np.std(areas), rel=0.05)


def test_the_error_of_an_area_is_absent_without_a_class_and_0_at_the_ends():
    found = intervals.roc_auc_error(np.array([0.5, np.nan, 1.0, 0.0]), np.array([0, 5, 5, 5]), 9)
    assert np.isnan(found).tolist() == [True, True, False, False]
    assert found[2:].tolist() == [0, 0]
    for area in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"area: expected values in \[0, 1\], found others"):
            intervals.roc_auc_error(area, 5, 5)
    with pytest.raises(ValueError, match="positives: expected finite counts"):
        intervals.roc_auc_error(0.5, -5, 5)


def test_the_error_of_a_mean_is_scipys():
    values = np.random.default_rng(9).gamma(2.0, 3.0, 70)
    found = intervals.mean_error(70, values.sum(), (values**2).sum())
    assert found == pytest.approx(stats.sem(values), rel=1e-9)
    assert np.isnan(intervals.mean_error(1, 3.0, 9.0))


def test_of_a_mean_the_error_by_cells_is_the_standard_error():
    values, counts = np.array([0.0, 1.0, 5.0]), np.array([7, 12, 4])
    n, total = counts.sum(), (values * counts).sum()
    found = intervals.cell_error(total / n, (total - values) / (n - 1), counts)
    assert found == pytest.approx(stats.sem(np.repeat(values, counts)), rel=1e-12)


def test_the_error_by_cells_of_the_matthews_correlation_is_its_spread():
    rng = np.random.default_rng(10)
    tables = rng.multinomial(400, [0.3, 0.1, 0.15, 0.45], 4_000).T.astype(float)
    spread = classification.mcc(*tables).std()
    cells = 400 * np.array([0.3, 0.1, 0.15, 0.45])
    without = np.array([classification.mcc(*(cells - step)) for step in np.eye(4)])
    assert intervals.cell_error(classification.mcc(*cells), without, cells) == pytest.approx(spread, rel=0.05)


def test_the_error_by_cells_passes_over_empty_ones_and_is_absent_where_one_record_decides():
    some = intervals.cell_error(1.0, np.array([0.9, np.nan, 1.1]), np.array([2, 0, 2]))
    assert some == pytest.approx(np.sqrt(0.75 * 4 * 0.1**2))
    assert np.isnan(intervals.cell_error(1.0, np.array([0.9, np.nan]), np.array([2, 1])))
    assert np.isnan(intervals.cell_error(1.0, np.array([1.0]), np.array([1])))
    with pytest.raises(ValueError, match="expected shape"):
        intervals.cell_error(1.0, np.zeros(3), np.ones(2))


def test_a_difference_of_shares_as_newcombe_prints_it():
    """Newcombe, 1998, Statistics in Medicine 17:873-890, table II, method 10: 56/70 - 48/80."""
    z = 1.959963984540054
    sides = [(x / n, *intervals.wilson(x, n, z)) for x, n in ((56, 70), (48, 80))]
    low, high = intervals.difference_interval(*sides)
    assert (float(low), float(high)) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_a_difference_of_normal_means_is_the_two_sample_interval():
    low, high = intervals.difference_interval((5.0, 2.0, 8.0), (1.0, -3.0, 5.0))
    assert (float(low), float(high)) == (-1.0, 9.0)
    assert np.isnan(intervals.difference_interval((5.0, np.nan, 8.0), (1.0, -3.0, 5.0))[0])


def test_a_difference_needs_values_between_their_ends():
    with pytest.raises(ValueError, match="low <= value <= high"):
        intervals.difference_interval((1.0, 2.0, 3.0), (1.0, 0.0, 2.0))


# --- multiclass, and means of several intervals --------------------------------------------------


def drawn_confusion(rng, n=1_000):
    """Of three classes, so and so well told apart."""
    cells = np.array([[0.4, 0.08, 0.02], [0.05, 0.25, 0.05], [0.03, 0.02, 0.1]])
    return rng.multinomial(n, cells.ravel() / cells.sum()).reshape(3, 3)


def test_the_error_of_a_multiclass_mcc_is_the_jackknifes():
    confusion = drawn_confusion(np.random.default_rng(1)).astype(float)
    without = np.array([classification.multiclass_mcc(confusion - cell.reshape(3, 3)) for cell in np.eye(9)])
    expected = intervals.cell_error(classification.multiclass_mcc(confusion), without, confusion.reshape(9))
    assert intervals.multiclass_mcc_error(confusion) == pytest.approx(float(expected), rel=0.01)


def test_the_error_of_a_multiclass_mcc_is_the_spread_of_samples():
    rng = np.random.default_rng(2)
    samples = np.array([drawn_confusion(rng) for _ in range(4_000)])
    spread = classification.multiclass_mcc(samples).std()
    assert intervals.multiclass_mcc_error(samples).mean() == pytest.approx(spread, rel=0.05)


def test_where_there_is_no_mcc_there_is_no_error():
    assert np.isnan(intervals.multiclass_mcc_error(np.array([[5, 0], [0, 0]])))
    assert intervals.multiclass_mcc_error(np.diag([4, 5, 6])) == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match="confusion: expected a square matrix"):
        intervals.multiclass_mcc_error(np.ones((2, 3)))


def test_the_interval_of_a_mean_by_hand():
    low, high = intervals.mean_of_intervals(
        np.array([0.5, 0.7, np.nan]), (np.array([0.47, 0.66, 0.1]), np.array([0.56, 0.78, 0.2]))
    )
    assert low == pytest.approx(0.6 - 0.05 / 2)
    assert high == pytest.approx(0.6 + 0.1 / 2)
    assert np.isnan(intervals.mean_of_intervals(np.array([np.nan]), (np.zeros(1), np.ones(1)))[0])
    with pytest.raises(ValueError, match="ends: expected low <= value <= high"):
        intervals.mean_of_intervals(np.array([0.5]), (np.array([0.6]), np.array([0.9])))


def test_the_interval_of_a_mean_of_shares_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(3)
    shares, n = np.array([0.9, 0.7, 0.4]), np.array([60, 80, 40])
    hits = rng.binomial(n, shares, (4_000, 3))
    low, high = intervals.mean_of_intervals(hits / n, intervals.wilson(hits, n))
    assert ((low <= shares.mean()) & (shares.mean() <= high)).mean() == pytest.approx(0.95, abs=0.012)
