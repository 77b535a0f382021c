"""Grafana's dashboards: values (`board`), what is asked (`queries`), how they are printed (`grafana`)."""

from driftgauge.artefacts.dashboards import feature, fleet, model, sidecar
from driftgauge.artefacts.dashboards.board import Dashboard
from driftgauge.artefacts.dashboards.grafana import text

DASHBOARDS: tuple[Dashboard, ...] = (
    fleet.dashboard(),
    model.dashboard(),
    feature.dashboard(),
    sidecar.dashboard(),
)

__all__ = ["DASHBOARDS", "Dashboard", "text"]
