"""What alerts stand on is there: every metric in words, asked of the text that real records make."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.unit.check.test_series import in_full_swing, reference_file, render

from driftgauge.artefacts.alerts import compiled
from driftgauge.artefacts.rules import prometheus_text
from driftgauge.check import alert_warnings
from driftgauge.config import Config, Family, Limits, Model, Outcomes, Task, Value
from driftgauge.config_alerts import Alert, Bound, Output, Require, Unit, When
from driftgauge.config_file import WORDS, faults
from driftgauge.metrics.words import Scale, Word
from driftgauge.units import DAY, Ratio, Seconds

NAME = "churn-2026"
VALUES = {Task.BINARY: {"false_negative": -120.1}, Task.MULTICLASS: {"wrong": -0.3}}
LIMITS = {
    Scale.SHARE: Bound(0.1, Unit.PERCENT),
    Scale.DEVIATIONS: Bound(0.5, Unit.DEVIATIONS),
    Scale.PLAIN: Bound(0.25),
}
# What one version of six hours doesn't have: earlier windows, another version, segments' own references.
ABSENT = ("against", "against_version")


def entries(task: Task) -> Iterator[Alert]:
    """An entry for each word, of the model and of a segment, as far as the task has it."""
    number = 0
    for words in WORDS.values():
        for word in words:
            labels = word.metric.labels
            if (
                word.of_traffic
                or any(label in labels for label in ABSENT)
                or "segment_psi" in word.metric.name
            ):
                continue
            if word.of_classifier if task is Task.REGRESSION else word.of_regression:
                continue
            for segment in (None, "plan") if "segment" in labels else (None,):
                number += 1
                yield entry(f"A{number}", word, segment, task)


def entry(name: str, word: Word, segment: str | None, task: Task) -> Alert:
    labels = word.metric.labels
    output = Output.PREDICTION if task is Task.REGRESSION or word.categorical_only else Output.SCORE
    when = When(
        model=NAME,
        metric=word.text,
        window=Seconds(DAY),
        feature=("plan" if word.categorical_only else "customer_age") if "feature" in labels else None,
        output=output if "output" in labels else None,
        segment=segment,
        above=LIMITS.get(word.scale),
    )
    return Alert(name, when, require=Require(1, 1, Ratio(0.01) if word.basis.outcomes else None, Ratio(0.01)))


@pytest.mark.slow
@pytest.mark.parametrize("task", list(Task))
def test_every_word_finds_its_series(tmp_path: Path, require_tool: Callable[[str], str], task: Task) -> None:
    rng = np.random.default_rng(20261126)
    path = tmp_path / "reference.json"
    made = reference_file(path, task, rng)
    model = Model(
        task=task, reference=path, windows=(Seconds(3600.0), Seconds(DAY)), segments=("plan", "region"),
        outcomes=Outcomes(matures_after=Seconds(60.0)),
        value=Value("EUR", **VALUES.get(task, {"over": -0.1, "under": -0.3})),
    )  # fmt: skip
    config = Config(
        models={NAME: model}, limits=Limits(segment_values=4, classes=4, versions=1), metrics=tuple(Family)
    )
    text = render(in_full_swing(config, task, rng), config).text(openmetrics=False).decode()
    asked = replace(config, alerts=tuple(entries(task)))
    silent = {warning.split()[1] for warning in alert_warnings(asked, {NAME: made})}
    # The columns of `in_full_swing` are known from the reference, not declared: no other fault.
    assert {fault.path[-1] for fault in faults(asked)} <= {"feature"}
    assert recorded(asked, text, tmp_path, require_tool("promtool")) == {
        alert.alert for alert in asked.alerts if alert.alert not in silent
    }
    assert len(silent) < len(asked.alerts) / 3


def recorded(config: Config, text: str, directory: Path, promtool: str) -> set[str]:
    """Names of the alerts whose value is recorded from the series of *text*."""
    rules = compiled(config)
    (directory / "rules.yml").write_text(prometheus_text(rules), encoding="utf-8")
    lines = [line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#"]
    fed = [{"series": name, "values": f"{float(value):.17g}x2"} for name, _, value in lines if value != "NaN"]
    names = {rule.record: rule.record.split(":")[0].upper() for rule in rules.recordings()}
    asked = [
        {"expr": f"count({name}) > bool 0", "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for name in names
    ]
    tree = {
        "rule_files": ["rules.yml"],
        "tests": [{"interval": "1m", "input_series": fed, "promql_expr_test": asked}],
    }
    path = directory / "test.yml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    missing = {alert for name, alert in names.items() if f"count({name})" in said}
    assert done.returncode == 0 or missing, said[:2000]
    return set(names.values()) - missing
