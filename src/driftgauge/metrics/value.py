"""What decisions are worth, where the configuration says so."""

from __future__ import annotations

from driftgauge.metrics.table import COHORT, IN_WINDOW, OF_SEGMENT, VERSION, Advice, Metric, gauges
from driftgauge.snapshot import BestThreshold, BusinessValue, EstimatedValue, ValueInfo

_MATURED = " In the newest window whose outcomes are complete, of the decisions with a score."

METRICS: tuple[Metric, ...] = (
    *gauges(
        ValueInfo,
        (*VERSION, "currency"),
        ("value_info", "configured", "1; the unit of every value of the model."),
    ),
    *gauges(
        BusinessValue,
        OF_SEGMENT,
        ("value_samples", "samples", "Joined outcomes that the value stands on." + COHORT),
        (
            "value",
            "value",
            "What the decisions were worth in all, in the configured currency: the value of each outcome's "
            "cell times its weight, or the value that the outcome itself carried." + COHORT,
        ),
        (
            "value_low",
            "low",
            "Lower end of the 95% interval of the value: the wider of the one for independent records and a delete-one-group jackknife over panes.",
        ),
        ("value_high", "high", "Upper end of the 95% interval of the value."),
        ("value_mean", "mean", "Value per record, in the configured currency."),
    ),
    *gauges(
        EstimatedValue,
        (*IN_WINDOW, "segment", "segment_value"),
        (
            "estimated_value",
            "value",
            "What the window's decisions are worth in all before their outcomes come, in the configured "
            "currency, from calibrated scores (regression: from the errors to expect, split into too much and too "
            "little as the reference's). Assumes P(outcome | score), or the errors given the inputs, unchanged; "
            "absent while estimated_value_given is 0. Segments in the family `segments`.",
        ),
        (
            "estimated_value_samples",
            "samples",
            "Predictions with a score, or an expected error, that it stands on.",
        ),
        ("estimated_value_low", "low", "Lower end of the 95% interval of the realised value about it."),
        ("estimated_value_high", "high", "Upper end of the same interval."),
        (
            "estimated_value_mean",
            "mean",
            "Estimated value per prediction; assumes what estimated_value does.",
        ),
        (
            "estimated_value_gap",
            "gap",
            "Estimated less realised value per record of the newest window whose outcomes are complete.",
        ),
    ),
    *gauges(
        EstimatedValue,
        IN_WINDOW,
        (
            "estimated_value_given",
            "given",
            "1 while value is estimated before outcomes come, else 0: performance isn't estimated either; outcomes "
            "carry values of their own, which nothing tells before they come; a regression's errors are weighted; "
            "its reference doesn't tell how much of the error is too much, and too much and too little are worth "
            "different values; or fewer than 30 predictions have what it takes. GET /v1/models/{model} says which.",
        ),
    ),
    *gauges(
        BestThreshold,
        IN_WINDOW,
        ("best_threshold_samples", "samples", "Decisions with a score and a known value." + _MATURED),
        (
            "best_threshold",
            "threshold",
            "Of the thresholds 0.01 to 0.99 the one that would have paid most; of equals the nearest to the "
            "one in use." + _MATURED,
        ),
        (
            "best_threshold_in_use",
            "threshold_in_use",
            "The threshold that is configured; a sender that decides itself may use another.",
        ),
        ("best_threshold_value", "value", "What the decisions would have been worth there." + _MATURED),
        ("best_threshold_value_in_use", "value_in_use", "What the same decisions were worth." + _MATURED),
        (
            "best_threshold_gain",
            "gain",
            "The difference of the two: what the best threshold would have brought in more." + _MATURED,
        ),
        (
            "best_threshold_gain_low",
            "gain_low",
            "Lower end of the 95% interval of the gain, widened for the choice among 99 thresholds.",
        ),
        ("best_threshold_gain_high", "gain_high", "Upper end of the same interval."),
    ),
)

ADVICE = (
    Advice(
        ("value_info",),
        "1",
        "As configured.",
        "Join it on model and model_version where a panel shows money.",
    ),
    Advice(
        ("value_samples", "value", "value_low", "value_high", "value_mean"),
        "any; samples at least 0",
        "An exact sum over the outcomes that are known: cohort=arrived changes with the labels' delay, matured "
        "does not. The interval is for another window of as many records, and wider where records of one "
        "time resemble each other, from 5 groups of panes on. "
        "Sum the value over replicas; the others not.",
        "Look at the value per record first: a falling sum alone may be less traffic. Then at the segments, "
        "and at the best threshold.",
    ),
    Advice(
        (
            "estimated_value",
            "estimated_value_samples",
            "estimated_value_low",
            "estimated_value_high",
            "estimated_value_mean",
            "estimated_value_gap",
            "estimated_value_given",
        ),
        "any; samples at least 0; given 0 or 1",
        "As the estimates of quality: given while they are, and blind to a change of what a score means, "
        "which only the gap can show, late. A regression's takes the split of its errors into too much and too "
        "little from the reference. Weighted ones and segments stand on 35 score bins; of several classes there "
        "are no segments.",
        "Compare it with the value of the matured window. A gap that grows means that scores no longer say "
        "what they did: look at concept drift, and calibrate anew.",
    ),
    Advice(
        (
            "best_threshold",
            "best_threshold_samples",
            "best_threshold_in_use",
            "best_threshold_value",
            "best_threshold_value_in_use",
            "best_threshold_gain",
            "best_threshold_gain_low",
            "best_threshold_gain_high",
        ),
        "thresholds 0.01 to 0.99, the one in use 0 to 1; the values any; samples at least 0",
        "Exact for scores of two decimals, and for all others at these thresholds. The gain is over the "
        "decisions that were taken. Its interval holds whichever threshold is best. It cannot know what "
        "another decision would have caused: where the outcome depends on it, test first.",
        "Move the threshold when the gain's lower end is above 0 in the longest window; the whole curve is at "
        "GET /v1/models/{model}.",
    ),
)
