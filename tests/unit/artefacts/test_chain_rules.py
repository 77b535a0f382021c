"""The chain by promtool: what a step counts of pods that come, go and begin anew; hours and windows of them."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from driftgauge.artefacts.rules import Duration, RuleFile, TimeScale, prometheus_text
from driftgauge.artefacts.rules.promtool import (
    Case,
    Input,
    QueryCase,
    Sample,
    TestFile,
    label_text,
    test_text,
)
from driftgauge.artefacts.rules.shipped.chain import ERRORS, PREDICTIONS, chain_rules
from driftgauge.artefacts.rules.values import Group
from driftgauge.config import DAY, HOUR

SCALE = TimeScale()
MINUTE = 60_000
VERSION = {"model": "churn", "model_version": "3"}
STEPS, HOURS, WINDOW = (PREDICTIONS.name(each) for each in ("increase5m", "increase1h", "window"))


def rules(each=PREDICTIONS, windows=(HOUR, DAY, 7 * DAY, 30 * DAY)):
    return tuple(chain_rules(each, SCALE, SCALE.chain_windows(windows)))


def hold(tmp_path, require_tool, chained, case):
    """Whether promtool gets the answers of *case* from the rules *chained*, evaluated each 5 minutes."""
    file = RuleFile((Group("chain", chained, SCALE.step),))
    (tmp_path / "rules.yml").write_text(prometheus_text(file))
    (tmp_path / "test.yml").write_text(test_text(TestFile(("rules.yml",), SCALE.step, (case,))))
    done = subprocess.run(
        (require_tool("promtool"), "test", "rules", "test.yml"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def pod(name, values):
    return Input(f"driftgauge_predictions_total{label_text({**VERSION, 'pod': name})}", values)


def told(minutes, record, value, **labels):
    found = () if value is None else (Sample(record + label_text({**VERSION, **labels}), value),)
    return QueryCase(Duration(minutes * MINUTE), record + label_text(labels), found)


# Samples each minute, and what the steps at 5, 10, 15, .. minutes count. A step ends half a minute ago, so the
# sample of minute 5 is the first of the second step.
PODS = {
    "goes on": ("100+10x20", {5: 40, 10: 50, 15: 50}),
    "is new": ("_x7 100+10x20", {5: None, 10: 20, 15: 50}),
    # 100, .., 160, then from 3 on: 20 had been counted in the step, 30 since.
    "begins anew within a step": ("100+10x6 10+10x20", {5: 40, 10: 20 + 30, 15: 50}),
    "begins anew between two steps": ("100+10x4 10+10x20", {5: 40, 10: 50, 15: 50}),
    # 100, .., 160, then 500 a minute: more than ever before, so that what the step held before can't be told.
    "has soon counted more than ever": ("100+10x6 0+500x20", {5: 40, 10: 1000, 15: 2500}),
    "begins anew twice": ("100+10x5 10+10x1 5+5x20", {5: 40, 10: 10 + 10, 15: 25}),
    "misses scrapes for ten minutes": ("100+10x4 _x10 250+10x20", {5: 40, 10: None, 15: None, 20: 150}),
    "misses too many": ("100+10x4 _x20 350+10x20", {5: 40, 20: None, 30: 40}),
    "dies": ("100+10x7 stale", {5: 40, 10: 30, 15: None}),
    "does nothing": ("100x20", {5: 0, 10: 0}),
}


@pytest.mark.parametrize("name", PODS)
def test_a_step_counts_what_a_pod_added(tmp_path, require_tool, name):
    values, steps = PODS[name]
    case = Case(
        name,
        Duration(MINUTE),
        (pod("a", values),),
        queries=tuple(told(minutes, STEPS, value) for minutes, value in steps.items()),
    )
    hold(tmp_path, require_tool, rules()[:1], case)


def test_pods_are_added_each_with_its_own_fate(tmp_path, require_tool):
    kept = ("goes on", "is new", "begins anew within a step", "has soon counted more than ever", "dies")
    case = Case(
        "all",
        Duration(MINUTE),
        tuple(pod(name, PODS[name][0]) for name in kept),
        queries=tuple(
            told(minutes, STEPS, sum(PODS[name][1].get(minutes) or 0 for name in kept))
            for minutes in (5, 10, 15)
        ),
    )
    hold(tmp_path, require_tool, rules()[:1], case)


def test_windows_hold_what_came_in_them(tmp_path, require_tool):
    """Of 2 a minute, from minute 0 on: the first sample is only known, not counted."""
    of_day, of_week = 2 * 24 * 60, 2 * 7 * 24 * 60
    late = 9 * 24 * 60
    case = Case(
        "windows",
        Duration(5 * MINUTE),
        (pod("a", "0+10x3000"), pod("b", "0+0x3000")),
        queries=(
            told(60 * 30, WINDOW, 120, window="1h"),
            told(60 * 30, WINDOW, of_day, window="1d"),
            *(told(late + past, WINDOW, of_day, window="1d") for past in (0, 5, 55)),
            # Whole hours, the last of them up to an hour ago; the steps before it make no difference.
            *(told(late + past, WINDOW, of_week, window="7d") for past in (0, 5, 30, 55, 60)),
            # Nine days of a month: hours are summed as far as there are any.
            told(late, WINDOW, 2 * (late - 60), window="30d"),
        ),
    )
    hold(tmp_path, require_tool, rules(), case)


def test_an_hour_is_recorded_once_and_soon_where_it_was_skipped(tmp_path, require_tool):
    """Steps of 1; no rule is evaluated from minute 120 to 130, as if Prometheus had been away."""
    recording = next(rule for rule in rules() if rule.record == HOURS)
    skipped = replace(recording, expr=f"({recording.expr})\nunless on () away")
    steps = Input(STEPS + label_text(VERSION), "1+0x23 _x3 1+0x60")
    away = Input("away", "_x24 1x2 stale")
    samples = f"count_over_time({HOURS}[4h])"
    case = Case(
        "skipped",
        Duration(5 * MINUTE),
        (steps, away),
        queries=(
            # The first step there is, then each hour.
            told(0, HOURS, 1),
            told(55, HOURS, None),
            told(60, HOURS, 12),
            told(115, HOURS, None),
            told(120, HOURS, None),
            told(130, HOURS, None),
            # Twelve steps back from here, of which three were never recorded.
            told(135, HOURS, 12 - 3),
            told(190, HOURS, None),
            told(195, HOURS, 12),
            QueryCase(Duration(195 * MINUTE), samples, (Sample(label_text(VERSION), 4),)),
        ),
    )
    hold(tmp_path, require_tool, (skipped,), case)


def test_hours_are_recorded_only_where_a_window_is_made_of_them():
    names = {rule.record for rule in rules(windows=(HOUR, DAY))}
    assert names == {STEPS, WINDOW}
    longer = {rule.labels["window"]: rule.expr for rule in rules(ERRORS) if rule.labels}
    assert [window for window, expr in longer.items() if "increase1h" in expr] == ["7d", "30d"]
    assert not any(":" in expr[expr.index("[") :] for expr in longer.values()), "a subquery costs a lot"
