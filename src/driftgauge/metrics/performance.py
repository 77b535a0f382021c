"""More quality, calibration, and quality reweighted to all predictions."""

from __future__ import annotations

from driftgauge.metrics.table import (
    COHORT,
    IN_WINDOW,
    NOT_AVERAGED,
    OF_CLASS,
    OF_SEGMENT,
    Advice,
    Metric,
    gauges,
)
from driftgauge.snapshot import (
    Calibration,
    CalibrationBin,
    ClassPerformance,
    Performance,
    Reweighted,
)

_OF_COHORT = (*IN_WINDOW, "cohort")

METRICS: tuple[Metric, ...] = (
    *gauges(
        Performance,
        OF_SEGMENT,
        (
            "balanced_accuracy_ratio",
            "balanced_accuracy",
            "Mean of the classes' recalls, 0 to 1; absent where a binary model's class has no outcome."
            + COHORT
            + NOT_AVERAGED,
        ),
        (
            "mcc",
            "mcc",
            "Matthews correlation of outcome and prediction, -1 to 1; absent where either is all of one class."
            + NOT_AVERAGED,
        ),
        (
            "mape_ratio",
            "mape",
            "Mean of |error / outcome|, of records whose outcome isn't 0." + NOT_AVERAGED,
        ),
        ("mape_samples", "mape_samples", "Records whose outcome isn't 0: those that mape_ratio stands on."),
        (
            "precision_weighted_ratio",
            "precision_weighted",
            "Mean of the classes' precisions weighted by their outcomes, 0 to 1 (multiclass)." + NOT_AVERAGED,
        ),
        (
            "f1_weighted_ratio",
            "f1_weighted",
            "Mean of the classes' F1 weighted by their outcomes, 0 to 1 (multiclass)." + NOT_AVERAGED,
        ),
        (
            "roc_auc_weighted_ratio",
            "roc_auc_weighted",
            "Mean of the classes' areas under the ROC curve weighted by their outcomes, 0 to 1 (multiclass)."
            + NOT_AVERAGED,
        ),
        family="performance",
    ),
    *gauges(
        ClassPerformance,
        OF_CLASS,
        (
            "specificity_ratio",
            "specificity",
            'Share of the outcomes of other classes that were not predicted to be this one, 0 to 1; class="" '
            "is the positive class (binary) or the macro mean." + NOT_AVERAGED,
        ),
        (
            "average_precision_ratio",
            "average_precision",
            "Average precision from fixed score bins, step-wise, scores of one bin tied, 0 to 1; the exact one "
            "lies within driftgauge_average_precision_half_width_ratio." + NOT_AVERAGED,
        ),
        (
            "average_precision_half_width_ratio",
            "average_precision_half_width",
            "How far the exact average precision can lie from that of the bins.",
        ),
        family="performance",
    ),
    *gauges(
        Calibration,
        _OF_COHORT,
        (
            "calibration_slope",
            "slope",
            "Slope of the outcome's log-odds over the score's; 1 is calibrated, below 1 the scores are too "
            "extreme (binary)." + COHORT + NOT_AVERAGED,
        ),
        (
            "calibration_intercept",
            "intercept",
            "Log-odds of the outcome where the score's are 0, beside the slope; above 0 the scores are too low "
            "there (binary)." + NOT_AVERAGED,
        ),
        (
            "calibration_max_error_ratio",
            "mce",
            "The largest |share of outcomes - mean score| of a tenth of the score, 0 to 1." + NOT_AVERAGED,
        ),
        family="calibration",
    ),
    *gauges(
        CalibrationBin,
        (*_OF_COHORT, "bin"),
        (
            "calibration_bin_samples",
            "samples",
            "Joined outcomes by tenth of the score (multiclass: of the top class's)." + COHORT,
        ),
        ("calibration_bin_score_ratio", "score", "Mean score in the bin, 0 to 1." + NOT_AVERAGED),
        (
            "calibration_bin_outcome_ratio",
            "outcome",
            "Share of positive (multiclass: right) outcomes in the bin, 0 to 1." + NOT_AVERAGED,
        ),
        family="calibration",
    ),
    *gauges(
        Reweighted,
        _OF_COHORT,
        (
            "label_selection_psi",
            "selection_psi",
            "Population stability index of the scores (multiclass: predicted classes; regression: sizes of the "
            "prediction) of predictions with an outcome against those of all predictions of the matured window.",
        ),
        (
            "reweighted_accuracy_ratio",
            "accuracy",
            "Accuracy if all predictions of the matured window had outcomes, 0 to 1: each coarse score bin and "
            "predicted class weighs what it does among all predictions." + NOT_AVERAGED,
        ),
        (
            "reweighted_precision_ratio",
            "precision",
            "Precision (multiclass: macro mean) reweighted as reweighted_accuracy_ratio." + NOT_AVERAGED,
        ),
        (
            "reweighted_recall_ratio",
            "recall",
            "Recall (multiclass: macro mean) reweighted as reweighted_accuracy_ratio." + NOT_AVERAGED,
        ),
        (
            "reweighted_mae",
            "mae",
            "Mean absolute error if all predictions of the matured window had outcomes, in the outcome's units: "
            "each size of the prediction (four an octave) weighs what it does among all predictions."
            + NOT_AVERAGED,
        ),
        (
            "reweighted_rmse",
            "rmse",
            "Root mean squared error, in the outcome's units, reweighted as reweighted_mae." + NOT_AVERAGED,
        ),
    ),
    *gauges(
        Reweighted,
        _OF_COHORT,
        (
            "reweighted_f1_ratio",
            "f1",
            "F1 (multiclass: macro mean) reweighted as reweighted_accuracy_ratio." + NOT_AVERAGED,
        ),
        (
            "reweighted_log_loss",
            "log_loss",
            "Log loss, in nats, reweighted as reweighted_accuracy_ratio to all predictions with a score (multiclass: "
            "by predicted class)." + NOT_AVERAGED,
        ),
        (
            "reweighted_bias",
            "bias",
            "Mean of prediction - outcome, in the outcome's units, reweighted as reweighted_mae."
            + NOT_AVERAGED,
        ),
        (
            "reweighted_r2",
            "r2",
            "Coefficient of determination, at most 1, reweighted as reweighted_mae." + NOT_AVERAGED,
        ),
        (
            "reweighted_supported_ratio",
            "supported",
            "Share of all predictions of the matured window whose score bin and predicted class (regression: whose "
            "size) have outcomes, 0 to 1; below 0.9 nothing is reweighted.",
        ),
        family="performance",
    ),
)

