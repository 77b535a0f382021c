"""Quality of regressions against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from driftgauge.stats import regression

SEED = 20261122


def records(scale=1.0, centre=100.0):
    rng = np.random.default_rng(SEED)
    outcome = rng.normal(centre, scale, 400)
    return outcome, outcome + rng.normal(0.1, 0.5, 400) * scale


def test_errors_are_scikit_learns():
    outcome, prediction = records()
    error = prediction - outcome
    assert regression.rmse(400, (error**2).sum()) == pytest.approx(
        metrics.root_mean_squared_error(outcome, prediction), rel=1e-12
    )
    assert regression.mae(400, np.abs(error).sum()) == pytest.approx(
        metrics.mean_absolute_error(outcome, prediction), rel=1e-12
    )
    assert regression.mape(400, np.abs(error / outcome).sum()) == pytest.approx(
        metrics.mean_absolute_percentage_error(outcome, prediction), rel=1e-12
    )
    assert regression.bias(400, error.sum()) == pytest.approx(error.mean(), rel=1e-12)


def test_bias_is_positive_where_the_model_predicts_too_much():
    assert regression.bias(2, (3 - 1) + (5 - 4)) == 1.5


@pytest.mark.parametrize("centre", [0.0, 100.0, 90.0])
def test_r2_is_scikit_learns_whatever_the_centre(centre):
    outcome, prediction = records()
    about = outcome - centre
    found = regression.r2(400, ((prediction - outcome) ** 2).sum(), about.sum(), (about**2).sum())
    assert found == pytest.approx(metrics.r2_score(outcome, prediction), abs=1e-10)


@pytest.mark.parametrize("value", [0.0, -2.0, 0.1, 1e15, 1e-15, 1 / 3])
@pytest.mark.parametrize("n", [2, 3, 30, 10_000])
def test_r2_of_a_constant_outcome_is_nan(value, n):
    outcome = np.full(n, value)
    total = squares = 0.0
    for y in outcome:  # one by one, the worst order for rounding
        total, squares = total + y, squares + y * y
    assert np.isnan(regression.r2(n, 1.0, total, squares))


def test_r2_needs_two_records():
    assert np.isnan(regression.r2(np.array([0, 1]), 1.0, 3.0, 9.0)).all()
    assert regression.r2(2, 0.0, 1.0, 1.0) == 1


def test_without_records_nothing_is_defined_and_other_segments_are():
    n = np.array([[0, 4]])
    for function in [regression.rmse, regression.mae, regression.bias, regression.mape]:
        found = function(n, np.array([[0.0, 4.0]]))
        assert found == pytest.approx(np.array([[np.nan, 1.0]]), nan_ok=True)


def test_sums_that_overflowed_are_nan_without_a_warning():
    with np.errstate(all="raise"):
        assert np.isnan(regression.rmse(2, np.inf))
        assert np.isnan(regression.r2(3, 1.0, 1e200, np.inf))


def test_a_negative_number_of_records_is_refused():
    calls = [
        lambda: regression.rmse(-1, 1.0),
        lambda: regression.mae(-1, 1.0),
        lambda: regression.bias(-1, 1.0),
        lambda: regression.mape(-1, 1.0),
        lambda: regression.r2(-1, 1.0, 1.0, 1.0),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"n: expected finite counts of at least 0, found -1 at \(\)"):
            call()


# --- standard errors --------------------------------------------------------------------------


def errors_of(outcome, error, centre):
    z, e2 = outcome - centre, error**2
    sums = [x.sum(axis=-1) for x in (e2, z, z**2, e2**2, e2 * z, e2 * z**2, z**3, z**4)]
    n = outcome.shape[-1]
    return regression.rmse_error(n, sums[0], sums[3]), regression.r2_error(n, sums[:3], sums[3:])


def test_standard_errors_are_those_of_raw_records():
    outcome, prediction = records(centre=3.0)
    error = prediction - outcome
    rmse, r2 = errors_of(outcome, error, centre=2.5)
    influence = error**2 - (error**2).mean()
    assert rmse == pytest.approx(influence.std() / np.sqrt(400) / (2 * np.sqrt((error**2).mean())), rel=1e-9)
    square = (outcome - outcome.mean()) ** 2
    ratio = (error**2).mean() / square.mean()
    assert r2 == pytest.approx((error**2 - ratio * square).std() / np.sqrt(400) / square.mean(), rel=1e-9)


def test_standard_errors_are_the_spread_of_simulated_samples():
    rng = np.random.default_rng(SEED)
    outcome = rng.gamma(3.0, 2.0, (3_000, 600))
    error = rng.normal(0.3, 1.0, outcome.shape) * np.sqrt(outcome)
    rmse, r2 = errors_of(outcome, error, centre=6.0)
    found = np.sqrt((error**2).mean(axis=1))
    assert np.median(rmse) == pytest.approx(found.std(), rel=0.05)
    values = 1 - (error**2).mean(axis=1) / outcome.var(axis=1)
    assert np.median(r2) == pytest.approx(values.std(), rel=0.05)


def test_standard_errors_are_absent_where_nothing_varies():
    assert np.isnan(regression.rmse_error(np.array([0, 1, 5]), 0.0, 0.0)).all()
    assert regression.rmse_error(4, 4.0, 4.0) == 0
    constant = regression.r2_error(4, (4.0, 8.0, 16.0), (4.0, 8.0, 16.0, 32.0, 64.0))
    assert np.isnan(constant)
    assert np.isnan(regression.r2_error(1, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0, 1.0)))
    with np.errstate(all="raise"):
        assert np.isnan(regression.r2_error(3, (1.0, 1e200, np.inf), (1e300, 1.0, 1.0, 1.0, 1.0)))


def test_standard_errors_refuse_a_negative_number_of_records():
    for call in (
        lambda: regression.rmse_error(-1, 1.0, 1.0),
        lambda: regression.r2_error(-1, (1.0,) * 3, (1.0,) * 5),
    ):
        with pytest.raises(ValueError, match="n: expected finite counts of at least 0, found -1"):
            call()
