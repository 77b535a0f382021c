"""Predictions meet outcomes: either order, versions, duplicates, the horizon, silence."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Clock, Task
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.monitor.expiry import expired_outcomes, expired_predictions
from driftgauge.monitor.update import Prepared, encode
from driftgauge.windows import Part

HORIZON = 2 * DAY


def driver(**model):
    given = {"task": Task.BINARY, "windows": (7 * DAY,), "outcomes": OutcomesConfig(horizon=HORIZON)}
    return Driver(**{**given, **model})


def confusion(held, version="1"):
    sketch, row = held.quality(version)
    return sketch.count(row, "confusion")[0].tolist()


def predicted(ids, version="1", *, times=None, score=0.9, **more):
    n = len(ids)
    times = np.full(n, WALL - HOUR) if times is None else times
    return predictions(ids, times, version=version, score=np.full(n, score), **more)


# --- either order -----------------------------------------------------------------------------


def test_an_outcome_after_its_prediction_joins_it():
    held = driver()
    held.send(predicted(["a", "b"]))
    taken = held.send(outcomes(["a"], [1]))
    assert taken.tallies[0].joined == 1
    assert confusion(held) == [[0, 0], [0, 1]]
    assert held.version().unjoined == 1


def test_an_outcome_before_its_prediction_joins_it_when_it_comes():
    held = driver()
    held.send(outcomes(["a"], [0]))
    assert held.model().waiting == 1
    taken = held.send(predicted(["a"]))
    assert taken.tallies[0].joined == 1
    assert confusion(held) == [[0, 1], [0, 0]]
    assert (held.model().waiting, held.version().unjoined) == (0, 0)


def test_both_orders_give_the_same_numbers():
    rng = np.random.default_rng(1)
    ids, truth, score = [f"i{i}" for i in range(50)], rng.integers(0, 2, 50).tolist(), rng.random(50)
    times = WALL - rng.uniform(0, 2 * HOUR, 50)
    given = predictions(ids, times, score=score)
    told = outcomes(ids, truth, np.full(50, WALL))
    one, other = driver(), driver()
    one.send(given), one.send(told)
    other.send(told), other.send(given)
    (sketch, row), (_, twin) = one.quality(), other.quality()
    np.testing.assert_array_equal(row.counts, twin.counts)
    np.testing.assert_allclose(row.sums, twin.sums, rtol=1e-12)
    assert sketch.outcomes(row)[0] == 50


def test_a_prediction_that_brings_its_outcome_is_joined_at_once_and_known_by_its_id():
    held = driver()
    held.send(predicted(["a", None], outcome=[1, 0]))
    assert held.counted() == 2
    again = held.send(outcomes(["a"], [1], version="1"))
    assert (again.duplicates.tolist(), again.tallies[0].duplicate_outcomes) == ([1], 1)
    assert held.counted() == 2


def test_the_first_prediction_of_a_regression_may_be_joined_by_an_outcome_without_a_version():
    """The outcome's batch is what fixes the centre of the outcomes' sums, and so the sketch."""
    held = driver(task=Task.REGRESSION)
    held.send(predictions(["a"], [WALL - HOUR], prediction=[10.0]))
    held.send(outcomes(["a"], [12.0]))
    sketch, row = held.quality()
    assert sketch.centre == 12.0
    assert sketch.count(row, "errors")[0] == 1
    assert held.restarted().counted() == 1


def test_a_task_that_only_an_outcome_tells_joins_what_came_before():
    held = driver(task=None)
    held.send(predictions(["a"], [WALL - HOUR], numeric={"x": [1.0]}))
    held.send(outcomes(["a"], [True]))
    assert held.model().structure.task is Task.BINARY
    assert held.counted() == 1


# --- every replica is sent every outcome --------------------------------------------------------


def fanned():
    return driver(outcomes=OutcomesConfig(horizon=HORIZON, fan_out=True))


def test_an_outcome_of_another_replica_is_counted_apart_and_not_kept():
    held = fanned()
    held.send(predicted(["a", "b"]))
    taken = held.send(outcomes(["a", "x", "y"], [1, 0, 1]))
    tally = taken.tallies[0]
    assert (tally.joined, tally.outcomes, tally.elsewhere, tally.orphaned) == (1, 1, 2, 0)
    assert taken.accepted.tolist() == [3]
    assert (len(held.model().outcomes), held.model().waiting) == (1, 0)
    assert held.version().unjoined == 1
    again = held.send(outcomes(["a", "x"], [1, 0]))
    assert (again.tallies[0].duplicate_outcomes, again.tallies[0].elsewhere) == (1, 1)
    assert held.restarted().counted() == held.counted() == 1


def test_an_outcome_with_a_score_of_its_own_counts_only_where_its_prediction_is():
    held, other = fanned(), fanned()
    held.send(predicted(["a"]))
    for each, joined, elsewhere in ((held, 1, 1), (other, 0, 2)):
        tally = each.send(outcomes(["a", None], [1, 1], score=[0.9, 0.9])).tallies[0]
        assert (tally.joined, tally.elsewhere) == (joined, elsewhere)
    assert confusion(held) == [[0, 0], [0, 1]]
    assert "" not in other.model().versions


def test_an_outcome_past_the_horizon_of_a_prediction_that_is_here_is_an_orphan_all_the_same():
    held = fanned()
    held.send(predicted(["a"], times=[WALL - HORIZON - HOUR]))
    tally = held.send(outcomes(["a"], [1])).tallies[0]
    assert (tally.joined, tally.elsewhere, tally.orphaned) == (0, 0, 1)


# --- versions ---------------------------------------------------------------------------------


def test_equal_ids_in_two_versions_are_two_predictions():
    held = driver()
    taken = held.send(predicted(["a"], "1"), predicted(["a"], "2"))
    assert taken.duplicates.tolist() == [0]
    assert taken.accepted.tolist() == [2]


def test_an_outcome_without_a_version_joins_every_version_that_has_the_id():
    held = driver()
    held.send(predicted(["a"], "1"), predicted(["a"], "2"))
    taken = held.send(outcomes(["a"], [1]))
    assert taken.tallies[0].joined == 2
    assert held.counted("1") == held.counted("2") == 1


def test_an_outcome_without_a_version_joins_versions_that_come_later_too():
    held = driver()
    held.send(predicted(["a"], "1"))
    held.send(outcomes(["a"], [1]))
    held.send(predicted(["a"], "2"))
    assert held.counted("1") == held.counted("2") == 1


def test_an_outcome_that_waits_for_two_versions_waits_once():
    held = driver()
    held.send(outcomes(["a"], [1]))
    held.send(predicted(["a"], "1"))
    held.send(predicted(["a"], "2"))
    assert held.counted("1") == held.counted("2") == 1
    assert held.model().waiting == 0


def test_an_outcome_with_a_version_joins_that_one_alone():
    held = driver()
    held.send(predicted(["a"], "1"), predicted(["a"], "2"))
    held.send(outcomes(["a"], [1], version="2"))
    assert (held.counted("1"), held.counted("2")) == (0, 1)


def test_a_later_outcome_without_a_version_joins_only_the_others():
    held = driver()
    held.send(predicted(["a"], "1"), predicted(["a"], "2"))
    held.send(outcomes(["a"], [0], version="2"))
    taken = held.send(outcomes(["a"], [1]))
    assert taken.duplicates.tolist() == [0]
    assert confusion(held, "1") == [[0, 0], [0, 1]]
    assert confusion(held, "2") == [[0, 1], [0, 0]]


def test_after_an_outcome_without_a_version_one_with_a_version_is_a_duplicate():
    held = driver()
    held.send(predicted(["a"], "1"))
    held.send(outcomes(["a"], [1]))
    taken = held.send(outcomes(["a"], [1], version="1"))
    assert taken.duplicates.tolist() == [1]
    assert held.counted("1") == 1


def test_an_outcome_that_waits_for_a_version_does_not_join_another():
    held = driver()
    held.send(outcomes(["a"], [1], version="2"))
    held.send(predicted(["a"], "1"))
    assert held.counted("1") == 0
    held.send(predicted(["a"], "2"))
    assert held.counted("2") == 1


# --- duplicates and conflicts -----------------------------------------------------------------


def test_a_prediction_sent_again_counts_once_within_a_batch_and_across():
    held = driver()
    taken = held.send(predicted(["a", "b", "a"]))
    assert (taken.accepted.tolist(), taken.duplicates.tolist()) == ([2], [1])
    taken = held.send(predicted(["a", "c"]))
    assert (taken.accepted.tolist(), taken.duplicates.tolist()) == ([1], [1])
    assert held.view().windows[0].predictions == 3
    assert held.view().inputs.state == "learning"
    taken = held.restarted().send(predicted(["a", "b", "c"]))
    assert taken.duplicates.tolist() == [3]


def test_records_without_an_id_are_never_duplicates():
    held = driver()
    for _ in range(2):
        taken = held.send(predicted([None, None, "a"], outcome=[1, 1, None]))
    assert (taken.accepted.tolist(), taken.duplicates.tolist()) == ([2], [1])
    assert held.view().windows[0].predictions == 5
    assert held.counted() == 4


def test_the_first_outcome_wins_and_another_value_is_a_conflict():
    held = driver()
    held.send(predicted(["a", "b"]))
    held.send(outcomes(["a", "b"], [1, 1]))
    taken = held.send(outcomes(["a", "b"], [0, 1]))
    assert taken.duplicates.tolist() == [2]
    assert (taken.tallies[0].duplicate_outcomes, taken.tallies[0].conflicts) == (2, 1)
    assert confusion(held) == [[0, 0], [0, 2]]


def test_a_conflict_within_one_batch_is_counted_too():
    held = driver()
    held.send(predicted(["a"]))
    taken = held.send(outcomes(["a", "a", "a"], [1, 0, 1]))
    assert (taken.accepted.tolist(), taken.duplicates.tolist()) == ([1], [2])
    assert taken.tallies[0].conflicts == 1
    assert confusion(held) == [[0, 0], [0, 1]]


def test_an_outcome_that_came_first_conflicts_with_what_the_prediction_brings():
    held = driver()
    held.send(outcomes(["a", "b"], [1, 1]))
    taken = held.send(predicted(["a", "b"], outcome=[0, 1]))
    assert taken.tallies[0].conflicts == 1
    assert confusion(held) == [[0, 0], [0, 2]]


@pytest.mark.parametrize("refused", ["future", "nonsense"])
def test_a_refused_record_does_not_make_its_good_twin_a_duplicate(refused):
    held = driver()
    held.send(predicted(["a"]))
    values = [1, 1] if refused == "future" else ["nonsense", 1]
    times = [WALL + DAY, WALL] if refused == "future" else [WALL, WALL]
    taken = held.send(outcomes(["a", "a"], values, times))
    assert (taken.accepted.tolist(), taken.duplicates.tolist()) == ([1], [0])
    assert held.counted() == 1


def test_a_refused_prediction_does_not_make_its_good_twin_a_duplicate():
    held = driver()
    taken = held.send(predicted(["a", "a"], times=np.array([WALL + DAY, WALL])))
    assert (taken.accepted.tolist(), taken.duplicates.tolist(), len(taken.rejections)) == ([1], [0], 1)
    assert held.view().windows[0].predictions == 1


# --- outcomes that need no join ---------------------------------------------------------------


def test_an_outcome_that_carries_its_score_needs_no_prediction():
    held = driver(segments=("plan",))
    held.send(
        outcomes(
            ["a", None],
            [1, 0],
            [WALL, WALL],
            version="1",
            score=[0.8, 0.7],
            predicted=[WALL - HOUR, np.nan],
            segments={"plan": ["pro", "free"]},
        )
    )
    assert confusion(held) == [[0, 1], [0, 1]]
    sketch, row = held.quality()
    assert sketch.outcomes(row).tolist()[:3] == [2, 1, 1]
    assert held.model().structure.values == (("pro", "free"),)


def test_an_outcome_that_carried_its_score_is_not_counted_again_when_its_prediction_comes():
    held = driver()
    held.send(outcomes(["a"], [1], version="1", score=[0.8]))
    held.send(predicted(["a"]))
    assert held.counted() == 1
    assert held.version().unjoined == 0


def test_an_outcome_that_carries_its_score_does_not_leave_its_prediction_pending():
    held = driver()
    held.send(predicted(["a"]))
    held.send(outcomes(["a"], [1], version="1", score=[0.8]))
    assert held.counted() == 1
    assert held.version().unjoined == 0


# --- the horizon ------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "joined"), [(0.0, 1), (1.0, 0)])
def test_an_outcome_at_the_horizon_joins_and_a_second_later_it_is_an_orphan(late, joined):
    made = WALL - HORIZON - late
    held = driver()
    held.send(predicted(["a"], times=np.array([made])))
    taken = held.send(outcomes(["a"], [1], [WALL]))
    assert (taken.tallies[0].joined, taken.tallies[0].orphaned) == (joined, 1 - joined)
    assert taken.accepted.tolist() == [1]


@pytest.mark.parametrize(("late", "joined"), [(0.0, 1), (1.0, 0)])
def test_the_horizon_is_the_same_for_an_outcome_that_came_first(late, joined):
    made = WALL - HORIZON - late
    held = driver()
    held.send(outcomes(["a"], [1], [WALL]))
    taken = held.send(predicted(["a"], times=np.array([made])))
    assert (taken.tallies[0].joined, taken.tallies[0].orphaned) == (joined, 1 - joined)
    assert held.counted() == joined


def expire(held, version="1"):
    """What the store does when a version's kept predictions reach their horizon."""
    model, kept = held.model(), held.version(version=version)
    log = kept.plain
    rows = np.frombuffer(b"".join(held.shelf.logs[log.log]), np.uint8)
    update, tally = expired_predictions(model, kept, log, WALL, [rows])
    held.committed.append(encode((update,)))
    held.models.apply(Prepared((update,), (), (tally,), np.zeros(1, int), np.zeros(1, int), ()))
    return tally


