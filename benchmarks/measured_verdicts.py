"""How often a verdict is false and how soon a true one comes: ``python -m benchmarks.measured_verdicts``.

Writes docs/measured-verdicts.md. Streams are drawn with a fixed seed as counts per hour in twenty bins of
equal mass, by pairs the ten coarse bins; windows are sums of hours, judged at each hour by the functions
of `stats` that the monitor calls. The chain that the design began with is judged beside them.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from scipy.signal import lfilter
from scipy.special import chdtrc, fdtrc, ndtr, ndtri

from driftgauge.stats.divergence import ks_statistic
from driftgauge.stats.significance import (
    Overdispersion,
    benjamini_hochberg,
    effective_samples,
    homogeneity,
    overdispersion,
)
from driftgauge.stats.verdicts import LEAST_WINDOWS, RULES, drifted

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-verdicts.md"
SEED = 20261126
BINS, HOURS = 20, 24
REFERENCE_DAYS, DAYS = 30, 90
EDGES = ndtri(np.arange(1, BINS) / BINS)
_HEIGHTS = np.exp(-(EDGES**2) / 2) / np.sqrt(2 * np.pi)
MIDDLES = -np.diff(_HEIGHTS, prepend=0.0, append=0.0) * BINS
MIDDLES /= np.sqrt(np.square(MIDDLES).mean())


# --- streams: counts of shape (hours, features, bins); a shift is of the mean, in sd ------------------


def drawn(rng, middle, spread, rate):
    """Counts of normals about *middle*, shape (hours, features)."""
    below = ndtr((EDGES - middle[..., None]) / spread)
    share = np.diff(below, axis=-1, prepend=0.0, append=1.0)
    return rng.poisson(rate[:, None, None] * share)


def independent(rng, hours, features, each, shift):
    """Every record by itself."""
    return drawn(rng, np.zeros((hours, features)) + shift, 1.0, np.full(hours, each / HOURS))


def wandering(reach):
    """A mean that wanders by 0.3 sd: AR(1) from hour to hour, forgotten over *reach* hours."""

    def stream(rng, hours, features, each, shift):
        past = np.exp(-1 / reach)
        noise = rng.normal(0, 0.3, (hours, features))
        noise[1:] *= np.sqrt(1 - past**2)
        middle = lfilter([1.0], [1.0, -past], noise, axis=0)
        return drawn(rng, middle + shift, np.sqrt(1 - 0.09), np.full(hours, each / HOURS))

    return stream


def cycling(rng, hours, features, each, shift):
    """A cycle of the day of 0.5 sd, of volume too; weekends are half as busy and 0.3 sd apart."""
    hour = np.arange(hours)
    weekend = hour // HOURS % 7 >= 5
    turn = 2 * np.pi * hour[:, None] / HOURS + rng.uniform(0, 2 * np.pi, features)
    middle = 0.5 * np.sin(turn) + 0.3 * (weekend[:, None] - 2 / 7)
    rate = each / HOURS * (1 + 0.8 * np.sin(2 * np.pi * hour / HOURS)) * np.where(weekend, 0.5, 1.2)
    return drawn(rng, middle + shift, np.sqrt(1 - 0.125), rate)


def repeated(rng, hours, features, each, shift):
    """Customers with one value each, who come ten times within a day."""
    first = drawn(rng, np.zeros((hours, features)) + shift, 1.0, np.full(hours, each / HOURS / 10))
    counts = np.zeros_like(first)
    for _ in range(10):
        later = rng.integers(0, HOURS)
        counts[later:] += first[: hours - later]
    return counts


STREAMS = {
    "independent": independent,
    "customers ten times": repeated,
    "AR(1), 6 hours": wandering(6),
    "AR(1), 24 hours": wandering(24),
    "daily and weekly cycle": cycling,
}


# --- the two chains ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """Verdicts at every hour, shape (edges, features), by the chain and by the one before it."""

    chain: np.ndarray
    before: np.ndarray | None


def coarse(counts):
    return counts.reshape(*counts.shape[:-1], BINS // 2, 2).sum(axis=-1)


def rolled(counts, hours):
    """Sums of every window of so many hours."""
    total = np.concatenate([np.zeros((1, *counts.shape[1:]), np.int64), np.cumsum(counts, axis=0)])
    return total[hours:] - total[:-hours]


def windows(reference, days):
    """As the monitor takes them: of so many days where there are 8 of them, else of the most that leave 8."""
    by_day = coarse(reference).reshape(-1, HOURS, *reference.shape[1:-1], BINS // 2).sum(axis=1)
    width = min(days, len(by_day) // LEAST_WINDOWS)
    count = len(by_day) // width
    return by_day[: count * width].reshape(count, width, *by_day.shape[1:]).sum(axis=1)


def judge(reference, current, days, *, before=True):
    """Verdicts on windows of *days* at every hour of *current*."""
    known, now = reference.sum(axis=0), rolled(current, days * HOURS)
    ks = ks_statistic(known, now)
    means = (now @ MIDDLES) / np.maximum(now.sum(axis=-1), 1)
    shift = means - (known @ MIDDLES) / known.sum(axis=-1)
    of_windows = windows(reference, days)
    over = overdispersion(of_windows)
    every = np.ones(ks.shape[1], bool)
    edge = drifted(coarse(known), coarse(now), over, ks=ks, mean_shift_sd=shift, judged=every)
    hold = days * HOURS // 2
    chain = standing(edge.drifted, hold) | edge.at_once
    if not before:
        return Judged(chain, None)
    p = first_p(coarse(known), coarse(now), over)
    found = edge.effect & (benjamini_hochberg(p) <= 0.01)
    return Judged(chain, standing(found, hold) | (found & (p < RULES.at_once)))


def first_p(reference, now, over: Overdispersion):
    """The design's first p-value: chi-square / phi up to a phi of 1.5, F(2, K - 1) above."""
    statistic, degrees = homogeneity(reference, now)
    samples = effective_samples(reference.sum(axis=-1), now.sum(axis=-1))
    phi = 1 + over.excess * np.maximum(samples, over.samples)
    plain = chdtrc(np.maximum(degrees, 1), statistic / phi)
    spread = fdtrc(2.0, over.windows - 1, statistic / np.maximum(degrees, 1) / phi)
    return np.where(degrees == 0, 1.0, np.where(phi > 1.5, spread, plain))


