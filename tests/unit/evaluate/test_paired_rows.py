"""Two versions on the same cases, beside scipy's paired tests and the unpaired comparison."""

import numpy as np
import pytest
from scipy import stats
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Clock, Task
from driftgauge.evaluate import evaluate

RNG = np.random.default_rng
N = 2_000


def rows(held):
    snapshot = evaluate(held.models.views(WALL), WALL, 0.0)
    found = {v.state.model_version: v for v in snapshot.versions}
    assert found["1"].paired == ()
    assert found["2"].rows().count(found["2"].paired[0]) == 1
    return found["2"].paired[0], found["2"].comparisons[0]


def sent(held, *, count=N, outcome, **columns):
    """The same ids to both versions, over 20 hours; columns by version."""
    ids, times = [f"i{i}" for i in range(count)], np.linspace(0, 20 * HOUR, count)
    for place, version in enumerate("12"):
        own = {name: values[place] for name, values in columns.items()}
        held.send(predictions(ids, times, version=version, **own))
    held.send(outcomes(ids, outcome, times + 1))


@pytest.fixture(scope="module")
def binary():
    """A newer version that is a little better on cases that are easy or hard for both."""
    rng = RNG(4)
    hidden = rng.normal(0, 2, N)
    came = (rng.random(N) < 1 / (1 + np.exp(-hidden))).astype(int)
    seen = hidden + rng.normal(0, 1.0, N)
    scores = [1 / (1 + np.exp(-(seen + rng.normal(0, s, N)))) for s in (0.7, 0.2)]
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    sent(held, outcome=came.tolist(), score=scores)
    return held, scores, came


def widened(p, plain):
    """How much wider the standard error is than that of independent cases."""
    return stats.norm.isf(plain / 2) / stats.norm.isf(p / 2)


def test_the_numbers_are_those_of_scipys_paired_tests(binary):
    held, scores, came = binary
    row, unpaired = rows(held)
    assert (row.samples, row.against_version) == (N, "1")
    right = [(s >= 0.5) == came for s in scores]
    gained, lost = (right[1] & ~right[0]).sum(), (right[0] & ~right[1]).sum()
    assert row.accuracy_difference == pytest.approx((gained - lost) / N, abs=1e-12)
    exact = stats.binomtest(int(lost), int(lost + gained), 0.5).pvalue
    assert 0.95 < widened(row.accuracy_difference_p, exact) < 1.5
    for name, of in (
        ("brier", lambda s: np.square(s - came)),
        ("log_loss", lambda s: -np.log(np.where(came, s, 1 - s))),
    ):
        one, two = map(of, scores)
        test = stats.ttest_rel(two, one)
        assert getattr(row, f"{name}_difference") == pytest.approx((two - one).mean(), rel=1e-9)
        assert 0.99 < widened(getattr(row, f"{name}_difference_p"), test.pvalue) < 1.5
        assert getattr(row, f"{name}_difference_high") < 0, "the newer one is better, for sure"

    def auc(s):
        return stats.mannwhitneyu(s[came == 1], s[came == 0]).statistic / came.sum() / (1 - came).sum()

    assert row.roc_auc_difference == pytest.approx(auc(scores[1]) - auc(scores[0]), abs=0.002)
    assert row.roc_auc_difference_p < 0.01
    assert unpaired.roc_auc_difference_p > 10 * row.roc_auc_difference_p
    reach = [r.roc_auc_difference_high - r.roc_auc_difference_low for r in (row, unpaired)]
    assert reach[0] < reach[1] / 2
    assert row.mae_difference is None


