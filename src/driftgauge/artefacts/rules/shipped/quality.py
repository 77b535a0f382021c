"""Alerts on what comes of predictions: quality, concept, segments, estimates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import (
    MODEL_BOARD,
    Fed,
    Firing,
    Runbook,
    Setting,
    Shipped,
    Trial,
    gauge,
    shipped,
    steady,
)
from driftgauge.artefacts.rules.shipped.inputs import PODS
from driftgauge.artefacts.rules.shipped.sidecar import pod
from driftgauge.artefacts.rules.shipped.traffic import OF_VERSION, VERSION, fresh_pod
from driftgauge.artefacts.rules.values import Severity
from driftgauge.artefacts.thresholds import (
    BASE_RATE_MOVED,
    ESTIMATE_FELL,
    LEAST_SAMPLES,
    LEAST_SEGMENT_SHARE,
    QUALITY_FELL,
    QUALITY_FELL_FAR,
    R2_OF_THE_MEAN,
    ROC_AUC_NEAR_CHANCE,
)
from driftgauge.config import HOUR, MINUTE

_CRITICAL, _WARNING, _INFO = Severity
_DAY: Final = {"window": "1d"}
_DAYS: Final = 'window=~"[0-9]+d"'
_WHOLE: Final = {**VERSION, **_DAY, "cohort": "arrived", "segment": "", "segment_value": ""}
_ENOUGH: Final = f"window:driftgauge_quality_samples:sum{{{_DAYS}}} >= {LEAST_SAMPLES}"


def quality_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them."""
    yield _ranks_by_chance(setting)
    yield _worse_than_its_mean(setting)
    yield _below_reference(setting)
    yield _relation_changed(setting)
    yield _base_rate(setting)
    yield _segment_failing(setting)
    yield _estimate_fell(setting)
    yield _estimate_contradicted(setting)


def _pods(name: str, labels: Mapping[str, str], *values: tuple[float, float, float]) -> tuple[Fed, ...]:
    """A gauge of pods 1, 2, ..: each one's values below, above and good."""
    return tuple(gauge(name, pod(n, **labels), *each) for n, each in enumerate(values, 1))


def _samples(*counts: float, **labels: str) -> tuple[Fed, ...]:
    """Outcomes that the quality of pods 1, 2, .. stands on."""
    return tuple(
        steady("quality_samples", pod(n, **{**_WHOLE, **labels}), count) for n, count in enumerate(counts, 1)
    )


def _ranks_by_chance(setting: Setting) -> Shipped:
    labels = {**_WHOLE, "class": ""}
    high = 'window:driftgauge_roc_auc{end}_ratio:mean{{class="", segment="", cohort="arrived", {days}}}'
    enough = f"and ignoring (class) {_ENOUGH}"
    fires = {**OF_VERSION, **_DAY, "cohort": "arrived"}
    return shipped(
        setting,
        "ModelRanksByChance",
        {
            _CRITICAL: f"{high.format(end='_high', days=_DAYS)} < {ROC_AUC_NEAR_CHANCE}\n{enough}",
            _WARNING: f"{high.format(end='', days=_DAYS)} < {ROC_AUC_NEAR_CHANCE}\n{enough}",
        },
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.model }} hardly ranks better than chance over {{ $labels.window }}",
        description='ROC AUC is {{ printf "%.3f" $value }} (of the critical alert, the upper end of its interval), weighted over pods by outcomes; 0.5 is chance.',
        board=MODEL_BOARD,
        runbook=Runbook(
            "The scores hardly order the outcomes any more. The warning goes by the value, the critical alert by the upper end of its 95% interval.",
            (
                "Are outcomes joined to the right predictions, and is the positive class the right way round? An AUC well below 0.5 is a swapped label.",
                "`driftgauge_outcome_coverage_ratio` and `driftgauge_label_selection_psi`: whose outcomes are there?",
                "Did features drift, or did the relation change (ModelRelationChanged)?",
            ),
            (
                "Ids or classes of outcomes were mixed up.",
                "Inputs are broken: constant, missing, of another unit.",
                "The relation between inputs and outcome has changed.",
            ),
            (
                "Fix the feed of outcomes or of features first.",
                "Roll back where a new version began it.",
                "Retrain on newer outcomes; until then don't let the score decide alone.",
            ),
        ),
        trials=(
            Trial(
                (
                    *_pods("roc_auc_ratio", labels, (0.56, 0.52, 0.7), (0.54, 0.52, 0.7)),
                    *_pods("roc_auc_high_ratio", labels, (0.66, 0.62, 0.8), (0.64, 0.62, 0.8)),
                    *_samples(300, 300),
                ),
                (Firing(fires, ("0.520",)),),
                minutes=110,
                severities=(_WARNING,),
                name="warning",
            ),
            Trial(
                (
                    *_pods("roc_auc_high_ratio", labels, (0.55, 0.50, 0.8), (0.56, 0.60, 0.8)),
                    *_samples(150, 50),
                ),
                (Firing(fires, ("0.525",)),),
                minutes=110,
                severities=(_CRITICAL,),
                name="critical, by the weighted mean of the ends",
            ),
            Trial(
                (*_pods("roc_auc_high_ratio", labels, (0.3, 0.3, 0.8)), *_samples(199)),
                (),
                minutes=110,
                name="too few outcomes",
            ),
        ),
    )


