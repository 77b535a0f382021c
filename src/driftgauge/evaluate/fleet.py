"""Counters since the process started, from which rules compute a whole fleet's numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import value
from driftgauge.layout import Row
from driftgauge.reference import Reference, moments
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.inputs import COARSE_BINS, Inputs
from driftgauge.snapshot import BinCount, ConfusionCell, ErrorSums, Moments, ScoreBin
from driftgauge.view import VersionView

_BINS = (*(str(i) for i in range(COARSE_BINS)), "missing", "unseen")


def _watched(view: VersionView) -> Iterator[tuple[Reference, Row, Inputs]]:
    """Reference, lifetime counts and bins of inputs and outputs, where they are fixed."""
    for watched in (view.inputs, view.outputs):
        reference, lifetime, inputs = watched.reference, watched.lifetime, watched.inputs
        if reference is not None and lifetime is not None and inputs is not None:
            yield reference, lifetime, inputs


def _labels(key: str) -> tuple[str, str]:
    return (key[2:], "") if key.startswith("f:") else ("", key[2:])


def bins(view: VersionView) -> Iterator[BinCount]:
    """Coarse bins of every feature and output whose reference is fixed."""
    for reference, lifetime, inputs in _watched(view):
        counts = inputs.coarse(lifetime)
        known = inputs.coarse(reference.row)
        shares = known / np.maximum(known.sum(axis=1, keepdims=True), 1)
        for place, key in enumerate((*inputs.bins.numeric, *inputs.bins.categorical)):
            if key in inputs.bins.identifiers:
                continue
            for cell, name in enumerate(_BINS):
                # All of them from the start: `increase` sees no burst in a series that begins with it.
                yield BinCount(
                    view.model,
                    view.version,
                    *_labels(key),
                    reference.id,
                    name,
                    float(counts[place, cell]),
                    float(shares[place, cell]),
                )


def fleet_moments(view: VersionView) -> Iterator[Moments]:
    """Moments of every numeric feature and output."""
    for reference, lifetime, inputs in _watched(view):
        _, means, sds = moments(inputs, reference.row)
        n, _, _ = moments(inputs, lifetime)
        deviation = inputs.layout.sum(lifetime, "deviation")
        square = inputs.layout.sum(lifetime, "square")
        floor = inputs.bins.edges[:, 0] if len(inputs.bins.numeric) else np.zeros(0)
        for i, key in enumerate(inputs.bins.numeric):
            yield Moments(
                view.model,
                view.version,
                *_labels(key),
                reference.id,
                float(n[i]),
                float(deviation[i] + n[i] * (inputs.bins.centre[i] - floor[i])),
                float(square[i]),
                float(floor[i]),
                value(means[i]),
                value(sds[i]),
            )


def score_bins(view: VersionView) -> Iterator[ScoreBin]:
    """Outcomes by coarse score bin of a binary model."""
    if view.task is not Task.BINARY or view.quality is None or view.quality_lifetime is None:
        return
    coarse = view.quality.count(view.quality_lifetime, "coarse")[0].astype(np.int64)
    below = np.cumsum(coarse, axis=1) - coarse
    for outcome in (0, 1):
        for cell in range(sketch.COARSE_SCORE_BINS):
            yield ScoreBin(
                view.model,
                view.version,
                "1",
                str(outcome),
                str(cell),
                float(coarse[outcome, cell]),
                float(below[outcome, cell]),
            )


def confusion(view: VersionView) -> Iterator[ConfusionCell]:
    """Joined outcomes by class and predicted class."""
    if view.quality is None or view.task is Task.REGRESSION or view.quality_lifetime is None:
        return
    cells = view.quality.count(view.quality_lifetime, "confusion")
    names: tuple[str, ...] = ("0", "1")
    if view.task is Task.BINARY:
        cells = cells[0]
    else:
        names = (*view.classes, "other")
        places = [*range(len(view.classes)), cells.shape[0] - 1]
        cells = cells[np.ix_(places, places)]
    for i, outcome in enumerate(names):
        for j, prediction in enumerate(names):
            yield ConfusionCell(view.model, view.version, outcome, prediction, float(cells[i, j]))


def error_sums(view: VersionView) -> Iterator[ErrorSums]:
    """Sums of a regression's errors and outcomes."""
    quality, row = view.quality, view.quality_lifetime
    if not isinstance(quality, sketch.RegressionQuality) or row is None:
        return
    n = float(quality.count(row, "errors")[0])
    sums = quality.sum(row, "sums")[0]
    yield ErrorSums(
        view.model,
        view.version,
        n,
        float(sums[sketch.ABSOLUTE]),
        float(sums[sketch.SQUARE]),
        float(sums[sketch.OVER]),
        float(sums[sketch.UNDER]),
        float(sums[sketch.OUTCOME_SQUARE]),
        float(sums[sketch.OUTCOME_OVER]),
        float(sums[sketch.OUTCOME_UNDER]),
        quality.centre,
    )
