"""What `driftgauge injector` exports of itself; no sidecar has these."""

from __future__ import annotations

from driftgauge.metrics.table import PREFIX, Advice, Metric

_P = PREFIX + "injector_"
FAMILY = "injector"
REVIEW_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

METRICS: tuple[Metric, ...] = (
    Metric(_P + "info", "gauge", "1; the version that runs.", ("version",), FAMILY),
    Metric(
        _P + "pods_total",
        "counter",
        "Pods asked about, by what became of them: injected; unasked, without the annotation or with `false`; present, with a sidecar already; refused, for the reasons of driftgauge_injector_refusals_total; failed, inside the injector. All of them were allowed to start.",
        ("result",),
        FAMILY,
    ),
    Metric(
        _P + "refusals_total",
        "counter",
        "Pods that asked for the sidecar and did not get it, by reason.",
        ("reason",),
        FAMILY,
    ),
    Metric(_P + "requests_rejected_total", "counter", "Requests not taken, by reason.", ("reason",), FAMILY),
    Metric(
        _P + "review_duration_seconds",
        "histogram",
        "Time from a question's last byte to its answer.",
        (),
        FAMILY,
        buckets=REVIEW_BUCKETS,
    ),
    Metric(
        _P + "certificate_expiry_timestamp_seconds",
        "gauge",
        "Wall time until which the certificate in use holds; absent while there is none.",
        (),
        FAMILY,
    ),
    Metric(_P + "certificate_loads_total", "counter", "Certificates put in use.", (), FAMILY),
    Metric(
        _P + "certificate_errors_total",
        "counter",
        "Looks at the certificate's files that found a pair that could not be used; the one before stays.",
        (),
        FAMILY,
    ),
)

ADVICE = (
    Advice(("injector_info",), "1", "Exact.", "A change is a new release."),
    Advice(
        ("injector_pods_total", "injector_refusals_total"),
        "at least 0",
        "Exact, from 0 at each start, of the pods that the API server asked about: while it can't reach the injector, pods start without a sidecar and are not counted.",
        "The label tells why a pod that asked has no sidecar. Mend the annotation and let the pod be made anew: a pod that runs is never changed.",
    ),
    Advice(
        ("injector_requests_rejected_total", "injector_review_duration_seconds"),
        "at least 0",
        "Exact; the time is wall time, without the way to the API server and back.",
        "A slow answer delays the start of every pod that is asked about, up to the webhook's timeout: give the injector more CPU. Rejected requests come from others than the API server.",
    ),
    Advice(
        (
            "injector_certificate_expiry_timestamp_seconds",
            "injector_certificate_loads_total",
            "injector_certificate_errors_total",
        ),
        "seconds since 1970; at least 0",
        "As the certificate says; its files are looked at now and then.",
        "Near its end, or with errors: renew the certificate. Without a valid one the API server does not ask, and pods start without a sidecar.",
    ),
)
