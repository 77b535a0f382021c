"""Alerts on how the model server answers: its error budget and its latency budget, by burn rate.

A burn rate of 1 spends a month's budget in a month. Each severity asks a long window for how much is
gone and a short one for whether it still goes: 14.4 over 1 h and 5 min is 2% of the month in an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from driftgauge.artefacts.rules.durations import Duration
from driftgauge.artefacts.rules.shipped.chain import FAILED, LATENCY_BUCKETS, LATENCY_COUNT, PREDICTIONS
from driftgauge.artefacts.rules.shipped.entry import (
    MODEL_BOARD,
    Fed,
    Firing,
    Runbook,
    Setting,
    Shipped,
    Trial,
    counter,
    shipped,
)
from driftgauge.artefacts.rules.shipped.sidecar import pod
from driftgauge.artefacts.rules.shipped.traffic import OF_VERSION, VERSION
from driftgauge.artefacts.rules.values import Recording, Severity
from driftgauge.artefacts.thresholds import (
    ERROR_OBJECTIVE,
    LATENCY_OBJECTIVE,
    LATENCY_OBJECTIVE_SECONDS,
    LEAST_SAMPLES,
)
from driftgauge.config import DAY, HOUR, MINUTE

_BURNS: Final = (
    (Severity.CRITICAL, 14.4, "1h", "5m"),
    (Severity.WARNING, 6.0, "6h", "30m"),
    (Severity.INFO, 1.0, "3d", "6h"),
)
_SPANS: Final = (("5m", 5 * MINUTE), ("30m", 30 * MINUTE), ("1h", HOUR), ("6h", 6 * HOUR), ("3d", 3 * DAY))
# A short window only asks whether it goes on, so it needs no volume of its own.
_SHORT: Final = ("5m", "30m")
_LABELS: Final = ("model", "model_version", "window")


def budget_recordings(setting: Setting) -> Iterator[Recording]:
    """The share that is spent, by window; absent where too few predictions came."""
    for window, seconds in _SPANS:
        enough = "> 0" if window in _SHORT else f">= {LEAST_SAMPLES}"
        failed, predictions = (
            _sum(setting, each.name("increase5m"), seconds) for each in (FAILED, PREDICTIONS)
        )
        yield Recording(
            "version:driftgauge_prediction_errors:burn_ratio",
            f"{failed}\n/ ({predictions} {enough})",
            {"window": window},
            f"Share of predictions that carried an error, over all pods; from 1 h on, of {LEAST_SAMPLES} predictions and more.",
            _LABELS,
        )
        bucket = f'{LATENCY_BUCKETS.name("increase5m")}{{le="{LATENCY_OBJECTIVE_SECONDS:g}"}}'
        fast = _sum(setting, bucket, seconds)
        timed = _sum(setting, LATENCY_COUNT.name("increase5m"), seconds)
        yield Recording(
            "version:driftgauge_prediction_latency:burn_ratio",
            f"1 - (sum without (le) ({fast})\n/ ({timed} {enough}))",
            {"window": window},
            f"Share of predictions that took longer than {LATENCY_OBJECTIVE_SECONDS:g} s, likewise.",
            _LABELS,
        )


def _sum(setting: Setting, selector: str, seconds: float) -> str:
    """The sum of the chain's steps within so many seconds, whenever it is asked for between two steps.

    A millisecond short, so that Prometheus 2, whose ranges hold both of their ends, never counts one step more.
    Prometheus 3 leaves a range's start out: where an evaluation comes to lie on that very millisecond, one of
    the five between two steps lacks a step, which no ``for`` of two minutes notices.
    """
    scale = setting.scale
    steps = max(1, round(scale.duration(seconds).milliseconds / scale.step.milliseconds))
    return f"sum_over_time({selector}[{scale.step * steps - Duration(1)}])"


def budget_alerts(setting: Setting) -> Iterator[Shipped]:
    """Both of them."""
    yield _errors(setting)
    yield _latency(setting)


def _levels(record: str, budget: float) -> dict[Severity, str]:
    return {
        severity: f'{record}{{window="{long}"}} > {factor * budget:.5g}\n'
        f'and ignoring (window) {record}{{window="{short}"}} > {factor * budget:.5g}'
        for severity, factor, long, short in _BURNS
    }


def _errors(setting: Setting) -> Shipped:
    def fed(below: float, above: float) -> tuple[Fed, ...]:
        return (
            counter("predictions_total", pod(1, **VERSION), 50, 50, 50),
            counter("predictions_total", pod(2, **VERSION), 50, 50, 50),
            counter("prediction_errors_total", pod(1, **VERSION), below, above, 0),
            counter("prediction_errors_total", pod(2, **VERSION), 0, 0, 0),
        )

    return shipped(
        setting,
        "ModelErrorBudgetBurns",
        _levels("version:driftgauge_prediction_errors:burn_ratio", 1 - ERROR_OBJECTIVE),
        hold=2 * MINUTE,
        keep=15 * MINUTE,
        summary="{{ $value | humanizePercentage }} of the predictions of {{ $labels.model }} failed in {{ $labels.window }}",
        description="Version {{ $labels.model_version }} spends its error budget (1% a month) too fast: {{ $value | humanizePercentage }} in {{ $labels.window }}, over all pods, and it goes on.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "The model server itself reports errors on its predictions. Critical is 14.4 times the budget in the last hour and still now, warning 6 times in 6 hours, info once in 3 days.",
            (
                "The model server's log: which error?",
                "One version or all, one pod or all?",
                "What was deployed when it began?",
            ),
            (
                "A new version of model or server.",
                "A dependency: feature store, database, memory.",
                "Requests that the model can't take.",
            ),
            (
                "Roll back where a deployment began it.",
                "Fix the feed or the dependency.",
                "Let the business rule that uses the score answer without it meanwhile.",
            ),
        ),
        trials=_trials(fed),
        coarse=True,
    )


def _trials(fed: Callable[[float, float], tuple[Fed, ...]]) -> tuple[Trial, ...]:
    """Of 100 predictions each 5 minutes 0.9 are bad for ten hours, then so many, then none."""

    def firing(severity: Severity, window: str, share: str) -> Firing:
        return Firing({**OF_VERSION, "window": window}, (share, share), severity)

    critical, warning, info = Severity
    return (
        Trial(
            fed(0.9, 20),
            (
                firing(critical, "1h", "20%"),
                firing(warning, "6h", "20%"),
                firing(info, "3d", "10.45%"),
            ),
            minutes=600,
            interval=5,
            name="critical",
        ),
        Trial(
            fed(0.9, 14),
            (firing(warning, "6h", "14%"), firing(info, "3d", "7.45%")),
            minutes=600,
            interval=5,
            severities=(warning, info),
            name="warning",
        ),
        Trial(
            fed(0.9, 5),
            (firing(info, "3d", "2.95%"),),
            minutes=600,
            interval=5,
            severities=(info,),
            name="info",
        ),
        Trial(
            tuple(each.thinned(1000) for each in fed(0.9, 20)),
            (),
            minutes=600,
            interval=5,
            name="too few predictions",
        ),
    )


def _latency(setting: Setting) -> Shipped:
    def fed(below: float, above: float) -> tuple[Fed, ...]:
        name = "prediction_latency_seconds"
        limit = f"{LATENCY_OBJECTIVE_SECONDS:g}"
        return (
            counter(f"{name}_count", pod(1, **VERSION), 50, 50, 50),
            counter(f"{name}_count", pod(2, **VERSION), 50, 50, 50),
            counter(f"{name}_bucket", pod(1, **VERSION, le=limit), 50 - below, 50 - above, 50),
            counter(f"{name}_bucket", pod(2, **VERSION, le=limit), 50, 50, 50),
            counter(f"{name}_bucket", pod(2, **VERSION, le="0.1"), 0, 0, 0),
        )

    return shipped(
        setting,
        "ModelLatencyBudgetBurns",
        _levels("version:driftgauge_prediction_latency:burn_ratio", 1 - LATENCY_OBJECTIVE),
        hold=2 * MINUTE,
        keep=15 * MINUTE,
        summary="{{ $value | humanizePercentage }} of the predictions of {{ $labels.model }} were slow in {{ $labels.window }}",
        description=f"Version {{{{ $labels.model_version }}}} spends its latency budget (1% a month above {LATENCY_OBJECTIVE_SECONDS:g} s) too fast: {{{{ $value | humanizePercentage }}}} in {{{{ $labels.window }}}}, over all pods, and it goes on.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Too many predictions took longer than half a second, by the latency that the model server reports. Critical is 14.4 times the budget in the last hour and still now, warning 6 times in 6 hours, info once in 3 days.",
            (
                "`histogram_quantile(0.99, sum by (le) (rate(driftgauge_prediction_latency_seconds_bucket[5m])))`.",
                "CPU and memory of the model server: is it throttled?",
                "One version or all, one pod or all?",
            ),
            (
                "A larger model, or larger batches.",
                "A slow feature lookup.",
                "Too few replicas for the traffic.",
            ),
            (
                "Roll back where a version began it.",
                "Give it more replicas or CPU; fix the lookup that the feed waits for.",
                "Where half a second is not your limit, write a rule of your own and mute this one.",
            ),
        ),
        trials=_trials(fed),
        coarse=True,
    )
