"""Was the run worth it? Pure: what was before and what is now in, a comparison and a verdict out."""

from __future__ import annotations

import math

from driftgauge.trigger.decision import Comparison, Decision, Measure, Verdict
from driftgauge.trigger.sources.sidecar import MORE_IS_BETTER
from driftgauge.trigger.sources.source import Observed


def new_version(decision: Decision, observed: Observed) -> str:
    """The newest version that wasn't there when the run was started; empty while there is none."""
    fresh = [version for version in observed.versions if version not in decision.known_versions]
    return fresh[-1] if fresh else ""


def compared(decision: Decision, observed: Observed) -> Comparison | None:
    """The decision's new version against its old one.

    By outcomes of the same window where both have traffic in it; else against what the old one's quality
    was when the run was started, the two taken as independent. None while either isn't known.
    """
    beside = observed.comparisons.get((decision.new_version, decision.old_version))
    if beside is not None:
        return beside
    now, before = observed.measures.get(decision.new_version), decision.old_quality
    if now is None or before is None or now.name != before.name:
        return None
    return independent(now, before)


def independent(now: Measure, before: Measure) -> Comparison:
    """The difference of two independent measures; half-widths of 95% intervals add as squares.

    Each end by the side of the interval that it depends on (Zou and Donner 2008, MOVER), so that an
    interval need not be symmetric.
    """
    difference = now.value - before.value
    low = difference - math.hypot(now.value - now.low, before.high - before.value)
    high = difference + math.hypot(now.high - now.value, before.value - before.low)
    return Comparison(now.name, difference, low, high, now.outcomes, now.window, "before")


def verdict(comparison: Comparison) -> Verdict:
    """Improved or not where the interval excludes 0, else undecided."""
    better, worse = comparison.low > 0, comparison.high < 0
    if not MORE_IS_BETTER.get(comparison.measure, True):
        better, worse = worse, better
    if better:
        return Verdict.IMPROVED
    return Verdict.NOT_IMPROVED if worse else Verdict.UNDECIDED
