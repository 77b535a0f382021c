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


# `ALERTS` is Prometheus's own; an alert of ours has the labels of what it is about.
FIRING: Final = Annotation(
    "Alerts",
    f'ALERTS{{alertstate="firing", {_MODEL}}}',
    "{{alertname}}",
    "{{severity}}: {{model}} {{model_version}} {{feature}} {{window}}",
    "red",
)
_VERSIONS: Final = f"group by (job, namespace, model, model_version) (driftgauge_features{{{_VERSION}}}%s)"
NEW_VERSIONS: Final = Annotation(
    "New versions",
    f"{_VERSIONS % ''} unless {_VERSIONS % ' offset 10m'}",
    "{{model}} {{model_version}}",
    "First seen here.",
    "blue",
)
