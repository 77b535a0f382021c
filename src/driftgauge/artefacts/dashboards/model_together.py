"""A model's numbers over all replicas' records together, as the chained rules make them."""

from __future__ import annotations

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards.board import Row, above, below
from driftgauge.artefacts.dashboards.panels import OF_OUTPUT, OF_VERSION, together
from driftgauge.artefacts.dashboards.queries import Scope


def row(scope: Scope) -> Row:
    """What additive counters can say: drift, quality, coverage."""
    psi = above(thresholds.PSI_MOVED, thresholds.PSI_MOVED_FAR)
    of_class = f"{OF_VERSION} {{{{class}}}}"
    return Row(
        "Of all replicas together",
        (
            together(
                scope,
                "PSI of all replicas' answers",
                "output:driftgauge_prediction_psi:fleet",
                legend=OF_OUTPUT,
                steps=psi,
                least=0,
            ),
            together(
                scope,
                "Accuracy of all replicas",
                "version:driftgauge_accuracy:fleet_ratio",
                unit="percentunit",
            ),
            together(
                scope,
                "Precision, recall and F1 of all replicas",
                "class:driftgauge_precision:fleet_ratio",
                "class:driftgauge_recall:fleet_ratio",
                "class:driftgauge_f1:fleet_ratio",
                legend=of_class,
                unit="percentunit",
            ),
            together(
                scope,
                "ROC AUC of all replicas",
                "class:driftgauge_roc_auc:fleet_ratio",
                legend=of_class,
                unit="percentunit",
                steps=below(thresholds.ROC_AUC_NEAR_CHANCE),
            ),
            together(
                scope,
                "Errors of all replicas",
                "version:driftgauge_mae:fleet",
                "version:driftgauge_rmse:fleet",
                "version:driftgauge_bias:fleet",
            ),
            together(
                scope,
                "R2 of all replicas",
                "version:driftgauge_r2:fleet",
                steps=below(thresholds.R2_OF_THE_MEAN),
            ),
            together(
                scope,
                "Predictions that break the schema",
                "version:driftgauge_schema_violations:fleet_ratio",
                legend=f"{OF_VERSION} {{{{violation}}}}",
                unit="percentunit",
                steps=above(thresholds.MOST_VIOLATIONS),
                least=0,
            ),
            together(
                scope,
                "Records of all replicas",
                "version:driftgauge_predictions:fleet",
                "version:driftgauge_outcomes_joined:fleet",
                least=0,
                width=8,
            ),
            together(
                scope,
                "Outcomes for each prediction",
                "version:driftgauge_outcome_coverage:fleet_ratio",
                unit="percentunit",
                least=0,
                width=8,
            ),
        ),
    )
