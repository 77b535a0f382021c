"""How a model is served: how often, how fast, how well; by the server's own word."""

from __future__ import annotations

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards.board import Kind, Panel, Query, Row, above
from driftgauge.artefacts.dashboards.queries import Scope
from driftgauge.artefacts.dashboards.wording import meaning


def errors_ratio(scope: Scope) -> str:
    """Share of the predictions that carried an error; 0 of a version without errors."""
    errors, all_of_them = scope.rate("prediction_errors_total"), scope.rate("predictions_total")
    return f"{errors} / ({all_of_them} > 0)"


def orphans_ratio(scope: Scope) -> str:
    """Share of the outcomes that found no prediction, by model."""
    orphans = scope.rate("outcomes_orphaned_total")
    joined = scope.rate("outcomes_joined_total", "model")
    return f"{orphans} / ({orphans} + {joined} > 0)"


def row(scope: Scope, legend: str) -> Row:
    """Throughput, latency and errors."""
    latency = tuple(
        Query(scope.quantile("prediction_latency_seconds", share), f"{legend} p{share * 100:.0f}")
        for share in (0.5, 0.95, 0.99)
    )
    return Row(
        "How is it served?",
        (
            Panel(
                Kind.TREND,
                "Predictions",
                meaning("predictions_total"),
                (Query(scope.rate("predictions_total"), legend),),
                "reqps",
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Latency",
                meaning(
                    "prediction_latency_seconds",
                    "Median, 95th and 99th percentile over all pods, between buckets.",
                ),
                latency,
                "s",
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Prediction errors",
                meaning("prediction_errors_total", "As a share of the predictions."),
                (Query(errors_ratio(scope), legend),),
                "percentunit",
                above(thresholds.MOST_PREDICTION_ERRORS),
                least=0,
            ),
        ),
    )
