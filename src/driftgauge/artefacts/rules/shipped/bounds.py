"""Alerts on bounds: what was folded, refused or left out because one of them binds."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.artefacts.rules.shipped.entry import (
    MODEL_BOARD,
    OF_MODEL_BOARD,
    SIDECAR_BOARD,
    Fed,
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
from driftgauge.artefacts.rules.shipped.sidecar import TARGET, pod
from driftgauge.artefacts.rules.shipped.traffic import OF_VERSION, VERSION
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Severity
from driftgauge.artefacts.thresholds import MEMORY_SHEDS, MEMORY_SHRINKS
from driftgauge.config import DAY, HOUR, MIB, MINUTE

_WARNING, _INFO = Severity.WARNING, Severity.INFO


def bound_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them."""
    yield _values_folded(setting)
    yield _series_dropped(setting)
    yield _pending_sampled(setting)
    yield _models_refused(setting)
    yield _versions_evicted(setting)
    yield _bodies_refused(setting)
    yield _memory(setting)
    yield _store_grows(setting)
    yield _state_damaged(setting)
    yield _restarts(setting)


def _values_folded(setting: Setting) -> Shipped:
    hour = setting.scale.range(HOUR)
    return shipped(
        setting,
        "DriftgaugeValuesFolded",
        {_INFO: f"sum {WITHOUT_PODS} (increase(driftgauge_values_folded_total[{hour}])) > 100"},
        hold=15 * MINUTE,
        keep=HOUR,
        summary="The limit of {{ $labels.bound }} binds in {{ $labels.job }}",
        description='{{ printf "%.0f" $value }} values were counted under `other`, or left out, in an hour: `limits.{{ $labels.bound }}` is reached.',
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "A bound keeps memory and series small: what goes beyond it is counted together. The label `bound` is the setting's name under `limits:`.",
            (
                "`GET /v1/models/{model}`: which categories, segments or classes are there?",
                "Is it an identifier that was taken for a category (thousands of values)?",
                "Did a new value come that matters?",
            ),
            (
                "A feature with more categories than 50, or a segment column with more than 10 values.",
                "Free text or an id as a feature or segment.",
            ),
            (
                "Raise the limit where the values matter, and look at `driftgauge check` for what it costs.",
                "Declare the feature as `identifier`, or drop the segment column.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter("values_folded_total", pod(1, bound="categories"), 0.5, 2, 0),
                    counter("values_folded_total", pod(2, bound="categories"), 0.5, 2, 0),
                    counter("values_folded_total", pod(2, bound="classes"), 0, 0, 0),
                ),
                (Firing({**TARGET, "bound": "categories"}, ("240",)),),
                minutes=150,
            ),
        ),
    )


def _series_dropped(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeSeriesDropped",
        {_WARNING: f"max {WITHOUT_PODS} (driftgauge_series_dropped) > 0"},
        hold=15 * MINUTE,
        summary="Series of {{ $labels.model }} are left out",
        description="{{ $value }} series of version {{ $labels.model_version }} are not exported: the limit of series a version binds. Alerts on them can't fire.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "The first series in the configuration's order are exported, the others aren't. `GET /v1/models/{model}` has all numbers.",
            (
                "`driftgauge check FILE`: series by family.",
                "Which families are switched on under `metrics:`?",
                "How many features and windows are there?",
            ),
            ("Families that multiply by feature and window.", "Hundreds of features with three windows."),
            (
                "Switch families or windows off.",
                "Raise `limits.series`, with Prometheus's own limits in mind.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("series_dropped", pod(1, **VERSION), 0, 0, 0),
                    gauge("series_dropped", pod(2, **VERSION), 0, 12, 0),
                ),
                (Firing(OF_VERSION, ("12",)),),
                minutes=40,
            ),
        ),
    )


