"""The outcome and the quality of each matured window against those of the relation's reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.evaluate.quality import measured
from driftgauge.evaluate.quality_intervals import quality_intervals
from driftgauge.evaluate.segments import Group, Totals
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.reference.relation import Relation
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.quality import MulticlassQuality, RegressionQuality
from driftgauge.sketches.quality import Quality as QualitySketch
from driftgauge.snapshot import (
    ClassQuality,
    Cohort,
    OutcomeShift,
    Quality,
    QualityChange,
    QualityInterval,
    ReferenceState,
    Value,
)
from driftgauge.stats.arrays import quotient
from driftgauge.stats.concept import rate_shift
from driftgauge.stats.intervals import difference_interval, mean_error
from driftgauge.view import VersionView, Watched, WindowView

_Z: Final = 1.959963984540054
_WHOLE: Final = (Group(0, "", ""),)


def outcome_shifts(view: VersionView) -> Iterator[OutcomeShift]:
    """The outcome's rate (mean) in each matured window against the reference's, by class."""
    for window, relation, quality, row in _comparable(view):
        labels = (view.model, view.version, window.name)
        if isinstance(quality, RegressionQuality):
            yield _mean_shift(relation, quality, row, labels)
            continue
        before, after = (
            _by_class(relation, relation.quality, relation.quality_row, view),
            _by_class(relation, quality, row, view),
        )
        shift, error = rate_shift(before, after)
        names = ("",) if view.task is Task.BINARY else (*view.classes, "other")
        for place, name in enumerate(names):
            at = place if view.task is not Task.BINARY else 1
            seen = before[at, 1] + after[at, 1] > 0
            if seen or not name:
                yield _rate_shift(labels, name, float(after[at].sum()), float(shift[at]), float(error[at]))


def _comparable(view: VersionView) -> Iterator[tuple[WindowView, Relation, QualitySketch, Row]]:
    relation = None if view.related is None else view.related.reference
    if relation is None or relation.quality is None or view.quality is None:
        return
    if type(relation.quality) is not type(view.quality):
        return
    for window in view.windows:
        if window.matured is not None:
            yield window, relation, view.quality, window.matured


def _by_class(
    relation: Relation, quality: QualitySketch | None, row: Row | None, view: VersionView
) -> Floats:
    """Outcomes without and with each class, shape (classes, 2): the view's classes, then `other`."""
    assert quality is not None
    assert row is not None
    if not isinstance(quality, MulticlassQuality):
        reliability = quality.count(row, "confusion")[0].sum(axis=1).astype(np.float64)
        scored = quality.count(row, "score").sum(axis=1).astype(np.float64)
        own = np.maximum(reliability, scored)
    else:
        counts = quality.count(row, "confusion").sum(axis=1).astype(np.float64)
        names = view.classes if quality is view.quality else relation.classes[:-1]
        by_name = dict(zip(names, counts, strict=False))
        known = np.array([by_name.get(name, 0.0) for name in view.classes])
        own = np.append(known, counts.sum() - known.sum())
    return np.stack([own.sum() - own, own], axis=1)


def _rate_shift(
    labels: tuple[str, str, str], name: str, samples: float, shift: float, error: float
) -> OutcomeShift:
    if samples < LEAST_SAMPLES:
        return OutcomeShift(*labels, name, samples)
    return OutcomeShift(
        *labels,
        name,
        samples,
        log_odds=value(shift),
        log_odds_low=value(shift - _Z * error),
        log_odds_high=value(shift + _Z * error),
    )


def _mean_shift(
    relation: Relation, quality: RegressionQuality, row: Row, labels: tuple[str, str, str]
) -> OutcomeShift:
    own = relation.quality
    assert isinstance(own, RegressionQuality)
    assert relation.quality_row is not None
    before, after = _moments(own, relation.quality_row), _moments(quality, row)
    n = after[0]
    if n < LEAST_SAMPLES or before[0] < LEAST_SAMPLES or not before[3] > 0:
        return OutcomeShift(*labels, "", n)
    shift = (after[1] - before[1]) / before[3]
    reach = _Z * float(np.hypot(before[2], after[2])) / before[3]
    return OutcomeShift(
        *labels,
        "",
        n,
        mean_sd=value(shift),
        mean_sd_low=value(shift - reach),
        mean_sd_high=value(shift + reach),
    )


