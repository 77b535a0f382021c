"""A model version as a whole, and its reference."""

from __future__ import annotations

from driftgauge.metrics.table import VERSION, Advice, Metric, gauges
from driftgauge.snapshot import Flag, VersionState

METRICS: tuple[Metric, ...] = (
    *gauges(
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
    *gauges(
        Flag,
        (*VERSION, "state"),
        (
            "reference_state",
            "holds",
            "1 for the state that the reference is in (learning, provisional, unstable, frozen, given), 0 for the others.",
        ),
    ),
)

ADVICE = (
    Advice(
        (
            "features",
            "pending_predictions",
            "pending_sample_ratio",
            "deduplication_reach_seconds",
            "series",
            "series_dropped",
        ),
        "at least 0; the ratio at most 1",
        "Exact.",
        "A sample ratio below 1 or dropped series: a limit binds; raise it, or watch fewer features.",
    ),
    Advice(
        ("label_delay_p50_seconds", "label_delay_p95_seconds", "matures_after_seconds"),
        "at least 0",
        "From buckets 10% wide, of joined outcomes in the longest window, once 500 are known. Outcomes that "
        "never come are not in it.",
        "Growing: the feed of outcomes is late; matured quality stands further back.",
    ),
    Advice(
        (
            "clock_timestamp_seconds",
            "last_evaluation_timestamp_seconds",
            "last_prediction_timestamp_seconds",
            "last_outcome_timestamp_seconds",
        ),
        "epoch seconds",
        "Exact; on wall time but for the clock of a model on a records clock.",
        "One that stands still: its feed, or the evaluation, has stopped.",
    ),
    Advice(
        ("reference_samples", "reference_span_seconds", "reference_state"),
        "at least 0; the state 0 or 1",
        "A learned reference takes what it saw for right: a model broken from the start looks normal to it.",
        "learning, provisional, unstable: drift is shown and not judged; give a reference file where you can.",
    ),
)
