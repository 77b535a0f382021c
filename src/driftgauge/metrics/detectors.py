"""Detectors on the stream of errors of joined records."""

from __future__ import annotations

from driftgauge.metrics.table import VERSION, Advice, Metric, gauges
from driftgauge.snapshot import Detector

_INDEPENDENT = (
    " Detectors take errors for independent and fire too often on autocorrelated ones: page on none alone."
)

METRICS: tuple[Metric, ...] = gauges(
    Detector,
    (*VERSION, "detector"),
    (
        "detector_state",
        "state",
        "What a detector says of the errors of joined records: 0 stable, 1 warning, 2 a drift was detected within the shortest window."
        + _INDEPENDENT,
    ),
    (
        "detector_detections",
        "detections",
        "Drifts that a detector has detected since the version's first joined record, over restarts."
        + _INDEPENDENT,
    ),
    (
        "detector_last_detection_timestamp_seconds",
        "last_detection_timestamp_seconds",
        "When the outcome came at which a detector last detected a drift, on the model's clock.",
    ),
)

ADVICE = (
    Advice(
        (
            "detector_state",
            "detector_detections",
            "detector_last_detection_timestamp_seconds",
        ),
        "the state 0, 1 or 2; the count at least 0; epoch seconds",
        "Errors in the order of the joins, whole model: a wrong prediction is 1; a regression's absolute error e is "
        "e / (e + u), with u the median of the first 200, which are not judged. ADWIN tests each 32nd error. "
        "False alarms and delays are measured in docs/measured-detectors.md for independent errors; labels that "
        "come in runs, cycles and repeated customers make every detector fire more often. ADWIN, Page-Hinkley and "
        "KSWIN answer to improvement too, the others to worsening only.",
        "Look at quality by outcome time and at drift around the last detection. A detection alone is no reason to "
        "page or to retrain: join it to a quality metric or a verdict.",
    ),
)
