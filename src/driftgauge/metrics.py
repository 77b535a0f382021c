"""The one table of every exported metric: name, type, help, labels, family and where its value is.

Exposition, documentation, rules and dashboards are made from it or checked against it. A *snapshot*
metric is read from a field of a row of the Snapshot; a *live* one is held by prometheus-client and
counts since the process started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from driftgauge.snapshot import (
    BinCount,
    ClassQuality,
    ConfusionCell,
    Drift,
    ErrorSums,
    Flag,
    LabelState,
    Moments,
    Quality,
    ScoreBin,
    VersionState,
    WindowState,
)

PREFIX = "driftgauge_"
RowClass: TypeAlias = type[Any]

# Boundaries of the latency histogram: the usual SLO thresholds of an online model.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
DOOR_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric.

    Attributes:
        name: as exposed, with the prefix and (for counters) ``_total``.
        labels: in the order of exposition; a row's field ``class_`` is the label ``class``.
        family: ``default``, or the name under `metrics:` that switches it on.
        row: the row class it is read from; None for a live metric.
        value: the row's field that holds its value.
        when: a label that must not be empty for a row to have this metric (``feature``/``output``).
        buckets: upper bounds of a histogram.
    """

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    family: str = "default"
    row: RowClass | None = None
    value: str = ""
    when: str = ""
    buckets: tuple[float, ...] = ()


VERSION = ("model", "model_version")
IN_WINDOW = (*VERSION, "window")
OF_FEATURE = (*VERSION, "feature", "window")
OF_OUTPUT = (*VERSION, "output", "window")
OF_SEGMENT = (*IN_WINDOW, "cohort", "segment", "segment_value")
OF_CLASS = (*OF_SEGMENT, "class")

_NOT_AVERAGED = " Do not average over replicas."

# (suffix, field, family, help); each becomes a metric of features and one of outputs.
_DRIFT: tuple[tuple[str, str, str, str], ...] = (
    (
        "psi",
        "psi",
        "default",
        "Population stability index against the reference over 10 coarse bins, missing and unseen; "
        "natural logarithm, shares below 0.0001 replaced by 0.0001. 0 is no change; above 0.1 is a "
        "shift, above 0.25 a large one.",
    ),
    (
        "ks",
        "ks",
        "default",
        "Kolmogorov-Smirnov statistic against the reference from the fine bins, 0 to 1; the exact one "
        "is at most driftgauge_{}_ks_bound larger. Numeric only.",
    ),
    (
        "ks_bound",
        "ks_bound",
        "distances",
        "How much the exact Kolmogorov-Smirnov statistic can exceed the published one.",
    ),
    (
        "js_distance",
        "js_distance",
        "distances",
        "Jensen-Shannon distance against the reference, base 2, 0 to 1.",
    ),
    (
        "wasserstein_sd",
        "wasserstein",
        "distances",
        "Wasserstein-1 distance against the reference, in reference standard deviations.",
    ),
    (
        "mean_shift_sd",
        "mean_shift_sd",
        "default",
        "Mean minus the reference's, in reference standard deviations; positive is up.",
    ),
    (
        "mean_shift_ratio",
        "mean_shift_ratio",
        "distances",
        "Mean minus the reference's, relative to the reference's absolute mean.",
    ),
    ("missing_ratio", "missing_ratio", "default", "Share of records without a value, 0 to 1."),
    (
        "not_finite_ratio",
        "not_finite_ratio",
        "distances",
        "Share of records whose value is an infinity, 0 to 1.",
    ),
    (
        "unseen_ratio",
        "unseen_ratio",
        "default",
        "Share of records whose category the reference doesn't have, 0 to 1. Categorical only.",
    ),
    (
        "out_of_range_ratio",
        "out_of_range_ratio",
        "default",
        "Share of records outside the declared range, or the reference's where none is declared, "
        "0 to 1. Numeric only.",
    ),
)


