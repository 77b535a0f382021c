"""What the detectors on a version's errors say."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.snapshot import Detector
from driftgauge.stats.detectors import State
from driftgauge.view import DetectorView, VersionView


def detectors(view: VersionView) -> Iterator[Detector]:
    """A row a detector, once it has read an error.

    A detector says "drift" at one record only, which no scrape would see. So its state stays at drift
    for as long as the shortest window is, from the detection on.
    """
    held_seconds = min(window.seconds for window in view.windows)
    for each in view.detectors:
        if each.seen:
            yield Detector(
                model=view.model,
                model_version=view.version,
                detector=each.name,
                samples=float(each.seen),
                state=float(State.DRIFT if _recent(each, view.now - held_seconds) else _unsure(each)),
                detections=float(each.detections),
                last_detection_timestamp_seconds=each.detected_at,
            )


def _recent(detector: DetectorView, since: float) -> bool:
    return detector.detected_at is not None and detector.detected_at > since


def _unsure(detector: DetectorView) -> State:
    return State.WARNING if detector.state == State.WARNING else State.STABLE
