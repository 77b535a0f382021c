"""The segment that costs the whole model most, by each measure.

A segment's gap is how much worse than the whole model it is, times its share of the value (of the
outcomes where no value is configured) among the segments of its column: what the whole model would gain
if the segment were like it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.records import Floats
from driftgauge.snapshot import BusinessValue, ClassQuality, Quality, SegmentGap, Value, WorstSegment

_Row = Quality | ClassQuality | BusinessValue
_Where = tuple[str, str, str, str]

# Measures by the row that has them: 1 where more is better, -1 where less is.
_OF_QUALITY: Final = {"accuracy": 1, "log_loss": -1, "brier": -1, "rmse": -1, "mae": -1}
_OF_CLASS: Final = {"precision": 1, "recall": 1, "f1": 1, "roc_auc": 1}
_SIGN: Final = {**_OF_QUALITY, **_OF_CLASS, "value": 1}
_MEASURES: Final = tuple(_SIGN)
_SIGNS: Final[Floats] = np.array(list(_SIGN.values()), np.float64)
_quality_of = attrgetter(*_OF_QUALITY)
_class_of = attrgetter(*_OF_CLASS)


def segment_gaps(
    quality: Iterable[Quality], classes: Iterable[ClassQuality], worth: Iterable[BusinessValue]
) -> tuple[SegmentGap, ...]:
    """Per window, cohort and measure the segment with the greatest gap.

    Args:
        quality, classes, worth: the whole model's rows and every segment's, in full.

    Cost: some 2 us a row.
    """
    of_class = {(_where(row), _segment(row)): row for row in classes if not row.class_}
    money = {(_where(row), _segment(row)): row for row in worth}
    by_where: dict[_Where, list[Quality]] = defaultdict(list)
    for row in quality:
        if not row.segment or (row.samples or 0.0) >= LEAST_SAMPLES:
            by_where[_where(row)].append(row)
    found: list[SegmentGap] = []
    for where, rows in by_where.items():
        if len(rows) > 1 and not rows[0].segment:
            keys = [_segment(row) for row in rows]
            priced = [money.get((where, key)) for key in keys]
            numbers = [
                (*_quality_of(row), *_numbers(of_class.get((where, key))), None if one is None else one.mean)
                for row, key, one in zip(rows, keys, priced, strict=True)
            ]
            shares = _shares(rows, [0.0 if one is None else abs(one.value or 0.0) for one in priced])
            found += _gaps(where, keys, np.array(numbers, np.float64), shares)
    return tuple(found)


def _where(row: _Row) -> _Where:
    return row.model, row.model_version, row.window, row.cohort


def _segment(row: _Row) -> tuple[str, str]:
    return row.segment, row.segment_value


def _numbers(row: ClassQuality | None) -> tuple[Value, ...]:
    return (None,) * len(_OF_CLASS) if row is None else _class_of(row)


def _shares(rows: Sequence[Quality], values: Sequence[float]) -> Floats:
    """Each row's share among those of its column, by absolute value or by samples."""
    weights = values if any(values[1:]) else [row.samples or 0.0 for row in rows]
    columns: dict[str, float] = defaultdict(float)
    for row, weight in zip(rows, weights, strict=True):
        columns[row.segment] += weight
    of_column = np.array([columns[row.segment] for row in rows])
    return np.asarray(np.array(weights) / np.where(of_column > 0, of_column, 1.0))


def _gaps(
    where: _Where, keys: Sequence[tuple[str, str]], numbers: Floats, shares: Floats
) -> Iterator[SegmentGap]:
    """The worst of *numbers*, shape (rows, measures), the whole model's first; NaN where there is none."""
    gaps = _SIGNS * (numbers[0] - numbers[1:]) * shares[1:, None]
    known = ~np.isnan(gaps)
    worst_of: list[int] = np.where(known, gaps, -np.inf).argmax(axis=0).tolist()
    for place in np.flatnonzero(known.any(axis=0)).tolist():
        worst = worst_of[place]
        yield SegmentGap(
            *where,
            _MEASURES[place],
            *keys[1 + worst],
            float(shares[1 + worst]),
            float(numbers[0, place]),
            float(numbers[1 + worst, place]),
            float(gaps[worst, place]),
        )


def worst_segments(gaps: Sequence[SegmentGap]) -> tuple[WorstSegment, ...]:
    """What is exported of *gaps*: those of accuracy, MAE and value, a row for each window and cohort."""
    rows: dict[_Where, dict[str, SegmentGap]] = defaultdict(dict)
    for gap in gaps:
        rows[gap.model, gap.model_version, gap.window, gap.cohort][gap.measure] = gap
    return tuple(
        WorstSegment(
            *where, *_named(held.get("accuracy")), *_named(held.get("mae")), *_named(held.get("value"))
        )
        for where, held in rows.items()
    )


def _named(gap: SegmentGap | None) -> tuple[Value, str, str]:
    return (None, "", "") if gap is None else (gap.gap, gap.segment, gap.segment_value)
