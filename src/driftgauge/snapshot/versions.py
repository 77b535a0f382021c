"""A model version as a whole."""

from __future__ import annotations

from enum import StrEnum

from driftgauge.snapshot.field import SnapshotRow, Value


class ReferenceState(StrEnum):
    """How far a reference can be trusted."""

    LEARNING = "learning"
    PROVISIONAL = "provisional"
    UNSTABLE = "unstable"
    FROZEN = "frozen"
    GIVEN = "given"


class VersionState(SnapshotRow, frozen=True):
    """One model version as a whole."""

    model: str
    model_version: str
    reference: str
    reference_state: str
    reference_samples: Value
    reference_span_seconds: Value
    task: str
    features: Value
    pending: Value
    pending_sample_ratio: Value
    deduplication_reach_seconds: Value
    label_delay_p50_seconds: Value
    label_delay_p95_seconds: Value
    matures_after_seconds: Value
    clock_timestamp_seconds: Value
    last_evaluation_timestamp_seconds: Value
    last_prediction_timestamp_seconds: Value
    last_outcome_timestamp_seconds: Value
    series: Value
    series_dropped: Value


class Flag(SnapshotRow, frozen=True):
    """One of a closed set of states: 1 for the one that holds, 0 for the others."""

    model: str
    model_version: str
    state: str
    holds: Value
