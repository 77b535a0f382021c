"""Alerts on what comes in: predictions, outcomes, references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import (
    MODEL_BOARD,
    OF_MODEL_BOARD,
    Fed,
    Firing,
    Runbook,
    Setting,
    Shipped,
    Trial,
    counter,
    evaluated,
    gauge,
    shipped,
    spelt,
)
from driftgauge.artefacts.rules.shipped.sidecar import TARGET, pod, without
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Recording, Severity
from driftgauge.artefacts.thresholds import (
    LEAST_OUTCOME_COVERAGE,
    MOST_ORPHANS,
    SILENT_OUTCOMES_SECONDS,
    SILENT_PREDICTIONS_SECONDS,
)
from driftgauge.config import DAY, HOUR, MINUTE

VERSION: Final = {"model": "churn", "model_version": "1"}
OF_VERSION: Final = {**TARGET, **VERSION}
_WARNING, _INFO = Severity.WARNING, Severity.INFO


def outcome_recordings(setting: Setting) -> Iterator[Recording]:
    """How outcomes find their predictions."""
    hours = setting.scale.range(6 * HOUR)
    joined, pods = "model:driftgauge_outcomes_joined:increase6h", "model:driftgauge_outcome_pods:count"
    yield Recording(
        joined,
        f"sum {without('model_version')} (increase(driftgauge_outcomes_joined_total[{hours}]))",
        meaning="Outcomes that were counted with their prediction, of all versions.",
        remaining=("model",),
    )
    yield Recording(
        pods,
        f"count {WITHOUT_PODS} (driftgauge_outcomes_elsewhere_total)",
        meaning="Pods that know the model.",
        remaining=("model",),
    )
    most, elsewhere = (
        f"max_over_time({pods}[{hours}])",
        f"sum {WITHOUT_PODS} (increase(driftgauge_outcomes_elsewhere_total[{hours}]))",
    )
    # Of an outcome that all of n pods are sent n - 1 have no prediction; what is more than that no pod had.
    yield Recording(
        "model:driftgauge_outcomes_orphaned:increase6h",
        f"sum {WITHOUT_PODS} (increase(driftgauge_outcomes_orphaned_total[{hours}]))\n"
        f"+ clamp_min({elsewhere}\n  - ({most} - 1) * ({joined} or {most} * 0), 0) / {most}",
        meaning="Outcomes that found no prediction within the horizon, over all pods, in 6 hours; where every pod is sent every outcome (`outcomes: {fan_out: true}`), those that none of them knew.",
        remaining=("model",),
    )


def traffic_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them."""
    yield _without_predictions(setting)
    yield _without_outcomes(setting)
    yield _orphaned(setting)
    yield _outcomes_missing(setting)
    yield _label_delay(setting)
    yield _references_differ(setting)


def fresh_pod(number: int = 1, **labels: str) -> Fed:
    """A pod whose evaluation is fresh in every phase but the last."""
    return evaluated(pod(number, **VERSION, **labels))


def _without_predictions(setting: Setting) -> Shipped:
    limit = setting.scale.age(SILENT_PREDICTIONS_SECONDS)
    return shipped(
        setting,
        "ModelWithoutPredictions",
        {
            _WARNING: "max without (model_version) (\n"
            "  version:driftgauge_last_prediction_timestamp_seconds:max\n"
            f") < time() - {limit.seconds}"
        },
        hold=15 * MINUTE,
        summary="No prediction of {{ $labels.model }} for an hour",
        description="The last one came at {{ $value | humanizeTimestamp }}: the model serves nobody, or its server no longer sends its predictions.",
        board=OF_MODEL_BOARD,
        runbook=Runbook(
            "The model has had predictions, and no version of it has had one for an hour. It says nothing of the model's answers.",
            (
                "The model server's own request rate: does it serve?",
                "`driftgauge_requests_rejected_total` and `driftgauge_records_rejected_total`: does it send what is refused?",
                "The sender's log, and whether its address of the sidecar is still right.",
            ),
            (
                "Nobody asks: night, a holiday, or callers that moved to another model.",
                "A deployment of the model server without its logger.",
                "The sender waits for the sidecar and gave up.",
            ),
            (
                "Fix the feed: turn the logger on again.",
                "For a model that is used by day only, mute the alert by night with a time interval of Alertmanager.",
            ),
        ),
        trials=(
            Trial(
                (
                    spelt("last_prediction_timestamp_seconds", pod(1, **VERSION), "0x179 10800+60x89"),
                    spelt("last_prediction_timestamp_seconds", pod(2, **VERSION), "0+60x60 3600x119 7200x89"),
                ),
                (Firing({**TARGET, "model": "churn"}, ("1970-01-01 01:00:00 +0000 UTC",)),),
                minutes=90,
            ),
        ),
    )