def _moments(quality: RegressionQuality, row: Row) -> tuple[float, float, float, float]:
    """Outcomes that met a prediction: their number, mean, its standard error, their deviation."""
    n = float(quality.count(row, "errors")[0])
    sums = quality.sum(row, "sums")[0]
    total, square = float(sums[sketch.OUTCOME]), float(sums[sketch.OUTCOME_SQUARE])
    mean = float(quotient(total, n))
    deviation = float(np.sqrt(np.maximum(quotient(square, n) - mean**2, 0.0)))
    return n, quality.centre + mean, float(mean_error(n, total, square)), deviation


# The numbers of `QualityChange`: those that have ends.
_CHANGES: Final = tuple(
    name.removesuffix("_low") for name in QualityChange.__struct_fields__ if name.endswith("_low")
)


def quality_changes(
    view: VersionView,
    quality: Sequence[Quality],
    classes: Sequence[ClassQuality],
    intervals: Sequence[QualityInterval],
) -> Iterator[QualityChange]:
    """The whole model's quality in each matured window less the reference's.

    Args:
        quality, classes, intervals: rows of the same windows; their ends are combined with the
            reference's.

    Cost: once for a reference what the quality of a window costs.
    """
    rows = {row.window: row for row in quality if _is_whole(row)}
    of_classes = {row.window: row for row in classes if _is_whole(row) and not row.class_}
    known = {row.window: row for row in intervals if _is_whole(row) and not row.class_}
    for window, relation, _, _ in _comparable(view):
        before, before_ends = _of_reference(_Asked(relation, _bare(view, relation)))
        row, ends = rows.get(window.name), known.get(window.name)
        changes: dict[str, Value] = {}
        if ends is not None and before_ends is not None:
            for name in _CHANGES:
                after: Value = getattr(of_classes.get(window.name), name, None)
                after = getattr(row, name, after)
                changes |= _change(name, after, ends, before.get(name), before_ends)
        samples = None if row is None else row.samples
        yield QualityChange(view.model, view.version, window.name, samples, **changes)


def _is_whole(row: Quality | ClassQuality | QualityInterval) -> bool:
    return row.cohort == Cohort.MATURED and not row.segment


@dataclass(frozen=True, slots=True)
class _Asked:
    """A relation, known by its identity, and how its quality is read."""

    relation: Relation
    view: VersionView = field(compare=False)


def _bare(view: VersionView, relation: Relation) -> VersionView:
    """The view of the reference's quality, without anything else that would be kept with it."""
    nothing = Watched(ReferenceState.LEARNING, None, None, None)
    return replace(
        view,
        quality=relation.quality,
        classes=relation.classes[:-1],
        inputs=nothing,
        outputs=nothing,
        windows=(),
        quality_lifetime=None,
        related=None,
    )


@lru_cache(maxsize=64)
def _of_reference(asked: _Asked) -> tuple[dict[str, float], QualityInterval | None]:
    """The reference's own quality by name, of several classes the macro means, and its ends."""
    row = asked.relation.quality_row
    assert row is not None
    total = Totals.of(asked.view, [("", Cohort.MATURED, row, None)], _WHOLE)
    found = measured(total)
    ends = quality_intervals(total, found).whole
    numbers = {name: float(values[0, 0]) for name, values in {**found.macro, **found.groups}.items()}
    return numbers, ends[0] if ends else None


def _change(
    name: str,
    after: Value,
    after_ends: QualityInterval,
    before: Value,
    before_ends: QualityInterval,
) -> dict[str, Value]:
    if after is None or before is None:
        return {}
    low, high = difference_interval((after, *_ends(after_ends, name)), (before, *_ends(before_ends, name)))
    return {name: value(after - before), f"{name}_low": value(low), f"{name}_high": value(high)}


def _ends(interval: QualityInterval, name: str) -> tuple[float, float]:
    low, high = getattr(interval, f"{name}_low"), getattr(interval, f"{name}_high")
    return np.nan if low is None else low, np.nan if high is None else high
