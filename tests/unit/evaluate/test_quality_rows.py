"""Records in, a Snapshot out: quality against scikit-learn, and absent or defined where little is known."""

import math

import numpy as np
import pytest
from sklearn import metrics
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, Task
from driftgauge.evaluate import evaluate
from driftgauge.snapshot import Cohort

N = 1_500


def version_of(held, *, segments=False):
    return evaluate([held.view()], WALL, 0.0, segments=segments).versions[0]


def driver(**model):
    return Driver(windows=(DAY,), **model)


def whole(snapshot, cohort=Cohort.ARRIVED):
    return next(q for q in snapshot.quality if q.cohort == cohort and not q.segment)


def classes(snapshot, name=""):
    return next(
        c for c in snapshot.classes if c.cohort == Cohort.ARRIVED and not c.segment and c.class_ == name
    )


def numbers(snapshot):
    for row in snapshot.rows():
        for name in row.__struct_fields__:
            found = getattr(row, name)
            if isinstance(found, float):
                yield type(row).__name__, name, found


def check_finite(snapshot):
    assert all(math.isfinite(number) for *_, number in numbers(snapshot)), list(numbers(snapshot))


def fed(held, n=N, **columns):
    held.send(predictions([None] * n, np.full(n, WALL - 60), **columns))
    return version_of(held)


# --- against scikit-learn ---------------------------------------------------------------------


def test_a_binary_model_in_all_its_numbers_and_segments():
    rng = np.random.default_rng(1)
    score = rng.beta(0.7, 0.7, N)
    outcome = (rng.random(N) < score**1.3).astype(int)
    plan = rng.choice(["free", "pro"], N)
    held = driver(task=Task.BINARY)
    ids = [f"i{i}" for i in range(N)]
    held.send(predictions(ids, np.full(N, WALL - 60), score=score, segments={"plan": plan.tolist()}))
    held.send(outcomes(ids, outcome.tolist()))
    snapshot = version_of(held)
    check_finite(snapshot)
    for value in ("", "free", "pro"):
        mine = np.ones(N, bool) if not value else plan == value
        y, s = outcome[mine], score[mine]
        quality = next(q for q in snapshot.quality if q.segment_value == value)
        assert quality.samples == mine.sum()
        assert quality.accuracy == pytest.approx(metrics.accuracy_score(y, s >= 0.5), rel=1e-9)
        assert quality.log_loss == pytest.approx(metrics.log_loss(y, s), rel=1e-9)
        assert quality.brier == pytest.approx(metrics.brier_score_loss(y, s), rel=1e-9)
        rows = (*snapshot.classes, *snapshot.segment_classes)
        found = next(c for c in rows if c.segment_value == value and c.cohort == Cohort.ARRIVED)
        assert found.precision == pytest.approx(metrics.precision_score(y, s >= 0.5), rel=1e-9)
        assert found.recall == pytest.approx(metrics.recall_score(y, s >= 0.5), rel=1e-9)
        assert found.f1 == pytest.approx(metrics.f1_score(y, s >= 0.5), rel=1e-9)
        assert abs(found.roc_auc - metrics.roc_auc_score(y, s)) <= found.roc_auc_half_width + 1e-12


def test_a_multiclass_model_in_all_its_numbers_and_classes():
    rng = np.random.default_rng(2)
    names = ["cat", "dog", "eel"]
    scores = rng.dirichlet([1.5, 1.0, 0.6], N)
    outcome = np.array([rng.choice(3, p=p) for p in scores])
    held = driver(task=Task.MULTICLASS)
    snapshot = fed(
        held,
        scores=dict(zip(names, scores.T, strict=True)),
        outcome=[names[i] for i in outcome],
    )
    check_finite(snapshot)
    predicted = scores.argmax(axis=1)
    quality = whole(snapshot)
    assert quality.accuracy == pytest.approx(metrics.accuracy_score(outcome, predicted), rel=1e-9)
    assert quality.log_loss == pytest.approx(metrics.log_loss(outcome, scores), rel=1e-9)
    one_hot = np.eye(3)[outcome]
    assert quality.brier == pytest.approx(((scores - one_hot) ** 2).sum(axis=1).mean(), rel=1e-9)
    macro = classes(snapshot)
    assert macro.f1 == pytest.approx(metrics.f1_score(outcome, predicted, average="macro"), rel=1e-9)
    exact = metrics.roc_auc_score(outcome, scores, multi_class="ovr", average="macro")
    assert macro.roc_auc == pytest.approx(exact, abs=0.001)
    precision = metrics.precision_score(outcome, predicted, average=None)
    recall = metrics.recall_score(outcome, predicted, average=None)
    for code, name in enumerate(names):
        row = classes(snapshot, name)
        assert row.samples == (outcome == code).sum()
        assert row.precision == pytest.approx(precision[code], rel=1e-9)
        assert row.recall == pytest.approx(recall[code], rel=1e-9)
        area = metrics.roc_auc_score(outcome == code, scores[:, code])
        assert abs(row.roc_auc - area) <= row.roc_auc_half_width + 1e-12


