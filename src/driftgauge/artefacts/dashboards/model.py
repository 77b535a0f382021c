"""One model: what moves first, then what became of it, then what it costs and how it is served."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import (
    chosen,
    model_families,
    model_outcomes,
    model_together,
    retraining,
    traffic,
)
from driftgauge.artefacts.dashboards.board import Dashboard, Kind, Panel, Query, Row, State, above, below
from driftgauge.artefacts.dashboards.panels import (
    DRIFTED,
    MANY_DRIFTED,
    OF_FEATURE,
    OF_OUTPUT,
    OF_VERSION,
    TO_FEATURE,
    drifted_share,
    pooled,
    verdicts,
    within_errors,
)
from driftgauge.artefacts.dashboards.wording import HALF_OF_PODS, WEIGHTED, meaning

VARIABLES: Final = (
    chosen.JOB,
    chosen.NAMESPACE,
    chosen.MODEL,
    chosen.VERSION,
    chosen.FEATURE,
    chosen.WINDOW,
    chosen.COHORT,
)
_S: Final = chosen.scope(*VARIABLES)
PSI: Final = above(thresholds.PSI_MOVED, thresholds.PSI_MOVED_FAR)
_FIRING: Final = f"count({chosen.firing(_S).expression}) or vector(0)"


def dashboard() -> Dashboard:
    """`driftgauge-model`."""
    return Dashboard(
        uid="driftgauge-model",
        title="driftgauge / Model",
        description="One model: drift and estimates first, then quality, outcomes, value and traffic.",
        since="now-7d",
        variables=VARIABLES,
        annotations=(chosen.firing(_S), chosen.new_versions(_S), retraining.runs()),
        rows=(
            _health(),
            _inputs(),
            _outputs(),
            _estimates(),
            *model_outcomes.rows(_S),
            model_together.row(_S),
            traffic.row(_S, OF_VERSION),
            retraining.row(),
            *model_families.rows(_S),
        ),
    )


def _health() -> Row:
    numbers = (
        Panel(
            Kind.NUMBER,
            "Alerts firing",
            "Alerts on the model that fire now; 0 where none does.",
            (Query(_FIRING, "alerts"),),
            steps=above(1),
        ),
        Panel(
            Kind.NUMBER,
            "Features that have drifted",
            meaning("drifted_features_ratio", HALF_OF_PODS),
            (Query(_S.drifted_share(), OF_VERSION),),
            "percentunit",
            MANY_DRIFTED,
            least=0,
            most=1,
        ),
        Panel(
            Kind.NUMBER,
            "Window covered",
            meaning(
                "window_covered_ratio",
                "Of the pod that has least. Until it is whole it is shown, not judged.",
            ),
            (Query(_S.worst("min", "window_covered_ratio", cohort="predicted"), OF_VERSION),),
            "percentunit",
            below(thresholds.LEAST_WINDOW_COVERED),
            least=0,
            most=1,
        ),
        Panel(
            Kind.NUMBER,
            "Evaluation age",
            "Since the last evaluation, of the pod that is furthest behind. Older numbers are not judged.",
            (Query(_S.age("last_evaluation_timestamp_seconds"), OF_VERSION),),
            "s",
            above(thresholds.STALE_EVALUATION_SECONDS),
        ),
        Panel(
            Kind.NUMBER,
            "Last prediction",
            "Since the newest prediction that any pod accepted.",
            (Query(f"time() - {_S.worst('max', 'last_prediction_timestamp_seconds')}", OF_VERSION),),
            "s",
            above(thresholds.SILENT_PREDICTIONS_SECONDS),
        ),
        Panel(
            Kind.NUMBER,
            "Last outcome",
            "Since the newest outcome that any pod accepted; absent before the first.",
            (Query(f"time() - {_S.worst('max', 'last_outcome_timestamp_seconds')}", OF_VERSION),),
            "s",
            above(thresholds.SILENT_OUTCOMES_SECONDS),
        ),
    )
    return Row("Is it well?", tuple(_small(panel) for panel in numbers))


def _small(panel: Panel) -> Panel:
    return replace(panel, width=4, height=5)


def _inputs() -> Row:
    table = Panel(
        Kind.TABLE,
        "Features",
        "Every feature that is chosen, over the window that is chosen; a click on one shows it alone. "
        + WEIGHTED,
        (
            Query(_S.verdict("feature_drift_verdict"), "Verdict", states=DRIFTED),
            Query(_S.pooled("feature_psi"), "PSI", steps=PSI),
            Query(_S.pooled("feature_ks"), "KS"),
            Query(_S.pooled("feature_mean_shift_sd"), "Mean shift in sd"),
            Query(_S.pooled("feature_missing_ratio"), "Missing", "percentunit"),
            Query(_S.pooled("feature_unseen_ratio"), "Unseen", "percentunit"),
        ),
        labels=(("model", "Model"), ("model_version", "Version"), ("feature", "Feature")),
        sorted_by="PSI",
        width=24,
        height=10,
        links=(TO_FEATURE,),
    )
    why = Panel(
        Kind.STATES,
        "Are features judged?",
        meaning("verdict_state", "The state of most pods."),
        (Query(_S.holding("verdict_state"), "{{model}} {{model_version}} {{state}}"),),
        states=(State(1, "holds", "blue"),),
        width=12,
    )
    return Row(
        "Leading: do the inputs move?",
        (
            drifted_share(_S),
            why,
            verdicts(
                _S,
                "Features whose verdict is drift",
                "feature_drift_verdict",
                legend=OF_FEATURE,
                links=(TO_FEATURE,),
            ),
            Panel(
                Kind.TREND,
                "PSI of the features that moved most",
                meaning("feature_psi", "The twenty that are largest at the end of the time shown.", WEIGHTED),
                (Query(_S.largest("feature_psi", 20), OF_FEATURE),),
                steps=PSI,
                least=0,
                width=12,
                links=(TO_FEATURE,),
            ),
            table,
        ),
    )


def _outputs() -> Row:
    return Row(
        "Leading: do the model's answers move?",
        (
            pooled(_S, "PSI of score and prediction", "prediction_psi", legend=OF_OUTPUT, steps=PSI, least=0),
            pooled(_S, "Mean shift of score and prediction", "prediction_mean_shift_sd", legend=OF_OUTPUT),
            verdicts(
                _S, "Answers whose verdict is drift", "prediction_drift_verdict", legend=OF_OUTPUT, width=8
            ),
            Panel(
                Kind.BARS,
                "Answers now and in the reference",
                "Share of the records in each coarse bin over the time shown, beside the reference's. "
                "Records of all pods are counted together.",
                (Query(_S.shares("prediction", "output"), "share"),),
                "percentunit",
                least=0,
                width=24,
            ),
        ),
    )


def _estimates() -> Row:
    return Row(
        "Leading: quality estimated before the outcomes come",
        (
            within_errors(_S, "Estimated accuracy", "estimated_accuracy_ratio"),
            within_errors(_S, "Estimated F1", "estimated_f1_ratio"),
            within_errors(_S, "Estimated ROC AUC", "estimated_roc_auc_ratio"),
            within_errors(_S, "Estimated MAE", "estimated_mae"),
            within_errors(_S, "Estimated RMSE", "estimated_rmse"),
            pooled(
                _S,
                "Estimate less what came true",
                "estimated_accuracy_gap_ratio",
                "estimated_f1_gap_ratio",
                "estimated_roc_auc_gap_ratio",
                more=("Of the matured window.",),
            ),
            pooled(
                _S,
                "Can the estimate be trusted?",
                "estimate_unsupported_ratio",
                "estimate_calibration_error_ratio",
                least=0,
                width=12,
            ),
            Panel(
                Kind.STATES,
                "Is an estimate given?",
                meaning("estimate_given", HALF_OF_PODS),
                (Query(_S.verdict("estimate_given"), OF_VERSION),),
                states=(State(0, "no", "orange"), State(1, "given", "green")),
                width=12,
            ),
        ),
    )
