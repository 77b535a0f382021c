"""How often the 95% intervals of quality hold the true value: ``python -m benchmarks.measured_intervals``.

Writes docs/measured-intervals.md. Streams are drawn with a fixed seed from a population whose quality is
known (measured on two million independent records), cut into panes of an hour, and given to the same
code that evaluates a window of seven days: the sketch's rows, their digests by groups of panes, the
intervals. A stream's records keep the population's distribution one by one; only what they remember of
each other differs.
"""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit, ndtr, ndtri

from driftgauge.config import Task
from driftgauge.evaluate.measures import of_log_odds
from driftgauge.evaluate.quality import measured
from driftgauge.evaluate.quality_intervals import quality_intervals
from driftgauge.evaluate.segments import Group, Totals
from driftgauge.layout import Row
from driftgauge.sketches.quality import (
    SCORE_LOG_ODDS,
    BinaryQuality,
    Groups,
    Joined,
    RegressionQuality,
)

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-intervals.md"
SEED = 20261126
HOURS, GROUP_HOURS, PER_HOUR = 168, 7, 10
N = HOURS * PER_HOUR
REPEATS = 400
MEASURES = {
    Task.BINARY: (
        *("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"),
        *("mcc", "average_precision", "ece", "slope", "intercept"),
    ),
    Task.REGRESSION: ("mae", "rmse", "r2", "bias", "mape"),
}
_NONE = Groups(0, 0)


# --- what records remember of each other: standard normal noise, two of them a record ----------


def independent(rng):
    return rng.normal(size=(2, N))


def ar1(memory):
    """Noise whose correlation falls to 1/e after so many records."""
    phi = np.exp(-1 / memory)

    def draw(rng):
        steps = rng.normal(size=(2, N)) * np.sqrt(1 - phi**2)
        steps[:, 0] /= np.sqrt(1 - phi**2)
        return lfilter([1], [1, -phi], steps, axis=1)

    return draw


def customers(count, share, *, sessions):
    """Each record is one of *count* customers', whose own level is *share* of the variance.

    With *sessions* a customer comes once, with records in a row; else at any time of the week.
    """

    def draw(rng):
        level = rng.normal(size=(2, count))
        who = np.sort(rng.integers(0, count, N)) if sessions else rng.integers(0, count, N)
        return np.sqrt(share) * level[:, who] + np.sqrt(1 - share) * rng.normal(size=(2, N))

    return draw


