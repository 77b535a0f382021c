"""Change of a relation bin by bin: published trials, brute force, simulations with fixed seeds."""

import numpy as np
import pytest
from scipy import special, stats
from scipy.optimize import brentq

from driftgauge.stats import concept

# Koch's migraine trial, placebo against active by gender (women, men): counts without and with a
# better outcome. SAS/STAT User's Guide, PROC FREQ, example "Cochran-Mantel-Haenszel Statistics":
# Mantel-Haenszel odds ratio 3.3132 (1.4456 to 7.5934), Breslow-Day 1.4929. With Tarone's correction
# R's DescTools::BreslowDayTest(migraine, correct = TRUE) prints 1.4905.
PLACEBO = np.array([[20, 5], [19, 7]])
ACTIVE = np.array([[11, 16], [16, 12]])

# The BCG trials (Colditz and others, 1994): vaccinated with and without tuberculosis, then controls,
# as R's metafor lists them (dat.bcg); its log risk ratios give Q 152.2330 and, by DerSimonian and
# Laird, tau squared 0.3088.
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    float,
)


def test_the_common_odds_ratio_of_a_published_trial():
    found = concept.odds_change(PLACEBO, ACTIVE)
    assert np.exp(found.shift) == pytest.approx(3.3132, abs=5e-5)
    reach = 1.959964 * found.shift_error
    assert np.exp(found.shift - reach) == pytest.approx(1.4456, abs=5e-5)
    assert np.exp(found.shift + reach) == pytest.approx(7.5934, abs=5e-5)


def test_breslow_day_of_a_published_trial_with_tarones_correction():
    found = concept.odds_change(PLACEBO, ACTIVE)
    assert found.degrees == 1
    assert found.statistic == pytest.approx(1.4905, abs=5e-5)
    uncorrected = np.nansum(found.score**2)
    assert uncorrected == pytest.approx(1.4929, abs=5e-5)


def test_heterogeneity_of_a_published_meta_analysis():
    tpos, tneg, cpos, cneg = BCG.T
    effects = np.log(tpos / (tpos + tneg)) - np.log(cpos / (cpos + cneg))
    variances = 1 / tpos - 1 / (tpos + tneg) + 1 / cpos - 1 / (cpos + cneg)
    found = concept.heterogeneity(effects, variances)
    assert found.degrees == 12
    assert found.statistic == pytest.approx(152.2330, abs=5e-5)
    assert found.spread**2 == pytest.approx(0.3088, abs=5e-5)
    assert concept.heterogeneity(effects[None], variances[None]).shift[0] == found.shift


def by_hand(reference, current):
    """Residuals and chi-square of bins one by one, expected cells by root finding."""
    n = (reference.sum(axis=1) + current.sum(axis=1)).astype(float)
    psi = (current[:, 1] * reference[:, 0] / n).sum() / (current[:, 0] * reference[:, 1] / n).sum()
    apart, variances = [], []
    for (b, a), (d, c) in zip(reference.astype(float), current.astype(float), strict=True):
        positive, n1, n2 = a + c, c + d, a + b

        def off(e, positive=positive, n1=n1, n2=n2):
            return e * (n2 - positive + e) - psi * (positive - e) * (n1 - e)

        e = brentq(off, max(0.0, positive - n2), min(positive, n1), xtol=1e-12)
        cells = [e, positive - e, n1 - e, n2 - positive + e]
        if min(cells) >= 5:
            apart.append(c - e)
            variances.append(1 / sum(1 / cell for cell in cells))
    apart, variances = np.array(apart), np.array(variances)
    tarone = (apart**2 / variances).sum() - apart.sum() ** 2 / variances.sum()
    return np.log(psi), tarone, len(apart) - 1, apart / variances


@pytest.mark.parametrize("seed", range(8))
def test_odds_change_is_that_of_bins_one_by_one(seed):
    rng = np.random.default_rng(seed)
    shape = (3, 12, 2)
    reference = rng.poisson(rng.uniform(2, 200, shape))
    current = rng.poisson(rng.uniform(2, 60, shape))
    found = concept.odds_change(reference, current)
    for f in range(3):
        shift, statistic, degrees, residual = by_hand(reference[f], current[f])
        assert found.shift[f] == pytest.approx(shift, rel=1e-9)
        assert found.degrees[f] == degrees
        assert found.statistic[f] == pytest.approx(statistic, rel=1e-9)
        mine = found.residual[f]
        np.testing.assert_allclose(mine[~np.isnan(mine)], residual, rtol=1e-7, atol=1e-9)


def test_bins_that_may_not_be_used_change_nothing():
    rng = np.random.default_rng(3)
    reference, current = rng.poisson(100, (2, 12, 2)), rng.poisson(50, (2, 12, 2))
    usable = np.ones((2, 12), bool)
    usable[:, [0, 7]] = False
    found = concept.odds_change(reference, current, usable)
    kept = [i for i in range(12) if i not in (0, 7)]
    without = concept.odds_change(reference[:, kept], current[:, kept])
    np.testing.assert_allclose(found.statistic, without.statistic, rtol=1e-12)
    np.testing.assert_allclose(found.spread, without.spread, rtol=1e-12)
    assert np.isnan(found.residual[:, [0, 7]]).all()


