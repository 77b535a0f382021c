"""How a model is served: how often, how fast, how well; by the server's own word."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards.board import Kind, Panel, Query, Row, above
from driftgauge.artefacts.dashboards.queries import Scope
from driftgauge.artefacts.dashboards.wording import meaning

# How many times faster than promised the budget of a month may burn over 3d, 6h and 1h.
_FACTORS: Final = (1.0, 6.0, 14.4)
ERRORS: Final = tuple(round(factor * (1 - thresholds.ERROR_OBJECTIVE), 6) for factor in _FACTORS)
SLOW: Final = tuple(round(factor * (1 - thresholds.LATENCY_OBJECTIVE), 6) for factor in _FACTORS)


def errors_ratio(scope: Scope) -> str:
    """Share of the predictions that carried an error; 0 of a version without errors."""
    errors, all_of_them = scope.rate("prediction_errors_total"), scope.rate("predictions_total")
    return f"{errors} / ({all_of_them} > 0)"


def _burnt(scope: Scope, what: str, legend: str) -> tuple[Query, ...]:
    """The share that went wrong over the longer window of each alert on the budget."""
    record = f"version:driftgauge_prediction_{what}:burn_ratio"
    return tuple(
        Query(scope.recorded(record, window=window), f"{legend} {window}") for window in ("1h", "6h", "3d")
    )


def orphans_ratio(scope: Scope) -> str:
    """Share of the outcomes that found no prediction, by model."""
    joined = scope.rate("outcomes_joined_total", "model")
    # A model without any has no such counter.
    orphans = f"({scope.rate('outcomes_orphaned_total')} or {joined} * 0)"
    return f"{orphans} / ({orphans} + {joined} > 0)"


def row(scope: Scope, legend: str) -> Row:
    """Throughput, latency and errors."""
    latency = tuple(
        Query(scope.quantile("prediction_latency_seconds", share), f"{legend} p{share * 100:.0f}")
        for share in (0.5, 0.95, 0.99)
    )
    promised = f"{thresholds.LATENCY_OBJECTIVE_SECONDS:g} s"
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
                above(thresholds.LATENCY_OBJECTIVE_SECONDS),
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Prediction errors",
                meaning("prediction_errors_total", "As a share of the predictions."),
                (Query(errors_ratio(scope), legend),),
                "percentunit",
                above(ERRORS[0]),
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Errors against the budget",
                "Share of the predictions that carried an error over 1h, 6h and 3d, as the alerts see it: "
                "the limits are those of 3d, 6h and 1h.",
                _burnt(scope, "errors", legend),
                "percentunit",
                above(*ERRORS),
                least=0,
                width=12,
            ),
            Panel(
                Kind.TREND,
                f"Slower than {promised} against the budget",
                f"Share of the predictions that took longer than {promised} over 1h, 6h and 3d, as alerts "
                "see it: the limits are those of 3d, 6h and 1h.",
                _burnt(scope, "latency", legend),
                "percentunit",
                above(*SLOW),
                least=0,
                width=12,
            ),
        ),
    )
