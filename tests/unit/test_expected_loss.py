"""The expected loss of a regression: learned, given, saved, and refused where the file is damaged."""

from dataclasses import fields

import msgspec
import numpy as np
import pytest

from driftgauge.errors import ReferenceFileError
from driftgauge.reference.loss import LossFile, learn, loaded, saved
from driftgauge.sketches.scores import ABSOLUTE, FOURTH, SQUARE, UNSUPPORTED, VARIANCE

KEYS = ("f:a", "f:b")


def drawn(n=20_000, seed=1):
    """Errors three times as large where a is 9, and growing with the prediction."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 10, (2, n)).astype(np.uint8)
    prediction = rng.uniform(100, 200, n)
    error = rng.normal(size=n) * np.where(codes[0] == 9, 3.0, 1.0) * prediction / 100
    return codes, prediction, error


def test_it_expects_the_errors_that_it_learned_from():
    loss = learn(KEYS, *drawn())
    codes, prediction, error = drawn(seed=2)
    found = loss.of(KEYS, codes, prediction)
    for chosen in (codes[0] == 9, codes[0] < 9, prediction < 120, prediction > 180):
        assert found[chosen, ABSOLUTE].mean() == pytest.approx(np.abs(error[chosen]).mean(), rel=0.05)
        assert found[chosen, SQUARE].mean() == pytest.approx((error[chosen] ** 2).mean(), rel=0.1)
    beyond = np.maximum(found[:, SQUARE] - found[:, ABSOLUTE] ** 2, 0.0)
    np.testing.assert_allclose(found[:, VARIANCE], beyond)
    assert found[:, FOURTH].mean() == pytest.approx((error**4).mean(), rel=0.15)
    assert not found[:, UNSUPPORTED].any()


def test_features_are_found_by_name_and_one_that_is_gone_is_unsupported():
    loss = learn(KEYS, *drawn())
    codes, prediction, _ = drawn(100)
    turned = loss.of(KEYS[::-1], codes[::-1], prediction)
    np.testing.assert_array_equal(turned, loss.of(KEYS, codes, prediction))
    assert loss.of(KEYS[:1], codes[:1], prediction)[:, UNSUPPORTED].all()


def test_no_prediction_has_no_expected_loss_and_a_bin_of_few_records_no_support():
    codes, prediction, error = drawn()
    codes[1, :19] = 10
    loss = learn(KEYS, codes, prediction, error)
    found = loss.of(KEYS, np.array([[1, 1], [10, 2]], np.uint8), np.array([150.0, np.nan]))
    assert found[0, UNSUPPORTED] == 1
    assert np.isnan(found[1]).all()


def test_too_few_records_or_no_error_at_all_teach_nothing():
    codes, prediction, error = drawn(999)
    assert learn(KEYS, codes, prediction, error) is None
    codes, prediction, error = drawn(2_000)
    assert learn(KEYS, codes, prediction, 0 * error) is None


def test_a_constant_prediction_and_no_feature_are_one_mean():
    _, _, error = drawn(2_000)
    loss = learn((), np.zeros((0, 2_000), np.uint8), np.full(2_000, 7.0), error)
    found = loss.of((), np.zeros((0, 1), np.uint8), np.array([7.0]))
    assert found[0, ABSOLUTE] == pytest.approx(np.abs(error).mean(), rel=1e-3)


def test_json_reads_back_equal():
    loss = learn(KEYS, *drawn(2_000))
    data = msgspec.json.encode(saved(loss))
    again = loaded(msgspec.json.decode(data, type=LossFile), "here")
    for field in fields(loss):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(loss, field.name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [2.0, 1.0]}, "here loss: expected"),
        ({"edges": []}, "expected 1 bins of the prediction"),
        ({"kurtosis": float("inf")}, "expected finite numbers"),
    ],
)
def test_a_damaged_file_is_refused(change, message):
    file = saved(learn(KEYS, *drawn(2_000)))
    with pytest.raises(ReferenceFileError, match=message):
        loaded(msgspec.structs.replace(file, **change), "here")
