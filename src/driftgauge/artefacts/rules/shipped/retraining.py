"""Alerts on `driftgauge trigger`: what waits for a person, and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import (
    FLEET_BOARD,
    Firing,
    Runbook,
    Setting,
    Shipped,
    Trial,
    counter,
    gauge,
    shipped,
    spelt,
)
from driftgauge.artefacts.rules.shipped.sidecar import without
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Severity
from driftgauge.config import HOUR, MINUTE

_TARGET: Final = {"namespace": "ml", "job": "driftgauge-trigger"}
_POD: Final = {**_TARGET, "pod": "driftgauge-trigger-0", "instance": "10.0.0.9:9879"}
_WARNING: Final = Severity.WARNING


def retraining_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them; their names don't begin with Driftgauge, which would forbid the run that waits."""
    yield _waits(setting)
    yield _failed(setting)


def _waits(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "RetrainingWaits",
        {
            _WARNING: f'sum {WITHOUT_PODS} (driftgauge_trigger_open_decisions{{state=~"awaiting_approval|unknown"}}) > 0'
        },
        hold=5 * MINUTE,
        summary="{{ $value }} retraining decisions need a person: {{ $labels.state }}",
        description="The trigger does nothing more about them by itself, and starts no other run of those models ({{ $value }} in state {{ $labels.state }}).",
        board=FLEET_BOARD,
        runbook=Runbook(
            "A decision of `driftgauge trigger` waits for a person. `awaiting_approval`: nothing forbids the run but that somebody must approve it. `unknown`: nobody knows whether the run was started, or how it ended.",
            (
                "`curl -s http://driftgauge-trigger:9879/v1/decisions?state=unknown` (or `awaiting_approval`), with the token: which model, why, since when.",
                "`GET /v1/decisions/{id}`: all that happened to it.",
                "For `unknown`: the run itself, by its name `driftgauge-<id>` (a Job, a workflow, a log in `runs/`).",
            ),
            (
                "The policy asks for an approval, or the last runs improved nothing.",
                "The trigger was ended while a command ran.",
                "The API that starts runs did not answer for an hour.",
            ),
            (
                "Approve it: `POST /v1/decisions/{id}/approve` with the token of those who may; or leave it, and it ends with its cool-down.",
                "Say how an unknown run ended: `POST /v1/decisions/{id}/settle?ended=finished`, or `failed`.",
                "Where retraining improves nothing: look at the feed and at the features before the next run.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("trigger_open_decisions", {**_POD, "state": "awaiting_approval"}, 0, 2, 0),
                    gauge("trigger_open_decisions", {**_POD, "state": "refused"}, 3, 3, 3),
                ),
                (Firing({**_TARGET, "state": "awaiting_approval"}, ("2", "2")),),
                minutes=15,
            ),
        ),
    )


def _failed(setting: Setting) -> Shipped:
    hour = setting.scale.range(HOUR)
    counted = 'driftgauge_trigger_decisions_total{state="failed"}'
    # A series is as old as the model's first decision: a run that fails at once was never seen at 0.
    failed = f"({counted} unless {counted} offset {hour}) or increase({counted}[{hour}])"
    return shipped(
        setting,
        "RetrainingFailed",
        {_WARNING: f"sum {without('state')} ({failed}) > 0"},
        hold=0,
        summary="A retraining run of {{ $labels.model }} failed",
        description='{{ printf "%.0f" $value }} in the last hour could not be started, or ended badly; the cool-down holds all the same.',
        board=FLEET_BOARD,
        runbook=Runbook(
            "A run that the trigger decided could not be started, or was started and ended badly. It counts as one that improved nothing, and the model's cool-down holds.",
            (
                "`curl -s http://driftgauge-trigger:9879/v1/decisions?state=failed`, with the token: `run.detail` says why.",
                "The run's own log: of the Job or workflow `driftgauge-<id>`, or `runs/driftgauge-<id>.log` beside the trigger's database.",
                "`driftgauge check FILE` on the trigger's configuration.",
            ),
            (
                "The training itself: data, memory, a dependency.",
                "The account may not create Jobs, or the CronJob has another name now (403, 404).",
                "The command is not there, or took longer than its timeout.",
            ),
            (
                "Mend it and run it by hand, for the trigger starts none until the cool-down is over.",
                "Give the account what docs/trigger.md lists.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter(
                        "trigger_decisions_total", {**_POD, "model": "churn", "state": "failed"}, 0, 1, 0
                    ),
                    counter(
                        "trigger_decisions_total", {**_POD, "model": "churn", "state": "refused"}, 1, 1, 1
                    ),
                ),
                (Firing({**_TARGET, "model": "churn"}, ("60",)),),
                minutes=90,
            ),
            Trial(
                (
                    spelt(
                        "trigger_decisions_total",
                        {**_POD, "model": "churn", "state": "failed"},
                        # Its first decision, whose run failed before the first scrape of it.
                        "_x90 _x50 1x129",
                    ),
                ),
                (Firing({**_TARGET, "model": "churn"}, ("1",)),),
                minutes=90,
                name="at once",
            ),
        ),
    )
