"""More quality: balanced and weighted measures, calibration, quality of all predictions."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class Performance(SnapshotRow, frozen=True):
    """More quality of a model in one window, cohort and segment.

    `mape_samples` are the records whose outcome isn't 0; the ``weighted`` ones are means over classes
    weighted by their outcomes (multiclass).
    """

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    balanced_accuracy: Value = None
    mcc: Value = None
    mape: Value = None
    mape_samples: Value = None
    precision_weighted: Value = None
    f1_weighted: Value = None
    roc_auc_weighted: Value = None


class ClassPerformance(SnapshotRow, frozen=True):
    """More quality of one class; ``class_=""`` as for `ClassQuality`."""

    model: str
    model_version: str
    window: str
    cohort: str
    segment: str
    segment_value: str
    class_: str
    specificity: Value = None
    average_precision: Value = None
    average_precision_half_width: Value = None


class Calibration(SnapshotRow, frozen=True):
    """Whether a classifier's scores are probabilities; `slope` and `intercept` are a binary model's."""

    model: str
    model_version: str
    window: str
    cohort: str
    samples: Value
    slope: Value
    intercept: Value
    mce: Value


class CalibrationBin(SnapshotRow, frozen=True):
    """One of ten equal bins of the score (multiclass: of the predicted class's): what it said, what came."""

    model: str
    model_version: str
    window: str
    cohort: str
    bin: str
    samples: Value
    score: Value
    outcome: Value


class Reweighted(SnapshotRow, frozen=True):
    """Quality of the matured cohort if all its predictions had outcomes, not those alone that do.

    Attributes:
        selection_psi: how differently the labelled and all predictions are distributed.
        supported: share of all predictions whose like have outcomes.
        accuracy, precision, recall, f1, log_loss: a classifier's; mae, rmse, bias, r2: a regression's.
    """

    model: str
    model_version: str
    window: str
    cohort: str
    selection_psi: Value
    supported: Value
    accuracy: Value
    precision: Value
    recall: Value
    f1: Value
    log_loss: Value = None
    mae: Value = None
    rmse: Value = None
    bias: Value = None
    r2: Value = None


class ConfusionCount(SnapshotRow, frozen=True):
    """Joined outcomes of one window and cohort by class and predicted class."""

    model: str
    model_version: str
    window: str
    cohort: str
    outcome: str
    prediction: str
    samples: Value
