"""How much a window holds, and how its outcomes come."""

from __future__ import annotations

from enum import StrEnum

from driftgauge.snapshot.field import SnapshotRow, Value


class Cohort(StrEnum):
    """By which time a window's records are chosen."""

    PREDICTED = "predicted"
    ARRIVED = "arrived"
    MATURED = "matured"


class WindowState(SnapshotRow, frozen=True):
    """How much a window holds."""

    model: str
    model_version: str
    window: str
    cohort: str
    samples: Value
    covered_seconds: Value
    covered_ratio: Value
    span_seconds: Value
    age_seconds: Value


class LabelState(SnapshotRow, frozen=True):
    """How a version's outcomes come in one window of prediction time."""

    model: str
    model_version: str
    window: str
    cohort: str
    coverage_ratio: Value