def test_regressions():
    rng = RNG(5)
    y = rng.normal(0, 10, N)
    shared = rng.normal(0, 3, N)
    made = [y + shared + rng.normal(0, s, N) for s in (1.0, 0.4)]
    held = Driver(task=Task.REGRESSION, clock=Clock.RECORDS, windows=(DAY,))
    sent(held, outcome=y.tolist(), prediction=[m.tolist() for m in made])
    row, unpaired = rows(held)
    one, two = (np.abs(m - y) for m in made)
    assert row.mae_difference == pytest.approx((two - one).mean(), rel=1e-9)
    assert row.mse_difference == pytest.approx((two**2 - one**2).mean(), rel=1e-9)
    assert 0.99 < widened(row.mae_difference_p, stats.ttest_rel(two, one).pvalue) < 1.5
    assert 0.99 < widened(row.mse_difference_p, stats.ttest_rel(two**2, one**2).pvalue) < 1.5
    assert row.mae_difference_p < unpaired.mae_difference_p / 10
    assert row.accuracy_difference is None


def test_classes():
    rng = RNG(6)
    n = 500
    y = rng.integers(0, 3, n)
    logits = rng.normal(0, 1, (n, 3)) + 1.5 * np.eye(3)[y]
    shares = [np.exp(logits + rng.normal(0, s, (n, 3))) for s in (0.5, 0.1)]
    shares = [s / s.sum(axis=1, keepdims=True) for s in shares]
    names = np.array(["a", "b", "c"])
    held = Driver(task=Task.MULTICLASS, clock=Clock.RECORDS, windows=(DAY,))
    sent(
        held,
        count=n,
        outcome=names[y].tolist(),
        scores=[{str(name): s[:, k] for k, name in enumerate(names)} for s in shares],
    )
    row, _ = rows(held)
    loss = [-np.log(s[np.arange(n), y]) for s in shares]
    assert row.log_loss_difference == pytest.approx((loss[1] - loss[0]).mean(), rel=1e-9)
    right = [s.argmax(axis=1) == y for s in shares]
    assert row.accuracy_difference == pytest.approx(right[1].mean() - right[0].mean(), abs=1e-12)
    assert row.brier_difference_p < 1
    assert row.roc_auc_difference is None


def test_hours_in_which_one_version_is_right_widen_what_is_said():
    """Whole hours in which one version is right and the other wrong: 20 of them, not 2,000 cases."""
    rng = RNG(7)
    y = rng.integers(0, 2, N)
    newer = rng.random(21)[np.linspace(0, 20, N).astype(int)] < 0.6
    scores = [np.where(newer ^ (place == 0), y, 1 - y) * 0.8 + 0.1 for place in (0, 1)]
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    sent(held, outcome=y.tolist(), score=scores)
    row, _ = rows(held)
    gained = float(newer.sum())
    assert row.accuracy_difference == pytest.approx((2 * gained - N) / N, abs=1e-12)
    assert stats.binomtest(int(gained), N, 0.5).pvalue < 1e-6
    assert row.accuracy_difference_p > 0.01
    assert row.accuracy_difference_low < 0 < row.accuracy_difference_high
    assert row.brier_difference_low < 0 < row.brier_difference_high


def test_few_cases_tell_nothing_and_none_give_no_row():
    rng = RNG(8)
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    sent(held, count=20, outcome=rng.integers(0, 2, 20).tolist(), score=rng.random((2, 20)))
    row, _ = rows(held)
    assert (row.samples, row.accuracy_difference, row.roc_auc_difference_p) == (20.0, None, None)
    alone = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    for version in "12":
        ids = [f"{version}{i}" for i in range(50)]
        alone.send(predictions(ids, np.arange(50.0), version=version, score=rng.random(50)))
        alone.send(outcomes(ids, rng.integers(0, 2, 50).tolist(), np.arange(50.0) + 1))
    snapshot = evaluate(alone.models.views(WALL), WALL, 0.0)
    assert all(v.paired == () for v in snapshot.versions)


def test_one_outcome_class_has_answers_and_no_area():
    rng = RNG(9)
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    sent(held, count=200, outcome=[1] * 200, score=rng.random((2, 200)))
    row, _ = rows(held)
    assert row.roc_auc_difference is None
    assert row.accuracy_difference is not None
