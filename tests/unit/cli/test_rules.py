"""`driftgauge rules`: what is printed and written, and what is refused."""

from __future__ import annotations

import yaml

CONFIG = """\
models: {churn: {task: binary, windows: [1d], owner: retention}}
alerts:
  - alert: AccuracyLow
    when: {model: churn, metric: accuracy, window: 1d, below: 70%}
    consecutive: 2
"""


def write(tmp_path, text=CONFIG):
    (tmp_path / "config.yaml").write_text(text)


def test_rules_are_printed(run, tmp_path):
    write(tmp_path)
    result = run("rules", "--config", "config.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    [group] = yaml.safe_load(result.stdout)["groups"]
    assert group["name"] == "driftgauge-alerts-churn"
    [recording, alert] = group["rules"]
    assert recording["record"] == "accuracy_low:driftgauge_accuracy_ratio:judged"
    assert alert["alert"] == "AccuracyLow"
    assert alert["labels"] == {"severity": "warning", "owner": "retention"}


def test_the_operator_is_given_a_resource(run, tmp_path):
    write(tmp_path)
    arguments = (
        "--format",
        "operator",
        "--name",
        "churn",
        "--namespace",
        "ml",
        "--label",
        "release=prometheus",
    )
    tree = yaml.safe_load(run("rules", "-c", "config.yaml", *arguments).stdout)
    assert (tree["apiVersion"], tree["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert tree["metadata"] == {"name": "churn", "namespace": "ml", "labels": {"release": "prometheus"}}
    assert [group["name"] for group in tree["spec"]["groups"]] == ["driftgauge-alerts-churn"]


def test_files_are_written_with_their_tests(run, tmp_path):
    write(tmp_path)
    result = run("rules", "-c", "config.yaml", "-o", "made", "--tests")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "driftgauge-alerts.2h.test.yml",
        "driftgauge-alerts.rules.yml",
    ]
    tests = yaml.safe_load((tmp_path / "made" / "driftgauge-alerts.2h.test.yml").read_text())
    assert tests["rule_files"] == ["driftgauge-alerts.rules.yml"]


def test_links_of_ones_own_are_tested_too(run, tmp_path):
    write(tmp_path)
    links = ("--runbooks", "https://git.example.com/alerts.md", "--grafana", "https://grafana.example.com/")
    assert run("rules", "-c", "config.yaml", "-o", "made", "--tests", *links).exit_code == 0
    assert run("rules", "--shipped", "-o", "made", "--tests", *links).exit_code == 0
    for path in (tmp_path / "made").iterdir():
        found = path.read_text(encoding="utf-8")
        assert "runbook_url: https://git.example.com/alerts.md#" in found, path.name
        assert "dashboard_url: https://grafana.example.com/d/" in found, path.name
        assert "runbook_url: docs/" not in found, path.name


def test_the_shipped_rules_are_those_of_the_repository(run, repository, tmp_path):
    result = run("rules", "--shipped")
    assert result.stdout == (repository / "prometheus" / "driftgauge.rules.yml").read_text(encoding="utf-8")
    run("rules", "--shipped", "--tests", "-o", ".")
    for name in ("driftgauge.rules.test.yml", "driftgauge.chain.test.yml"):
        assert (tmp_path / name).read_bytes() == (repository / "prometheus" / name).read_bytes()


def test_a_fleet_can_have_a_longer_window(run):
    """Of hours, as a week is: 720 samples a series."""
    text = run("rules", "--shipped", "--window", "30d").stdout
    groups = yaml.safe_load(text)["groups"]
    found = {
        rule["labels"]["window"]: rule["expr"]
        for rule in groups[0]["rules"]
        if rule["record"] == "feature:driftgauge_feature_values:window"
    }
    assert list(found) == ["1h", "1d", "7d", "30d"]
    assert found["30d"] == "sum_over_time(feature:driftgauge_feature_values:increase1h[29d23h57m30s])"


def test_a_time_scale_divides_durations(run, tmp_path):
    write(tmp_path, CONFIG + "time_scale: 1440\n")
    of_file = run("rules", "-c", "config.yaml").stdout
    assert "offset 1m)" in of_file
    assert "offset 1d)" in run("rules", "-c", "config.yaml", "--time-scale", "1").stdout


def test_an_alert_that_never_fires_is_warned_of(run, tmp_path):
    write(
        tmp_path,
        "models: {m: {task: binary, windows: [1h], features: {age: {}}}}\n"
        "alerts: [{alert: A, when: {model: m, metric: drift_verdict, feature: age, window: 1h}}]\n",
    )
    result = run("rules", "-c", "config.yaml")
    assert result.exit_code == 0
    assert result.stderr == (
        "config.yaml: warning: alerts: A never fires: there will be no "
        'driftgauge_feature_drift_verdict{model="m", feature="age", window="1h"}\n'
    )


def test_what_is_refused(run, tmp_path):
    write(tmp_path)
    (tmp_path / "empty.yaml").write_text("models: {churn: {}}\n")
    for arguments, code, message in (
        ((), 2, "Error: expected --config FILE or --shipped, got neither"),
        (("--shipped", "-c", "config.yaml"), 2, "Error: expected --config FILE or --shipped, got both"),
        (
            ("-c", "config.yaml", "--tests"),
            2,
            "Error: --tests needs --output and --format prometheus",
        ),
        (
            ("-c", "config.yaml", "--tests", "-o", "x", "--time-scale", "60"),
            2,
            "Error: --tests are of unscaled rules: leave out the time scale",
        ),
        (
            ("-c", "config.yaml", "--window", "30d"),
            2,
            "Error: --window is of the rules that --shipped prints",
        ),
        (("--shipped", "--window", "90m"), 2, "Error: --window: expected whole hours, got 5400 s"),
        (("--shipped", "--label", "release"), 2, "expected NAME=VALUE, got 'release'"),
        (
            ("-c", "empty.yaml"),
            1,
            "driftgauge: empty.yaml: expected entries under alerts, got none; docs/alerts.md shows some",
        ),
    ):
        result = run("rules", *arguments)
        assert result.exit_code == code, arguments
        assert message in result.stderr, arguments
