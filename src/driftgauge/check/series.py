"""Series and bytes of a scrape, computed from the metric table and a version's shape.

The rows are those of a Snapshot in full swing: every window judged, every label known. A test
renders real Snapshots and compares: counts exactly, bytes within a few percent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from driftgauge.check.estimate_series import estimate_rows
from driftgauge.check.quality_series import quality_rows
from driftgauge.check.relation_series import relation_rows
from driftgauge.check.shape import TYPICAL, Shape
from driftgauge.config import Family, FeatureKind, Limits, Task, documented_fields
from driftgauge.metrics import LIVE_METRICS, SNAPSHOT_METRICS, VERSION, Metric
from driftgauge.records import Kind, Reason, Violation
from driftgauge.sketches.inputs import COARSE_BINS, COARSE_CELLS
from driftgauge.sketches.quality import COARSE_SCORE_BINS
from driftgauge.snapshot import (
    FLAGGED_VERDICT_STATES,
    BestThreshold,
    BinCount,
    BusinessValue,
    ClassCount,
    ClassQuality,
    Cohort,
    ConfusionCell,
    Detector,
    Drift,
    DriftAgainst,
    ErrorSums,
    EstimatedValue,
    Flag,
    LabelState,
    Moments,
    PairedComparison,
    Quality,
    ReferenceState,
    SchemaViolation,
    ScoreBin,
    SegmentDrift,
    ValueInfo,
    Verdict,
    VerdictFlag,
    VerdictSummary,
    VersionComparison,
    VersionState,
    WindowState,
    WorstSegment,
)

_DISTANCES = frozenset({"js_distance", "hellinger", "total_variation", "l_infinity", "chi_square_p"})
_SHARED = frozenset({"psi", "missing_ratio"}) | _DISTANCES
_DRIFT: Mapping[FeatureKind, frozenset[str]] = {
    FeatureKind.NUMERIC: frozenset(
        {
            *_SHARED,
            "ks",
            "ks_bound",
            "wasserstein",
            "spread_ratio",
            "p05_shift_sd",
            "p50_shift_sd",
            "p95_shift_sd",
            "mean_shift_sd",
            "mean_shift_ratio",
            "not_finite_ratio",
            "out_of_range_ratio",
        }
    ),
    FeatureKind.CATEGORICAL: _SHARED | {"unseen_ratio"},
    FeatureKind.IDENTIFIER: frozenset({"missing_ratio"}),
}
_QUALITY: Mapping[Task, frozenset[str]] = {
    Task.BINARY: frozenset({"samples", "accuracy", "log_loss", "brier", "ece"}),
    Task.MULTICLASS: frozenset({"samples", "accuracy", "log_loss", "brier", "ece"}),
    Task.REGRESSION: frozenset({"samples", "rmse", "mae", "r2", "bias"}),
}
_OF_CLASS = frozenset({"precision", "recall", "f1", "roc_auc"})
_OF_NUMBERS = frozenset({"smallest_shift_sd", "critical_ks"})
_VERDICT = _OF_NUMBERS | {
    "drift",
    "beyond_reference",
    "p_value",
    "adjusted_p_value",
    "overdispersion",
    "critical_psi",
    "held_ratio",
}
_COMPARED = frozenset({"samples", "against_samples", "outcomes", "against_outcomes", "feature_psi_max"})


def _ends(*measures: str) -> frozenset[str]:
    ends = ("", "_low", "_high", "_p")
    return frozenset(f"{m}_difference{end}" for m in measures for end in ends)


def _difference(*measures: str) -> frozenset[str]:
    return _ends(*measures) | {"prediction_psi"}


_DIFFERENCES: Mapping[Task, frozenset[str]] = {
    Task.BINARY: _difference("accuracy", "roc_auc") | {"score_psi"},
    Task.MULTICLASS: _difference("accuracy") | {"score_psi"},
    Task.REGRESSION: _difference("mae"),
}
_PAIRED: Mapping[Task, frozenset[str]] = {
    Task.BINARY: _ends("accuracy", "roc_auc", "brier", "log_loss") | {"samples"},
    Task.MULTICLASS: _ends("accuracy", "brier", "log_loss") | {"samples"},
    Task.REGRESSION: _ends("mae", "mse") | {"samples"},
}
_BINS = (*(str(number) for number in range(COARSE_BINS)), "missing", "unseen")
_COHORTS = (Cohort.ARRIVED, Cohort.MATURED)
# Characters of a value as it is written: a share has nearly all of a float's digits, a count few.
_LONG, _SHORT = 18, 6
# Characters of a reason, a path or another label's value of the process.
_TYPICAL_LABEL = 11
_COUNTS = frozenset(
    {
        "samples",
        "judged",
        "changed",
        "verdict",
        "against_samples",
        "against_outcomes",
        "features",
        "pending",
        "pending_sample_ratio",
        "reference_samples",
        "series",
        "series_dropped",
        "holds",
        "drift",
        "beyond_reference",
        "judged_features",
        "drifted_ratio",
        "held_ratio",
        "records",
        "values",
        "outcomes",
        "outcomes_below",
        "predictions",
        "right",
        "configured",
        "threshold",
        "threshold_in_use",
        "state",
        "detections",
    }
)

# How many values labels of live metrics have, once every path was asked for.
_LIVE_LABELS: Mapping[str, int] = {
    "component": 7,
    "door": len(Kind),
    "kind": len(Kind),
    "reason": len(Reason),
    "violation": len(Violation),
    "bound": len(documented_fields(Limits)),
    "path": 5,
    "result": 3,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a Snapshot: its class, its labels, and which values it has (None: all)."""

    kind: type[Any]
    labels: Mapping[str, str]
    filled: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """Series, and bytes of text 0.0.4 without the heads of families."""

    series: int
    bytes: int

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.series + other.series, self.bytes + other.bytes)

    def times(self, count: int) -> Weight:
        """*count* of these."""
        return Weight(self.series * count, self.bytes * count)


