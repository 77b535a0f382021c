"""Each shipped alert, by promtool: just below, firing, resolved, without data."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest

from driftgauge.artefacts.rules import Alert, RuleFile, prometheus_text
from driftgauge.artefacts.rules.promtool import TestFile, group_order, test_text
from driftgauge.artefacts.rules.shipped import shipped_alerts, shipped_rules, shipped_tests

SHIPPED = shipped_alerts()
# Hours of every burn window, a minute at a time.
LONG = {"ModelErrorBudgetBurns", "ModelLatencyBudgetBurns"}


def needed(file: RuleFile, alert: str) -> RuleFile:
    """*file* without the rules that *alert* does not stand on: with all of them promtool takes minutes."""
    rules = list(file.rules())
    wanted = [rule for rule in rules if isinstance(rule, Alert) and rule.name == alert]
    kept = {id(rule) for rule in wanted}
    while wanted:
        text = wanted.pop().expr
        for rule in rules:
            name = getattr(rule, "record", None)
            if name and id(rule) not in kept and re.search(rf"{name}(?![\w:])", text):
                kept.add(id(rule))
                wanted.append(rule)
    groups = (replace(g, rules=tuple(r for r in g.rules if id(r) in kept)) for g in file.groups)
    return RuleFile(tuple(group for group in groups if group.rules))


@pytest.mark.parametrize(
    "shipped",
    [
        pytest.param(each, id=each.name, marks=pytest.mark.slow if each.name in LONG else ())
        for each in SHIPPED
    ],
)
def test_an_alert_fires_when_it_should_and_only_then(tmp_path, require_tool, shipped):
    rules = needed(shipped_rules(), shipped.name)
    whole = shipped_tests(coarse=shipped.coarse)
    tests = TestFile(("rules.yml",), whole.evaluation_interval, shipped.cases, group_order(rules))
    (tmp_path / "rules.yml").write_text(prometheus_text(rules))
    (tmp_path / "test.yml").write_text(test_text(tests))
    done = subprocess.run(
        (require_tool("promtool"), "test", "rules", "test.yml"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
