"""What became of a model's predictions: quality, its outcomes, the relation, value, segments, versions."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import traffic
from driftgauge.artefacts.dashboards.board import (
    Kind,
    Panel,
    Query,
    Row,
    State,
    Steps,
    above,
    below,
    either_way,
)
from driftgauge.artefacts.dashboards.panels import OF_VERSION, pooled, within
from driftgauge.artefacts.dashboards.queries import Scope
from driftgauge.artefacts.dashboards.wording import WEIGHTED, meaning

OF_SEGMENT: Final = "{{model}} {{model_version}} {{segment}} {{segment_value}}"
_WHOLE: Final = {"segment": ""}
_POSITIVE: Final = {"segment": "", "class": ""}


_FELL: Final = below(-thresholds.QUALITY_FELL_FAR, -thresholds.QUALITY_FELL)
_BASE_RATE: Final = either_way(thresholds.BASE_RATE_MOVED)


def rows(scope: Scope) -> tuple[Row, ...]:
    """In the order of the question: how good, on what, why, at what cost, for whom, since which version."""
    return (
        _classified(scope),
        _regressed(scope),
        _outcomes(scope),
        _relation(scope),
        _value(scope),
        _segments(scope),
        _versions(scope),
    )


def _classified(scope: Scope) -> Row:
    near_chance = below(thresholds.ROC_AUC_NEAR_CHANCE)
    return Row(
        "Realised quality of a classification",
        (
            within(scope, "Accuracy", "accuracy_ratio", where=_WHOLE),
            within(scope, "Precision", "precision_ratio", where=_POSITIVE),
            within(scope, "Recall", "recall_ratio", where=_POSITIVE),
            within(scope, "F1", "f1_ratio", where=_POSITIVE),
            within(scope, "ROC AUC", "roc_auc_ratio", steps=near_chance, where=_POSITIVE),
            pooled(scope, "Calibration", "ece_ratio", "brier_ratio", least=0, where=_WHOLE),
        ),
    )


def _regressed(scope: Scope) -> Row:
    return Row(
        "Realised quality of a regression",
        (
            within(scope, "MAE", "mae", width=6, where=_WHOLE),
            within(scope, "RMSE", "rmse", width=6, where=_WHOLE),
            within(scope, "R2", "r2", width=6, steps=below(thresholds.R2_OF_THE_MEAN), where=_WHOLE),
            within(scope, "Bias", "bias", width=6, where=_WHOLE),
        ),
    )


def _outcomes(scope: Scope) -> Row:
    delays = ("label_delay_p50_seconds", "label_delay_p95_seconds", "matures_after_seconds")
    legends = ("median", "p95", "matures after")
    return Row(
        "On what does it stand? Outcomes, their delay and coverage",
        (
            pooled(
                scope,
                "Outcomes known",
                "outcome_coverage_ratio",
                steps=below(thresholds.LEAST_OUTCOME_COVERAGE),
                least=0,
                most=1,
                where={"cohort": "matured"},
            ),
            Panel(
                Kind.TREND,
                "Label delay",
                meaning("label_delay_p50_seconds", "Of the pod that waits longest."),
                tuple(
                    Query(scope.worst("max", name), f"{OF_VERSION} {legend}")
                    for name, legend in zip(delays, legends, strict=True)
                ),
                "s",
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Outcomes without a prediction",
                meaning("outcomes_orphaned_total", "As a share of the outcomes that came to an end."),
                (Query(traffic.orphans_ratio(scope), "{{model}}"),),
                "percentunit",
                above(thresholds.MOST_ORPHANS),
                least=0,
                most=1,
            ),
            Panel(
                Kind.TREND,
                "Outcomes joined",
                meaning("outcomes_joined_total", "Revised: those that replaced an earlier one of their id."),
                (
                    Query(scope.rate("outcomes_joined_total"), OF_VERSION),
                    Query(scope.rate("outcomes_implied_total"), f"{OF_VERSION} implied"),
                    Query(scope.rate("outcome_revisions_total"), "{{model}} revised"),
                ),
                "cps",
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Records in the window",
                meaning("window_samples", "Of all pods."),
                (
                    Query(scope.total("window_samples", cohort="predicted"), f"{OF_VERSION} predictions"),
                    Query(scope.total("quality_samples", **_WHOLE), f"{OF_VERSION} outcomes"),
                ),
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Waiting for their other half",
                meaning(
                    "pending_predictions", "And outcomes kept whose prediction isn't here yet. Of all pods."
                ),
                (
                    Query(scope.total("pending_predictions"), f"{OF_VERSION} predictions"),
                    Query(scope.total("outcomes_waiting"), "{{model}} outcomes"),
                ),
                least=0,
            ),
            pooled(
                scope,
                "Are the labelled like the rest?",
                "label_selection_psi",
                steps=above(thresholds.PSI_MOVED),
                least=0,
            ),
            pooled(
                scope,
                "Quality reweighted to all predictions",
                "reweighted_accuracy_ratio",
                "reweighted_precision_ratio",
                "reweighted_recall_ratio",
                width=16,
            ),
        ),
    )


def _relation(scope: Scope) -> Row:
    return Row(
        "Has the relation of inputs and outcome changed?",
        (
            Panel(
                Kind.TREND,
                "Features whose relation to the outcome has changed",
                meaning(
                    "relation_changed_features", "Of the pod that has most, beside how many it could judge."
                ),
                (
                    Query(scope.worst("max", "relation_changed_features"), f"{OF_VERSION} changed"),
                    Query(scope.worst("max", "relation_judged_features"), f"{OF_VERSION} judged"),
                ),
                least=0,
            ),
            within(
                scope,
                "Shift of the outcome rate",
                "outcome_rate_shift_logodds",
                legend=f"{OF_VERSION} {{{{class}}}}",
                steps=_BASE_RATE,
            ),
            within(scope, "Shift of the mean outcome", "outcome_mean_shift_sd"),
            within(scope, "Accuracy less the reference's", "accuracy_change_ratio", steps=_FELL),
            within(scope, "ROC AUC less the reference's", "roc_auc_change_ratio", steps=_FELL),
            within(scope, "MAE less the reference's", "mae_change"),
            Panel(
                Kind.STATES,
                "Detectors on the errors",
                meaning("detector_state", "Of the pod that is furthest."),
                (Query(scope.worst("max", "detector_state"), f"{OF_VERSION} {{{{detector}}}}"),),
                steps=Steps("green", ((1, "orange"), (2, "red"))),
                states=(State(0, "stable", "green"), State(1, "warning", "orange"), State(2, "drift", "red")),
                width=24,
                height=6,
            ),
        ),
    )


def _value(scope: Scope) -> Row:
    total = tuple(
        Query(scope.total(name, **_WHOLE), f"{OF_VERSION} {end}".strip())
        for name, end in (("value", ""), ("value_low", "low"), ("value_high", "high"))
    )
    return Row(
        "What is it worth?",
        (
            Panel(
                Kind.TREND,
                "Value of the decisions",
                meaning(
                    "value", "Of all pods; the interval is wider than it need be where there are several."
                ),
                total,
            ),
            pooled(scope, "Value per record", "value_mean", where=_WHOLE),
            Panel(
                Kind.TREND,
                "Value estimated before the outcomes come",
                meaning("estimated_value", "Of all pods, its interval as above."),
                tuple(
                    Query(scope.total(name, **_WHOLE), f"{OF_VERSION} {end}".strip())
                    for name, end in (
                        ("estimated_value", ""),
                        ("estimated_value_low", "low"),
                        ("estimated_value_high", "high"),
                    )
                ),
            ),
            Panel(
                Kind.TREND,
                "What the best threshold would bring in more",
                meaning(
                    "best_threshold_gain", "Dashed: its 95% interval. Of all pods, each at its own best."
                ),
                tuple(
                    Query(scope.total(name), f"{OF_VERSION} {end}".strip())
                    for name, end in (
                        ("best_threshold_gain", ""),
                        ("best_threshold_gain_low", "low"),
                        ("best_threshold_gain_high", "high"),
                    )
                ),
            ),
            pooled(
                scope,
                "Best threshold and the one in use",
                "best_threshold",
                "best_threshold_in_use",
                least=0,
                most=1,
            ),
            Panel(
                Kind.TABLE,
                "Currency",
                meaning("value_info"),
                (Query(scope.worst("max", "value_info"), "Configured"),),
                labels=(("model", "Model"), ("model_version", "Version"), ("currency", "Currency")),
            ),
        ),
    )


def _segments(scope: Scope) -> Row:
    table = Panel(
        Kind.TABLE,
        "Segments",
        "Quality, interval, outcomes and value of every segment; the line without one is the whole model. "
        + WEIGHTED,
        (
            Query(scope.total("quality_samples"), "Outcomes"),
            Query(scope.pooled("accuracy_ratio"), "Accuracy", "percentunit"),
            Query(scope.pooled("accuracy_low_ratio"), "Accuracy low", "percentunit"),
            Query(scope.pooled("accuracy_high_ratio"), "Accuracy high", "percentunit"),
            Query(scope.pooled("mae"), "MAE"),
            Query(scope.pooled("mae_low"), "MAE low"),
            Query(scope.pooled("mae_high"), "MAE high"),
            Query(scope.total("value"), "Value"),
            Query(scope.pooled("value_mean"), "Value per record"),
        ),
        labels=(
            ("model", "Model"),
            ("model_version", "Version"),
            ("segment", "Segment"),
            ("segment_value", "Value of the segment"),
        ),
        sorted_by="Outcomes",
        width=24,
        height=10,
    )
    gaps = ("worst_segment_accuracy_gap_ratio", "worst_segment_mae_gap", "worst_segment_value_gap")
    titles = (
        "Accuracy lost in the worst segment",
        "Error added by the worst segment",
        "Value lost in the worst segment",
    )
    return Row(
        "Does it fail for some?",
        (*(pooled(scope, title, name) for title, name in zip(titles, gaps, strict=True)), table),
    )


def _versions(scope: Scope) -> Row:
    against = f"{OF_VERSION} against {{{{against_version}}}}"
    return Row(
        "Is a new version better?",
        (
            pooled(
                scope,
                "Are the versions asked alike?",
                "version_feature_psi_max",
                "version_score_psi",
                "version_prediction_psi",
                legend=against,
                steps=above(thresholds.PSI_MOVED, thresholds.PSI_MOVED_FAR),
                least=0,
            ),
            within(scope, "Difference of accuracy", "version_accuracy_difference", legend=against),
            within(scope, "Difference of MAE", "version_mae_difference", legend=against),
        ),
    )
