"""Drift of each window against an earlier one: the window before it, the same hours a week ago."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES, VALUES, in_bins, listed, tables
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.reference import moments
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import DriftAgainst, Value
from driftgauge.view import VersionView, Watched

# Those of drift's values that a `DriftAgainst` has, in the order of its fields.
KEPT: Final = ("psi", "ks", "js_distance", "wasserstein", "mean_shift_sd", "mean_shift_ratio")
_PLACES: Final = [VALUES.index(name) for name in KEPT]
_OF_NUMBERS: Final = [KEPT.index(name) for name in KEPT if name != "psi"]


def drift_against(view: VersionView) -> Iterator[DriftAgainst]:
    """Every row of a version; none unless its configuration asks for them.

    Cost: as `drift.drift` for each window and what it is compared with.
    """
    for window in view.windows:
        for before in window.earlier:
            labels = (window.name, str(before.against))
            yield from _rows(view, view.outputs, before.outputs, window.outputs, *labels)
            yield from _rows(view, view.inputs, before.inputs, window.inputs, *labels)


def _rows(
    view: VersionView,
    watched: Watched,
    before: Row | LearningRow,
    current: Row | LearningRow,
    window: str,
    against: str,
) -> Iterator[DriftAgainst]:
    inputs = watched.inputs
    if inputs is None:
        return
    known, now = in_bins(inputs, before), in_bins(inputs, current)
    samples = inputs.records(now), inputs.records(known)
    bins = inputs.bins
    values = compared(inputs, known, now)
    nothing: list[Value] = [None] * len(KEPT)
    for place, key in enumerate((*bins.numeric, *bins.categorical)):
        if key in bins.identifiers:
            continue
        name = ("", key[2:]) if key.startswith("o:") else (key[2:], "")
        numbers = values[place] if values else nothing
        yield DriftAgainst(
            view.model, view.version, *name, window, against, float(samples[0]), float(samples[1]), *numbers
        )


def compared(inputs: Inputs, known: Row, current: Row) -> list[list[Value]]:
    """By name (numeric ones first) the values of `KEPT`, *current* against *known*, both in the bins of
    *inputs*; empty where either has few records.
    """
    if min(inputs.records(known), inputs.records(current)) < LEAST_SAMPLES:
        return []
    table: Floats = tables(inputs, known, [current])[0, _PLACES]
    few = np.flatnonzero(moments(inputs, known)[0] < LEAST_SAMPLES)
    for value in _OF_NUMBERS:
        table[value, few] = np.nan
    return listed(table)
