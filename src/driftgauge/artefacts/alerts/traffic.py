"""Alerts on what the model server reports of itself: made of counters, so that pods add up exactly."""

from __future__ import annotations

from driftgauge.artefacts.alerts.layout import without
from driftgauge.artefacts.alerts.reading import Reading
from driftgauge.artefacts.rules import TimeScale
from driftgauge.artefacts.rules.promtool import label_text
from driftgauge.config_file.scalars import number_text
from driftgauge.metrics import PREFIX
from driftgauge.metrics.words import ERROR_SHARE, THROUGHPUT

PREDICTIONS = f"{PREFIX}predictions_total"
ERRORS = f"{PREFIX}prediction_errors_total"
LATENCY_HISTOGRAM = f"{PREFIX}prediction_latency_seconds"


def traffic_labels(reading: Reading) -> dict[str, str]:
    """What the counters' labels must be."""
    when = reading.entry.when
    return {"model": when.model, **({"model_version": when.version} if when.version else {})}


def traffic(reading: Reading, scale: TimeScale) -> str:
    """The rate, share or quantile of all pods together, the latter two on enough predictions."""
    when, pods = reading.entry.when, without(reading)
    labels, length = label_text(traffic_labels(reading)), scale.range(when.window)
    predictions = f"sum {pods} (rate({PREDICTIONS}{labels}[{length}]))"
    if reading.word.text == THROUGHPUT:
        # A counter that is younger than the window would pass for less traffic.
        return f"{predictions}\nand sum {pods} ({PREDICTIONS}{labels} offset {length})"
    if reading.word.text == ERROR_SHARE:
        number, counted = f"sum {pods} (rate({ERRORS}{labels}[{length}]))\n/ {predictions}", PREDICTIONS
    else:
        quantile = number_text(when.quantile or 0.0)
        buckets = f"sum {pods} (rate({LATENCY_HISTOGRAM}_bucket{labels}[{length}]))"
        number = f"histogram_quantile({quantile}, {buckets})"
        counted = f"{LATENCY_HISTOGRAM}_count"
    least = reading.entry.require.samples
    return f"{number}\nand sum {pods} (increase({counted}{labels}[{length}])) >= {least}"
