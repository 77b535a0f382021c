"""Verdicts on relations, by what has moved: ``python -m benchmarks.measured_concept``.

Writes docs/measured-concept.md. A binary model of ten standard normal features, slopes 1.0 down to 0;
records are drawn with a fixed seed and counted by the sketches as the monitor counts them; each window is
judged once, at one edge, without the hold, which only lowers what stands here.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit

from driftgauge import reference as references
from driftgauge.reference import relation as relations
from driftgauge.reference.comparing import compared
from driftgauge.reference.verdicts import judge
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning
from driftgauge.sketches.quality import Joined

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-concept.md"
SEED = 20261126
DRAWS, A_DAY = 40, 1_000
SLOPES = np.array([1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0])
KEYS = tuple(f"f:x{place}" for place in range(10))
SKETCH = Concept(10, 2)
# What moves: in words, the feature whose relation does, and how records are drawn.
CASES = (
    ("nothing", None, {}),
    ("one input by 0.5 sd", None, {"shift": 0.5}),
    ("one input by 1 sd", None, {"shift": 1.0}),
    ("one input by 2 sd", None, {"shift": 2.0}),
    ("the rate, by 1 in log-odds", None, {"base": 0.0}),
    ("a slope from 0.6 to 0.2", 2, {"slope": (2, 0.2)}),
    ("a slope from 0.6 to -0.6", 2, {"slope": (2, -0.6)}),
    ("a slope from 0 to 0.5", 8, {"slope": (8, 0.5)}),
    ("that slope, the rate and an input by 1 sd", 8, {"slope": (8, 0.5), "base": 0.0, "shift": 1.0}),
    ("a slope from 1.0 to 0.2; a second input correlates by 0.8", 0, {"slope": (0, 0.2), "together": 0.8}),
)


def records(rng, n, *, slope=None, base=-1.0, shift=0.0, together=0.0):
    """Ten features, and what comes out."""
    x = rng.normal(size=(10, n))
    x[1] = together * x[0] + np.sqrt(1 - together**2) * x[1]
    x[0] += shift
    slopes = SLOPES.copy()
    if slope is not None:
        slopes[slope[0]] = slope[1]
    return x, rng.random(n) < expit(base + slopes @ x)


def row(codes, x, outcome):
    """The records counted by bin."""
    n, absent = outcome.size, np.full(outcome.size, np.nan)
    bins = codes.codes(KEYS, x, {}, n)
    none = np.zeros((n, 0)), np.zeros((0, n), np.uint8)
    return SKETCH.row(Joined(outcome.astype(float), absent, absent, *none, absent, bins=bins))


@cache
def known(days, together):
    """Bins and a reference of so many days."""
    rng = np.random.default_rng([SEED, days])
    drawn = [records(rng, A_DAY, together=together) for _ in range(days)]
    x = np.concatenate([x for x, _ in drawn], axis=1)
    learned = Learning(10).row(KEYS, x, {}, x.shape[1], dict.fromkeys(KEYS, 0.0))
    made = references.build({0: learned}, first=0.0, last=1.0, declared={}, category_limit=5)
    codes = CoarseCodes(Inputs(made.bins), made.id, (), 32)
    rows = [row(codes, *each) for each in drawn]
    return codes, relations.of_rows(KEYS, ("0", "1"), SKETCH, rows, None, None, (0.0, 86_400.0 * days))


def lines() -> Iterator[str]:
    """The document."""
    yield "# Concept drift: what gets a verdict"
    yield ""
    yield (
        "Written by `python -m benchmarks.measured_concept` with a fixed seed. A binary model of ten "
        f"features, {A_DAY:,} outcomes a day, {DRAWS} windows a line, each judged once without the hold. "
        "*found*: windows in which the feature whose relation moved has a verdict. *first*: those in which its "
        "shift is the largest of the ten. *others*: features without a moved relation that have a verdict, of "
        "all that were judged. *shift*: the mean of `driftgauge_feature_relation_shift` of the moved feature, "
        "or the largest one of any feature where none moved."
    )
    for days in (8, 21):
        for window in (1, 7):
            yield ""
            yield f"## A window of {window} day{'s' if window > 1 else ''} against {days} days of reference"
            yield ""
            yield "| what moves | found | first | others | shift |"
            yield "| --- | --- | --- | --- | --- |"
            yield from (_line(days, window, *case) for case in CASES)
    yield ""
    yield (
        "Days of reference are what tells how far days lie apart. With 8 of them hardly anything gets a "
        "verdict, so a relation is learned from 21. Of two correlated features both change, since each "
        "one's bins hold the other's values too; the one whose relation moved changes more. Moved inputs "
        "and a moved rate get no verdict, also where a relation has moved beside them."
    )


def _line(days, window, name, place, moved):
    codes, relation = known(days, moved.get("together", 0.0))
    found = first = others = 0
    shifts = []
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, window, draw])
        current = row(codes, *records(rng, window * A_DAY, **moved))
        seen = compared(relation, SKETCH, current, codes, ())
        verdicts = judge(seen, 1.0, None, 1)["verdict"].astype(bool)
        shift = np.nan_to_num(seen.spread)
        if place is not None:
            found += verdicts[place]
            first += int(shift.argmax()) == place
        others += verdicts.sum() - (verdicts[place] if place is not None else 0)
        shifts.append(shift.max() if place is None else shift[place])
    number = max(shifts) if place is None else float(np.mean(shifts))
    told = ("-", "-") if place is None else (f"{found} of {DRAWS}", f"{first} of {DRAWS}")
    judged = DRAWS * (10 if place is None else 9)
    return f"| {name} | {told[0]} | {told[1]} | {others} of {judged} | {number:.2f} |"


def main() -> int:
    """Write the document."""
    DOCUMENT.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
