"""Logistic recalibration against scipy's optimiser on the bins and scikit-learn on the raw scores."""

import numpy as np
import pytest
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression

from driftgauge.sketches.quality import SCORE_BINS, SCORE_EDGES, SCORE_LOG_ODDS
from driftgauge.stats.calibration import calibration_noise, recalibration, recalibration_error


def scored(rng, n, intercept, slope, spread=1.5):
    log_odds = rng.normal(-0.5, spread, n)
    outcome = rng.random(n) < special.expit(intercept + slope * log_odds)
    return special.expit(log_odds), outcome.astype(int)


def binned(score, outcome):
    bins = np.searchsorted(SCORE_EDGES, score)
    return [np.bincount(bins[outcome == k], minlength=SCORE_BINS) for k in (1, 0)]


@pytest.mark.parametrize(
    ("intercept", "slope"), [(0, 1), (-1.5, 0.4), (0.7, 1.8), (0, -0.5), (2, 0.0), (-4, 2)]
)
def test_on_the_bins_it_is_the_maximum_that_scipy_finds(intercept, slope):
    rng = np.random.default_rng(5)
    positive, negative = binned(*scored(rng, 2_000, intercept, slope))

    def loss(theta):
        z = theta[0] + theta[1] * SCORE_LOG_ODDS
        return (positive * np.logaddexp(0, -z) + negative * np.logaddexp(0, z)).sum()

    wanted = optimize.minimize(loss, [0.0, 1.0], method="BFGS", options={"gtol": 1e-7}).x
    assert np.array(recalibration(positive, negative, SCORE_LOG_ODDS)) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("decimals", [None, 2])
@pytest.mark.parametrize(("intercept", "slope"), [(0, 1), (-1.5, 0.4), (0.7, 1.8)])
def test_it_is_within_3_hundredths_of_the_raw_scores(intercept, slope, decimals):
    for seed in range(5):
        score, outcome = scored(np.random.default_rng(seed), 3_000, intercept, slope)
        kept = (score > 0.001) & (score < 0.999)
        if decimals is not None:
            score = np.round(score, decimals)
            kept = (score > 0) & (score < 1)
        score, outcome = score[kept], outcome[kept]
        model = LogisticRegression(C=np.inf, tol=1e-9, max_iter=1000).fit(
            special.logit(score)[:, None], outcome
        )
        found = recalibration(*binned(score, outcome), SCORE_LOG_ODDS)
        assert found[0] == pytest.approx(model.intercept_[0], abs=0.03)
        assert found[1] == pytest.approx(model.coef_[0, 0], abs=0.03)


def test_scores_that_mean_nothing_have_a_slope_of_about_0():
    rng = np.random.default_rng(7)
    score, outcome = rng.random(4_000), rng.integers(0, 2, 4_000)
    intercept, slope = recalibration(*binned(score, outcome), SCORE_LOG_ODDS)
    assert abs(intercept) < 0.1
    assert abs(slope) < 0.1


def test_cases_stand_beside_each_other():
    rng = np.random.default_rng(6)
    cases = [binned(*scored(rng, 900, a, b)) for a, b in ((0, 1), (1, 0.5), (-2, 1.5))]
    positive, negative = (np.array([case[k] for case in cases]) for k in (0, 1))
    together = np.array(recalibration(positive, negative, SCORE_LOG_ODDS))
    alone = [recalibration(*case, SCORE_LOG_ODDS) for case in cases]
    assert pytest.approx(np.array(alone), abs=1e-7) == together.T


X = np.array([-2.0, 0.0, 3.0])


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([1, 2, 3], [0, 0, 0]),
        ([0, 0, 0], [1, 2, 3]),
        ([0, 5, 0], [0, 5, 0]),
        ([0, 0, 5], [5, 0, 0]),
        ([5, 0, 0], [0, 0, 5]),
        ([0, 2, 5], [5, 3, 0]),
    ],
)
def test_without_a_finite_answer_there_is_none(positive, negative):
    assert np.isnan(recalibration(np.array(positive), np.array(negative), X)).all()


