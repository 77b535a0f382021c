"""Segments: their drift, and which costs most."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class SegmentDrift(SnapshotRow, frozen=True):
    """A feature in one segment and window against the segment's own first records."""

    model: str
    model_version: str
    feature: str
    window: str
    segment: str
    segment_value: str
    samples: Value
    psi: Value


class SegmentGap(SnapshotRow, frozen=True):
    """The segment that costs the whole model most by one measure; never exported.

    `share` is its part of the value (of the samples) in its column, and `gap` is what it is worse by, times
    that.
    """

    model: str
    model_version: str
    window: str
    cohort: str
    measure: str
    segment: str
    segment_value: str
    share: float
    whole: float
    of_segment: float
    gap: float


class WorstSegment(SnapshotRow, frozen=True):
    """Per measure the segment that costs the whole model most; empty where unknown."""

    model: str
    model_version: str
    window: str
    cohort: str
    accuracy_gap: Value
    accuracy_segment: str
    accuracy_segment_value: str
    mae_gap: Value
    mae_segment: str
    mae_segment_value: str
    value_gap: Value
    value_segment: str
    value_segment_value: str
