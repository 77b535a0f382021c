"""How far quality can be off by chance."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class QualityInterval(SnapshotRow, frozen=True):
    """95% intervals of quality; fields are named after those of the rows that hold the values.

    Attributes:
        interval: ``jackknife``: from `groups` groups of panes, at least as wide as that of independent
            records; ``independent``: that one, since there are too few groups.
        groups: their effective number.
    """

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    class_: str
    interval: str
    groups: Value
    accuracy_low: Value = None
    accuracy_high: Value = None
    precision_low: Value = None
    precision_high: Value = None
    recall_low: Value = None
    recall_high: Value = None
    f1_low: Value = None
    f1_high: Value = None
    roc_auc_low: Value = None
    roc_auc_high: Value = None
    mae_low: Value = None
    mae_high: Value = None
    rmse_low: Value = None
    rmse_high: Value = None
    r2_low: Value = None
    r2_high: Value = None
    bias_low: Value = None
    bias_high: Value = None
    log_loss_low: Value = None
    log_loss_high: Value = None
    brier_low: Value = None
    brier_high: Value = None
    specificity_low: Value = None
    specificity_high: Value = None
    balanced_accuracy_low: Value = None
    balanced_accuracy_high: Value = None
    mcc_low: Value = None
    mcc_high: Value = None
    average_precision_low: Value = None
    average_precision_high: Value = None
    ece_low: Value = None
    ece_high: Value = None
    mape_low: Value = None
    mape_high: Value = None
    slope_low: Value = None
    slope_high: Value = None
    intercept_low: Value = None
    intercept_high: Value = None