def _drift() -> tuple[Metric, ...]:
    table = []
    for prefix, label, labels in (
        ("feature", "feature", OF_FEATURE),
        ("prediction", "output", OF_OUTPUT),
    ):
        table += [
            Metric(
                f"{PREFIX}{prefix}_{suffix}",
                "gauge",
                text.replace("{}", prefix) + _NOT_AVERAGED,
                labels,
                family,
                Drift,
                value,
                when=label,
            )
            for suffix, value, family, text in _DRIFT
        ]
    return tuple(table)


def _of(row: RowClass, labels: tuple[str, ...], *table: tuple[str, str, str]) -> tuple[Metric, ...]:
    """Gauges (counters where the name ends in _total) of one row class: (name, field, help)."""
    return tuple(
        Metric(
            PREFIX + name,
            "counter" if name.endswith("_total") else "gauge",
            text,
            labels,
            row=row,
            value=value,
        )
        for name, value, text in table
    )


_COHORT = (
    " cohort=arrived chooses by the time the outcome came, matured by the prediction's time, the "
    "window shifted back until its outcomes are complete."
)

SNAPSHOT_METRICS: tuple[Metric, ...] = (
    *_drift(),
    *_of(
        WindowState,
        (*IN_WINDOW, "cohort"),
        (
            "window_samples",
            "samples",
            "Records in the window: predictions (cohort=predicted) or joined outcomes." + _COHORT,
        ),
    ),
    *_of(
        WindowState,
        (*IN_WINDOW, "cohort"),
        ("window_covered_seconds", "covered_seconds", "How much of the window this process has."),
        ("window_covered_ratio", "covered_ratio", "The same as a share of the window, 0 to 1."),
        (
            "window_span_seconds",
            "span_seconds",
            "True span of the window: closed panes plus the open one.",
        ),
        (
            "window_age_seconds",
            "age_seconds",
            "How far the window's end lies behind the model's clock.",
        ),
    ),
    *_of(
        LabelState,
        (*IN_WINDOW, "cohort"),
        (
            "outcome_coverage_ratio",
            "coverage_ratio",
            "Share of the window's predictions whose outcome is known, 0 to 1; cohort=predicted is the "
            "newest window, matured the newest whose outcomes are complete.",
        ),
    ),
    *_of(
        Quality,
        OF_SEGMENT,
        ("quality_samples", "samples", "Joined outcomes that the quality stands on." + _COHORT),
        (
            "accuracy_ratio",
            "accuracy",
            "Share of outcomes predicted right, 0 to 1." + _COHORT + _NOT_AVERAGED,
        ),
        (
            "log_loss",
            "log_loss",
            "Mean negative log-likelihood of the outcome's class, in nats; probabilities nearer to 0 or 1 than 2.2e-16 replaced by that."
            + _NOT_AVERAGED,
        ),
        (
            "brier_ratio",
            "brier",
            "Brier score: mean squared distance of probability and outcome; 0 is best (binary: 0 to 1, multiclass: 0 to 2)."
            + _NOT_AVERAGED,
        ),
        (
            "ece_ratio",
            "ece",
            "Expected calibration error over 10 equal-width bins of the score, 0 to 1." + _NOT_AVERAGED,
        ),
        ("rmse", "rmse", "Root mean squared error, in the outcome's unit." + _NOT_AVERAGED),
        ("mae", "mae", "Mean absolute error, in the outcome's unit." + _NOT_AVERAGED),
        (
            "r2",
            "r2",
            "Coefficient of determination; 1 is perfect, 0 no better than the mean, negative worse."
            + _NOT_AVERAGED,
        ),
        (
            "bias",
            "bias",
            "Mean of prediction minus outcome, in the outcome's unit." + _NOT_AVERAGED,
        ),
    ),
    *_of(
        ClassQuality,
        OF_CLASS,
        (
            "precision_ratio",
            "precision",
            'Share of the class\'s predictions that were right, 0 to 1; class="" is the positive class (binary) or the macro mean.'
            + _NOT_AVERAGED,
        ),
        (
            "recall_ratio",
            "recall",
            "Share of the class's outcomes that were predicted, 0 to 1; class as for precision."
            + _NOT_AVERAGED,
        ),
        (
            "f1_ratio",
            "f1",
            "Harmonic mean of precision and recall, 0 to 1; class as for precision." + _NOT_AVERAGED,
        ),
        (
            "roc_auc_ratio",
            "roc_auc",
            "Area under the ROC curve from fixed score bins, 0 to 1, one class against the rest; the exact one lies within driftgauge_roc_auc_half_width_ratio."
            + _NOT_AVERAGED,
        ),
        (
            "roc_auc_half_width_ratio",
            "roc_auc_half_width",
            "Half the width of the interval that holds the exact ROC AUC given the bins.",
        ),
    ),
    *_of(
        VersionState,
        VERSION,
        ("features", "features", "Features that are watched."),
        ("pending_predictions", "pending", "Predictions kept whose outcome hasn't come."),
        (
            "pending_sample_ratio",
            "pending_sample_ratio",
            "Share of ids kept for the join; below 1 the pending limit binds and a hash sample is kept.",
        ),
        (
            "deduplication_reach_seconds",
            "deduplication_reach_seconds",
            "How far back a record sent again is known as a duplicate.",
        ),
        (
            "label_delay_p50_seconds",
            "label_delay_p50_seconds",
            "Median time from a prediction to its outcome.",
        ),
        (
            "label_delay_p95_seconds",
            "label_delay_p95_seconds",
            "95th percentile of the time from a prediction to its outcome.",
        ),
        (
            "matures_after_seconds",
            "matures_after_seconds",
            "Age from which a window's outcomes count as complete.",
        ),
        (
            "clock_timestamp_seconds",
            "clock_timestamp_seconds",
            "The model's now: wall time, or the greatest accepted timestamp.",
        ),
        (
            "last_evaluation_timestamp_seconds",
            "last_evaluation_timestamp_seconds",
            "Wall time of the last evaluation.",
        ),
        (
            "last_prediction_timestamp_seconds",
            "last_prediction_timestamp_seconds",
            "Wall time when the last prediction was accepted.",
        ),
        (
            "last_outcome_timestamp_seconds",
            "last_outcome_timestamp_seconds",
            "Wall time when the last outcome was accepted.",
        ),
        ("reference_samples", "reference_samples", "Records that the reference stands on."),
        (
            "reference_span_seconds",
            "reference_span_seconds",
            "Time that the reference's records span.",
        ),
        ("series", "series", "Series exported for the version."),
        ("series_dropped", "series_dropped", "Series left out because the version's limit binds."),
    ),
    *_of(
        Flag,
        (*VERSION, "state"),
        (
            "reference_state",
            "holds",
            "1 for the state that the reference is in (learning, provisional, unstable, frozen, given), 0 for the others.",
        ),
    ),
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
    *_of(
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
    *_of(
        ConfusionCell,
        (*VERSION, "outcome", "prediction"),
        (
            "confusion_outcomes_total",
            "outcomes",
            "Joined outcomes by class and predicted class since the process started.",
        ),
    ),
    *_of(
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

LIVE_METRICS: tuple[Metric, ...] = (
    Metric(PREFIX + "build_info", "gauge", "1; the versions that run.", ("version", "python", "sqlite")),
    Metric(
        PREFIX + "component_up",
        "gauge",
        "1 where a part of the process works: configuration, intake, observation, outside, store, evaluation, reference.",
        ("component",),
    ),
    Metric(
        PREFIX + "predictions_total",
        "counter",
        "Predictions counted, duplicates not among them.",
        VERSION,
    ),
    Metric(PREFIX + "prediction_errors_total", "counter", "Predictions that carried an error.", VERSION),
    Metric(
        PREFIX + "prediction_latency_seconds",
        "histogram",
        "Latency that the model server reported.",
        VERSION,
        buckets=LATENCY_BUCKETS,
    ),
    Metric(
        PREFIX + "outcomes_total",
        "counter",
        "Outcomes accepted; model_version is empty where the sender named none.",
        VERSION,
    ),
    Metric(
        PREFIX + "outcomes_joined_total",
        "counter",
        "Outcomes counted with their prediction.",
        VERSION,
    ),
    Metric(
        PREFIX + "outcomes_implied_total",
        "counter",
        "Outcomes implied by silence at the horizon.",
        VERSION,
    ),
    Metric(
        PREFIX + "outcomes_orphaned_total",
        "counter",
        "Outcomes dropped because no prediction came within the horizon.",
        ("model",),
    ),
    Metric(
        PREFIX + "outcomes_waiting",
        "gauge",
        "Outcomes kept whose prediction isn't here (yet).",
        ("model",),
    ),
    Metric(
        PREFIX + "outcome_conflicts_total",
        "counter",
        "Outcomes that differ from the first one of their id; the first counts.",
        ("model",),
    ),
    Metric(
        PREFIX + "duplicates_total",
        "counter",
        "Records known already, by kind of record.",
        ("model", "kind"),
    ),
    Metric(
        PREFIX + "records_rejected_total",
        "counter",
        "Records not taken, by door (predictions, outcomes) and reason.",
        ("door", "reason"),
    ),
    Metric(PREFIX + "requests_rejected_total", "counter", "Requests not taken, by reason.", ("reason",)),
    Metric(
        PREFIX + "values_invalid_total",
        "counter",
        "Feature values and fields not taken while their record was, by reason.",
        ("reason",),
    ),
    Metric(
        PREFIX + "values_folded_total",
        "counter",
        "Values counted under `other` or left out because a bound was reached, by bound.",
        ("bound",),
    ),
    Metric(
        PREFIX + "versions_evicted_total",
        "counter",
        "Model versions dropped because newer ones came.",
        ("model",),
    ),
    Metric(
        PREFIX + "predictions_late_total",
        "counter",
        "Predictions older than every window, counted for quality and duplicates only.",
        VERSION,
    ),
    Metric(
        PREFIX + "request_duration_seconds",
        "histogram",
        "Time from a request's last byte to its answer, by path.",
        ("path",),
        buckets=DOOR_BUCKETS,
    ),
    Metric(PREFIX + "queue_bytes", "gauge", "Bytes that wait for the writer."),
    Metric(PREFIX + "commit_seconds", "histogram", "Time of a group commit.", (), buckets=DOOR_BUCKETS),
    Metric(
        PREFIX + "checkpoint_seconds",
        "histogram",
        "Time of a checkpoint.",
        (),
        buckets=DOOR_BUCKETS,
    ),
    Metric(PREFIX + "store_bytes", "gauge", "Bytes of the database file."),
    Metric(PREFIX + "store_wal_bytes", "gauge", "Bytes of the write-ahead log."),
    Metric(PREFIX + "store_pending_bytes", "gauge", "Bytes of records that wait for their other half."),
    Metric(PREFIX + "store_batch_bytes", "gauge", "Bytes of batches since the last checkpoint."),
    Metric(PREFIX + "store_errors_total", "counter", "Transactions that failed and were rolled back."),
    Metric(
        PREFIX + "store_restored",
        "gauge",
        "How the state was found at start: 1 for restored, empty or damaged.",
        ("result",),
    ),
    Metric(PREFIX + "evaluation_seconds", "gauge", "What the last evaluation took."),
    Metric(
        PREFIX + "evaluations_failed_total",
        "counter",
        "Evaluations that failed; the last finished one is still served.",
    ),
    Metric(
        PREFIX + "configuration_reload_success",
        "gauge",
        "1 when the last load of the configuration succeeded.",
    ),
    Metric(
        PREFIX + "configuration_reload_timestamp_seconds",
        "gauge",
        "Wall time of the last successful load of the configuration.",
    ),
    Metric(PREFIX + "process_resident_bytes", "gauge", "Resident memory of the process."),
    Metric(PREFIX + "process_cpu_seconds_total", "counter", "CPU time of the process."),
    Metric(PREFIX + "process_start_time_seconds", "gauge", "Wall time of the start."),
    Metric(
        PREFIX + "memory_limit_bytes",
        "gauge",
        "Memory limit of the cgroup; absent when there is none.",
    ),
)

METRICS: tuple[Metric, ...] = (*SNAPSHOT_METRICS, *LIVE_METRICS)
BY_NAME = {metric.name: metric for metric in METRICS}
