"""Rows of the relation, of the outcome's shift and of changed quality that a version grows to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from driftgauge.check.shape import Shape
from driftgauge.config import DAY, HOUR, MINUTE, Task
from driftgauge.sketches.inputs import COARSE_BINS
from driftgauge.snapshot import (
    OutcomeShift,
    QualityChange,
    RelationBin,
    RelationShift,
    RelationState,
    RelationVerdicts,
)

Made = tuple[type[Any], Mapping[str, str], frozenset[str] | None]


def _with_ends(*names: str) -> frozenset[str]:
    return frozenset(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


_CHANGES: Final[Mapping[Task, frozenset[str]]] = {
    Task.BINARY: _with_ends("accuracy", "roc_auc", "log_loss"),
    Task.MULTICLASS: _with_ends("accuracy", "roc_auc", "log_loss"),
    Task.REGRESSION: _with_ends("mae", "rmse", "bias"),
}


_UNJUDGED: Final = frozenset({"samples", "shift", "outcome_shift", "p", "adjusted_p", "overdispersion"})


def _seconds(window: str) -> float:
    units = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0}
    return float(window[:-1]) * units[window[-1]]


def relation_rows(shape: Shape) -> Iterator[Made]:
    """Rows of every window; none where no feature's relation is watched."""
    if not shape.related:
        return
    yield RelationState, {}, None
    for window in shape.windows:
        of_window = {"window": window}
        if shape.task is Task.REGRESSION:
            yield OutcomeShift, {**of_window, "class": ""}, _with_ends("mean_sd")
        else:
            short = _seconds(window) < DAY
            for name in ("",) if shape.task is Task.BINARY else () if short else shape.classes:
                yield OutcomeShift, {**of_window, "class": name}, _with_ends("log_odds")
        yield QualityChange, of_window, _CHANGES[shape.task]
        judged = _seconds(window) >= DAY
        if judged:
            yield RelationVerdicts, of_window, None
        filled = None if judged else _UNJUDGED
        for feature in shape.related:
            yield RelationShift, {**of_window, "feature": feature}, filled
            for number in range(COARSE_BINS):
                yield RelationBin, {**of_window, "feature": feature, "bin": str(number)}, None