def _pending_sampled(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugePendingSampled",
        {_INFO: f"min {WITHOUT_PODS} (driftgauge_pending_sample_ratio) < 1"},
        hold=15 * MINUTE,
        summary="Only {{ $value | humanizePercentage }} of the predictions of {{ $labels.model }} wait for their outcome",
        description="The limit of kept predictions binds: a sample of {{ $value | humanizePercentage }}, by the hash of their ids, is kept, so the horizon holds and quality stays unbiased on fewer outcomes.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Outcomes of predictions outside the sample find nothing and count as orphans. Quality is right, with wider intervals.",
            (
                "`driftgauge_pending_predictions` and `driftgauge_store_pending_bytes`.",
                "`outcomes.horizon`: is it longer than outcomes ever take?",
                "Traffic: has it grown?",
            ),
            (
                "More traffic than 640 MiB of pending predictions hold for the horizon.",
                "A horizon much longer than the delay.",
            ),
            (
                "Raise `store.pending` (and the volume), or shorten the horizon.",
                "Do nothing where the sample is large enough.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("pending_sample_ratio", pod(1, **VERSION), 1, 0.5, 1),
                    gauge("pending_sample_ratio", pod(2, **VERSION), 1, 1, 1),
                ),
                (Firing(OF_VERSION, ("50%", "50%")),),
                minutes=40,
            ),
        ),
    )


def _models_refused(setting: Setting) -> Shipped:
    hour = setting.scale.range(HOUR)
    return shipped(
        setting,
        "DriftgaugeModelsRefused",
        {
            _WARNING: f'sum {WITHOUT_PODS} (\n  increase(driftgauge_records_rejected_total{{reason="model_limit"}}[{hour}])\n) > 0'
        },
        hold=5 * MINUTE,
        keep=HOUR,
        summary="Records of a model beyond the limit are refused in {{ $labels.job }}",
        description='{{ printf "%.0f" $value }} records ({{ $labels.door }}) in an hour named a model beyond `limits.models`: it is not watched.',
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "So many models are known already that another one is refused.",
            (
                "`GET /v1/models`: which are known, and are all of them models?",
                "The sender's field `model`: does it carry an id or a date?",
                "`limits.models`.",
            ),
            ("A name that changes with each run.", "More models in the process than the limit of 10."),
            (
                "Send a stable name, and the run as `model_version`.",
                "Raise `limits.models`, with the memory in mind.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter(
                        "records_rejected_total", pod(1, door="predictions", reason="model_limit"), 0, 1, 0
                    ),
                ),
                (Firing({**TARGET, "door": "predictions", "reason": "model_limit"}, ("60",)),),
                minutes=150,
            ),
        ),
    )


def _versions_evicted(setting: Setting) -> Shipped:
    day = setting.scale.range(DAY)
    return shipped(
        setting,
        "DriftgaugeVersionsEvicted",
        {_INFO: f"sum {WITHOUT_PODS} (increase(driftgauge_versions_evicted_total[{day}])) > 10"},
        hold=15 * MINUTE,
        keep=HOUR,
        summary="Versions of {{ $labels.model }} come and go",
        description='{{ printf "%.0f" $value }} versions were dropped in a day because newer ones came, over all pods: their windows are lost.',
        board=OF_MODEL_BOARD,
        runbook=Runbook(
            "Of more versions than are kept (`limits.versions`, 3) the one that is silent longest goes; of those that spoke in the last ten minutes, and the busiest, the least busy. A few evictions are rollouts; many are a version that changes with each request, run or pod.",
            (
                "`GET /v1/models`: what do the versions look like?",
                "What does the sender put into `model_version`?",
                "How many versions serve at once?",
            ),
            ("A time, a commit or a pod's name as the version.", "More versions at once than are kept."),
            ("Send the model's version only.", "Raise `limits.versions`."),
        ),
        trials=(
            Trial(
                (
                    counter("versions_evicted_total", pod(1, model="churn"), 0.005, 0.05, 0),
                    counter("versions_evicted_total", pod(2, model="churn"), 0, 0, 0),
                ),
                (Firing({**TARGET, "model": "churn"}, ("14",)),),
                minutes=1530,
                interval=5,
            ),
        ),
        coarse=True,
    )


