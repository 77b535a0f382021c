"""What decisions were worth, are worth, and would have been worth."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class ValueInfo(SnapshotRow, frozen=True):
    """The unit of a version's values; `configured` is 1."""

    model: str
    model_version: str
    currency: str
    configured: Value


class BusinessValue(SnapshotRow, frozen=True):
    """What decisions were worth in one window, cohort and segment (``segment=""``: the whole model)."""

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    samples: Value
    value: Value = None
    low: Value = None
    high: Value = None
    mean: Value = None


class EstimatedValue(SnapshotRow, frozen=True):
    """What the decisions of one window are worth before their outcomes come; `gap` is the whole model's,
    per record of the matured window.
    """

    model: str
    model_version: str
    window: str
    segment: str
    segment_value: str
    samples: Value
    value: Value
    low: Value
    high: Value
    mean: Value
    gap: Value


class BestThreshold(SnapshotRow, frozen=True):
    """The threshold that would have paid most in the newest matured window, beside the one in use.

    `value` and `value_in_use` are of the same `samples`: decisions with a score.
    """

    model: str
    model_version: str
    window: str
    samples: Value
    threshold: Value
    threshold_in_use: Value
    value: Value
    value_in_use: Value
    gain: Value
    gain_low: Value
    gain_high: Value


class ThresholdValue(SnapshotRow, frozen=True):
    """What the decisions of a matured window would have been worth at one threshold; never exported."""

    model: str
    model_version: str
    window: str
    threshold: float
    value: float
