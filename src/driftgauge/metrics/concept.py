"""Concept drift: what comes out given the inputs, and quality, against the reference's."""

from __future__ import annotations

from driftgauge.config import Family
from driftgauge.metrics.table import (
    IN_WINDOW,
    NOT_AVERAGED,
    OF_FEATURE,
    VERSION,
    Advice,
    Metric,
    Part,
    gauges,
)
from driftgauge.snapshot import (
    OutcomeShift,
    QualityChange,
    RelationBin,
    RelationShift,
    RelationState,
    RelationVerdicts,
)

_COHORT = " In the newest window whose outcomes are complete (matured)." + NOT_AVERAGED
_CHANGED = (
    ("accuracy", "_ratio"),
    ("roc_auc", "_ratio"),
    ("log_loss", ""),
    ("mae", ""),
    ("rmse", ""),
    ("bias", ""),
)


def _ends(name: str, value: str, unit: str, text: str) -> tuple[tuple[str, str, str], ...]:
    full = f"driftgauge_{name}{unit}"
    return (
        (f"{name}{unit}", value, text + _COHORT),
        (f"{name}_low{unit}", f"{value}_low", f"Lower end of the 95% interval of {full}."),
        (f"{name}_high{unit}", f"{value}_high", f"Upper end of the 95% interval of {full}."),
    )


_RATE_SHIFT = _ends(
    "outcome_rate_shift_logodds",
    "log_odds",
    "",
    "Log-odds of the outcome less the reference's: of the positive class (class is empty), or of each "
    "class against the others, in windows of a day and up.",
)


METRICS: tuple[Metric, ...] = (
    *gauges(
        RelationState,
        VERSION,
        (
            "relation_reference_outcomes",
            "outcomes",
            "Outcomes that the reference of the relation stands on; absent while it is learned.",
        ),
    ),
    *gauges(
        RelationVerdicts,
        IN_WINDOW,
        (
            "relation_judged_features",
            "judged",
            "Features whose relation to the outcome could be judged when the newest pane of the matured "
            "window closed; windows of at least a day." + NOT_AVERAGED,
        ),
        (
            "relation_changed_features",
            "changed",
            "Features of those whose relation to the outcome has changed: "
            "driftgauge_feature_relation_verdict is 1." + NOT_AVERAGED,
        ),
    ),
    # The ends of its interval tell what the number itself does, and whether it is more than chance.
    *gauges(OutcomeShift, (*IN_WINDOW, "class"), _RATE_SHIFT[0], parts=(Part("class", Family.CLASSES),)),
    *gauges(
        OutcomeShift,
        (*IN_WINDOW, "class"),
        *_RATE_SHIFT[1:],
        *_ends(
            "outcome_mean_shift_sd",
            "mean_sd",
            "",
            "Mean outcome less the reference's, in standard deviations of the reference's outcomes "
            "(regression).",
        ),
    ),
    *(
        metric
        for name, unit in _CHANGED
        for metric in gauges(
            QualityChange,
            IN_WINDOW,
            *_ends(
                f"{name}_change",
                name,
                unit,
                f"driftgauge_{name}{unit} of the whole model less that of the relation's reference; of more "
                "than two classes the macro mean where the number is one of classes.",
            ),
        )
    ),
    *gauges(
        RelationShift,
        OF_FEATURE,
        (
            "feature_relation_shift",
            "shift",
            "How far the relation of outcome and feature has changed: the standard deviation over the "
            "feature's coarse bins of the change of the outcome's log-odds beyond the change that all bins "
            "share and beyond chance. Regression: of the mean error, in standard deviations of the "
            "reference's errors." + _COHORT,
        ),
        (
            "feature_outcome_shift",
            "outcome_shift",
            "The change of the outcome's log-odds that all bins of the feature share: that of the outcome's "
            "rate with this feature held still. Regression: of the mean error, in standard deviations of "
            "the reference's errors." + _COHORT,
        ),
        (
            "feature_relation_p",
            "p",
            "Chance that bins lie so far apart while the relation is what it was, after division by the "
            "overdispersion between the reference's days; absent where fewer than 8 days tell of it.",
        ),
        (
            "feature_relation_adjusted_p",
            "adjusted_p",
            "driftgauge_feature_relation_p for the number of the model's features (Benjamini-Hochberg).",
        ),
        (
            "feature_relation_overdispersion",
            "overdispersion",
            "How many times further apart than independent records would be, the bins' outcomes lie "
            "between the reference's days; at least 1.",
        ),
        (
            "feature_relation_verdict",
            "verdict",
            "1 where the relation of outcome and feature has changed: feature_relation_shift of at least 0.1 "
            "and feature_relation_adjusted_p of at most 0.001, at every closed pane of half a window, or once "
            "with p below 1e-6. 0 where it hasn't; absent where it can't be judged.",
        ),
        ("feature_relation_samples", "samples", "Outcomes whose bin of the feature is known." + _COHORT),
        family="concept",
    ),
    *gauges(
        RelationBin,
        (*OF_FEATURE, "bin"),
        (
            "feature_relation_bin_shift",
            "shift",
            "Change of the outcome's log-odds in one coarse bin of the feature beyond "
            "driftgauge_feature_outcome_shift, which all bins share. Regression: of the mean error, in standard "
            "deviations of the reference's errors. Absent where the bin can't be judged." + _COHORT,
        ),
        family="concept",
    ),
)

