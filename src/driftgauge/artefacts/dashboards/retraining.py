"""What `driftgauge trigger` decided and did for a model."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts.dashboards.board import Annotation, Kind, Panel, Query, Row
from driftgauge.artefacts.dashboards.queries import RATE, SHOWN, metric
from driftgauge.artefacts.dashboards.wording import meaning
from driftgauge.metrics import PREFIX

# The trigger is a service of its own: it is scraped by another job, in a namespace of its own.
_OF_MODEL: Final = '{model=~"$model"}'
_NEEDS: Final = "Needs `driftgauge trigger`, scraped by the same Prometheus."


def row() -> Row:
    """Decisions, refusals, runs and what they were worth."""
    return Row("Retraining", tuple(_panels()), folded=True)


def runs() -> Annotation:
    """The starts of retraining runs."""
    started = f"max by (model) ({PREFIX}trigger_last_run_timestamp_seconds{_OF_MODEL})"
    return Annotation(
        "Retrainings",
        f"{started} * 1000",
        "{{model}}",
        "A retraining run was started.",
        "green",
        at_value=True,
    )


def _panels() -> tuple[Panel, ...]:
    return (
        Panel(
            Kind.TREND,
            "Decisions by state",
            meaning("trigger_decisions_total", _NEEDS),
            (Query(_shown("trigger_decisions_total", "model, state", _OF_MODEL), "{{model}} {{state}}"),),
            least=0,
        ),
        Panel(
            Kind.TREND,
            "Refusals by guard",
            meaning("trigger_refusals_total", "Of all models.", _NEEDS),
            (Query(f"sum by (guard) (rate({PREFIX}trigger_refusals_total{RATE}))", "{{guard}}"),),
            "cps",
            least=0,
        ),
        Panel(
            Kind.TREND,
            "Runs by what came of them",
            meaning("trigger_runs_judged_total", _NEEDS),
            (
                Query(
                    _shown("trigger_runs_judged_total", "model, verdict", _OF_MODEL), "{{model}} {{verdict}}"
                ),
            ),
            least=0,
        ),
        Panel(
            Kind.NUMBER,
            "Last run",
            meaning("trigger_last_run_timestamp_seconds", "How long ago.", _NEEDS),
            (
                Query(
                    f"time() - max by (model) ({PREFIX}trigger_last_run_timestamp_seconds{_OF_MODEL})",
                    "{{model}}",
                ),
            ),
            "s",
            width=12,
        ),
        Panel(
            Kind.TREND,
            "Open decisions",
            meaning("trigger_open_decisions", "Of all models.", _NEEDS),
            (Query(f"sum by (state) ({PREFIX}trigger_open_decisions)", "{{state}}"),),
            least=0,
            width=12,
        ),
    )


def _shown(name: str, over: str, selected: str) -> str:
    """How often within the time shown."""
    return f"sum by ({over}) (increase({metric(name).name}{selected}{SHOWN}))"
