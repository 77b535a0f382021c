"""The one table of every exported metric: name, type, help, labels, family and where its value is.

Exposition, documentation, rules and dashboards are made from it or checked against it. A *snapshot*
metric is read from a field of a row of the Snapshot; a *live* one is held by prometheus-client and
counts since the process started. One module a theme; their order is the order of exposition.
"""

from __future__ import annotations

from driftgauge.metrics import (
    against,
    comparisons,
    concept,
    detectors,
    drift,
    estimates,
    fleet,
    injector,
    intervals,
    live,
    performance,
    quality,
    schema,
    segments,
    trigger,
    value,
    verdicts,
    versions,
    windows,
)
from driftgauge.metrics.table import PREFIX, VERSION, Advice, Metric, Part

_THEMES = (
    drift,
    verdicts,
    against,
    windows,
    quality,
    versions,
    fleet,
    value,
    comparisons,
    schema,
    segments,
    intervals,
    performance,
    detectors,
    estimates,
    concept,
)
SNAPSHOT_METRICS: tuple[Metric, ...] = tuple(metric for theme in _THEMES for metric in theme.METRICS)
ADVICE: tuple[Advice, ...] = tuple(
    advice for theme in (*_THEMES, live, trigger, injector) for advice in theme.ADVICE
)
LIVE_METRICS: tuple[Metric, ...] = live.METRICS
TRIGGER_METRICS: tuple[Metric, ...] = trigger.METRICS
INJECTOR_METRICS: tuple[Metric, ...] = injector.METRICS
METRICS: tuple[Metric, ...] = (*SNAPSHOT_METRICS, *LIVE_METRICS, *TRIGGER_METRICS, *INJECTOR_METRICS)
BY_NAME = {metric.name: metric for metric in METRICS}

__all__ = [
    "ADVICE",
    "BY_NAME",
    "INJECTOR_METRICS",
    "LIVE_METRICS",
    "METRICS",
    "PREFIX",
    "SNAPSHOT_METRICS",
    "TRIGGER_METRICS",
    "VERSION",
    "Advice",
    "Metric",
    "Part",
]
