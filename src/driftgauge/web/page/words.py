"""What states and verdicts are called on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from driftgauge.snapshot import EstimateState, ReferenceState, RelationShift, Verdict, VerdictState
from driftgauge.web.page.markup import share, text

GOOD: Final = "good"
WARN: Final = "warn"
BAD: Final = "bad"
SOFT: Final = "soft"
# The rank of what has no verdict, or the verdict that nothing moved.
UNMOVED: Final = 2

SETTLED: Final = frozenset({ReferenceState.FROZEN, ReferenceState.GIVEN})
REFERENCE: Final = {
    ReferenceState.LEARNING: "learning: records so far become the reference; nothing is compared yet",
    ReferenceState.PROVISIONAL: "provisional: compared, but not yet judged",
    ReferenceState.UNSTABLE: "unstable: alternate days of it differ from each other",
    ReferenceState.FROZEN: "learned and frozen",
    ReferenceState.GIVEN: "given by a file",
}
# In a table, and in a sentence.
UNJUDGED: Final = {
    VerdictState.SHORT_WINDOW: ("short window", "windows under a day are shown, not judged"),
    VerdictState.WAITING: ("waiting", "no pane of this window has closed yet"),
    VerdictState.LEARNING: ("learning", "the reference is still being learned"),
    VerdictState.PROVISIONAL: ("provisional", "the reference is provisional: it spans too little yet"),
    VerdictState.UNSTABLE: ("unstable", "alternate days of the reference differ from each other"),
    VerdictState.NOT_COVERED: ("not covered", "the window is not yet covered for its whole length"),
    VerdictState.FEW_SAMPLES: ("few records", "there are too few records in the window: it takes 100"),
    VerdictState.PHI_UNKNOWN: (
        "swings unknown",
        "the reference has fewer than 8 whole days, so nobody knows how far its own days lie apart",
    ),
    VerdictState.IDENTIFIER: ("identifier", "every value of it is new: only missing ones are watched"),
}
_RELATION: Final = {
    "learning": "the reference's outcomes are still being learned",
    "not_covered": "less than 80% of the window is covered",
    "few_outcomes": "there are too few outcomes in the window: it takes 100",
    "few_days": "the reference has fewer than 8 days with outcomes",
    "few_bins": "too few bins hold enough outcomes",
    "": "windows under a day are not judged",
}
ESTIMATE: Final = {
    EstimateState.NO_REFERENCE: "no reference with outcomes",
    EstimateState.FEW_OUTCOMES: "the reference has too few outcomes",
    EstimateState.MISCALIBRATED: "the scores are no probabilities, not even when calibrated",
    EstimateState.FEW_SCORES: "fewer than 30 scores in the window",
    EstimateState.UNSUPPORTED: "over 10% of the scores are where the reference had hardly any",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict for people: its class, one or two words, a sentence, and its rank when sorted."""

    kind: str
    label: str
    why: str
    rank: int


def found(verdict: Verdict | None) -> Found:
    """What *verdict* says; where there is none, why."""
    state = VerdictState.SHORT_WINDOW if verdict is None else verdict.state
    if verdict is not None:
        if verdict.drift == 1:
            return Found(BAD, "drift", "The distribution differs from the reference's, beyond chance.", 0)
        if verdict.beyond_reference == 1:
            why = "More than a tenth of the values lie where the reference had none."
            return Found(BAD, "beyond reference", why, 0)
        if state == VerdictState.JUDGED and verdict.held_ratio:
            held = share(verdict.held_ratio)
            why = f"A change is seen; it has held for {held} of the time that makes it a verdict."
            return Found(WARN, f"seen, {held}", why, 1)
        if state == VerdictState.JUDGED:
            return Found(GOOD, "no drift", "No change beyond chance and beyond the floors.", UNMOVED)
    short, why = unjudged(state)
    return Found(SOFT, short, f"No verdict: {why}." if why else "", UNMOVED)


def unjudged(state: str) -> tuple[str, str]:
    """Why there is no verdict, in two words and in a sentence's part."""
    is_known = state in set(VerdictState) and state in UNJUDGED
    return UNJUDGED[VerdictState(state)] if is_known else (text(state), "")


def relation(row: RelationShift | None) -> Found:
    """What is said of how the outcome depends on a feature."""
    if row is None:
        return Found(SOFT, "", "Not watched.", UNMOVED)
    if row.verdict == 1:
        why = "The outcome depends on this feature otherwise than in the reference, beyond chance."
        return Found(BAD, "changed", why, 0)
    if row.state == "judged":
        return Found(GOOD, "as before", "The outcome depends on this feature as in the reference.", UNMOVED)
    return Found(SOFT, "not judged", f"No verdict: {_RELATION.get(row.state, text(row.state))}.", UNMOVED)
