"""The newest version of a model against the one before it."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class VersionDrift(SnapshotRow, frozen=True):
    """One feature or output of the newest version against the one before it, in one window of both."""

    model: str
    model_version: str
    against_version: str
    feature: str
    output: str
    window: str
    samples: Value
    against_samples: Value
    psi: Value
    ks: Value
    js_distance: Value
    wasserstein: Value
    mean_shift_sd: Value
    mean_shift_ratio: Value


class VersionComparison(SnapshotRow, frozen=True):
    """The newest version of a model against the one before it, in one window of both.

    Differences are the newest one's minus the other's, with a 95% interval and a two-sided p.
    """

    model: str
    model_version: str
    against_version: str
    window: str
    samples: Value
    against_samples: Value
    feature_psi_max: Value
    score_psi: Value
    prediction_psi: Value
    outcomes: Value = None
    against_outcomes: Value = None
    accuracy_difference: Value = None
    accuracy_difference_low: Value = None
    accuracy_difference_high: Value = None
    accuracy_difference_p: Value = None
    roc_auc_difference: Value = None
    roc_auc_difference_low: Value = None
    roc_auc_difference_high: Value = None
    roc_auc_difference_p: Value = None
    mae_difference: Value = None
    mae_difference_low: Value = None
    mae_difference_high: Value = None
    mae_difference_p: Value = None


class PairedComparison(SnapshotRow, frozen=True):
    """The newest version of a model against the one before it on the cases that both answered, by outcomes
    that came in one window.

    Differences are the newest one's minus the other's, with a 95% interval and a two-sided p.
    """

    model: str
    model_version: str
    against_version: str
    window: str
    samples: Value
    accuracy_difference: Value = None
    accuracy_difference_low: Value = None
    accuracy_difference_high: Value = None
    accuracy_difference_p: Value = None
    roc_auc_difference: Value = None
    roc_auc_difference_low: Value = None
    roc_auc_difference_high: Value = None
    roc_auc_difference_p: Value = None
    brier_difference: Value = None
    brier_difference_low: Value = None
    brier_difference_high: Value = None
    brier_difference_p: Value = None
    log_loss_difference: Value = None
    log_loss_difference_low: Value = None
    log_loss_difference_high: Value = None
    log_loss_difference_p: Value = None
    mae_difference: Value = None
    mae_difference_low: Value = None
    mae_difference_high: Value = None
    mae_difference_p: Value = None
    mse_difference: Value = None
    mse_difference_low: Value = None
    mse_difference_high: Value = None
    mse_difference_p: Value = None
