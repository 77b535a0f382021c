"""The error to expect of a regression, learned from live records, and restarts."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions
from tests.unit.monitor.test_relating import driver, take

from driftgauge.config import DAY, HOUR, Config, Task, Value
from driftgauge.evaluate import evaluate
from driftgauge.evaluate.loss_estimates import loss_estimates
from driftgauge.monitor import learning, loss_learning, relating, relearning, saving
from driftgauge.monitor.update import decode, encode
from driftgauge.monitor.viewing import view
from driftgauge.reference import loss as losses
from driftgauge.snapshot import EstimateState

EACH = 40


def batch(hour, scale=1.0, share=0.3, each=EACH):
    """Records of an hour; the error is three times as large where x is above 0 (a *share* of them)."""
    rng = np.random.default_rng([7, hour])
    high = rng.random(each) < share
    x = np.where(high, rng.uniform(0.1, 1, each), rng.uniform(-1, -0.1, each))
    predicted = rng.uniform(50, 150, each)
    came = predicted + scale * np.where(high, 3.0, 1.0) * rng.normal(size=each)
    ids = [f"{hour}-{i}" for i in range(each)]
    times = hour * HOUR + np.sort(rng.uniform(0, HOUR, each))
    return (
        predictions(ids, times, numeric={"x": x, "noise": rng.normal(size=each)}, prediction=predicted),
        outcomes(ids, came.tolist(), times + HOUR),
    )


def steps(held):
    for due in (learning.step, relating.step, loss_learning.step):
        update = due(held.version(), held.model().now(WALL))
        if update is not None:
            take(held, update)


def run(held, begin, end, **kinds):
    for hour in range(int(begin * 24), int(end * 24)):
        for each in batch(hour, **kinds):
            held.send(each)
        steps(held)


@pytest.fixture(scope="module", autouse=True)
def three_days():
    """Three weeks of learning as three days, for the tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relating, "LEARNED_SPAN_SECONDS", 3 * DAY)
        patch.setattr(relating, "LEARNED_OUTCOMES", 2_000)
        yield


@pytest.fixture(scope="module")
def learned():
    held = driver(task=Task.REGRESSION)
    run(held, 0, 15)
    return held


def test_without_a_file_the_loss_is_learned_once_the_relation_is(learned):
    assert learned.version().loss is not None
    row = loss_estimates(learned.view()).whole[0]
    assert row.state == EstimateState.GIVEN
    # E|N(0, s)| = 0.798 s, and 30% of the records have three times the s.
    assert row.mae == pytest.approx(0.798 * (0.7 + 0.3 * 3), rel=0.05)
    assert row.rmse == pytest.approx(np.sqrt(0.7 + 0.3 * 9), rel=0.05)
    assert abs(row.mae_gap) < 4 * row.mae_error


def test_where_inputs_move_to_the_worse_it_expects_more(learned):
    twin = learned.restarted()
    run(twin, 15, 17, share=0.9)
    row = loss_estimates(twin.view()).whole[0]
    assert row.mae == pytest.approx(0.798 * (0.1 + 0.9 * 3), rel=0.07)


def test_a_kill_and_a_replay_expect_the_same(learned):
    twin = learned.restarted()
    assert losses.to_json(twin.version().loss) == losses.to_json(learned.version().loss)
    assert loss_estimates(twin.view()) == loss_estimates(learned.view())


def test_a_checkpoint_keeps_it_and_says_so(learned):
    held = learned.version()
    assert held.losses.unsaved
    kept = saving.states(learned.models)
    twin = Driver(learned.config, shelf=learned.shelf)
    saving.restore(twin.models, {key: data for key, data in kept.items() if data is not None})
    assert losses.to_json(twin.version().loss) == losses.to_json(held.loss)
    assert not twin.version().losses.unsaved
    assert twin.version().losses.saved() == held.losses.saved()


def test_another_reference_of_the_inputs_makes_it_void(learned):
    twin = learned.restarted()
    for change in relearning.relearn(twin.version(), twin.model().now(WALL)):
        take(twin, change.update)
    assert twin.version().loss is None
    assert loss_estimates(twin.view()).whole[0].state == EstimateState.NO_REFERENCE