def test_the_smallest_overlap_has_an_answer():
    intercept, slope = recalibration(np.array([1, 0, 9]), np.array([9, 0, 1]), X)
    assert (special.expit(intercept - 2 * slope), special.expit(intercept + 3 * slope)) == pytest.approx(
        (0.1, 0.9), abs=1e-9
    )


def test_what_does_not_fit_is_refused():
    for arguments in ((np.ones(3), np.ones(2), X), (np.ones(2), np.ones(2), X)):
        with pytest.raises(ValueError, match="log_odds: expected one for each bin"):
            recalibration(*arguments)
    with pytest.raises(ValueError, match="log_odds: expected finite"):
        recalibration(np.ones(3), np.ones(3), np.array([0, 1, np.inf]))
    with pytest.raises(ValueError, match="positive_counts: expected finite counts"):
        recalibration(np.array([-1, 1, 1]), np.ones(3), X)


# --- how far they can be off by chance -----------------------------------------------------------

GRID = np.linspace(-4, 4, 41)
EACH = np.round(60 * np.exp(-GRID * GRID / 4)).astype(int)


def drawn_bins(rng, repeats, curve):
    """As records come: how many have a score is chance too."""
    n = rng.multinomial(EACH.sum(), EACH / EACH.sum(), repeats)
    ones = rng.binomial(n, special.expit(curve(GRID)))
    return ones, n - ones


@pytest.mark.parametrize("curve", [lambda x: 0.8 * x - 0.3, lambda x: 0.8 * x - 0.25 * x * x])
def test_errors_of_a_recalibration_are_the_spread_of_samples(curve):
    ones, zeros = drawn_bins(np.random.default_rng(5), 2_000, curve)
    intercept, slope = recalibration(ones, zeros, GRID)
    errors = recalibration_error(ones, zeros, GRID, intercept, slope)
    for found, values in zip(errors, (intercept, slope), strict=True):
        assert found.mean() == pytest.approx(values.std(), rel=0.05)


def test_errors_of_a_right_line_are_those_of_the_information():
    ones, zeros = drawn_bins(np.random.default_rng(6), 200, lambda x: 0.8 * x - 0.3)
    errors = recalibration_error(ones, zeros, GRID, *recalibration(ones, zeros, GRID))
    p = special.expit(0.8 * GRID - 0.3)
    design = np.stack([np.ones_like(GRID), GRID])
    inverse = np.linalg.inv((design * (EACH * p * (1 - p))) @ design.T)
    for found, wanted in zip(errors, np.sqrt(np.diag(inverse)), strict=True):
        assert found.mean() == pytest.approx(wanted, rel=0.05)


def test_without_a_recalibration_there_is_no_error():
    none = np.array([np.nan])
    errors = recalibration_error(np.array([[3, 0]]), np.array([[0, 4]]), np.array([-1.0, 1.0]), none, none)
    assert np.isnan(errors).all()
    with pytest.raises(ValueError, match="intercept, slope: expected shape"):
        recalibration_error(np.ones((1, 2)), np.ones((1, 2)), np.zeros(2), np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="log_odds: expected one for each bin"):
        recalibration_error(np.ones((1, 2)), np.ones((1, 2)), np.zeros(3), none, none)


def test_chance_adds_to_a_calibration_error_what_perfect_scores_show():
    rng = np.random.default_rng(7)
    n, p = np.array([400, 300, 200, 60]), np.array([0.1, 0.4, 0.6, 0.9])
    ones = rng.binomial(n, p, (4_000, 4))
    seen = (np.abs(ones - n * p).sum(axis=1) / n.sum()).mean()
    noise = calibration_noise(np.broadcast_to(n, ones.shape), ones)
    assert noise.mean() == pytest.approx(seen, rel=0.05)
    assert np.isnan(calibration_noise(np.zeros(3), np.zeros(3)))
    with pytest.raises(ValueError, match="outcomes: expected at most the records"):
        calibration_noise(np.ones(2), np.array([1, 2]))
    with pytest.raises(ValueError, match="outcomes: expected the bins of records"):
        calibration_noise(np.ones(2), np.ones(3))
