"""Counters since the process started, which add up over replicas."""

from __future__ import annotations

from driftgauge.config import Family
from driftgauge.metrics.table import PREFIX, VERSION, Advice, Metric, gauges
from driftgauge.snapshot import BinCount, ClassCount, ConfusionCell, ErrorSums, Moments, ScoreBin

METRICS: tuple[Metric, ...] = (
    Metric(
        PREFIX + "feature_bin_records_total",
        "counter",
        "Records per coarse bin of a feature since the process started; sum over replicas of one reference.",
        (*VERSION, "feature", "reference", "bin"),
        row=BinCount,
        value="records",
        when="feature",
    ),
    Metric(
        PREFIX + "prediction_bin_records_total",
        "counter",
        "Records per coarse bin of an output since the process started; sum over replicas of one reference.",
        (*VERSION, "output", "reference", "bin"),
        row=BinCount,
        value="records",
        when="output",
    ),
    Metric(
        PREFIX + "reference_feature_bin_ratio",
        "gauge",
        "The reference's share of a feature's coarse bin, 0 to 1.",
        (*VERSION, "feature", "reference", "bin"),
        row=BinCount,
        value="reference_ratio",
        when="feature",
    ),
    Metric(
        PREFIX + "reference_prediction_bin_ratio",
        "gauge",
        "The reference's share of an output's coarse bin, 0 to 1.",
        (*VERSION, "output", "reference", "bin"),
        row=BinCount,
        value="reference_ratio",
        when="output",
    ),
    *(
        Metric(
            PREFIX + name,
            "counter" if name.endswith("_total") else "gauge",
            text,
            (*VERSION, "feature", "reference"),
            row=Moments,
            value=value,
            when="feature",
        )
        for name, _, value, text in (
            (
                "feature_values_total",
                "counter",
                "values",
                "Finite values of a numeric feature since the process started.",
            ),
            (
                "feature_above_floor_sum_total",
                "counter",
                "above_floor_sum",
                "Sum of (value - driftgauge_feature_floor) of a numeric feature, values clipped to the tails' outermost edges; mean = floor + this / values.",
            ),
            (
                "feature_deviation_squares_total",
                "counter",
                "deviation_squares_sum",
                "Sum of squares of (value - reference mean), values clipped likewise.",
            ),
            (
                "feature_floor",
                "gauge",
                "floor",
                "The lowest value that moments count, the outermost tail edge.",
            ),
            ("reference_feature_mean", "gauge", "reference_mean", "The reference's mean."),
            (
                "reference_feature_sd",
                "gauge",
                "reference_sd",
                "The reference's standard deviation.",
            ),
        )
    ),
    *gauges(
        ScoreBin,
        (*VERSION, "class", "outcome", "bin"),
        (
            "score_outcomes_total",
            "outcomes",
            "Joined outcomes per coarse score bin since the process started; outcome=1 is the class, 0 the rest.",
        ),
        (
            "score_outcomes_below_total",
            "outcomes_below",
            "Joined outcomes in strictly lower score bins: ROC AUC = sum(P_i (N_below_i + N_i / 2)) / (P N).",
        ),
    ),
    *gauges(
        ClassCount,
        (*VERSION, "class"),
        (
            "class_outcomes_total",
            "outcomes",
            "Joined outcomes of the class since the process started; recall = right / this.",
        ),
        (
            "class_predictions_total",
            "predictions",
            "Joined outcomes that were predicted to be of the class; precision = right / this.",
        ),
        (
            "class_right_total",
            "right",
            "Joined outcomes of the class that were predicted so; accuracy = their sum over classes / "
            "that of the outcomes.",
        ),
    ),
    *gauges(
        ConfusionCell,
        (*VERSION, "outcome", "prediction"),
        (
            "confusion_outcomes_total",
            "outcomes",
            "Joined outcomes by class and predicted class since the process started.",
        ),
        family=Family.CLASSES,
    ),
    *gauges(
        ErrorSums,
        VERSION,
        (
            "error_outcomes_total",
            "outcomes",
            "Joined outcomes of a regression since the process started.",
        ),
        ("error_absolute_total", "absolute", "Sum of |prediction - outcome|."),
        ("error_squared_total", "squared", "Sum of (prediction - outcome) squared."),
        (
            "error_over_total",
            "over",
            "Sum of the positive errors; bias = (over - under) / outcomes.",
        ),
        ("error_under_total", "under", "Sum of the negative errors, as a positive number."),
        (
            "outcome_squares_total",
            "outcome_squares",
            "Sum of (outcome - driftgauge_outcome_centre) squared.",
        ),
        ("outcome_over_total", "outcome_over", "Sum of the positive (outcome - centre)."),
        (
            "outcome_under_total",
            "outcome_under",
            "Sum of the negative (outcome - centre), as a positive number.",
        ),
        ("outcome_centre", "outcome_centre", "The fixed number that outcome sums are taken about."),
    ),
)

ADVICE = (
    Advice(
        tuple(metric.name.removeprefix(PREFIX) for metric in METRICS),
        "counters from 0 at each start; reference gauges as in the reference",
        "Additive: sum increases over replicas, never the pods' finished scores. A restart loses what came "
        "since the last scrape.",
        "They are for rules; read the finished numbers above.",
    ),
)
