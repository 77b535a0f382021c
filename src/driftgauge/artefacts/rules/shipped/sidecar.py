"""Alerts on driftgauge itself: none of them is critical, for the model serves on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import (
    FLEET_BOARD,
    MODEL_BOARD,
    SIDECAR_BOARD,
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
from driftgauge.artefacts.rules.values import POD_LABELS, WITHOUT_PODS, Recording, Severity
from driftgauge.artefacts.thresholds import MOST_LOG_BYTES, MOST_REJECTED
from driftgauge.config import MIB, MINUTE

TARGET: Final = {"namespace": "ml", "job": "driftgauge"}
_VERSION: Final = {"model": "churn", "model_version": "1"}
_WARNING = Severity.WARNING


def pod(number: int, **labels: str) -> dict[str, str]:
    """The labels of a pod's series in a trial."""
    return {**TARGET, "pod": f"churn-{number}", "instance": f"10.0.0.{number}:9878", **labels}


def without(*labels: str) -> str:
    """``without (..)`` of the pods' labels and *labels*."""
    return f"without ({', '.join((*POD_LABELS, *labels))})"


def intake_recordings(setting: Setting) -> Iterator[Recording]:
    """Records at the doors of all pods."""
    quarter = setting.scale.range(15 * MINUTE)
    rejected = "job:driftgauge_records_rejected:increase15m"
    yield Recording(
        rejected,
        f"sum {without('door', 'reason')} (increase(driftgauge_records_rejected_total[{quarter}]))",
        meaning="Records that were not taken, over all pods, in 15 minutes.",
    )
    yield Recording(
        "job:driftgauge_records_accepted:increase15m",
        "(\n"
        f"  sum {without('model', 'model_version')} (increase(driftgauge_predictions_total[{quarter}]))\n"
        f"  or {rejected} * 0\n"
        ")\n"
        "+ (\n"
        f"  sum {without('model', 'model_version')} (increase(driftgauge_outcomes_total[{quarter}]))\n"
        f"  or {rejected} * 0\n"
        ")",
        meaning="Predictions and outcomes that were taken.",
        comment="Before the first prediction or outcome its counter has no series: that counts as 0.",
    )


