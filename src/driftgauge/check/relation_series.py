"""Rows of the relation, of the outcome's shift and of changed quality that a version grows to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from driftgauge.check.shape import Shape
from driftgauge.config import Task
from driftgauge.snapshot import OutcomeShift, QualityChange, RelationShift, RelationState

Made = tuple[type[Any], Mapping[str, str], frozenset[str] | None]


def _with_ends(*names: str) -> frozenset[str]:
    return frozenset(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


_CHANGES: Final[Mapping[Task, frozenset[str]]] = {
    Task.BINARY: _with_ends("accuracy", "roc_auc", "log_loss"),
    Task.MULTICLASS: _with_ends("accuracy", "roc_auc", "log_loss"),
    Task.REGRESSION: _with_ends("mae", "rmse", "bias"),
}


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
            for name in ("",) if shape.task is Task.BINARY else shape.classes:
                yield OutcomeShift, {**of_window, "class": name}, _with_ends("log_odds")
        yield QualityChange, of_window, _CHANGES[shape.task]
        for feature in shape.related:
            yield RelationShift, {**of_window, "feature": feature}, None
