"""What only a pod can compute, made one number for the fleet: verdicts by majority, intervals by weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from driftgauge.artefacts.rules.durations import TimeScale
from driftgauge.artefacts.rules.values import POD_LABELS, WITHOUT_PODS, Group, Recording
from driftgauge.artefacts.thresholds import STALE_EVALUATION_SECONDS

_VERSION: Final = ("model", "model_version")
_IN_WINDOW: Final = (*_VERSION, "window")
_SEGMENT: Final = (*_IN_WINDOW, "cohort", "segment", "segment_value")

# Recorded name, metric, labels beside the version's, whether it is a verdict of the default family.
_VERDICTS: Final = (
    ("feature", "feature_drift_verdict", ("feature", "window")),
    ("output", "prediction_drift_verdict", ("output", "window")),
    ("feature", "feature_beyond_reference_verdict", ("feature", "window")),
    ("output", "prediction_beyond_reference_verdict", ("output", "window")),
    ("feature", "feature_relation_verdict", ("feature", "window")),
)
_CLASSLESS: Final = ("accuracy{}_ratio", "rmse{}", "mae{}", "r2{}", "bias{}")
_BY_CLASS: Final = ("precision{}_ratio", "recall{}_ratio", "f1{}_ratio", "roc_auc{}_ratio")


def pods_group(scale: TimeScale) -> Group:
    """All of them; only pods with a fresh evaluation take part."""
    rules = (
        *_states(scale),
        *_verdicts(scale),
        *_samples(scale),
        *_shares(),
        *_intervals(),
        *_changes(),
        *_estimates(),
    )
    return Group("driftgauge-pods", rules, scale.interval(60))


def is_fresh(scale: TimeScale, *ignored: str) -> str:
    """What a pod's series must go with: an evaluation of the last minutes."""
    label = f"ignoring ({', '.join(ignored)}) " if ignored else ""
    limit = scale.age(STALE_EVALUATION_SECONDS).seconds
    return f"and {label}(time() - driftgauge_last_evaluation_timestamp_seconds <= {limit})"


def _states(scale: TimeScale) -> Iterator[Recording]:
    yield Recording(
        "version:driftgauge_pods:count",
        f"count {WITHOUT_PODS} (driftgauge_last_evaluation_timestamp_seconds)",
        meaning="Pods that export the version.",
        remaining=_VERSION,
    )
    yield Recording(
        "version:driftgauge_fresh_pods:count",
        f"count {WITHOUT_PODS} (\n  driftgauge_last_evaluation_timestamp_seconds {is_fresh(scale)}\n)",
        meaning="Pods whose evaluation is fresh.",
        remaining=_VERSION,
    )
    for name in ("evaluation", "prediction", "outcome"):
        yield Recording(
            f"version:driftgauge_last_{name}_timestamp_seconds:max",
            f"max {WITHOUT_PODS} (driftgauge_last_{name}_timestamp_seconds)",
            meaning=f"Wall time of the newest {name} in any pod.",
            remaining=_VERSION,
        )
    yield Recording(
        "version:driftgauge_references:count",
        f"count without (reference) (\n"
        f"  count without (feature, {', '.join(POD_LABELS)}) (driftgauge_reference_feature_mean)\n"
        f"  or count without (feature, bin, {', '.join(POD_LABELS)}) (driftgauge_reference_feature_bin_ratio)\n"
        f")",
        meaning="Different references that pods of the version use; 1 is right.",
        remaining=_VERSION,
    )


def _verdicts(scale: TimeScale) -> Iterator[Recording]:
    for level, metric, labels in _VERDICTS:
        yield Recording(
            f"{level}:driftgauge_{metric}:majority",
            f"avg {WITHOUT_PODS} (\n  driftgauge_{metric} {is_fresh(scale, *labels)}\n) >= bool 0.5",
            meaning=f"1 where at least half of the pods that can judge have driftgauge_{metric}, else 0.",
            remaining=(*_VERSION, *labels),
        )
    verdict = "feature:driftgauge_feature_drift_verdict:majority"
    yield Recording(
        "version:driftgauge_drifted_features:count",
        f"sum without (feature) ({verdict})",
        meaning="Features that have drifted by majority.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_judged_features:count",
        f"count without (feature) ({verdict})",
        meaning="Features that at least one pod can judge.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_relation_changed:majority",
        f"avg {WITHOUT_PODS} (\n"
        "  (driftgauge_relation_changed_features > bool 0)\n"
        "  and driftgauge_relation_judged_features > 0\n"
        f"  {is_fresh(scale, 'window')}\n"
        ") >= bool 0.5",
        meaning="1 where at least half of the pods that can judge find that the relation of any feature to the "
        "outcome has changed, else 0.",
        remaining=_IN_WINDOW,
    )


