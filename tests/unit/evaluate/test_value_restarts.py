"""Value, weights and segments after a checkpoint: the same numbers, whatever the configuration became."""

import numpy as np
import pytest
from tests.unit.evaluate.test_segment_rows import START, reference
from tests.unit.monitor.driving import Driver, Shelf, outcomes, predictions

from driftgauge.config import DAY, HOUR, Clock, Config, Model, Outcomes, Task, Value
from driftgauge.evaluate import evaluate
from driftgauge.monitor import saving
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

WORTH = {"true_positive": 40.0, "false_positive": -5.0, "false_negative": -120.0, "true_negative": 0.0}
WEIGHTED = Value("EUR", **WORTH, weight="x")
PLAIN = Value("EUR", **WORTH)


def model(value=WEIGHTED, segment_drift=("x",)):
    return Model(
        task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,), outcomes=Outcomes(matures_after=HOUR),
        value=value, segment_drift=segment_drift,
    )  # fmt: skip


def fed(value=WEIGHTED):
    held = Driver(Config(models={"m": model(value)}))
    held.send(predictions(["first"], [START], score=[0.5], segments={"plan": ["free"]}))
    held.version().fix_reference(Part.INPUTS, reference(), ReferenceState.GIVEN)
    rng = np.random.default_rng(1)
    for hour in range(9 * 24):
        ids, times = [f"{hour}-{i}" for i in range(30)], START + hour * HOUR + np.linspace(0, 3_000, 30)
        plan = rng.choice(["free", "pro"], 30).tolist()
        score, x = rng.random(30), rng.normal(50, 5, 30)
        held.send(predictions(ids, times, score=score, numeric={"x": x}, segments={"plan": plan}))
        held.send(outcomes(ids, (rng.random(30) < score).astype(int).tolist(), times + 60))
    return held


def restored(held, after):
    """A process that finds a checkpoint of *held*, and a configuration that may differ."""
    shelf = Shelf()
    shelf.logs = held.shelf.logs
    panes = [p for v in held.models.versions() for p in saving.dirty_panes(v)]
    shelf.panes = {(p.owner, p.resolution, p.start, p.part): p.row for p in panes}
    twin = Driver(Config(models={"m": after}), shelf=shelf)
    saving.restore(twin.models, {k: v for k, v in saving.states(held.models).items() if v is not None})
    return twin


def numbers(held):
    found = evaluate([held.view()], 0.0, 0.0, segments=True).versions[0]
    return found.value, found.best_thresholds, found.segment_drift, found.worst_segments


@pytest.mark.parametrize("value", [WEIGHTED, PLAIN], ids=["weighted", "plain"])
def test_a_checkpoint_gives_the_same_numbers(value):
    held = fed(value)
    before = numbers(held)
    assert all(before)
    assert {row.psi is None for row in before[2]} == {False}
    assert numbers(restored(held, model(value))) == before


def test_other_weights_begin_anew_and_drop_what_waits():
    held = fed()
    twin = restored(held, model(PLAIN))
    assert twin.model().reformed
    assert {row.samples for row in numbers(twin)[0]} == {0.0}
    assert not restored(held, model()).model().reformed


def test_other_values_of_the_cells_need_nothing_anew():
    held = fed()
    twice = Value("EUR", **{name: 2 * worth for name, worth in WORTH.items()}, weight="x")
    twin = restored(held, model(twice))
    assert not twin.model().reformed
    pairs = zip(numbers(held)[0], numbers(twin)[0], strict=True)
    assert all(b.value == pytest.approx(2 * a.value, rel=1e-12) for a, b in pairs if a.value)


def test_what_is_no_longer_configured_is_left_alone():
    twin = restored(fed(), model(None, ()))
    assert numbers(twin)[:3] == ((), (), ())


def test_other_features_by_segment_begin_anew():
    twin = restored(fed(), model(segment_drift=("c",)))
    assert twin.version().segment_reference is None or not twin.version().segment_reference.counts.any()
    assert numbers(twin)[2] == ()