def _bodies_refused(setting: Setting) -> Shipped:
    quarter = setting.scale.range(15 * MINUTE)
    return shipped(
        setting,
        "DriftgaugeRequestsRefused",
        {
            _WARNING: f"sum {WITHOUT_PODS} (\n"
            '  increase(driftgauge_requests_rejected_total{reason!~"overloaded|store_unavailable|not_found|method_not_allowed"}'
            f"[{quarter}])\n) > 10"
        },
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Requests are refused in {{ $labels.job }}: {{ $labels.reason }}",
        description='{{ printf "%.0f" $value }} requests were refused whole in 15 minutes ({{ $labels.reason }}); none of their records is counted.',
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "Whole requests are refused, with a reason that the sender got too.",
            (
                "`too_large`: the body's size against `intake.max_body` (8 MiB, less where the memory limit is small).",
                "`unauthorized`, `forbidden`: the token file, on both sides.",
                "`malformed`, `unsupported_media_type`, `unsupported_encoding`: what does the sender send?",
            ),
            ("Batches that grew.", "A token that was changed on one side.", "A new client."),
            ("Send smaller batches.", "Mend the token or the client."),
        ),
        trials=(
            Trial(
                (
                    counter("requests_rejected_total", pod(1, reason="too_large"), 0.5, 2, 0),
                    counter("requests_rejected_total", pod(1, reason="not_found"), 9, 9, 9),
                ),
                (Firing({**TARGET, "reason": "too_large"}, ("30",)),),
                minutes=60,
            ),
        ),
    )


def _memory(setting: Setting) -> Shipped:
    share = f"max {WITHOUT_PODS} (driftgauge_process_resident_bytes / driftgauge_memory_limit_bytes)"

    def fed(above: float) -> tuple[Fed, ...]:
        return (
            gauge("process_resident_bytes", pod(1), 160 * MIB, above * MIB, 100 * MIB),
            gauge("memory_limit_bytes", pod(1), 200 * MIB, 200 * MIB, 200 * MIB),
            gauge("process_resident_bytes", pod(2), 1024 * MIB, 1024 * MIB, 1024 * MIB),
        )

    return shipped(
        setting,
        "DriftgaugeMemoryShort",
        {_WARNING: f"{share} > {MEMORY_SHEDS}", _INFO: f"{share} > {MEMORY_SHRINKS}"},
        hold=10 * MINUTE,
        summary="driftgauge uses {{ $value | humanizePercentage }} of its memory limit in {{ $labels.job }}",
        description="One pod's process holds {{ $value | humanizePercentage }} of the cgroup's limit: at 80% caches shrink, at 90% intake is shed.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "Memory is near the limit. The process sheds requests before the kernel would end it.",
            (
                "`driftgauge_features`, versions and segments: what is watched?",
                "`driftgauge_queue_bytes`, and the size of bodies.",
                '`driftgauge_requests_rejected_total{reason="overloaded"}`: is it shedding?',
            ),
            (
                "A limit that is small for the number of features.",
                "Large bodies.",
                "More versions or models than planned.",
            ),
            (
                "Raise the memory limit.",
                "Watch fewer features or segments, keep fewer versions, send smaller bodies.",
            ),
        ),
        trials=(
            Trial(fed(170), (Firing(TARGET, ("85%", "85%")),), minutes=30, severities=(_INFO,), name="info"),
            Trial(fed(190), (Firing(TARGET, ("95%", "95%")),), minutes=30, name="warning"),
        ),
    )


