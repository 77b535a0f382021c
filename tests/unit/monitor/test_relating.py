"""The relation's counts by pane, its reference learned from the first matured days, and restarts."""

from copy import deepcopy

import numpy as np
import pytest
from scipy import special
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Clock, Task
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.evaluate import evaluate
from driftgauge.monitor import judging_relation, learning, relating, saving
from driftgauge.monitor.update import Prepared, encode
from driftgauge.reference.verdicts import STATES, RelationVerdictState
from driftgauge.sketches.learning import Learning
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

LATE = 2 * HOUR
SLOPES = (1.0, 0.6, 0.3)


def driver(**model):
    given = {
        "task": Task.BINARY,
        "clock": Clock.RECORDS,
        "windows": (DAY, 3 * DAY),
        "outcomes": OutcomesConfig(horizon=3 * DAY, matures_after=LATE),
    }
    return Driver(**{**given, **model})


def batch(hour, each, rng, slopes=SLOPES, prefix=""):
    """*each* records of an hour and what came of them."""
    x = rng.normal(size=(len(slopes), each))
    score = special.expit(-0.5 + np.array(slopes) @ x)
    y = (rng.random(each) < score).astype(int)
    ids = [f"{prefix}{hour}-{i}" for i in range(each)]
    times = hour * HOUR + np.sort(rng.uniform(0, HOUR, each))
    numeric = {f"x{i}": row for i, row in enumerate(x)}
    return predictions(ids, times, numeric=numeric, score=score), outcomes(ids, y.tolist(), times + HOUR)


def take(held, update):
    held.committed.append(encode((update,)))
    held.models.apply(Prepared((update,), (), (), np.zeros(1, int), np.zeros(1, int), ()))


def steps(held):
    """What the writer does after a batch."""
    for due in (learning.step, relating.step, judging_relation.step):
        update = due(held.version(), held.model().now(WALL))
        if update is not None:
            take(held, update)


def run(held, begin, end, *, each=30, seed=1, slopes=SLOPES):
    for hour in range(int(begin * 24), int(end * 24)):
        predicted, told = batch(hour, each, np.random.default_rng([seed, hour]), slopes)
        held.send(predicted)
        held.send(told)
        steps(held)


