"""A reference that is learned: learning, provisional, then frozen or unstable; windows keep what was learned."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Clock, Feature, FeatureKind, Task
from driftgauge.evaluate import evaluate
from driftgauge.layout import Row
from driftgauge.monitor import learning
from driftgauge.monitor.update import Prepared, encode
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

RNG = np.random.default_rng


def driver(**model):
    return Driver(**{"task": Task.BINARY, "clock": Clock.RECORDS, "windows": (DAY, 3 * DAY), **model})


def feed(held, begin, end, *, each=40, shift=0.0, seed=1, version="1", alternate=0.0):
    """*each* records an hour from day *begin* to day *end*."""
    rng = RNG(seed)
    for hour in range(int(begin * 24), int(end * 24)):
        apart = alternate * (hour // 24 % 2)
        held.send(
            predictions(
                [f"{version}-{hour}-{i}" for i in range(each)],
                hour * HOUR + np.sort(rng.uniform(0, HOUR, each)),
                version=version,
                numeric={
                    "x": rng.normal(50 + shift + apart, 5, each),
                    "step": np.arange(each) + 1.0 * each * hour,
                },
                categorical={"c": rng.choice(["a", "b"], each, p=[0.7, 0.3]).tolist()},
                score=rng.beta(2, 2, each),
            )
        )


def step(held, version="1"):
    """Whatever the writer does after a batch: at most one update, committed and taken in."""
    update = learning.step(held.version(version=version), held.model().now(WALL))
    if update is not None:
        held.committed.append(encode((update,)))
        held.models.apply(Prepared((update,), (), (), np.zeros(1, int), np.zeros(1, int), ()))
    return update


def settle(held, version="1"):
    while step(held, version) is not None:
        pass
    return held.view(version)


def test_nothing_is_compared_before_a_thousand_records():
    held = driver()
    feed(held, 0, 1)  # 960
    view = settle(held)
    assert view.inputs.state is ReferenceState.LEARNING
    assert view.inputs.inputs is None
    assert evaluate([view], WALL, 0.0).versions[0].drift == ()


def test_from_a_thousand_records_a_provisional_reference_is_compared_with():
    held = driver()
    feed(held, 0, 2)
    view = settle(held)
    assert view.inputs.state is view.outputs.state is ReferenceState.PROVISIONAL
    assert view.inputs.lifetime is None, "counts in bins that may change are no counters"
    drift = {
        d.feature or d.output: d for d in evaluate([view], WALL, 0.0).versions[0].drift if d.window == "1d"
    }
    assert drift["x"].psi < 0.1
    assert drift["x"].samples == pytest.approx(25 * 40, abs=40)
    assert {"x", "step", "c", "score", "prediction"} == drift.keys()


def test_a_provisional_reference_is_made_anew_as_records_come():
    held = driver()
    feed(held, 0, 2)
    first = settle(held).inputs.reference.id
    feed(held, 2, 2.1)
    assert settle(held).inputs.reference.id == first, "a fifth more is due"
    feed(held, 2.1, 3)
    assert settle(held).inputs.reference.id != first


def test_a_reference_freezes_after_eight_days_and_5000_records():
    held = driver()
    feed(held, 0, 7.9)
    assert settle(held).inputs.state is ReferenceState.PROVISIONAL
    feed(held, 7.9, 8.2, seed=2)
    view = settle(held)
    assert view.inputs.state is view.outputs.state is ReferenceState.FROZEN
    assert view.inputs.reference.span_seconds == pytest.approx(8 * DAY, abs=5 * HOUR)
    assert len(view.inputs.reference.days) == 9


def test_too_few_records_stay_provisional_however_long_they_span():
    held = driver()
    feed(held, 0, 9, each=20)
    assert settle(held).inputs.state is ReferenceState.PROVISIONAL


def test_what_was_learned_counts_in_the_windows_after_freezing_and_exactly():
    held = driver()
    feed(held, 0, 8.2)
    before = held.view().windows[1]
    assert isinstance(before.inputs, LearningRow)
    view = settle(held)
    after = view.windows[1]
    assert isinstance(after.inputs, Row)
    assert view.inputs.inputs.records(after.inputs) == before.inputs.records == after.predictions
    expected = references.project(view.inputs.inputs, before.inputs)
    np.testing.assert_array_equal(after.inputs.counts, expected.counts)
    np.testing.assert_allclose(after.inputs.sums, expected.sums, rtol=1e-9, atol=1e-6)
    feed(held, 8.2, 9, seed=3)
    assert (
        held.view().inputs.inputs.records(held.view().windows[1].inputs) == held.view().windows[1].predictions
    )


def test_numbers_that_only_grow_become_identifiers():
    held = driver()
    feed(held, 0, 8.2)
    bins = settle(held).inputs.reference.bins
    assert bins.identifiers == {"f:step"}
    assert bins.numeric == ("f:x",)


def test_a_number_that_falls_once_is_no_identifier():
    held = driver()
    feed(held, 0, 1)
    held.send(predictions([None], [DAY + 1], numeric={"step": [3.0]}, score=[0.5]))
    feed(held, 1, 8.2)
    assert "f:step" in settle(held).inputs.reference.bins.numeric


def test_days_that_differ_make_an_unstable_reference_that_is_shown_and_never_fixed():
    held = driver()
    feed(held, 0, 8.2, alternate=10.0)
    view = settle(held)
    assert view.inputs.state is ReferenceState.UNSTABLE
    assert view.outputs.state is ReferenceState.FROZEN, "the score did not differ"
    assert evaluate([view], WALL, 0.0).versions[0].drift


def test_identifiers_and_traffic_by_day_make_no_reference_unstable():
    """Twice as many customers on every other day: the customers' ids are no drift."""
    held, rng = driver(), RNG(4)
    for day in range(9):
        n = 3_000 if day % 2 else 1_000
        held.send(
            predictions(
                [None] * n,
                day * DAY + np.sort(rng.uniform(0, DAY, n)),
                score=rng.beta(2, 2, n),
                categorical={"customer": [f"c{rng.integers(1 << 50)}" for _ in range(n)]},
            )
        )
    view = settle(held)
    assert view.inputs.state is ReferenceState.FROZEN
    assert view.inputs.reference.bins.identifiers == {"f:customer"}


