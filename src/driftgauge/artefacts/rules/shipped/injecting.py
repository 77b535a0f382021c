"""Alerts on `driftgauge injector`: while it can't answer, pods start unwatched and nobody is told."""

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
)
from driftgauge.artefacts.rules.shipped.sidecar import without
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Severity
from driftgauge.artefacts.thresholds import LEAST_CERTIFICATE_DAYS
from driftgauge.config import DAY, HOUR, MINUTE

_TARGET: Final = {"namespace": "monitoring", "job": "driftgauge-injector"}
_WARNING: Final = Severity.WARNING


def injector_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them; their names don't begin with Driftgauge, which would forbid retraining runs."""
    yield _expires(setting)
    yield _fails(setting)


def _pod(number: int, **labels: str) -> dict[str, str]:
    return {
        **_TARGET,
        "pod": f"driftgauge-injector-{number}",
        "instance": f"10.0.1.{number}:9878",
        **labels,
    }


def _expires(setting: Setting) -> Shipped:
    # A certificate ages by the wall's clock, whatever the time scale.
    left = f"(min {WITHOUT_PODS} (driftgauge_injector_certificate_expiry_timestamp_seconds) - time()) / {DAY:.0f}"
    return shipped(
        setting,
        "InjectorCertificateExpires",
        {_WARNING: f"{left} < {LEAST_CERTIFICATE_DAYS}"},
        hold=15 * MINUTE,
        summary='The injector\'s certificate holds for {{ printf "%.0f" $value }} more days',
        description='After that the API server no longer asks the injector in {{ $labels.namespace }}, and pods start without their sidecar ({{ printf "%.0f" $value }} days left).',
        board=FLEET_BOARD,
        runbook=Runbook(
            "The certificate that an injector shows ends in less than 14 days. Once it has, the API server doesn't trust the injector any more, and since a pod never waits for its sidecar, new pods start unwatched.",
            (
                "`kubectl --namespace monitoring get secret driftgauge-injector-certificate --output jsonpath='{.data.tls\\.crt}' | base64 -d | openssl x509 -noout -dates`: is the secret older than it should be, or only what the pod shows?",
                "With cert-manager: `kubectl --namespace monitoring describe certificate driftgauge-injector`.",
                "`driftgauge_injector_certificate_errors_total` and the injector's log: could a new pair not be used?",
            ),
            (
                "cert-manager could not renew it: its issuer is gone, or refuses.",
                "The chart's own certificate is near the end of its `injector.certificates.days`.",
                "The secret was changed by hand, and certificate and key don't belong together.",
            ),
            (
                "With cert-manager: mend the issuer; `cmctl renew driftgauge-injector`.",
                "Without: delete the secret and `helm upgrade`, which makes another and tells the API server.",
            ),
        ),
        trials=(
            Trial(
                (
                    gauge(
                        "injector_certificate_expiry_timestamp_seconds", _pod(1), 15 * DAY, 9 * DAY, 90 * DAY
                    ),
                    gauge(
                        "injector_certificate_expiry_timestamp_seconds", _pod(2), 30 * DAY, 30 * DAY, 90 * DAY
                    ),
                ),
                (Firing(_TARGET, ("9", "9")),),
                minutes=40,
            ),
        ),
        unreplayed="It is the injector's, which no replay starts; its own tests show certificates over TLS until they end.",
    )


def _fails(setting: Setting) -> Shipped:
    hour = setting.scale.range(HOUR)
    failed = f'increase(driftgauge_injector_pods_total{{result="failed"}}[{hour}])'
    return shipped(
        setting,
        "InjectorFails",
        {_WARNING: f"sum {without('result')} ({failed}) > 0"},
        hold=0,
        summary="The injector failed inside, and pods started without their sidecar",
        description='{{ printf "%.0f" $value }} pods that the injector in {{ $labels.namespace }} was asked about in the last hour could not be judged.',
        board=FLEET_BOARD,
        runbook=Runbook(
            "The injector came upon a fault of its own while it judged a pod. The pod was allowed to start, without a sidecar, as everything that goes wrong there is.",
            (
                "The injector's log: `a pod could not be judged`, with the kind of fault and its place.",
                "`kubectl create --dry-run=server` with the pod: the warning has the same words.",
                "Did the injector's version change?",
            ),
            ("A defect of driftgauge: a form of pod that it doesn't know.",),
            (
                "Report it with the line of the log and the pod's specification.",
                "Until it is mended give that workload the sidecar in another way: `driftgauge manifest --patch`.",
            ),
        ),
        trials=(
            Trial(
                (
                    counter("injector_pods_total", _pod(1, result="failed"), 0, 1, 0),
                    counter("injector_pods_total", _pod(1, result="refused"), 1, 1, 1),
                ),
                (Firing(_TARGET, ("60",)),),
                minutes=90,
            ),
        ),
        unreplayed="It is the injector's, which no replay starts; its own tests put a fault inside it.",
    )