def test_a_regression_in_all_its_numbers_and_segments():
    rng = np.random.default_rng(3)
    outcome = rng.normal(500, 40, N)
    predicted = outcome + rng.normal(3, 15, N)
    region = rng.choice(["eu", "us"], N)
    snapshot = fed(
        driver(task=Task.REGRESSION),
        prediction=predicted.tolist(),
        outcome=outcome.tolist(),
        segments={"region": region.tolist()},
    )
    check_finite(snapshot)
    for value in ("", "eu", "us"):
        mine = np.ones(N, bool) if not value else region == value
        y, p = outcome[mine], predicted[mine]
        quality = next(q for q in snapshot.quality if q.segment_value == value)
        assert quality.rmse == pytest.approx(metrics.root_mean_squared_error(y, p), rel=1e-9)
        assert quality.mae == pytest.approx(metrics.mean_absolute_error(y, p), rel=1e-9)
        assert quality.r2 == pytest.approx(metrics.r2_score(y, p), abs=1e-9)
        assert quality.bias == pytest.approx((p - y).mean(), rel=1e-9)
    (sums,) = snapshot.errors
    assert sums.outcomes == N
    assert sums.over - sums.under == pytest.approx((predicted - outcome).sum(), rel=1e-9)
    assert sums.outcome_over - sums.outcome_under == pytest.approx(
        (outcome - sums.outcome_centre).sum(), abs=1e-6
    )


# --- what little is known ---------------------------------------------------------------------

ONE_SIDED = {
    "only positives": {"score": np.linspace(0.1, 0.9, 60), "outcome": [1] * 60},
    "only negatives": {"score": np.linspace(0.1, 0.9, 60), "outcome": [0] * 60},
    "nothing predicted positive": {"score": np.full(60, 0.1), "outcome": [0, 1] * 30},
    "one constant score": {"score": np.full(60, 0.5), "outcome": [0, 1] * 30},
    "classes without scores": {"prediction": [0, 1] * 30, "outcome": [0, 0] * 30},
    "outcomes without predictions": {"outcome": [0, 1] * 30},
    "scores of 0 and 1": {"score": np.tile([0.0, 1.0], 30), "outcome": [1, 0] * 30},
    "scores beyond 0 and 1": {"score": np.linspace(-5, 5, 60), "outcome": [1, 0] * 30},
}


@pytest.mark.parametrize("name", ONE_SIDED)
def test_a_one_sided_binary_window_is_absent_or_defined(name):
    columns = ONE_SIDED[name]
    snapshot = fed(driver(task=Task.BINARY), 60, **columns)
    check_finite(snapshot)
    quality, found = whole(snapshot), classes(snapshot)
    outcome = np.array(columns["outcome"])
    one_class = len(set(columns["outcome"])) == 1
    assert quality.samples == 60
    if one_class or "score" not in columns or name == "scores beyond 0 and 1":
        assert (found.roc_auc is None) == (one_class or "score" not in columns)
    if name == "one constant score":
        assert (found.roc_auc, found.roc_auc_half_width) == (0.5, 0.5)
    if not outcome.any():
        assert found.recall is None
    if name == "nothing predicted positive":
        assert (found.precision, found.recall, quality.accuracy) == (None, 0.0, 0.5)
    if name == "outcomes without predictions":
        assert (quality.accuracy, quality.log_loss, quality.ece, found.f1) == (None, None, None, None)
    if name == "classes without scores":
        assert (quality.accuracy, quality.log_loss) == (0.5, None)
    if name == "scores of 0 and 1":
        expected = metrics.log_loss(outcome, columns["score"])
        assert quality.log_loss == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "columns",
    [
        {"prediction": ["a"] * 60, "outcome": ["a"] * 60},
        {"prediction": ["a"] * 60, "outcome": ["b"] * 60},
        {"outcome": ["a", "b"] * 30},
        {"scores": {"a": np.full(60, 1.0), "b": np.zeros(60)}, "outcome": ["b"] * 60},
        {"scores": {"a": np.full(60, 1.0)}, "outcome": ["never predicted"] * 60},
        {"scores": {f"c{i}": np.full(60, 1 / 30) for i in range(30)}, "outcome": ["c29", "c1"] * 30},
    ],
)
def test_a_one_sided_multiclass_window_is_absent_or_defined(columns):
    snapshot = fed(driver(task=Task.MULTICLASS), 60, **columns)
    check_finite(snapshot)
    assert whole(snapshot).samples == 60


@pytest.mark.parametrize(
    ("prediction", "outcome", "r2"),
    [([5.0] * 60, [5.0] * 60, None), ([0.0, 1.0] * 30, [5.0] * 60, None), ([5.0] * 60, [4.0, 6.0] * 30, 0.0)],
)
def test_a_constant_regression_is_absent_or_defined(prediction, outcome, r2):
    snapshot = fed(driver(task=Task.REGRESSION), 60, prediction=prediction, outcome=outcome)
    check_finite(snapshot)
    assert whole(snapshot).r2 == (None if r2 is None else pytest.approx(r2, abs=1e-12))
    expected = metrics.mean_absolute_error(outcome, prediction)
    assert whole(snapshot).mae == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("absurd", [1e300, -1.7e308, 1e160])
