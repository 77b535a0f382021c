"""Drift of chosen features by segment, and the segment that costs the whole model most."""

import numpy as np
import pytest
from tests.unit.monitor.driving import Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Clock, Outcomes, Task, Value
from driftgauge.evaluate import evaluate
from driftgauge.monitor.segmenting import REFERENCE_PANE, REFERENCE_RECORDS
from driftgauge.sketches.learning import Learning
from driftgauge.snapshot import Cohort, ReferenceState
from driftgauge.stats.divergence import psi
from driftgauge.windows import Part

START = 40 * DAY


def reference():
    rng = np.random.default_rng(1)
    numeric = np.array([rng.normal(50, 5, 4_000)])
    texts = {"f:c": rng.choice(["a", "b"], 4_000, p=[0.7, 0.3]).tolist()}
    row = Learning(9).row(("f:x",), numeric, texts, 4_000, {"f:x": 50.0})
    return references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)


def driver(**model):
    settings = {"task": Task.BINARY, "clock": Clock.RECORDS, "windows": (DAY,), "segment_drift": ("x", "c")}
    held = Driver(**{**settings, **model})
    held.send(predictions(["first"], [START], score=[0.5], segments={"plan": ["free"]}))
    held.version().fix_reference(Part.INPUTS, reference(), ReferenceState.GIVEN)
    return held


def feed(held, begin, end, *, each=40, moved=0.0, seed=1):
    """*each* records an hour between two days; a pro's x is always 20 above, and *moved* beside that."""
    rng = np.random.default_rng(seed)
    for hour in range(int(begin * 24), int(end * 24)):
        plan = rng.choice(["free", "pro"], each, p=[0.7, 0.3])
        x = rng.normal(50, 5, each) + np.where(plan == "pro", 20 + moved, 0.0)
        held.send(
            predictions(
                [None] * each, START + hour * HOUR + np.sort(rng.uniform(0, HOUR, each)), score=rng.random(each),
                numeric={"x": x}, categorical={"c": rng.choice(["a", "b"], each).tolist()},
                segments={"plan": plan.tolist()},
            )
        )  # fmt: skip


def found(held):
    return evaluate([held.view()], 0.0, 0.0).versions[0]


def psis(held):
    return {(r.feature, r.segment_value): r.psi for r in found(held).segment_drift}


def test_a_segment_is_compared_with_itself_and_not_with_the_whole():
    held = driver()
    feed(held, 0, 9)
    before = psis(held)
    # The pros always differed from the reference by four standard deviations: that is no drift.
    assert 0 < before["x", "pro"] < 0.1
    assert 0 < before["x", "free"] < 0.1
    feed(held, 9, 10.1, moved=-10.0, seed=2)
    after = psis(held)
    assert after["x", "pro"] > 1.0
    assert after["x", "free"] < 0.1
    assert after["c", "pro"] < 0.1


def test_the_numbers_are_those_of_the_counts_by_hand():
    held = driver()
    feed(held, 0, 10)
    view = held.view()
    codes = held.version().segmenting.codes
    reference_cells = view.segmented.sketch.cells(view.segmented.reference)[2]
    window_cells = view.segmented.sketch.cells(view.windows[0].segments)[2]
    row = next(r for r in found(held).segment_drift if (r.feature, r.segment_value) == ("x", "pro"))
    assert codes.keys == ("f:x", "f:c")
    assert row.psi == pytest.approx(psi(reference_cells[:1], window_cells[:1])[0], rel=1e-12)
    assert row.samples == window_cells[0].sum()


def test_before_eight_days_and_five_thousand_records_there_is_no_number():
    held = driver()
    feed(held, 0, 6)
    assert set(psis(held).values()) == {None}
    few = driver()
    feed(few, 0, 9, each=10)
    assert set(psis(few).values()) == {None}


def test_the_reference_stays_as_it_is_once_it_is_complete():
    held = driver()
    feed(held, 0, 9)
    kept = held.version().segment_reference.copy()
    sketch = held.version().segmenting.sketch
    assert sketch.records(kept)[0] >= REFERENCE_RECORDS
    feed(held, 9, 12, moved=5.0)
    np.testing.assert_array_equal(held.version().segment_reference.counts, kept.counts)


def test_replaying_what_was_committed_gives_the_same_reference_and_numbers():
    held = driver()
    feed(held, 0, 9.5)
    twin = Driver(held.config, shelf=held.shelf)
    from driftgauge.monitor.update import decode

    twin.models.replay(decode(held.committed[0]))
    twin.version().fix_reference(Part.INPUTS, reference(), ReferenceState.GIVEN)
    for payload in held.committed[1:]:
        twin.models.replay(decode(payload))
    assert psis(twin) == psis(held)
    np.testing.assert_array_equal(
        twin.version().segment_reference.counts, held.version().segment_reference.counts
    )


def test_the_reference_is_saved_as_a_pane_and_found_again():
    from driftgauge.monitor.saving import dirty_panes

    held = driver()
    feed(held, 0, 1)
    saved = {(p.part, p.start): p.row for p in dirty_panes(held.version())}
    data = saved[Part.SEGMENT_REFERENCE, REFERENCE_PANE]
    again = held.version().decode(Part.SEGMENT_REFERENCE, data)
    np.testing.assert_array_equal(again.counts, held.version().segment_reference.counts)


