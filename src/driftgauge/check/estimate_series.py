"""Rows of estimates that a version grows to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any, Final

from driftgauge.check.shape import Shape
from driftgauge.config import Family, Task
from driftgauge.snapshot import Estimate, ExpectedCell, PartEstimate

Made = tuple[type[Any], Mapping[str, str], frozenset[str] | None]

_OF_CLASS: Final = ("precision", "recall", "f1", "roc_auc")
_WORTH: Final = frozenset({"given", "calibration_error", "unsupported_ratio"})


def _filled(names: Collection[str], *ends: str) -> frozenset[str]:
    return frozenset(f"{name}{end}" for name in names for end in ends)


def estimate_rows(shape: Shape, window: str, families: Collection[str]) -> Iterator[Made]:
    """Rows of one window."""
    labels = {"window": window}
    if shape.task is Task.REGRESSION:
        losses = ("mae", "rmse")
        worth = frozenset({"given", "unsupported_ratio"})
        yield Estimate, labels, worth | _filled(losses, "", "_error", "_gap")
        for segment, value in shape.groups[1:] if Family.ESTIMATES in families else ():
            of_segment = {**labels, "segment": segment, "segment_value": value, "class": ""}
            yield PartEstimate, of_segment, _filled(losses, "", "_error") | {"samples"}
        return
    every = ("accuracy", *_OF_CLASS)
    yield Estimate, labels, _WORTH | _filled(every, "", "_error", "_gap")
    if Family.ESTIMATES not in families:
        return
    if shape.task is Task.MULTICLASS:
        for name in shape.classes:
            of_class = {**labels, "segment": "", "segment_value": "", "class": name}
            yield PartEstimate, of_class, _filled(_OF_CLASS, "", "_error") | {"samples"}
        return
    for segment, value in shape.groups[1:]:
        of_segment = {**labels, "segment": segment, "segment_value": value, "class": ""}
        yield PartEstimate, of_segment, _filled(every, "", "_error") | {"samples"}
    for outcome, prediction in product("01", repeat=2):
        yield ExpectedCell, {**labels, "outcome": outcome, "prediction": prediction}, None
