"""Records in, more quality out: against scikit-learn, with intervals, and absent or defined where little is known."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn import calibration, metrics
from sklearn.linear_model import LogisticRegression
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Config, Model, Outcomes, Task
from driftgauge.evaluate import evaluate
from driftgauge.snapshot import Cohort, VersionSnapshot

N = 2_400


def version_of(held, *, segments=False):
    return evaluate([held.view()], WALL, 0.0, segments=segments).versions[0]


def spread_over(task, *, hours=24, window=DAY, segments=None, **columns):
    """A version that was sent the columns evenly over so many hours."""
    n = len(columns["outcome"])
    model = Model(task=task, windows=(window,), outcomes=Outcomes(matures_after=HOUR))
    held = Driver(Config(models={"m": model}))
    times = WALL - HOUR - (hours - 1) * HOUR * np.linspace(1, 0, n)
    plan = None if segments is None else {"plan": segments}
    held.send(predictions([f"i{i}" for i in range(n)], times, segments=plan, **columns))
    return held


def rows_of(snapshot):
    for field in dataclasses.fields(VersionSnapshot):
        rows = getattr(snapshot, field.name)
        yield from rows if isinstance(rows, tuple) else (rows,)


def check_finite(snapshot):
    for row in rows_of(snapshot):
        for name in row.__struct_fields__:
            number = getattr(row, name)
            assert not isinstance(number, float) or math.isfinite(number), row


def the(rows, **labels):
    (found,) = (r for r in rows if all(getattr(r, name) == value for name, value in labels.items()))
    return found


ARRIVED = {"cohort": Cohort.ARRIVED}
MATURED = {"cohort": Cohort.MATURED}


@pytest.fixture(scope="module")
def binary():
    rng = np.random.default_rng(1)
    score = rng.beta(0.7, 0.9, N)
    outcome = (rng.random(N) < special.expit(0.8 * special.logit(score) - 0.3)).astype(int)
    plan = rng.choice(["free", "pro"], N)
    held = spread_over(Task.BINARY, score=score, outcome=outcome.tolist(), segments=plan.tolist())
    return score, outcome, plan, version_of(held)


# --- against scikit-learn ---------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["", "free", "pro"])
def test_more_numbers_of_a_binary_model_are_scikit_learns(binary, plan):
    score, outcome, plans, snapshot = binary
    mine = np.ones(N, bool) if not plan else plans == plan
    y, s = outcome[mine], score[mine]
    found = the((*snapshot.performance, *snapshot.segment_performance), segment_value=plan, **ARRIVED)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(y, s >= 0.5), rel=1e-9)
    assert found.mcc == pytest.approx(metrics.matthews_corrcoef(y, s >= 0.5), rel=1e-9)
    rows = (*snapshot.class_performance, *snapshot.segment_class_performance)
    of_class = the(rows, segment_value=plan, **ARRIVED)
    assert of_class.specificity == pytest.approx(metrics.recall_score(1 - y, s < 0.5), rel=1e-9)
    exact = metrics.average_precision_score(y, s)
    assert abs(of_class.average_precision - exact) <= of_class.average_precision_half_width + 1e-12
    assert of_class.average_precision == pytest.approx(exact, abs=0.02 if plan else 0.002)


def test_calibration_of_a_binary_model_is_scikit_learns(binary):
    score, outcome, _, snapshot = binary
    found = the(snapshot.calibration, **ARRIVED)
    inside = (score > 0.001) & (score < 0.999)
    model = LogisticRegression(C=np.inf, tol=1e-9).fit(special.logit(score[inside])[:, None], outcome[inside])
    assert found.slope == pytest.approx(model.coef_[0, 0], abs=0.05)
    assert found.intercept == pytest.approx(model.intercept_[0], abs=0.05)
    share, mean = calibration.calibration_curve(outcome, score, n_bins=10)
    bins = [row for row in snapshot.calibration_bins if row.cohort == Cohort.ARRIVED]
    assert [row.bin for row in bins] == list("0123456789")
    assert [row.outcome for row in bins] == pytest.approx(share, rel=1e-9)
    assert [row.score for row in bins] == pytest.approx(mean, rel=1e-9)
    assert found.mce == pytest.approx(np.abs(share - mean).max(), rel=1e-9)
    assert sum(row.samples for row in bins) == found.samples == N


def test_more_numbers_of_a_multiclass_model_are_scikit_learns():
    rng = np.random.default_rng(2)
    names = ["cat", "dog", "eel"]
    scores = rng.dirichlet([1.5, 1.0, 0.4], N)
    outcome = np.array([rng.choice(3, p=p) for p in scores])
    sent = dict(zip(names, scores.T, strict=True))
    snapshot = version_of(spread_over(Task.MULTICLASS, scores=sent, outcome=[names[i] for i in outcome]))
    check_finite(snapshot)
    predicted = scores.argmax(axis=1)
    found = the(snapshot.performance, **ARRIVED)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(outcome, predicted))
    assert found.mcc == pytest.approx(metrics.matthews_corrcoef(outcome, predicted), rel=1e-9)
    weighted = {"average": "weighted"}
    assert found.precision_weighted == pytest.approx(metrics.precision_score(outcome, predicted, **weighted))
    assert found.f1_weighted == pytest.approx(metrics.f1_score(outcome, predicted, **weighted))
    area = metrics.roc_auc_score(outcome, scores, multi_class="ovr", **weighted)
    assert found.roc_auc_weighted == pytest.approx(area, abs=0.001)
    for code, name in enumerate(names):
        row = the(snapshot.class_performance, class_=name, **ARRIVED)
        exact = metrics.average_precision_score(outcome == code, scores[:, code])
        assert abs(row.average_precision - exact) <= row.average_precision_half_width
        specificity = metrics.recall_score(outcome != code, predicted != code)
        assert row.specificity == pytest.approx(specificity, rel=1e-9)
    cells = {(c.outcome, c.prediction): c.samples for c in snapshot.confusion_counts if c.cohort == "arrived"}
    matrix = metrics.confusion_matrix(outcome, predicted)
    assert cells == {(names[i], names[j]): matrix[i, j] for i in range(3) for j in range(3) if matrix[i, j]}


def test_mape_passes_over_outcomes_of_0_and_counts_the_others():
    rng = np.random.default_rng(3)
    outcome = np.where(np.arange(300) % 10 == 0, 0.0, rng.gamma(2.0, 3.0, 300))
    predicted = outcome + rng.normal(size=300)
    held = spread_over(Task.REGRESSION, prediction=predicted.tolist(), outcome=outcome.tolist())
    found = the(version_of(held).performance, **ARRIVED)
    there = outcome != 0
    wanted = metrics.mean_absolute_percentage_error(outcome[there], predicted[there])
    assert found.mape == pytest.approx(wanted, rel=1e-9)
    assert found.mape_samples == there.sum() == 270


# --- intervals --------------------------------------------------------------------------------


def of_value(snapshot, row, name):
    """The number that an interval is of."""
    rows = (
        *snapshot.all_quality, *snapshot.classes, *snapshot.segment_classes, *snapshot.performance,
        *snapshot.class_performance, *snapshot.segment_performance, *snapshot.segment_class_performance,
        *snapshot.calibration,
    )  # fmt: skip
    labels = ("cohort", "segment", "segment_value")
    for other in rows:
        same = all(getattr(other, label, "") == getattr(row, label) for label in labels)
        found = getattr(other, name, None)
        if same and getattr(other, "class_", row.class_) == row.class_ and found is not None:
            return found
    return None


def bounded(row):
    for low in row.__struct_fields__:
        if low.endswith("_low") and getattr(row, low) is not None:
            name = low.removesuffix("_low")
            yield name, getattr(row, low), getattr(row, f"{name}_high")


@pytest.mark.parametrize("task", list(Task))
def test_every_interval_is_around_its_number(task):
    rng = np.random.default_rng(4)
    if task is Task.BINARY:
        columns = {"score": rng.random(N), "outcome": rng.integers(0, 2, N).tolist()}
    elif task is Task.MULTICLASS:
        scores = rng.dirichlet([1, 1, 1], N).T
        columns = {
            "scores": dict(zip("abc", scores, strict=True)),
            "outcome": rng.choice(list("abc"), N).tolist(),
        }
    else:
        columns = {"prediction": rng.normal(size=N).tolist(), "outcome": rng.normal(size=N).tolist()}
    plan = rng.choice(["x", "y"], N).tolist()
    snapshot = version_of(spread_over(task, segments=plan, **columns))
    rows = (*snapshot.intervals, *snapshot.segment_intervals, *snapshot.class_intervals)
    assert {row.interval for row in rows} == {"jackknife"}
    assert all(row.groups >= 20 for row in rows)
    count = 0
    for row in rows:
        for name, low, high in bounded(row):
            value = of_value(snapshot, row, name)
            assert value is not None
            assert low < value < high, (row, name)
            count += 1
    assert count >= {Task.BINARY: 32, Task.MULTICLASS: 64, Task.REGRESSION: 14}[task]


def test_the_interval_of_a_calibration_error_reaches_down_to_what_perfect_scores_show():
    rng = np.random.default_rng(15)
    score = rng.beta(1.5, 1.5, N)
    outcome = (rng.random(N) < score).astype(int)
    snapshot = version_of(spread_over(Task.BINARY, score=score, outcome=outcome.tolist()))
    row, found = the(snapshot.intervals, **ARRIVED), the(snapshot.quality, **ARRIVED)
    assert found.ece > 0.01
    assert row.ece_low < 0.003
    assert found.ece < row.ece_high < 0.06


def test_intervals_without_groups_are_wilsons():
    rng = np.random.default_rng(5)
    outcome = rng.integers(0, 2, 400)
    held = spread_over(Task.BINARY, hours=1, score=np.full(400, 0.9), outcome=outcome.tolist())
    (row,) = [r for r in version_of(held).intervals if r.cohort == Cohort.ARRIVED]
    assert row.interval == "independent"
    test = stats.binomtest(int(outcome.sum()), 400).proportion_ci(method="wilson")
    assert (row.accuracy_low, row.accuracy_high) == pytest.approx((test.low, test.high), abs=1e-9)
    assert (row.precision_low, row.precision_high) == pytest.approx((test.low, test.high), abs=1e-9)


def test_hours_that_differ_widen_the_interval_as_a_jackknife_by_hand_says():
    rng = np.random.default_rng(6)
    hours, each = 24, 50
    level = np.where(np.arange(hours) % 2 == 0, 0.9, 0.5)
    outcome = (rng.random((hours, each)) < level[:, None]).astype(int)
    model = Model(task=Task.BINARY, windows=(DAY,))
    held = Driver(Config(models={"m": model}))
    for hour in range(hours):
        times = np.full(each, WALL // HOUR * HOUR - (hours - hour) * HOUR + 60)
        ids = [f"{hour}-{i}" for i in range(each)]
        held.send(predictions(ids, times, score=np.full(each, 0.9)))
        held.send(outcomes(ids, outcome[hour].tolist(), times))
    snapshot = version_of(held)
    row = the(snapshot.intervals, **ARRIVED)
    shares = outcome.mean(axis=1)
    half = stats.t.ppf(0.975, hours - 1) * stats.sem(shares)  # neighbours are unlike, so nothing is added
    value = shares.mean()
    assert row.groups == pytest.approx(hours)
    assert (row.accuracy_low, row.accuracy_high) == pytest.approx((value - half, value + half), rel=1e-6)


def test_segments_have_the_interval_of_their_accuracy_where_it_is_asked_for(binary):
    snapshot = binary[3]
    assert all(not row.segment for row in snapshot.intervals)
    assert {row.segment_value for row in snapshot.segment_intervals} == {"free", "pro"}
    wide = the(snapshot.segment_intervals, segment_value="free", **ARRIVED)
    whole = the(snapshot.intervals, **ARRIVED)
    assert wide.accuracy_high - wide.accuracy_low > whole.accuracy_high - whole.accuracy_low


# --- little known -----------------------------------------------------------------------------

CELLS = st.lists(st.integers(0, 25), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CELLS, st.sampled_from(["scores", "classes", "both", "constant"]), st.integers(1, 24))
def test_any_small_confusion_matrix_gives_numbers_or_none(cells, kind, hours):
    tn, fp, fn, tp = cells
    outcome = [0] * (tn + fp) + [1] * (fn + tp)
    predicted = [0] * tn + [1] * fp + [0] * fn + [1] * tp
    if not outcome:
        return
    score = np.full(len(outcome), 0.7) if kind == "constant" else np.array(predicted) * 0.6 + 0.2
    columns = {"prediction": predicted} if kind in {"classes", "both"} else {}
    if kind != "classes":
        columns["score"] = score
    snapshot = version_of(spread_over(Task.BINARY, hours=hours, outcome=outcome, **columns))
    check_finite(snapshot)
    for row in (*snapshot.intervals, *snapshot.segment_intervals):
        for name, low, high in bounded(row):
            value = of_value(snapshot, row, name)
            assert low <= high
            assert value is None or low - 1e-9 <= value <= high + 1e-9, (name, row)
    performance = the(snapshot.performance, **ARRIVED)
    if not any(outcome) or all(outcome):
        assert performance.balanced_accuracy is None
        assert performance.mcc is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 12), min_size=9, max_size=9), st.booleans())
def test_any_small_confusion_matrix_of_three_classes_gives_numbers_or_none(cells, scored):
    pairs = [(i, j) for place, n in enumerate(cells) for i, j in [divmod(place, 3)] * n]
    if not pairs:
        return
    names = "abc"
    columns = {"prediction": [names[j] for _, j in pairs]}
    if scored:
        values = np.full((3, len(pairs)), 0.1)
        for place, (_, j) in enumerate(pairs):
            values[j, place] = 0.8
        columns["scores"] = dict(zip(names, values, strict=True))
    held = spread_over(Task.MULTICLASS, outcome=[names[i] for i, _ in pairs], **columns)
    check_finite(version_of(held))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, -3.0, 1e300, 1e-300]), st.sampled_from([0.0, 1.0, 2.5, -1e200])),
        min_size=30,
        max_size=60,
    )
)
def test_any_errors_give_numbers_or_none(pairs):
    predicted, outcome = ([float(p[k]) for p in pairs] for k in (0, 1))
    snapshot = version_of(spread_over(Task.REGRESSION, prediction=predicted, outcome=outcome))
    check_finite(snapshot)


def test_no_scores_no_calibration_and_below_30_no_interval():
    labels = {"prediction": [0, 1] * 20, "outcome": [0, 0] * 20}
    snapshot = version_of(spread_over(Task.BINARY, **labels))
    assert snapshot.calibration == snapshot.calibration_bins == ()
    assert the(snapshot.intervals, **ARRIVED).roc_auc_low is None
    few = version_of(spread_over(Task.BINARY, score=np.full(29, 0.4), outcome=[0] * 29))
    assert few.intervals == ()
    assert the(few.calibration, **ARRIVED).mce is None


# --- reweighted -------------------------------------------------------------------------------


def labelled_by_score(rng, n, *, right, known, prediction=None, **columns):
    """Predictions over four hours of which the *known* get outcomes."""
    model = Model(task=columns.pop("task"), windows=(DAY,), outcomes=Outcomes(matures_after=HOUR))
    held = Driver(Config(models={"m": model}))
    times = WALL - 6 * HOUR + np.linspace(0, 4 * HOUR, n)
    ids = np.array([f"i{i}" for i in range(n)])
    held.send(predictions(ids.tolist(), times, prediction=prediction, **columns))
    told = [right[i] for i in np.flatnonzero(known)]
    held.send(outcomes(ids[known].tolist(), told, times[known] + 60))
    return version_of(held)


def test_where_labels_are_missing_by_score_the_reweighted_quality_is_right_and_the_plain_one_is_not():
    rng = np.random.default_rng(8)
    n = 12_000
    score = rng.random(n)
    outcome = (rng.random(n) < special.expit(2.5 * special.logit(score))).astype(int)
    known = rng.random(n) < np.where(np.abs(score - 0.5) > 0.3, 0.9, 0.2)
    snapshot = labelled_by_score(rng, n, task=Task.BINARY, score=score, right=outcome.tolist(), known=known)
    found, plain = the(snapshot.reweighted), the(snapshot.quality, **MATURED)
    predicted = score >= 0.5
    accuracy = metrics.accuracy_score(outcome, predicted)
    assert plain.accuracy - accuracy > 0.05
    assert found.accuracy == pytest.approx(accuracy, abs=0.02)
    assert found.precision == pytest.approx(metrics.precision_score(outcome, predicted), abs=0.02)
    assert found.recall == pytest.approx(metrics.recall_score(outcome, predicted), abs=0.02)
    assert found.f1 == pytest.approx(metrics.f1_score(outcome, predicted), abs=0.02)
    log_loss = metrics.log_loss(outcome, score)
    assert log_loss - plain.log_loss > 0.05
    assert found.log_loss == pytest.approx(log_loss, abs=0.02)
    assert found.mae is None
    assert found.supported == 1.0
    assert found.selection_psi > 0.25


def labelled_regression(known_of, seed=14, n=40_000, base=5.0, growth=0.1):
    """Errors that grow with the prediction; labels come by its size."""
    rng = np.random.default_rng(seed)
    predicted = rng.gamma(2.0, 100.0, n) - 20
    outcome = predicted - 0.05 * predicted + rng.normal(size=n) * (base + growth * np.abs(predicted))
    known = known_of(rng, predicted)
    snapshot = labelled_by_score(
        rng, n, task=Task.REGRESSION, prediction=predicted.tolist(), right=outcome.tolist(), known=known
    )
    return predicted, outcome, the(snapshot.reweighted), the(snapshot.quality, **MATURED)


def test_a_regression_whose_labels_come_by_size_is_reweighted_to_all_predictions():
    predicted, outcome, found, plain = labelled_regression(
        lambda rng, p: rng.random(p.size) < np.where(p < 150, 0.9, 0.15)
    )
    mae = metrics.mean_absolute_error(outcome, predicted)
    rmse = metrics.root_mean_squared_error(outcome, predicted)
    assert mae - plain.mae > 3
    assert found.mae == pytest.approx(mae, rel=0.03)
    assert found.rmse == pytest.approx(rmse, rel=0.04)
    assert found.bias == pytest.approx((predicted - outcome).mean(), rel=0.1)
    assert found.r2 == pytest.approx(metrics.r2_score(outcome, predicted), abs=0.006)
    assert found.accuracy is None
    assert found.log_loss is None
    assert found.supported > 0.99
    assert found.selection_psi > 0.25


def test_r2_of_outcomes_that_vary_less_among_the_labelled_is_that_of_all():
    predicted, outcome, found, plain = labelled_regression(
        lambda rng, p: rng.random(p.size) < np.where(p < 150, 0.9, 0.05), base=60.0, growth=0.0
    )
    r2 = metrics.r2_score(outcome, predicted)
    assert r2 - plain.r2 > 0.1
    assert found.r2 == pytest.approx(r2, abs=0.015)


def test_a_regression_whose_labels_all_came_is_reweighted_to_the_plain_numbers():
    _, _, found, plain = labelled_regression(lambda _, p: np.ones(p.size, bool))
    for name in ("mae", "rmse", "bias", "r2"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-9)
    assert found.selection_psi == pytest.approx(0.0, abs=1e-12)


def test_sizes_without_labels_give_no_reweighted_errors():
    _, _, found, _ = labelled_regression(lambda _, p: p < 150)
    assert found.mae is None
    assert found.supported < 0.7


def test_where_all_or_a_fair_sample_is_labelled_the_reweighted_quality_is_the_plain_one():
    rng = np.random.default_rng(9)
    n = 4_000
    score, outcome = rng.random(n), rng.integers(0, 2, n).tolist()
    for known, tolerance, most in ((np.ones(n, bool), 1e-12, 1e-12), (rng.random(n) < 0.5, 0.02, 0.02)):
        snapshot = labelled_by_score(rng, n, task=Task.BINARY, score=score, right=outcome, known=known)
        found, plain = the(snapshot.reweighted), the(snapshot.quality, **MATURED)
        assert found.accuracy == pytest.approx(plain.accuracy, abs=tolerance)
        assert found.selection_psi <= most


def test_too_little_support_gives_no_reweighted_quality_but_says_so():
    rng = np.random.default_rng(10)
    n = 2_000
    score = rng.random(n)
    snapshot = labelled_by_score(rng, n, task=Task.BINARY, score=score, right=[1] * n, known=score < 0.5)
    found = the(snapshot.reweighted)
    assert found.accuracy is None
    assert found.supported == pytest.approx(0.5, abs=0.05)
    assert found.selection_psi > 0.25


def test_classes_without_scores_are_reweighted_by_predicted_class():
    rng = np.random.default_rng(11)
    n = 6_000
    predicted = rng.choice(list("abc"), n, p=[0.6, 0.3, 0.1])
    good = rng.random(n) < np.select([predicted == "a", predicted == "b"], [0.9, 0.6], 0.3)
    outcome = np.where(good, predicted, "a").tolist()
    known = rng.random(n) < np.where(predicted == "c", 0.9, 0.2)
    snapshot = labelled_by_score(
        rng, n, task=Task.MULTICLASS, prediction=predicted.tolist(), right=outcome, known=known
    )
    found, plain = the(snapshot.reweighted), the(snapshot.quality, **MATURED)
    accuracy = (np.array(outcome) == predicted).mean()
    assert abs(plain.accuracy - accuracy) > 0.1
    assert found.accuracy == pytest.approx(accuracy, abs=0.02)
    recall = metrics.recall_score(outcome, predicted, average="macro")
    assert found.recall == pytest.approx(recall, abs=0.03)


def test_the_log_loss_of_classes_is_reweighted_by_predicted_class():
    rng = np.random.default_rng(12)
    n = 8_000
    scores = rng.dirichlet([1.2, 1.0, 0.5], n)
    scores[scores.argmax(axis=1) == 2] = rng.dirichlet(
        [0.2, 0.2, 2.0], int((scores.argmax(axis=1) == 2).sum())
    )
    names = ["a", "b", "c"]
    outcome = np.array([rng.choice(3, p=p) for p in scores])
    known = rng.random(n) < np.where(scores.argmax(axis=1) == 2, 0.9, 0.2)
    snapshot = labelled_by_score(
        rng,
        n,
        task=Task.MULTICLASS,
        scores=dict(zip(names, scores.T, strict=True)),
        right=[names[i] for i in outcome],
        known=known,
    )
    log_loss = metrics.log_loss(outcome, scores)
    assert log_loss - the(snapshot.quality, **MATURED).log_loss > 0.1
    assert the(snapshot.reweighted).log_loss == pytest.approx(log_loss, abs=0.03)
