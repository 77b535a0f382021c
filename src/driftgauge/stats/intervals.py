"""Intervals for shares."""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts


def wilson(successes: Numbers, n: Numbers, z: float = 1.96) -> tuple[Values, Values]:
    """Wilson score interval of a binomial share.

    Args:
        successes: at least 0, at most n; whole or weighted. Shapes broadcast.
        n: trials.
        z: half width in standard errors; 1.96 is 95%.

    Returns:
        (low, high), inside [0, 1] and around successes / n; low is exactly 0
        without successes, high exactly 1 without failures. NaN where n is 0.
        O(elements).

    Raises:
        ValueError: a negative count, more successes than trials, or z not above 0.

    Source: Wilson, 1927; Brown, Cai and DasGupta, 2001, eq. 4. Checked against
    ``scipy.stats.binomtest(...).proportion_ci(method="wilson")`` to 1e-12.
    """
    hits, trials = checked_counts(successes, "successes"), checked_counts(n, "n")
    if not 0 < z < np.inf:
        raise ValueError(f"z: expected a finite number above 0, found {z}")
    if (hits > trials).any():
        raise ValueError("successes: expected at most n, found more")
    some = np.where(trials > 0, trials, np.nan)
    middle = hits + z * z / 2
    reach = z * np.sqrt(hits * (some - hits) / some + z * z / 4)
    low = np.where(hits == 0, 0.0, np.maximum((middle - reach) / (some + z * z), 0.0))
    high = np.where(hits == some, 1.0, np.minimum((middle + reach) / (some + z * z), 1.0))
    return np.where(np.isnan(some), np.nan, low), high
