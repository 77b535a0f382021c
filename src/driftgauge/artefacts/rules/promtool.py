"""Tests of rules as `promtool test rules` reads them: values and their printing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftgauge.artefacts.rules.durations import Duration
from driftgauge.artefacts.rules.values import Alert, RuleFile
from driftgauge.artefacts.yaml_text import comment, dumped


@dataclass(frozen=True, slots=True)
class Input:
    """A series that is fed in, one value an interval.

    Attributes:
        series: ``name{label="value"}``.
        values: promtool's notation: ``0+10x5``, ``1x9``, ``_x3`` for no sample, ``stale``.
    """

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that fires, with all its labels but ``alertname``, and its texts filled in."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AlertCase:
    """What fires under one name at one time; nothing where *firing* is empty.

    Attributes:
        comment: why, printed behind the time: ``just below``, ``resolved``.
    """

    at: Duration
    alert: str
    firing: tuple[Expected, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A result of a query: ``{label="value"}`` (or a whole series) and its value."""

    labels: str
    value: float


@dataclass(frozen=True, slots=True)
class QueryCase:
    """What a query answers at one time; promtool wants the very number, so round in the query."""

    at: Duration
    expr: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One test: series in, alerts and answers out."""

    name: str
    interval: Duration
    inputs: tuple[Input, ...]
    alerts: tuple[AlertCase, ...] = ()
    queries: tuple[QueryCase, ...] = ()


@dataclass(frozen=True, slots=True)
class TestFile:
    """A whole file of tests.

    Attributes:
        rule_files: relative to this file.
        group_order: group names in the order of evaluation; without it promtool takes any order, and an
            alert may see what was recorded an interval ago.
        head: lines of comment at its top, without the ``#``.
    """

    __test__ = False  # pytest takes the name for a class of tests

    rule_files: tuple[str, ...]
    evaluation_interval: Duration
    cases: tuple[Case, ...]
    group_order: tuple[str, ...] = ()
    head: str = ""


def expected(alert: Alert, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Expected:
    """*alert* firing for a series of these *labels*, with *annotations* as a person would read them."""
    return Expected({**labels, **alert.all_labels}, annotations)


def group_order(*files: RuleFile) -> tuple[str, ...]:
    """The groups of *files* in their order."""
    return tuple(group.name for file in files for group in file.groups)


def test_text(file: TestFile) -> str:
    """*file* as promtool reads it."""
    head: dict[str, Any] = {
        "rule_files": list(file.rule_files),
        "evaluation_interval": str(file.evaluation_interval),
    }
    if file.group_order:
        head["group_eval_order"] = list(file.group_order)
    cases = "".join(_case(case) for case in file.cases)
    return f"{comment(file.head)}{dumped(head)}tests:\n{cases}"


test_text.__test__ = False  # type: ignore[attr-defined]


def _case(case: Case) -> str:
    tree: dict[str, Any] = {"name": case.name, "interval": str(case.interval)}
    tree["input_series"] = [{"series": each.series, "values": each.values} for each in case.inputs]
    if case.queries:
        tree["promql_expr_test"] = [_query(each) for each in case.queries]
    text = dumped([tree], indent=2)
    if case.alerts:
        text += "    alert_rule_test:\n" + "".join(_alert(each) for each in case.alerts)
    return text


def _query(query: QueryCase) -> dict[str, Any]:
    samples = [{"labels": each.labels, "value": each.value} for each in query.samples]
    return {"expr": query.expr, "eval_time": str(query.at), "exp_samples": samples}


def _alert(case: AlertCase) -> str:
    tree: dict[str, Any] = {"eval_time": str(case.at), "alertname": case.alert}
    if case.firing:
        tree["exp_alerts"] = [_expected(each) for each in case.firing]
    return comment(case.comment, indent=6) + dumped([tree], indent=6)


def _expected(each: Expected) -> dict[str, Any]:
    return {"exp_labels": _filled(each.labels), "exp_annotations": dict(each.annotations)}


def _filled(labels: Mapping[str, str]) -> dict[str, str]:
    """Without those that are empty: to Prometheus such a label isn't there."""
    return {name: value for name, value in labels.items() if value}


def label_text(labels: Mapping[str, str]) -> str:
    """``{a="1", b="2"}``; values escaped."""
    return "{" + ", ".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def series(name: str, labels: Mapping[str, str], values: str) -> Input:
    """One fed series."""
    return Input(name + label_text(labels), values)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