@pytest.fixture(scope="module", autouse=True)
def eight_days():
    """Three weeks of learning as eight days, for the tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relating, "LEARNED_SPAN_SECONDS", 8 * DAY)
        yield


@pytest.fixture(scope="module")
def learned():
    """A model whose inputs froze on day 8 and whose relation did on day 17."""
    held = driver()
    run(held, 0, 17.5)
    return held


@pytest.fixture(scope="module")
def halfway():
    """A model that is learning its relation."""
    held = driver()
    run(held, 0, 12.5)
    return held


def test_nothing_is_counted_before_the_inputs_reference_is_fixed():
    held = driver()
    run(held, 0, 1)
    assert held.version().relating.sketch is None
    assert held.view().related is None
    assert not [key for key in held.version().coarse.hot if key[0] is Part.CONCEPT]


def test_the_first_matured_days_become_the_reference(learned):
    relating_, version = learned.version().relating, learned.version()
    assert version.inputs.state is ReferenceState.FROZEN
    assert relating_.state is ReferenceState.FROZEN
    relation = relating_.reference
    assert relation.keys == ("f:x0", "f:x1", "f:x2")
    assert relation.classes == ("0", "1")
    assert relation.last - relation.first == pytest.approx(8 * DAY, abs=2 * HOUR)
    assert relation.outcomes >= 5_000
    assert 8 <= len(relation.periods) <= 9
    np.testing.assert_array_equal(sum(records for records, _ in relation.periods), relation.records)
    assert (relation.records.sum(axis=(1, 2)) == relation.outcomes).all()
    rates = relation.records[0, :10, 1] / relation.records[0, :10].sum(axis=1)
    assert rates[0] < 0.25
    assert rates[9] > 0.5
    # An outcome of a prediction from before the bins were known is one of quality alone.
    assert 0 <= relation.quality.outcomes(relation.quality_row)[0] - relation.outcomes < 60


def test_a_window_holds_the_outcomes_of_its_matured_cohort(learned):
    view = learned.view()
    for window in view.windows:
        assert view.related.sketch.outcomes(window.concept) == view.quality.outcomes(window.matured)[0]
        total = learned.version().coarse.total(Part.CONCEPT, *span(learned, window))
        np.testing.assert_array_equal(window.concept.counts, total.counts)


def span(held, window):
    grid = held.version().coarse.grid
    end = grid.index(held.model().now(WALL) - LATE)
    return end - grid.closed_panes(window.seconds), end


def same(one, other):
    assert one.version().relating.state is other.version().relating.state
    assert one.version().relating.begun == other.version().relating.begun
    assert one.version().relating.judged == other.version().relating.judged
    mine, yours = one.version().relating.reference, other.version().relating.reference
    assert (mine is None) is (yours is None)
    assert mine is None or mine.id == yours.id
    for a, b in zip(one.view().windows, other.view().windows, strict=True):
        np.testing.assert_array_equal(a.concept.counts, b.concept.counts)


def test_replayed_batches_give_the_same(learned, halfway):
    for held in (halfway, learned):
        same(held, held.restarted())


def checkpointed(held):
    """A monitor made from a checkpoint."""
    version = held.version()
    for pane in saving.dirty_panes(version):
        held.shelf.panes[pane.owner, pane.resolution, pane.start, pane.part] = pane.row
    kept = vars(held.shelf).setdefault("states", {})
    kept |= saving.states(held.models)
    states = {key: data for key, data in kept.items() if data is not None}
    saving.saved(held.models)
    twin = Driver(held.config, shelf=deepcopy(held.shelf))
    saving.restore(twin.models, states)
    for log in (twin.model().outcomes, *twin.version().logs):
        log.restore()
    return twin


def test_a_checkpoint_gives_the_same_and_learns_on_to_the_same(learned, halfway):
    twin = checkpointed(halfway)
    same(halfway, twin)
    assert twin.version().relating.begun is not None
    run(twin, 12.5, 17.5)
    same(learned, twin)
    same(twin, checkpointed(twin))


def test_another_reference_of_the_inputs_begins_the_relation_anew(learned):
    held = checkpointed(learned)
    version = held.version()
    moved = learning.freeze(version, Part.INPUTS, shifted())
    take(held, moved)
    assert version.relating.state is ReferenceState.LEARNING
    assert version.relating.reference is None
    assert version.relating.begun is None
    assert held.view().windows[0].concept.counts.sum() == 0
    assert saving.states(held.models)[f"relation/{version.owner}"] is None
    run(held, 17.5, 18)
    assert held.view().windows[0].concept.counts.sum() > 0
    same(held, checkpointed(held))


def shifted():
    values = np.random.default_rng(5).normal(size=(3, 5_000))
    names = ("f:x0", "f:x1", "f:x2")
    row = Learning(3).row(names, values, {}, 5_000, {})
    return references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)


def test_a_regression_learns_the_sums_of_its_errors():
    held = driver(task=Task.REGRESSION)
    rng = np.random.default_rng(4)
    for hour in range(18 * 24):
        x = rng.normal(size=30)
        y = 2 * x + rng.normal(size=30)
        ids = [f"{hour}-{i}" for i in range(30)]
        times = np.full(30, hour * HOUR + 10.0)
        held.send(predictions(ids, times, numeric={"x": x}, prediction=list(2 * x + 0.5)))
        held.send(outcomes(ids, y.tolist(), times + HOUR))
        steps(held)
    relation = held.version().relating.reference
    n = relation.records[0, :10, 0]
    np.testing.assert_allclose(relation.errors[0, :10, 0] / n, 0.5, atol=0.2)
    np.testing.assert_allclose(relation.errors[0, :10, 1] / n, 1.25, atol=0.3)
    same(held, held.restarted())


# --- verdicts ----------------------------------------------------------------------------------


def verdicts(held, window="1d"):
    """(state, run, verdict) of each feature."""
    judged = held.version().relating.judged.get(window)
    if judged is None:
        return None
    table = judged.table
    states = [STATES[state] for state in table["state"].tolist()]
    return list(zip(states, table["run"].tolist(), table["verdict"].tolist(), strict=True))


def test_a_stationary_relation_gets_no_verdict(learned):
    found = verdicts(learned)
    assert [(state, verdict) for state, _, verdict in found] == [(RelationVerdictState.JUDGED, 0)] * 3
    assert verdicts(learned, "3d") is not None
    rows = [r for r in evaluate([learned.view()], WALL, 0.0).versions[0].relation_shifts if r.window == "1d"]
    assert [(r.feature, r.state, r.verdict) for r in rows] == [(f"x{i}", "judged", 0.0) for i in range(3)]


def test_a_changed_relation_gets_one_and_keeps_it_over_a_restart(learned):
    held = checkpointed(learned)
    run(held, 17.5, 19.5, slopes=(1.0, -1.5, 0.3), each=100)
    found = verdicts(held)
    assert [verdict for _, _, verdict in found] == [0, 1, 0]
    same(held, checkpointed(held))
    version = evaluate([held.view()], WALL, 0.0).versions[0]
    (counts,) = [row for row in version.relation_verdicts if row.window == "1d"]
    assert (counts.judged, counts.changed) == (3.0, 1.0)
    moved = next(r for r in version.relation_shifts if (r.feature, r.window) == ("x1", "1d"))
    assert (moved.verdict, moved.class_) == (1.0, "")
    assert {"0", "9"} <= set(moved.bins)


def test_while_it_learns_it_says_so(halfway):
    assert verdicts(halfway) is None
    rows = evaluate([halfway.view()], WALL, 0.0).versions[0].relation_shifts
    assert {(r.state, r.verdict, r.shift) for r in rows} == {("learning", None, None)}


def test_an_edge_is_judged_once(learned):
    held = checkpointed(learned)
    assert judging_relation.step(held.version(), held.model().now(WALL)) is None
    run(held, 17.5, 17.5 + 2 / 24)
    assert held.version().relating.judged["1d"].edge == learned.version().relating.judged["1d"].edge + 2


def test_panes_are_kept_for_as_long_as_the_learning_looks_back(halfway, learned):
    five_weeks = 35 * DAY + 2 * HOUR
    assert halfway.version().retained_seconds == learned.version().retained_seconds == five_weeks
    late = driver(outcomes=OutcomesConfig(horizon=40 * DAY, matures_after=40 * DAY), windows=(DAY,))
    run(late, 0, 1 / 24)
    assert late.version().retained_seconds == (8 + 40 + 1) * DAY + 2 * HOUR
    late.version().relating.state = ReferenceState.FROZEN
    assert late.version().retained_seconds == (1 + 40) * DAY + 2 * HOUR