def _without_outcomes(setting: Setting) -> Shipped:
    silent = setting.scale.age(SILENT_OUTCOMES_SECONDS)
    busy = setting.scale.age(SILENT_PREDICTIONS_SECONDS)
    last = "version:driftgauge_last_{}_timestamp_seconds:max"
    return shipped(
        setting,
        "ModelWithoutOutcomes",
        {
            _WARNING: f"max without (model_version) ({last.format('outcome')}) < time() - {silent.seconds}\n"
            f"and max without (model_version) ({last.format('prediction')}) >= time() - {busy.seconds}"
        },
        hold=HOUR,
        summary="No outcome for {{ $labels.model }} for two days",
        description="The last one came at {{ $value | humanizeTimestamp }}. Predictions come and outcomes, which have come before, do not; quality is blind.",
        board=OF_MODEL_BOARD,
        runbook=Runbook(
            "Outcomes have come before and have stopped for two days while predictions go on. Quality stays absent or old; drift of inputs and predictions is judged all the same.",
            (
                "The job that sends outcomes: did it run, and did it end well?",
                '`driftgauge_records_rejected_total{door="outcomes"}`: are they refused?',
                "`driftgauge_label_delay_p95_seconds`: how late do they usually come?",
            ),
            (
                "The job failed, or its source is late.",
                "The door for outcomes moved or wants a token.",
                "A batch that comes monthly: then the alert is no news.",
            ),
            (
                "Fix the feed and send what was missed: an outcome may come until `outcomes.horizon`.",
                "Where outcomes come rarely, mute this alert for the model.",
            ),
        ),
        trials=(
            Trial(
                (
                    # Two days old at the end of the first phase, and an hour and more older in the second.
                    spelt("last_outcome_timestamp_seconds", pod(1, **VERSION), "-165660x239 14400x119"),
                    spelt("last_prediction_timestamp_seconds", pod(2, **VERSION), "0+60x359"),
                    spelt(
                        "last_outcome_timestamp_seconds",
                        pod(1, model="idle", model_version="1"),
                        "-165660x359",
                    ),
                    spelt(
                        "last_prediction_timestamp_seconds",
                        pod(1, model="idle", model_version="1"),
                        "-3600x359",
                    ),
                ),
                (Firing({**TARGET, "model": "churn"}, ("1969-12-30 01:59:00 +0000 UTC",)),),
                minutes=120,
            ),
        ),
    )


