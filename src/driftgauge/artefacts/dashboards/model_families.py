"""A model's panels that need more than the default metrics: folded, each says which family."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts.dashboards.board import Kind, Panel, Query, Row
from driftgauge.artefacts.dashboards.panels import OF_OUTPUT, OF_VERSION, pooled, within, within_errors
from driftgauge.artefacts.dashboards.queries import Scope
from driftgauge.artefacts.dashboards.wording import meaning
from driftgauge.config import Family

_WHOLE = {"segment": ""}
_POSITIVE = {"segment": "", "class": ""}


def rows(scope: Scope) -> tuple[Row, ...]:
    """One row a family."""
    return (
        _folded(Family.PERFORMANCE, _performance(scope)),
        _folded(Family.CALIBRATION, _calibration(scope)),
        _folded(Family.ESTIMATES, _estimates(scope)),
        _folded(Family.VERSIONS, _versions(scope)),
        _folded(Family.DISTANCES, _distances(scope)),
        _folded(Family.QUANTILES, _quantiles(scope)),
        _folded(Family.CRITICAL, _critical(scope)),
        _folded(Family.AGAINST, _against(scope)),
    )


def _folded(family: Family, panels: tuple[Panel, ...]) -> Row:
    return Row(f"Family {family}", panels, folded=True)


def _performance(scope: Scope) -> tuple[Panel, ...]:
    return (
        within(scope, "Balanced accuracy", "balanced_accuracy_ratio", where=_WHOLE),
        within(scope, "Matthews correlation", "mcc", where=_WHOLE),
        within(scope, "Average precision", "average_precision_ratio", where=_POSITIVE),
        within(scope, "Specificity", "specificity_ratio", where=_POSITIVE),
        within(scope, "Log loss", "log_loss", where=_WHOLE),
        within(scope, "Brier score", "brier_ratio", where=_WHOLE),
        pooled(scope, "MAPE", "mape_ratio", where=_WHOLE),
        pooled(scope, "Groups behind the intervals", "interval_groups", where=_WHOLE),
        pooled(scope, "Reweighted to all predictions", "reweighted_f1_ratio", "reweighted_supported_ratio"),
    )


def _calibration(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(scope, "Calibration slope", "calibration_slope"),
        pooled(scope, "Calibration intercept", "calibration_intercept"),
        pooled(scope, "Largest calibration error of a bin", "calibration_max_error_ratio", least=0),
        Panel(
            Kind.BARS,
            "Score and outcome by bin",
            meaning("calibration_bin_outcome_ratio", "Beside the mean score.", family=Family.CALIBRATION),
            (Query(_reliability(scope), "share"),),
            "percentunit",
            least=0,
            width=24,
            family=Family.CALIBRATION,
        ),
    )


def _reliability(scope: Scope) -> str:
    named = " or ".join(
        f'label_replace({scope.pooled(f"calibration_bin_{name}_ratio")}, "series", "{name}", "", "")'
        for name in ("score", "outcome")
    )
    return f'label_join({named}, "series", " ", "series", "model", "model_version")'


def _estimates(scope: Scope) -> tuple[Panel, ...]:
    return (
        within_errors(scope, "Estimated precision", "estimated_precision_ratio", width=12),
        within_errors(scope, "Estimated recall", "estimated_recall_ratio", width=12),
        Panel(
            Kind.TABLE,
            "Estimates by segment and class",
            meaning("estimated_part_accuracy_ratio", family=Family.ESTIMATES),
            (
                Query(scope.total("estimated_part_samples"), "Predictions"),
                Query(scope.pooled("estimated_part_accuracy_ratio"), "Accuracy", "percentunit"),
                Query(scope.pooled("estimated_part_precision_ratio"), "Precision", "percentunit"),
                Query(scope.pooled("estimated_part_recall_ratio"), "Recall", "percentunit"),
                Query(scope.pooled("estimated_part_mae"), "MAE"),
                Query(scope.pooled("estimated_part_rmse"), "RMSE"),
            ),
            labels=(
                ("model", "Model"),
                ("model_version", "Version"),
                ("segment", "Segment"),
                ("segment_value", "Value of the segment"),
                ("class", "Class"),
            ),
            sorted_by="Predictions",
            width=24,
            family=Family.ESTIMATES,
        ),
    )


_PAIRED: Final = (
    ("Difference of accuracy on the same cases", "accuracy"),
    ("Difference of ROC AUC on the same cases", "roc_auc"),
    ("Difference of the Brier score on the same cases", "brier"),
    ("Difference of log loss on the same cases", "log_loss"),
    ("Difference of MAE on the same cases", "mae"),
    ("Difference of the mean squared error on the same cases", "mse"),
)


def _versions(scope: Scope) -> tuple[Panel, ...]:
    against = f"{OF_VERSION} against {{{{against_version}}}}"
    return (
        within(scope, "Difference of ROC AUC", "version_roc_auc_difference", legend=against, width=12),
        *(
            within(scope, title, f"version_paired_{measure}_difference", legend=against, width=12)
            for title, measure in _PAIRED
        ),
        Panel(
            Kind.TREND,
            "Records behind the comparison",
            meaning("version_samples", "Of all pods.", family=Family.VERSIONS),
            tuple(
                Query(scope.total(name), f"{against} {name.removeprefix('version_').replace('_', ' ')}")
                for name in (
                    "version_samples",
                    "version_samples_against",
                    "version_outcomes",
                    "version_outcomes_against",
                    "version_paired_samples",
                )
            ),
            least=0,
            width=12,
            family=Family.VERSIONS,
        ),
    )


def _distances(scope: Scope) -> tuple[Panel, ...]:
    named = (
        ("Jensen-Shannon distance of the answers", "prediction_js_distance"),
        ("Wasserstein distance of the answers", "prediction_wasserstein_sd"),
        ("Hellinger distance of the answers", "prediction_hellinger"),
    )
    return tuple(pooled(scope, title, name, legend=OF_OUTPUT, least=0) for title, name in named)


def _quantiles(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(
            scope,
            "Shift of the answers' quantiles",
            "prediction_p05_shift_sd",
            "prediction_p50_shift_sd",
            "prediction_p95_shift_sd",
            legend=OF_OUTPUT,
            width=12,
        ),
        pooled(scope, "Spread of the answers", "prediction_spread_ratio", legend=OF_OUTPUT, width=12),
    )


def _critical(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(
            scope,
            "Significance of the answers' drift",
            "prediction_drift_adjusted_p_value",
            legend=OF_OUTPUT,
            least=0,
            most=1,
        ),
        pooled(scope, "Overdispersion of the answers", "prediction_overdispersion", legend=OF_OUTPUT),
        pooled(
            scope,
            "Smallest shift of the answers that shows",
            "prediction_smallest_shift_sd",
            legend=OF_OUTPUT,
            least=0,
        ),
    )


def _against(scope: Scope) -> tuple[Panel, ...]:
    legend = f"{OF_OUTPUT} against {{{{against}}}}"
    return (
        pooled(
            scope,
            "PSI of the answers against other times",
            "prediction_psi_against",
            legend=legend,
            least=0,
            width=12,
        ),
        pooled(
            scope,
            "Mean shift of the answers against other times",
            "prediction_mean_shift_sd_against",
            legend=legend,
            width=12,
        ),
    )
