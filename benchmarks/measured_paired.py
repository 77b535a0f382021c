"""How often two versions are told apart on the same cases: ``python -m benchmarks.measured_paired``.

Writes docs/measured-paired.md. Shadow traffic of a fixed seed, a day of it in hourly panes: cases are easy or
hard for both versions, and each version adds noise of its own. The same outcomes are given to the same code that
evaluates a window, as cases and as two samples.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit

from driftgauge.config import Task
from driftgauge.evaluate.paired import paired_comparisons
from driftgauge.evaluate.versions import version_comparisons
from driftgauge.layout import Row
from driftgauge.sketches.paired import BinaryPaired, Paired, RegressionPaired
from driftgauge.sketches.quality import BinaryQuality, Groups, Joined, RegressionQuality

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-paired.md"
SEED = 20261126
HOURS, PER_HOUR, REPEATS = 24, 80, 200
N = HOURS * PER_HOUR
MEASURES = {Task.BINARY: ("accuracy", "roc_auc", "brier", "log_loss"), Task.REGRESSION: ("mae", "mse")}
UNPAIRED = ("accuracy", "roc_auc", "mae")
# The newer version's own noise beside the older one's, which is 1.
NOISE = {"equal": 1.0, "better": 0.6}


def independent(rng):
    """No case remembers another."""
    return rng.normal(size=(4, N))


def wandering(hours):
    """What is hard, and what each version gets wrong, is forgotten over so many hours."""
    past = np.exp(-1 / (hours * PER_HOUR))

    def draw(rng):
        steps = rng.normal(size=(4, N)) * np.sqrt(1 - past**2)
        steps[:, 0] /= np.sqrt(1 - past**2)
        return lfilter([1], [1, -past], steps, axis=1)

    return draw


STREAMS = {
    "independent": independent,
    "AR(1), 20 minutes": wandering(1 / 3),
    "AR(1), 2 hours": wandering(2.0),
}


def answers(task, rng, noise, own):
    """The older version's and the newer one's cases; *noise* of shape (4, n), *own* times the last two."""
    hidden, shared = 2 * noise[0], noise[1] * (3 if task is Task.REGRESSION else 1)
    made = [hidden + shared + own[side] * noise[2 + side] for side in (0, 1)]
    none = np.zeros((N, 0)), np.zeros((0, N), np.uint8), np.zeros(N)
    if task is Task.REGRESSION:
        return [Joined(hidden, each, np.full(N, np.nan), *none) for each in made]
    came = (rng.random(N) < expit(hidden)).astype(float)
    scores = [expit(each / 1.5) for each in made]
    return [Joined(came, (score >= 0.5).astype(float), score, *none) for score in scores]


def stacked(rows):
    return Row(np.stack([r.counts for r in rows]), np.stack([r.sums for r in rows]))


def total(rows):
    return Row(sum(r.counts.astype(np.int64) for r in rows), sum(r.sums for r in rows))


def compared(task, older, newer):
    """The paired row and the unpaired one of a day."""
    quality = BinaryQuality(Groups(0, 0)) if task is Task.BINARY else RegressionQuality(Groups(0, 0), 0.0)
    sketch = BinaryPaired() if task is Task.BINARY else RegressionPaired()
    hours = [np.arange(N)[i * PER_HOUR : (i + 1) * PER_HOUR] for i in range(HOURS)]
    views = []
    for version, side in (("1", older), ("2", newer)):
        rows = [quality.row(side.at(hour)) for hour in hours]
        window = SimpleNamespace(
            name="1d",
            predictions=N,
            arrived=total(rows),
            arrived_groups=stacked([quality.digest(row) for row in rows]),
        )
        views.append(
            SimpleNamespace(model="m", version=version, task=task, quality=quality, windows=[window])
        )
    cases = [sketch.row(older.at(hour), newer.at(hour)) for hour in hours]
    views[1].paired, views[1].paired_with = sketch, "1"
    views[1].windows[0].paired = total(cases)
    views[1].windows[0].paired_groups = stacked([Paired.digest(row) for row in cases])
    (paired,) = paired_comparisons(views[1], views[0])
    (unpaired,) = version_comparisons(views[1], views[0], [])
    return paired, unpaired


def shares(task, stream, own):
    """By measure: how often p is below 5% on the same cases and as two samples, and how much narrower."""
    rng = np.random.default_rng(SEED)
    found = {measure: [] for measure in MEASURES[task]}
    for _ in range(REPEATS):
        paired, unpaired = compared(task, *answers(task, rng, STREAMS[stream](rng), (1.0, own)))
        for measure, kept in found.items():
            name = f"{measure}_difference"
            both = [
                (getattr(row, name + "_p"), getattr(row, name + "_high") - getattr(row, name + "_low"))
                for row in ((paired, unpaired) if measure in UNPAIRED else (paired,))
            ]
            kept.append(both)
    for measure, kept in found.items():
        rows = np.array(kept)
        narrower = np.median(rows[:, 1, 1] / rows[:, 0, 1]) if rows.shape[1] == 2 else None
        yield measure, (rows[..., 0] < 0.05).mean(axis=0), narrower


def table():
    yield "| task | cases | newer version | measure | same cases | two samples | interval narrower by |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for task in MEASURES:
        for stream in STREAMS:
            for named, own in NOISE.items():
                for measure, found, narrower in shares(task, stream, own):
                    other = f"{found[1]:.0%} | {narrower:.1f}" if narrower is not None else "| "
                    yield f"| {task} | {stream} | {named} | {measure} | {found[0]:.0%} | {other} |"


HEAD = f"""# How often two versions are told apart on the same cases

Written by `python -m benchmarks.measured_paired`: fixed seed, {REPEATS} days of shadow traffic a row, {N:,} cases in
{HOURS} hourly panes. What is hard about a case is hard for both versions; each adds noise of its own, the newer
one's as much as the older one's (*equal*) or 0.6 times that (*better*).

*Same cases* is how often `driftgauge_version_paired_*_p` is below 5%, *two samples* how often
`driftgauge_version_*_p` of the same outcomes is, which takes the two versions' records for independent of each
other. Between *equal* versions that is a false alarm, 5% nominally; else it is the power. Both widen their standard
errors for cases that resemble their neighbours.

What it promises, and a test asserts: false alarms in at most 10% of days where cases remember each other for less
than a third of a group of panes (here an hour), and more power than two samples. Where they do for longer than a group
false alarms are **too many**, as intervals of quality are too narrow there: look at a longer window.

"""


def main() -> None:
    """Measure, and write the document."""
    DOCUMENT.write_text(HEAD + "\n".join(table()) + "\n")


if __name__ == "__main__":
    main()
