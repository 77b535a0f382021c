"""What all dashboards have at the top: variables, and marks on the time axis."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts.dashboards.board import Annotation, Choice, Variable
from driftgauge.artefacts.dashboards.queries import Scope

_TARGET: Final = 'job=~"$job", namespace=~"$namespace"'
_MODEL: Final = f'{_TARGET}, model=~"$model"'
_VERSION: Final = f'{_MODEL}, model_version=~"$version"'

JOB: Final = Variable("job", "Job", "driftgauge_build_info", "job")
NAMESPACE: Final = Variable("namespace", "Namespace", 'driftgauge_build_info{job=~"$job"}', "namespace")
MODEL: Final = Variable("model", "Model", f"driftgauge_features{{{_TARGET}}}", "model")
VERSION: Final = Variable("version", "Version", f"driftgauge_features{{{_MODEL}}}", "model_version")
FEATURE: Final = Variable("feature", "Feature", f"driftgauge_feature_missing_ratio{{{_VERSION}}}", "feature")
INSTANCE: Final = Variable("instance", "Instance", f"driftgauge_build_info{{{_TARGET}}}", "instance")
# Panels of one window can be read; the longest is what alerts judge.
WINDOW: Final = Variable(
    "window",
    "Window",
    f'driftgauge_window_samples{{{_MODEL}, cohort="predicted"}}',
    "window",
    several=False,
    descending=True,
)
COHORT: Final = Choice("cohort", "Outcomes", ("matured", "arrived"))


def scope(*variables: Variable | Choice) -> Scope:
    """Selections by these variables."""
    return Scope(frozenset(variable.name for variable in variables))


def firing(where: Scope) -> Annotation:
    """Alerts; `ALERTS` is Prometheus's own, with the labels of what each is about."""
    return Annotation(
        "Alerts",
        where.series("ALERTS", ("model",), alertstate="firing"),
        "{{alertname}}",
        "{{severity}}: {{model}} {{model_version}} {{feature}} {{window}} {{component}}",
        "red",
    )


def new_versions(where: Scope) -> Annotation:
    """The moments from which a version of a model is seen."""
    by = "group by (job, namespace, model, model_version)"
    now, before = where.of("features"), where.of("features", at="offset 10m")
    return Annotation(
        "New versions",
        f"{by} ({now}) unless {by} ({before})",
        "{{model}} {{model_version}}",
        "First seen here.",
        "blue",
    )


def restarts(where: Scope) -> Annotation:
    """When each sidecar started."""
    return Annotation(
        "Starts",
        f"{where.of('process_start_time_seconds')} * 1000",
        "{{instance}}",
        "driftgauge started.",
        "purple",
        at_value=True,
    )