def _worse_than_its_mean(setting: Setting) -> Shipped:
    r2 = 'window:driftgauge_r2{end}:mean{{segment="", cohort="arrived", {days}}} < {limit:g}\nand {enough}'
    fires = {**OF_VERSION, **_DAY, "cohort": "arrived"}

    def level(end: str) -> str:
        return r2.format(end=end, days=_DAYS, limit=R2_OF_THE_MEAN, enough=_ENOUGH)

    return shipped(
        setting,
        "ModelWorseThanItsMean",
        {_CRITICAL: level("_high"), _WARNING: level("")},
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.model }} is worse than the outcomes' mean over {{ $labels.window }}",
        description='R2 is {{ printf "%.3f" $value }} (of the critical alert, the upper end of its interval), weighted over pods by outcomes: answering the mean each time would have been less wrong.',
        board=MODEL_BOARD,
        runbook=Runbook(
            "R2 below 0: the mean of the window's outcomes, given as the answer each time, would have been less wrong. It depends on the outcomes' own spread: a quiet week lowers it without a worse model.",
            (
                "`driftgauge_bias`: a constant bias is a level that moved (growth, prices).",
                "`driftgauge_mae` beside `driftgauge_rmse`: are a few outcomes far off?",
                "The outcomes' own spread in the window.",
            ),
            (
                "The level of the outcome moved.",
                "A relation that changed.",
                "A broken input, or outcomes in another unit.",
            ),
            (
                "Recalibrate where it is bias alone; retrain where it isn't.",
                "Fix the feed where an input or the outcomes' unit is broken.",
            ),
        ),
        trials=(
            Trial(
                (
                    *_pods("r2", _WHOLE, (0.1, -0.2, 0.5), (-0.1, -0.2, 0.5)),
                    *_pods("r2_high", _WHOLE, (0.3, 0.1, 0.6), (0.3, 0.1, 0.6)),
                    *_samples(200, 200),
                ),
                (Firing(fires, ("-0.200",)),),
                minutes=110,
                severities=(_WARNING,),
                name="warning",
            ),
            Trial(
                (*_pods("r2_high", _WHOLE, (0.0, -0.1, 0.6), (0.2, -0.3, 0.6)), *_samples(300, 100)),
                (Firing(fires, ("-0.150",)),),
                minutes=110,
                severities=(_CRITICAL,),
                name="critical",
            ),
        ),
    )


