"""Quality of joined records, by model, segment and class."""

from __future__ import annotations

from driftgauge.config import Family
from driftgauge.metrics.table import COHORT, NOT_AVERAGED, OF_CLASS, OF_SEGMENT, Advice, Metric, Part, gauges
from driftgauge.snapshot import ClassQuality, Quality

# Of segments the default family has the main number and what it stands on.
_WHOLE = (Part("segment", Family.SEGMENTS),)

METRICS: tuple[Metric, ...] = (
    *gauges(
        Quality,
        OF_SEGMENT,
        ("quality_samples", "samples", "Joined outcomes that the quality stands on." + COHORT),
        (
            "accuracy_ratio",
            "accuracy",
            "Share of outcomes predicted right, 0 to 1." + COHORT + NOT_AVERAGED,
        ),
    ),
    *gauges(
        Quality,
        OF_SEGMENT,
        (
            "log_loss",
            "log_loss",
            "Mean negative log-likelihood of the outcome's class, in nats; probabilities nearer to 0 or 1 than 2.2e-16 replaced by that."
            + NOT_AVERAGED,
        ),
        (
            "brier_ratio",
            "brier",
            "Brier score: mean squared distance of probability and outcome; 0 is best (binary: 0 to 1, multiclass: 0 to 2)."
            + NOT_AVERAGED,
        ),
        (
            "ece_ratio",
            "ece",
            "Expected calibration error over 10 equal-width bins of the score, 0 to 1." + NOT_AVERAGED,
        ),
        ("rmse", "rmse", "Root mean squared error, in the outcome's unit." + NOT_AVERAGED),
        parts=_WHOLE,
    ),
    *gauges(
        Quality,
        OF_SEGMENT,
        ("mae", "mae", "Mean absolute error, in the outcome's unit." + NOT_AVERAGED),
    ),
    *gauges(
        Quality,
        OF_SEGMENT,
        (
            "r2",
            "r2",
            "Coefficient of determination; 1 is perfect, 0 no better than the mean, negative worse."
            + NOT_AVERAGED,
        ),
        (
            "bias",
            "bias",
            "Mean of prediction minus outcome, in the outcome's unit." + NOT_AVERAGED,
        ),
        parts=_WHOLE,
    ),
    *gauges(
        ClassQuality,
        OF_CLASS,
        (
            "precision_ratio",
            "precision",
            'Share of the class\'s predictions that were right, 0 to 1; class="" is the positive class (binary) or the macro mean.'
            + NOT_AVERAGED,
        ),
        (
            "recall_ratio",
            "recall",
            "Share of the class's outcomes that were predicted, 0 to 1; class as for precision."
            + NOT_AVERAGED,
        ),
        (
            "f1_ratio",
            "f1",
            "Harmonic mean of precision and recall, 0 to 1; class as for precision." + NOT_AVERAGED,
        ),
        (
            "roc_auc_ratio",
            "roc_auc",
            "Area under the ROC curve from fixed score bins, 0 to 1, one class against the rest; the exact one lies within driftgauge_roc_auc_half_width_ratio."
            + NOT_AVERAGED,
        ),
        (
            "roc_auc_half_width_ratio",
            "roc_auc_half_width",
            "Half the width of the interval that holds the exact ROC AUC given the bins.",
        ),
        parts=(Part("class", Family.CLASSES),),
    ),
)

ADVICE = (
    Advice(
        ("quality_samples",),
        "at least 0",
        "Exact: the outcomes that every quality beside it stands on.",
        "Compare it with window_samples and outcome_coverage_ratio before you believe a change of quality.",
    ),
    Advice(
        ("accuracy_ratio", "precision_ratio", "recall_ratio", "f1_ratio"),
        "0 to 1",
        "Exact functions of counts. cohort=arrived mixes prediction times; matured is late by the label delay. A "
        "macro mean is of the classes that have a value: one that was never predicted has no precision and takes "
        "no part, where scikit-learn takes 0.",
        "Find the segment that moved, then its features. Precision and recall moving against each other is a "
        "changed base rate or threshold, not yet a worse model.",
    ),
    Advice(
        ("roc_auc_ratio", "roc_auc_half_width_ratio"),
        "0 to 1",
        "From 711 fixed score bins: the exact value lies within the half-width, below 0.001 on continuous "
        "scores, and is exact on scores of two decimals.",
        "A falling one says that the order of scores is worse, which no threshold mends: retrain.",
    ),
    Advice(
        ("log_loss", "brier_ratio", "ece_ratio"),
        "at least 0; ece at most 1, Brier at most 1 (binary) or 2",
        "Exact sums; the calibration error is biased upwards on few records, by about sqrt(bins / n) / 2.",
        "Where ranking holds and these move, recalibrate; where both move, retrain.",
    ),
    Advice(
        ("rmse", "mae", "r2", "bias"),
        "rmse and mae at least 0, r2 at most 1, bias any",
        "Exact sums. R2 depends on the outcomes' own spread: it can fall in a quiet week without a worse model.",
        "A bias away from 0 is the cheapest to mend; rmse rising alone is a few large errors.",
    ),
)
