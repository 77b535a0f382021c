"""Estimates without outcomes as rows: when they are given, why not, and whether they hold."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Outcomes, Task
from driftgauge.evaluate import calibrating
from driftgauge.evaluate.estimates import estimates
from driftgauge.reference.loss import learn
from driftgauge.reference.relation import Relation
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.inputs import COARSE_CELLS, Inputs
from driftgauge.sketches.learning import Learning

N = 4_000
EARLIER, LATER = WALL - 30 * HOUR, WALL - HOUR


@pytest.fixture
def path(tmp_path):
    """A reference of one feature."""
    row = Learning(2).row(("f:x",), np.arange(200.0)[None], {}, 200, {})
    made = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(made))
    return path


def driver(path, task=Task.BINARY, **model):
    model = {"windows": (DAY,), "outcomes": Outcomes(matures_after=24.0 * HOUR), **model}
    return Driver(task=task, reference=path, **model)


def scored(rng, n, chance=lambda s: s):
    score = rng.beta(0.7, 1.0, n)
    return score, (rng.random(n) < chance(score)).astype(int)


def feed(held, prefix, time, score, outcome=None, **columns):
    ids = [f"{prefix}{i}" for i in range(len(outcome if score is None else score))]
    times = np.full(len(ids), time)
    sent = predictions(ids, times, numeric={"x": np.ones(len(ids))}, score=score, **columns)
    held.send(sent, wall=time)
    if outcome is not None:
        held.send(outcomes(ids, list(outcome), times + 60), wall=time + 60)


def with_reference_of(view, other):
    """*view* with a reference whose outcomes are the matured ones of *other*."""
    row = other.windows[0].matured
    names = ("0", "1") if view.task is Task.BINARY else (*other.classes, "other")
    none = np.zeros((1, COARSE_CELLS, len(names)), np.int64)
    relation = Relation(("f:x",), names, none, None, (), other.quality, row, N, 0.0, 1.0)
    return replace(view, related=replace(view.related, reference=relation))


def binary(path, *, n=N, now=None, later=None, calibrated=None):
    """A window of *now*, matured predictions of *later*, and a reference of *calibrated* outcomes."""
    rng = np.random.default_rng(5)
    teacher = driver(path)
    feed(teacher, "r", EARLIER, *(scored(rng, n) if calibrated is None else calibrated(rng)))
    held = driver(path)
    feed(held, "m", EARLIER, *(scored(rng, 2_000) if later is None else later(rng)))
    feed(held, "n", LATER, scored(rng, 1_000)[0] if now is None else now(rng))
    return with_reference_of(held.view(), teacher.view())


def test_without_a_reference_of_outcomes_there_is_none(path):
    held = driver(path)
    feed(held, "n", LATER, np.full(200, 0.5))
    (row,) = estimates(held.view()).whole
    assert (row.state, row.given, row.samples, row.accuracy) == ("no_reference", 0.0, 200.0, None)
    assert row.calibration_error is None


def test_estimates_come_without_a_single_outcome_of_the_window(path):
    (row,) = estimates(binary(path)).whole
    assert (row.state, row.given, row.samples) == ("given", 1.0, 1_000.0)
    assert 0 < row.calibration_error < 0.05
    assert row.unsupported_ratio < 0.02
    score = scored(np.random.default_rng(99), 200_000)[0]
    assert row.accuracy == pytest.approx(np.maximum(score, 1 - score).mean(), abs=4 * row.accuracy_error)
    assert 0.005 < row.accuracy_error < 0.02


def test_the_gap_is_within_its_error_while_the_relation_holds(path):
    (row,) = estimates(binary(path)).whole
    for name in ("accuracy", "precision", "recall", "f1", "roc_auc"):
        assert abs(getattr(row, f"{name}_gap")) < 3 * getattr(row, f"{name}_error"), name


def test_the_gap_tells_of_a_changed_relation_and_the_estimate_does_not(path):
    (same,) = estimates(binary(path)).whole
    changed = binary(path, later=lambda rng: scored(rng, 2_000, lambda s: 0.25 + 0.5 * s))
    (row,) = estimates(changed).whole
    assert row.accuracy == pytest.approx(same.accuracy, abs=0.02)
    assert row.accuracy_gap > 5 * row.accuracy_error
    assert row.roc_auc_gap > 5 * row.roc_auc_error


def test_a_miscalibrated_score_is_estimated_rightly_all_the_same(path):
    """The model's scores say nothing of the chance but its order: calibrated by the reference."""
    squared = lambda rng: scored(rng, N, lambda s: s**3)  # noqa: E731
    view = binary(path, calibrated=squared, later=lambda rng: scored(rng, 2_000, lambda s: s**3))
    (row,) = estimates(view).whole
    assert abs(row.accuracy_gap) < 3 * row.accuracy_error
    assert abs(row.precision_gap) < 3 * row.precision_error


def scored_low(rng):
    score = rng.random(3_000) * 0.5
    return score, (rng.random(3_000) < score).astype(int)


