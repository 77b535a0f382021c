"""Drift of each window against an earlier one: the window before it, the same hours a week ago."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.evaluate.between import compared
from driftgauge.evaluate.drift import in_bins
from driftgauge.layout import Row
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import DriftAgainst
from driftgauge.view import VersionView, Watched


def drift_against(view: VersionView) -> Iterator[DriftAgainst]:
    """Every row of a version; none unless its configuration asks for them.

    Cost: as `between.compared` for each window and what it is compared with.
    """
    spans = [(window, before) for window in view.windows for before in window.earlier]
    outputs = [(before.outputs, window.outputs) for window, before in spans]
    inputs = [(before.inputs, window.inputs) for window, before in spans]
    labels = [(window.name, str(before.against)) for window, before in spans]
    for watched, pairs in ((view.outputs, outputs), (view.inputs, inputs)):
        yield from _rows(view, watched, pairs, labels)


def _rows(
    view: VersionView,
    watched: Watched,
    pairs: list[tuple[Row | LearningRow, Row | LearningRow]],
    labels: list[tuple[str, str]],
) -> Iterator[DriftAgainst]:
    inputs = watched.inputs
    if inputs is None:
        return
    binned = [(in_bins(inputs, before), in_bins(inputs, now)) for before, now in pairs]
    bins = inputs.bins
    for (known, current), values, where in zip(binned, compared(inputs, binned), labels, strict=True):
        samples = float(inputs.records(current)), float(inputs.records(known))
        for key, numbers in zip((*bins.numeric, *bins.categorical), zip(*values, strict=True), strict=True):
            if key not in bins.identifiers:
                name = ("", key[2:]) if key.startswith("o:") else (key[2:], "")
                yield DriftAgainst(view.model, view.version, *name, *where, *samples, *numbers)
