"""Segments: their drift, and which costs most."""

from __future__ import annotations

from dataclasses import dataclass

from driftgauge.snapshot.field import Value


@dataclass(frozen=True, slots=True)
class SegmentDrift:
    """A feature in one segment and window against the segment's own first records."""

    model: str
    model_version: str
    feature: str
    window: str
    segment: str
    segment_value: str
    samples: Value
    psi: Value


@dataclass(frozen=True, slots=True)
class SegmentGap:
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


@dataclass(frozen=True, slots=True)
class WorstSegment:
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
