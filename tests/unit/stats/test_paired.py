"""Differences on the same cases, beside scipy's tests and the definitions written out."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from driftgauge.stats import paired

RNG = np.random.default_rng(20261126)


def test_the_p_value_of_answers_is_that_of_the_exact_test():
    for lost, gained in [(0, 0), (0, 1), (3, 9), (9, 3), (5, 5), (0, 14), (40, 71), (510, 602)]:
        expected = stats.binomtest(lost, lost + gained, 0.5).pvalue if lost + gained else 1.0
        found = paired.paired_shares(lost, gained, 2_000)
        assert found.p == pytest.approx(expected, rel=1e-9)
        assert found.value == pytest.approx((gained - lost) / 2_000, abs=1e-12)


def test_mcnemars_published_example_is_found():
    """Agresti, Categorical Data Analysis, table 10.1: approval 0.59 then 0.545, of 1,600 asked twice."""
    found = paired.paired_shares(150, 86, 1_600)
    assert found.value == pytest.approx(-0.04, abs=1e-12)
    # Wald's interval is (-0.0586, -0.0214) there; one case more on each side moves it by little.
    assert (float(found.low), float(found.high)) == pytest.approx((-0.0587, -0.0213), abs=3e-4)
    assert found.p < 1e-4


def test_the_interval_of_answers_covers_by_enumeration():
    """Every outcome of 40 cases, weighted by its chance."""
    n = 40
    lost, gained = (np.array(each) for each in zip(*product(range(n + 1), repeat=2), strict=True))
    there = lost + gained <= n
    lost, gained = lost[there], gained[there]
    found = paired.paired_shares(lost, gained, n, z=1.959964)
    for down, up in [(0.05, 0.05), (0.1, 0.2), (0.02, 0.1), (0.3, 0.3), (0.0, 0.05), (0.01, 0.01)]:
        chance = stats.multinomial.pmf(
            np.stack([lost, gained, n - lost - gained], axis=-1), n, [down, up, 1 - down - up]
        )
        inside = (found.low <= up - down + 1e-12) & (found.high >= up - down - 1e-12)
        assert chance.sum() == pytest.approx(1.0, abs=1e-9)
        assert chance[inside].sum() >= 0.935, (down, up)


def test_the_difference_of_means_is_that_of_the_paired_t_test():
    for _ in range(20):
        n = int(RNG.integers(2, 300))
        one = RNG.normal(2, 1, n)
        two = one + RNG.normal(0.1, 0.5, n)
        d = two - one
        found = paired.paired_means(n, d.sum(), np.square(d).sum())
        test = stats.ttest_rel(two, one)
        ends = test.confidence_interval()
        assert (float(found.value), float(found.p)) == pytest.approx((d.mean(), test.pvalue), rel=1e-9)
        assert (float(found.low), float(found.high)) == pytest.approx((ends.low, ends.high), rel=1e-8)


def delong(score, came):
    """Areas of two scores and the variance of their difference, every pair of cases compared."""
    placed = []
    for each in score:
        positive, negative = each[came == 1], each[came == 0]
        beats = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
        placed.append((beats.mean(axis=1), beats.mean(axis=0)))
    covariance = sum(
        np.cov(np.stack([placed[0][side], placed[1][side]]), ddof=1) / placed[0][side].size for side in (0, 1)
    )
    areas = [each[0].mean() for each in placed]
    return areas, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]


def joint(score, came, bins, outcome):
    table = np.zeros((bins, bins), np.int64)
    np.add.at(table, (score[0][came == outcome], score[1][came == outcome]), 1)
    return table


@pytest.mark.parametrize(("n", "bins"), [(60, 6), (400, 34), (25, 3)])
def test_the_difference_of_areas_is_delongs_over_every_pair(n, bins):
    came = (RNG.random(n) < 0.4).astype(int)
    hidden = RNG.normal(0, 1, n) + came
    score = [
        np.clip((hidden + RNG.normal(0, s, n)) * bins / 6 + bins / 2, 0, bins - 1).astype(int)
        for s in (1.0, 0.5)
    ]
    areas, variance = delong(score, came)
    tables = joint(score, came, bins, 1), joint(score, came, bins, 0)
    value, square = paired.paired_area_difference(*tables)
    assert value == pytest.approx(areas[1] - areas[0], abs=1e-12)
    assert square == pytest.approx(variance, rel=1e-12)
    found = paired.paired_roc_aucs(value, square)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(areas[1] - areas[0]) / np.sqrt(variance)), rel=1e-9)
    assert found.high - found.value == pytest.approx(1.96 * np.sqrt(variance), rel=1e-12)


def test_inflation_widens_all_three():
    plain, wide = (paired.paired_shares(30, 50, 400, inflation=i) for i in (1.0, 2.0))
    assert wide.high - wide.low == pytest.approx(2 * (plain.high - plain.low), rel=1e-12)
    # 80 that differ tell as much as 20 with the same shares.
    exact = [stats.binomtest(k, 20, 0.5).pvalue for k in (7, 8)]
    assert exact[0] < wide.p < exact[1]
    plain, wide = (paired.paired_means(50, 10.0, 30.0, inflation=i) for i in (1.0, 3.0))
    assert wide.high - wide.value == pytest.approx(3 * (plain.high - plain.value), rel=1e-12)
    t = stats.t.isf(float(plain.p) / 2, 49)
    assert wide.p == pytest.approx(2 * stats.t.sf(t / 3, 49), rel=1e-9)
    tables = RNG.integers(0, 9, (2, 5, 5))
    areas = paired.paired_area_difference(*tables)
    plain, wide = (paired.paired_roc_aucs(*areas, inflation=i) for i in (1.0, 2.0))
    z = stats.norm.isf(float(plain.p) / 2)
    assert wide.p == pytest.approx(2 * stats.norm.sf(z / 2), rel=1e-9)


def test_too_few_cases_have_no_difference_and_equal_ones_no_significance():
    none = paired.paired_shares(0, 0, 0)
    assert np.isnan([none.value, none.low, none.high, none.p]).all()
    assert np.isnan(paired.paired_means([0, 1], [0.0, 1.0], [0.0, 1.0]).p).all()
    same = paired.paired_means([5, 5], [0.0, 5.0], [0.0, 5.0])
    np.testing.assert_array_equal(same.p, [1.0, 0.0])
    empty = np.zeros((3, 3), int)
    assert np.isnan(paired.paired_roc_aucs(*paired.paired_area_difference(empty, empty)).value)
    equal = np.diag([5, 6, 7])
    found = paired.paired_roc_aucs(*paired.paired_area_difference(equal, equal))
    assert (found.value, found.p, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"n: expected at least lost \+ gained"):
        paired.paired_shares(3, 4, 6)
    with pytest.raises(ValueError, match="lost"):
        paired.paired_shares(-1, 4, 6)
    with pytest.raises(ValueError, match="inflation"):
        paired.paired_shares(1, 4, 6, inflation=0.5)
    for z in (0.0, np.inf):
        with pytest.raises(ValueError, match="z: expected"):
            paired.paired_shares(1, 4, 6, z=z)
        with pytest.raises(ValueError, match="z: expected"):
            paired.paired_roc_aucs(0.1, 0.01, z=z)
    with pytest.raises(ValueError, match="confidence"):
        paired.paired_means(3, 1.0, 1.0, confidence=1.0)
    with pytest.raises(ValueError, match="n"):
        paired.paired_means(-3, 1.0, 1.0)
    for shapes in (((2, 2), (3, 3)), ((2, 3), (2, 3)), ((2,), (2,))):
        with pytest.raises(ValueError, match="equal shapes"):
            paired.paired_area_difference(*map(np.ones, shapes))
    with pytest.raises(ValueError, match="positive"):
        paired.paired_area_difference(-np.ones((2, 2)), np.ones((2, 2)))