@pytest.mark.parametrize(
    ("case", "state"),
    [
        ({"n": 900}, "few_outcomes"),
        ({"calibrated": lambda rng: (rng.random(2_000), np.arange(2_000) < 49)}, "few_outcomes"),
        ({"now": lambda rng: rng.random(29)}, "few_scores"),
        ({"now": lambda rng: np.full(500, np.nan), "later": lambda rng: (np.full(9, 0.5), [0] * 9)}, "few_scores"),
        ({"calibrated": scored_low}, "unsupported"),
    ],
)  # fmt: skip
def test_why_there_is_none(path, case, state):
    (row,) = estimates(binary(path, **case)).whole
    assert (row.state, row.given, row.accuracy, row.f1_error) == (state, 0.0, None, None)


def test_a_calibration_that_fails_on_held_out_records_is_not_used(path, monkeypatch):
    """Pooling makes that rare: 4,000 records are within 0.05 whatever their scores."""
    monkeypatch.setattr(calibrating, "MOST_ERROR", 0.001)
    (row,) = estimates(binary(path)).whole
    assert (row.state, row.given, row.accuracy) == ("miscalibrated", 0.0, None)
    assert row.calibration_error > 0.001


def test_a_score_alone_and_a_prediction_of_its_own_are_both_estimated(path):
    """A sender that decides at 0.3 has more positives than the threshold of 0.5 would give."""
    rng = np.random.default_rng(8)
    view = binary(path)
    (alone,) = estimates(view).whole
    teacher, held = driver(path), driver(path)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    score = scored(rng, 1_000)[0]
    feed(held, "n", LATER, score, prediction=(score >= 0.3).astype(int).tolist())
    feed(held, "m", EARLIER, np.array([0.5]), [1])
    (row,) = estimates(with_reference_of(held.view(), teacher.view())).whole
    assert row.recall > alone.recall + 0.1
    assert row.precision < alone.precision
    assert row.accuracy_gap is None  # one outcome


def test_segments_are_estimated_by_their_own_scores(path):
    rng = np.random.default_rng(4)
    teacher, held = driver(path), driver(path)
    feed(teacher, "r", EARLIER, *scored(rng, N))
    score = np.concatenate([rng.uniform(0.85, 1.0, 500), rng.uniform(0.4, 0.6, 500)])
    feed(held, "n", LATER, score, segments={"plan": ["sure"] * 500 + ["unsure"] * 500})
    feed(held, "m", EARLIER, np.array([0.5]), [1])
    parts = {p.segment_value: p for p in estimates(with_reference_of(held.view(), teacher.view())).parts}
    assert parts.keys() == {"sure", "unsure"}
    assert parts["sure"].samples == 500
    assert parts["sure"].accuracy > 0.85
    assert parts["unsure"].accuracy == pytest.approx(0.53, abs=0.06)


def test_expected_cells_add_up_to_the_predictions(path):
    made = estimates(binary(path))
    assert sum(cell.records for cell in made.cells) == pytest.approx(1_000)
    cells = {(c.outcome, c.prediction): c.records for c in made.cells}
    (row,) = made.whole
    assert row.accuracy == pytest.approx((cells["1", "1"] + cells["0", "0"]) / 1_000)


# --- multiclass -------------------------------------------------------------------------------

CLASSES = ("a", "b", "c")


def of_classes(rng, n):
    scores = rng.dirichlet([0.6, 0.5, 0.4], n)
    outcome = [CLASSES[np.searchsorted(np.cumsum(row), rng.random() * 0.999999)] for row in scores]
    return scores, outcome


def multiclass(path, n=N):
    rng = np.random.default_rng(6)
    teacher, held = driver(path, Task.MULTICLASS), driver(path, Task.MULTICLASS)
    for monitor, prefix, records in ((teacher, "r", n), (held, "m", 3_000)):
        scores, outcome = of_classes(rng, records)
        named = dict(zip(CLASSES, scores.T, strict=True))
        feed(monitor, prefix, EARLIER, None, outcome, scores=named)
    scores, outcome = of_classes(rng, 3_000)
    ids = [f"n{i}" for i in range(3_000)]
    named = dict(zip(CLASSES, scores.T, strict=True))
    held.send(predictions(ids, np.full(3_000, LATER), numeric={"x": np.ones(3_000)}, scores=named))
    return with_reference_of(held.view(), teacher.view()), scores, np.array(outcome)