def _below_reference(setting: Setting) -> Shipped:
    shares = " or ".join(
        f'label_replace(window:driftgauge_{name}_change_high_ratio:mean{{{_DAYS}}}, "measure", "{name}", "", "")'
        for name in ("accuracy", "roc_auc")
    )
    # Of errors the relative change: up by so much of the reference's own error.
    errors = " or ".join(
        f"label_replace(\n    -window:driftgauge_{name}_change_low:mean{{{_DAYS}}}\n"
        f'    / (window:driftgauge_{name}:mean{{cohort="matured", segment=""}} - ignoring (cohort, segment, segment_value) window:driftgauge_{name}_change:mean > 0),\n'
        f'    "measure", "{name}", "", "")'
        for name in ("mae",)
    )
    enough = f'and ignoring (measure, cohort, segment, segment_value) window:driftgauge_quality_samples:sum{{cohort="matured", segment="", {_DAYS}}} >= {LEAST_SAMPLES}'

    def level(share: float, error: float) -> str:
        return f"(\n  ({shares}) < -{share:g}\n  or ({errors}) < -{error:g}\n)\n{enough}"

    whole = {**_WHOLE, "cohort": "matured"}
    plain = {**VERSION, **_DAY}

    def fed(high: float) -> tuple[Fed, ...]:
        return (
            *_pods("accuracy_change_high_ratio", plain, (-0.01, high, 0.02), (-0.03, high, 0.02)),
            *_samples(200, 200, cohort="matured"),
        )

    return shipped(
        setting,
        "ModelQualityBelowReference",
        {
            _CRITICAL: level(QUALITY_FELL_FAR, 5 * QUALITY_FELL_FAR),
            _WARNING: level(QUALITY_FELL, 5 * QUALITY_FELL),
        },
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.measure }} of {{ $labels.model }} is below the reference's over {{ $labels.window }}",
        description="At best it has changed by {{ $value | humanizePercentage }} against the reference (the better end of the 95% interval, weighted over pods; of mae as a share of the reference's, turned round).",
        board=MODEL_BOARD,
        runbook=Runbook(
            "On outcomes that are complete, quality is worse than it was in the reference, and the whole 95% interval says so. It compares with the reference's own quality, not with what was promised.",
            (
                "ModelRelationChanged: if it fires too, the world changed; if not, inputs went where the model was always worse.",
                "Segments: is it all of them, or one?",
                "`driftgauge_reweighted_accuracy_ratio`: is it whose outcomes came?",
            ),
            (
                "The relation between inputs and outcome has changed.",
                "Another mix of customers.",
                "Outcomes that are missing for some kinds of records.",
            ),
            (
                "Retrain on newer outcomes where the relation changed.",
                "Roll back where a new version began it.",
                "Adjust the business rule that uses the score: a threshold that pays at this quality (`driftgauge_best_threshold`).",
            ),
        ),
        trials=(
            Trial(
                fed(-0.05),
                (Firing({**OF_VERSION, **_DAY, "measure": "accuracy"}, ("-5%",)),),
                minutes=110,
                severities=(_WARNING,),
                name="warning",
            ),
            Trial(
                fed(-0.15),
                (Firing({**OF_VERSION, **_DAY, "measure": "accuracy"}, ("-15%",)),),
                minutes=110,
                name="critical",
            ),
            Trial(
                (
                    *_pods("mae", whole, (11.0, 13.0, 10.0)),
                    *_pods("mae_change", plain, (1.0, 3.0, 0.0)),
                    *_pods("mae_change_low", plain, (1.0, 2.0, -1.0)),
                    *_samples(200, cohort="matured"),
                ),
                (Firing({**OF_VERSION, **_DAY, "measure": "mae"}, ("-20%",)),),
                minutes=110,
                severities=(_WARNING,),
                name="a regression's error, as a share of the reference's",
            ),
        ),
    )


def _relation_changed(setting: Setting) -> Shipped:
    labels = {**VERSION, "window": "7d"}
    return shipped(
        setting,
        "ModelRelationChanged",
        {_WARNING: "version:driftgauge_relation_changed:majority == 1"},
        hold=5 * MINUTE,
        keep=HOUR,
        summary="What {{ $labels.model }} has learned no longer holds over {{ $labels.window }}",
        description="At least half of the pods that can judge (the majority's verdict is {{ $value }}) find that the outcome, given a feature's value, is another than in the reference.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Concept drift: given the same input, another outcome. The overall rate of outcomes is taken out before; that is ModelBaseRateShifted. A model can't see this by itself, and no estimate without labels can.",
            (
                "`GET /v1/models/{model}`: which features, which of their bins?",
                "`driftgauge_accuracy_change_ratio` and `driftgauge_roc_auc_change_ratio`: what does it cost?",
                "One feature or many? One is often a changed meaning of that feature.",
            ),
            (
                "The world changed: a competitor, a law, a price.",
                "A feature means something else now: a changed definition upstream.",
                "The business acts on the score, and so changes the outcome.",
            ),
            (
                "Retrain on outcomes from after the change; weigh older ones less.",
                "Fix the feed where a definition changed.",
                "Until then adjust the business rule where the changed bins are.",
            ),
        ),
        trials=(
            Trial(
                (
                    *(fresh_pod(n) for n in PODS),
                    *_pods("relation_changed_features", labels, (1, 2, 0), (0, 1, 0), (0, 0, 0)),
                    *_pods("relation_judged_features", labels, (5, 5, 5), (5, 5, 5), (5, 5, 5)),
                ),
                (Firing({**OF_VERSION, "window": "7d"}, ("1",)),),
                minutes=80,
            ),
            Trial(
                (
                    fresh_pod(1),
                    fresh_pod(2),
                    *_pods("relation_changed_features", labels, (0, 1, 0), (0, 0, 0)),
                    # The second can't judge: it has no vote.
                    *_pods("relation_judged_features", labels, (5, 5, 5), (0, 0, 0)),
                ),
                (Firing({**OF_VERSION, "window": "7d"}, ("1",)),),
                minutes=80,
                name="of those that can judge",
            ),
        ),
    )