def test_other_bins_begin_the_segments_anew():
    held = driver()
    feed(held, 0, 9)
    data = held.version().encode(Part.SEGMENTS, held.version().segment_reference)
    rng = np.random.default_rng(9)
    row = Learning(9).row(("f:x",), np.array([rng.normal(90, 5, 500)]), {}, 500, {"f:x": 90.0})
    other = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    held.version().relearn(Part.INPUTS, START)
    assert psis(held) == {}
    held.version().fix_reference(Part.INPUTS, other, ReferenceState.GIVEN)
    assert not held.version().segment_reference.counts.any()
    assert not held.version().decode(Part.SEGMENTS, data).counts.any()
    assert psis(held) == {}
    feed(held, 9, 9.2)
    assert set(psis(held)) == {("x", "free"), ("x", "pro")}


def test_features_that_nobody_chose_cost_nothing():
    held = driver(segment_drift=())
    feed(held, 0, 0.2)
    assert found(held).segment_drift == ()
    assert all(key[0] is not Part.SEGMENTS for key in held.version().coarse.hot)


# --- the worst segment ------------------------------------------------------------------------


def judged(value=None, task=Task.BINARY, **columns):
    """300 free at 90% right, 100 pro at 60%: the outcomes of an hour."""
    held = Driver(
        task=task, clock=Clock.RECORDS, windows=(DAY,), outcomes=Outcomes(matures_after=60.0), value=value
    )
    plan = ["free"] * 300 + ["pro"] * 100
    ids, times = [f"i{i}" for i in range(400)], np.full(400, START)
    right = np.array(([True] * 9 + [False]) * 30 + ([True] * 6 + [False] * 4) * 10)
    told = columns.pop("told", right.astype(int).tolist())
    held.send(predictions(ids, times, segments={"plan": plan}, **(columns or {"score": np.full(400, 0.9)})))
    held.send(outcomes(ids, told, times + 1))
    return next(r for r in found(held).worst_segments if r.cohort == Cohort.ARRIVED)


def test_the_worst_segment_is_weighed_by_its_share_of_the_outcomes():
    row = judged()
    assert (row.accuracy_segment, row.accuracy_segment_value) == ("plan", "pro")
    assert row.accuracy_gap == pytest.approx((0.825 - 0.6) * 100 / 400, rel=1e-12)
    assert (row.mae_gap, row.value_gap, row.value_segment) == (None, None, "")


def test_the_worst_segment_is_weighed_by_its_share_of_the_value():
    row = judged(Value("EUR", true_positive=10.0, false_positive=-20.0))
    free, pro = 270 * 10 - 30 * 20, 60 * 10 - 40 * 20
    share = abs(pro) / (abs(free) + abs(pro))
    assert row.accuracy_gap == pytest.approx((0.825 - 0.6) * share, rel=1e-12)
    assert (row.value_segment, row.value_segment_value) == ("plan", "pro")
    assert row.value_gap == pytest.approx(((free + pro) / 400 - pro / 100) * share, rel=1e-12)


def test_the_worst_segment_of_a_regression_has_the_larger_error():
    predicted = [1.0] * 300 + [4.0] * 100
    row = judged(task=Task.REGRESSION, prediction=predicted, told=[0.0] * 400)
    assert row.mae_gap == pytest.approx((4.0 - 1.75) * 0.25, rel=1e-12)
    assert (row.mae_segment_value, row.accuracy_gap) == ("pro", None)


def test_every_measure_names_its_worst_segment_with_what_it_rests_on():
    score = np.concatenate([np.linspace(0.05, 0.95, 300), np.full(100, 0.9)])
    told = [*(np.arange(300) >= 150).astype(int).tolist(), *([1] * 60 + [0] * 40)]
    held = Driver(
        task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,), outcomes=Outcomes(matures_after=60.0)
    )
    ids, times = [f"i{i}" for i in range(400)], np.full(400, START)
    plan = ["free"] * 300 + ["pro"] * 100
    held.send(predictions(ids, times, segments={"plan": plan}, score=score))
    held.send(outcomes(ids, told, times + 1))
    snapshot = found(held)
    gaps = {g.measure: g for g in snapshot.segment_gaps if g.cohort == Cohort.ARRIVED}
    assert set(gaps) == {"accuracy", "log_loss", "brier", "precision", "recall", "f1", "roc_auc"}
    assert all(g.segment_value == "pro" for name, g in gaps.items() if name != "recall")
    brier = gaps["brier"]
    pro = (60 * 0.1**2 + 40 * 0.9**2) / 100
    assert brier.of_segment == pytest.approx(pro, rel=1e-12)
    assert brier.share == 0.25
    assert brier.gap == pytest.approx((pro - brier.whole) * 0.25, rel=1e-12)


def test_without_segments_there_is_no_worst_one():
    held = Driver(task=Task.BINARY, windows=(DAY,))
    held.send(predictions(["a"], score=[0.9], outcome=[1]))
    assert (found(held).worst_segments, found(held).segment_gaps) == ((), ())
