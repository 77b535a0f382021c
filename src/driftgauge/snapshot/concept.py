"""How the outcome depends on the features, and quality, against the reference."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class RelationShift(SnapshotRow, frozen=True):
    """How the outcome depends on one feature in a matured window, against the reference.

    `class_` is the class whose relation changed most, of more than two; `bins` are those whose change
    is beyond chance. `state` says whether the relation was judged when the newest pane closed, or why
    not; "" where windows of this length are not. `bin_shifts` are the changes of the coarse bins, missing
    and unseen values last, beyond `outcome_shift`.
    """

    model: str
    model_version: str
    feature: str
    window: str
    class_: str
    bins: tuple[str, ...]
    state: str
    samples: Value
    shift: Value = None
    outcome_shift: Value = None
    p: Value = None
    adjusted_p: Value = None
    overdispersion: Value = None
    verdict: Value = None
    bin_shifts: tuple[Value, ...] = ()


class RelationBin(SnapshotRow, frozen=True):
    """The change of the outcome in one coarse bin of a feature, beyond that of all of its bins."""

    model: str
    model_version: str
    feature: str
    window: str
    bin: str
    shift: Value


class OutcomeShift(SnapshotRow, frozen=True):
    """The outcome as a whole in a matured window against the reference, by class."""

    model: str
    model_version: str
    window: str
    class_: str
    samples: Value
    log_odds: Value = None
    log_odds_low: Value = None
    log_odds_high: Value = None
    mean_sd: Value = None
    mean_sd_low: Value = None
    mean_sd_high: Value = None


class QualityChange(SnapshotRow, frozen=True):
    """The whole model's quality in a matured window less the reference's."""

    model: str
    model_version: str
    window: str
    samples: Value
    accuracy: Value = None
    accuracy_low: Value = None
    accuracy_high: Value = None
    roc_auc: Value = None
    roc_auc_low: Value = None
    roc_auc_high: Value = None
    log_loss: Value = None
    log_loss_low: Value = None
    log_loss_high: Value = None
    mae: Value = None
    mae_low: Value = None
    mae_high: Value = None
    rmse: Value = None
    rmse_low: Value = None
    rmse_high: Value = None
    bias: Value = None
    bias_low: Value = None
    bias_high: Value = None


class RelationVerdicts(SnapshotRow, frozen=True):
    """How many features' relations were judged in a window, and found to have changed."""

    model: str
    model_version: str
    window: str
    judged: Value
    changed: Value


class RelationState(SnapshotRow, frozen=True):
    """What the relation of a version is compared with; no outcomes while it is learned."""

    model: str
    model_version: str
    state: str
    outcomes: Value