def sidecar_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them."""
    yield _absent(setting)
    yield _component_down(setting)
    yield _reload_failed(setting)
    yield _evaluation_stale(setting)
    yield _evaluation_failing(setting)
    yield _records_rejected(setting)
    yield _intake_sheds(setting)
    yield _store_unwritable(setting)
    yield _log_grows(setting)


def _absent(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeAbsent",
        {_WARNING: "absent(driftgauge_build_info) == 1"},
        hold=10 * MINUTE,
        summary="No driftgauge is scraped",
        description="For 10 minutes no target has exported driftgauge_build_info (absent is {{ $value }}), so no model is watched.",
        board=FLEET_BOARD,
        runbook=Runbook(
            "No target exports `driftgauge_build_info`. Models serve on; only their watching has stopped, and so have all other alerts of this file.",
            (
                "The targets page of Prometheus: is there a driftgauge target, and what is its last error?",
                "`kubectl get pods` of the model: does the container `driftgauge` run?",
                "From the pod's own network: `curl -s localhost:9878/healthz`.",
            ),
            (
                "The PodMonitor's selector or port no longer matches after a change of the deployment.",
                "The observation door listens on 127.0.0.1 (the default outside the image) and Prometheus is in another pod.",
                "The sidecar was removed, or a NetworkPolicy closes port 9878.",
            ),
            (
                "Give `--metrics-listen 0.0.0.0:9878`, or mend selector, port name or policy.",
                "Afterwards look at `driftgauge_window_covered_ratio`: a pod that lost its volume starts empty.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge(
                        "build_info",
                        pod(1, version="0.1.0", python="3.13", sqlite="3.51"),
                        1,
                        1,
                        1,
                    ),
                ),
                (Firing({}, ("1",)),),
                minutes=20,
                gone_fires=True,
            ),
        ),
    )


def _component_down(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeComponentDown",
        {_WARNING: f'sum {WITHOUT_PODS} (driftgauge_component_up{{component!="store"}} == bool 0) > 0'},
        hold=5 * MINUTE,
        summary="driftgauge's {{ $labels.component }} does not work in {{ $labels.job }}",
        description="In {{ $value }} pods the sidecar goes on without its {{ $labels.component }}; its log says what is wrong.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "A part of the sidecar does not work; the others go on. The label `component` names it.",
            (
                "The sidecar's log: one line says what is wrong with the part.",
                "`curl -s localhost:9878/v1/models`: `components` has the same words.",
                "Is it one pod or all? All at once is a configuration, one is a node.",
            ),
            (
                "`configuration`: the file could not be loaded; the one before it, or the defaults, are in force.",
                "`intake`, `observation`, `outside`: the port is taken, or the token file is missing.",
                "`reference`: the reference file is missing or damaged. `evaluation`: statistics stand still; records are still taken.",
            ),
            (
                "`driftgauge check FILE` prints the line of a configuration that can't be loaded; mend it and send SIGHUP.",
                "Mount the reference file again, or give another port.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("component_up", pod(1, component="reference"), 1, 0, 1),
                    gauge("component_up", pod(2, component="reference"), 1, 0, 1),
                    gauge("component_up", pod(3, component="reference"), 1, 1, 1),
                ),
                (Firing({**TARGET, "component": "reference"}, ("2",)),),
                minutes=15,
            ),
        ),
    )


def _reload_failed(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeConfigurationReloadFailed",
        {_WARNING: f"sum {WITHOUT_PODS} (driftgauge_configuration_reload_success == bool 0) > 0"},
        hold=5 * MINUTE,
        summary="driftgauge runs with an old configuration in {{ $labels.job }}",
        description="In {{ $value }} pods the last load of the configuration failed and the one before it is still in force.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "A reload is taken whole or not at all: the configuration before it is in force.",
            (
                "`driftgauge check FILE` on the file as it is mounted.",
                "The sidecar's log: path, line and what was expected.",
                "`driftgauge_configuration_reload_timestamp_seconds`: how old the one in force is.",
            ),
            (
                "A key that is misspelt or given twice.",
                "A duration or size without its unit.",
                "A file of a newer version.",
            ),
            (
                "Mend what `check` prints, and send SIGHUP again.",
                "Run `driftgauge check` in the pipeline that writes the file.",
            ),
        ),
        trials=(
            Trial(
                (gauge("configuration_reload_success", pod(1), 1, 0, 1),),
                (Firing(TARGET, ("1",)),),
                minutes=15,
            ),
        ),
    )


def _evaluation_stale(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeEvaluationStale",
        {
            _WARNING: "version:driftgauge_pods:count\n"
            "- (version:driftgauge_fresh_pods:count or version:driftgauge_pods:count * 0)\n"
            "> 0"
        },
        hold=5 * MINUTE,
        summary="{{ $labels.model }} is not evaluated in {{ $value }} pods",
        description="The statistics that {{ $value }} pods export are older than 5 minutes; their verdicts take no part in alerts.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "The timer that turns windows into numbers has not finished for 5 minutes in some pods. Their numbers are old; alerts go by the pods that are fresh.",
            (
                "`driftgauge_evaluation_seconds`: what the last one took. `driftgauge_evaluations_failed_total`: does it fail?",
                "The container's CPU: is it throttled (`container_cpu_cfs_throttled_periods_total`)?",
                "The sidecar's log.",
            ),
            (
                "The process is short of CPU: a limit of some tens of milliseconds with a thousand features.",
                "An evaluation fails each time.",
                "The node's clock was set.",
            ),
            (
                "Raise the CPU request, watch fewer features, or a longer `evaluate:`.",
                "Report what the log says where it fails.",
            ),
        ),
        trials=(
            Trial(
                (
                    evaluated(pod(1, **_VERSION)),
                    # 300 s old for 15 minutes, then it stands still for 15, then it is fresh.
                    spelt(
                        "last_evaluation_timestamp_seconds",
                        pod(2, **_VERSION),
                        "-300+60x14 540x14 1800+60x14",
                    ),
                ),
                (Firing({**TARGET, **_VERSION}, ("1", "1")),),
                minutes=15,
            ),
        ),
    )


def _evaluation_failing(setting: Setting) -> Shipped:
    quarter = setting.scale.range(15 * MINUTE)
    return shipped(
        setting,
        "DriftgaugeEvaluationFailing",
        {_WARNING: f"sum {WITHOUT_PODS} (increase(driftgauge_evaluations_failed_total[{quarter}])) > 0"},
        hold=5 * MINUTE,
        summary="driftgauge's evaluations fail in {{ $labels.job }}",
        description='{{ printf "%.0f" $value }} evaluations failed in 15 minutes; the last finished one is still served.',
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "An evaluation ended with an error. The last finished one is still exported, so numbers look calm and are old.",
            (
                "The sidecar's log: it names the model and has the error.",
                "`driftgauge_last_evaluation_timestamp_seconds`: how old the numbers are.",
                "Did a configuration, a reference or a model version change just before?",
            ),
            ("A fault of driftgauge that a rare shape of data brings out.", "Memory that runs out."),
            (
                "Report it with the log's lines.",
                "Go back to the configuration or reference before, if one was changed.",
            ),
        ),
        trials=(
            Trial(
                (counter("evaluations_failed_total", pod(1), 0, 1, 0),),
                (Firing(TARGET, ("15",)),),
                minutes=40,
            ),
        ),
    )


def _records_rejected(setting: Setting) -> Shipped:
    rejected, accepted = (f"job:driftgauge_records_{kind}:increase15m" for kind in ("rejected", "accepted"))
    return shipped(
        setting,
        "DriftgaugeRecordsRejected",
        {_WARNING: f"{rejected} / ({rejected} + {accepted}) > {MOST_REJECTED}\nand {rejected} >= 10"},
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="{{ $value | humanizePercentage }} of the records for {{ $labels.job }} are rejected",
        description="{{ $value | humanizePercentage }} in 15 minutes; driftgauge_records_rejected_total tells the reasons. A rejected record is counted nowhere else.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "More than 1% of the records are not taken: windows and quality lack them.",
            (
                "`sum by (door, reason) (rate(driftgauge_records_rejected_total[15m]))`.",
                "The answer to the sender: it carries `reason` and `detail` for each record.",
                "What was deployed just before: the model server, or its client?",
            ),
            (
                "A field was renamed or has another type (`missing_field`, `wrong_type`).",
                "Timestamps without a zone, in milliseconds, or of a wrong clock (`bad_timestamp`, `future`).",
                "More models than `limits.models` (`model_limit`), ids longer than 256 bytes (`too_long`).",
            ),
            (
                "Mend the sender; a top-level `fields:` setting renames fields.",
                "Raise the limit that binds, if the names are right.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter(
                        "records_rejected_total", pod(1, door="predictions", reason="bad_timestamp"), 1, 10, 0
                    ),
                    counter("records_rejected_total", pod(2, door="outcomes", reason="too_long"), 0, 0, 0),
                    counter("predictions_total", pod(1, **_VERSION), 100, 50, 50),
                    counter("outcomes_total", pod(2, **_VERSION), 0, 40, 50),
                ),
                (Firing(TARGET, ("10%", "10%")),),
                minutes=60,
            ),
        ),
    )


def _intake_sheds(setting: Setting) -> Shipped:
    quarter = setting.scale.range(15 * MINUTE)
    return shipped(
        setting,
        "DriftgaugeIntakeSheds",
        {
            _WARNING: f"sum {without('reason')} (\n"
            f'  increase(driftgauge_requests_rejected_total{{reason="overloaded"}}[{quarter}])\n'
            ") > 10"
        },
        hold=5 * MINUTE,
        keep=15 * MINUTE,
        summary="driftgauge sheds requests in {{ $labels.job }}",
        description='{{ printf "%.0f" $value }} requests got 429 or 503 in 15 minutes: the queue is full, or memory is short.',
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "The sidecar answers at once with 429 or 503 and `Retry-After` rather than hold the model server up. A sender that does not try again loses these records.",
            (
                "`driftgauge_queue_bytes`: does it stand at its limit (16 MiB)? Then commits are slow.",
                "`driftgauge_process_resident_bytes / driftgauge_memory_limit_bytes`: above 0.9 intake is shed.",
                "`histogram_quantile(0.99, sum by (le) (rate(driftgauge_commit_seconds_bucket[5m])))`.",
            ),
            (
                "A slow volume: network storage, or a full disk.",
                "A memory limit that is small for the bodies sent.",
                "A burst: a backfill of outcomes.",
            ),
            (
                "Raise the memory limit, or send smaller batches.",
                "Slow the backfill down to what `Retry-After` says.",
            ),
        ),
        trials=(
            Trial(
                (counter("requests_rejected_total", pod(1, reason="overloaded"), 0.6, 10, 0),),
                (Firing(TARGET, ("150",)),),
                minutes=60,
            ),
        ),
    )


def _store_unwritable(setting: Setting) -> Shipped:
    quarter = setting.scale.range(15 * MINUTE)
    return shipped(
        setting,
        "DriftgaugeStoreUnwritable",
        {
            _WARNING: f"count {WITHOUT_PODS} (\n"
            '  sum without (component) (driftgauge_component_up{component="store"} == 0)\n'
            f"  or increase(driftgauge_store_errors_total[{quarter}]) > 0\n"
            ") > 0"
        },
        hold=5 * MINUTE,
        keep=5 * MINUTE,
        summary="driftgauge can't write its store in {{ $labels.job }}",
        description="In {{ $value }} pods transactions fail or the store is down: records are refused with 503 until it works.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "What can't be committed is not acknowledged: senders get 503 and must send again. Numbers of before are still exported.",
            (
                "The volume: `kubelet_volume_stats_available_bytes`, and is it mounted read-only?",
                "The sidecar's log: SQLite's own words.",
                "`driftgauge_store_bytes` and `driftgauge_store_wal_bytes` together against `driftgauge_store_limit_bytes`.",
            ),
            (
                "The volume is full or its `sizeLimit` is reached.",
                "A read-only or failing disk.",
                "Two processes on one directory.",
            ),
            (
                "Enlarge the volume, or lower `store.max_bytes`, `outcomes.horizon` or `export.keep`.",
                "A damaged file is moved aside at the next start; the windows then begin anew.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("component_up", pod(1, component="store"), 1, 0, 1),
                    gauge("component_up", pod(2, component="store"), 1, 1, 1),
                    counter("store_errors_total", pod(1), 0, 0, 0),
                    counter("store_errors_total", pod(2), 0, 1, 0),
                ),
                (Firing(TARGET, ("2",)),),
                minutes=40,
            ),
        ),
    )


def _log_grows(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeStoreLogGrows",
        {_WARNING: f"max {WITHOUT_PODS} (driftgauge_store_wal_bytes) > {MOST_LOG_BYTES}"},
        hold=15 * MINUTE,
        summary="driftgauge's write-ahead log holds {{ $value | humanize1024 }}B in {{ $labels.job }}",
        description="The log of one pod has {{ $value | humanize1024 }}B: checkpoints don't keep up with commits, or another process holds the database open.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "The write-ahead log is above 128 MiB. Nothing is lost; the disk fills.",
            (
                "`driftgauge_checkpoint_seconds` and `driftgauge_commit_seconds`: is the volume slow?",
                "Does anything else have the database open: a backup, a shell?",
                "`driftgauge_store_wal_bytes` over the day: does it ever fall?",
            ),
            ("A reader that keeps a transaction open.", "A volume too slow for the traffic."),
            (
                "End the reader; `driftgauge inspect` and `export` read without holding the log.",
                "Take a faster volume.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("store_wal_bytes", pod(1), 128 * MIB, 256 * MIB, 0),
                    gauge("store_wal_bytes", pod(2), 0, 0, 0),
                ),
                (Firing(TARGET, ("256Mi", "256Mi")),),
                minutes=40,
            ),
        ),
    )
