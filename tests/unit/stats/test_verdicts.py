"""The chain's steps on cases worked by hand."""

import numpy as np
import pytest
from scipy import stats

from driftgauge.stats import verdicts
from driftgauge.stats.significance import Overdispersion


def known(features, windows=30.0, excess=0.0):
    full = np.full(features, 1.0)
    return Overdispersion(windows * full, excess * full, 900 * full, 0.2 * full)


REFERENCE = np.full((4, 10), 3_000)
# As the reference; moved a lot; moved surely but little; moved within what chance gives.
CURRENT = np.array(
    [[100] * 10, [190, 10] * 5, [1_150, 850] * 5, [12, 18] * 5],
)


def edge(current=CURRENT, over=None, **given):
    settings = {"ks": np.zeros(4), "mean_shift_sd": np.zeros(4), "judged": np.ones(4, bool), **given}
    return verdicts.drifted(REFERENCE, current, over or known(4), **settings)


def test_a_verdict_needs_an_effect_and_significance():
    found = edge()
    assert found.effect.tolist() == [False, True, False, False]
    assert found.drifted.tolist() == found.at_once.tolist() == [False, True, False, False]
    assert found.p[2] < 1e-6, "sure, and too small to matter"
    assert found.p[0] > 0.99
    assert found.p[3] > 0.01


@pytest.mark.parametrize("effect", [{"ks": 0.1}, {"mean_shift_sd": -0.1}])
def test_each_effect_counts_from_its_floor(effect):
    ((name, size),) = effect.items()
    for scale, wanted in ((1.0, True), (0.99, False)):
        values = np.array([0.0, 0.0, size * scale, np.nan])
        assert edge(**{name: values}).drifted.tolist() == [False, True, wanted, False]


def test_phi_takes_significance_away():
    assert edge(over=known(4, excess=1.0)).drifted.tolist() == [False] * 4


def test_nothing_is_judged_below_a_hundred_records_or_eight_windows_or_unasked():
    few = CURRENT.copy()
    few[1] = [19, 0] * 5  # 95 records
    assert not edge(few).drifted.any()
    assert np.isnan(edge(few).p[1])
    assert np.isnan(edge(over=known(4, windows=7.0)).p).all()
    assert np.isnan(edge(judged=np.array([True, False, True, True])).p[1])


def test_the_rate_is_over_all_features():
    """A p of 0.0005 is enough for the only feature and not for one of many."""
    level = verdicts.RULES.rate / 2
    moved = stats.t.isf(level / 2, 29) * np.sqrt(1_000 / 4)
    reference = np.full((10, 2), 500_000)
    current = np.full((10, 2), 500.0)
    current[0] = [500 + moved, 500 - moved]
    over = Overdispersion(*(np.full(10, v) for v in (30.0, 0.0, 900.0, 0.0)))
    sizes = {"ks": np.full(10, 0.2), "mean_shift_sd": np.zeros(10)}
    alone = np.zeros(10, bool)
    alone[0] = True
    one = verdicts.drifted(reference, current, over, judged=alone, **sizes)
    assert one.p[0] == pytest.approx(level, rel=0.2)
    assert one.drifted[0]
    assert not one.at_once[0]
    assert not verdicts.drifted(reference, current, over, judged=np.ones(10, bool), **sizes).drifted.any()


def test_edges_along_a_leading_axis_are_judged_as_one_by_one():
    stacked = verdicts.drifted(
        REFERENCE,
        np.stack([CURRENT, CURRENT[::-1]]),
        known(4),
        ks=np.zeros((2, 4)),
        mean_shift_sd=np.zeros((2, 4)),
        judged=np.ones(4, bool),
    )
    assert stacked.drifted.tolist() == [[False, True, False, False], [False, False, True, False]]
    assert stacked.p[0] == pytest.approx(edge().p)


def test_beyond_reference_begins_where_the_lower_bound_exceeds_a_tenth():
    n = 1_000
    for outside in (100, 118, 122, 300):
        interval = stats.binomtest(outside, n).proportion_ci(stats.norm.cdf(1.96) * 2 - 1, "wilson")
        assert verdicts.beyond_reference(np.array([outside]), n)[0] == (interval.low > 0.1)
    assert not verdicts.beyond_reference(np.array([99]), 99)[0]
    assert not verdicts.beyond_reference(np.array([0]), 0)[0]
    assert verdicts.beyond_reference(np.array([100]), 100)[0]


def test_runs_grow_to_the_hold_and_fall_to_nothing():
    runs = np.zeros(2, np.uint16)
    seen = []
    for found in ([1, 1], [1, 0], [1, 1], [1, 1], [0, 1]):
        runs = verdicts.held(runs, np.array(found, bool), 3)
        seen.append(runs.tolist())
    assert seen == [[1, 1], [2, 0], [3, 1], [3, 2], [0, 3]]
    assert verdicts.held(np.array([9], np.uint16), np.array([True]), 4).tolist() == [4]


def test_bad_holds_are_refused():
    runs = np.zeros(2, np.uint16)
    with pytest.raises(ValueError, match="hold: expected 1 to 65535, found 0"):
        verdicts.held(runs, np.ones(2, bool), 0)
    with pytest.raises(ValueError, match="found: expected shape"):
        verdicts.held(runs, np.ones(3, bool), 1)