def test_multiclass_estimates_are_what_comes(path):
    view, scores, outcome = multiclass(path)
    made = estimates(view)
    (row,) = made.whole
    assert row.state == "given"
    predicted = np.array(CLASSES)[scores.argmax(axis=1)]
    realised = {
        "accuracy": metrics.accuracy_score(outcome, predicted),
        "precision": metrics.precision_score(outcome, predicted, average="macro"),
        "recall": metrics.recall_score(outcome, predicted, average="macro"),
        "f1": metrics.f1_score(outcome, predicted, average="macro"),
        "roc_auc": metrics.roc_auc_score(outcome, scores, multi_class="ovr", average="macro"),
    }
    for name, value in realised.items():
        assert getattr(row, name) == pytest.approx(value, abs=3 * getattr(row, f"{name}_error")), name
        assert abs(getattr(row, f"{name}_gap")) < 3 * getattr(row, f"{name}_error"), name
    assert row.accuracy_error < 0.02
    by_class = {part.class_: part for part in made.parts}
    assert by_class.keys() == set(CLASSES)
    for name, part in by_class.items():
        recall = metrics.recall_score(outcome == name, predicted == name)
        assert part.recall == pytest.approx(recall, abs=3 * part.recall_error)
        assert part.accuracy is None


# --- regression -------------------------------------------------------------------------------


@pytest.fixture
def priced(tmp_path):
    """A reference whose records err by 1 at x below 100, by 4 above; predictions are 10 to 20."""
    rng = np.random.default_rng(1)
    x, prediction = rng.uniform(0, 200, N), rng.uniform(10, 20, N)
    row = Learning(2).row(("f:x", "o:prediction"), np.array([x, prediction]), {}, N, {})
    made = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    inputs = made.only("f:")
    coded = CoarseCodes(Inputs(inputs.bins), inputs.id, (), 32)
    codes = coded.codes(("f:x",), x[None], {}, N)
    error = rng.normal(size=N) * np.where(x < 100, 1.0, 4.0)
    path = tmp_path / "priced.json"
    loss = learn(coded.keys, codes, prediction, error)
    path.write_bytes(references.to_json(replace(made, loss=loss)))
    return path


def priced_batch(held, prefix, time, x, error=None, **columns):
    rng = np.random.default_rng(len(prefix))
    ids, prediction = [f"{prefix}{i}" for i in range(x.size)], rng.uniform(10, 20, x.size)
    times = np.full(x.size, time)
    given = predictions(ids, times, numeric={"x": x}, prediction=prediction.tolist(), **columns)
    held.send(given, wall=time)
    if error is not None:
        held.send(outcomes(ids, (prediction - error).tolist(), times + 60), wall=time + 60)


def priced_view(path, high, *, off=1.0):
    """A window whose records lie above x = 100 by the share *high*; matured errors are *off* times."""
    rng = np.random.default_rng(9)
    held = driver(path, Task.REGRESSION)
    x = rng.uniform(0, 200, 2_000)
    priced_batch(held, "m", EARLIER, x, off * rng.normal(size=2_000) * np.where(x < 100, 1.0, 4.0))
    x = np.where(rng.random(1_000) < high, rng.uniform(105, 195, 1_000), rng.uniform(5, 95, 1_000))
    plan = ["high" if each > 100 else "low" for each in x]
    priced_batch(held, "now", LATER, x, segments={"plan": plan})
    return held


MEAN = np.sqrt(2 / np.pi)


@pytest.mark.parametrize("high", [0.0, 0.5, 1.0])
def test_the_error_to_expect_follows_the_inputs(priced, high):
    made = estimates(priced_view(priced, high).view())
    (row,) = made.whole
    assert (row.state, row.given, row.samples) == ("given", 1.0, 1_000.0)
    assert row.mae == pytest.approx(MEAN * (1 + 3 * high), rel=0.1)
    assert row.rmse == pytest.approx(np.sqrt(1 + 15 * high), rel=0.1)
    assert 0.01 < row.mae_error < 0.12
    assert row.accuracy is None
    parts = {part.segment_value: part.mae for part in made.parts}
    assert all(
        parts[n] == pytest.approx(m * MEAN, rel=0.1) for n, m in (("low", 1), ("high", 4)) if n in parts
    )
    assert len(parts) == (2 if high == 0.5 else 1)


def test_the_gap_is_small_until_the_relation_changes(priced):
    (same,) = estimates(priced_view(priced, 0.5).view()).whole
    (worse,) = estimates(priced_view(priced, 0.5, off=2.0).view()).whole
    assert abs(same.mae_gap) < 3 * same.mae_error
    assert worse.mae == same.mae
    assert worse.mae_gap < -10 * worse.mae_error
    assert worse.rmse_gap < -10 * worse.rmse_error


def test_a_restart_expects_the_same(priced):
    held = priced_view(priced, 0.5)
    assert estimates(held.restarted().view()) == estimates(held.view())


def test_a_regression_without_a_reference_of_errors_has_no_estimate(path):
    held = driver(path, Task.REGRESSION)
    priced_batch(held, "n", LATER, np.ones(200))
    (row,) = estimates(held.view()).whole
    assert (row.state, row.given, row.mae) == ("no_reference", 0.0, None)


def test_a_regression_far_from_all_that_was_learned_is_withdrawn(priced):
    held = driver(priced, Task.REGRESSION)
    priced_batch(held, "n", LATER, np.full(200, np.nan))
    (row,) = estimates(held.view()).whole
    assert (row.state, row.unsupported_ratio, row.mae) == ("unsupported", 1.0, None)
