"""Which versions of a model are let go of when there are more than are kept."""

import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import Clock, Config, Limits, Model, Task
from driftgauge.monitor import saving
from driftgauge.monitor.models import Models

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def driver(versions=3, clock=Clock.WALL):
    model = Model(task=Task.BINARY, windows=(HOUR, DAY), clock=clock)
    return Driver(Config(models={"m": model}, limits=Limits(versions=versions)))


def say(held, version, at, n=1):
    ids = [f"{version}-{at}-{i}" for i in range(n)]
    held.send(predictions(ids, [WALL + at] * n, version=version, score=[0.5] * n), wall=WALL + at)


def names(held):
    return set(held.model().versions)


def test_the_one_that_is_silent_longest_goes():
    held = driver()
    for hour, version in enumerate(("1", "2", "3")):
        say(held, version, hour * HOUR, 10)
    say(held, "4", 3 * HOUR)
    assert names(held) == {"2", "3", "4"}


def test_one_that_replaces_another_is_kept_from_its_first_record_on():
    held = driver()
    for day, version in enumerate("123456"):
        say(held, version, day * DAY, 50_000 if version == "1" else 100)
        assert version in names(held)
    assert {"5", "6"} < names(held)


def test_the_next_version_of_a_replay_is_kept_however_fast_it_is():
    """On a records clock: a day of records comes within a second of the wall's clock."""
    held = driver(clock=Clock.RECORDS)
    for day in range(6):
        ids = [f"{day}-{i}" for i in range(100 - day)]
        times = [WALL + day * DAY] * len(ids)
        held.send(predictions(ids, times, version=str(day), score=[0.5] * len(ids)), wall=WALL + day / 10)
        assert str(day) in names(held)
    assert names(held) == {"3", "4", "5"}


def test_strays_at_one_time_oust_none_that_serves():
    held = driver()
    say(held, "canary", 0.0, 20)
    say(held, "live", MINUTE, 100)
    for stray in range(6):
        say(held, f"stray{stray}", (2 + stray) * MINUTE)
    assert {"live", "canary"} < names(held)


def test_strays_in_the_same_group_oust_none_that_serves():
    held = driver()
    say(held, "live", 0.0, 100)
    held.send(
        *(predictions([v], [WALL + HOUR], version=v, score=[0.5]) for v in ("live", "a", "b", "c")),
        wall=WALL + HOUR,
    )
    assert names(held) == {"live", "b", "c"}


def test_strays_at_night_do_not_oust_the_busiest():
    held = driver()
    say(held, "live", 0.0, 100)
    for stray in range(6):
        say(held, f"stray{stray}", (8 + stray / 2) * HOUR)
    assert names(held) == {"live", "stray4", "stray5"}


def test_a_version_gives_way_once_it_is_silent_however_busy_it_was():
    held = driver(versions=1)
    say(held, "1", 0.0, 1_000)
    say(held, "2", MINUTE)
    assert names(held) == {"1"}
    say(held, "2", 11 * MINUTE)
    assert names(held) == {"2"}


def test_one_that_only_outcomes_named_goes_first():
    held = driver(versions=2)
    say(held, "1", 0.0)
    held.models._version(held.model(), "outcomes only")
    held.models._tentative.clear()
    say(held, "2", HOUR)
    assert names(held) == {"1", "2"}


def test_one_whose_outcomes_bring_their_predictions_serves_too():
    held = driver()
    ids = [f"o{i}" for i in range(50)]
    held.send(outcomes(ids, [1] * 50, [WALL] * 50, version="receiver", score=[0.5] * 50), wall=WALL)
    for stray in range(4):
        say(held, f"stray{stray}", MINUTE + stray)
    assert names(held) == {"receiver", "stray2", "stray3"}


@pytest.mark.parametrize("saved", [False, True])
def test_a_restart_lets_go_of_the_same(saved):
    held = driver()
    say(held, "canary", 0.0, 20)
    say(held, "live", 12 * HOUR, 100)
    twin = held.restarted()
    if saved:
        twin.models = Models(held.config, held.shelf, b"k" * 32)
        states = {key: data for key, data in saving.states(held.models).items() if data is not None}
        saving.restore(twin.models, states)
    assert twin.version(version="canary").busy == held.version(version="canary").busy == 20
    for stray in range(3):
        say(twin, f"stray{stray}", 12 * HOUR + stray)
    assert names(twin) == {"live", "stray1", "stray2"}