def rows(shape: Shape, families: Collection[str]) -> Iterator[Row]:
    """Every row of a version's Snapshot that metrics are read from."""
    yield Row(VersionState, {})
    yield from (Row(Flag, {"state": state}) for state in ReferenceState)
    for window in shape.windows:
        yield from (Row(WindowState, {"window": window, "cohort": cohort}) for cohort in Cohort)
        for cohort in (Cohort.PREDICTED, Cohort.MATURED):
            yield Row(LabelState, {"window": window, "cohort": cohort})
        for each in shape.watched:
            labels = {"feature": each.feature, "output": each.output, "window": window}
            yield Row(Drift, labels, _DRIFT[each.kind])
        for against in (against for of_window, against in shape.against if of_window == window):
            yield from _against(shape, {"window": window, "against": against})
        if shape.older:
            labels = {"window": window, "against_version": shape.older}
            yield Row(VersionComparison, labels, _COMPARED | _DIFFERENCES[shape.task])
            yield Row(PairedComparison, labels, _PAIRED[shape.task])
        yield from _verdicts(shape, window)
        for cohort in _COHORTS:
            of_cohort = {"window": window, "cohort": cohort}
            yield from _quality(shape, of_cohort, families)
            yield from (Row(*made) for made in quality_rows(shape, of_cohort, families))
        yield from (Row(*made) for made in estimate_rows(shape, window, families))
    yield from (Row(*made) for made in relation_rows(shape))
    yield from _fleet(shape)
    yield from (Row(Detector, {"detector": name}) for name in shape.detectors)
    if len(shape.groups) > 1:
        yield from _segments(shape)
    if Family.SCHEMA in families:
        yield from _schema(shape)
    if shape.currency:
        yield from _value(shape, families)