def standing(found, hold):
    """Whether each of the last *hold* edges found something."""
    total = np.concatenate([np.zeros((1, found.shape[1]), np.int64), np.cumsum(found, axis=0)])
    result = np.zeros(found.shape, bool)
    if len(found) >= hold:
        result[hold - 1 :] = total[hold:] - total[:-hold] == hold
    return result


def begun(verdicts):
    """How many verdicts of features begin."""
    return int(verdicts[0].sum() + (verdicts[1:] & ~verdicts[:-1]).sum())


# --- what is measured --------------------------------------------------------------------------------


def split(rng, stream, features, each, days, shift=0.0):
    """A reference and what comes after it, which moves by *shift*."""
    seed = rng.integers(1 << 62)
    hours = (REFERENCE_DAYS + days) * HOURS
    path = np.zeros((hours, 1))
    path[REFERENCE_DAYS * HOURS :] = shift
    counts = stream(np.random.default_rng(seed), hours, features, each, path)
    return counts[: REFERENCE_DAYS * HOURS], counts[REFERENCE_DAYS * HOURS :]


def false_verdicts(stream, features, each, days, repeats):
    """Verdicts that begin in all repeats of 90 days: the chain's, and those of the one before it."""
    rng = np.random.default_rng([SEED, features, each, days])
    totals = np.zeros(2, int)
    for _ in range(repeats):
        found = judge(*split(rng, stream, features, each, DAYS), days)
        totals += [begun(found.chain), begun(found.before)]
    return totals


def of_replicas(stream, features, each, days, repeats, pods=3):
    """Verdicts that at least half of the pods have; each pod has its share of every hour's records."""
    rng = np.random.default_rng([SEED, pods, days])
    total = 0
    for _ in range(repeats):
        reference, current = split(rng, stream, features, each * pods, DAYS)
        votes = np.zeros(0)
        left = current
        for pod in range(pods):
            share = rng.binomial(left, 1 / (pods - pod))
            left = left - share
            votes = (
                votes + judge(reference, share, days, before=False).chain
                if pod
                else judge(reference, share, days, before=False).chain.astype(int)
            )
        total += begun(votes >= pods / 2)
    return total


