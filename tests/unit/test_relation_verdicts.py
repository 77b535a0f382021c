"""The chain from a compared relation to a verdict, case by case."""

import numpy as np
import pytest

from driftgauge.metrics import BY_NAME
from driftgauge.reference.comparing import Compared
from driftgauge.reference.verdicts import SPREAD_FLOOR, STATES, RelationJudged, RelationVerdictState, judge
from driftgauge.stats.verdicts import RULES


def compared(p, spread=0.5, samples=1_000, periods=20.0):
    p = np.atleast_1d(np.asarray(p, float))
    n = len(p)
    full = np.full(n, np.nan)
    return Compared(
        tuple(f"f:{i}" for i in range(n)),
        np.broadcast_to(samples, n).astype(int),
        full,
        np.broadcast_to(spread, n).astype(float),
        p,
        p,
        np.ones(n),
        np.broadcast_to(periods, n).astype(float),
        np.zeros(n, int),
        np.full((n, 12), np.nan),
        np.full((n, 12), np.nan),
    )


def again(table):
    return RelationJudged("1d", 1, "id", table.tobytes())


def test_a_verdict_is_held_for_as_many_edges():
    found, last = compared(1e-4), None
    for edge in range(1, 5):
        table = judge(found, 1.0, last, 3)
        assert (table["run"][0], table["verdict"][0]) == (min(edge, 3), edge >= 3)
        last = again(table)
    table = judge(compared(0.5), 1.0, last, 3)
    assert (table["run"][0], table["verdict"][0]) == (0, 0)


def test_a_plain_change_needs_no_holding():
    assert judge(compared(1e-7), 1.0, None, 12)["verdict"][0] == 1
    assert judge(compared(1e-5), 1.0, None, 12)["verdict"][0] == 0


def test_an_effect_below_its_floor_is_none():
    assert judge(compared(1e-7, spread=0.09), 1.0, None, 1)["verdict"][0] == 0
    assert judge(compared(1e-7, spread=0.1), 1.0, None, 1)["verdict"][0] == 1


def test_the_number_of_features_counts():
    assert judge(compared([RULES.rate / 2]), 1.0, None, 1)["verdict"].tolist() == [1]
    assert judge(compared([RULES.rate / 2, 0.5, 0.5]), 1.0, None, 1)["verdict"].tolist() == [0, 0, 0]
    # What isn't judged is no test.
    few = compared([RULES.rate / 2, 0.5, 0.5], samples=[1_000, 99, 99])
    assert judge(few, 1.0, None, 1)["verdict"].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("found", "covered", "state"),
    [
        (compared(1e-7), 0.79, RelationVerdictState.NOT_COVERED),
        (compared(1e-7, samples=99), 1.0, RelationVerdictState.FEW_OUTCOMES),
        (compared(np.nan, periods=7.0), 1.0, RelationVerdictState.FEW_DAYS),
        (compared(np.nan), 1.0, RelationVerdictState.FEW_BINS),
        (compared(0.5), 1.0, RelationVerdictState.JUDGED),
    ],
)
def test_why_nothing_can_be_said(found, covered, state):
    table = judge(found, covered, again(judge(compared(1e-4), 1.0, None, 3)), 3)
    assert STATES[table["state"][0]] is state
    assert (table["run"][0], table["verdict"][0]) == (0, 0)


def test_help_says_the_numbers_of_the_chain():
    text = BY_NAME["driftgauge_feature_relation_verdict"].help
    for number in (f"at least {SPREAD_FLOOR}", f"at most {RULES.rate}", "p below 1e-6"):
        assert number in text
    assert RULES.at_once == 1e-6
