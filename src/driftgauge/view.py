"""What an evaluation is given: copies of the totals of one model version, taken by the writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftgauge.config import Against, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.judged import Judged
from driftgauge.layout import Row
from driftgauge.records import Violation
from driftgauge.reference import Reference
from driftgauge.reference.loss import ExpectedLoss
from driftgauge.reference.relation import Relation
from driftgauge.reference.verdicts import RelationJudged
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import LearningRow
from driftgauge.sketches.paired import Paired
from driftgauge.sketches.quality import Quality
from driftgauge.sketches.scores import Scores
from driftgauge.sketches.segments import SegmentInputs
from driftgauge.sketches.value import Value, WeightedScores
from driftgauge.snapshot import ReferenceState


@dataclass(frozen=True, slots=True)
class Watched:
    """A set of inputs or outputs: its reference and how records are counted.

    Attributes:
        inputs: the bins of *reference*; None while nothing can be compared.
        lifetime: counts since the process started, in those bins; None unless they are fixed.
        mark: tells those bins from others; empty unless they are fixed.
    """

    state: ReferenceState
    reference: Reference | None
    inputs: Inputs | None
    lifetime: Row | None
    mark: bytes = b""


@dataclass(frozen=True, slots=True)
class EarlierView:
    """Totals of an earlier span that a window is compared with."""

    against: Against
    inputs: Row | LearningRow
    outputs: Row | LearningRow


@dataclass(frozen=True, slots=True)
class Related:
    """How a version's relation between inputs and outcome is counted, its reference, and by window what
    was found when its newest pane closed.
    """

    state: ReferenceState
    sketch: Concept
    codes: CoarseCodes
    reference: Relation | None
    judged: Mapping[str, RelationJudged] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segmented:
    """Chosen features by segment.

    Attributes:
        features: in the order of the sketch's rows.
        reference: the segments' own first records; *complete* once they are enough.
    """

    sketch: SegmentInputs
    features: tuple[str, ...]
    reference: Row
    complete: bool


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window of one version.

    Attributes:
        name: its label; seconds: its length on the model's clock.
        predictions: in the window.
        span_seconds, covered_seconds: true span; how much of the window the state reaches.
        judged: what it was found to be when its newest pane closed; None before that, and on short ones.
        inputs, outputs: totals, in learning bins while learning.
        arrived: quality of outcomes that came in the window; None while the task isn't known.
        predicted_outcomes, predicted_base: joined outcomes and predictions of the newest window by
            prediction time, on coarse panes.
        matured, matured_base: quality and predictions of the newest window whose outcomes are
            complete; None while it isn't known when that is.
        matured_age_seconds: how far that window's end lies behind the clock.
        matured_covered_seconds: how much of it the state reaches.
        arrived_groups, matured_groups: digests of `arrived` and `matured` by consecutive groups of
            panes, in order of time: a row whose arrays have shape (groups, cells), read through
            ``quality.digest_layout``. They add up to the window's total, for delete-one-group
            intervals of anything that is a function of sums (`stats.jackknife`). 12 to 26 groups
            where the window has so many panes; those where nothing came are left out.
        scores: all predictions of the window by score, labelled or not; None while the task isn't known.
        matured_scores: those of the matured window.
        value_arrived, value_matured: what the decisions of the same two were worth; None where no
            value is configured.
        weighted_scores, matured_weighted_scores: weights of all predictions by score, of the window and of
            the matured one; None where no weight is configured.
        segments: chosen features by segment; None where none are chosen or have bins.
        value_arrived_groups, value_matured_groups: the same by consecutive groups of panes.
        earlier: what the configuration compares the window with beside the reference.
        paired, paired_groups: cases that this version and the one before it answered, by the time the outcome
            came, and the same by consecutive groups of panes; None before the first.
        concept: the matured window's outcomes by the features' bins; None while nothing is counted.
    """

    name: str
    seconds: float
    predictions: int
    span_seconds: float
    covered_seconds: float
    judged: Judged | None
    inputs: Row | LearningRow
    outputs: Row | LearningRow
    arrived: Row | None
    predicted_outcomes: int
    predicted_base: int
    matured: Row | None
    matured_base: int
    matured_age_seconds: float
    matured_covered_seconds: float
    arrived_groups: Row | None
    matured_groups: Row | None
    scores: Row | None
    matured_scores: Row | None
    value_arrived: Row | None = None
    value_matured: Row | None = None
    value_arrived_groups: Row | None = None
    value_matured_groups: Row | None = None
    segments: Row | None = None
    weighted_scores: Row | None = None
    matured_weighted_scores: Row | None = None
    earlier: tuple[EarlierView, ...] = ()
    concept: Row | None = None
    paired: Row | None = None
    paired_groups: Row | None = None


@dataclass(frozen=True, slots=True)
class DetectorView:
    """One detector on the errors.

    Attributes:
        state: 0 stable, 1 warning, 2 drift, after the last error that it has *seen*.
        detected_at: when it last detected a drift, on the model's clock.
    """

    name: str
    state: int
    seen: int
    detections: int
    detected_at: float | None


@dataclass(frozen=True, slots=True)
class VersionView:
    """One model version at one time of its clock; `paired_with` is the version whose cases it shares."""

    model: str
    version: str
    config: ModelConfig
    task: Task | None
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    now: float
    quality: Quality | None
    inputs: Watched
    outputs: Watched
    windows: tuple[WindowView, ...]
    quality_lifetime: Row | None
    features: int
    pending: int
    sample_ratio: float
    reach_seconds: float | None
    matures_after: float | None
    delay_p50: float | None
    delay_p95: float | None
    predicted_at: float | None
    outcome_at: float | None
    scores: Scores | None
    loss: ExpectedLoss | None
    value: Value | None = None
    weighted_scores: WeightedScores | None = None
    segmented: Segmented | None = None
    violations: Mapping[tuple[str, Violation], int] = field(default_factory=dict)
    related: Related | None = None
    detectors: tuple[DetectorView, ...] = ()
    paired: Paired | None = None
    paired_with: str | None = None