def churn(**more):
    return driver(
        positive_class="churned",
        outcomes=OutcomesConfig(horizon=HORIZON, at_horizon="retained", matures_after=HORIZON),
        **more,
    )


def test_silence_at_the_horizon_implies_an_outcome_that_is_counted_apart():
    """A churn model learns of those who churn only: the others never send anything."""
    held = churn()
    made = WALL - HORIZON
    ids = [f"i{i}" for i in range(10)]
    held.send(predictions(ids, np.full(10, made), score=np.linspace(0.05, 0.95, 10)))
    held.send(outcomes(["i9", "i1"], ["churned", "churned"], np.full(2, made + HOUR)))
    assert held.version().unjoined == 8
    tally = expire(held)
    assert (tally.implied, held.version().unjoined) == (8, 0)
    sketch, row = held.quality()
    assert sketch.outcomes(row)[0] == 10
    assert sketch.implied(row) == 8
    assert sketch.delay(row).sum() == 2, "an implied outcome has no delay"
    assert confusion(held) == [[4, 4], [1, 1]]
    assert held.restarted().quality()[1].counts.tolist() == row.counts.tolist()


def test_implied_outcomes_arrive_at_the_horizon_and_belong_to_the_cohort_of_their_prediction():
    held = churn(windows=(DAY,))
    made = WALL - HORIZON - HOUR
    held.send(predictions(["a"], [made], score=[0.9]), wall=made)
    expire(held)
    window = held.view().windows[0]
    sketch = held.model().quality
    assert sketch.implied(window.arrived) == 1
    assert sketch.implied(window.matured) == 1
    assert window.matured_base == 1
    version = held.version()
    hour = version.coarse.grid.index
    assert version.coarse.row(Part.ARRIVED, hour(made + HORIZON)) is not None
    assert version.coarse.row(Part.MATURED, hour(made)) is not None