def _base_rate(setting: Setting) -> Shipped:
    name = f"window:driftgauge_outcome_rate_shift_logodds{{}}:mean{{{{{_DAYS}}}}}"
    enough = f'and ignoring (class, cohort, segment, segment_value) window:driftgauge_quality_samples:sum{{cohort="matured", segment="", {_DAYS}}} >= {LEAST_SAMPLES}'
    labels = {**VERSION, **_DAY, "class": ""}
    return shipped(
        setting,
        "ModelBaseRateShifted",
        {
            _WARNING: f"(\n  {name.format('_low')} > {BASE_RATE_MOVED}\n  or {name.format('_high')} < -{BASE_RATE_MOVED}\n)\n{enough}"
        },
        hold=30 * MINUTE,
        keep=HOUR,
        summary="Outcomes of {{ $labels.model }} come at another rate over {{ $labels.window }}",
        description='The log-odds of the outcome differ from the reference\'s by at least {{ printf "%.2f" $value }} (the nearer end of the 95% interval, weighted over pods; 0.25 is 50% against 56%).',
        board=MODEL_BOARD,
        runbook=Runbook(
            "The outcome itself comes more or less often than in the reference. Ranking may be as good as before; thresholds and probabilities are off.",
            (
                "Did inputs drift too? More young customers, more churn: then `driftgauge_feature_outcome_shift` stays near 0.",
                "`driftgauge_calibration_intercept` (family `calibration`): are probabilities off?",
                "Are outcomes complete: does one class come later than the other?",
            ),
            (
                "A season or a campaign.",
                "One class of outcomes is late or missing.",
                "The world changed, for all customers alike.",
            ),
            (
                "Recalibrate, or move the threshold (`driftgauge_best_threshold` says what pays).",
                "Fix the feed where one class is missing.",
                "Retraining is seldom needed for this alone.",
            ),
        ),
        trials=(
            Trial(
                (
                    *_pods("outcome_rate_shift_logodds_low", labels, (0.2, 0.4, -0.1), (0.3, 0.3, -0.1)),
                    *_pods("outcome_rate_shift_logodds_high", labels, (0.6, 0.8, 0.1), (0.6, 0.8, 0.1)),
                    *_samples(200, 200, cohort="matured"),
                ),
                (Firing({**OF_VERSION, **_DAY}, ("0.35",)),),
                minutes=110,
                name="up",
            ),
            Trial(
                (
                    *_pods("outcome_rate_shift_logodds_low", labels, (-0.9, -0.9, -0.1)),
                    *_pods("outcome_rate_shift_logodds_high", labels, (-0.25, -0.5, 0.1)),
                    *_samples(200, cohort="matured"),
                ),
                (Firing({**OF_VERSION, **_DAY}, ("-0.50",)),),
                minutes=110,
                name="down",
            ),
        ),
    )