def _verdicts(shape: Shape, window: str) -> Iterator[Row]:
    """As when all can be judged; windows of less than a day never are."""
    if window not in shape.judged:
        return
    for state in FLAGGED_VERDICT_STATES:
        yield Row(VerdictFlag, {"window": window, "state": state})
    yield Row(VerdictSummary, {"window": window})
    for each in shape.watched:
        if each.kind is not FeatureKind.IDENTIFIER:
            labels = {"feature": each.feature, "output": each.output, "window": window}
            yield Row(
                Verdict, labels, _VERDICT if each.kind is FeatureKind.NUMERIC else _VERDICT - _OF_NUMBERS
            )


def _against(shape: Shape, labels: Mapping[str, str]) -> Iterator[Row]:
    counts = {"samples", "against_samples"}
    for each in shape.watched:
        if each.kind is not FeatureKind.IDENTIFIER:
            of_name = {**labels, "feature": each.feature, "output": each.output}
            yield Row(DriftAgainst, of_name, _DRIFT[each.kind] | counts)


def _quality(shape: Shape, labels: Mapping[str, str], families: Collection[str]) -> Iterator[Row]:
    usual = Cohort.MATURED if shape.are_late else Cohort.ARRIVED
    long = labels["window"] in shape.segment_windows
    in_full = Family.SEGMENTS in families or (long and labels["cohort"] == usual)
    for place, (segment, value) in enumerate(shape.groups if in_full else shape.groups[:1]):
        of_group = {**labels, "segment": segment, "segment_value": value}
        filled = _QUALITY[shape.task]
        if shape.task is Task.MULTICLASS and place:
            filled = frozenset({"samples", "accuracy"})
        yield Row(Quality, of_group, filled)
        if shape.task is Task.BINARY and (not place or Family.SEGMENTS in families):
            yield Row(ClassQuality, {**of_group, "class": ""}, _OF_CLASS | {"roc_auc_half_width"})
        elif shape.task is Task.MULTICLASS and not place:
            yield Row(ClassQuality, {**of_group, "class": ""}, _OF_CLASS)
            for name in shape.classes:
                yield Row(ClassQuality, {**of_group, "class": name}, _OF_CLASS | {"roc_auc_half_width"})


def _segments(shape: Shape) -> Iterator[Row]:
    measures = {"mae_gap"} if shape.task is Task.REGRESSION else {"accuracy_gap"}
    if shape.currency:
        measures.add("value_gap")
    for window in shape.windows:
        for cohort in _COHORTS:
            yield Row(WorstSegment, {"window": window, "cohort": cohort}, frozenset(measures))
        for feature, (segment, value) in product(shape.segment_drift, shape.groups[1:]):
            labels = {"window": window, "feature": feature, "segment": segment, "segment_value": value}
            yield Row(SegmentDrift, labels)


def _schema(shape: Shape) -> Iterator[Row]:
    for each in shape.watched:
        if each.feature:
            for violation in Violation:
                if violation is not Violation.NEW_FEATURE:
                    yield Row(SchemaViolation, {"feature": each.feature, "violation": violation})
    yield Row(SchemaViolation, {"feature": "", "violation": Violation.NEW_FEATURE})


def _value(shape: Shape, families: Collection[str]) -> Iterator[Row]:
    yield Row(ValueInfo, {"currency": shape.currency})
    for window in shape.windows:
        for cohort, (segment, value) in product(_COHORTS, shape.groups):
            labels = {"window": window, "cohort": cohort, "segment": segment, "segment_value": value}
            bounded = not segment or Family.SEGMENTS in families
            yield Row(BusinessValue, labels, None if bounded else frozenset({"samples", "value"}))
        yield from _estimated_value(shape, window, families)
        if shape.task is Task.BINARY:
            yield Row(BestThreshold, {"window": window})


def _estimated_value(shape: Shape, window: str, families: Collection[str]) -> Iterator[Row]:
    if shape.task is Task.REGRESSION and shape.is_weighted:
        yield Row(EstimatedValue, {"window": window}, frozenset({"given"}))
        return
    filled = frozenset({"samples", "value", "low", "high", "mean"})
    by_segment = shape.task is not Task.MULTICLASS and Family.SEGMENTS in families
    for segment, value in shape.groups if by_segment else shape.groups[:1]:
        labels = {"window": window, "segment": segment, "segment_value": value}
        yield Row(EstimatedValue, labels, filled if segment else filled | {"gap", "given"})


