"""docs/rules.md and docs/runbooks.md: what the shipped rules record, alert on, and ask people to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import Shipped
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
pods' labels, and sum: an hour is twelve steps, a day 288, a week 168 hours. A step's increase is that from
the last sample before it to the last one in it, so nothing is extrapolated and a batch of a million records
in one second counts as a million. What it misses:

- of a pod that starts: what it counted before its first scrape, so at most a scrape interval of its traffic;
  of one that dies or restarts: what came after its last scrape;
- of a pod that restarts, where it has counted more by the end of that step than ever before: what the step
  held before the restart;
- while scrapes fail or Prometheus is down for longer than 15 minutes: what came meanwhile; of an evaluation
  that Prometheus skips: one step.

Steps end half a minute ago, when every scrape of theirs is in. Windows of up to a day end with the last
step. Longer ones end with the last whole hour: an hour (`..:increase1h`) is recorded once, as soon as the one
before is an hour old, so that a skipped evaluation costs its own step and not the hour. Sums over windows
(`..:window`) have a sample each step; numbers made from them (`..:fleet`, `..:fleet_ratio`) each minute.
The windows are 1h, 1d and 7d, whatever windows the models have. `driftgauge rules --shipped --window 30d`
adds one, for a Prometheus that keeps its data as long; at first it holds what there is. A model's window that
the chain lacks has verdicts by majority and means by weight as below, and no `..:fleet` numbers.
PSI, means, precision, recall, F1, accuracy, ROC AUC, RMSE, MAE and R2 of the fleet come from these sums, so
they are those of all records together; quality is by the time the outcome came. There are no counters by
segment: a segment's numbers are those of the pods, weighted.

What only a pod can compute is taken by majority or by weight: a verdict holds where at least half of the
pods that can judge have it, and an interval's ends are the means of the pods' ends, weighted by the records
that each stands on. A pod whose evaluation is older than 5 minutes takes no part in verdicts.

## Links that a pager can open

`runbook_url` is `docs/runbooks.md#<alert>` in the shipped file, and `dashboard_url` `/d/<dashboard>?..`:
where your copy of the page and your Grafana are, nobody else knows. Say it once, and load what is printed in
place of the shipped file:

    driftgauge rules --shipped --runbooks https://git.example.com/driftgauge/docs/runbooks.md \\
      --grafana https://grafana.example.com > driftgauge.rules.yml

The chart takes both as `prometheusRule.runbooks` and `prometheusRule.grafana`. For the alerts of a
configuration the page is [alerts.md](alerts.md): `driftgauge rules --config FILE --runbooks URL`, or a
`runbook_url` of its own under an entry's `annotations`.
"""


_VERSIONS: Final = """\
### On which Prometheus

CI runs all of this on Debian's Prometheus 2.42 and Alertmanager 0.25; the tests of the example's routes pass
on Alertmanager 0.35.0 too. On Prometheus 3 it was run by hand, with 3.16.0: `promtool check rules` of the
shipped rules and of compiled ones, every promtool test of either, and a real one that asks for metrics as it
does by default (every sample taken, no warning), computes the fleet's numbers, answers every query of the
dashboards and fires every alert of the replay. Both give the same alerts. To run it again with another, put
its folder first on PATH (Alertmanager is called `prometheus-alertmanager` there, as in Debian):

    PATH=/path/to/prometheus-3:$PATH .venv/bin/python -m pytest tests/unit/artefacts \\
      tests/e2e/test_{prometheus,fleet,dashboards,alerts_replayed,trigger,inhibition,routes}.py

CI doesn't: Debian has no package of it, and compiling it took half an hour on two busy cores, about 1,100
packages for promtool alone, without service discovery (`go build -tags remove_all_sd ./cmd/promtool
./cmd/prometheus` in its source). What differs is left to neither version: a range of the chain never begins
on a step's own moment, where 2 counts the sample and 3 doesn't; no rule asks for `le` as a whole number, for
names beyond ASCII, or for functions that have other names in 3.
"""


_RUNBOOKS_HEAD: Final = """\
# Runbooks

Made by `make generate` from the shipped alerts; an alert's `runbook_url` leads to its section. What to do is
always one of four: fix the feed, roll back, retrain, or adjust the business rule that uses the score.
"""


def rules_page(file: RuleFile, shipped: Sequence[Shipped]) -> str:
    """docs/rules.md as a whole."""
    return "\n".join((_HEAD, "## Recorded\n", *_recorded(file.groups), *_alerted(file), *_tried(shipped)))


def runbooks_page(shipped: Sequence[Shipped]) -> str:
    """docs/runbooks.md: a section for each alert."""
    return "\n".join((_RUNBOOKS_HEAD, *(_section(each) for each in shipped)))


def _section(each: Shipped) -> str:
    book = each.runbook
    levels = ", ".join(alert.severity for alert in each.alerts)
    return "\n".join(
        (
            f"## {each.name}\n",
            f"*{levels}* after {each.alerts[0].hold}. {book.meaning}\n",
            "**First checks**\n",
            *(f"{number}. {check}" for number, check in enumerate(book.checks, 1)),
            "\n**Likely causes**\n",
            *(f"- {cause}" for cause in book.causes),
            "\n**What to do**\n",
            *(f"- {action}" for action in book.actions),
            "",
        )
    )


def _alerted(file: RuleFile) -> Iterator[str]:
    yield "## Alerts\n"
    yield (
        "A warning and its critical twin share one name, so that the one silences the other. What each "
        "means and what to do stands in [runbooks.md](runbooks.md).\n"
    )
    yield "| alert | severity | for | goes on for | says |\n| --- | --- | --- | --- | --- |"
    for alert in file.alerts():
        keep = "" if alert.keep_firing is None else str(alert.keep_firing)
        says = re.sub(r"\{\{ \$labels\.(\w+)[^}]*\}\}", r"*\1*", alert.annotations["summary"])
        says = re.sub(r"\{\{[^}]*\}\}", "*value*", says)
        yield f"| `{alert.name}` | {alert.severity} | {alert.hold} | {keep} | {says} |"
    yield ""


def _tried(shipped: Sequence[Shipped]) -> Iterator[str]:
    yield "## How they are tried\n"
    yield (
        "promtool has each alert just below, firing, resolved and without data. The tests also fire each "
        "through real processes and a real Prometheus, by records and by faults put into a process or its "
        "limits, but for these:\n"
    )
    yield "| alert | why |\n| --- | --- |"
    yield from (f"| `{each.name}` | {each.unreplayed} |" for each in shipped if each.unreplayed)
    yield ""
    yield _VERSIONS


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