def _segment_failing(setting: Setting) -> Shipped:
    whole = "ignoring (segment, segment_value) group_left ()"
    of_segment, of_model = f'{{segment!="", {_DAYS}}}', f'{{segment="", {_DAYS}}}'
    worse = (
        f"(\n"
        f"  window:driftgauge_accuracy_high_ratio:mean{of_segment}\n"
        f"    < {whole} window:driftgauge_accuracy_low_ratio:mean{of_model}\n"
        f"  or window:driftgauge_mae_low:mean{of_segment}\n"
        f"    > {whole} window:driftgauge_mae_high:mean{of_model}\n"
        f")"
    )
    share = (
        "(\n"
        f"  segment:driftgauge_value:share >= {LEAST_SEGMENT_SHARE}\n"
        "  or (\n"
        f"    segment:driftgauge_quality_samples:share >= {LEAST_SEGMENT_SHARE}\n"
        "    unless segment:driftgauge_value:share\n"
        "  )\n"
        ")"
    )
    enough = f"and window:driftgauge_quality_samples:sum{of_segment} >= 100"
    plan = {"segment": "plan", "segment_value": "pro"}
    fires = {**OF_VERSION, **_DAY, "cohort": "arrived", **plan}

    def fed(above: float, *, money: tuple[float, float] | None = None, pro: float = 150) -> tuple[Fed, ...]:
        found = (
            *_pods("accuracy_low_ratio", _WHOLE, (0.8, 0.8, 0.8), (0.82, 0.82, 0.82)),
            *_pods("accuracy_high_ratio", {**_WHOLE, **plan}, (0.85, above, 0.9), (0.77, above, 0.9)),
            *_samples(1000, 1000),
            *_samples(pro, pro, **plan),
            *_samples(1000 - pro, 1000 - pro, segment="plan", segment_value="basic"),
        )
        if money is None:
            return found
        return (
            *found,
            steady(
                "value",
                pod(
                    1,
                    **_WHOLE,
                )
                | plan,
                money[0],
            ),
            steady("value", pod(1, **_WHOLE) | {"segment": "plan", "segment_value": "basic"}, money[1]),
        )

    return shipped(
        setting,
        "SegmentFailing",
        {_WARNING: f"{worse}\nand {share}\n{enough}"},
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.model }} fails where {{ $labels.segment }} is {{ $labels.segment_value }}",
        description="Over {{ $labels.window }} the whole interval of the segment's quality lies on the worse side of the whole model's: at best {{ printf \"%.3f\" $value }} (accuracy, or mae; weighted over pods).",
        board=MODEL_BOARD,
        runbook=Runbook(
            "One segment is worse than the model as a whole, by more than both their intervals explain, and it carries at least 5% of the value (of the outcomes, where no value is configured) of its column.",
            (
                "The segment's own precision, recall and samples on the dashboard.",
                "Was it always so? A segment that was always harder is no news: compare with the weeks before.",
                "`driftgauge_segment_psi` (family `segments`): did its inputs drift alone?",
            ),
            (
                "A partner, a region or a sender whose data is broken.",
                "A segment that the training data hardly had.",
                "A campaign that changed who is in it.",
            ),
            (
                "Fix the feed of that sender.",
                "Adjust the business rule for the segment: another threshold, or a person decides.",
                "Retrain with more of its records, or give it a model of its own.",
            ),
        ),
        trials=(
            Trial(fed(0.7), (Firing(fires, ("0.700",)),), minutes=110, name="by samples"),
            Trial(fed(0.7, pro=100, money=(-40, 960)), (), minutes=110, name="4% of the value"),
            Trial(
                fed(0.7, money=(-60, 940)), (Firing(fires, ("0.700",)),), minutes=110, name="6% of the value"
            ),
            Trial(fed(0.7, pro=45), (), minutes=110, name="4.5% of the samples"),
            Trial(
                (
                    *_pods("mae_high", _WHOLE, (10.0, 10.0, 10.0)),
                    *_pods("mae_low", {**_WHOLE, **plan}, (10.0, 12.0, 9.0)),
                    *_samples(1000),
                    *_samples(150, **plan),
                    *_samples(850, segment="plan", segment_value="basic"),
                ),
                (Firing(fires, ("12.000",)),),
                minutes=110,
                name="a regression",
            ),
        ),
    )


