"""Differences between two samples, beside scipy's tests and published intervals."""

import numpy as np
import pytest
from scipy import stats

from driftgauge.stats import difference

RNG = np.random.default_rng(20261126)


# Newcombe, 1998, Statistics in Medicine 17:873-890, table II, method 10 (score, no continuity
# correction): a/m, b/n, and the 95% interval of a/m - b/n.
NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("a", "m", "b", "n", "low", "high"), NEWCOMBE)
def test_the_interval_of_two_shares_is_newcombes(a, m, b, n, low, high):
    found = difference.proportions(b, n, a, m, z=1.959964)
    assert (round(float(found.low), 4), round(float(found.high), 4)) == (low, high)
    assert found.value == pytest.approx(a / m - b / n, abs=1e-12)


def test_the_p_value_of_two_shares_is_that_of_the_table_of_four():
    for _ in range(50):
        m, n = RNG.integers(20, 400, 2)
        a, b = RNG.integers(1, m), RNG.integers(1, n)
        expected = stats.chi2_contingency([[a, m - a], [b, n - b]], correction=False).pvalue
        assert difference.proportions(a, m, b, n).p == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_shares_at_the_ends_and_empty_samples():
    both = difference.proportions([0, 10, 0, 0], [10, 10, 0, 10], [0, 20, 5, 20], [20, 20, 10, 20])
    np.testing.assert_array_equal(both.p[:3], [1.0, 1.0, np.nan])
    error = np.sqrt(20 / 30 * 10 / 30 * (1 / 10 + 1 / 20))
    assert both.p[3] == pytest.approx(2 * stats.norm.sf(1 / error), rel=1e-9)
    assert np.isnan(both.low[2])
    assert np.isnan(both.value[2])


def test_inflation_divides_the_statistic_and_widens_the_interval():
    plain, wide = (difference.proportions(70, 100, 85, 110, inflation=i) for i in (1.0, 2.0))
    z = stats.norm.isf(float(plain.p) / 2)
    assert wide.p == pytest.approx(2 * stats.norm.sf(z / 2), rel=1e-9)
    assert float(wide.value - wide.low) == pytest.approx(2 * float(plain.value - plain.low), rel=1e-12)
    a, b = (0.8, 0.001), (0.7, 0.002)
    assert difference.roc_aucs(a, b, inflation=3.0).p == pytest.approx(
        2 * stats.norm.sf(0.1 / (3 * np.sqrt(0.003))), rel=1e-12
    )
    one, other = RNG.normal(0, 1, 50), RNG.normal(0.5, 2, 70)
    found = difference.means(*map(sums, (one, other)), inflation=1.5)
    test = stats.ttest_ind(other, one, equal_var=False)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(test.statistic) / 1.5, test.df), rel=1e-9)


def placements(positive, negative):
    """DeLong's V10 and V01, every pair compared."""
    beats = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return beats.mean(axis=1), beats.mean(axis=0)


@pytest.mark.parametrize(("p", "n", "bins"), [(40, 60, 12), (300, 25, 40), (2, 2, 3), (15, 900, 6)])
def test_the_variance_of_an_auc_is_delongs_over_every_pair(p, n, bins):
    positive, negative = RNG.integers(0, bins, p), RNG.integers(0, bins, n)
    v10, v01 = placements(positive, negative)
    expected = v10.var(ddof=1) / p + v01.var(ddof=1) / n
    counts = (np.bincount(v, minlength=bins) for v in (positive, negative))
    assert difference.auc_variance(*counts) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_an_auc_of_too_few_records_has_no_variance():
    counts = np.array([[1, 0], [5, 5], [0, 0]]), np.array([[3, 3], [0, 1], [2, 2]])
    assert np.isnan(difference.auc_variance(*counts)).all()
    with pytest.raises(ValueError, match="negative_counts: expected the bins of positive_counts, shape"):
        difference.auc_variance([1, 2], [1, 2, 3])


def test_the_difference_of_two_aucs_is_a_z_test():
    found = difference.roc_aucs((0.81, 0.0004), (0.78, 0.0005))
    error = np.sqrt(0.0009)
    assert found.value == pytest.approx(-0.03)
    assert found.p == pytest.approx(2 * stats.norm.sf(0.03 / error), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((-0.03 - 1.96 * error, -0.03 + 1.96 * error))
    with pytest.raises(ValueError, match="variance: expected numbers of at least 0"):
        difference.roc_aucs((0.8, -1.0), (0.8, 0.1))
    for first, second in ((1.1, 0.8), (0.8, -0.1)):
        with pytest.raises(ValueError, match=r"area: expected values in \[0, 1\], found others"):
            difference.roc_aucs((first, 0.1), (second, 0.1))
    for z in (0, np.nan, np.inf):
        with pytest.raises(ValueError, match="z: expected a finite number above 0"):
            difference.roc_aucs((0.8, 0.1), (0.7, 0.1), z=z)
    assert np.isnan(difference.roc_aucs((np.nan, np.nan), (0.7, 0.1)).p)


def sums(values, centre=0.0):
    return values.size, (values - centre).sum(), ((values - centre) ** 2).sum()


@pytest.mark.parametrize(("n", "m", "spread"), [(30, 50, 1.0), (5, 400, 3.0), (2, 2, 1.0)])
def test_the_difference_of_two_means_is_welchs(n, m, spread):
    one, other = RNG.normal(10, 1, n), RNG.normal(10.4, spread, m)
    found = difference.means(sums(one), sums(other))
    test = stats.ttest_ind(other, one, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)
    assert found.value == pytest.approx(other.mean() - one.mean(), rel=1e-9)


def test_means_without_spread_or_records():
    same, apart = ((10, 20.0, 40.0), (5, 10.0, 20.0)), ((10, 20.0, 40.0), (5, 15.0, 45.0))
    assert difference.means(*same).p == 1.0
    assert difference.means(*apart).p == 0.0
    assert difference.means(*apart).low == difference.means(*apart).high == 1.0
    few = difference.means((1, 2.0, 4.0), (5, 15.0, 45.0))
    assert all(np.isnan(v) for v in (few.value, few.low, few.high, few.p))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: difference.proportions(3, 2, 1, 2), "successes: expected at most n"),
        (lambda: difference.proportions(-1, 2, 1, 2), "first_hits"),
        (lambda: difference.proportions(1, 2, 1, 2, inflation=0.9), "inflation: expected numbers of at least 1"),
        (lambda: difference.proportions(1, 2, 1, 2, inflation=np.nan), "inflation"),
        (lambda: difference.means((-3, 1, 1), (3, 1, 1)), "n: expected"),
        (lambda: difference.means((3, 1, 1), (3, 1, 1), confidence=1.0), "confidence: expected a number between 0 and 1"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
