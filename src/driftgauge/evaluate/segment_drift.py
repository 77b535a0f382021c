"""Drift of chosen features by segment, and the segment that is worst."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.evaluate.segments import groups
from driftgauge.snapshot import BusinessValue, Quality, SegmentDrift, Value, WorstSegment
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


@dataclass(frozen=True, slots=True)
class _Gap:
    gap: Value
    segment: str
    segment_value: str


_NONE = _Gap(None, "", "")


def worst_segments(quality: Sequence[Quality], worth: Sequence[BusinessValue]) -> Iterator[WorstSegment]:
    """Per window and cohort the segment that is worst for accuracy, MAE and value per record.

    A segment's gap is how much worse than the whole model it is, times its share of the value (of the
    outcomes where no value is configured) among the segments of its column: what the whole model would
    gain if the segment were like it.

    Args:
        quality, worth: the whole model's rows and every segment's, in full.
    """
    parts = [row for row in quality if row.segment]
    for whole in (row for row in quality if not row.segment):
        where = (whole.model, whole.model_version, whole.window, whole.cohort)
        mine = [row for row in parts if (row.window, row.cohort) == where[2:]]
        if not mine:
            continue
        money = [row for row in worth if (row.window, row.cohort) == where[2:]]
        accuracy = _worst(whole.accuracy, [(r, r.accuracy) for r in mine], _shares(mine, money), sign=1)
        mae = _worst(whole.mae, [(r, r.mae) for r in mine], _shares(mine, money), sign=-1)
        mean = next((row.mean for row in money if not row.segment), None)
        priced = [(r, r.mean) for r in money if r.segment]
        worst = _worst(mean, priced, _shares([r for r, _ in priced], money), sign=1)
        yield WorstSegment(
            *where,
            accuracy.gap,
            accuracy.segment,
            accuracy.segment_value,
            mae.gap,
            mae.segment,
            mae.segment_value,
            worst.gap,
            worst.segment,
            worst.segment_value,
        )


def _shares(
    rows: Sequence[Quality | BusinessValue], money: Sequence[BusinessValue]
) -> dict[tuple[str, str], float]:
    """Each segment's share among those of its column, by absolute value or by samples."""
    values = {(r.segment, r.segment_value): abs(r.value or 0.0) for r in money if r.segment}
    weights = {(r.segment, r.segment_value): r.samples or 0.0 for r in rows}
    if any(values.values()):
        weights = {key: values.get(key, 0.0) for key in weights}
    columns: dict[str, float] = {}
    for (column, _), weight in weights.items():
        columns[column] = columns.get(column, 0.0) + weight
    return {key: weight / columns[key[0]] if columns[key[0]] else 0.0 for key, weight in weights.items()}


def _worst(
    whole: Value,
    rows: Sequence[tuple[Quality | BusinessValue, Value]],
    shares: dict[tuple[str, str], float],
    *,
    sign: int,
) -> _Gap:
    """The greatest gap; *sign* is 1 where more is better."""
    if whole is None:
        return _NONE
    gaps = [
        (sign * (whole - number) * shares[row.segment, row.segment_value], row)
        for row, number in rows
        if number is not None and (row.samples or 0.0) >= LEAST_SAMPLES
    ]
    if not gaps:
        return _NONE
    gap, row = max(gaps, key=lambda each: each[0])
    return _Gap(gap, row.segment, row.segment_value)