def test_no_record_of_it_is_kept_anywhere(learned):
    """What is kept is the fitted state alone, of a size that no number of records decides."""
    loss = learned.version().loss
    assert learned.version().losses.sample is None
    kept = learned.version().losses.saved()
    assert len(kept) < 20 * 2 * (loss.edges.size + 1) * (1 + 12 * len(loss.keys)) + 5_000
    assert loss.records > 2_000


def test_few_records_are_asked_for_again_at_the_next_pane(learned, monkeypatch):
    monkeypatch.setattr(losses, "LEAST_RECORDS", 10**6)
    committed = [[each for each in decode(payload) if each.loss is None] for payload in learned.committed]
    held = Driver(learned.config, shelf=learned.shelf)
    held.committed = [encode(tuple(updates)) for updates in committed]
    twin, now = held.restarted(), learned.model().now(WALL)
    for _ in range(loss_learning.RUNS + 2):
        assert loss_learning.step(twin.version(), now) is None
    assert twin.version().losses.sample is None
    assert loss_learning.step(twin.version(), now) is None
    assert twin.version().losses.sample is None
    assert loss_learning.step(twin.version(), now + HOUR) is None
    assert twin.version().losses.sample is not None


def test_a_step_reads_a_bounded_run_of_rows(learned, monkeypatch):
    monkeypatch.setattr(loss_learning, "RUN_ROWS", 50)
    sample = loss_learning.Sample(learned.version(), "any")
    assert len(sample._starts) <= loss_learning.RUNS
    asked = []
    rows = learned.shelf.rows

    def spied(log, numbers):
        asked.append(len(numbers))
        return rows(log, numbers)

    monkeypatch.setattr(learned.shelf, "rows", spied)
    sample.step(learned.version())
    assert asked
    assert max(asked) <= 50


def valued(learned, **value):
    """The learned model's records, worth what *value* says."""
    twin = Driver(
        Config(models={"m": replace(learned.config.models["m"], value=Value("EUR", **value))}),
        shelf=learned.shelf,
    )
    twin.committed = learned.committed
    twin = twin.restarted()
    run(twin, 15, 18)
    return twin.version(), evaluate([twin.view()], WALL, 0.0).versions[0]


def test_a_regression_is_worth_its_expected_errors(learned):
    _, snapshot = valued(learned, over=-2.0, under=-6.0)
    row = next(row for row in snapshot.estimated_value if row.window == "1d")
    assert (row.state, row.given) == ("given", 1.0)
    # Half of the error is too much: 4 a unit.
    assert row.mean == pytest.approx(-4 * 0.798 * (0.7 + 0.3 * 3), rel=0.07)
    realised = next(r for r in snapshot.value if (r.window, r.cohort, r.segment) == ("1d", "matured", ""))
    assert row.low < row.samples * realised.mean < row.high
    assert row.gap == pytest.approx(row.mean - realised.mean, abs=0.5)


def test_without_a_split_only_errors_worth_the_same_are_estimated(learned):
    version, snapshot = valued(learned, over=-2.0, under=-2.0)
    assert {row.state for row in snapshot.estimated_value} == {"given"}
    version, _ = valued(learned, over=-2.0, under=-6.0)
    relation = version.relating.reference
    version.relating.reference = replace(relation, quality=None, quality_row=None)
    held = view(version, version.model.now(WALL))
    states = {row.state for row in evaluate([held], WALL, 0.0).versions[0].estimated_value}
    assert states == {"no_split"}


def test_weighted_errors_have_no_estimated_value_and_say_so():
    held = driver(task=Task.REGRESSION, value=Value("EUR", over=-2.0, under=-2.0, weight="x"))
    held.send(batch(1)[0])
    found = evaluate([held.view()], WALL, 0.0).versions[0].estimated_value
    assert {(row.state, row.given, row.value) for row in found} == {("weighted_errors", 0.0, None)}