def _estimate_fell(setting: Setting) -> Shipped:
    estimated = "window:driftgauge_estimated_{}{}_ratio:mean"
    reference = (
        'window:driftgauge_{0}_ratio:mean{{cohort="matured", segment=""{1}}}\n'
        "    - ignoring (cohort, segment, segment_value{2}) window:driftgauge_{0}_change_ratio:mean"
    )
    parts = []
    for name, extra, label in (("accuracy", "", ""), ("roc_auc", ', class=""', ", class")):
        best = f"{estimated.format(name, '')}{{{_DAYS}}} + 2 * {estimated.format(name, '_error')}"
        parts.append(
            f'label_replace(\n    {best}\n    - (\n    {reference.format(name, extra, label)}\n    ),\n    "measure", "{name}", "", "")'
        )
    whole = {**_WHOLE, "cohort": "matured"}
    plain = {**VERSION, **_DAY}
    return shipped(
        setting,
        "EstimatedQualityFell",
        {_WARNING: f"(\n  {' or '.join(parts)}\n) < -{ESTIMATE_FELL}"},
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.measure }} of {{ $labels.model }} is expected to fall",
        description="Without waiting for outcomes it is estimated to be {{ $value | humanizePercentage }} against the reference's over {{ $labels.window }}, two of its errors granted.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "From the scores alone, quality is expected below the reference's. An estimate holds as long as a score means what it meant: it sees a change of inputs, not of the relation, and never pages.",
            (
                "`driftgauge_estimated_accuracy_gap_ratio`: how good was it for windows whose outcomes are known?",
                "Which feature drifted?",
                "`driftgauge_estimate_unsupported_ratio`: have scores moved to where nothing is known?",
            ),
            (
                "More records in the middle, where the model is unsure.",
                "Another mix of customers.",
                "A broken input.",
            ),
            (
                "Fix the feed where an input is broken.",
                "Wait for outcomes where it isn't; prepare a retraining.",
                "Adjust the business rule: send unsure records to a person.",
            ),
        ),
        trials=(
            Trial(
                (
                    *_pods("estimated_accuracy_ratio", plain, (0.84, 0.74, 0.9), (0.84, 0.74, 0.9)),
                    *_pods("estimated_accuracy_error_ratio", plain, (0.01, 0.01, 0.01), (0.01, 0.01, 0.01)),
                    *_pods("accuracy_ratio", whole, (0.88, 0.88, 0.88), (0.88, 0.88, 0.88)),
                    *_pods("accuracy_change_ratio", plain, (-0.02, -0.02, -0.02), (-0.02, -0.02, -0.02)),
                    *_samples(200, 200, cohort="matured"),
                    *(steady("window_samples", pod(n, **plain, cohort="predicted"), 500) for n in (1, 2)),
                ),
                (Firing({**OF_VERSION, **_DAY, "measure": "accuracy"}, ("-14%",)),),
                minutes=110,
            ),
        ),
    )


def _estimate_contradicted(setting: Setting) -> Shipped:
    gap, error = (f"window:driftgauge_estimated_accuracy_{kind}_ratio:mean" for kind in ("gap", "error"))
    plain = {**VERSION, "window": "7d"}
    return shipped(
        setting,
        "EstimateContradicted",
        {_INFO: f"abs({gap}{{{_DAYS}}}) > 2 * {error} + 0.05"},
        hold=HOUR,
        keep=HOUR,
        summary="Outcomes contradict the estimate of {{ $labels.model }}",
        description="Over {{ $labels.window }} the estimated accuracy and the realised one of the same window differ by {{ $value | humanizePercentage }}: the estimate can't be trusted now.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Where outcomes are known, the estimate was off by more than two of its errors and 5%. A score no longer means what it meant in the reference.",
            (
                "ModelRelationChanged and ModelBaseRateShifted: do they fire?",
                "`driftgauge_label_selection_psi`: are outcomes missing for some scores?",
                "`driftgauge_estimate_calibration_error_ratio`.",
            ),
            (
                "The relation or the base rate changed.",
                "Outcomes are missing not at random.",
                "A new version with another calibration.",
            ),
            (
                "Don't act on estimates until they hold again.",
                "Recalibrate, retrain, or make a new reference with outcomes.",
            ),
        ),
        trials=(
            Trial(
                (
                    *_pods("estimated_accuracy_gap_ratio", plain, (0.06, 0.12, 0.01), (0.06, 0.12, 0.01)),
                    *_pods("estimated_accuracy_error_ratio", plain, (0.01, 0.01, 0.01), (0.01, 0.01, 0.01)),
                    *(steady("window_samples", pod(n, **plain, cohort="predicted"), 500) for n in (1, 2)),
                ),
                (Firing({**OF_VERSION, "window": "7d"}, ("12%",)),),
                minutes=150,
            ),
        ),
    )
