"""Value before outcomes come: against what came, weighted and by segment, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.evaluate.test_estimate_rows import EARLIER, LATER, feed, path, scored, with_reference_of
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge.config import DAY, HOUR, Outcomes, Task, Value
from driftgauge.evaluate import evaluate

__all__ = ["path"]

WORTH = {"true_positive": 40.0, "false_positive": -5.0, "false_negative": -120.0, "true_negative": 0.0}
MATRIX = np.array([[0.0, -5.0], [-120.0, 40.0]])
N = 4_000


def driver(path, task=Task.BINARY, value=None, **model):
    model = {"windows": (DAY,), "outcomes": Outcomes(matures_after=24.0 * HOUR), **model}
    return Driver(task=task, reference=path, value=value or Value("EUR", **WORTH), **model)


def snapshot_of(path, *, chance=lambda s: s, value=None, segments=False, now=1_000, own=None):
    """A window of *now* without outcomes, a matured one with outcomes of *chance*, a true reference."""
    rng = np.random.default_rng(5)
    teacher = driver(path, value=value)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    held = driver(path, value=value)
    score, told = scored(rng, 2_000, chance)
    feed(held, "m", EARLIER, score, told)
    later, truth = scored(rng, now)
    feed(held, "n", LATER, later, segments={"plan": ["free", "pro"] * (now // 2)})
    view = with_reference_of(held.view(), teacher.view())
    return evaluate([view], WALL, 0.0, segments=segments).versions[0], (score, told), (later, truth)


def worth(score, told, weight=1.0):
    return MATRIX[told, (score >= 0.5).astype(int)] * weight


def test_the_estimate_holds_what_the_outcomes_then_pay(path):
    snapshot, matured, (score, truth) = snapshot_of(path)
    (row,) = snapshot.estimated_value
    assert row.samples == 1_000
    assert row.low < worth(score, truth).sum() < row.high
    spread = np.sqrt((score * (1 - score) * np.where(score >= 0.5, 45.0, -120.0) ** 2).sum())
    assert 1.96 * spread < row.high - row.value < 3 * spread
    assert row.value == pytest.approx(
        np.where(score >= 0.5, score * 40 - (1 - score) * 5, score * -120).sum(), abs=1.5 * spread
    )
    assert row.mean == row.value / 1_000
    assert abs(row.gap) < 3 * worth(*matured).std() / np.sqrt(2_000)


def test_segments_add_up_to_the_whole_and_come_with_their_family(path):
    snapshot, *_ = snapshot_of(path)
    assert [row.segment for row in snapshot.estimated_value] == [""]
    parts = snapshot.segment_estimated_value
    assert [row.segment_value for row in parts] == ["free", "pro"]
    assert sum(row.value for row in parts) == pytest.approx(snapshot.estimated_value[0].value, rel=0.03)
    assert sum(row.samples for row in parts) == 1_000
    with_family, *_ = snapshot_of(path, segments=True)
    assert [row.segment_value for row in with_family.estimated_value] == ["", "free", "pro"]


def test_a_score_that_no_longer_means_what_it_did_shows_in_the_gap_alone(path):
    snapshot, (score, told), _ = snapshot_of(path, chance=lambda s: np.minimum(1.0, s + 0.2))
    (row,) = snapshot.estimated_value
    as_before = np.where(score >= 0.5, score * 40 - (1 - score) * 5, score * -120).mean()
    assert row.gap == pytest.approx(as_before - worth(score, told).mean(), abs=2.0)
    assert row.gap > 8.0


def test_weights_are_those_of_the_predictions_without_outcomes(path):
    rng = np.random.default_rng(6)
    value = Value("EUR", **WORTH, weight="x")
    teacher, held = driver(path), driver(path, value=value)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    score, truth = scored(rng, 2_000)
    amount = rng.lognormal(0, 1, 2_000)
    held.send(
        predictions(
            [f"n{i}" for i in range(2_000)], np.full(2_000, LATER), numeric={"x": amount}, score=score
        )
    )
    (row,) = evaluate([with_reference_of(held.view(), teacher.view())], WALL, 0.0).versions[0].estimated_value
    assert row.low < worth(score, truth, amount).sum() < row.high
    expected = (np.where(score >= 0.5, score * 40 - (1 - score) * 5, score * -120) * amount).sum()
    assert row.value == pytest.approx(expected, abs=(row.high - row.low) / 2)
    assert row.samples == 2_000
    twin = held.restarted()
    again = evaluate([with_reference_of(twin.view(), teacher.view())], WALL, 0.0).versions[0].estimated_value
    assert again == (row,)


def test_a_multiclass_model_is_worth_its_expected_accuracy(path):
    rng = np.random.default_rng(8)
    value = Value("EUR", right=2.0, wrong=-3.0)
    names = ["cat", "dog", "eel"]

    def shares(n):
        scores = rng.dirichlet([1.0, 1.0, 0.6], n)
        told = [names[rng.choice(3, p=p)] for p in scores]
        return dict(zip(names, scores.T, strict=True)), told, scores

    teacher, held = driver(path, Task.MULTICLASS, value), driver(path, Task.MULTICLASS, value)
    given, told, _ = shares(4_000)
    feed(teacher, "r", EARLIER, None, told, scores=given)
    given, told, _ = shares(2_000)
    feed(held, "m", EARLIER, None, told, scores=given)
    given, told, scores = shares(1_000)
    held.send(
        predictions(
            [f"n{i}" for i in range(1_000)],
            np.full(1_000, LATER),
            numeric={"x": np.ones(1_000)},
            scores=given,
        )
    )
    snapshot = evaluate([with_reference_of(held.view(), teacher.view())], WALL, 0.0).versions[0]
    (row,) = snapshot.estimated_value
    (estimate,) = snapshot.estimates
    assert row.value == pytest.approx(1_000 * (5.0 * estimate.accuracy - 3.0), rel=1e-12)
    right = np.array(names)[scores.argmax(axis=1)] == np.array(told)
    assert row.low < np.where(right, 2.0, -3.0).sum() < row.high
    assert row.gap == pytest.approx(5.0 * estimate.accuracy_gap, rel=1e-12)


def test_there_is_none_without_a_calibration_or_with_values_of_the_outcomes_own(path):
    rng = np.random.default_rng(5)
    held = driver(path)
    feed(held, "n", LATER, scored(rng, 500)[0])
    (row,) = evaluate([held.view()], WALL, 0.0).versions[0].estimated_value
    assert (row.state, row.given, row.value, row.samples) == ("not_estimated", 0.0, None, None)
    teacher = driver(path)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    view = with_reference_of(held.view(), teacher.view())
    assert len(evaluate([view], WALL, 0.0).versions[0].estimated_value) == 1
    own = view.windows[0].value_arrived.copy()
    view.value.layout.count(own, "own")[0] = 1
    told = replace(view, windows=(replace(view.windows[0], value_arrived=own),))
    (row,) = evaluate([told], WALL, 0.0).versions[0].estimated_value
    assert (row.state, row.given, row.value) == ("own_values", 0.0, None)


def test_weighted_segments_add_up_to_the_whole(path):
    rng = np.random.default_rng(6)
    value = Value("EUR", **WORTH, weight="x")
    teacher, held = driver(path), driver(path, value=value)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    score, truth = scored(rng, 2_000)
    amount, plan = rng.lognormal(0, 1, 2_000), np.array(["free", "pro", "pro", "pro"] * 500)
    held.send(
        predictions(
            [f"n{i}" for i in range(2_000)],
            np.full(2_000, LATER),
            numeric={"x": amount},
            score=score,
            segments={"plan": plan.tolist()},
        )
    )
    snapshot = evaluate([with_reference_of(held.view(), teacher.view())], WALL, 0.0).versions[0]
    (whole,), parts = snapshot.estimated_value, snapshot.segment_estimated_value
    assert [row.segment_value for row in parts] == ["free", "pro"]
    assert sum(row.value for row in parts) == pytest.approx(whole.value, rel=1e-9)
    for row in parts:
        mine = plan == row.segment_value
        assert row.low < worth(score, truth, amount)[mine].sum() < row.high


def test_a_weighted_multiclass_model_is_worth_what_its_classes_pay(path):
    rng = np.random.default_rng(9)
    value = Value("EUR", right=2.0, wrong=-3.0, weight="x")
    names = np.array(["cat", "dog", "eel"])

    def drawn(n):
        scores = rng.dirichlet([1.0, 1.0, 0.6], n)
        told = names[[rng.choice(3, p=p) for p in scores]]
        return dict(zip(names.tolist(), scores.T, strict=True)), told, scores

    teacher = driver(path, Task.MULTICLASS, replace(value, weight=None))
    held = driver(path, Task.MULTICLASS, value)
    given, told, _ = drawn(12_000)
    feed(teacher, "r", EARLIER, None, told.tolist(), scores=given)
    given, told, scores = drawn(3_000)
    # What weighs most is what the model is surest of: the plain accuracy would be far off.
    amount = np.exp(3 * scores.max(axis=1)) * rng.lognormal(0, 0.3, 3_000)
    held.send(
        predictions(
            [f"n{i}" for i in range(3_000)], np.full(3_000, LATER), numeric={"x": amount}, scores=given
        )
    )
    snapshot = evaluate([with_reference_of(held.view(), teacher.view())], WALL, 0.0).versions[0]
    (row,), (estimate,) = snapshot.estimated_value, snapshot.estimates
    right = names[scores.argmax(axis=1)] == told
    assert row.low < (np.where(right, 2.0, -3.0) * amount).sum() < row.high
    top = scores.max(axis=1)
    assert row.value == pytest.approx(((5 * top - 3) * amount).sum(), abs=(row.high - row.value))
    plain = amount.sum() * (5 * estimate.accuracy - 3)
    assert row.value - plain > 2 * (row.high - row.value)
    assert (row.samples, row.given) == (3_000, 1.0)
