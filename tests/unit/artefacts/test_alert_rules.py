"""`alerts` compiled: what promtool says of the rules, and each alert's own tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from driftgauge.artefacts.alerts import compiled, test_files
from driftgauge.artefacts.rules import prometheus_text
from driftgauge.artefacts.rules.promtool import test_text
from driftgauge.config import Config
from driftgauge.config_file import load


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def written(config: Config, directory: Path) -> tuple[Path, list[Path]]:
    """The rules and their tests as files."""
    file = compiled(config)
    rules = directory / "rules.yml"
    rules.write_text(prometheus_text(file), encoding="utf-8")
    tests = []
    for step, each in test_files(config, file, "rules.yml").items():
        tests.append(directory / f"{step}.test.yml")
        tests[-1].write_text(test_text(each), encoding="utf-8")
    return rules, tests


@pytest.mark.slow
def test_every_alert_of_the_example_passes_its_own_tests(
    repository: Path, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    rules, tests = written(load(repository / "config.example.yaml"), tmp_path)
    run(require_tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(rules))
    for path in tests:
        run(require_tool("promtool"), "test", "rules", str(path))


def test_every_alert_is_tested_firing_and_three_times_quiet(repository: Path) -> None:
    config = load(repository / "config.example.yaml")
    file = compiled(config)
    cases = [
        case
        for tests in test_files(config, file, "rules.yml").values()
        for each in tests.cases
        for case in each.alerts
    ]
    for alert in file.alerts():
        severities = [
            {fired.labels["severity"] for fired in case.firing} for case in cases if case.alert == alert.name
        ]
        assert sum(alert.severity in found for found in severities) >= 2, alert.name
        assert sum(alert.severity not in found for found in severities) >= 3, alert.name


def test_the_same_configuration_gives_the_same_bytes(repository: Path) -> None:
    config = load(repository / "config.example.yaml")
    assert prometheus_text(compiled(config)) == prometheus_text(compiled(config))


def test_the_rules_are_as_yaml_what_they_are_as_values(repository: Path) -> None:
    file = compiled(load(repository / "config.example.yaml"))
    tree = yaml.safe_load(prometheus_text(file))
    listed = [rule.get("alert") for group in tree["groups"] for rule in group["rules"] if "alert" in rule]
    assert listed == [alert.name for alert in file.alerts()]