def test_a_frozen_reference_survives_a_restart_and_so_does_every_count():
    held = driver()
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 8.5, seed=5)
    twin, ours = held.restarted().view(), held.view()
    assert twin.inputs.state is ReferenceState.FROZEN
    assert twin.inputs.reference.id == ours.inputs.reference.id
    for one, other in zip(ours.windows, twin.windows, strict=True):
        for ours_, theirs in ((one.inputs, other.inputs), (one.outputs, other.outputs)):
            np.testing.assert_array_equal(ours_.counts, theirs.counts)
            np.testing.assert_allclose(ours_.sums, theirs.sums, rtol=1e-12, atol=1e-9)


def test_a_new_version_inherits_the_features_reference_and_learns_its_outputs_anew():
    held = driver()
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 9, version="2")
    view = held.view("2")
    assert view.inputs.state is ReferenceState.FROZEN
    assert view.inputs.reference.id == held.view("1").inputs.reference.id
    assert view.outputs.state is ReferenceState.LEARNING
    drift = evaluate([view], WALL, 0.0).versions[0].drift
    assert next(d for d in drift if d.feature == "x" and d.window == "1d").psi < 0.1


def test_drift_after_freezing_is_seen_in_what_drifted_alone():
    held = driver()
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 10, shift=10.0)
    found = {
        d.feature or d.output: d
        for d in evaluate([held.view()], WALL, 0.0).versions[0].drift
        if d.window == "1d"
    }
    assert found["x"].psi > 1
    assert found["x"].mean_shift_sd == pytest.approx(2.0, abs=0.1)
    assert found["c"].psi < 0.1
    assert found["score"].psi < 0.1


def test_a_given_reference_is_in_force_from_the_first_record(tmp_path):
    held = driver()
    feed(held, 0, 8.2)
    reference = held.version().inputs.build(held.version().learned_days(Part.INPUTS, 500), 0.0, 8 * DAY, [])
    path = tmp_path / "given.json"
    path.write_bytes(references.to_json(reference))
    other = driver(reference=path)
    feed(other, 0, 1.5)
    view = other.view()
    assert view.inputs.state is ReferenceState.GIVEN
    assert view.inputs.reference.id == reference.only("f:").id
    assert view.outputs.state is ReferenceState.LEARNING
    assert other.models.faults == {}


def test_a_given_reference_that_cant_be_read_is_a_fault_and_one_is_learned(tmp_path):
    path = tmp_path / "absent.json"
    held = driver(reference=path)
    feed(held, 0, 0.1)
    assert held.models.faults == {"m": f"{path}: can't be read: No such file or directory"}
    assert held.view().inputs.state is ReferenceState.LEARNING


def test_declared_kinds_and_ranges_reach_the_learned_reference():
    held = driver(features={"c": Feature(), "x": Feature(kind=FeatureKind.NUMERIC, min=40, max=60)})
    feed(held, 0, 8.2)
    view = settle(held)
    assert (view.inputs.reference.bins.low[0], view.inputs.reference.bins.high[0]) == (40, 60)
    row = next(
        d for d in evaluate([view], WALL, 0.0).versions[0].drift if d.feature == "x" and d.window == "1d"
    )
    assert row.out_of_range_ratio == pytest.approx(0.0455, abs=0.02)  # beyond 2 standard deviations


def test_hostile_numbers_while_learning_still_freeze_and_survive_a_restart():
    held, rng = driver(), RNG(6)
    hostile = [np.nan, np.inf, -np.inf, 1e300, -1e300, 5e-324, -5e-324, -0.0, 1.7e308]
    for hour in range(200):
        held.send(
            predictions(
                [None] * 40,
                hour * HOUR + np.sort(rng.uniform(0, HOUR, 40)),
                score=rng.beta(2, 2, 40),
                numeric={"x": rng.choice(hostile, 40), "y": np.full(40, np.nan), "z": np.full(40, 7.0)},
            )
        )
    view = settle(held)
    assert view.inputs.state is ReferenceState.FROZEN
    twin = held.restarted().view()
    assert twin.inputs.reference.id == view.inputs.reference.id
    rows = evaluate([twin], WALL, 0.0).versions[0].drift
    for row in rows:
        values = [getattr(row, name) for name in row.__slots__]
        assert all(v is None or isinstance(v, str) or np.isfinite(v) for v in values)
