"""What an evaluation found: finished, immutable values that a scrape, the page and the API read.

Each class is one *kind of row*: some of its fields are labels, the others values. A value that can't
be given (too little data, a task that has no such number) is None, and its series is left out. The
table in `metrics` says which field becomes which metric; the JSON of ``GET /v1/models`` is these
rows as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field  # `field` is a module here

from driftgauge.snapshot.against import DriftAgainst
from driftgauge.snapshot.comparisons import PairedComparison, VersionComparison, VersionDrift
from driftgauge.snapshot.concept import (
    OutcomeShift,
    QualityChange,
    RelationBin,
    RelationShift,
    RelationState,
    RelationVerdicts,
)
from driftgauge.snapshot.detectors import Detector
from driftgauge.snapshot.distributions import (
    BinnedRecords,
    Distribution,
    Distributions,
    RelatedOutcomes,
    WindowOutcomes,
    WindowRecords,
)
from driftgauge.snapshot.drift import Drift
from driftgauge.snapshot.estimates import Estimate, EstimateState, ExpectedCell, PartEstimate
from driftgauge.snapshot.field import Value
from driftgauge.snapshot.fleet import BinCount, ClassCount, ConfusionCell, ErrorSums, Moments, ScoreBin
from driftgauge.snapshot.intervals import QualityInterval
from driftgauge.snapshot.performance import (
    Calibration,
    CalibrationBin,
    ClassPerformance,
    ConfusionCount,
    Performance,
    Reweighted,
)
from driftgauge.snapshot.quality import ClassQuality, Quality
from driftgauge.snapshot.schema import SchemaViolation
from driftgauge.snapshot.segments import SegmentDrift, SegmentGap, WorstSegment
from driftgauge.snapshot.value import (
    BestThreshold,
    BusinessValue,
    EstimatedValue,
    EstimatedValueState,
    ThresholdValue,
    ValueInfo,
)
from driftgauge.snapshot.verdicts import (
    FLAGGED_VERDICT_STATES,
    Verdict,
    VerdictFlag,
    VerdictState,
    VerdictSummary,
)
from driftgauge.snapshot.versions import Flag, ReferenceState, VersionState
from driftgauge.snapshot.windows import Cohort, LabelState, WindowState

__all__ = [
    "EMPTY",
    "FLAGGED_VERDICT_STATES",
    "BestThreshold",
    "BinCount",
    "BinnedRecords",
    "BusinessValue",
    "Calibration",
    "CalibrationBin",
    "ClassCount",
    "ClassPerformance",
    "ClassQuality",
    "Cohort",
    "ConfusionCell",
    "ConfusionCount",
    "Detector",
    "Distribution",
    "Distributions",
    "Drift",
    "DriftAgainst",
    "ErrorSums",
    "Estimate",
    "EstimateState",
    "EstimatedValue",
    "EstimatedValueState",
    "ExpectedCell",
    "Flag",
    "LabelState",
    "Moments",
    "Notice",
    "OutcomeShift",
    "PairedComparison",
    "PartEstimate",
    "Performance",
    "Quality",
    "QualityChange",
    "QualityInterval",
    "ReferenceState",
    "RelatedOutcomes",
    "RelationBin",
    "RelationShift",
    "RelationState",
    "RelationVerdicts",
    "Reweighted",
    "Row",
    "SchemaViolation",
    "ScoreBin",
    "SegmentDrift",
    "SegmentGap",
    "Snapshot",
    "ThresholdValue",
    "Value",
    "ValueInfo",
    "Verdict",
    "VerdictFlag",
    "VerdictState",
    "VerdictSummary",
    "VersionComparison",
    "VersionDrift",
    "VersionSnapshot",
    "VersionState",
    "WindowOutcomes",
    "WindowRecords",
    "WindowState",
    "WorstSegment",
]

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
    | ClassCount
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
    | PairedComparison
    | PairedComparison
    | Estimate
    | PartEstimate
    | ExpectedCell
    | RelationState
    | OutcomeShift
    | QualityChange
    | RelationShift
    | RelationVerdicts
    | RelationBin
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
    far, and every watched feature where the family `schema` is switched on. `relation_bins` are there where
    the family `concept` is; `relation_shifts` has the same numbers.

    So it is with `segment_intervals`, whose rows are among `intervals` where `segments` is switched on.
    `segment_performance`, `segment_class_performance`, `class_intervals` and `confusion_counts` are
    for people only. So are `short_outcome_shifts`, by class, in windows of less than a day, and
    `other_segment_quality`: without the family `segments`, segments of the cohort that alerts don't
    stand on, and in windows of less than a day where there are longer ones.
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
    relation_bins: tuple[RelationBin, ...] = ()
    class_counts: tuple[ClassCount, ...] = ()
    short_outcome_shifts: tuple[OutcomeShift, ...] = ()
    other_segment_quality: tuple[Quality, ...] = ()
    paired: tuple[PairedComparison, ...] = ()

    @property
    def all_quality(self) -> tuple[Quality, ...]:
        """Of the whole model and of every segment, by both cohorts."""
        return (*self.quality, *self.other_segment_quality)

    def rows(self) -> tuple[Row, ...]:
        """Every row that metrics are read from, class by class."""
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
            *self.class_counts,
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
            *self.paired,
            *self.estimates,
            *self.part_estimates,
            *self.expected_cells,
            *self.relation,
            *self.outcome_shifts,
            *self.quality_changes,
            *self.relation_shifts,
            *self.relation_verdicts,
            *self.relation_bins,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One evaluation of every model version.

    Attributes:
        evaluated_at: wall time, epoch seconds.
        seconds: what the evaluation took.
        distributions: by model and version.
    """

    evaluated_at: float
    seconds: float
    versions: tuple[VersionSnapshot, ...]
    notices: tuple[Notice, ...] = ()
    distributions: Mapping[tuple[str, str], Distributions] = dataclass_field(
        default_factory=dict, compare=False
    )


EMPTY = Snapshot(evaluated_at=0.0, seconds=0.0, versions=())
