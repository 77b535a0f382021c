"""How often a relation's verdict is false in a long run: ``python -m benchmarks.measured_relations``.

Writes docs/measured-relations.md. The model of `measured_concept`; each stream is stationary, none of its hours
alike: what a relation's verdict must not take for a change of the relation.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import expit

from benchmarks import real_records
from benchmarks.measured_concept import KEYS, SKETCH, SLOPES, row
from driftgauge import reference as references
from driftgauge.layout import Row
from driftgauge.reference import relation as relations
from driftgauge.reference.comparing import compared
from driftgauge.reference.verdicts import STATES, RelationJudged, RelationVerdictState, judge
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-relations.md"
SEED = 20261126
HOURS, REFERENCE_DAYS, DAYS = 24, 21, 90
FEATURES = len(SLOPES)
BASE = -1.0
# The feature whose relation falls where it is measured how soon that is found: x2, whose slope is 0.6.
MOVED, FALL, AFTER = 2, 0.6, 30


@dataclass(frozen=True)
class Hours:
    """What each hour is drawn about: shapes (hours, features), (hours,), (hours, features), (hours,)."""

    middles: NDArray[np.float64]
    bases: NDArray[np.float64]
    slopes: NDArray[np.float64]
    weights: NDArray[np.float64]
    copies: int = 1


def steady(rng, hours):
    """Every hour like every other."""
    return Hours(
        np.zeros((hours, FEATURES)), np.full(hours, BASE), np.tile(SLOPES, (hours, 1)), np.ones(hours)
    )


def wandering(rng, hours, reach, spread, columns):
    """AR(1) from hour to hour of so much spread, forgotten over *reach* hours."""
    past = np.exp(-1 / reach)
    noise = rng.normal(0, spread, (hours, columns))
    noise[1:] *= np.sqrt(1 - past**2)
    return lfilter([1.0], [1.0, -past], noise, axis=0)


def inputs_wander(rng, hours):
    held = steady(rng, hours)
    return Hours(wandering(rng, hours, 24, 0.3, FEATURES), held.bases, held.slopes, held.weights)


def rate_wanders(rng, hours):
    held = steady(rng, hours)
    return Hours(
        held.middles, held.bases + wandering(rng, hours, 24, 0.3, 1)[:, 0], held.slopes, held.weights
    )


def slopes_wander(rng, hours):
    held = steady(rng, hours)
    return Hours(
        held.middles, held.bases, held.slopes + wandering(rng, hours, 24, 0.15, FEATURES), held.weights
    )


def cycles(rng, hours):
    """Inputs by 0.5 sd, the rate by 0.5 in log-odds and the volume by 0.8 over the day; weekends apart."""
    hour = np.arange(hours)
    day = 2 * np.pi * hour / HOURS
    weekend = hour // HOURS % 7 >= 5
    middles = 0.5 * np.sin(day[:, None] + rng.uniform(0, 2 * np.pi, FEATURES)) + 0.3 * weekend[:, None]
    bases = BASE + 0.5 * np.sin(day + 1) + 0.3 * weekend
    weights = (1 + 0.8 * np.sin(day)) * np.where(weekend, 0.5, 1.2)
    return Hours(middles, bases, np.tile(SLOPES, (hours, 1)), weights)


def slopes_cycle(rng, hours):
    """What a feature says of the outcome by day is not what it says by night."""
    held = cycles(rng, hours)
    day = 2 * np.pi * np.arange(hours) / HOURS
    turned = held.slopes + 0.3 * np.sin(day[:, None] + rng.uniform(0, 2 * np.pi, FEATURES))
    return Hours(held.middles, held.bases, turned, held.weights)


def repeated(rng, hours):
    """Customers with one record each, which comes five times within the hour."""
    held = steady(rng, hours)
    return Hours(held.middles, held.bases, held.slopes, held.weights, copies=5)


STREAMS = {
    "every hour alike": steady,
    "inputs wander, AR(1) of 24 hours, 0.3 sd": inputs_wander,
    "the rate wanders, AR(1) of 24 hours, 0.3 in log-odds": rate_wanders,
    "slopes wander, AR(1) of 24 hours, 0.15": slopes_wander,
    "inputs, rate and volume follow the day and the week": cycles,
    "and slopes follow the day, by 0.3": slopes_cycle,
    "each record five times": repeated,
}


def drawn(rng, held: Hours, hour: int, a_day: int):
    """The records of one hour: features, and what comes out."""
    n = rng.poisson(a_day / HOURS * held.weights[hour] / held.copies)
    x = rng.normal(size=(FEATURES, n)) + held.middles[hour][:, None]
    outcome = rng.random(n) < expit(held.bases[hour] + held.slopes[hour] @ x)
    return np.repeat(x, held.copies, axis=1), np.repeat(outcome, held.copies)


@cache
def codes_of(a_day: int) -> CoarseCodes:
    """The bins of a reference of standard normal features."""
    x = np.random.default_rng([SEED, a_day]).normal(size=(FEATURES, 21 * a_day))
    learned = Learning(FEATURES).row(KEYS, x, {}, x.shape[1], dict.fromkeys(KEYS, 0.0))
    made = references.build({0: learned}, first=0.0, last=1.0, declared={}, category_limit=5)
    return CoarseCodes(Inputs(made.bins), made.id, (), 32)


@dataclass(frozen=True)
class Stream:
    """Rows of the hours, stacked: counts of shape (hours, cells) and sums beside them."""

    counts: NDArray[np.int64]
    sums: NDArray[np.float64]

    def between(self, first: int, end: int) -> Row:
        """The sum of some hours."""
        return Row(self.counts[first:end].sum(axis=0).astype(np.uint32), self.sums[first:end].sum(axis=0))


def stream_of(name: str, a_day: int, repeat: int, days: int = DAYS, fall: float = 0.0) -> Stream:
    """A row for each hour of the reference and of *days* after, in which the slope of x2 is less by *fall*."""
    rng = np.random.default_rng([SEED, list(STREAMS).index(name), a_day, repeat])
    hours = (REFERENCE_DAYS + days) * HOURS
    held, codes = STREAMS[name](rng, hours), codes_of(a_day)
    held.slopes[REFERENCE_DAYS * HOURS :, MOVED] -= fall
    rows = [row(codes, *drawn(rng, held, hour, a_day)) for hour in range(hours)]
    return Stream(np.array([r.counts for r in rows], np.int64), np.array([r.sums for r in rows]))


def verdicts(stream: Stream, a_day: int, days: int, first: int) -> tuple[NDArray[np.bool_], float]:
    """Verdicts at the edges from hour *first* on, shape (edges, features), and the share of them judged."""
    codes, width, hold = codes_of(a_day), days * HOURS, days * HOURS // 2
    by_day = [stream.between(at, at + HOURS) for at in range(0, REFERENCE_DAYS * HOURS, HOURS)]
    span = (0.0, 86_400.0 * REFERENCE_DAYS)
    relation = relations.of_rows(KEYS, ("0", "1"), SKETCH, by_day, None, None, span)
    last, found, judged = None, [], []
    for edge in range(first, len(stream.counts) + 1):
        seen = compared(relation, SKETCH, stream.between(edge - width, edge), codes, ())
        rows = judge(seen, 1.0, last, hold)
        last = RelationJudged("", edge, "", rows.tobytes())
        found.append(rows["verdict"].astype(bool))
        judged.append((rows["state"] == STATES.index(RelationVerdictState.JUDGED)).mean())
    return np.array(found), float(np.mean(judged))


def false_verdicts(stream: Stream, a_day: int, days: int) -> tuple[int, float]:
    """Verdicts of features that begin within the 90 days, and the share of edges that were judged."""
    found, judged = verdicts(stream, a_day, days, (REFERENCE_DAYS + days) * HOURS)
    return int(found[0].sum() + (found[1:] & ~found[:-1]).sum()), judged


def delay(name: str, a_day: int, days: int, repeat: int) -> float:
    """Hours from the fall of a slope to the verdict on its feature; infinite where none came in 30 days."""
    stream = stream_of(name, a_day, repeat, AFTER, FALL)
    found = verdicts(stream, a_day, days, REFERENCE_DAYS * HOURS + 1)[0][:, MOVED]
    return float(found.argmax() + 1) if found.any() else np.inf


# --- the document ------------------------------------------------------------------------------------


def table(repeats: int, log: Callable[[str], None]) -> Iterator[str]:
    """A line for each stream and window."""
    yield "| stream | outcomes a day | window | judged | false verdicts | days between them | a lost slope is found |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name in STREAMS:
        for a_day in (1_000, 10_000):
            streams = [stream_of(name, a_day, repeat) for repeat in range(repeats)]
            for days in (1, 7):
                found = [false_verdicts(stream, a_day, days) for stream in streams]
                total, judged = sum(count for count, _ in found), np.mean([share for _, share in found])
                soon = float(np.median([delay(name, a_day, days, repeat) for repeat in range(repeats)]))
                cells = (
                    name,
                    f"{a_day:,}",
                    f"{days}d",
                    f"{judged:.0%}",
                    total,
                    between(total, repeats),
                    told(soon),
                )
                log(str(cells))
                yield f"| {' | '.join(map(str, cells))} |"


def between(total: int, repeats: int) -> str:
    """Days of the model for each false verdict."""
    days = repeats * DAYS
    return f"{days / total:,.0f}" if total else f"more than {days}"


def told(hours: float) -> str:
    """A delay in words."""
    return f"in {hours:.0f} h" if np.isfinite(hours) else f"not in {AFTER} d"


def document(repeats: int, log: Callable[[str], None]) -> str:
    """docs/measured-relations.md."""
    return "\n".join(
        [
            "# Concept drift: how often a verdict is false",
            "",
            "Made by `python -m benchmarks.measured_relations`, fixed seeds; not edited by hand.",
            "",
            f"A binary model of {FEATURES} features, {REFERENCE_DAYS} days of reference, then {DAYS} days of the "
            f"same stream, {repeats} times, judged at each hour with the hold. A false verdict is any feature's "
            "that begins. Every stream is stationary over the reference's days: what wanders or cycles did so "
            "while the reference was learned. *judged*: edges and features that had a verdict at all. *A lost slope is "
            f"found*: the median time from the hour in which the slope of x{MOVED} falls from 0.6 to 0 to the verdict "
            f"on x{MOVED}.",
            "",
            *table(repeats, log),
            "",
            "## Real records",
            "",
            "Each chunk judged once against the reference's days, without the hold; the shift stands beside each "
            "feature that gets a verdict, and after it the shift that there would be if outcomes followed the "
            "model's score, calibrated on the reference: if only the inputs had moved. A relation is told one "
            "feature at a time. Where several inputs move together, unevenly over a feature's bins, what comes "
            "out in those bins moves too, as in car_loan from chunk 5 on: such a verdict says that the feature "
            "no longer means what it meant, not that the world behind it changed. The gap of the estimate to "
            "the realised quality tells the two apart.",
            "",
            "| records | chunk | outcomes | verdicts (shift) | from inputs alone | largest shift |",
            "| --- | --- | --- | --- | --- | --- |",
            *real_records.lines(real_records.car_loan()),
            *real_records.lines(real_records.bike_sharing()),
            "",
        ]
    )


def main(repeats: int) -> None:
    """Write the document; about ten minutes of one core for 3 repeats."""

    def log(line: str) -> None:
        sys.stderr.write(f"{process_time():6.0f} s  {line}\n")

    DOCUMENT.write_text(document(repeats, log), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
