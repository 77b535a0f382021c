"""Rules as files, Prometheus's own and the operator's: the same values give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftgauge.artefacts.rules.values import Alert, Group, Recording, Rule, RuleFile
from driftgauge.artefacts.yaml_text import comment, dumped


def prometheus_text(file: RuleFile) -> str:
    """*file* as Prometheus loads it."""
    return comment(file.head) + "groups:\n" + "\n".join(_group(group, indent=2) for group in file.groups)


def operator_text(
    file: RuleFile, *, name: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
) -> str:
    """*file* as a PrometheusRule of the Prometheus operator.

    Args:
        name: of the resource.
        namespace: None leaves it to whoever applies the file.
        labels: by which a Prometheus selects its rules, such as ``{"release": "prometheus"}``.
    """
    metadata = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
    head = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {key: value for key, value in metadata.items() if value},
    }
    groups = "\n".join(_group(group, indent=4) for group in file.groups)
    return f"{comment(file.head)}{dumped(head)}spec:\n  groups:\n{groups}"


def rule_tree(rule: Rule) -> dict[str, Any]:
    """*rule* as the mapping that Prometheus reads."""
    return _recording(rule) if isinstance(rule, Recording) else _alert(rule)


def _group(group: Group, *, indent: int) -> str:
    head: dict[str, Any] = {"name": group.name}
    if group.interval is not None:
        head["interval"] = str(group.interval)
    rules = "".join(
        comment(rule.comment, indent=indent + 4) + dumped([rule_tree(rule)], indent=indent + 4)
        for rule in group.rules
    )
    top = comment(group.comment, indent=indent) + dumped([head], indent=indent)
    return f"{top}{' ' * indent}  rules:\n{rules}"


def _recording(rule: Recording) -> dict[str, Any]:
    tree: dict[str, Any] = {"record": rule.record, "expr": rule.expr}
    if rule.labels:
        tree["labels"] = dict(rule.labels)
    return tree


def _alert(rule: Alert) -> dict[str, Any]:
    tree: dict[str, Any] = {"alert": rule.name, "expr": rule.expr, "for": str(rule.hold)}
    if rule.keep_firing is not None:
        tree["keep_firing_for"] = str(rule.keep_firing)
    return {**tree, "labels": dict(rule.all_labels), "annotations": dict(rule.annotations)}
