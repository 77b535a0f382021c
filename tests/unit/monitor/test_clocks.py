"""Whose time a model follows, and what is too early or too late for it."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, MINUTE, Clock, Config, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.records import Reason
from driftgauge.windows import Grid


def driver(clock=Clock.WALL, *, windows=(DAY,), **more):
    return Driver(task=Task.BINARY, clock=clock, windows=windows, **more)


def at(*times, ids=None):
    return predictions(ids or [None] * len(times), np.array(times, float), score=np.full(len(times), 0.9))


# --- the wall clock ---------------------------------------------------------------------------


def test_the_wall_clock_refuses_what_is_more_than_five_minutes_ahead():
    held = driver()
    taken = held.send(at(WALL, WALL + 300, WALL + 300.001))
    assert taken.accepted.tolist() == [2]
    assert [(r.index, r.reason, r.detail) for r in taken.rejections] == [
        (2, Reason.FUTURE, "timestamp: more than 5 minutes in the future")
    ]
    assert held.send(outcomes(["a"], [1], [WALL + 301])).rejections[0].reason is Reason.FUTURE


def test_a_record_without_a_time_has_the_walls():
    held = driver()
    held.send(predictions([None], score=[0.9]))
    assert held.version().first_time == WALL
    assert held.view().windows[0].predictions == 1


def test_a_record_older_than_the_window_goes_to_quality_and_duplicates_only():
    held = driver()
    old = WALL - DAY - 2 * HOUR
    held.send(at(WALL - HOUR))
    taken = held.send(predictions(["a"], [old], score=[0.9], outcome=[1]))
    assert (taken.accepted.tolist(), taken.tallies[0].late, taken.tallies[0].joined) == ([1], 1, 1)
    assert held.view().windows[0].predictions == 1
    assert held.view().windows[0].inputs.records == 1
    sketch = held.model().quality
    matured = held.version().coarse.row("matured", held.version().coarse.grid.index(old))
    assert sketch.outcomes(matured)[0] == 1
    assert held.send(predictions(["a"], [old], score=[0.9])).duplicates.tolist() == [1]


def test_the_wall_moves_windows_on_without_any_record():
    held = driver(windows=(HOUR,))
    held.send(at(WALL))
    assert held.view(wall=WALL + 59 * MINUTE).windows[0].predictions == 1
    later = held.view(wall=WALL + 2 * HOUR).windows[0]
    assert (later.predictions, later.covered_seconds) == (0, HOUR)


def test_time_scale_divides_what_runs_on_the_wall_and_nothing_else():
    config = Config(models={"m": ModelConfig(windows=(DAY,), task=Task.BINARY)}, time_scale=60.0)
    held = Driver(config)
    held.send(at(WALL))
    assert held.model().longest_seconds == DAY / 60
    assert held.version().coarse.grid.width_seconds == MINUTE
    records = Config(models={"m": ModelConfig(windows=(DAY,), clock=Clock.RECORDS)}, time_scale=60.0)
    held = Driver(records)
    held.send(at(WALL))
    assert held.model().longest_seconds == DAY
    assert held.version().coarse.grid.width_seconds == HOUR


# --- the records' clock -----------------------------------------------------------------------


def test_the_records_clock_is_the_greatest_accepted_time_and_never_falls():
    held = driver(Clock.RECORDS)
    held.send(at(1_000.0, 5_000.0, 2_000.0))
    assert held.model().now(WALL) == 5_000.0
    held.send(at(3_000.0))
    assert held.model().now(WALL) == 5_000.0


def test_the_records_clock_moves_at_most_a_window_at_once():
    held = driver(Clock.RECORDS)
    held.send(at(1_000.0))
    taken = held.send(at(1_000.0 + DAY, 1_001.0 + DAY))
    assert taken.accepted.tolist() == [1]
    assert [(r.index, r.reason, r.detail) for r in taken.rejections] == [
        (1, Reason.FUTURE, "timestamp: more than the longest window ahead of the model's clock")
    ]
    assert held.model().now(WALL) == 1_000.0 + DAY


def test_the_records_clock_is_moved_by_outcomes_too():
    held = driver(Clock.RECORDS)
    held.send(at(1_000.0, ids=["a"]))
    held.send(outcomes(["a"], [1], [1_000.0 + HOUR]))
    assert held.model().now(WALL) == 1_000.0 + HOUR
    assert held.view().windows[0].predictions == 1
    assert held.counted() == 1


def test_refused_and_duplicate_records_do_not_move_the_clock():
    held = driver(Clock.RECORDS)
    held.send(at(1_000.0, ids=["a"]))
    held.send(at(1_000.0, 1_000.0 + 2 * DAY))
    held.send(at(1_500.0, ids=["a"]))
    assert held.model().now(WALL) == 1_000.0


def test_a_gap_in_the_records_is_crossed_a_window_a_batch():
    held = driver(Clock.RECORDS)
    held.send(at(1_000.0))
    for day in (1, 2, 3):
        taken = held.send(at(1_000.0 + 4.5 * DAY))
        assert taken.accepted.tolist() == [0]
        assert held.model().now(WALL) == 1_000.0 + day * DAY
    held.send(at(1_000.0 + 4.5 * DAY))
    assert held.send(at(1_000.0 + 4.5 * DAY)).accepted.tolist() == [1]
    assert held.model().now(WALL) == 1_000.0 + 4.5 * DAY


def test_the_first_batch_sets_the_clock_and_what_is_too_old_for_it_is_late():
    held = driver(Clock.RECORDS)
    taken = held.send(at(0.0, 10 * DAY - 2 * HOUR, 10 * DAY))
    assert (taken.accepted.tolist(), taken.tallies[0].late) == ([3], 1)
    assert held.view().windows[0].predictions == 2


def test_windows_end_with_the_records_clock_whatever_the_wall_says():
    held = driver(Clock.RECORDS, windows=(HOUR, DAY))
    for hour in range(30):
        held.send(at(*(hour * HOUR + np.arange(0, 3600, 600))))
    for wall in (WALL, WALL + 100 * DAY):
        hour, day = held.view(wall=wall).windows
        assert hour.predictions == pytest.approx(6, abs=1)
        assert day.predictions == pytest.approx(24 * 6, abs=6)
        assert day.covered_seconds == DAY
        assert DAY <= day.span_seconds <= DAY + HOUR


def test_what_came_in_an_open_pane_is_in_the_window_at_once():
    held = driver(windows=(HOUR,))
    for i in range(5):
        held.send(at(WALL + i))
        assert held.view(wall=WALL + i).windows[0].predictions == i + 1


def test_covered_seconds_tell_how_much_of_a_window_there_is():
    held = driver(windows=(HOUR, DAY))
    held.send(at(WALL))
    assert [w.covered_seconds for w in held.view(wall=WALL + 600).windows] == [600, 600]
    assert [w.covered_seconds for w in held.view(wall=WALL + 2 * HOUR).windows] == [HOUR, 2 * HOUR]


def test_a_new_version_reaches_no_further_back_for_outcomes_of_the_one_before_it():
    """Outcomes that name no version come together; the oldest of them may be another version's."""
    held = driver(Clock.RECORDS, windows=(2 * DAY,))
    held.send(at(0.0, 2 * DAY, ids=["old", "now"]))
    new = predictions(["new"], np.array([2 * DAY + HOUR]), version="2", score=np.full(1, 0.9))
    held.send(new)
    held.send(outcomes(["old", "new"], [1, 0], np.array([DAY, 2 * DAY + 2 * HOUR])))
    now = 2 * DAY + 4 * HOUR
    assert held.view("1", now=now).windows[0].covered_seconds == 2 * DAY
    assert held.view("2", now=now).windows[0].covered_seconds == 3 * HOUR


