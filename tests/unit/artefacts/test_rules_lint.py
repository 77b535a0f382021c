"""What pint would find in the shipped rules, and what Prometheus 2.42 or 3 would take otherwise."""

from __future__ import annotations

import re
from datetime import timedelta

import promql_parser as promql
import pytest
import yaml
from tests.promql import selectors, walk

from driftgauge.artefacts.rules import POD_LABELS, Alert, TimeScale, operator_text, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_alerts, shipped_rules

FILE = shipped_rules()
HURRIED = shipped_rules(TimeScale(30_000, scrape_seconds=1))
RULES = list(FILE.rules())
SCRAPE = timedelta(minutes=1)
# All of them older than 2.42, and none experimental.
FUNCTIONS = {
    *("absent", "abs", "changes", "clamp_max", "clamp_min", "increase", "label_replace"),
    *(
        "last_over_time",
        "ln",
        "max_over_time",
        "min_over_time",
        "predict_linear",
        "resets",
        "sqrt",
        "sum_over_time",
        "time",
    ),
}


def name(rule):
    return rule.name if isinstance(rule, Alert) else rule.record


def matrices(query):
    return [node for node in walk(promql.parse(query)) if isinstance(node, promql.MatrixSelector)]


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_only_functions_that_every_prometheus_has(rule):
    called = {node.func.name for node in walk(promql.parse(rule.expr)) if isinstance(node, promql.Call)}
    assert called <= FUNCTIONS
    assert "@" not in rule.expr
    assert not re.search(r"\b(topk|bottomk|quantile|limitk)\b", rule.expr)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_range_holds_two_scrapes(rule):
    assert all(each.range >= 2 * SCRAPE for each in matrices(rule.expr))


def raw(node, dropped=frozenset()):
    """Selectors of exported metrics with the labels that aggregations around them drop."""
    if isinstance(node, promql.VectorSelector) and ":" not in (node.name or ""):
        yield node.name, dropped
    inside = dropped
    if isinstance(node, promql.AggregateExpr):
        assert "without" in str(node.modifier.type).lower(), node.prettify()
        inside = dropped | set(node.modifier.labels)
    if isinstance(node, promql.Call) and node.func.name == "absent":
        inside = dropped | set(POD_LABELS)
    for part in ("lhs", "rhs", "expr", "vector_selector"):
        child = getattr(node, part, None)
        if child is not None:
            yield from raw(child, inside)
    for child in getattr(node, "args", ()):
        yield from raw(child, inside)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_no_series_of_a_pod_is_left(rule):
    for metric, dropped in raw(promql.parse(rule.expr)):
        assert set(POD_LABELS) <= dropped, f"{metric} keeps {sorted(set(POD_LABELS) - dropped)}"


def test_the_check_on_pods_finds_one():
    """Or the one above could not fail."""
    found = dict(raw(promql.parse("sum without (pod) (driftgauge_features) > driftgauge_series")))
    assert found == {"driftgauge_features": {"pod"}, "driftgauge_series": set()}


def test_le_is_written_alike_by_every_prometheus():
    """3 writes `1.0` where 2 wrote `1`."""
    for rule in RULES:
        for each in selectors(rule.expr):
            for matcher in each.matchers.matchers:
                assert matcher.name != "le" or re.fullmatch(r"\d+\.\d*[1-9]", matcher.value), rule.expr


@pytest.mark.parametrize("text", [prometheus_text(FILE), prometheus_text(HURRIED)], ids=["real", "hurried"])
def test_groups_have_only_what_prometheus_2_42_knows(text):
    for group in yaml.safe_load(text)["groups"]:
        assert group.keys() <= {"name", "interval", "rules"}
        for rule in group["rules"]:
            assert rule.keys() <= {
                *("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"),
            }


def test_the_operator_gets_the_same():
    resource = yaml.safe_load(operator_text(FILE, name="driftgauge"))
    assert resource["spec"]["groups"] == yaml.safe_load(prometheus_text(FILE))["groups"]


def test_a_time_scale_leaves_no_duration_of_production():
    """At 30,000 even a week is 20 s: a minute anywhere was written without the scale."""
    for rule in HURRIED.rules():
        for each in matrices(rule.expr):
            assert each.range <= timedelta(seconds=30), (name(rule), each.range)
        for found in re.findall(r"offset (\S+)", rule.expr):
            assert not re.search(r"\d[mhd]", found.replace("ms", "")), (name(rule), found)
        for found in re.findall(r"time\(\) - (?:\w+ <= )?(\d+(?:\.\d+)?)", rule.expr):
            assert float(found) <= 30, (name(rule), found)
        if isinstance(rule, Alert):
            assert rule.hold.milliseconds <= 1000


def test_compiling_twice_gives_the_same():
    assert prometheus_text(shipped_rules(TimeScale(1440, 1))) == prometheus_text(
        shipped_rules(TimeScale(1440, 1))
    )


def test_names_are_unique_but_for_severities_and_windows():
    alerts = [(alert.name, alert.severity) for alert in FILE.alerts()]
    assert len(set(alerts)) == len(alerts)
    recorded = [(rule.record, tuple(rule.labels.items())) for rule in FILE.recordings()]
    assert len(set(recorded)) == len(recorded)


@pytest.mark.parametrize("shipped", shipped_alerts(), ids=lambda each: each.name)
def test_a_runbook_says_what_to_do(shipped):
    book = shipped.runbook
    assert len(book.checks) == 3
    assert book.meaning.endswith(".")
    assert all(each.endswith((".", "?")) for each in (*book.checks, *book.causes, *book.actions)), book


def test_no_estimate_and_no_sidecar_is_critical():
    critical = {alert.name for alert in FILE.alerts() if alert.severity == "critical"}
    assert critical
    assert not {each for each in critical if each.startswith(("Driftgauge", "Estimate"))}