def test_an_absurd_outcome_leaves_every_number_finite(absurd):
    snapshot = fed(driver(task=Task.REGRESSION), 60, prediction=[1.0] * 60, outcome=[2.0] * 59 + [absurd])
    check_finite(snapshot)


def test_below_30_samples_there_is_a_count_and_no_number():
    for n, known in ((29, False), (30, True)):
        snapshot = fed(
            driver(task=Task.BINARY), n, score=np.linspace(0, 1, n), outcome=[0, 1] * (n // 2) + [1] * (n % 2)
        )
        assert whole(snapshot).samples == classes(snapshot).samples == n
        for number in (whole(snapshot).accuracy, whole(snapshot).brier, classes(snapshot).roc_auc):
            assert (number is not None) == known


def test_a_segment_below_30_samples_has_a_count_and_no_number():
    plan = ["big"] * 40 + ["small"] * 29
    snapshot = fed(
        driver(task=Task.BINARY), 69, score=np.full(69, 0.6), outcome=[1] * 69, segments={"plan": plan}
    )
    by_value = {q.segment_value: q for q in snapshot.quality}
    assert (by_value["big"].accuracy, by_value["small"].accuracy) == (1.0, None)
    assert by_value["small"].samples == 29


def test_segments_without_outcomes_have_no_row_and_what_was_folded_has_one():
    n = 480
    plan = [f"p{i % 12}" for i in range(n)]
    held = driver(task=Task.BINARY)
    snapshot = fed(
        held,
        n,
        score=np.full(n, 0.9),
        outcome=[1 if i % 12 else None for i in range(n)],
        segments={"plan": plan},
    )
    names = [q.segment_value for q in snapshot.quality]
    assert names == ["", *(f"p{i}" for i in range(1, 10)), "other"]
    assert next(q for q in snapshot.quality if q.segment_value == "other").samples == 80


def test_classes_of_segments_are_exported_when_they_are_asked_for():
    held = driver(task=Task.BINARY)
    fed(held, 60, score=np.full(60, 0.9), outcome=[0, 1] * 30, segments={"plan": ["a", "b"] * 30})
    assert [c.segment_value for c in version_of(held).classes] == [""]
    exported = version_of(held, segments=True)
    assert [c.segment_value for c in exported.classes] == ["", "a", "b"]
    assert [c.segment_value for c in exported.segment_classes] == ["a", "b"]


def test_without_a_task_there_is_no_quality_and_no_label_state():
    snapshot = fed(driver(task=None), 60, numeric={"x": np.arange(60.0)})
    assert snapshot.quality == snapshot.classes == snapshot.labels == snapshot.errors == ()
    assert snapshot.state.task == ""
    assert {w.cohort for w in snapshot.windows} >= {Cohort.PREDICTED}
    check_finite(snapshot)


def test_coverage_is_the_share_of_predictions_with_an_outcome():
    held = driver(task=Task.BINARY)
    ids = [f"i{i}" for i in range(80)]
    held.send(predictions(ids, np.full(80, WALL - 60), score=np.full(80, 0.5)))
    held.send(outcomes(ids[:20], [1] * 20))
    (label,) = version_of(held).labels
    assert (label.cohort, label.coverage_ratio) == (Cohort.PREDICTED, 0.25)


def test_fleet_counters_add_up_to_the_records():
    held = driver(task=Task.BINARY)
    rng = np.random.default_rng(4)
    snapshot = fed(held, N, score=rng.random(N), outcome=rng.integers(0, 2, N).tolist())
    assert sum(cell.outcomes for cell in snapshot.confusion) == N
    assert sum(row.outcomes for row in snapshot.score_bins) == N
    for outcome in ("0", "1"):
        bins = [row for row in snapshot.score_bins if row.outcome == outcome]
        below = np.cumsum([row.outcomes for row in bins]) - [row.outcomes for row in bins]
        assert [row.outcomes_below for row in bins] == below.tolist()


def test_roc_auc_can_be_made_from_the_fleet_counters_as_a_rule_would():
    held = driver(task=Task.BINARY)
    rng = np.random.default_rng(5)
    score = rng.beta(0.7, 0.7, N)
    outcome = (rng.random(N) < score).astype(int)
    snapshot = fed(held, N, score=score, outcome=outcome.tolist())
    positive = {row.bin: row for row in snapshot.score_bins if row.outcome == "1"}
    negative = {row.bin: row for row in snapshot.score_bins if row.outcome == "0"}
    pairs = sum(
        positive[b].outcomes * (negative[b].outcomes_below + negative[b].outcomes / 2) for b in positive
    )
    area = pairs / (outcome.sum() * (N - outcome.sum()))
    assert area == pytest.approx(metrics.roc_auc_score(outcome, score), abs=0.005)
