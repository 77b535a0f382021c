"""Drift of chosen features by segment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftgauge.evaluate.drift import value
from driftgauge.evaluate.segments import groups
from driftgauge.snapshot import SegmentDrift
from driftgauge.stats.divergence import psi
from driftgauge.view import VersionView

# Of a segment's reference and of its window: fewer make ten bins mostly noise.
LEAST_RECORDS = 100


def segment_drift(view: VersionView) -> Iterator[SegmentDrift]:
    """PSI of each chosen feature in each segment against the segment's own first records.

    Cost: about 0.3 ms a window of 5 features and 34 groups.
    """
    held = view.segmented
    if held is None:
        return
    reference_records = held.sketch.records(held.reference)
    reference = held.sketch.cells(held.reference)
    for window in view.windows:
        if window.segments is None:
            continue
        records = held.sketch.records(window.segments)
        cells = held.sketch.cells(window.segments)
        enough = held.complete & (reference_records >= LEAST_RECORDS) & (records >= LEAST_RECORDS)
        found = np.full(cells.shape[:2], np.nan)
        if enough.any():
            found[enough] = psi(reference[enough], cells[enough])
        for group in groups(view)[1:]:
            if records[group.number]:
                for place, name in enumerate(held.features):
                    yield SegmentDrift(
                        view.model,
                        view.version,
                        name,
                        window.name,
                        group.segment,
                        group.segment_value,
                        float(records[group.number]),
                        value(found[group.number, place]),
                    )
