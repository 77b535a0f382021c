"""What `driftgauge trigger` exports of itself; no sidecar has these."""

from __future__ import annotations

from driftgauge.metrics.table import PREFIX, Advice, Metric

_P = PREFIX + "trigger_"
FAMILY = "trigger"
DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

METRICS: tuple[Metric, ...] = (
    Metric(_P + "info", "gauge", "1; the version that runs.", ("version",), FAMILY),
    Metric(_P + "deliveries_total", "counter", "Webhooks of Alertmanager that were committed.", (), FAMILY),
    Metric(
        _P + "delivery_duration_seconds",
        "histogram",
        "Time from a webhook's last byte to its answer.",
        (),
        FAMILY,
        buckets=DELIVERY_BUCKETS,
    ),
    Metric(_P + "requests_rejected_total", "counter", "Requests not taken, by reason.", ("reason",), FAMILY),
    Metric(
        _P + "alerts_total",
        "counter",
        "Alerts of committed webhooks by result: opened a decision; attached to one of its cool-down; remembered, since no policy asks for them; resolved; else why they were not taken.",
        ("result",),
        FAMILY,
    ),
    Metric(
        _P + "alerts_truncated_total",
        "counter",
        "Alerts that Alertmanager left out of its webhooks (max_alerts).",
        (),
        FAMILY,
    ),
    Metric(
        _P + "decisions_total",
        "counter",
        "Changes of a decision's state, by the state that it came to.",
        ("model", "state"),
        FAMILY,
    ),
    Metric(
        _P + "refusals_total",
        "counter",
        "Guards that forbade a run; one judgement may count several.",
        ("guard",),
        FAMILY,
    ),
    Metric(
        _P + "open_decisions",
        "gauge",
        "Decisions that something is still to be done about, by state.",
        ("state",),
        FAMILY,
    ),
    Metric(
        _P + "last_run_timestamp_seconds",
        "gauge",
        "Wall time of the last start of a run.",
        ("model",),
        FAMILY,
    ),
    Metric(
        _P + "runs_judged_total",
        "counter",
        "Runs closed, by what the new version was worth against the old one.",
        ("model", "verdict"),
        FAMILY,
    ),
    Metric(
        _P + "requests_failed_total",
        "counter",
        "Requests of the trigger to others that failed for good, by whom it asked.",
        ("peer",),
        FAMILY,
    ),
    Metric(
        _P + "store_errors_total", "counter", "Transactions that failed and were rolled back.", (), FAMILY
    ),
)

ADVICE = (
    Advice(
        ("trigger_info",),
        "1",
        "Exact.",
        "A change is a new release.",
    ),
    Advice(
        (
            "trigger_deliveries_total",
            "trigger_delivery_duration_seconds",
            "trigger_requests_rejected_total",
        ),
        "at least 0",
        "Exact, from 0 at each start. A webhook is answered after its commit; what was refused changed nothing.",
        "No deliveries while alerts fire: Alertmanager's route or its token. The label of a rejection tells the reason.",
    ),
    Advice(
        (
            "trigger_alerts_total",
            "trigger_alerts_truncated_total",
        ),
        "at least 0",
        "Exact, of committed webhooks. Alerts that Alertmanager left out are known by their number alone.",
        "Remembered alerts that should have opened a decision: no policy asks for their name. Truncated ones: raise `max_alerts` of the receiver.",
    ),
    Advice(
        (
            "trigger_decisions_total",
            "trigger_open_decisions",
            "trigger_refusals_total",
        ),
        "at least 0",
        "Exact; decisions themselves survive restarts, counters do not.",
        "Decisions that stay open wait for something: GET /v1/decisions tells for what. The guard's label tells what forbade a run.",
    ),
    Advice(
        (
            "trigger_last_run_timestamp_seconds",
            "trigger_runs_judged_total",
        ),
        "seconds since 1970; at least 0",
        "A run is judged by the interval of the difference between both versions, so it may be undecided.",
        "Runs that don't pay: look at what opened them before retraining again.",
    ),
    Advice(
        (
            "trigger_requests_failed_total",
            "trigger_store_errors_total",
        ),
        "at least 0",
        "Counted after the last try.",
        "The label tells whom it asked; the log has the answer. While the store fails nothing is started.",
    ),
)
