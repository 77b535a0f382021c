"""Performance to expect before outcomes come."""

from __future__ import annotations

from enum import StrEnum

from driftgauge.snapshot.field import SnapshotRow, Value


class EstimateState(StrEnum):
    """Whether performance is estimated without outcomes, or why not."""

    GIVEN = "given"
    NO_REFERENCE = "no_reference"
    FEW_OUTCOMES = "few_outcomes"
    MISCALIBRATED = "miscalibrated"
    FEW_SCORES = "few_scores"
    UNSUPPORTED = "unsupported"


class Estimate(SnapshotRow, frozen=True):
    """Performance to expect of a window's predictions, before their outcomes come.

    `state` says why values are absent: no reference with outcomes; fewer than 1,000 of them or 50 of a
    class; a held-out calibration error of 0.05 or more (not of a regression); fewer than 30 scores in
    the window; over 10% of them where fewer than 20 of the reference's were. A *gap* is the estimate of
    the newest matured window less what was realised there.
    """

    model: str
    model_version: str
    window: str
    state: str
    samples: Value
    given: Value
    calibration_error: Value = None
    unsupported_ratio: Value = None
    accuracy: Value = None
    accuracy_error: Value = None
    accuracy_gap: Value = None
    precision: Value = None
    precision_error: Value = None
    precision_gap: Value = None
    recall: Value = None
    recall_error: Value = None
    recall_gap: Value = None
    f1: Value = None
    f1_error: Value = None
    f1_gap: Value = None
    roc_auc: Value = None
    roc_auc_error: Value = None
    roc_auc_gap: Value = None
    mae: Value = None
    mae_error: Value = None
    mae_gap: Value = None
    rmse: Value = None
    rmse_error: Value = None
    rmse_gap: Value = None


class PartEstimate(SnapshotRow, frozen=True):
    """Performance to expect of one segment, or of one class of a multiclass model."""

    model: str
    model_version: str
    window: str
    segment: str
    segment_value: str
    class_: str
    samples: Value
    accuracy: Value = None
    accuracy_error: Value = None
    precision: Value = None
    precision_error: Value = None
    recall: Value = None
    recall_error: Value = None
    f1: Value = None
    f1_error: Value = None
    roc_auc: Value = None
    roc_auc_error: Value = None
    mae: Value = None
    mae_error: Value = None
    rmse: Value = None
    rmse_error: Value = None


class ExpectedCell(SnapshotRow, frozen=True):
    """Records to expect of an outcome and a predicted class, in one window."""

    model: str
    model_version: str
    window: str
    outcome: str
    prediction: str
    records: Value