def _orphaned(setting: Setting) -> Shipped:
    orphaned, joined = (f"model:driftgauge_outcomes_{kind}:increase6h" for kind in ("orphaned", "joined"))
    return shipped(
        setting,
        "ModelOutcomesOrphaned",
        {
            _WARNING: f"{orphaned}\n/ ({orphaned} + ({joined} or {orphaned} * 0))\n> {MOST_ORPHANS}\n"
            f"and {orphaned} >= 10"
        },
        hold=30 * MINUTE,
        keep=HOUR,
        summary="{{ $value | humanizePercentage }} of the outcomes for {{ $labels.model }} find no prediction",
        description="{{ $value | humanizePercentage }} in 6 hours. With several replicas an outcome must reach the pod that saw its prediction: send it to every pod, send all to one receiver, or let it carry score or prediction, time and segments.",
        board=OF_MODEL_BOARD,
        runbook=Runbook(
            "More than half of the outcomes never found their prediction, so quality stands on the others.",
            (
                "`driftgauge_outcomes_waiting`: do they wait still, or were they dropped at the horizon?",
                "The ids of a prediction and of its outcome: are they equal, letter by letter?",
                "The number of replicas: with more than one, where do outcomes go?",
            ),
            (
                "With several replicas an outcome reaches a pod that never saw the prediction.",
                "Ids differ: a prefix, upper case, a number as text.",
                "The horizon (`outcomes: {horizon: 30d}`) is shorter than the delay, or pods live shorter than it on emptyDir.",
            ),
            (
                "Fix the feed: post each outcome to every pod of a headless Service, or send all to one receiver.",
                "Or let outcomes carry `score` or `prediction`, `prediction_timestamp` and `segments`: they need no join.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter("outcomes_orphaned_total", pod(1, model="churn"), 1, 3, 0),
                    counter("outcomes_joined_total", pod(2, **VERSION), 1, 1, 1),
                    counter("outcomes_elsewhere_total", pod(1, model="churn"), 0, 0, 0),
                ),
                (Firing({**TARGET, "model": "churn"}, ("75%", "75%")),),
                minutes=480,
            ),
            # Three pods are sent every outcome: of three a minute each knows one, of nine too.
            Trial(
                (
                    *(counter("outcomes_elsewhere_total", pod(i, model="churn"), 2, 8, 2) for i in (1, 2, 3)),
                    *(counter("outcomes_joined_total", pod(i, **VERSION), 1, 1, 1) for i in (1, 2, 3)),
                    *(counter("outcomes_orphaned_total", pod(i, model="churn"), 0, 0, 0) for i in (1, 2, 3)),
                ),
                (Firing({**TARGET, "model": "churn"}, ("66.67%", "66.67%")),),
                minutes=480,
                name="what every pod is sent is missing only where none of them knows it",
            ),
        ),
    )


def _outcomes_missing(setting: Setting) -> Shipped:
    labels = {**VERSION, "window": "7d"}
    return shipped(
        setting,
        "ModelOutcomesMissing",
        {
            _INFO: f'window:driftgauge_outcome_coverage:mean{{cohort="matured", window=~"[0-9]+d"}} < {LEAST_OUTCOME_COVERAGE}\n'
            'and ignoring (cohort) window:driftgauge_window_samples:sum{cohort="predicted"} >= 200'
        },
        hold=30 * MINUTE,
        keep=30 * MINUTE,
        summary="Only {{ $value | humanizePercentage }} of the outcomes for {{ $labels.model }} are known",
        description="{{ $value | humanizePercentage }} over {{ $labels.window }} of predictions that are old enough. Quality stands on the outcomes that came, which are seldom a fair sample.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Fewer than half of the predictions whose outcome should have come by now have one. Labels are seldom missing at random.",
            (
                "`driftgauge_label_selection_psi`: do the scores of labelled predictions differ from the others'?",
                "`driftgauge_reweighted_accuracy_ratio` beside `driftgauge_accuracy_ratio`: is the plain one rosy?",
                "Coverage by day: did it fall at one time, or was it always low?",
            ),
            (
                "Only some decisions ever get an outcome (only accepted loans can default).",
                "Outcomes that come later than `outcomes.matures_after`.",
                "Silence has a meaning: churn that never comes.",
            ),
            (
                "Where silence means a class, say so: `outcomes: {horizon: 30d, at_horizon: retained}`.",
                "Give a longer `matures_after`, or read the reweighted quality.",
            ),
        ),
        trials=(
            Trial(
                (
                    fresh_pod(1),
                    gauge("outcome_coverage_ratio", pod(1, **labels, cohort="matured"), 0.5, 0.2, 0.9),
                    gauge("outcome_coverage_ratio", pod(2, **labels, cohort="matured"), 0.5, 0.5, 0.9),
                    gauge("window_samples", pod(1, **labels, cohort="predicted"), 150, 150, 150),
                    gauge("window_samples", pod(2, **labels, cohort="predicted"), 50, 50, 50),
                ),
                (Firing({**OF_VERSION, "window": "7d", "cohort": "matured"}, ("27.5%", "27.5%")),),
                minutes=90,
            ),
        ),
    )


