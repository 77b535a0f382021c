"""Views of model versions into one Snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from driftgauge.config import DAY
from driftgauge.evaluate import fleet
from driftgauge.evaluate.against import drift_against
from driftgauge.evaluate.cohorts import quality_rows
from driftgauge.evaluate.detectors import detectors
from driftgauge.evaluate.distributions import ViewDistributions
from driftgauge.evaluate.drift import drift, drift_rows
from driftgauge.evaluate.estimated_value import estimated_value
from driftgauge.evaluate.estimates import estimates
from driftgauge.evaluate.paired import paired_comparisons
from driftgauge.evaluate.reference_quality import outcome_shifts, quality_changes
from driftgauge.evaluate.relation import relation_shifts, relation_state, relation_verdicts
from driftgauge.evaluate.relation_bins import relation_bins
from driftgauge.evaluate.reweighted import reweighted
from driftgauge.evaluate.schema import schema_violations
from driftgauge.evaluate.segment_drift import segment_drift
from driftgauge.evaluate.thresholds import best_thresholds, decisions, threshold_values
from driftgauge.evaluate.value import business_value, in_full, value_info
from driftgauge.evaluate.verdicts import verdicts
from driftgauge.evaluate.versions import newest_pairs, version_comparisons, version_drift
from driftgauge.evaluate.worst_segments import segment_gaps, worst_segments
from driftgauge.snapshot import (
    Cohort,
    Drift,
    Flag,
    LabelState,
    Notice,
    Quality,
    ReferenceState,
    Snapshot,
    VersionSnapshot,
    VersionState,
    WindowState,
)
from driftgauge.view import VersionView, WindowView


def evaluate(
    views: Sequence[VersionView],
    wall: float,
    seconds: float,
    notices: tuple[Notice, ...] = (),
    *,
    segments: bool = False,
    schema: bool = False,
    concept: bool = False,
) -> Snapshot:
    """Every number of every version. Pure; runs outside of the writer.

    Args:
        wall: wall time of the evaluation; seconds: what it took so far.
        segments: whether precision, recall, F1 and ROC AUC are exported by segment.
        schema: whether violations of the schema are exported by feature.
        concept: whether changed relations are exported by bin.

    Cost: about 10 / 15 / 40 ms a version of 25 / 200 / 1000 features and three windows; measured in
    docs/benchmark.md.
    """
    before = newest_pairs(views)
    versions = tuple(
        version(
            view,
            wall,
            before.get((view.model, view.version)),
            segments=segments,
            schema=schema,
            concept=concept,
        )
        for view in views
    )
    distributions = {(view.model, view.version): ViewDistributions(view) for view in views}
    return Snapshot(wall, seconds, versions, notices, distributions)


def version(
    view: VersionView,
    wall: float,
    older: VersionView | None = None,
    *,
    segments: bool = False,
    schema: bool = False,
    concept: bool = False,
) -> VersionSnapshot:
    """All rows of one version; *older* is the one that it is compared with."""
    between = version_drift(view, older)
    value, segment_value = business_value(view, segments=segments)
    decided = decisions(view)
    shifts = tuple(relation_shifts(view))
    found = quality_rows(view)
    estimated = estimates(view)
    estimated_values = estimated_value(view, estimated.whole)
    taken = verdicts(view)
    worth = in_full(value, segment_value)
    of_outcome = tuple(outcome_shifts(view))
    short = {w.name for w in view.windows if w.seconds < DAY}
    by_segment = _by_segment(view)
    other = [row for row in found.quality if row.segment and not segments and not by_segment(row)]
    gaps = segment_gaps(found.quality, (*found.classes, *found.segment_classes), worth)
    return VersionSnapshot(
        state=_state(view, wall),
        windows=tuple(w for window in view.windows for w in _windows(view, window)),
        drift=tuple(_drift(view)),
        quality=tuple(row for row in found.quality if segments or not row.segment or by_segment(row)),
        other_segment_quality=tuple(other),
        classes=(*found.classes, *found.segment_classes) if segments else tuple(found.classes),
        segment_classes=tuple(found.segment_classes),
        labels=tuple(label for window in view.windows for label in _labels(view, window)),
        flags=tuple(
            Flag(view.model, view.version, state, float(state is view.inputs.state))
            for state in ReferenceState
        ),
        bins=tuple(fleet.bins(view)),
        moments=tuple(fleet.fleet_moments(view)),
        score_bins=tuple(fleet.score_bins(view)),
        confusion=tuple(fleet.confusion(view)),
        errors=tuple(fleet.error_sums(view)),
        class_counts=tuple(fleet.class_counts(view)),
        value_info=tuple(value_info(view)),
        value=value,
        segment_value=segment_value,
        estimated_value=tuple(row for row in estimated_values if segments or not row.segment),
        segment_estimated_value=tuple(row for row in estimated_values if row.segment),
        best_thresholds=tuple(best_thresholds(view, decided)),
        threshold_values=tuple(threshold_values(view, decided)),
        against=tuple(drift_against(view)),
        schema=tuple(schema_violations(view, every=schema)),
        segment_drift=tuple(segment_drift(view)),
        worst_segments=worst_segments(gaps),
        segment_gaps=gaps,
        relation=tuple(relation_state(view)),
        outcome_shifts=tuple(row for row in of_outcome if not row.class_ or row.window not in short),
        short_outcome_shifts=tuple(row for row in of_outcome if row.class_ and row.window in short),
        quality_changes=tuple(quality_changes(view, found.quality, found.classes, found.intervals)),
        relation_shifts=shifts,
        relation_bins=tuple(relation_bins(shifts)) if concept else (),
        relation_verdicts=tuple(relation_verdicts(view)),
        performance=tuple(found.performance),
        class_performance=tuple(found.class_performance),
        segment_performance=tuple(found.segment_performance),
        segment_class_performance=tuple(found.segment_class_performance),
        intervals=(*found.intervals, *found.segment_intervals) if segments else tuple(found.intervals),
        segment_intervals=tuple(found.segment_intervals),
        class_intervals=tuple(found.class_intervals),
        calibration=tuple(found.calibration),
        calibration_bins=tuple(found.calibration_bins),
        reweighted=tuple(row for window in view.windows for row in reweighted(view, window)),
        confusion_counts=tuple(found.confusion_counts),
        detectors=tuple(detectors(view)),
        comparisons=tuple(version_comparisons(view, older, between)),
        version_drift=tuple(between),
        paired=tuple(paired_comparisons(view, older)),
        estimates=tuple(estimated.whole),
        part_estimates=tuple(estimated.parts),
        expected_cells=tuple(estimated.cells),
        verdicts=taken.rows,
        verdict_summaries=taken.summaries,
        verdict_flags=taken.flags,
    )


def _by_segment(view: VersionView) -> Callable[[Quality], bool]:
    """Which rows of segments are exported by default: of the cohort that alerts stand on, in long windows."""
    config = view.config
    usual = Cohort.MATURED if config.outcomes.are_late else Cohort.ARRIVED
    told = {
        window.name
        for window, seconds in zip(view.windows, config.windows, strict=True)
        if seconds in config.segment_windows
    }
    return lambda row: row.cohort == usual and row.window in told


def _drift(view: VersionView) -> Iterator[Drift]:
    of_outputs = drift(view.outputs, [window.outputs for window in view.windows])
    of_inputs = drift(view.inputs, [window.inputs for window in view.windows])
    for place, window in enumerate(view.windows):
        labels = (view.model, view.version, window.name)
        for watched, found in ((view.outputs, of_outputs), (view.inputs, of_inputs)):
            if found:
                yield from drift_rows(watched, found[place], *labels)


def _windows(view: VersionView, window: WindowView) -> Iterator[WindowState]:
    outcomes = 0
    matured = None
    if view.quality is not None:
        if window.arrived is not None:
            outcomes = int(view.quality.outcomes(window.arrived)[0])
        if window.matured is not None:
            matured = int(view.quality.outcomes(window.matured)[0])
    for cohort, samples, covered, age in (
        (Cohort.PREDICTED, window.predictions, window.covered_seconds, 0.0),
        (Cohort.ARRIVED, outcomes, window.covered_seconds, 0.0),
        (Cohort.MATURED, matured, window.matured_covered_seconds, window.matured_age_seconds),
    ):
        if samples is not None:
            yield WindowState(
                view.model,
                view.version,
                window.name,
                cohort,
                float(samples),
                covered,
                min(1.0, covered / window.seconds),
                window.span_seconds,
                age,
            )


def _labels(view: VersionView, window: WindowView) -> Iterator[LabelState]:
    if view.quality is None:
        return
    if window.predicted_base:
        ratio = window.predicted_outcomes / window.predicted_base
        yield LabelState(view.model, view.version, window.name, Cohort.PREDICTED, min(1.0, ratio))
    if window.matured is not None and window.matured_base:
        outcomes = int(view.quality.outcomes(window.matured)[0])
        ratio = min(1.0, outcomes / window.matured_base)
        yield LabelState(view.model, view.version, window.name, Cohort.MATURED, ratio)


def _state(view: VersionView, wall: float) -> VersionState:
    reference = view.inputs.reference
    inputs = view.inputs.inputs
    samples = None
    if reference is not None and inputs is not None:
        samples = float(inputs.records(reference.row))
    return VersionState(
        model=view.model,
        model_version=view.version,
        reference="" if reference is None else reference.id,
        reference_state=view.inputs.state,
        reference_samples=samples,
        reference_span_seconds=None if reference is None else reference.span_seconds,
        task="" if view.task is None else view.task,
        features=float(view.features),
        pending=float(view.pending),
        pending_sample_ratio=view.sample_ratio,
        deduplication_reach_seconds=view.reach_seconds,
        label_delay_p50_seconds=view.delay_p50,
        label_delay_p95_seconds=view.delay_p95,
        matures_after_seconds=view.matures_after,
        clock_timestamp_seconds=view.now,
        last_evaluation_timestamp_seconds=wall,
        last_prediction_timestamp_seconds=view.predicted_at,
        last_outcome_timestamp_seconds=view.outcome_at,
        series=None,
        series_dropped=None,
    )
