"""What moves and what fails in a segment, where the whole model may hide it."""

from __future__ import annotations

from driftgauge.metrics.table import COHORT, IN_WINDOW, NOT_AVERAGED, VERSION, Advice, Metric, gauges
from driftgauge.snapshot import SegmentDrift, WorstSegment

_WEIGHED = (
    " What it is worse by than the whole model, times its share of the value (of the outcomes where no "
    "value is configured) within its column; its name stands at GET /v1/models/{model}."
)

METRICS: tuple[Metric, ...] = (
    *gauges(
        SegmentDrift,
        (*VERSION, "feature", "window", "segment", "segment_value"),
        (
            "segment_psi",
            "psi",
            "Population stability index of a feature under `segment_drift` in one segment, against the "
            "segment's own first records. From 100 records on both sides." + NOT_AVERAGED,
        ),
        ("segment_psi_samples", "samples", "Records of the segment in the window."),
        family="segments",
    ),
    *gauges(
        WorstSegment,
        (*IN_WINDOW, "cohort"),
        (
            "worst_segment_accuracy_gap_ratio",
            "accuracy_gap",
            "Weighed gap of the segment that costs most accuracy, -1 to 1." + _WEIGHED + COHORT,
        ),
        (
            "worst_segment_mae_gap",
            "mae_gap",
            "Weighed gap of the segment that costs most absolute error, in the outcome's unit." + _WEIGHED,
        ),
        (
            "worst_segment_value_gap",
            "value_gap",
            "Weighed gap of the segment that costs most value per record, in the currency." + _WEIGHED,
        ),
    ),
)

ADVICE = (
    Advice(
        ("segment_psi", "segment_psi_samples"),
        "at least 0",
        "On 10 coarse bins. The segment's reference are its records from when the features' reference was "
        "fixed, until 8 days and 5,000 records of the model: what had drifted by then is not seen. Small "
        "segments are noisy, by about 9 / samples.",
        "A segment that moves alone is a campaign, a partner or a fault of one sender.",
    ),
    Advice(
        (
            "worst_segment_accuracy_gap_ratio",
            "worst_segment_mae_gap",
            "worst_segment_value_gap",
        ),
        "any; about 0 where all segments are alike",
        "The greatest of many: with 30 segments of 100 outcomes chance alone gives about 0.003 of accuracy. "
        "Which segment it is may change from one evaluation to the next.",
        "When it rises, ask GET /v1/models/{model} for the name, and look at that segment's own quality.",
    ),
)
