"""What an owner may ask of a reference: accept it, learn it anew, take it from what is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL
from tests.unit.monitor.test_learning import driver, feed, settle
from tests.unit.profile.conftest import ndjson

from driftgauge import reference as references
from driftgauge.app.references import found as exported
from driftgauge.config import DAY, HOUR, Model, Task
from driftgauge.errors import RequestError
from driftgauge.evaluate import evaluate
from driftgauge.judged import STATES
from driftgauge.monitor import judging, relearning, saving
from driftgauge.monitor.update import Prepared, encode
from driftgauge.profile import Roles, Settings, profile
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import ReferenceState, VerdictState
from driftgauge.web.ports import ReferenceQuery
from driftgauge.windows import Part, Resolution


def order(held, changes):
    """Commit as the writer does."""
    updates = tuple(change.update for change in changes)
    held.committed.append(encode(updates))
    held.models.apply(Prepared(updates, (), (), np.zeros(1, int), np.zeros(1, int), ()))
    return {change.part: change for change in changes}


def refusal(function, *arguments):
    with pytest.raises(RequestError) as told:
        function(*arguments)
    return told.value.status, told.value.reason, told.value.detail


def drift(view, window="1d"):
    rows = evaluate([view], WALL, 0.0).versions[0].drift
    return {d.feature or d.output: d for d in rows if d.window == window}


def same(ours, twin):
    """Two views that tell the same."""
    for part in ("inputs", "outputs"):
        one, other = getattr(ours, part), getattr(twin, part)
        assert one.state is other.state
        assert (one.reference and one.reference.id) == (other.reference and other.reference.id)
    one, other = (evaluate([v], WALL, 0.0).versions[0].drift for v in (ours, twin))
    assert [(d.feature, d.output, d.window, d.samples) for d in one] == [
        (d.feature, d.output, d.window, d.samples) for d in other
    ]
    for ours_, twins in zip(one, other, strict=True):
        for name in ("psi", "mean_shift_sd", "ks"):
            one, other = getattr(ours_, name), getattr(twins, name)
            assert (one is None) == (other is None)
            assert one is None or one == pytest.approx(other, rel=1e-6, abs=1e-9)


# --- accept -----------------------------------------------------------------------------------


def test_accepting_freezes_the_provisional_reference_as_it_is_shown():
    held = driver()
    feed(held, 0, 3)
    shown = settle(held)
    told = order(held, relearning.accept(held.version()))
    view = held.view()
    for part, before, after in (
        (Part.INPUTS, shown.inputs, view.inputs),
        (Part.OUTPUTS, shown.outputs, view.outputs),
    ):
        assert before.state is ReferenceState.PROVISIONAL
        assert after.state is ReferenceState.FROZEN
        assert told[part].reference.id == before.reference.id == after.reference.id
        assert told[part].note == "was provisional"
    same(view, held.restarted().view())
    feed(held, 3, 4, shift=10.0, seed=2)
    assert drift(held.view())["x"].mean_shift_sd == pytest.approx(2.0, abs=0.15)


def test_accepting_an_unstable_reference_names_what_differs():
    held = driver()
    feed(held, 0, 8.2, alternate=10.0)
    settle(held)
    told = order(held, relearning.accept(held.version()))
    assert set(told) == {Part.INPUTS}, "the outputs were frozen already"
    assert told[Part.INPUTS].note == "was unstable; alternate days differ in x"
    assert held.view().inputs.state is ReferenceState.FROZEN


def test_there_is_nothing_to_accept_while_learning_and_once_frozen():
    held = driver()
    feed(held, 0, 1)
    settle(held)
    words = "there is nothing to accept: inputs are learning, 960 of 1,000 records; outputs are learning, 960 of 1,000 records"
    assert refusal(relearning.accept, held.version()) == (409, "conflict", words)
    feed(held, 1, 8.2)
    settle(held)
    words = "there is nothing to accept: inputs are frozen; outputs are frozen"
    assert refusal(relearning.accept, held.version()) == (409, "conflict", words)


# --- relearn ----------------------------------------------------------------------------------


def frozen_and_moved(**model):
    """Eight days as they were, and two with x higher by two standard deviations."""
    held = driver(**model)
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 10, shift=10.0, seed=2)
    return held


def test_relearning_begins_with_nothing_and_ends_in_a_reference_of_what_came_since():
    held = frozen_and_moved()
    order(held, relearning.relearn(held.version(), held.model().now(WALL)))
    view = held.view()
    for part in (view.inputs, view.outputs):
        assert (part.state, part.reference, part.inputs) == (ReferenceState.LEARNING, None, None)
    assert drift(view) == {}
    assert isinstance(view.windows[0].inputs, LearningRow)
    assert view.windows[0].inputs.records == 0
    assert view.windows[0].predictions > 900, "traffic goes on"
    same(view, held.restarted().view())
    feed(held, 10, 11.5, shift=10.0, seed=3)
    assert settle(held).inputs.state is ReferenceState.PROVISIONAL
    assert drift(held.view())["x"].psi < 0.1
    feed(held, 11.5, 17.9, shift=10.0, seed=4)
    assert settle(held).inputs.state is ReferenceState.PROVISIONAL, "eight days count from the order on"
    feed(held, 17.9, 18.2, shift=10.0, seed=5)
    view = settle(held)
    assert view.inputs.state is view.outputs.state is ReferenceState.FROZEN
    reference = view.inputs.reference
    mean = references.moments(view.inputs.inputs, reference.row)[1][0]
    assert mean == pytest.approx(60.0, abs=0.2)
    assert reference.first == pytest.approx(10 * DAY, abs=HOUR)
    assert reference.bins.identifiers == {"f:step"}, "growth is watched anew"
    same(view, held.restarted().view())


def test_relearning_survives_a_checkpoint_and_old_panes_of_the_store_count_nothing():
    held = frozen_and_moved()
    for index, part, row in [(i, p, r) for (p, i), r in held.version().coarse.hot.items()]:
        held.shelf.panes[held.version().owner, Resolution.COARSE, index, part] = held.version().encode(
            part, row
        )
    key = f"reference/{held.version().owner}/inputs"
    assert saving.states(held.models)[key].startswith(b"frozen\n")
    saving.saved(held.models)
    order(held, relearning.relearn(held.version(), held.model().now(WALL)))
    states = saving.states(held.models)
    assert states[key] is None, "the old reference leaves the store"
    twin = driver()
    twin.shelf.panes = held.shelf.panes
    saving.restore(twin.models, {name: data for name, data in states.items() if data is not None})
    feed(held, 10, 10.5, shift=10.0, seed=3)
    feed(twin, 10, 10.5, shift=10.0, seed=3)
    assert twin.version().inputs.learned == held.version().inputs.learned == 480
    assert twin.version().inputs.since == held.version().inputs.since
    for ours, theirs in zip(held.view().windows, twin.view().windows, strict=True):
        assert ours.inputs.records == theirs.inputs.records == 480


@pytest.mark.parametrize("ordered", [relearning.relearn, lambda v, now: relearning.rebuild(v, now, 0.0)])
def test_a_model_whose_file_gives_its_reference_learns_none(tmp_path, ordered):
    held = driver()
    feed(held, 0, 8.2)
    view = settle(held)
    path = tmp_path / "given.json"
    path.write_bytes(references.to_json(references.merged(view.inputs.reference, view.outputs.reference)))
    other = driver(reference=path)
    feed(other, 0, 2)
    assert refusal(ordered, other.version(), 2 * DAY) == (
        409, "conflict",
        "the configuration gives this model's reference by a file: make another with `driftgauge profile`, "
        "or take `reference:` out",
    )  # fmt: skip
    words = "there is nothing to accept: inputs are given; outputs are given"
    assert refusal(relearning.accept, other.version()) == (409, "conflict", words)


def test_outputs_that_no_file_gives_can_be_learned_anew(tmp_path):
    held = driver()
    feed(held, 0, 8.2)
    path = tmp_path / "given.json"
    path.write_bytes(references.to_json(settle(held).inputs.reference))
    other = driver(reference=path)
    feed(other, 0, 8.2)
    view = settle(other)
    assert (view.inputs.state, view.outputs.state) == (ReferenceState.GIVEN, ReferenceState.FROZEN)
    told = order(other, relearning.relearn(other.version(), 8.2 * DAY))
    assert set(told) == {Part.OUTPUTS}
    assert other.view().outputs.state is ReferenceState.LEARNING


# --- rebuild ----------------------------------------------------------------------------------


def test_a_reference_of_the_kept_hours_since_a_time_is_in_force_at_once_in_the_same_bins():
    held = frozen_and_moved()
    assert drift(held.view())["x"].psi > 1
    old = held.view().inputs.reference
    told = order(held, relearning.rebuild(held.version(), held.model().now(WALL), 8.5 * DAY))
    view = held.view()
    reference = view.inputs.reference
    assert told[Part.INPUTS].note == "the bins stay"
    assert view.inputs.state is ReferenceState.FROZEN
    assert reference.id != old.id
    np.testing.assert_array_equal(reference.bins.edges, old.bins.edges)
    assert int(reference.row.counts[0]) == 36 * 40
    assert (reference.first, reference.last) == (8.5 * DAY, 10 * DAY)
    assert [day for day, _ in reference.days] == [8, 9]
    assert references.moments(view.inputs.inputs, reference.row)[1][0] == pytest.approx(60.0, abs=0.4)
    found = drift(view)["x"]
    assert found.psi < 0.1
    assert found.samples == pytest.approx(1000, abs=40), "windows go on"
    same(view, held.restarted().view())


def test_rebuilding_while_learning_makes_bins_of_the_window_alone():
    held = driver()
    feed(held, 0, 2)
    feed(held, 2, 4, shift=10.0, seed=2)
    settle(held)
    order(held, relearning.rebuild(held.version(), held.model().now(WALL), 2 * DAY))
    view = held.view()
    assert view.inputs.state is ReferenceState.FROZEN
    assert int(view.inputs.reference.row.counts[0]) == 48 * 40
    assert view.inputs.reference.bins.centre[0] == pytest.approx(60.0, abs=0.4)


def test_too_few_kept_records_make_no_reference():
    held = frozen_and_moved()
    words = "fewer than 1,000 records are kept since then, too few for a reference"
    now = held.model().now(WALL)
    assert refusal(relearning.rebuild, held.version(), now, 9.5 * DAY) == (409, "conflict", words)
    assert refusal(relearning.rebuild, held.version(), now, 99 * DAY) == (409, "conflict", words)


# --- of a new version -------------------------------------------------------------------------


def test_the_outputs_of_a_version_that_inherits_its_inputs_reference_are_learned_to_the_end():
    held = driver()
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 16.5, version="2", seed=2)
    view = settle(held, "2")
    assert view.inputs.reference.id == held.view("1").inputs.reference.id
    assert view.outputs.state is ReferenceState.FROZEN


def test_a_version_that_comes_while_the_newest_learns_anew_learns_too():
    held = driver()
    feed(held, 0, 8.2)
    settle(held)
    feed(held, 8.2, 8.5, version="2", seed=2)
    order(held, relearning.relearn(held.version(version="2"), held.model().now(WALL)))
    feed(held, 8.5, 8.8, version="3", seed=3)
    assert held.view("3").inputs.state is ReferenceState.LEARNING
    assert held.view("1").inputs.state is ReferenceState.FROZEN
    same(held.view("3"), held.restarted().view("3"))


def test_a_window_that_reaches_to_before_the_relearning_is_not_judged():
    held = frozen_and_moved()
    order(held, relearning.relearn(held.version(), held.model().now(WALL)))
    feed(held, 10, 11.5, shift=10.0, seed=3)
    settle(held)
    order(held, relearning.accept(held.version()))
    feed(held, 11.5, 12, shift=10.0, seed=4)
    update = judging.step(held.version(), held.model().now(WALL))
    states = {j.window: {STATES[row["state"]] for row in j.table} for j in update.judged}
    assert states["3d"] - {VerdictState.IDENTIFIER} == {VerdictState.NOT_COVERED}, (
        "two days of three are counted in the new bins"
    )
    assert VerdictState.NOT_COVERED not in states["1d"]


def test_what_is_exported_is_the_file_that_was_given(tmp_path):
    rng = np.random.default_rng(1)
    records = [
        {"at": i * 60.0, "x": float(x), "score": float(s), "y": int(x + s > 0.5)}
        for i, (x, s) in enumerate(zip(rng.normal(0, 1, 2_000), rng.uniform(0, 1, 2_000), strict=True))
    ]
    (tmp_path / "train.ndjson").write_text(ndjson(records))
    settings = Settings(roles=Roles(time="at", score="score", outcome="y"), model=Model(task=Task.BINARY))
    path = tmp_path / "given.json"
    made = profile(tmp_path / "train.ndjson", settings).reference
    assert made.relation is not None
    path.write_bytes(references.to_json(made))
    held = driver(reference=path)
    feed(held, 0, 0.5)
    kept = SimpleNamespace(models=held.models)
    found = exported(kept, ReferenceQuery("m", "1"))
    assert references.to_json(found) == path.read_bytes()
    assert exported(kept, ReferenceQuery("m", "2")) is exported(kept, ReferenceQuery("other")) is None