def _samples(scale: TimeScale) -> Iterator[Recording]:
    del scale
    for metric, labels in (
        ("window_samples", (*_IN_WINDOW, "cohort")),
        ("quality_samples", _SEGMENT),
        ("value", _SEGMENT),
    ):
        yield Recording(
            f"window:driftgauge_{metric}:sum",
            f"sum {WITHOUT_PODS} (driftgauge_{metric})",
            meaning=f"driftgauge_{metric} of all pods.",
            remaining=labels,
        )
    yield Recording(
        "window:driftgauge_window_covered:mean",
        _weighted("driftgauge_window_covered_ratio", "driftgauge_window_samples"),
        meaning="How much of the window the pods have, 0 to 1; weighted by their records.",
        remaining=(*_IN_WINDOW, "cohort"),
    )
    yield Recording(
        "window:driftgauge_outcome_coverage:mean",
        _weighted(
            "driftgauge_outcome_coverage_ratio",
            'driftgauge_window_samples{cohort="predicted"}',
            "ignoring (cohort) group_left ()",
        ),
        meaning="Share of the window's predictions whose outcome is known, 0 to 1; weighted by the pods' predictions.",
        remaining=(*_IN_WINDOW, "cohort"),
    )


def _shares() -> Iterator[Recording]:
    """What part of its column a segment is: of losses and gains alike."""
    yield Recording(
        "segment:driftgauge_quality_samples:share",
        'window:driftgauge_quality_samples:sum{segment!=""}\n'
        "/ ignoring (segment_value) group_left ()\n"
        '(sum without (segment_value) (window:driftgauge_quality_samples:sum{segment!=""}) > 0)',
        meaning="The segment's part of the outcomes of its column, 0 to 1.",
        remaining=_SEGMENT,
    )
    yield Recording(
        "segment:driftgauge_value:share",
        'abs(window:driftgauge_value:sum{segment!=""})\n'
        "/ ignoring (segment_value) group_left ()\n"
        '(sum without (segment_value) (abs(window:driftgauge_value:sum{segment!=""})) > 0)',
        meaning="The segment's part of the value of its column, gains and losses alike, 0 to 1.",
        remaining=_SEGMENT,
    )


def _weighted(metric: str, samples: str, match: str = "") -> str:
    """The mean of *metric* over pods, each counted as often as it has *samples*."""
    weight = f"{metric} * 0 + {match} {samples}" if match else f"{samples} and {metric}"
    weighed = f"{metric} * {match} {samples}" if match else f"{metric} * {samples}"
    return f"sum {WITHOUT_PODS} ({weighed})\n/ (\n  sum {WITHOUT_PODS} ({weight})\n  > 0\n)"


def _intervals() -> Iterator[Recording]:
    for names, labels, match in (
        (_CLASSLESS, _SEGMENT, ""),
        (_BY_CLASS, (*_SEGMENT, "class"), "ignoring (class) group_left ()"),
    ):
        for template in names:
            for end in ("", "_low", "_high"):
                metric = template.format(end)
                yield Recording(
                    f"window:driftgauge_{metric}:mean",
                    _weighted(f"driftgauge_{metric}", "driftgauge_quality_samples", match),
                    meaning=_interval_words(metric, end),
                    remaining=labels,
                )


def _interval_words(metric: str, end: str) -> str:
    if not end:
        return f"driftgauge_{metric} of the pods, weighted by their outcomes; an approximation but for shares and mae."
    return f"driftgauge_{metric} of the pods, weighted by their outcomes."


def _changes() -> Iterator[Recording]:
    """Changes against the reference, weighted by the matured outcomes of the whole model."""
    samples = 'driftgauge_quality_samples{cohort="matured", segment=""}'
    without = "ignoring (cohort, segment, segment_value) group_left ()"
    classed = "ignoring (cohort, segment, segment_value, class) group_left ()"
    for name, unit in (("accuracy", "_ratio"), ("roc_auc", "_ratio"), ("mae", ""), ("rmse", "")):
        for end in ("", "_low", "_high"):
            metric = f"{name}_change{end}{unit}"
            yield Recording(
                f"window:driftgauge_{metric}:mean",
                _weighted(f"driftgauge_{metric}", samples, without),
                meaning=f"driftgauge_{metric} of the pods, weighted by their matured outcomes.",
                remaining=_IN_WINDOW,
            )
    for name in ("outcome_rate_shift_logodds", "outcome_mean_shift_sd"):
        for end in ("", "_low", "_high"):
            yield Recording(
                f"window:driftgauge_{name}{end}:mean",
                _weighted(f"driftgauge_{name}{end}", samples, classed),
                meaning=f"driftgauge_{name}{end} of the pods, weighted by their matured outcomes.",
                remaining=(*_IN_WINDOW, "class"),
            )


def _estimates() -> Iterator[Recording]:
    samples = 'driftgauge_window_samples{cohort="predicted"}'
    for name, unit in (("accuracy", "_ratio"), ("roc_auc", "_ratio"), ("mae", "")):
        for kind in ("", "_error", "_gap"):
            metric = f"estimated_{name}{kind}{unit}"
            yield Recording(
                f"window:driftgauge_{metric}:mean",
                _weighted(f"driftgauge_{metric}", samples, "ignoring (cohort) group_left ()"),
                meaning=f"driftgauge_{metric} of the pods, weighted by their predictions.",
                remaining=_IN_WINDOW,
            )
