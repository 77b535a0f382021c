"""What decisions were worth, from records sent to rows of the Snapshot: by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, Config, Outcomes, Task, Value
from driftgauge.config import Model as ModelConfig
from driftgauge.evaluate import evaluate
from driftgauge.monitor.models import Models
from driftgauge.snapshot import Cohort
from driftgauge.windows import Part

WORTH = {"true_positive": 40.0, "false_positive": -5.0, "false_negative": -120.0, "true_negative": 0.0}
MATRIX = np.array([[0.0, -5.0], [-120.0, 40.0]])


def driver(task=Task.BINARY, *, value=None, **model):
    settings = {"windows": (DAY,), "outcomes": Outcomes(matures_after=60.0), **model}
    return Driver(task=task, value=value or Value("EUR", **WORTH), **settings)


def found(held, *, segments=False):
    return evaluate([held.view()], WALL, 0.0, segments=segments).versions[0]


def worth_of(snapshot, cohort=Cohort.ARRIVED, segment=""):
    return next(r for r in snapshot.value if r.cohort == cohort and r.segment_value == segment)


def sent(held, n, *, times=None, told=None, value=None, **columns):
    """n predictions and the outcomes that they get a minute later."""
    ids = [f"i{i}" for i in range(n)]
    times = np.full(n, WALL - 7200.0) if times is None else times
    held.send(predictions(ids, times, **columns))
    if told is not None:
        held.send(outcomes(ids, told, times + 60, value=value))


# --- the sum ----------------------------------------------------------------------------------


def test_the_value_is_that_of_the_cells_by_hand():
    held = driver()
    sent(held, 5, score=[0.9, 0.8, 0.7, 0.2, 0.1], told=[1, 1, 0, 1, 0])
    row = worth_of(found(held))
    assert row.samples == 5
    assert row.value == 40 + 40 - 5 - 120 + 0
    # Too few for an interval, and a mean of five says little.
    assert (row.low, row.high, row.mean) == (None, None, None)


def test_value_by_segment_is_what_the_confusion_matrix_of_the_segment_pays():
    rng = np.random.default_rng(1)
    n = 600
    score, plan = rng.random(n), rng.choice(["free", "pro"], n)
    told = (rng.random(n) < score).astype(int)
    held = driver()
    sent(held, n, score=score, told=told.tolist(), segments={"plan": plan.tolist()})
    short, full = found(held), found(held, segments=True)
    for name in ("", "free", "pro"):
        mine = np.ones(n, bool) if not name else plan == name
        cells = confusion_matrix(told[mine], score[mine] >= 0.5)
        records = MATRIX[told[mine], (score[mine] >= 0.5).astype(int)]
        row = worth_of(full, segment=name)
        assert row.samples == mine.sum()
        assert row.value == pytest.approx((cells * MATRIX).sum(), rel=1e-12)
        reach = 1.96 * np.sqrt(mine.sum() * records.var(ddof=1))
        assert (row.low, row.high) == pytest.approx((row.value - reach, row.value + reach), rel=1e-9)
        assert row.mean == pytest.approx(records.mean(), rel=1e-12)
    assert worth_of(short, segment="pro").low is None
    assert worth_of(short).low is not None
    assert next(r for r in short.segment_value if r.segment_value == "pro").low is not None


def test_a_weight_multiplies_the_cells_whether_the_outcome_comes_second_or_first():
    rng = np.random.default_rng(2)
    n = 300
    score, amount = rng.random(n), rng.lognormal(5, 1, n)
    told = (rng.random(n) < score).astype(int)
    amount[7] = np.nan
    ids, times = [f"i{i}" for i in range(n)], np.full(n, WALL - 7200.0)
    value = Value("EUR", **WORTH, weight="amount")
    known = ~np.isnan(amount)
    cells = confusion_matrix(told[known], score[known] >= 0.5, sample_weight=amount[known])
    given = predictions(ids, times, score=score, numeric={"amount": amount})
    came = outcomes(ids, told.tolist(), times + 60)
    for first, second in ((given, came), (came, given)):
        held = driver(value=value)
        held.send(first), held.send(second)
        for cohort in (Cohort.ARRIVED, Cohort.MATURED):
            row = worth_of(found(held), cohort)
            assert row.samples == n - 1
            assert row.value == pytest.approx((cells * MATRIX).sum(), rel=1e-9)


def test_an_outcome_with_a_value_of_its_own_is_worth_that():
    ids, times = list("abcd"), np.full(4, WALL - 7200.0)
    given = predictions(ids, times, score=[0.9, 0.9, 0.1, 0.1])
    came = outcomes(ids, [1, 0, 1, 0], times + 60, value=[np.nan, -17.5, np.nan, 3.0])
    for first, second in ((given, came), (came, given)):
        held = driver()
        held.send(first), held.send(second)
        row = worth_of(found(held))
        assert (row.samples, row.value) == (4, 40 - 17.5 - 120 + 3)


def test_a_complete_outcome_has_the_value_that_it_carries_or_that_of_its_cell():
    held = driver()
    held.send(
        outcomes([None, None], [1, 0], [WALL - 60] * 2, version="1", score=[0.9, 0.9], value=[np.nan, -1.0])
    )
    assert worth_of(found(held)).value == 39.0


def test_a_right_and_a_wrong_class_and_an_error_of_each_sign_by_hand():
    held = driver(Task.MULTICLASS, value=Value("USD", right=2.0, wrong=-3.0))
    sent(held, 4, prediction=["a", "b", "c", "a"], told=["a", "b", "a", "b"])
    assert worth_of(found(held)).value == 2 + 2 - 3 - 3
    held = driver(Task.REGRESSION, value=Value("USD", over=-1.0, under=-4.0))
    sent(held, 3, prediction=[12.0, 7.0, 5.0], told=[10.0, 8.0, 5.0])
    assert worth_of(found(held)).value == -2 - 4


def test_implied_outcomes_are_worth_their_cell():
    from driftgauge.monitor.expiry import expired_predictions

    held = driver(outcomes=Outcomes(horizon=DAY, at_horizon="0", matures_after=60.0), windows=(7 * DAY,))
    sent(held, 2, times=np.full(2, WALL - 2 * DAY), score=[0.9, 0.1])
    rows = np.frombuffer(b"".join(held.shelf.logs[held.version().plain.log]), np.uint8).reshape(2, -1)
    update, _ = expired_predictions(held.model(), held.version(), held.version().plain, WALL, [rows])
    held.models.take([update])
    assert worth_of(found(held)).value == -5


def test_without_a_configuration_nothing_is_counted():
    held = Driver(task=Task.BINARY, windows=(DAY,))
    sent(held, 5, score=[0.9] * 5, told=[1] * 5)
    snapshot = found(held)
    assert (snapshot.value, snapshot.value_info, snapshot.best_thresholds) == ((), (), ())


def test_senseless_weights_values_and_errors_leave_every_number_finite():
    worth = dict.fromkeys(WORTH, 1000000000000.0)
    huge = np.array([1e308, -1e308, 1e300, 5e-324] * 50)
    told = [0, 1] * 100
    held = driver(value=Value("EUR", **worth, weight="amount"))
    sent(held, 200, score=np.full(200, 0.9), told=told, numeric={"amount": huge}, segments={"p": ["a"] * 200})
    regression = driver(Task.REGRESSION, value=Value("EUR", over=-1e12, under=1e12))
    sent(
        regression, 200, prediction=huge.tolist(), told=(-huge).tolist(), value=np.tile([np.nan, 1e308], 100)
    )
    for snapshot in (found(held, segments=True), found(regression, segments=True)):
        rows = (*snapshot.value, *snapshot.best_thresholds)
        numbers = [v for r in rows for f in r.__struct_fields__ if isinstance(v := getattr(r, f), float)]
        assert len(numbers) >= 10
        assert np.isfinite(numbers).all()
        assert all(r.low is not None for r in snapshot.value)


# --- thresholds -------------------------------------------------------------------------------


def decided(n=4_000, seed=5):
    rng = np.random.default_rng(seed)
    score = np.round(rng.beta(0.8, 1.5, n), 2)
    return score, (rng.random(n) < score).astype(int)


def test_the_best_threshold_is_the_one_that_an_exhaustive_search_finds():
    score, told = decided()
    held = driver()
    sent(held, score.size, score=score, told=told.tolist())
    snapshot = found(held)
    grid = np.arange(1, 100) / 100
    paid = np.array([(confusion_matrix(told, score >= t, labels=[0, 1]) * MATRIX).sum() for t in grid])
    (row,) = snapshot.best_thresholds
    assert row.threshold == grid[paid.argmax()]
    assert row.value == paid.max()
    assert row.value_in_use == paid[49]
    assert row.threshold_in_use == 0.5
    assert row.gain == pytest.approx(paid.max() - paid[49], rel=1e-12)
    gains = MATRIX[told, (score >= row.threshold).astype(int)] - MATRIX[told, (score >= 0.5).astype(int)]
    reach = 3.48 * np.sqrt(score.size * gains.var(ddof=1))
    assert row.gain - row.gain_low == pytest.approx(reach, rel=0.01)
    assert row.gain_high - row.gain == pytest.approx(reach, rel=0.01)
    curve = [(v.threshold, v.value) for v in snapshot.threshold_values]
    assert curve == list(zip(grid.tolist(), paid.tolist(), strict=True))


def test_the_best_threshold_of_weighted_decisions_that_follow_a_rule_of_their_own():
    score, told = decided()
    rng = np.random.default_rng(6)
    amount, prediction = rng.lognormal(2, 1, score.size), rng.integers(0, 2, score.size)
    held = driver(value=Value("EUR", **WORTH, weight="amount"))
    sent(held, score.size, score=score, prediction=prediction.tolist(), told=told.tolist(),
         numeric={"amount": amount})  # fmt: skip
    (row,) = found(held).best_thresholds
    worth = MATRIX[told, prediction] * amount
    then = MATRIX[told, (score >= row.threshold).astype(int)] * amount
    assert row.value_in_use == pytest.approx(worth.sum(), rel=1e-9)
    assert row.value == pytest.approx(then.sum(), rel=1e-9)
    gain = then - worth
    assert row.gain == pytest.approx(gain.sum(), rel=1e-9)
    reach = np.sqrt(score.size * gain.var(ddof=1))
    assert (row.gain - row.gain_low) / reach == pytest.approx(3.48, abs=0.02)


def test_the_gain_of_a_choice_without_any_difference_is_seldom_above_nothing():
    """All thresholds pay the same on the average, and the best of 99 is taken: 5% at most may seem good."""
    rng = np.random.default_rng(7)
    even = Value("EUR", true_positive=1.0, false_positive=-1.0)
    fooled = 0
    for _ in range(60):
        held = driver(value=even)
        score = rng.random(400)
        sent(held, 400, score=score, told=rng.integers(0, 2, 400).tolist())
        (row,) = found(held).best_thresholds
        fooled += row.gain_low > 0
    assert fooled <= 3


def test_few_decisions_have_no_best_threshold():
    held = driver()
    sent(held, 99, score=np.linspace(0, 1, 99), told=[0, 1, 0] * 33)
    assert found(held).best_thresholds == ()


def test_records_that_hang_together_widen_both_intervals():
    """A day of 24 hours, each all good or all bad: 24 independent things, not 2,400."""
    rng = np.random.default_rng(8)
    hours = np.repeat(np.arange(24), 100)
    good = rng.random(24) < 0.5
    told = good[hours].astype(int)
    times = WALL // 3600 * 3600 - 3 * DAY + hours * 3600.0 + rng.uniform(0, 3600, hours.size)
    held = driver(
        windows=(DAY,),
        outcomes=Outcomes(matures_after=2 * DAY),
        value=Value("EUR", true_positive=1.0, false_positive=-1.0),
    )
    sent(held, told.size, times=times, score=np.full(told.size, 0.9), told=told.tolist())
    snapshot = found(held)
    row = worth_of(snapshot, Cohort.MATURED)
    assert row.samples > 2_000
    means = 2.0 * good[: int(row.samples // 100)] - 1
    expected = 2.07 * row.samples * means.std(ddof=1) / np.sqrt(means.size)
    assert row.high - row.value == pytest.approx(expected, rel=0.15)
    iid = 1.96 * np.sqrt(row.samples)
    assert row.high - row.value > 5 * iid


# --- restarts and changes ---------------------------------------------------------------------


def values(held):
    return [(r.cohort, r.segment_value, r.samples, r.value, r.low) for r in found(held, segments=True).value]


@pytest.mark.parametrize("weight", [None, "amount"])
def test_replaying_what_was_committed_gives_the_same_values(weight):
    score, told = decided(500)
    held = driver(value=Value("EUR", **WORTH, weight=weight))
    plan = ["free", "pro"] * 250
    sent(held, 500, score=score, told=told.tolist(), numeric={"amount": score * 100}, segments={"plan": plan})
    twin = held.restarted()
    assert values(twin) == values(held)
    assert found(twin).best_thresholds == found(held).best_thresholds


def test_other_values_of_the_cells_price_what_was_counted_before():
    held = driver()
    sent(held, 2, score=[0.9, 0.1], told=[1, 1])
    held.config.models["m"] = ModelConfig(
        task=Task.BINARY,
        windows=(DAY,),
        outcomes=Outcomes(matures_after=60.0),
        value=Value("EUR", true_positive=1.0, false_negative=-2.0),
    )
    assert worth_of(found(held.restarted())).value == 1 - 2


@pytest.mark.parametrize("after", [None, Value("EUR", **WORTH, weight="amount")])
def test_a_journal_and_panes_of_another_configuration_break_nothing(after):
    held = driver()
    sent(held, 2, score=[0.9, 0.1], told=[1, 1])
    saved = held.version().coarse.row(Part.VALUE_ARRIVED, held.version().coarse.grid.index(WALL - 7140))
    held.config.models["m"] = ModelConfig(task=Task.BINARY, windows=(DAY,), value=after)
    twin = Driver(Config(models=held.config.models))
    twin.models = Models(twin.config, held.shelf, b"k" * 32)
    from driftgauge.monitor.update import decode

    for payload in held.committed:
        twin.models.replay(decode(payload))
    rows = found(twin).value
    if after is None:
        assert rows == ()
    else:
        assert next((r.samples, r.value) for r in rows if not r.segment) == (0.0, None)
        stored = held.version().encode(Part.VALUE_ARRIVED, saved)
        assert not twin.version().decode(Part.VALUE_ARRIVED, stored).counts.any()


def test_kept_predictions_have_another_form_once_a_weight_is_configured():
    plain, weighted = driver(), driver(value=Value("EUR", weight="amount"))
    other = driver(value=Value("EUR", weight="seats"))
    for held in (plain, weighted, other):
        sent(held, 1, score=[0.9])
    forms = [held.model().form for held in (plain, weighted, other)]
    assert len(set(forms)) == 3
    assert weighted.version().plain.dtype.itemsize == plain.version().plain.dtype.itemsize + 8
    assert weighted.model().schema().numeric == ("amount",)
