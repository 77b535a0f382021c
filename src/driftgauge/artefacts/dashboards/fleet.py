"""Every model on a line: is it well?"""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import chosen, traffic
from driftgauge.artefacts.dashboards.board import Dashboard, Kind, Panel, Query, Row, State, above, below
from driftgauge.artefacts.dashboards.panels import (
    MANY_DRIFTED,
    OF_VERSION,
    TO_MODEL,
    drifted_share,
    pooled,
)
from driftgauge.artefacts.dashboards.wording import WEIGHTED, meaning

VARIABLES: Final = (chosen.JOB, chosen.NAMESPACE, chosen.MODEL, chosen.WINDOW)
_S: Final = chosen.scope(*VARIABLES)
_LINE: Final = "job, namespace, model, model_version"
_MODEL: Final = "job, namespace, model"
_WHOLE: Final = {"cohort": "matured", "segment": ""}
_WELL: Final = (State(0, "well", "green"), State(1, "look", "orange"), State(2, "act", "red"))
_FIRING: Final = _S.series("ALERTS", ("model",), alertstate="firing")


def dashboard() -> Dashboard:
    """`driftgauge-fleet`."""
    return Dashboard(
        uid="driftgauge-fleet",
        title="driftgauge / Fleet",
        description="Every model on a line: is it well, does it move, how good is it, how is it served.",
        since="now-7d",
        variables=VARIABLES,
        annotations=(chosen.firing(_S), chosen.new_versions(_S)),
        rows=(_models(), _movement(), traffic.row(_S, OF_VERSION)),
    )


def _alerts(severity: str) -> str:
    """How many alerts of a severity fire on each version's model; 0 where none does."""
    firing = _S.series("ALERTS", ("model",), alertstate="firing", severity=severity)
    every = _S.of("features")
    counted = f"count by ({_MODEL}) ({firing}) or 0 * group by ({_MODEL}) ({every})"
    return f"({counted}) * on ({_MODEL}) group_right () group by ({_LINE}) ({every})"


def _well() -> str:
    """0 without an alert, 1 with warnings, 2 with a critical one."""
    critical, warning = _alerts("critical"), _alerts("warning")
    return f"clamp_max(({critical} > bool 0) * 2 + ({warning} > bool 0), 2)"


def _models() -> Row:
    quality = ("accuracy_ratio", "roc_auc_ratio", "r2")
    accuracy, auc, r2 = (
        _S.pooled(name, **_WHOLE, **({"class": ""} if name == "roc_auc_ratio" else {})) for name in quality
    )
    table = Panel(
        Kind.TABLE,
        "Models",
        "One line for each version of a model; a click opens it. Whether it is well is said by the alerts "
        "that fire on the model: `act` for a critical one, `look` for a warning. Quality is that of the "
        f"newest window whose outcomes are complete. {WEIGHTED}",
        (
            Query(_well(), "Is it well?", states=_WELL),
            Query(_S.drifted_share(), "Features drifted", "percentunit", MANY_DRIFTED),
            Query(_S.worst("max", "relation_changed_features"), "Relations changed", steps=above(1)),
            Query(accuracy, "Accuracy", "percentunit"),
            Query(auc, "ROC AUC", "percentunit", below(thresholds.ROC_AUC_NEAR_CHANCE)),
            Query(r2, "R2", steps=below(thresholds.R2_OF_THE_MEAN)),
            Query(
                _S.pooled("outcome_coverage_ratio", cohort="matured"),
                "Outcomes known",
                "percentunit",
                below(thresholds.LEAST_OUTCOME_COVERAGE),
            ),
            Query(_S.total("value", **_WHOLE), "Value"),
            Query(_S.rate("predictions_total"), "Predictions", "reqps"),
            Query(traffic.errors_ratio(_S), "Errors", "percentunit", above(traffic.ERRORS[0])),
            Query(_S.quantile("prediction_latency_seconds", 0.95), "Latency p95", "s"),
            Query(
                f"time() - {_S.worst('max', 'last_prediction_timestamp_seconds')}",
                "Last prediction",
                "s",
                above(thresholds.SILENT_PREDICTIONS_SECONDS),
            ),
            Query(
                _S.age("last_evaluation_timestamp_seconds"),
                "Evaluated",
                "s",
                above(thresholds.STALE_EVALUATION_SECONDS),
            ),
            Query(f"count by ({_LINE}) ({_S.of('features')})", "Pods"),
        ),
        labels=(("model", "Model"), ("model_version", "Version"), ("namespace", "Namespace"), ("job", "Job")),
        sorted_by="Is it well?",
        width=24,
        height=12,
        links=(TO_MODEL,),
    )
    return Row("Is it well?", (table,))


def _movement() -> Row:
    return Row(
        "What moves?",
        (
            drifted_share(_S, links=(TO_MODEL,)),
            Panel(
                Kind.TREND,
                "Alerts firing by model",
                "How many alerts fire on each model; 0 where none does.",
                (
                    Query(
                        f"count by ({_MODEL}) ({_FIRING}) or 0 * group by ({_MODEL}) ({_S.of('features')})",
                        "{{model}}",
                    ),
                ),
                steps=above(1),
                least=0,
                width=12,
            ),
            pooled(
                _S,
                "PSI of score and prediction by model",
                "prediction_psi",
                legend=f"{OF_VERSION} {{{{output}}}}",
                steps=above(thresholds.PSI_MOVED, thresholds.PSI_MOVED_FAR),
                least=0,
                width=12,
                links=(TO_MODEL,),
            ),
            Panel(
                Kind.TREND,
                "Outcomes that are known",
                meaning("outcome_coverage_ratio", WEIGHTED),
                (Query(_S.pooled("outcome_coverage_ratio", cohort="matured"), OF_VERSION),),
                "percentunit",
                below(thresholds.LEAST_OUTCOME_COVERAGE),
                least=0,
                most=1,
                width=12,
                links=(TO_MODEL,),
            ),
        ),
    )
