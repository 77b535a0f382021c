"""The log-linear model of a loss, against scikit-learn's Poisson regression and by hand."""

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from driftgauge.stats.loss import log_linear


def drawn(n=3_000):
    rng = np.random.default_rng(3)
    cells = np.array([rng.integers(0, 3, n), rng.integers(0, 5, n)])
    loss = np.exp(0.5 * cells[0] - 0.3 * cells[1]) * rng.exponential(size=n) * 40
    return cells, (3, 5), loss


def expected(effects, cells):
    return np.exp(sum(effect[group] for effect, group in zip(effects, cells, strict=True)))


def test_it_is_scikit_learns_poisson_regression():
    cells, widths, loss = drawn()
    one_hot = np.concatenate([np.eye(w)[g] for g, w in zip(cells, widths, strict=True)], axis=1)
    ridge = 1.0
    oracle = PoissonRegressor(alpha=ridge / len(loss), tol=1e-10, max_iter=1_000)
    oracle.fit(one_hot, loss / loss.mean())
    found = expected(log_linear(cells, widths, loss, ridge=ridge, sweeps=200), cells)
    # ours has no intercept of its own, whose effect the ridge would leave alone
    np.testing.assert_allclose(found, oracle.predict(one_hot) * loss.mean(), rtol=0.01)


def test_each_cells_expected_losses_add_up_to_those_seen():
    cells, widths, loss = drawn()
    found = expected(log_linear(cells, widths, loss, ridge=1e-9, sweeps=60), cells)
    for group, width in zip(cells, widths, strict=True):
        told = np.bincount(group, weights=found, minlength=width)
        np.testing.assert_allclose(told, np.bincount(group, weights=loss, minlength=width), rtol=1e-6)


def test_by_hand_one_group_has_the_means_of_its_cells():
    (effect,) = log_linear(np.array([[0, 0, 1]]), [3], np.array([1.0, 3.0, 8.0]), ridge=1e-12, sweeps=100)
    np.testing.assert_allclose(np.exp(effect[:2]), [2.0, 8.0])
    assert np.exp(effect[2]) == pytest.approx(4.0)  # nothing was seen: the mean


def test_the_ridge_pulls_a_cell_of_few_records_to_the_mean():
    cells = np.array([[0] * 1_000 + [1] * 2])
    loss = np.array([1.0] * 1_000 + [9.0] * 2)
    (effect,) = log_linear(cells, [2], loss, ridge=5.0, sweeps=200)
    assert 1.5 < np.exp(effect[1]) < 5
    assert np.exp(effect[0]) == pytest.approx(1.0, abs=0.02)


def test_sweeps_go_on_where_earlier_ones_left_off():
    cells, widths, loss = drawn()
    found = None
    for _ in range(5):
        found = log_linear(cells, widths, loss, sweeps=1, begin=found)
    for effect, whole in zip(found, log_linear(cells, widths, loss, sweeps=5), strict=True):
        np.testing.assert_allclose(effect, whole, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=r"begin: expected effects of \[3, 5\] cells"):
        log_linear(cells, widths, loss, begin=found[::-1])


@pytest.mark.parametrize(
    ("cells", "widths", "loss", "message"),
    [
        (np.zeros((1, 2), int), [1], np.array([1.0, -1.0]), "loss: expected finite counts"),
        (np.zeros((1, 2), int), [1], np.array([1.0, np.nan]), "loss: expected finite counts"),
        (np.zeros((1, 2), int), [1], np.zeros(2), "a sum above 0"),
        (np.zeros((1, 0), int), [1], np.zeros(0), "a sum above 0"),
        (np.ones((1, 2), int), [1], np.ones(2), "cells: expected 0 to 0"),
        (np.zeros((2, 2), int), [1], np.ones(2), r"cells: expected shape \(1, 2\)"),
    ],
)
def test_bad_input_is_refused(cells, widths, loss, message):
    with pytest.raises(ValueError, match=message):
        log_linear(cells, widths, loss)
