"""The segment that costs the whole model most, by each measure.

A segment's gap is how much worse than the whole model it is, times its share of the value (of the
outcomes where no value is configured) among the segments of its column: what the whole model would gain
if the segment were like it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.snapshot import BusinessValue, ClassQuality, Quality, SegmentGap, Value, WorstSegment

AnyQuality = Quality | ClassQuality
Row = AnyQuality | BusinessValue
_Where = tuple[str, str, str, str]
_Segment = tuple[str, str]
_Numbers = Mapping[str, Value]

# Measures by the row that has them: 1 where more is better, -1 where less is.
_OF_QUALITY: Final[Mapping[str, int]] = MappingProxyType(
    {"accuracy": 1, "log_loss": -1, "brier": -1, "rmse": -1, "mae": -1}
)
_OF_CLASS: Final[Mapping[str, int]] = MappingProxyType({"precision": 1, "recall": 1, "f1": 1, "roc_auc": 1})
_VALUE: Final = "value"
_SIGN: Final = MappingProxyType({**_OF_QUALITY, **_OF_CLASS, _VALUE: 1})


def segment_gaps(quality: Iterable[AnyQuality], worth: Iterable[BusinessValue]) -> tuple[SegmentGap, ...]:
    """Per window, cohort and measure the segment with the greatest gap.

    Args:
        quality, worth: the whole model's rows and every segment's, in full.

    Cost: some 3 us a segment.
    """
    numbers: dict[_Where, dict[_Segment, dict[str, Value]]] = defaultdict(lambda: defaultdict(dict))
    weights: dict[_Where, dict[_Segment, float]] = defaultdict(dict)
    for row in quality:
        if isinstance(row, ClassQuality) and row.class_:
            continue
        measures = _OF_CLASS if isinstance(row, ClassQuality) else _OF_QUALITY
        held = numbers[_where(row)][row.segment, row.segment_value]
        held |= {name: getattr(row, name) for name in measures if (row.samples or 0.0) >= LEAST_SAMPLES}
        weights[_where(row)][row.segment, row.segment_value] = row.samples or 0.0
    money: dict[_Where, dict[_Segment, float]] = defaultdict(dict)
    for each in worth:
        numbers[_where(each)][each.segment, each.segment_value][_VALUE] = each.mean
        money[_where(each)][each.segment, each.segment_value] = abs(each.value or 0.0)
    found = (_gaps(where, held, _shares(weights[where], money[where])) for where, held in numbers.items())
    return tuple(gap for gaps in found for gap in gaps)


def _where(row: Row) -> _Where:
    return row.model, row.model_version, row.window, row.cohort


def _shares(samples: Mapping[_Segment, float], money: Mapping[_Segment, float]) -> dict[_Segment, float]:
    """Each segment's share among those of its column, by absolute value or by samples."""
    used = money if any(v for (segment, _), v in money.items() if segment) else samples
    columns: dict[str, float] = defaultdict(float)
    for (column, _), weight in used.items():
        columns[column] += weight
    return {key: weight / columns[key[0]] if columns[key[0]] else 0.0 for key, weight in used.items()}


def _gaps(
    where: _Where, numbers: Mapping[_Segment, _Numbers], shares: Mapping[_Segment, float]
) -> Iterator[SegmentGap]:
    whole = numbers.get(("", ""), {})
    for measure, sign in _SIGN.items():
        level = whole.get(measure)
        if level is None:
            continue
        gaps = []
        for key, held in numbers.items():
            number = held.get(measure)
            if key[0] and number is not None:
                share = shares.get(key, 0.0)
                gaps.append(
                    SegmentGap(*where, measure, *key, share, level, number, sign * (level - number) * share)
                )
        if gaps:
            yield max(gaps, key=lambda each: each.gap)


def worst_segments(gaps: Sequence[SegmentGap]) -> tuple[WorstSegment, ...]:
    """What is exported of *gaps*: those of accuracy, MAE and value, a row for each window and cohort."""
    rows: dict[_Where, dict[str, SegmentGap]] = defaultdict(dict)
    for gap in gaps:
        rows[gap.model, gap.model_version, gap.window, gap.cohort][gap.measure] = gap
    return tuple(
        WorstSegment(
            *where, *_named(held.get("accuracy")), *_named(held.get("mae")), *_named(held.get(_VALUE))
        )
        for where, held in rows.items()
    )


def _named(gap: SegmentGap | None) -> tuple[Value, str, str]:
    return (None, "", "") if gap is None else (gap.gap, gap.segment, gap.segment_value)
