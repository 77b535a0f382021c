"""What decisions were worth, are worth, and would have been worth."""

from __future__ import annotations

from enum import StrEnum

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


class EstimatedValueState(StrEnum):
    """Whether value is estimated without outcomes, or why not.

    `NOT_ESTIMATED`: nor is performance, and its state says why. `OWN_VALUES`: outcomes carry values of their
    own, which nothing tells before they come. `NO_SPLIT`: too much and too little error are worth different
    values, and no reference tells how much there is of each. `WEIGHTED_ERRORS`: a regression's errors are
    weighted, and what is expected of them is not. `FEW_SCORES`: fewer than 30 predictions have what it takes.
    """

    GIVEN = "given"
    NOT_ESTIMATED = "not_estimated"
    OWN_VALUES = "own_values"
    NO_SPLIT = "no_split"
    WEIGHTED_ERRORS = "weighted_errors"
    FEW_SCORES = "few_scores"


class EstimatedValue(SnapshotRow, frozen=True):
    """What the decisions of one window are worth before their outcomes come; `gap` is the whole model's,
    per record of the matured window, and so are `state` and `given`, 1 in the state ``given``.
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
    state: str = ""
    given: Value = None


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
