"""Counters since the process started, from which rules compute a whole fleet's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.known import known
from driftgauge.evaluate.segments import listed
from driftgauge.layout import Row
from driftgauge.records import Ints
from driftgauge.reference import Reference, moments
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.inputs import Inputs
from driftgauge.snapshot import BinCount, ClassCount, ConfusionCell, ErrorSums, Moments, ScoreBin
from driftgauge.view import VersionView


def _watched(view: VersionView) -> Iterator[tuple[Reference, Row, Inputs]]:
    """Reference, lifetime counts and bins of inputs and outputs, where they are fixed."""
    for watched in (view.inputs, view.outputs):
        reference, lifetime, inputs = watched.reference, watched.lifetime, watched.inputs
        if reference is not None and lifetime is not None and inputs is not None:
            yield reference, lifetime, inputs


def bins(view: VersionView) -> Iterator[BinCount]:
    """Coarse bins of every feature and output whose reference is fixed."""
    model, version = view.model, view.version
    for reference, lifetime, inputs in _watched(view):
        own = known(inputs, reference).bins
        features, outputs, cells = own.labels
        # All of them from the start: `increase` sees no burst in a series that begins with it.
        counts = inputs.coarse(lifetime)[own.watched, :].astype(np.float64).ravel().tolist()
        labels = (repeat(model), repeat(version), features, outputs, repeat(reference.id), cells)
        yield from map(BinCount, *labels, counts, own.shares)


def fleet_moments(view: VersionView) -> Iterator[Moments]:
    """Moments of every numeric feature and output."""
    for reference, lifetime, inputs in _watched(view):
        own = known(inputs, reference)
        n, _, _ = moments(inputs, lifetime)
        floor = inputs.bins.edges[:, 0] if len(inputs.bins.numeric) else np.zeros(0)
        total = inputs.layout.sum(lifetime, "deviation") + n * (inputs.bins.centre - floor)
        square = inputs.layout.sum(lifetime, "square")
        sums = (column.tolist() for column in (n.astype(np.float64), total, square, floor))
        columns = zip(*sums, listed(own.mean), listed(own.sd), strict=True)
        for (feature, output, _), values in zip(own.names, columns, strict=False):
            yield Moments(view.model, view.version, feature, output, reference.id, *values)


def score_bins(view: VersionView) -> Iterator[ScoreBin]:
    """Outcomes by coarse score bin of a binary model."""
    if view.task is not Task.BINARY or view.quality is None or view.quality_lifetime is None:
        return
    coarse = view.quality.count(view.quality_lifetime, "coarse")[0].astype(np.int64)
    below = np.cumsum(coarse, axis=1) - coarse
    for outcome in (0, 1):
        labels = (view.model, view.version, "1", str(outcome))
        columns = coarse[outcome].astype(np.float64).tolist(), below[outcome].astype(np.float64).tolist()
        for cell, values in enumerate(zip(*columns, strict=True)):
            yield ScoreBin(*labels, str(cell), *values)


def confusion(view: VersionView) -> Iterator[ConfusionCell]:
    """Joined outcomes by class and predicted class."""
    names, cells = _confusion(view)
    for i, outcome in enumerate(names):
        for j, prediction in enumerate(names):
            yield ConfusionCell(view.model, view.version, outcome, prediction, float(cells[i, j]))


def class_counts(view: VersionView) -> Iterator[ClassCount]:
    """The confusion matrix's sums by class: what a fleet's precision and recall are made of."""
    names, cells = _confusion(view)
    columns = (cells.sum(axis=1), cells.sum(axis=0), cells.diagonal())
    for name, *counts in zip(names, *(c.astype(np.float64).tolist() for c in columns), strict=True):
        yield ClassCount(view.model, view.version, name, *counts)


def _confusion(view: VersionView) -> tuple[tuple[str, ...], Ints]:
    """Classes, and the joined outcomes by class and predicted class; none without a classifier."""
    if view.quality is None or view.task is Task.REGRESSION or view.quality_lifetime is None:
        return (), np.zeros((0, 0), np.int64)
    cells = view.quality.count(view.quality_lifetime, "confusion")
    names: tuple[str, ...] = ("0", "1")
    if view.task is Task.BINARY:
        cells = cells[0]
    else:
        names = (*view.classes, "other")
        places = [*range(len(view.classes)), cells.shape[0] - 1]
        cells = cells[np.ix_(places, places)]
    return names, cells.astype(np.int64)


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
