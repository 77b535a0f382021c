"""What an evaluation found: finished, immutable values that a scrape, the page and the API read.

Each class is one *kind of row*: some of its fields are labels, the others values. A value that can't
be given (too little data, a task that has no such number) is None, and its series is left out. The
table in `metrics` says which field becomes which metric; the JSON of ``GET /v1/models`` is these
rows as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = float | None


class Cohort(StrEnum):
    """By which time a window's records are chosen."""

    PREDICTED = "predicted"
    ARRIVED = "arrived"
    MATURED = "matured"


class ReferenceState(StrEnum):
    """How far a reference can be trusted."""

    LEARNING = "learning"
    PROVISIONAL = "provisional"
    UNSTABLE = "unstable"
    FROZEN = "frozen"
    GIVEN = "given"


class VerdictState(StrEnum):
    """Whether a verdict can be given, or why not; `UNSETTLED` stands for any reference that isn't fixed."""

    JUDGED = "judged"
    SHORT_WINDOW = "short_window"
    WAITING = "waiting"
    LEARNING = "learning"
    PROVISIONAL = "provisional"
    UNSTABLE = "unstable"
    NOT_COVERED = "not_covered"
    FEW_SAMPLES = "few_samples"
    PHI_UNKNOWN = "phi_unknown"
    IDENTIFIER = "identifier"
    UNSETTLED = "unsettled"