def _fleet(shape: Shape) -> Iterator[Row]:
    assert len(_BINS) == COARSE_CELLS
    for each in shape.watched:
        labels = {"feature": each.feature, "output": each.output, "reference": shape.reference}
        if each.kind is not FeatureKind.IDENTIFIER:
            yield from (Row(BinCount, {**labels, "bin": name}) for name in _BINS)
        if each.kind is FeatureKind.NUMERIC:
            yield Row(Moments, labels)
    if shape.task is Task.REGRESSION:
        yield Row(ErrorSums, {})
    yield from (Row(ClassCount, {"class": name}) for name in shape.classes)
    for outcome, prediction in product(shape.classes, repeat=2):
        yield Row(ConfusionCell, {"outcome": outcome, "prediction": prediction})
    if shape.task is Task.BINARY:
        for outcome, number in product("01", range(COARSE_SCORE_BINS)):
            yield Row(ScoreBin, {"class": "1", "outcome": outcome, "bin": str(number)})


def version_weight(shape: Shape, families: Collection[str]) -> Weight:
    """What the Snapshot of one version weighs, before the series limit.

    Cost: about 1 us a series.
    """
    enabled = {"default", *families}
    by_row: dict[type[Any], list[Metric]] = {}
    for metric in SNAPSHOT_METRICS:
        if metric.row is not None and metric.family in enabled:
            by_row.setdefault(metric.row, []).append(metric)
    version = {"model": shape.model, "model_version": shape.version}
    series, size = 0, 0
    for row in rows(shape, families):
        labels = {**version, **row.labels}
        for metric in by_row.get(row.kind, ()):
            has_value = row.filled is None or metric.value in row.filled
            apart = any(part.holds(labels.__getitem__) for part in metric.apart(enabled))
            if has_value and not apart and (not metric.when or labels[metric.when]):
                series += 1
                size += _line_bytes(metric, labels)
    return Weight(series, size)


def _line_bytes(metric: Metric, labels: Mapping[str, str]) -> int:
    """Bytes of ``name{label="value",...} value``, and the end of its line."""
    texts = sum(len(name) + _label_bytes(labels[name]) + 4 for name in metric.labels)
    short = metric.value in _COUNTS or metric.value.endswith("_seconds")
    return len(metric.name) + texts + 2 + (_SHORT if short else _LONG) + 1


def _label_bytes(text: str) -> int:
    """Bytes of a label's value, escaped."""
    return len(text.encode("utf-8", "backslashreplace")) + sum(map(text.count, '\\"\n'))


def heads_bytes(families: Collection[str]) -> int:
    """Bytes of HELP and TYPE of every metric; they stand once in a scrape."""
    enabled = {"default", *families}
    metrics = [m for m in (*SNAPSHOT_METRICS, *LIVE_METRICS) if m.family in enabled]
    return sum(len(m.help.encode()) + 2 * len(m.name) + len(m.type) + 18 for m in metrics)


def live_weight(labelled: Collection[str]) -> Weight:
    """Live series whose labels by model are exactly *labelled*: none, the model, or the version too."""
    of_models = frozenset(VERSION)
    total = Weight(0, 0)
    for metric in LIVE_METRICS:
        if of_models & set(metric.labels) == set(labelled):
            count = 1
            for label in metric.labels:
                count *= _LIVE_LABELS.get(label, 1)
            samples = len(metric.buckets) + 3 if metric.type == "histogram" else 1
            typical = TYPICAL if labelled else _TYPICAL_LABEL
            labels = sum(len(label) + typical + 4 for label in metric.labels)
            bucket = 10 if metric.type == "histogram" else 0
            size = len(metric.name) + labels + bucket + _SHORT + 3
            total += Weight(count * samples, count * samples * size)
    return total