STREAMS = {
    "independent": independent,
    "AR(1), 2 hours": ar1(2 * PER_HOUR),
    "AR(1), 10 hours": ar1(10 * PER_HOUR),
    "customers in sessions of 8": customers(N // 8, 0.6, sessions=True),
    "200 customers, at any time": customers(200, 0.6, sessions=False),
}


# --- a population ------------------------------------------------------------------------------


def records(task, noise):
    """Joined records whose distribution one by one doesn't depend on what *noise* remembers."""
    n = noise.shape[1]
    absent = np.full(n, np.nan)
    if task is Task.BINARY:
        score = expit(1.3 * noise[0] - 1.0)
        outcome = (ndtr(noise[1]) < score**1.2).astype(float)
        prediction = (score >= 0.5).astype(float)
        return Joined(outcome, prediction, score, np.zeros((n, 0)), np.zeros((0, n), np.uint8), absent)
    outcome = 100 + 20 * noise[0]
    error = 2.0 + 10 * noise[1] * (1 + 0.5 * np.abs(noise[0]))
    return Joined(outcome, outcome + error, absent, np.zeros((n, 0)), np.zeros((0, n), np.uint8), absent)


def sketch_of(task):
    return BinaryQuality(_NONE) if task is Task.BINARY else RegressionQuality(_NONE, 101.0)


def total_of(task, quality, joined, *, grouped):
    """The window's total, with its digests by groups of panes where *grouped*."""
    digests = None
    if grouped:
        size = GROUP_HOURS * PER_HOUR
        rows = [quality.row(joined.at(np.arange(at, at + size))) for at in range(0, N, size)]
        each = [quality.digest(row) for row in rows]
        digests = Row(np.stack([d.counts for d in each]), np.stack([d.sums for d in each]))
        row = quality.zero()
        for one in rows:
            row.add(one)
    else:
        row = quality.row(joined)
    view = SimpleNamespace(quality=quality, task=task, model="m", version="1", classes=())
    return Totals.of(view, [("7d", "arrived", row, digests)], (Group(0, "", ""),))


def truth(task):
    """The population's quality, by the same statistics."""
    rng = np.random.default_rng(SEED)
    quality = sketch_of(task)
    row = quality.zero()
    for _ in range(20):
        row.add(quality.row(records(task, ndtri(rng.random((2, 100_000))))))
    view = SimpleNamespace(quality=quality, task=task, model="m", version="1", classes=())
    numbers = dict(measured(Totals.of(view, [("7d", "arrived", row, None)], (Group(0, "", ""),))).groups)
    if task is Task.BINARY:
        numbers |= of_log_odds(quality.count(row, "score")[None, None], SCORE_LOG_ODDS)
    return {name: float(numbers[name][0, 0]) for name in MEASURES[task]}


# --- coverage ----------------------------------------------------------------------------------


def ends(total, names):
    (row,) = quality_intervals(total, measured(total)).whole
    return np.array([[getattr(row, f"{name}_{end}") for end in ("low", "high")] for name in names], float)


def coverage(task, stream, repeats=REPEATS, seed=SEED):
    """By measure: the share of independent and of published intervals that hold the truth, and how much
    wider the published ones are (median).
    """
    names, quality, true = MEASURES[task], sketch_of(task), truth(task)
    wanted = np.array([true[name] for name in names])
    held, wider = np.zeros((2, len(names))), []
    for number in range(repeats):
        rng = np.random.default_rng([seed, number])
        total = total_of(task, quality, records(task, STREAMS[stream](rng)), grouped=True)
        each = total.digests
        as_one = Row(each.counts.sum(axis=0)[None], each.sums.sum(axis=0)[None])
        alone = replace(total, digests=as_one)
        both = np.array([ends(alone, names), ends(total, names)])
        held += (both[..., 0] <= wanted) & (wanted <= both[..., 1])
        wider.append(np.diff(both[1], axis=1)[:, 0] / np.diff(both[0], axis=1)[:, 0])
    return {
        name: (held[0, i] / repeats, held[1, i] / repeats, float(np.median([w[i] for w in wider])))
        for i, name in enumerate(names)
    }


HEAD = f"""# How often the intervals of quality hold

Written by `python -m benchmarks.measured_intervals`: fixed seed, {REPEATS} windows of seven days a stream, {N}
outcomes in {HOURS} hourly panes, {HOURS // GROUP_HOURS} groups of {GROUP_HOURS} panes. A share is known to about 1%.

*Independent* is the interval that takes records for independent (Wilson for shares, Hanley and McNeil for
ROC AUC, the sandwich for slope and intercept, the normal one from sums for the rest); *published* is what `_low` and `_high` are: the wider of it
and of Student's t over a delete-one-group jackknife that takes in what neighbouring groups share. Nominal
are 95%. *Wider by* is the median ratio of the widths.

What they promise, and a test asserts:

- independent records: 94% or more;
- records that remember each other for less than a third of a group of panes, or that come in sessions within
  one: 90% or more, where the independent interval holds the truth in 20% to 80%;
- records that remember each other for longer than a group, and customers that come back at any time of the
  window: **too narrow**. Groups of time can't see what all groups share. Read them as the least width.

"""


def table(task, found):
    lines = [
        f"## {task.value.capitalize()}",
        "",
        "| records | measure | independent | published | wider by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for stream, measures in found.items():
        for name, (alone, published, wider) in measures.items():
            lines.append(f"| {stream} | {name} | {alone:.1%} | {published:.1%} | {wider:.2f} |")
    return "\n".join(lines) + "\n"


def main(repeats=REPEATS):
    parts = []
    for task in MEASURES:
        parts.append(table(task, {stream: coverage(task, stream, repeats) for stream in STREAMS}))
        print(parts[-1])
    DOCUMENT.write_text(HEAD + "\n".join(parts))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