FLAGGED_VERDICT_STATES = (
    VerdictState.JUDGED,
    VerdictState.WAITING,
    VerdictState.UNSETTLED,
    VerdictState.NOT_COVERED,
    VerdictState.FEW_SAMPLES,
    VerdictState.PHI_UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class WindowState:
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


@dataclass(frozen=True, slots=True)
class Drift:
    """One feature or output in one window against the reference; exactly one of the two is named."""

    model: str
    model_version: str
    feature: str
    output: str
    kind: str
    window: str
    samples: Value
    psi: Value
    ks: Value
    ks_bound: Value
    js_distance: Value
    wasserstein: Value
    mean_shift_sd: Value
    mean_shift_ratio: Value
    missing_ratio: Value
    not_finite_ratio: Value
    unseen_ratio: Value
    out_of_range_ratio: Value
    hellinger: Value = None
    total_variation: Value = None
    l_infinity: Value = None
    chi_square_p: Value = None
    spread_ratio: Value = None
    p05_shift_sd: Value = None
    p50_shift_sd: Value = None
    p95_shift_sd: Value = None


@dataclass(frozen=True, slots=True)
class DriftAgainst:
    """One feature or output in one window against an earlier one; exactly one of the two is named."""

    model: str
    model_version: str
    feature: str
    output: str
    window: str
    against: str
    samples: Value
    against_samples: Value
    psi: Value
    ks: Value
    js_distance: Value
    wasserstein: Value
    mean_shift_sd: Value
    mean_shift_ratio: Value


@dataclass(frozen=True, slots=True)
class VersionDrift:
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


@dataclass(frozen=True, slots=True)
class VersionComparison:
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one feature or output was found to be when its window's newest pane closed.

    `state` says why there is no verdict, where there is none; `smallest_shift_sd` is of numeric ones.
    """

    model: str
    model_version: str
    feature: str
    output: str
    window: str
    state: str
    drift: Value
    beyond_reference: Value
    p_value: Value
    adjusted_p_value: Value
    overdispersion: Value
    reference_windows: Value
    critical_psi: Value
    smallest_shift_sd: Value
    held_ratio: Value


@dataclass(frozen=True, slots=True)
class VerdictSummary:
    """Verdicts of a version's features in one window; `state` is that of the most features."""

    model: str
    model_version: str
    window: str
    state: str
    judged_features: Value
    drifted_ratio: Value
    overdispersion_max: Value


@dataclass(frozen=True, slots=True)
class VerdictFlag:
    """One of the closed set of verdict states: 1 for the one that holds in a window."""

    model: str
    model_version: str
    window: str
    state: str
    holds: Value


@dataclass(frozen=True, slots=True)
class Quality:
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


@dataclass(frozen=True, slots=True)
class ClassQuality:
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


@dataclass(frozen=True, slots=True)
class LabelState:
    """How a version's outcomes come in one window of prediction time."""

    model: str
    model_version: str
    window: str
    cohort: str
    coverage_ratio: Value


@dataclass(frozen=True, slots=True)
class VersionState:
    """One model version as a whole."""

    model: str
    model_version: str
    reference: str
    reference_state: str
    reference_samples: Value
    reference_span_seconds: Value
    task: str
    features: Value
    pending: Value
    pending_sample_ratio: Value
    deduplication_reach_seconds: Value
    label_delay_p50_seconds: Value
    label_delay_p95_seconds: Value
    matures_after_seconds: Value
    clock_timestamp_seconds: Value
    last_evaluation_timestamp_seconds: Value
    last_prediction_timestamp_seconds: Value
    last_outcome_timestamp_seconds: Value
    series: Value
    series_dropped: Value


@dataclass(frozen=True, slots=True)
class Flag:
    """One of a closed set of states: 1 for the one that holds, 0 for the others."""

    model: str
    model_version: str
    state: str
    holds: Value


@dataclass(frozen=True, slots=True)
class BinCount:
    """Fleet counter: records of a feature or output per coarse bin since the process started."""

    model: str
    model_version: str
    feature: str
    output: str
    reference: str
    bin: str
    records: Value
    reference_ratio: Value


@dataclass(frozen=True, slots=True)
class Moments:
    """Fleet counters of a numeric feature or output: what means and spreads are made from."""

    model: str
    model_version: str
    feature: str
    output: str
    reference: str
    values: Value
    above_floor_sum: Value
    deviation_squares_sum: Value
    floor: Value
    reference_mean: Value
    reference_sd: Value


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Fleet counter: outcomes of a class per coarse score bin, and strictly below it."""

    model: str
    model_version: str
    class_: str
    outcome: str
    bin: str
    outcomes: Value
    outcomes_below: Value


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """Fleet counter: joined outcomes by class and predicted class."""

    model: str
    model_version: str
    outcome: str
    prediction: str
    outcomes: Value


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Fleet counters of a regression: sums from which RMSE, MAE, R2 and bias are made."""

    model: str
    model_version: str
    outcomes: Value
    absolute: Value
    squared: Value
    over: Value
    under: Value
    outcome_squares: Value
    outcome_over: Value
    outcome_under: Value
    outcome_centre: Value


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """The unit of a version's values; `configured` is 1."""

    model: str
    model_version: str
    currency: str
    configured: Value


@dataclass(frozen=True, slots=True)
class BusinessValue:
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


@dataclass(frozen=True, slots=True)
class EstimatedValue:
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


@dataclass(frozen=True, slots=True)
class BestThreshold:
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


@dataclass(frozen=True, slots=True)
class ThresholdValue:
    """What the decisions of a matured window would have been worth at one threshold; never exported."""

    model: str
    model_version: str
    window: str
    threshold: float
    value: float


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """Counter: values of one feature that broke the schema since the process started; ``feature=""``
    is all that isn't watched.
    """

    model: str
    model_version: str
    feature: str
    violation: str
    values: Value


@dataclass(frozen=True, slots=True)
class Performance:
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


@dataclass(frozen=True, slots=True)
class ClassPerformance:
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


@dataclass(frozen=True, slots=True)
class QualityInterval:
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


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether a classifier's scores are probabilities; `slope` and `intercept` are a binary model's."""

    model: str
    model_version: str
    window: str
    cohort: str
    samples: Value
    slope: Value
    intercept: Value
    mce: Value


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One of ten equal bins of the score (multiclass: of the predicted class's): what it said, what came."""

    model: str
    model_version: str
    window: str
    cohort: str
    bin: str
    samples: Value
    score: Value
    outcome: Value


@dataclass(frozen=True, slots=True)
class Reweighted:
    """Quality of the matured cohort if all its predictions had outcomes, not those alone that do.

    Attributes:
        selection_psi: how differently the labelled and all predictions are distributed.
        supported: share of all predictions whose like have outcomes.
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


@dataclass(frozen=True, slots=True)
class ConfusionCount:
    """Joined outcomes of one window and cohort by class and predicted class."""

    model: str
    model_version: str
    window: str
    cohort: str
    outcome: str
    prediction: str
    samples: Value


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector of changes in the stream of errors of joined records, the whole model's."""

    model: str
    model_version: str
    detector: str
    samples: Value
    state: Value
    detections: Value
    last_detection_timestamp_seconds: Value


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


class EstimateState(StrEnum):
    """Whether performance is estimated without outcomes, or why not."""

    GIVEN = "given"
    NO_REFERENCE = "no_reference"
    FEW_OUTCOMES = "few_outcomes"
    MISCALIBRATED = "miscalibrated"
    FEW_SCORES = "few_scores"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Estimate:
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


@dataclass(frozen=True, slots=True)
class PartEstimate:
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


@dataclass(frozen=True, slots=True)
class ExpectedCell:
    """Records to expect of an outcome and a predicted class, in one window."""

    model: str
    model_version: str
    window: str
    outcome: str
    prediction: str
    records: Value


@dataclass(frozen=True, slots=True)
class RelationShift:
    """How the outcome depends on one feature in a matured window, against the reference.

    `class_` is the class whose relation changed most, of more than two; `bins` are those whose change
    is beyond chance. `state` says whether the relation was judged when the newest pane closed, or why
    not; "" where windows of this length are not.
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


@dataclass(frozen=True, slots=True)
class OutcomeShift:
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


@dataclass(frozen=True, slots=True)
class QualityChange:
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


@dataclass(frozen=True, slots=True)
class RelationVerdicts:
    """How many features' relations were judged in a window, and found to have changed."""

    model: str
    model_version: str
    window: str
    judged: Value
    changed: Value


@dataclass(frozen=True, slots=True)
class RelationState:
    """What the relation of a version is compared with; no outcomes while it is learned."""

    model: str
    model_version: str
    state: str
    outcomes: Value


Row = (
    WindowState
    | Drift
    | Verdict
    | VerdictSummary
    | VerdictFlag
    | Quality
    | ClassQuality
    | LabelState
    | VersionState
    | Flag
    | BinCount
    | Moments
    | ScoreBin
    | ConfusionCell
    | ErrorSums
    | ValueInfo
    | BusinessValue
    | EstimatedValue
    | BestThreshold
    | DriftAgainst
    | SchemaViolation
    | SegmentDrift
    | WorstSegment
    | Performance
    | ClassPerformance
    | QualityInterval
    | Calibration
    | CalibrationBin
    | Reweighted
    | ConfusionCount
    | Detector
    | VersionComparison
    | Estimate
    | PartEstimate
    | ExpectedCell
    | RelationState
    | OutcomeShift
    | QualityChange
    | RelationShift
    | RelationVerdicts
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One plain sentence about something that happened, for people."""

    time: float
    model: str
    text: str


@dataclass(frozen=True, slots=True)
class VersionSnapshot:
    """All rows of one model version, in the order in which they are exported.

    `segment_classes` is for people (the page, GET /v1/models); its rows are among `classes` too where
    the family `segments` is switched on. So is `segment_value`, whose rows stand in `value` without
    their intervals unless it is. `threshold_values` is for people only. `schema` has what was broken so
    far, and every watched feature where the family `schema` is switched on.
    their intervals unless it is. `threshold_values` is for people only.

    So it is with `segment_intervals`, whose rows are among `intervals` where `segments` is switched on.
    `segment_performance`, `segment_class_performance`, `class_intervals` and `confusion_counts` are
    for people only.
    """

    state: VersionState
    windows: tuple[WindowState, ...]
    drift: tuple[Drift, ...]
    quality: tuple[Quality, ...]
    classes: tuple[ClassQuality, ...]
    segment_classes: tuple[ClassQuality, ...]
    labels: tuple[LabelState, ...]
    flags: tuple[Flag, ...]
    bins: tuple[BinCount, ...]
    moments: tuple[Moments, ...]
    score_bins: tuple[ScoreBin, ...]
    confusion: tuple[ConfusionCell, ...]
    errors: tuple[ErrorSums, ...]
    verdicts: tuple[Verdict, ...] = ()
    verdict_summaries: tuple[VerdictSummary, ...] = ()
    verdict_flags: tuple[VerdictFlag, ...] = ()
    value_info: tuple[ValueInfo, ...] = ()
    value: tuple[BusinessValue, ...] = ()
    segment_value: tuple[BusinessValue, ...] = ()
    estimated_value: tuple[EstimatedValue, ...] = ()
    segment_estimated_value: tuple[EstimatedValue, ...] = ()
    best_thresholds: tuple[BestThreshold, ...] = ()
    threshold_values: tuple[ThresholdValue, ...] = ()
    against: tuple[DriftAgainst, ...] = ()
    schema: tuple[SchemaViolation, ...] = ()
    segment_drift: tuple[SegmentDrift, ...] = ()
    worst_segments: tuple[WorstSegment, ...] = ()
    segment_gaps: tuple[SegmentGap, ...] = ()
    performance: tuple[Performance, ...] = ()
    class_performance: tuple[ClassPerformance, ...] = ()
    segment_performance: tuple[Performance, ...] = ()
    segment_class_performance: tuple[ClassPerformance, ...] = ()
    intervals: tuple[QualityInterval, ...] = ()
    segment_intervals: tuple[QualityInterval, ...] = ()
    class_intervals: tuple[QualityInterval, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    calibration_bins: tuple[CalibrationBin, ...] = ()
    reweighted: tuple[Reweighted, ...] = ()
    confusion_counts: tuple[ConfusionCount, ...] = ()
    detectors: tuple[Detector, ...] = ()
    comparisons: tuple[VersionComparison, ...] = ()
    version_drift: tuple[VersionDrift, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    part_estimates: tuple[PartEstimate, ...] = ()
    expected_cells: tuple[ExpectedCell, ...] = ()
    relation: tuple[RelationState, ...] = ()
    outcome_shifts: tuple[OutcomeShift, ...] = ()
    quality_changes: tuple[QualityChange, ...] = ()
    relation_shifts: tuple[RelationShift, ...] = ()
    relation_verdicts: tuple[RelationVerdicts, ...] = ()

    def rows(self) -> tuple[Row, ...]:
        """Every row, class by class."""
        return (
            self.state,
            *self.windows,
            *self.labels,
            *self.flags,
            *self.drift,
            *self.verdicts,
            *self.verdict_summaries,
            *self.verdict_flags,
            *self.quality,
            *self.classes,
            *self.bins,
            *self.moments,
            *self.score_bins,
            *self.confusion,
            *self.errors,
            *self.value_info,
            *self.value,
            *self.estimated_value,
            *self.best_thresholds,
            *self.against,
            *self.schema,
            *self.segment_drift,
            *self.worst_segments,
            *self.performance,
            *self.class_performance,
            *self.intervals,
            *self.calibration,
            *self.calibration_bins,
            *self.reweighted,
            *self.detectors,
            *self.comparisons,
            *self.estimates,
            *self.part_estimates,
            *self.expected_cells,
            *self.relation,
            *self.outcome_shifts,
            *self.quality_changes,
            *self.relation_shifts,
            *self.relation_verdicts,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One evaluation of every model version.

    Attributes:
        evaluated_at: wall time, epoch seconds.
        seconds: what the evaluation took.
    """

    evaluated_at: float
    seconds: float
    versions: tuple[VersionSnapshot, ...]
    notices: tuple[Notice, ...] = ()


EMPTY = Snapshot(evaluated_at=0.0, seconds=0.0, versions=())
