"""Prometheus rules: what they are made of, how they are printed and tested, and the shipped ones."""

from driftgauge.artefacts.rules.durations import ChainWindow, Duration, TimeScale
from driftgauge.artefacts.rules.printing import operator_text, prometheus_text, rule_tree
from driftgauge.artefacts.rules.values import (
    POD_LABELS,
    WITHOUT_PODS,
    Alert,
    Group,
    Recording,
    Rule,
    RuleFile,
    Severity,
)

__all__ = [
    "POD_LABELS",
    "WITHOUT_PODS",
    "Alert",
    "ChainWindow",
    "Duration",
    "Group",
    "Recording",
    "Rule",
    "RuleFile",
    "Severity",
    "TimeScale",
    "operator_text",
    "prometheus_text",
    "rule_tree",
]
