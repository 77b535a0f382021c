"""Quality of joined predictions, of the whole model, its segments and its classes."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class Quality(SnapshotRow, frozen=True):
    """Quality of a model in one window, cohort and segment (``segment=""``: the whole model)."""

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    samples: Value
    accuracy: Value = None
    log_loss: Value = None
    brier: Value = None
    ece: Value = None
    rmse: Value = None
    mae: Value = None
    r2: Value = None
    bias: Value = None


class ClassQuality(SnapshotRow, frozen=True):
    """Quality of one class; ``class_=""`` is the positive class (binary) or the macro mean."""

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    class_: str
    samples: Value
    precision: Value = None
    recall: Value = None
    f1: Value = None
    roc_auc: Value = None
    roc_auc_half_width: Value = None