ADVICE = (
    Advice(
        (
            "balanced_accuracy_ratio",
            "mcc",
            "precision_weighted_ratio",
            "f1_weighted_ratio",
            "roc_auc_weighted_ratio",
            "specificity_ratio",
        ),
        "0 to 1; mcc -1 to 1",
        "Exact functions of counts (the areas from score bins, within their half-widths).",
        "Where classes are rare, trust these before accuracy, which a model that never predicts them keeps.",
    ),
    Advice(
        ("mape_ratio", "mape_samples"),
        "at least 0",
        "Exact; outcomes of 0 take no part, and outcomes near 0 decide it.",
        "Prefer mae where outcomes come near 0.",
    ),
    Advice(
        ("average_precision_ratio", "average_precision_half_width_ratio"),
        "0 to 1",
        "scikit-learn's step-wise definition with records of one bin tied: exact on scores of two decimals, "
        "within the half-width on others (below 0.01 on 1,344 records of real, continuous scores). It falls with "
        "the base rate.",
        "Compare it with the base rate of the same window before you call a fall a worse model.",
    ),
    Advice(
        ("calibration_slope", "calibration_intercept", "calibration_max_error_ratio"),
        "any; calibration_max_error_ratio 0 to 1",
        "Maximum likelihood on 711 score bins: within 0.03 of that of the raw scores. Absent where one class is "
        "missing or the score separates the classes. One record decides the largest error of a sparse bin.",
        "A slope away from 1 or an intercept away from 0: recalibrate; the threshold moves with it.",
    ),
    Advice(
        ("calibration_bin_samples", "calibration_bin_score_ratio", "calibration_bin_outcome_ratio"),
        "0 to 1; calibration_bin_samples at least 0",
        "Exact sums; a bin's share of outcomes is off by about sqrt(p (1 - p) / samples).",
        "Look where the share and the mean score part: there the threshold and the value of decisions suffer.",
    ),
    Advice(
        ("label_selection_psi",),
        "at least 0",
        "About 10 / outcomes by chance alone. It sees what the score sees: labels that are missing for another "
        "reason at equal scores stay hidden.",
        "Above 0.1 the plain quality describes other predictions than those made: read the reweighted one, and "
        "find out whose outcomes are missing.",
    ),
    Advice(
        (
            "reweighted_accuracy_ratio",
            "reweighted_precision_ratio",
            "reweighted_recall_ratio",
            "reweighted_f1_ratio",
            "reweighted_supported_ratio",
            "reweighted_log_loss",
            "reweighted_mae",
            "reweighted_rmse",
            "reweighted_bias",
            "reweighted_r2",
        ),
        "0 to 1; errors and log loss at least 0, reweighted_bias any, reweighted_r2 at most 1",
        "Right where labels are missing at random among predictions of like score and class (regression: of like "
        "size, within 19%; predictions that all lie so near each other give the plain numbers); noisier than the "
        "plain one where few labels speak for many predictions.",
        "Where it parts from the plain quality, believe it before the plain one.",
    ),
)
