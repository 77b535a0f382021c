"""`alerts` compiled: what promtool says of the rules, and each alert's own tests."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.promql import selectors

from driftgauge.artefacts.alerts import compiled, test_files
from driftgauge.artefacts.rules import Recording, TimeScale, prometheus_text
from driftgauge.artefacts.rules.promtool import test_text
from driftgauge.artefacts.rules.shipped.entry import Links
from driftgauge.config import Config
from driftgauge.config_file import format_config, load
from driftgauge.metrics import BY_NAME


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


def passes(config: Config, directory: Path, promtool: str) -> None:
    """Both checks of promtool, on a configuration of few alerts: each test evaluates every rule."""
    rules, tests = written(config, directory)
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(rules))
    for path in tests:
        run(promtool, "test", "rules", str(path))


@pytest.mark.slow
def test_every_alert_of_the_example_passes_its_own_tests(
    repository: Path, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    passes(load(repository / "config.example.yaml"), tmp_path, require_tool("promtool"))


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


# Every way in which pods are pooled, every kind of label, every shape of limit.
BROAD = """\
models:
  churn:
    task: binary
    windows: [1h, 1d, 7d]
    segments: [plan]
    segment_drift: [customer_age]
    features: {customer_age: {kind: numeric}, plan: {kind: categorical}}
    against: [reference, previous_window, same_hours_last_week]
    outcomes: {matures_after: 7d}
    value: {currency: EUR, true_positive: 40, false_negative: -120}
    owner: retention
  demand: {task: regression, windows: [1d], value: {currency: EUR, over: -1}, team: logistics}
  topic: {task: multiclass, windows: [1d]}
metrics: [against, segments, estimates, concept, critical, performance, calibration, distances, versions, classes]
alerts:
  - {alert: AgeFell, when: {model: churn, feature: customer_age, metric: mean_shift, window: 7d, above: 0.5 sd, direction: down}}
  - {alert: AgeRoseOnADay, when: {model: churn, feature: customer_age, metric: mean_shift, window: 1d, above: 12.5%, direction: up, against: same_hours_last_week}}
  - {alert: ScoreShifted, when: {model: churn, output: score, metric: mean_shift, window: 1d, above: 20%}}
  - {alert: PlanMoved, when: {model: churn, feature: plan, metric: psi, window: 1d, above: 0.25, against: previous_window}}
  - {alert: AgeMovedInAPlan, when: {model: churn, feature: customer_age, metric: psi, window: 7d, above: 0.25, segment: plan}}
  - {alert: AgeDrifted, when: {model: churn, feature: customer_age, metric: drift_verdict, window: 7d}, windows: 2 of 4}
  - {alert: RelationChanged, when: {model: churn, feature: customer_age, metric: relation_verdict, window: 7d}, severity: critical}
  - {alert: ManyDrifted, when: {model: churn, metric: drifted_features, window: 1d, above: 30%}, consecutive: 3}
  - {alert: PlanUnknown, when: {model: churn, feature: plan, metric: unseen, window: 1h, above: 1%}, for: 0s, keep_firing_for: 0s}
  - {alert: RecallOfAPlan, when: {model: churn, metric: recall, window: 1d, segment: plan, segment_value: gold, cohort: arrived, below: 40%}}
  - alert: AccuracyLow
    when: {model: churn, metric: accuracy, window: 1d, segment: plan}
    consecutive: 2
    warning: {below: 80%}
    critical: {below: 70%}
    estimated_until: {}
    annotations: {summary: 'plan {{ $labels.segment_value }}: {{ printf "%.2f" $value }}', note: seen}
  - {alert: AucSurelyLow, when: {model: churn, metric: roc_auc_high, window: 7d, below: 0.7, versions: together}, max_gap: 2h}
  - {alert: EstimateOff, when: {model: churn, metric: estimated_roc_auc_gap, window: 7d, above: 5%}}
  - {alert: Uncalibrated, when: {model: churn, metric: calibration_slope, window: 7d, below: 0.8}}
  - {alert: LabelsMissing, when: {model: churn, metric: outcome_coverage, window: 7d, below: 50%}}
  - {alert: LosesMoney, when: {model: churn, metric: value, window: 7d, below: -1000}, warning: {below: 0}}
  - {alert: ThresholdOff, when: {model: churn, metric: best_threshold_gain_low, window: 7d, above: 100}}
  - {alert: NewVersionWorse, when: {model: churn, metric: version_accuracy_difference_high, window: 1d, below: 0}}
  - {alert: Slow, when: {model: churn, metric: latency, window: 1h, quantile: 99%, above: 250ms}, consecutive: 2}
  - {alert: Fails, when: {model: churn, metric: error_share, window: 30m, above: 5%}}
  - {alert: Idle, when: {model: churn, metric: throughput, window: 1h, below: 0.1}}
  - {alert: ErrorsLarge, when: {model: demand, metric: rmse, window: 1d}, warning: {above: 10}, critical: {above: 20}, estimated_until: {coverage: 80%}}
  - {alert: Biased, when: {model: demand, metric: bias, window: 1d, above: 3}, require: {outcomes: 1}}
  - {alert: PercentageOff, when: {model: demand, metric: mape, window: 1d, above: 150%}}
  - {alert: BillingMissed, when: {model: topic, metric: recall, window: 1d, class: billing, version: "7", below: 60%}}
  - {alert: RecallLow, when: {model: topic, metric: recall, window: 1d, below: 60%}, labels: {tier: gold}}