def delays(stream, features, each, days, shift, after=30):
    """Hours from a step of *shift* to the verdict, by feature; infinite where none came in 30 days."""
    rng = np.random.default_rng([SEED, days, int(100 * shift)])
    reference, current = split(rng, stream, features, each, after, shift)
    # The window still holds the days before the step.
    full = np.concatenate([reference[-days * HOURS :], current])
    chain = judge(reference, full, days, before=False).chain[1:]
    return np.where(chain.any(axis=0), chain.argmax(axis=0) + 1.0, np.inf)


# --- the document ------------------------------------------------------------------------------------


def days_between(verdicts, repeats):
    """Model days per verdict."""
    days = repeats * DAYS
    return f"more than {days:,}" if not verdicts else f"{days / verdicts:,.0f}"


def false_table(repeats, log: Callable[[str], None]):
    yield "| features | records a day | stream | window | days between false verdicts | before |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for features, each, share in ((25, 240, 1.0), (25, 2_400, 1.0), (200, 2_400, 0.25)):
        for name, stream in STREAMS.items():
            for days in (1, 7):
                times = max(1, round(repeats * share))
                chain, before = false_verdicts(stream, features, each, days, times)
                row = (
                    features,
                    f"{each:,}",
                    name,
                    f"{days}d",
                    days_between(chain, times),
                    days_between(before, times),
                )
                yield f"| {' | '.join(map(str, row))} |"
                log(f"{row}")


def replicas_table(repeats):
    yield "| stream | window | days between false verdicts |"
    yield "| --- | --- | --- |"
    for name in ("independent", "AR(1), 24 hours", "daily and weekly cycle"):
        found = of_replicas(STREAMS[name], 25, 800, 1, repeats)
        yield f"| {name} | 1d | {days_between(found, repeats)} |"


def delay_table():
    yield "| records a day | stream | window | 0.1 sd | 0.25 sd | 0.5 sd |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in (240, 2_400):
        for name in ("independent", "AR(1), 24 hours", "daily and weekly cycle"):
            for days in (1, 7):
                cells = [told(delays(STREAMS[name], 40, each, days, shift)) for shift in (0.1, 0.25, 0.5)]
                yield f"| {each:,} | {name} | {days}d | {' | '.join(cells)} |"


def told(hours):
    """The median delay, or how many features have none within 30 days."""
    seen = np.isfinite(hours).mean()
    return f"{np.median(hours):.0f} h" if seen > 0.5 else f"{seen:.0%} in 30 d"


def document(repeats, log):
    return "\n".join(
        [
            "# Verdicts, measured",
            "",
            "Made by `python -m benchmarks.measured_verdicts`, fixed seeds; not edited by hand.",
            "",
            f"A reference of {REFERENCE_DAYS} days, then {DAYS} days of the same stream, judged at each hour. "
            "A false verdict is any feature's that begins. *Before* is the chain as it was first designed: "
            "chi-square / phi up to a phi of 1.5 and F(2, K - 1) above, Benjamini-Hochberg at 1%. "
            "The chain in use lays the excess on one direction of movement, takes persistence between the "
            "reference's windows into account, and asks for 0.1%. A reference of 30 days has only four windows of "
            "7 days; phi is then taken from windows of three days, whose shares move at least as much, "
            "where the first design would have given no verdict.",
            "",
            "The promise is one false verdict or less per model in 90 days.",
            "",
            *false_table(repeats, log),
            "",
            "## Three replicas",
            "",
            "Each has a third of the records (800 a day); a verdict holds where at least half of the pods have it.",
            "",
            *replicas_table(repeats),
            "",
            "## Delay",
            "",
            "From a step of the mean to the verdict, the median of 40 features; the share that has one "
            "within 30 days where that is less than half. Half a window of it is the hold, unless p is below 1e-6.",
            "",
            *delay_table(),
            "",
        ]
    )


def main(repeats: int) -> None:
    """Write the document; about three minutes of one core for 3 repeats."""

    def log(line: str) -> None:
        sys.stderr.write(f"{process_time():6.0f} s  {line}\n")

    DOCUMENT.write_text(document(repeats, log), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
