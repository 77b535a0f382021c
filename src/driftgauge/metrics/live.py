"""What prometheus-client holds: the traffic and the state of the process."""

from __future__ import annotations

from driftgauge.metrics.table import PREFIX, VERSION, Advice, Metric

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
        PREFIX + "outcomes_elsewhere_total",
        "counter",
        "Outcomes whose prediction isn't here, where every replica is sent every outcome "
        "(`outcomes: {fan_out: true}`): another replica counts them.",
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
    Metric(
        PREFIX + "store_limit_bytes",
        "gauge",
        "Bytes that the database and its write-ahead log may take together: store.max_bytes, or 70% of the volume.",
    ),
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

ADVICE = (
    Advice(
        (
            "build_info",
            "process_start_time_seconds",
        ),
        "1; seconds since 1970",
        "Exact.",
        "A change is a new release or a restart. The counters here begin again at 0; windows and quality go on where the volume lived on: store_restored.",
    ),
    Advice(
        ("component_up",),
        "0 or 1",
        "What the process found at the last try. One that hangs or is gone says nothing: Prometheus' own `up` does.",
        "At 0 GET /v1/models says why, under `components`. Predictions are served as before: nothing of the model server waits for this process.",
    ),
    Advice(
        ("predictions_total",),
        "at least 0",
        "Exact: what was acknowledged, each record once. From 0 at each start.",
        "A rate that falls while the model server's own does not is a lost feed: look at requests_rejected_total, records_rejected_total and at the sender's log.",
    ),
    Advice(
        (
            "prediction_errors_total",
            "prediction_latency_seconds",
        ),
        "at least 0",
        "As the model server reported it; records that carry neither add nothing. Quantiles are as fine as the buckets.",
        "As with any service: hold it against the newest deployment and the model server's own metrics.",
    ),
    Advice(
        (
            "outcomes_total",
            "outcomes_joined_total",
            "outcomes_implied_total",
        ),
        "at least 0",
        "Exact, of what was acknowledged. One outcome joins every version that has its id.",
        "Accepted but not joined: ids that don't match, or predictions that another replica has. A growing share of implied ones where true ones used to come is a lost feed.",
    ),
    Advice(
        (
            "outcomes_waiting",
            "outcomes_orphaned_total",
        ),
        "at least 0",
        "Exact. An outcome that comes before its prediction waits too, and that is no fault.",
        "Compare the id of an outcome with that of its prediction. With several replicas an outcome must reach the pod that saw the prediction, or each pod, or all pods send to one receiver.",
    ),
    Advice(
        ("outcomes_elsewhere_total",),
        "at least 0",
        "Exact, of what was acknowledged. One that is sent again is counted again, because nothing of it is kept.",
        "With n replicas, n - 1 times the joined ones is as it should be. More: no replica knew some of them; ModelOutcomesOrphaned tells the share.",
    ),
    Advice(
        (
            "duplicates_total",
            "outcome_conflicts_total",
            "outcome_revisions_total",
        ),
        "at least 0",
        "Exact within deduplication_reach_seconds, over restarts too. Records without an id are never taken for duplicates.",
        "Duplicates are senders that ask again after a lost answer, and harm nothing. Conflicts: outcomes are sent before they are final; `outcomes: {revisions: true}` takes the newest.",
    ),
    Advice(
        (
            "requests_rejected_total",
            "records_rejected_total",
            "values_invalid_total",
        ),
        "at least 0",
        "Exact: what was refused is in no other number.",
        "The label tells the reason, and the answer that the sender got tells the place. A step at one time is a deployment of the sender.",
    ),
    Advice(
        ("schema_violations_total",),
        "at least 0",
        "Exact, as feature_schema_violations_total, which tells the feature.",
        "A step at one time is a deployment of the sender: find the feature by feature_schema_violations_total or at GET /v1/models/{model}.",
    ),
    Advice(
        (
            "values_folded_total",
            "versions_evicted_total",
            "predictions_late_total",
        ),
        "at least 0",
        "Exact. What is folded is counted under `other`, not lost.",
        "The label tells the bound: raise it where memory allows, or find the column that grows without end, an id taken for a category. Late predictions: the sender lies behind by more than the longest window, or its clock is wrong.",
    ),
    Advice(
        (
            "request_duration_seconds",
            "commit_seconds",
            "checkpoint_seconds",
            "queue_bytes",
        ),
        "at least 0",
        "Wall time, so a throttled CPU or a busy disk is in it. Quantiles are as fine as the buckets.",
        "Slow commits beside a growing queue are the disk, or too small a CPU limit. When the queue is full, senders are told to come back, and nothing is lost that was acknowledged.",
    ),
    Advice(
        (
            "store_bytes",
            "store_wal_bytes",
            "store_pending_bytes",
            "store_batch_bytes",
            "store_limit_bytes",
        ),
        "at least 0",
        "As the store found them when it last looked.",
        "Growing pending bytes are outcomes that don't come, or a long horizon; at their limit a sample of ids is kept, which pending_sample_ratio tells. A write-ahead log that stays large is a disk that can't keep up.",
    ),
    Advice(
        (
            "store_errors_total",
            "evaluations_failed_total",
        ),
        "at least 0",
        "Exact. What failed was rolled back and answered with an error; the numbers of the evaluation before stay.",
        "Any is worth a look at the log, which names the error. component_up tells whether it lasts.",
    ),
    Advice(
        ("store_restored",),
        "0 or 1",
        "Found once, at the start.",
        "`empty` after a restart: the volume is new or lost, and windows fill anew. `damaged`: the old file was kept aside, and the log says where.",
    ),
    Advice(
        ("evaluation_seconds",),
        "at least 0",
        "Wall time of the last one, longer than its CPU time on a busy machine.",
        "Where it comes near the interval of evaluation, give it more CPU, or fewer features, windows or versions.",
    ),
    Advice(
        (
            "configuration_reload_success",
            "configuration_reload_timestamp_seconds",
        ),
        "0 or 1; seconds since 1970",
        "Exact.",
        "At 0 the file that lies there was refused and the one before it holds: `driftgauge check` names the line.",
    ),
    Advice(
        (
            "process_resident_bytes",
            "memory_limit_bytes",
            "process_cpu_seconds_total",
        ),
        "at least 0",
        "As the kernel counts them.",
        "At 80% of the limit caches shrink, at 90% intake is refused: raise the limit, or lower what is kept.",
    ),
)
