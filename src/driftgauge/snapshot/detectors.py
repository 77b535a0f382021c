"""Detectors on the stream of errors."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class Detector(SnapshotRow, frozen=True):
    """A detector of changes in the stream of errors of joined records, the whole model's."""

    model: str
    model_version: str
    detector: str
    samples: Value
    state: Value
    detections: Value
    last_detection_timestamp_seconds: Value
