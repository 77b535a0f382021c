"""docs/dashboards.md: the dashboards row by row, and what a running Grafana must show of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from driftgauge.artefacts.dashboards.board import Dashboard, Row

_HEAD: Final = """\
# Dashboards

Made by `make generate` from the dashboards' own values, as the files in `grafana/dashboards` are; nobody
edits either by hand. They fit Grafana 10 to 12 and need no plugin. They ask one Prometheus, which must
scrape driftgauge and have loaded `prometheus/driftgauge.rules.yml`: verdicts, intervals and quality are
asked of what those rules record, so that a panel and an alert stand on the same number. Where nothing is
recorded, pods are brought together in the panel as the rules do it: verdicts by majority, numbers
weighted by the records that each stands on, which for a PSI of one feature is at least that of all
records together. Lines drawn in panels are the limits of the alerts.

`grafana/provisioning` is for `/etc/grafana/provisioning`, `grafana/dashboards` for
`/var/lib/grafana/dashboards/driftgauge`; a Grafana that starts with both shows the folder *driftgauge* at
once. The data source there asks http://127.0.0.1:9090.

From the fleet to a model to a feature a click leads on, with the time shown and what is chosen; the links
at the top of each lead to all others. The four of them:

"""

_CHECKS: Final = """\
## What a running Grafana must show

Tests read the files with Grafana's own types, check every query against the metrics that exist, and ask
every query of a real Prometheus beside a real sidecar. What only a Grafana can show is for people to look
at, after `driftgauge demo --prometheus` has run for a minute, or on any installation:

1. The folder *driftgauge* holds the four dashboards, none with a message of a failed import, none
   editable.
2. *Data Source*, Job, Namespace and what else a dashboard lists fill themselves; all is chosen but for
   Window and Outcomes, of which the first is. Outside Kubernetes Namespace has only *All*, and panels
   have data.
3. Fleet: one line a version of a model, worst on top, *well*, *look* or *act* in its colour. A click on a
   line opens Model with that model and version, the same time and the same data source.
4. Model: the first row says whether it is well, then drift, the answers, the estimate, and only then what
   came true. An interval's ends are thin and dashed beside their number and not in the legend.
5. *Answers now and in the reference* has two bars a bin, `now` and `reference`, bins in order 0 to 9.
6. Limits are lines, and what is beyond one is red in tables and numbers.
7. *Features whose verdict is drift* is a strip a feature, red while it held; a click opens Feature with
   it.
8. Marks on the time axis: red for alerts, blue for new versions, green for retrainings; purple on Sidecar
   for starts. Each tells what it is under the pointer.
9. Feature: the bars as in 5 for the feature that is chosen; its verdict's strip; floors as lines.
10. Folded rows open; each of their panels says which family it needs, and has data where that is
    exported.
11. Sidecar: a line a sidecar with its version, a strip a part of it, reasons of refusals each with its
    name.
12. *No data* stands only where it must: quality of the other task, value without prices, estimates
    without a reference's outcomes, segments without any, a second version that isn't there, a memory
    limit that isn't set.
13. The links at the top keep the time and all that is chosen.

## Checked with

The types that Grafana 10.4, 11.6 and 12.4 publish for TypeScript (`@grafana/schema`), and those of 11.6 for
Python (`grafana-foundation-sdk`), which read every panel's options as well; both in the tests, which say by
name what Grafana reads beyond its types.

The rules of Grafana's dashboard linter are kept, but for these. `allValue` is `.*` and not `.+`:
outside Kubernetes there is no namespace to match. Only Sidecar has Instance: elsewhere no panel shows
single pods. A distribution is counted over the time shown, `$__range`, rather than over
`$__rate_interval`; and the panels of the trigger and the injector name no job, since others scrape them.
"""


def page(dashboards: Sequence[Dashboard]) -> str:
    """The whole page."""
    return _HEAD + "\n".join(line for board in dashboards for line in _lines(board)) + "\n" + _CHECKS


def _lines(board: Dashboard) -> Iterator[str]:
    chosen = ", ".join(variable.label for variable in board.variables)
    yield from (f"## {board.title.removeprefix('driftgauge / ')} (`{board.uid}`)", "", board.description, "")
    yield from (
        f"To choose: {chosen}. Marks: {', '.join(mark.name.lower() for mark in board.annotations)}.",
        "",
    )
    yield from ("| row | panels |", "| --- | --- |")
    yield from (
        f"| {row.title}{_folded(row)} | {'; '.join(panel.title for panel in row.panels)} |"
        for row in board.rows
    )
    yield ""


def _folded(row: Row) -> str:
    return " (folded)" if row.folded else ""
