"""The shipped rules: they hold for any model, with no configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftgauge.artefacts.rules.durations import Duration, TimeScale
from driftgauge.artefacts.rules.promtool import TestFile, group_order
from driftgauge.artefacts.rules.shipped.bounds import bound_alerts
from driftgauge.artefacts.rules.shipped.budgets import budget_alerts, budget_recordings
from driftgauge.artefacts.rules.shipped.chain import chain_groups
from driftgauge.artefacts.rules.shipped.entry import Links, Setting, Shipped
from driftgauge.artefacts.rules.shipped.fleet import fleet_group
from driftgauge.artefacts.rules.shipped.injecting import injector_alerts
from driftgauge.artefacts.rules.shipped.inputs import input_alerts
from driftgauge.artefacts.rules.shipped.pods import pods_group
from driftgauge.artefacts.rules.shipped.quality import quality_alerts
from driftgauge.artefacts.rules.shipped.retraining import retraining_alerts
from driftgauge.artefacts.rules.shipped.sidecar import intake_recordings, sidecar_alerts
from driftgauge.artefacts.rules.shipped.traffic import outcome_recordings, traffic_alerts
from driftgauge.artefacts.rules.values import Group, RuleFile
from driftgauge.config import DAY, HOUR

WINDOWS = (HOUR, DAY, 7 * DAY)

_HEAD = """\
Rules of driftgauge for any model, made by `make generate`: change src/driftgauge/artefacts/rules/shipped.
docs/rules.md lists what they record, docs/runbooks.md what to do about each alert. runbook_url and dashboard_url
are paths; addresses that a pager can open: `driftgauge rules --shipped --runbooks URL --grafana URL`.
"""
_TEST_HEAD = """\
Each alert just below, firing, resolved and without data, made by `make generate`:
  promtool test rules {name}
"""


def shipped_rules(
    scale: TimeScale | None = None, windows: Sequence[float] = WINDOWS, links: Links | None = None
) -> RuleFile:
    """All groups, in the order in which each needs what those before it record.

    Args:
        scale: real time where None.
        windows: seconds of the chain's windows.
        links: where annotations point; to this repository's documents where None.
    """
    setting = Setting(scale or TimeScale(), links or Links())
    scale = setting.scale
    return RuleFile(
        (
            *chain_groups(scale, scale.chain_windows(windows)),
            fleet_group(scale),
            pods_group(scale),
            Group(
                "driftgauge-intake",
                (*intake_recordings(setting), *outcome_recordings(setting), *budget_recordings(setting)),
                scale.interval(60),
            ),
            *(
                Group(name, tuple(alert for each in found for alert in each.alerts), scale.interval(60))
                for name, found in _by_group(setting)
            ),
        ),
        _HEAD,
    )


def _by_group(setting: Setting) -> Iterable[tuple[str, tuple[Shipped, ...]]]:
    yield "driftgauge-sidecar", tuple(sidecar_alerts(setting))
    yield "driftgauge-bounds", tuple(bound_alerts(setting))
    yield "driftgauge-traffic", tuple(traffic_alerts(setting))
    yield "driftgauge-inputs", tuple(input_alerts(setting))
    yield "driftgauge-quality", tuple(quality_alerts(setting))
    yield "driftgauge-budgets", tuple(budget_alerts(setting))
    yield "driftgauge-retraining", tuple(retraining_alerts(setting))
    yield "driftgauge-injector", tuple(injector_alerts(setting))


def shipped_alerts(links: Links | None = None) -> tuple[Shipped, ...]:
    """Every alert with its runbook and its trials, in the order of the file."""
    setting = Setting(TimeScale(), links or Links())
    return tuple(each for _, found in _by_group(setting) for each in found)


def shipped_tests(*, coarse: bool, links: Links | None = None) -> TestFile:
    """Promtool's tests of `shipped_rules` in real time.

    Args:
        coarse: those that stand on the chain, evaluated once a step; else all others, each minute.
        links: those of the rules.
    """
    name = f"driftgauge.{'chain' if coarse else 'rules'}.test.yml"
    return TestFile(
        ("driftgauge.rules.yml",),
        Duration(300_000 if coarse else 60_000),
        tuple(case for each in shipped_alerts(links) if each.coarse is coarse for case in each.cases),
        group_order(shipped_rules()),
        _TEST_HEAD.format(name=name),
    )
