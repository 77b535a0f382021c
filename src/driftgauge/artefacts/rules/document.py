"""docs/rules.md: what the shipped rules record and alert on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from driftgauge.artefacts.rules.values import POD_LABELS, Group, Recording, RuleFile

_HEAD: Final = f"""\
# Rules

Made by `make generate` from the shipped rules. `prometheus/driftgauge.rules.yml` is the same for every
model and needs no configuration; it loads in Prometheus 2.42 and newer. No recorded series and no alert has
the labels {", ".join(f"`{label}`" for label in POD_LABELS)}: a pod that goes takes nothing with it. What
Prometheus itself adds (`job`, `namespace`) stays, beside the labels listed here. Names are
`level:metric:operations`; the level says what is left apart.

## How replicas become one

Each pod counts from 0 at its start. The rules take the increase of every counter over 5 minutes, drop the
pods' labels, and sum: an hour is twelve steps, a day 24 hours, a week 168. A step is the difference of two
last samples, so nothing is extrapolated and a batch of a million records in one second counts as a million.
What it misses:

- of a pod that starts or restarts: what it counted before its first scrape, so at most a scrape interval of
  its traffic; of one that dies: what came after its last scrape;
- while Prometheus itself is down for longer than a step: what came meanwhile, for every pod.

Windows of a day and up end with the last whole hour, so they are up to an hour behind. Sums over windows
(`..:window`) have a sample each step; numbers made from them (`..:fleet`, `..:fleet_ratio`) each minute.
PSI, means, precision, recall, F1, accuracy, ROC AUC, RMSE, MAE and R2 of the fleet come from these sums, so
they are those of all records together; quality is by the time the outcome came. There are no counters by
segment: a segment's numbers are those of the pods, weighted.

What only a pod can compute is taken by majority or by weight: a verdict holds where at least half of the
pods that can judge have it, and an interval's ends are the means of the pods' ends, weighted by the records
that each stands on. A pod whose evaluation is older than 5 minutes takes no part in verdicts.
"""


def rules_page(file: RuleFile) -> str:
    """The page as a whole."""
    return "\n".join((_HEAD, "## Recorded\n", *_recorded(file.groups)))


def _recorded(groups: Iterable[Group]) -> Iterator[str]:
    for group in groups:
        rows = _rows(rule for rule in group.rules if isinstance(rule, Recording))
        if rows:
            every = f", evaluated each {group.interval}" if group.interval else ""
            yield f"### `{group.name}`{every}\n"
            yield "| name | labels | meaning |\n| --- | --- | --- |"
            yield "\n".join(rows) + "\n"


def _rows(rules: Iterable[Recording]) -> list[str]:
    """A row for each name, by its first rule."""
    first: dict[str, Recording] = {}
    for rule in rules:
        first.setdefault(rule.record, rule)
    return [
        f"| `{name}` | {' '.join(f'`{label}`' for label in rule.remaining)} | {rule.meaning} |"
        for name, rule in first.items()
    ]
