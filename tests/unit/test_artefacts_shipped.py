"""Rules, dashboards, manifests and the image's recipe: each is checked by the tool that will load it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from tests.promql import grouped_labels, metrics_of, selectors, walk

from driftgauge.artefacts.rules import POD_LABELS
from driftgauge.artefacts.rules.shipped import shipped_rules

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "prometheus" / "driftgauge.rules.yml"

# Labels that no metric of ours carries: those of the scrape, of Kubernetes' discovery, of Prometheus.
TARGET_LABELS = {*POD_LABELS, "job", "namespace", "le", "alertstate", "alertname"}
# Made by label_replace, for what several metrics say alike.
MADE_LABELS = {"measure", "name", "class"}
# Labels that would clash with those of the scrape or of other exporters.
FORBIDDEN_LABELS = {"type", "service", "env", "stage", "owner", "region", "cluster", "quantile"}
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


@dataclass(frozen=True)
class Exported:
    """What a query may ask for: labels and type by name."""

    labels: dict[str, set[str]]
    counters: set[str]


@pytest.fixture(scope="module")
def exported() -> Exported:
    from driftgauge.metrics import METRICS

    labels: dict[str, set[str]] = {"ALERTS": {"model", "feature"}}
    counters = set()
    for metric in METRICS:
        names = [metric.name]
        if metric.type == "histogram":
            names = [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")]
        if metric.type != "gauge":
            counters.update(names)
        labels.update({name: set(metric.labels) for name in names})
    labels.update({rule.record: set(rule.remaining) for rule in shipped_rules().recordings()})
    return Exported(labels, counters)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


QUERIES = [
    *((rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()),
]


@pytest.mark.parametrize(("place", "query"), QUERIES, ids=[place for place, _ in QUERIES])
def test_every_query_asks_for_metrics_and_labels_that_exist(exported, place, query):
    for selector in selectors(query):
        assert selector.name in exported.labels, f"{place}: no metric {selector.name}"
        known = exported.labels[selector.name] | TARGET_LABELS
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= known, f"{place}: {selector.name} has no label {sorted(asked - known)}"
    known = (TARGET_LABELS | MADE_LABELS).union(*(exported.labels[name] for name in metrics_of(query)))
    assert grouped_labels(query) <= known, (
        f"{place}: no metric asked for has {sorted(grouped_labels(query) - known)}"
    )


@pytest.mark.parametrize(("place", "query"), QUERIES, ids=[place for place, _ in QUERIES])
def test_rates_are_taken_of_counters_only(exported, place, query):
    rates = [
        n
        for n in walk(promql.parse(query))
        if isinstance(n, promql.Call) and n.func.name in ("rate", "increase")
    ]
    for rate in rates:
        [selector] = selectors(rate.prettify())
        assert selector.name in exported.counters, (
            f"{place}: {rate.func.name} of {selector.name}, which is no counter"
        )


def test_no_exported_label_clashes(exported):
    clashing = {name: sorted(labels & FORBIDDEN_LABELS) for name, labels in exported.labels.items()}
    assert not {name: labels for name, labels in clashing.items() if labels}


def test_promtool_accepts_the_rules(require_tool):
    run(require_tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(RULES))


def test_promtool_accepts_the_example_configuration(require_tool):
    run(require_tool("promtool"), "check", "config", "prometheus/prometheus.example.yml")


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_tells_what_to_do(alert):
    assert re.fullmatch(r"([A-Z][a-z0-9]+)+", alert["alert"])
    assert re.search(r"[<>=]=?", alert["expr"]), "expected a comparison"
    assert alert["for"]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert "$value" not in str(alert["labels"])
    assert {"summary", "description", "runbook_url", "dashboard_url"} <= alert["annotations"].keys()
    assert not re.search(r"humanize\s*\}\}", str(alert["annotations"])), "0.3 would read 300m"


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_has_a_section_in_the_runbook(alert):
    file, anchor = alert["annotations"]["runbook_url"].split("#")
    titles = re.findall(r"^## (\w+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor == alert["alert"].lower()
    assert alert["alert"] in titles


def test_every_alert_is_tested_firing_and_three_times_quiet():
    cases = [
        case
        for file in ("driftgauge.rules.test.yml", "driftgauge.chain.test.yml")
        for test in yaml.safe_load((ROOT / "prometheus" / file).read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
    ]
    for alert in (rule["alert"] for rule in alerts()):
        fires = [bool(case.get("exp_alerts")) for case in cases if case["alertname"] == alert]
        # For the alert on absence the case without data is the one that fires.
        assert fires.count(True) >= 1, alert
        assert fires.count(False) >= (2 if alert == "DriftgaugeAbsent" else 3), alert


def test_hadolint_accepts_the_dockerfile(require_tool):
    run(require_tool("hadolint"), "Dockerfile")


def test_no_alert_rests_on_a_detector_alone() -> None:
    """Errors that remember each other make every detector fire without a change."""
    for rule in rules():
        names = {name for name in metrics_of(rule["expr"]) if name.startswith("driftgauge_")}
        assert not names or any(not name.startswith("driftgauge_detector_") for name in names), rule