def test_a_common_odds_ratio_leaves_nothing_apart():
    reference = np.array([[[900, 100], [500, 500], [100, 900]]])
    odds = reference[..., 1] / reference[..., 0] * 2.0
    positive = 3000 * odds / (1 + odds)
    current = np.stack([3000 - positive, positive], axis=-1)
    found = concept.odds_change(reference, current)
    assert found.shift[0] == pytest.approx(np.log(2.0), rel=1e-9)
    assert found.statistic[0] == pytest.approx(0.0, abs=1e-9)
    assert found.spread[0] == 0.0


@pytest.mark.parametrize("absent", [0, 1])
def test_one_class_alone_is_not_judged(absent):
    reference = np.full((2, 12, 2), 50)
    current = np.full((2, 12, 2), 50)
    current[0, :, absent] = 0
    found = concept.odds_change(reference, current)
    assert found.degrees.tolist() == [0, 11]
    assert found.statistic[0] == 0
    assert np.isnan(found.spread[0])
    assert np.isnan(found.shift[0])
    empty = concept.odds_change(np.zeros((1, 12, 2)), np.zeros((1, 12, 2)))
    assert (empty.statistic[0], empty.degrees[0], empty.information[0]) == (0, 0, 0)


def test_the_statistic_is_chi_square_when_only_the_rate_moves():
    """The share of p-values below 5% in 2,000 features: 4% to 6%, which one standard error of 0.5%
    on either side allows twice.
    """
    rng = np.random.default_rng(4)
    odds = rng.normal(-1.0, 1.0, (2000, 10))
    reference = rng.binomial(2000, special.expit(odds))
    weights = rng.integers(100, 2000, (2000, 10))
    current = rng.binomial(weights, special.expit(odds + 0.7))
    found = concept.odds_change(
        np.stack([2000 - reference, reference], -1), np.stack([weights - current, current], -1)
    )
    p = stats.chi2.sf(found.statistic, found.degrees)
    assert 0.04 < (p < 0.05).mean() < 0.06
    assert found.shift.mean() == pytest.approx(0.7, abs=0.005)


def test_spread_is_that_of_the_bins():
    rng = np.random.default_rng(5)
    odds = rng.normal(0.0, 0.5, (500, 10))
    moved = odds + 0.3 + rng.normal(0.0, 0.4, (500, 10))
    reference = rng.binomial(5000, special.expit(odds))
    current = rng.binomial(5000, special.expit(moved))
    found = concept.odds_change(
        np.stack([5000 - reference, reference], -1), np.stack([5000 - current, current], -1)
    )
    assert np.sqrt((found.spread**2).mean()) == pytest.approx(0.4, rel=0.03)


def test_mean_change_has_welchs_variances():
    rng = np.random.default_rng(6)
    sides = [[rng.normal(b, 1 + b, 40 + 5 * b) for b in range(5)] for _ in range(2)]
    sums = [
        tuple(np.array([f(x) for x in side]) for f in (len, np.sum, lambda x: (x**2).sum())) for side in sides
    ]
    found = concept.mean_change(*sums)
    variances = np.array([sum(x.var(ddof=1) / x.size for x in pair) for pair in zip(*sides, strict=True)])
    effects = np.array([after.mean() - before.mean() for before, after in zip(*sides, strict=True)])
    expected = concept.heterogeneity(effects, variances)
    for name in ("shift", "shift_error", "statistic", "degrees", "spread", "information"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9), name
    welch = stats.ttest_ind(sides[1][2], sides[0][2], equal_var=False)
    assert effects[2] / np.sqrt(variances[2]) == pytest.approx(welch.statistic)


def test_bins_of_few_records_or_without_spread_have_no_mean_to_compare():
    n = np.array([50.0, 9.0, 50.0, 50.0])
    side = (n, n * 2.0, n * np.array([5.0, 5.0, 4.0, 5.0]))
    found = concept.mean_change(side, side, np.array([True, True, True, False]))
    assert found.degrees == 0
    assert np.isnan(found.spread)


def test_an_open_bin_whose_share_moved_is_left_out():
    reference = np.array([[100.0, 100.0, 100.0, 100.0]])
    current = np.array([[210.0, 90.0, 90.0, 10.0]])
    is_open = np.array([[True, False, False, True]])
    assert concept.steady(reference, current, is_open).tolist() == [[False, True, True, False]]
    assert concept.steady(reference, current, is_open, 2.2).tolist() == [[True, True, True, False]]
    assert concept.steady(reference, 7 * reference, is_open).all()