def test_where_silence_means_nothing_nothing_is_implied():
    held = driver()
    held.send(predicted(["a"]))
    assert (expire(held).implied, held.version().unjoined) == (0, 0)
    assert held.counted() == 0


def test_an_outcome_past_the_horizon_is_silence_until_then():
    held = churn()
    held.send(predictions(["a"], [WALL - HORIZON - 1], score=[0.9]))
    assert held.send(outcomes(["a"], ["churned"], [WALL])).tallies[0].orphaned == 1
    assert expire(held).implied == 1
    assert confusion(held) == [[0, 1], [0, 0]]


def test_outcomes_that_never_met_a_prediction_are_orphans_when_they_expire():
    held = driver()
    held.send(outcomes(["a", "b", "c"], [1, 1, 1]))
    held.send(predicted(["b"]))
    model = held.model()
    rows = np.frombuffer(b"".join(held.shelf.logs[model.outcomes.log]), np.uint8)
    update, tally = expired_outcomes(model, [rows])
    assert (tally.orphaned, update.waiting) == (2, -2)
    model.apply(update, live=True)
    assert model.waiting == 0


# --- restart ----------------------------------------------------------------------------------


def test_replaying_committed_updates_gives_the_same_bits():
    rng = np.random.default_rng(3)
    held = driver(clock=Clock.RECORDS, segments=("plan",))
    ids = [f"i{i}" for i in range(300)]
    at = WALL + np.sort(rng.uniform(0, 3 * DAY, 300))
    plans = rng.choice(["free", "pro", "enterprise"], 300).tolist()
    truth = rng.integers(0, 2, 300).tolist()
    for i in range(0, 300, 50):
        part = slice(i, i + 50)
        held.send(
            predictions(
                ids[part],
                at[part],
                score=rng.random(50),
                numeric={"x": rng.normal(0, 1, 50)},
                categorical={"c": rng.choice(["a", "b"], 50).tolist()},
                segments={"plan": plans[part]},
                latency=rng.exponential(0.1, 50),
                failed=rng.random(50) < 0.1,
            )
        )
        held.send(outcomes(ids[part], truth[part], at[part] + HOUR))
    twin = held.restarted()
    ours, theirs = held.view(), twin.view()
    assert (ours.now, ours.pending, ours.values) == (theirs.now, theirs.pending, theirs.values)
    for one, other in zip(ours.windows, theirs.windows, strict=True):
        for name in ("inputs", "outputs", "arrived"):
            assert getattr(one, name).to_bytes() == getattr(other, name).to_bytes()
        assert one.predictions == other.predictions == 300
        assert one.predicted_outcomes == other.predicted_outcomes == 300
    assert not theirs.quality_lifetime.counts.any(), "counters of the process begin at 0"
    assert ours.quality_lifetime.counts.any()
    taken = twin.send(predictions(ids[:50], at[:50], score=np.full(50, 0.5)))
    assert taken.duplicates.tolist() == [50]
    taken = twin.send(outcomes(ids[:50], truth[:50], at[:50] + HOUR))
    assert taken.duplicates.tolist() == [50]


def test_a_round_that_could_not_be_committed_leaves_nothing_behind():
    held = driver()
    held.send(predicted(["a"]))
    before = held.view()
    held.models.prepare([predicted(["b", "c"], "9", outcome=[1, 0])], 1, WALL)
    held.models.abandon()
    assert list(held.model().versions) == ["1"]
    after = held.view()
    assert after.windows[0].predictions == before.windows[0].predictions == 1
    taken = held.send(predicted(["b", "c"], outcome=[1, 0]))
    assert taken.accepted.tolist() == [2]
    assert held.counted() == 2
