"""Was a run worth it?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.unit.trigger.test_policy import decision

from driftgauge.trigger.decision import Comparison, Measure, Verdict
from driftgauge.trigger.judging import compared, independent, new_version, verdict
from driftgauge.trigger.sources import Observed


def measure(value, low, high, name="roc_auc", outcomes=800.0):
    return Measure(name, value, low, high, outcomes, "7d")


def comparison(low, high, name="roc_auc"):
    return Comparison(name, (low + high) / 2, low, high, 800.0, "7d", "same_window")


@pytest.mark.parametrize(
    ("low", "high", "name", "expected"),
    [
        (0.01, 0.05, "roc_auc", Verdict.IMPROVED),
        (-0.05, -0.01, "roc_auc", Verdict.NOT_IMPROVED),
        (-0.01, 0.05, "roc_auc", Verdict.UNDECIDED),
        (0.0, 0.05, "accuracy", Verdict.UNDECIDED),
        (-0.05, 0.0, "accuracy", Verdict.UNDECIDED),
        (0.01, 0.05, "mae", Verdict.NOT_IMPROVED),
        (-0.05, -0.01, "mae", Verdict.IMPROVED),
        (-0.05, 0.01, "mae", Verdict.UNDECIDED),
    ],
)
def test_an_interval_without_0_decides(low, high, name, expected):
    assert verdict(comparison(low, high, name)) is expected


def test_the_new_version_is_the_newest_that_was_not_there():
    before = decision(known_versions=("1", "2"))
    assert new_version(before, Observed(("1", "2"))) == ""
    assert new_version(before, Observed(("2", "3"))) == "3"
    assert new_version(before, Observed(("2", "3", "4"))) == "4"
    assert new_version(decision(), Observed(("1",))) == "1"


def test_the_same_window_is_preferred_to_what_was_before():
    run = decision(new_version="2", old_version="1", old_quality=measure(0.7, 0.68, 0.72))
    now = {"2": measure(0.8, 0.78, 0.82)}
    beside = comparison(-0.01, 0.02)
    assert compared(run, Observed(("1", "2"), now, {("2", "1"): beside})) is beside
    against_before = compared(run, Observed(("2",), now, {("2", "0"): beside}))
    assert against_before.basis == "before"
    assert against_before.difference == pytest.approx(0.1)


def test_nothing_is_compared_that_is_not_known():
    run = decision(new_version="2", old_version="1", old_quality=measure(0.7, 0.68, 0.72))
    assert compared(run, Observed(("2",))) is None
    assert compared(run, Observed(("2",), {"2": measure(9.0, 8, 10, name="mae")})) is None
    bare = decision(new_version="2", old_version="1")
    assert compared(bare, Observed(("2",), {"2": measure(0.8, 0.7, 0.9)})) is None


def test_half_widths_add_as_squares():
    """By hand: 3 and 4 give 5 on one side, 5 and 12 give 13 on the other."""
    found = independent(measure(10.0, 10 - 3, 10 + 5), measure(2.0, 2 - 12, 2 + 4))
    assert found.difference == 8.0
    assert found.low == pytest.approx(8 - math.hypot(3, 4))
    assert found.high == pytest.approx(8 + math.hypot(5, 12))


def test_the_interval_holds_the_difference_19_times_in_20():
    """Accuracies of two independent samples, 3,000 times with a fixed seed: 95% within 1.5 points."""
    random = np.random.default_rng(4)
    n, p, q, z = 400, 0.80, 0.74, 1.959964
    hits = 0
    for _ in range(3000):
        sides = []
        for share in (p, q):
            value = random.binomial(n, share) / n
            half = z * math.sqrt(value * (1 - value) / n)
            sides.append(measure(value, value - half, value + half, "accuracy"))
        found = independent(*sides)
        hits += found.low <= p - q <= found.high
    assert hits / 3000 == pytest.approx(0.95, abs=0.015)