def _store_grows(setting: Setting) -> Shipped:
    hours, day = setting.scale.range(6 * HOUR), setting.scale.duration(DAY)
    store = "driftgauge_store_bytes"
    return shipped(
        setting,
        "DriftgaugeStoreGrows",
        {
            _INFO: f"max {WITHOUT_PODS} (\n  predict_linear({store}[{hours}], {day.seconds}) > 2 * {store}\n) > {256 * MIB}"
        },
        hold=HOUR,
        summary="driftgauge's database doubles within a day in {{ $labels.job }}",
        description="At the rate of the last 6 hours one pod's database will hold {{ $value | humanize1024 }}B tomorrow, more than twice what it holds now.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "The database grows fast. It keeps within `store.max_bytes`, by keeping a smaller sample of pending predictions.",
            (
                "`driftgauge_store_pending_bytes` and `driftgauge_store_batch_bytes`: which part grows?",
                "The volume's size against `store.max_bytes`.",
                "`export.keep`: are joined records kept?",
            ),
            (
                "New traffic, in its first days: pending fills up to the horizon.",
                "A longer horizon.",
                "Exports that were switched on.",
            ),
            ("Nothing, where the horizon explains it.", "Enlarge the volume, or shorten horizon or export."),
        ),
        trials=(
            Trial(
                (
                    spelt(
                        "store_bytes",
                        pod(1),
                        f"{1024 * MIB}+{MIB}x479 {1507 * MIB}+{4 * MIB}x479 {3424 * MIB}x479",
                    ),
                    gauge("store_bytes", pod(2), MIB, MIB, MIB),
                ),
                (Firing(TARGET, ("8.968Gi",)),),
                minutes=480,
            ),
        ),
        unreplayed="It asks for a database that doubles to more than 256 MiB within a day: hurried, 100 MB a second.",
    )


def _state_damaged(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "DriftgaugeStateDamaged",
        {_WARNING: f'sum {WITHOUT_PODS} (driftgauge_store_restored{{result="damaged"}}) > 0'},
        hold=MINUTE,
        summary="driftgauge found its state damaged in {{ $labels.job }}",
        description="{{ $value }} pods could not read what they had kept; the files lie beside the new ones, and windows begin anew.",
        board=SIDECAR_BOARD,
        runbook=Runbook(
            "At the start the database could not be read. It was moved aside and an empty one begun; windows, pending predictions and learned references of that pod are gone.",
            (
                "The sidecar's log at its start: what was wrong, and where the files lie now.",
                "The node and its disk: was there a power loss, or `durability: memory`?",
                "`driftgauge_window_covered_ratio`: what is left of each window?",
            ),
            (
                "A disk or a file system that fails.",
                "A file of a newer driftgauge.",
                "Another program wrote to the file.",
            ),
            (
                "Give the reference as a file, so that it can't be lost.",
                "Look after the disk; the alert ends with the pod's next start.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge("store_restored", pod(1, result="damaged"), 0, 1, 0),
                    gauge("store_restored", pod(1, result="restored"), 1, 0, 1),
                ),
                (Firing({**TARGET, "result": "damaged"}, ("1",)),),
                minutes=15,
            ),
        ),
    )


def _restarts(setting: Setting) -> Shipped:
    hour = setting.scale.range(HOUR)
    return shipped(
        setting,
        "DriftgaugeRestarts",
        {_WARNING: f"max {WITHOUT_PODS} (changes(driftgauge_process_start_time_seconds[{hour}])) > 3"},
        hold=5 * MINUTE,
        keep=15 * MINUTE,
        summary="driftgauge restarts again and again in {{ $labels.job }}",
        description="One pod's sidecar was started {{ $value }} times in an hour; each start costs a scrape interval of its counters.",
        board=SIDECAR_BOARD,
        unreplayed="It asks for more than three starts in an hour: hurried, that is four scrapes, between which there are three changes at most.",
        runbook=Runbook(
            "driftgauge does not end by itself, so something ends it.",
            (
                "`kubectl describe pod`: the last state's reason and exit code (137 is the kernel or the kubelet).",
                "`driftgauge_process_resident_bytes` before the end.",
                "Is there a probe on the sidecar, and does it fail?",
            ),
            (
                "Out of memory.",
                "A liveness probe that should not be there.",
                "`serve --strict` with a bad configuration.",
            ),
            ("Raise the memory limit.", "Take the probe away.", "Mend what the log's last line says."),
        ),
        trials=(
            Trial(
                (
                    spelt(
                        "process_start_time_seconds",
                        pod(1),
                        "0x29 60x29 " + "120x14 180x14 240x14 300x14 " + "300x59",
                    ),
                ),
                (Firing(TARGET, ("4",)),),
                minutes=60,
            ),
        ),
    )
