"""What prometheus-client holds: the traffic and the state of the process."""

from __future__ import annotations

from driftgauge.metrics.table import PREFIX, VERSION, Metric

# Boundaries of the latency histogram: the usual SLO thresholds of an online model.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
DOOR_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

METRICS: tuple[Metric, ...] = (
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
        PREFIX + "outcome_revisions_total",
        "counter",
        "Outcomes that replaced the one before them of their id (`outcomes: {revisions: true}`).",
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
        PREFIX + "schema_violations_total",
        "counter",
        "Feature values that break what is known of the records: of a wrong type; missing though the "
        "reference never lacks the feature; of a feature that isn't watched; out of the declared range.",
        (*VERSION, "violation"),
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