def binned(rng, n, shift, slope, edges=None, *, lognormal):
    z = rng.normal(size=n) + shift
    x = np.exp(z) / 2 if lognormal else z
    y = rng.random(n) < special.expit(-1 + slope * x)
    edges = np.quantile(x, np.arange(1, 10) / 10) if edges is None else edges
    counts = np.zeros((10, 2))
    np.add.at(counts, (np.searchsorted(edges, x), y.astype(int)), 1)
    return counts, edges


@pytest.mark.parametrize("lognormal", [False, True])
@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shift", [0.25, 0.5, 1.0, 2.0])
def test_moved_inputs_alone_change_no_relation(shift, slope, lognormal):
    """200,000 records on each side, so that chance plays no part: the bound of `steady`."""
    rng = np.random.default_rng(7)
    reference, edges = binned(rng, 200_000, 0.0, slope, lognormal=lognormal)
    current, _ = binned(rng, 200_000, shift, slope, edges, lognormal=lognormal)
    is_open = np.zeros(10, bool)
    is_open[[0, 9]] = True
    usable = concept.steady(reference.sum(-1), current.sum(-1), is_open)
    assert concept.odds_change(reference, current, usable).spread < 0.07


def test_overdispersion_of_days_whose_relation_wanders():
    """Bins that move by 0.2 in log-odds from day to day: excess chi-square is 0.04 per information."""
    rng = np.random.default_rng(8)
    odds = rng.normal(-0.5, 0.5, (200, 10))
    days = rng.binomial(1000, special.expit(odds + rng.normal(0, 0.2, (20, 200, 10))))
    counts = np.stack([1000 - days, days], -1)
    changes = [concept.odds_change(counts.sum(axis=0) - day, day) for day in counts]
    found = concept.relation_overdispersion(changes)
    assert (found.windows == 20).all()
    # Each of ten bins has a tenth of the information, and their common move is taken out.
    per_bin = 0.04 * (1 + 1 / 19) / 10
    assert found.excess.mean() == pytest.approx(per_bin, rel=0.05)
    steady_days = rng.binomial(1000, special.expit(odds), (20, 200, 10))
    counts = np.stack([1000 - steady_days, steady_days], -1)
    changes = [concept.odds_change(counts.sum(axis=0) - day, day) for day in counts]
    still = concept.relation_overdispersion(changes)
    assert (still.excess * still.samples).mean() < 0.05
    assert np.median(still.persistence) == pytest.approx(1 / np.sqrt(20), abs=0.01)


def test_days_that_follow_each_other_are_persistent():
    """A relation that moves up and down with a correlation of 0.8 from day to day, over 60 days."""
    rng = np.random.default_rng(9)
    moved = np.zeros((60, 200, 10))
    for day in range(60):
        before = moved[day - 1] if day else rng.normal(0, 0.3, (200, 10))
        moved[day] = 0.8 * before + rng.normal(0, 0.3 * 0.6, (200, 10))
    days = rng.binomial(2000, special.expit(-0.5 + moved))
    counts = np.stack([2000 - days, days], -1)
    changes = [concept.odds_change(counts.sum(axis=0) - day, day) for day in counts]
    found = concept.relation_overdispersion(changes)
    assert 0.75 < found.persistence.mean() <= 0.9


def test_rate_shift_by_hand():
    shift, error = concept.rate_shift(np.array([[79, 20], [0, 0]]), np.array([[59, 40], [1, 1]]))
    assert shift[0] == pytest.approx(np.log((40.5 / 59.5) / (20.5 / 79.5)))
    assert error[0] == pytest.approx(np.sqrt(1 / 40.5 + 1 / 59.5 + 1 / 20.5 + 1 / 79.5))
    assert np.isnan([shift[1], error[1]]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: concept.odds_change(np.zeros((12, 3)), np.zeros((12, 3))), "expected equal shapes"),
        (lambda: concept.odds_change(np.zeros((12, 2)), np.zeros((11, 2))), "expected equal shapes"),
        (lambda: concept.odds_change(np.full((2, 2), -1), np.zeros((2, 2))), "reference: expected finite"),
        (lambda: concept.mean_change((np.ones(2),) * 3, (np.ones(2), np.ones(3), np.ones(2))), "current"),
        (lambda: concept.heterogeneity(np.ones(2), np.ones(3)), "expected the shape of variances"),
        (lambda: concept.heterogeneity(np.ones(2), np.zeros(2)), "expected above 0"),
        (lambda: concept.steady(np.ones(2), np.ones(3), np.ones(2, bool)), "expected the shape"),
        (lambda: concept.steady(np.ones(2), np.ones(2), np.ones(2, bool), 1.0), "factor: expected"),
        (lambda: concept.relation_overdispersion([]), "expected at least one"),
        (
            lambda: concept.relation_overdispersion(
                [concept.heterogeneity(np.ones((n, 4)), np.ones((n, 4))) for n in (2, 3)]
            ),
            "changes of one shape",
        ),
        (lambda: concept.rate_shift(np.ones(3), np.ones(3)), "expected equal shapes"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
