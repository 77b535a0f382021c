"""`driftgauge check`: what is printed, where, and the exit code."""

from __future__ import annotations

import json
import re


def test_a_good_file(run, tmp_path):
    (tmp_path / "config.yaml").write_text(
        "models:\n  churn: {task: binary, windows: [1h], segments: [], features: {age: {kind: numeric}}, discover_features: false,\n"
        "    outcomes: {horizon: 1d}}\n"
    )
    result = run("check", "config.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [re.sub(r"[0-9][0-9,]*", "N", line) for line in result.stdout.splitlines()]
    assert lines == [
        "a scrape, once every label is known:",
        "  the process: N series, N bytes",
        "  churn: N series, N bytes a version (of N)",
        "  with one version each: N series, N bytes",
        "config.yaml: fine",
    ]


def test_alerts_are_said_in_words(run, tmp_path):
    (tmp_path / "config.yaml").write_text(
        "models: {churn: {task: binary, windows: [1d]}}\n"
        "alerts:\n"
        "  - alert: AccuracyLow\n"
        "    when: {model: churn, metric: accuracy, window: 1d}\n"
        "    warning: {below: 80%}\n"
        "    critical: {below: 70%}\n"
    )
    result = run("check", "config.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-4:] == [
        "alerts, once `driftgauge rules` has made them rules:",
        "  AccuracyLow (warning): accuracy of churn over 1d (arrived) is below 80%, each window with at least 200 outcomes",
        "  AccuracyLow (critical): accuracy of churn over 1d (arrived) is below 70%, each window with at least 200 outcomes",
        "config.yaml: fine",
    ]


def test_a_bad_file(run, tmp_path):
    (tmp_path / "config.yaml").write_text("evaluate: 5\nmodels: 3\n")
    result = run("check", "config.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "config.yaml:1 evaluate: expected a duration with its unit (ms, s, m, h, d or w) such as 30s, got 5",
        "config.yaml:2 models: expected a mapping by name, got 3",
    ]


def test_warnings_do_not_fail(run, tmp_path):
    (tmp_path / "config.yaml").write_text("store: {durability: memory}\n")
    result = run("check", "config.yaml")
    assert result.exit_code == 0
    assert result.stderr == (
        "config.yaml: warning: store.durability: memory: what was acknowledged is lost with the process\n"
    )


def test_the_report_as_json(run, tmp_path):
    (tmp_path / "config.yaml").write_text("intake: {token_file: none}\n")
    result = run("check", "config.yaml", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert list(report) == [
        "file", "faults", "warnings", "models", "process_series", "process_bytes", "series", "bytes", "alerts",
    ]  # fmt: skip
    assert report["faults"] == [
        "config.yaml:1 intake.token_file: expected a readable file whose first line is a token, got none of that name (none)"
    ]


def test_the_example_of_the_repository_is_fine(run, repository):
    assert run("check", repository / "config.example.yaml").exit_code == 0
