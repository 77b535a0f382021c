"""Detectors on the errors of joined records: what is fed, in which order, and the same after a restart."""

import msgspec
import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Clock, DetectorName, Task
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.evaluate import evaluate
from driftgauge.monitor import saving
from driftgauge.monitor.detecting import SCALE_RECORDS, Errors, fed
from driftgauge.monitor.expiry import expired_predictions
from driftgauge.stats.detectors import DETECTORS

N = 2_000
ALL = tuple(DetectorName)


def driver(**model):
    given = {"task": Task.BINARY, "windows": (HOUR, 7 * DAY), "detectors": ALL}
    return Driver(**{**given, **model})


def wrong(n=N, before=0.1, after=0.6, seed=4):
    """Whether each of n predictions is wrong: the rate changes in the middle."""
    rng = np.random.default_rng(seed)
    return rng.random(n) < np.where(np.arange(n) < n // 2, before, after)


IDS = [f"i{i}" for i in range(N)]
PREDICTED = [int(each) for each in np.random.default_rng(1).integers(0, 2, N)]
HAPPENED = [int(p != w) for p, w in zip(PREDICTED, wrong(), strict=True)]
TIMES = WALL - 1_800 + np.arange(N) * 0.5


def send(held, places=range(N), size=N, *, first="predictions"):
    """Predictions and outcomes at *places*, in batches."""
    places = list(places)
    for at in range(0, len(places), size):
        chosen = places[at : at + size]
        ids = [IDS[i] for i in chosen]
        given = predictions(ids, np.full(len(ids), WALL - 3_600), prediction=[PREDICTED[i] for i in chosen])
        told = outcomes(ids, [HAPPENED[i] for i in chosen], TIMES[chosen])
        for batch in (given, told) if first == "predictions" else (told, given):
            held.send(batch)
    return held


def expected():
    """What each detector finds in the whole stream of errors."""
    return {name: DETECTORS[name]().update(wrong().astype(float)).detections for name in ALL}


def found(held, version="1"):
    return {each.name: each for each in held.version(version=version).errors.detectors}


# --- what is fed ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [N, 300, 17])
@pytest.mark.parametrize("first", ["predictions", "outcomes"])
def test_joined_records_are_read_in_order_however_they_come(size, first):
    held = found(send(driver(), size=size, first=first))
    for name, places in expected().items():
        assert held[name].seen == N
        assert held[name].detections == len(places) > 0, name
        assert held[name].detected_at == TIMES[places[-1]], name


def test_outcomes_that_bring_their_prediction_are_read_among_those_that_join_in_the_order_sent():
    held = driver()
    half = range(0, N, 2)
    ids = [IDS[i] for i in half]
    held.send(predictions(ids, np.full(len(ids), WALL - 3_600), prediction=[PREDICTED[i] for i in half]))
    carried = [None if i % 2 == 0 else PREDICTED[i] for i in range(N)]
    held.send(outcomes(IDS, HAPPENED, TIMES, version="1", prediction=carried))
    for name, places in expected().items():
        assert (found(held)[name].seen, found(held)[name].detections) == (N, len(places))


def test_a_record_whose_prediction_is_not_known_is_left_out():
    held = driver()
    held.send(predictions(["a", "b"], np.full(2, WALL - 60), prediction=[None, 1]))
    held.send(outcomes(["a", "b"], [1, 1]))
    assert {each.seen for each in found(held).values()} == {1}


def test_each_version_has_its_own_detectors():
    held = driver()
    for version in ("1", "2"):
        held.send(predictions(["a"], [WALL - 60], version=version, prediction=[1]))
    held.send(outcomes(["a"], [0]))
    held.send(predictions(["b"], [WALL - 60], version="2", prediction=[1], outcome=[1]))
    assert [found(held, v)["adwin"].seen for v in ("1", "2")] == [1, 2]


def test_an_outcome_that_silence_implies_is_read_too():
    held = driver(outcomes=OutcomesConfig(horizon=DAY, at_horizon="0"))
    made = WALL - 2 * DAY
    held.send(predictions(["a", "b"], np.full(2, made), prediction=[1, 0]))
    log = held.version().plain
    rows = np.frombuffer(b"".join(held.shelf.logs[log.log]), np.uint8)
    update, tally = expired_predictions(held.model(), held.version(), log, WALL, [rows])
    held.models.take((update,))
    assert (tally.implied, found(held)["ddm"].seen) == (2, 2)


def test_a_class_predicted_right_counts_0_and_wrong_1():
    held = driver(task=Task.MULTICLASS, detectors=("ddm",))
    ids = [f"c{i}" for i in range(90)]
    named = ["x", "y", "z"] * 30
    held.send(predictions(ids, np.full(90, WALL - 60), prediction=named))
    held.send(outcomes(ids, ["x", "y", "y"] * 30))
    twin = DETECTORS["ddm"]()
    twin.update([0.0, 0.0, 1.0] * 30)
    assert found(held)["ddm"].data == twin.to_bytes()


# --- regressions ------------------------------------------------------------------------------


def regression(unit, *, size=N):
    held = driver(task=Task.REGRESSION)
    rng = np.random.default_rng(2)
    error = rng.exponential(np.where(np.arange(N) < N // 2, 1.0, 5.0)) * rng.choice([-1, 1], N)
    actual = 50 + rng.normal(size=N)
    for at in range(0, N, size):
        ids, cut = IDS[at : at + size], slice(at, at + size)
        given = ((actual + error) * unit)[cut].tolist()
        held.send(predictions(ids, np.full(len(ids), WALL - 3_600), prediction=given))
        held.send(outcomes(ids, (actual * unit)[cut].tolist(), TIMES[cut]))
    return held, np.abs(error)


def test_errors_of_a_regression_are_measured_in_the_median_of_its_first():
    held, sizes = regression(1.0)
    unit = np.median(sizes[:SCALE_RECORDS])
    assert held.version().errors.unit == pytest.approx(unit)
    later = sizes[SCALE_RECORDS:]
    for name, each in found(held).items():
        read = later > unit if DETECTORS[name].counts_errors else later / (later + unit)
        places = DETECTORS[name]().update(read.astype(float)).detections
        assert (each.seen, each.detections) == (N - SCALE_RECORDS, len(places))
        assert each.detected_at == TIMES[SCALE_RECORDS + places[-1]], name


def test_the_unit_of_the_outcome_makes_no_difference():
    one, other = found(regression(1.0)[0]), found(regression(1_000.0)[0])
    assert {n: (e.detections, e.detected_at) for n, e in one.items()} == {
        n: (e.detections, e.detected_at) for n, e in other.items()
    }


def test_a_regression_in_any_batches_gives_the_same():
    whole, cut = regression(1.0)[0].version().errors, regression(1.0, size=37)[0].version().errors
    assert whole == cut


def test_a_regression_without_a_unit_yet_gives_none_and_one_that_is_mostly_exact_counts_its_misses():
    errors = Errors.of(("adwin", "ddm"))
    few = fed(errors, Task.REGRESSION, np.zeros(10), np.ones(10), np.zeros(10))
    assert [each.seen for each in few.detectors] == [0, 0]
    exact = np.zeros(SCALE_RECORDS + 2)
    exact[-1] = 3.0
    found = fed(errors, Task.REGRESSION, np.zeros(exact.size), exact, np.zeros(exact.size))
    assert found.unit == 0.0
    twin = DETECTORS["adwin"]()
    twin.update([0.0, 1.0])
    assert found.detectors[0].data == twin.to_bytes()


def test_numbers_as_large_as_they_can_be_are_no_fault():
    errors = Errors.of(ALL)
    largest = np.full(500, np.finfo(np.float64).max)
    found = fed(errors, Task.REGRESSION, -largest, largest, np.zeros(500))
    assert all(np.isfinite(np.frombuffer(each.data[25:])[:1]).all() for each in found.detectors)


# --- restarts ---------------------------------------------------------------------------------


def test_a_replay_gives_the_same_detections_and_goes_on_the_same():
    held = send(driver(), range(N - 700), 50)
    twin = held.restarted()
    assert twin.version().errors == held.version().errors
    undisturbed = send(driver(), size=50)
    assert send(twin, range(N - 700, N), 50).version().errors == undisturbed.version().errors
    assert found(twin)["adwin"].detections


def restored(held, **model):
    """A monitor from a checkpoint of *held*, under a configuration that may differ."""
    twin = driver(**model)
    saving.restore(twin.models, {k: v for k, v in saving.states(held.models).items() if v is not None})
    return twin


def test_a_checkpoint_gives_the_same_detectors():
    held = send(driver())
    assert restored(held).version().errors == held.version().errors


def test_a_checkpoint_made_before_there_were_detectors_begins_them():
    held = send(driver())
    found = {k: v for k, v in saving.states(held.models).items() if v is not None}
    document = msgspec.msgpack.decode(found[saving.REGISTRY])
    for model in document[2]:
        for version in model[-1]:
            del version[17:]  # its detectors, and all that came later
    twin = driver()
    saving.restore(twin.models, found | {saving.REGISTRY: msgspec.msgpack.encode(document)})
    assert twin.version().errors == Errors.of(ALL)


def test_detectors_that_the_configuration_no_longer_names_go_and_new_ones_begin():
    held = send(driver(detectors=("adwin", "ddm")))
    after = found(restored(held, detectors=("eddm", "adwin")))
    assert list(after) == ["eddm", "adwin"]
    assert after["adwin"] == found(held)["adwin"]
    assert after["eddm"].seen == 0


def test_a_detector_whose_saved_state_cannot_be_read_begins_anew_and_the_log_says_so(caplog):
    held = send(driver(detectors=("adwin", "ddm")))
    adwin, ddm = held.version().errors.detectors
    broken = msgspec.structs.replace(adwin, data=adwin.data[:-3])
    held.version().errors = Errors((broken, ddm))
    after = found(restored(held, detectors=("adwin", "ddm")))
    assert (after["adwin"].seen, after["ddm"]) == (0, ddm)
    assert "detector adwin begins anew: a saved detector of" in caplog.text


def test_another_task_begins_them_anew():
    held = send(driver())
    assert restored(held, task=Task.REGRESSION).version().errors == Errors.of(ALL)


def test_a_batch_that_is_not_committed_changes_nothing():
    held = send(driver(), range(500))
    before = held.version().errors
    held.send(predictions(["x"], [WALL - 60], prediction=[1]))
    held.models.prepare([outcomes(["x"], [0])], 1, WALL)
    held.models.abandon()
    assert held.version().errors == before


# --- what is shown ----------------------------------------------------------------------------


def rows(held, now=WALL):
    snapshot = evaluate([held.view(now=now)], WALL, 0.0)
    return {row.detector: row for row in snapshot.versions[0].detectors}


def test_a_drift_is_shown_for_the_length_of_the_shortest_window():
    held = send(driver(detectors=("adwin",)))
    row = rows(held)["adwin"]
    (place,) = expected()["adwin"]
    assert (row.state, row.detections, row.samples) == (2.0, 1.0, float(N))
    assert row.last_detection_timestamp_seconds == TIMES[place]
    assert rows(held, TIMES[place] + HOUR - 1)["adwin"].state == 2.0
    assert rows(held, TIMES[place] + HOUR + 1)["adwin"].state == 0.0


def test_a_warning_is_shown_and_nothing_before_the_first_error():
    held = driver(detectors=("ddm",), clock=Clock.RECORDS)
    held.send(predictions(IDS, np.full(N, WALL - 60), prediction=[1] * N))
    assert rows(held) == {}
    values = wrong().astype(int)
    begun = DETECTORS["ddm"]().update(values).warnings[0]
    values = values[: begun + 1].tolist()
    held.send(outcomes(IDS[: len(values)], [1 - v for v in values], np.full(len(values), WALL)))
    assert (rows(held)["ddm"].state, rows(held)["ddm"].detections) == (1.0, 0.0)
    assert rows(held)["ddm"].last_detection_timestamp_seconds is None


def test_no_detectors_cost_and_show_nothing():
    held = send(driver(detectors=()))
    assert rows(held) == {}
    assert fed(held.version().errors, Task.BINARY, np.zeros(3), np.zeros(3), np.zeros(3)) is None
