"""What `driftgauge injector` gave to pods, and what it refused."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards.board import Kind, Panel, Query, Row, below
from driftgauge.artefacts.dashboards.queries import RATE, SHOWN, metric
from driftgauge.artefacts.dashboards.wording import meaning
from driftgauge.config import DAY

# The injector is a service of its own: it is scraped by another job, in a namespace of its own.
_NEEDS: Final = "Needs `driftgauge injector`, scraped by the same Prometheus."


def row() -> Row:
    """Pods, refusals, the time that a pod waits, the certificate."""
    return Row("Sidecars by annotation", tuple(_panels()), folded=True)


def _panels() -> tuple[Panel, ...]:
    return (
        _counted("Pods asked about by result", "injector_pods_total", "result"),
        _counted("Pods refused by reason", "injector_refusals_total", "reason"),
        Panel(
            Kind.TREND,
            "Time of a question",
            meaning("injector_review_duration_seconds", "99th percentile, between buckets.", _NEEDS),
            (Query(_waited(), "p99"),),
            "s",
            least=0,
        ),
        Panel(
            Kind.NUMBER,
            "Certificate holds for",
            meaning("injector_certificate_expiry_timestamp_seconds", "How long still.", _NEEDS),
            (
                Query(
                    f"min by (namespace) ({_name('injector_certificate_expiry_timestamp_seconds')}) - time()",
                    "{{namespace}}",
                ),
            ),
            "s",
            below(thresholds.LEAST_CERTIFICATE_DAYS * DAY),
        ),
        _counted("Certificates that could not be used", "injector_certificate_errors_total"),
        _counted("Questions not taken by reason", "injector_requests_rejected_total", "reason"),
    )


def _name(name: str) -> str:
    return metric(name).name


def _counted(title: str, name: str, *over: str) -> Panel:
    """How often within the time shown."""
    told = f"sum by ({', '.join(('namespace', *over))}) (increase({_name(name)}{SHOWN}))"
    legend = " ".join(f"{{{{{label}}}}}" for label in ("namespace", *over))
    return Panel(Kind.TREND, title, meaning(name, _NEEDS), (Query(told, legend),), least=0)


def _waited() -> str:
    buckets = f"rate({_name('injector_review_duration_seconds')}_bucket{RATE})"
    return f"histogram_quantile(0.99, sum by (le) ({buckets}))"
