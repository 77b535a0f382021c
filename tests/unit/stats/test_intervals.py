"""Wilson's interval against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftgauge.stats import intervals


@pytest.mark.parametrize("z", [1.0, 1.96, 2.5758293035489004])
def test_wilson_is_scipys(z):
    confidence = 1 - 2 * stats.norm.sf(z)
    for n in [1, 2, 10, 137, 10_000]:
        for successes in {0, 1, n // 3, n - 1, n}:
            test = stats.binomtest(successes, n)
            wanted = test.proportion_ci(confidence_level=confidence, method="wilson")
            found = intervals.wilson(successes, n, z)
            assert found == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_wilson_is_exact_at_the_ends():
    n = np.array([1, 3, 10, 997, 10**9])
    assert (intervals.wilson(np.zeros(5), n)[0] == 0).all()
    assert (intervals.wilson(n, n)[1] == 1).all()


def test_wilson_without_trials_is_nan():
    low, high = intervals.wilson(np.array([0, 1]), np.array([0, 2]))
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False]


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(0.1, 6))
def test_wilson_surrounds_the_share_inside_0_to_1(n, share, z):
    successes = share * n
    low, high = intervals.wilson(successes, n, z)
    assert 0 <= low <= successes / n * (1 + 1e-12)
    assert successes / n * (1 - 1e-12) <= high <= 1


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="successes: expected at most n, found more"):
        intervals.wilson(3, 2)
    with pytest.raises(ValueError, match="successes: expected finite counts of at least 0, found -1"):
        intervals.wilson(-1, 2)
    for z in [0, -1, np.nan, np.inf]:
        with pytest.raises(ValueError, match="z: expected a finite number above 0, found"):
            intervals.wilson(1, 2, z)