# --- windows over panes -----------------------------------------------------------------------


def test_every_window_is_the_sum_of_what_came_in_it():
    rng = np.random.default_rng(1)
    held = driver(Clock.RECORDS, windows=(HOUR, DAY, 3 * DAY))
    times = np.sort(rng.uniform(0, 6 * DAY, 600))
    sent = []
    for batch in np.array_split(times, 60):
        shuffled = rng.permutation(batch)
        held.send(at(*shuffled))
        sent += shuffled.tolist()
        now = max(sent)
        for view, grid in zip(held.view().windows, (Grid(MINUTE), Grid(HOUR), Grid(HOUR)), strict=True):
            begin = grid.start(grid.index(now) - grid.closed_panes(view.seconds))
            assert view.predictions == sum(t >= begin for t in sent)
            # While a reference is learned, minutes hold no inputs.
            assert view.inputs.records == (view.predictions if view.seconds > HOUR else 0)


def test_the_matured_cohort_is_the_window_shifted_back_by_its_age():
    held = driver(Clock.RECORDS, outcomes=OutcomesConfig(matures_after=DAY, horizon=3 * DAY))
    for hour in range(72):
        time = hour * HOUR + 60.0
        held.send(at(time, ids=[f"i{hour}"]))
        if hour >= 24:  # every outcome comes a day later
            held.send(outcomes([f"i{hour - 24}"], [1], [time]))
    window = held.view().windows[0]
    sketch = held.model().quality
    assert sketch.outcomes(window.matured)[0] == window.matured_base == 24
    assert window.matured_age_seconds == pytest.approx(DAY, abs=HOUR)
    assert window.matured_covered_seconds == DAY
    # Of the newest day's predictions and those of the open hour only the first has its outcome.
    assert (window.predicted_outcomes, window.predicted_base) == (1, 25)
    assert sketch.outcomes(window.arrived)[0] == 25


def test_maturity_is_learned_from_the_delay_once_500_outcomes_are_known():
    held = driver(Clock.RECORDS, windows=(7 * DAY,))
    rng = np.random.default_rng(2)
    ids = [f"i{i}" for i in range(499)]
    made = np.sort(rng.uniform(0, DAY, 499))
    held.send(predictions(ids, made, score=np.full(499, 0.5)))
    held.send(outcomes(ids, [1] * 499, made + 2 * DAY))
    assert held.view().matures_after is None
    held.send(predictions(["last"], [made[-1]], score=[0.5]))
    held.send(outcomes(["last"], [1], [made[-1] + 2 * DAY]))
    held.view(now=held.model().clock + HOUR)  # the last pane closes; the next look learns from it
    # 10% relative error of the delay's buckets, rounded up to an hour
    view = held.view(now=held.model().clock + HOUR)
    assert view.matures_after == pytest.approx(2 * DAY, rel=0.12)
    assert view.matures_after % HOUR == 0
    assert view.delay_p50 == pytest.approx(2 * DAY, rel=0.11)