""".replace("window: 7d, below: -1000}, warning", "window: 7d}, warning")


CHUNK = 5


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, BROAD.count("alert: "), CHUNK))
def test_every_kind_of_alert_passes_its_own_tests(
    tmp_path: Path, require_tool: Callable[[str], str], first: int
) -> None:
    config = load(tmp_path / "config.yaml", text=BROAD)
    some = replace(config, alerts=config.alerts[first : first + CHUNK])
    assert some.alerts
    passes(some, tmp_path, require_tool("promtool"))


def test_alerts_are_the_same_when_written_again() -> None:
    config = load(Path("config.yaml"), text=BROAD)
    assert load(Path("config.yaml"), text=format_config(config)) == config


def test_no_duration_escapes_the_time_scale(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    """At 30,000 a week is 20 s: nothing is left of a minute, and every range has its four scrapes."""
    config = load(tmp_path / "config.yaml", text=BROAD)
    text = prometheus_text(compiled(config, TimeScale(30_000, 1.0)))
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    run(require_tool("promtool"), "check", "rules", str(tmp_path / "rules.yml"))
    said = re.sub(r"#.*|window=\"\w+\"|annotations:(?:\n {10}.*)+|window: \w+", "", text)
    found = re.findall(r"\b[0-9]+(?:ms|s|m|h|d)\b", said)
    assert {each for each in found if not each.endswith(("ms", "s"))} == set()
    assert set(re.findall(r"\[(\w+)\]", said)) <= {"4s", "10s080ms"}
    assert " offset 2s880ms" in said  # a day


def test_metrics_and_labels_are_those_of_the_table() -> None:
    config = load(Path("config.yaml"), text=BROAD)
    recorded = {rule.record: set(rule.remaining) for rule in compiled(config).recordings()}
    for rule in compiled(config).rules():
        for selector in selectors(rule.expr):
            name = re.sub(r"_(?:bucket|count)$", "", selector.name)
            labels = recorded[name] if name in recorded else {*BY_NAME[name].labels, "le"}
            assert {matcher.name for matcher in selector.matchers.matchers} <= labels, rule


def test_nothing_that_is_recorded_or_fires_has_a_label_of_a_pod() -> None:
    for rule in compiled(load(Path("config.yaml"), text=BROAD)).rules():
        text = rule.expr
        if isinstance(rule, Recording):
            assert re.match(r"(?:sqrt\(\s*|histogram_quantile\(0\.99, )?(?:sum|avg) without \(pod, ", text), (
                text
            )
        else:
            assert "driftgauge_" not in re.sub(r"\w+:driftgauge_\w+:judged", "", text), text


def test_one_entry_of_two_severities_shares_name_and_labels() -> None:
    found = [a for a in compiled(load(Path("config.yaml"), text=BROAD)).alerts() if a.name == "ErrorsLarge"]
    assert [(a.severity, a.labels.get("basis")) for a in found] == [
        ("warning", None),
        ("critical", None),
        ("warning", "estimate"),
    ]
    assert {a.labels["team"] for a in found} == {"logistics"}


def test_an_estimate_is_never_critical() -> None:
    text = BROAD.replace("above: 0.5 sd, direction: down}", "above: 0.5 sd}") + (
        "  - {alert: EstimateOnly, when: {model: churn, metric: f1, window: 1d, below: 50%}, severity: critical,"
        " estimated_until: {}}\n"
    )
    alerts = [a for a in compiled(load(Path("c"), text=text)).alerts() if a.name == "EstimateOnly"]
    assert [a.severity for a in alerts] == ["critical", "warning"]


def test_links_are_where_they_are_asked_to_be(repository: Path) -> None:
    config = load(repository / "config.example.yaml")
    links = Links(runbooks="https://wiki/alerts", grafana="https://grafana")
    for alert in compiled(config, links=links).alerts():
        assert alert.annotations["runbook_url"].startswith("https://wiki/alerts#when-a")
        assert alert.annotations["dashboard_url"].startswith("https://grafana/d/driftgauge-")


@pytest.mark.parametrize(
    ("when", "least"),
    [("feature: age, metric: mean_shift, above: 10%", "1"), ("metric: accuracy, below: 70%", "0.8")],
)
def test_what_follows_the_hour_is_judged_on_whole_windows(when: str, least: str) -> None:
    model = "models: {churn: {task: binary, features: {age: {kind: numeric}}}}\n"
    entry = f"alerts: [{{alert: Moved, when: {{model: churn, window: 1d, {when}}}}}]\n"
    [recorded] = [
        r for r in compiled(load(Path("x.yaml"), text=model + entry)).rules() if isinstance(r, Recording)
    ]
    asked = re.findall(r"driftgauge_window_covered_ratio\{.*?\} >= (\S+)", recorded.expr)
    assert set(asked) == {least}