ADVICE = (
    Advice(
        ("relation_reference_outcomes",),
        "at least 0",
        "Given by a file that was profiled with outcomes, or learned from the first 21 matured days with "
        "5,000 outcomes after the inputs' reference was fixed.",
        "Where it stays absent: outcomes don't come, or the predictions that they belong to came before the "
        "inputs' reference was fixed.",
    ),
    Advice(
        tuple(
            f"{name}{end}"
            for name in ("outcome_rate_shift_logodds", "outcome_mean_shift_sd")
            for end in ("", "_low", "_high")
        ),
        "any",
        "The interval takes records for independent. It moves when the inputs move too: more young customers, "
        "more churn. Compare feature_outcome_shift, which holds one feature still.",
        "A changed rate alone needs a new threshold or a new calibration rather than a new model.",
    ),
    Advice(
        tuple(f"{name}_change{end}{unit}" for name, unit in _CHANGED for end in ("", "_low", "_high")),
        "any; of ratios -1 to 1",
        "Against the reference's own quality, not the one that was promised. The interval combines both "
        "sides' (Newcombe; Zou and Donner), the window's by groups of panes where there are enough.",
        "Worse with relations unchanged: the inputs went where the model was always worse. Worse with a "
        "changed relation: it must learn that.",
    ),
    Advice(
        ("feature_relation_shift", "feature_outcome_shift", "feature_relation_bin_shift"),
        "feature_relation_shift at least 0; the others any",
        "How often a bin is visited doesn't matter. The outermost bins, and the bin of many categories, are "
        "left out where their share has more than doubled or halved. A correlated feature shows a part of "
        "another's change. GET /v1/models/{model} names the changed bins.",
        "Look at the changed bins first, then retrain on newer outcomes: this is what a model can't see by "
        "itself.",
    ),
    Advice(
        ("feature_relation_p", "feature_relation_adjusted_p"),
        "0 to 1",
        "One look in a hundred is below 1% by chance: read adjusted_p, and only with a shift worth having.",
        "As for feature_relation_shift.",
    ),
    Advice(
        ("feature_relation_verdict", "relation_judged_features", "relation_changed_features"),
        "feature_relation_verdict 0 or 1; the others at least 0",
        "Taken when a pane closes, on at least 100 outcomes and 80% of the window, against at least 8 days of "
        "reference. Kept over restarts.",
        "GET /v1/models/{model} says which bins changed. A change in one feature alone is often a changed "
        "meaning of that feature; in many, a changed world. While the estimate without outcomes still meets "
        "the realised quality, it came from other inputs that moved with it (docs/measured-relations.md).",
    ),
    Advice(
        ("feature_relation_overdispersion", "feature_relation_samples"),
        "feature_relation_overdispersion at least 1; feature_relation_samples at least 0",
        "From the days of the reference, each against the others, raised for the size of the window.",
        "A large one says that the relation has always wandered from day to day: small changes can't be told "
        "from that.",
    ),
)