def _label_delay(setting: Setting) -> Shipped:
    name = "driftgauge_label_delay_p95_seconds"
    week = setting.scale.duration(7 * DAY)
    return shipped(
        setting,
        "ModelLabelDelayGrew",
        {
            _INFO: f"max {WITHOUT_PODS} ({name})\n"
            f"> 2 * max {WITHOUT_PODS} ({name} offset {week})\n"
            f"and max {WITHOUT_PODS} ({name}) > {setting.scale.duration(HOUR).seconds}"
        },
        hold=HOUR,
        keep=HOUR,
        summary="Outcomes for {{ $labels.model }} come later than a week ago",
        description="95% come within {{ $value | humanizeDuration }}, more than twice as long as a week ago; matured quality stands further back.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "The 95th percentile of the time from a prediction to its outcome is more than twice what it was a week ago. Quality by matured outcomes is as much older.",
            (
                "`driftgauge_label_delay_p50_seconds`: did all outcomes slow down, or only the last of them?",
                "The job that sends outcomes: its schedule, its queue.",
                "`driftgauge_matures_after_seconds`: how far back matured windows stand now.",
            ),
            (
                "The job runs more rarely or late.",
                "A backfill of old outcomes.",
                "The business takes longer to decide.",
            ),
            (
                "Fix the feed; estimates without labels bridge the time where they hold.",
                "After a backfill nothing: the percentile recovers with the window.",
            ),
        ),
        trials=(
            Trial(
                (
                    # A week and two hours, of which the last two are exactly twice as long.
                    spelt("label_delay_p95_seconds", pod(1, **VERSION), "7200x2015 14400x1043"),
                ),
                (),
                minutes=5100,
                interval=5,
                name="twice is not more than twice",
            ),
            Trial(
                (spelt("label_delay_p95_seconds", pod(1, **VERSION), "7200x2015 18000x23 7200x1019"),),
                (Firing(OF_VERSION, ("5h 0m 0s",)),),
                minutes=5100,
                interval=5,
            ),
        ),
        coarse=True,
    )


def _references_differ(setting: Setting) -> Shipped:
    reference = {**VERSION, "feature": "age", "bin": "0"}
    return shipped(
        setting,
        "ModelReferencesDiffer",
        {_WARNING: "version:driftgauge_references:count > 1"},
        hold=30 * MINUTE,
        summary="Pods of {{ $labels.model }} compare with {{ $value }} different references",
        description="Version {{ $labels.model_version }} has {{ $value }} references among its pods: their drift can't be compared, and the fleet's PSI is told for each apart.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Pods of one model version judge drift against different references. Sums over pods never mix their bins, so each reference has a part of the traffic.",
            (
                "`count by (reference) (driftgauge_reference_feature_mean)`: which pods have which?",
                "`driftgauge_reference_state`: learned (`frozen`) or given by a file (`given`)?",
                "Is a rollout of a new reference on its way?",
            ),
            (
                "Each pod learned its own reference.",
                "A new reference file was mounted and not every pod has loaded it.",
                "`driftgauge reference relearn` or `accept` went to one pod only.",
            ),
            (
                "Mount one file for all replicas: `driftgauge profile` or `driftgauge reference export` makes it.",
                "Send SIGHUP to the pods that have the old one.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("reference_feature_bin_ratio", pod(1, **reference, reference="aa"), 0.1, 0.1, 0.1),
                    gauge("reference_feature_bin_ratio", pod(2, **reference, reference="aa"), 0.1, None, 0.1),
                    gauge(
                        "reference_feature_bin_ratio", pod(2, **reference, reference="bb"), None, 0.1, None
                    ),
                ),
                (Firing(OF_VERSION, ("2", "2")),),
                minutes=60,
            ),
        ),
    )
