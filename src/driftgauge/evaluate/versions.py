"""The newest version of a model against the one before it, from the traffic that both have now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.between import compared
from driftgauge.evaluate.drift import LEAST_SAMPLES, in_bins, value
from driftgauge.layout import Layout, Row
from driftgauge.records import Floats
from driftgauge.reference import project, rebinned
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import LearningRow
from driftgauge.sketches.quality import Quality
from driftgauge.snapshot import Value, VersionComparison, VersionDrift
from driftgauge.stats import difference, jackknife
from driftgauge.stats.arrays import quotient
from driftgauge.stats.classification import roc_auc
from driftgauge.stats.difference import Difference
from driftgauge.view import VersionView, Watched, WindowView

Totals = tuple[Row | LearningRow, Row | LearningRow]


def newest_pairs(views: Sequence[VersionView]) -> dict[tuple[str, str], VersionView]:
    """The version before the newest one of each model, by the newest one's model and version.

    Args:
        views: of all models, the versions of one model together, the newest last.
    """
    found: dict[str, tuple[VersionView, VersionView]] = {}
    for older, newer in pairwise(views):
        if older.model == newer.model:
            found[newer.model] = older, newer
    return {(newer.model, newer.version): older for older, newer in found.values()}


def version_drift(newer: VersionView, older: VersionView | None) -> list[VersionDrift]:
    """Every feature and output of *newer* against *older* in each window, in the older one's bins.

    Cost: as `between.compared` for each window; more where the two count in other bins.
    """
    found: list[VersionDrift] = []
    if older is not None:
        labels = (newer.model, newer.version, older.version)
        names = [window.name for window in newer.windows]
        for his, mine, pairs in (
            (older.outputs, newer.outputs, _pairs(older, newer, "outputs")),
            (older.inputs, newer.inputs, _pairs(older, newer, "inputs")),
        ):
            found += _drift(labels, names, his, mine, pairs)
    return found


def _pairs(older: VersionView, newer: VersionView, part: Literal["inputs", "outputs"]) -> list[Totals]:
    """Totals of both versions by window."""
    return [
        (before.inputs, now.inputs) if part == "inputs" else (before.outputs, now.outputs)
        for before, now in zip(older.windows, newer.windows, strict=True)
    ]


def _drift(
    labels: tuple[str, str, str], windows: Sequence[str], older: Watched, newer: Watched, pairs: list[Totals]
) -> Iterator[VersionDrift]:
    inputs = older.inputs
    if inputs is None:
        return
    binned = [(in_bins(inputs, before), _in_bins_of(inputs, older, newer, now)) for before, now in pairs]
    keys = (*inputs.bins.numeric, *inputs.bins.categorical)
    for window, (known, current), (_, now), values in zip(
        windows, binned, pairs, compared(inputs, binned), strict=True
    ):
        common = _names(newer, now) - inputs.bins.identifiers
        samples = float(inputs.records(current)), float(inputs.records(known))
        for key, numbers in zip(keys, zip(*values, strict=True), strict=True):
            if key in common:
                name = ("", key[2:]) if key.startswith("o:") else (key[2:], "")
                yield VersionDrift(*labels, *name, window, *samples, *numbers)


def _in_bins_of(inputs: Inputs, older: Watched, newer: Watched, row: Row | LearningRow) -> Row:
    """The newer version's total in *inputs*, the older one's bins."""
    if isinstance(row, LearningRow):
        return project(inputs, row)
    if newer.inputs is None or (older.mark and older.mark == newer.mark):
        return row
    return rebinned(inputs, newer.inputs, row)


def _names(newer: Watched, row: Row | LearningRow) -> set[str]:
    if isinstance(row, LearningRow):
        return {*row.numeric, *row.categorical}
    bins = newer.inputs.bins if newer.inputs is not None else None
    return set() if bins is None else {*bins.numeric, *bins.categorical}


def version_comparisons(
    newer: VersionView, older: VersionView | None, drift: Sequence[VersionDrift]
) -> Iterator[VersionComparison]:
    """A row a window: the largest drift between the versions, and the difference of quality."""
    if older is None:
        return
    for now, before in zip(newer.windows, older.windows, strict=True):
        rows = [row for row in drift if row.window == now.name]
        moved = [row.psi for row in rows if row.feature and row.psi is not None]
        psi = {row.output: row.psi for row in rows if row.output}
        yield VersionComparison(
            newer.model,
            newer.version,
            older.version,
            now.name,
            samples=float(now.predictions),
            against_samples=float(before.predictions),
            feature_psi_max=max(moved, default=None),
            score_psi=psi.get("score"),
            prediction_psi=psi.get("prediction"),
            **_differences(newer, now, before),
        )


@dataclass(frozen=True, slots=True)
class _Side:
    """One version's outcomes of a window: its total, and the same by groups of panes."""

    quality: Quality
    row: Row
    groups: Row | None


def _differences(view: VersionView, now: WindowView, before: WindowView) -> dict[str, Value]:
    """Values of a `VersionComparison` that tell of quality; none where either has few outcomes."""
    quality = view.quality
    if quality is None or now.arrived is None or before.arrived is None:
        return {}
    sides = (
        _Side(quality, before.arrived, before.arrived_groups),
        _Side(quality, now.arrived, now.arrived_groups),
    )
    outcomes = [int(quality.outcomes(side.row)[0]) for side in sides]
    found: dict[str, Value] = {"outcomes": float(outcomes[1]), "against_outcomes": float(outcomes[0])}
    if min(outcomes) < LEAST_SAMPLES:
        return found
    if view.task is Task.REGRESSION:
        return found | _told("mae", _absolute_errors(*sides))
    if view.task is Task.BINARY:
        found |= _told("roc_auc", _aucs(*sides))
    return found | _told("accuracy", _accuracies(*sides, view.task))


def _told(name: str, found: Difference) -> dict[str, Value]:
    numbers = {"": found.value, "_low": found.low, "_high": found.high, "_p": found.p}
    return {f"{name}_difference{end}": value(number) for end, number in numbers.items()}


def _accuracies(first: _Side, second: _Side, task: Task | None) -> Difference:
    def right(row: Row, layout: Layout) -> tuple[Floats, Floats]:
        """Right ones and all of the whole model, any leading axes."""
        if task is Task.BINARY:
            confusion = layout.count(row, "confusion")[..., 0, :, :].astype(np.float64)
            return np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1))
        hits, n = (layout.count(row, name)[..., 0] for name in ("right", "predicted"))
        return hits.astype(np.float64), n.astype(np.float64)

    sides = [right(side.row, side.quality.layout) for side in (first, second)]
    iid = [quotient(h / n * (1 - h / n), n) if n else np.array(np.nan) for h, n in sides]
    spread = [_grouped(side, right) for side in (first, second)]
    return difference.proportions(*sides[0], *sides[1], inflation=_inflation(iid, spread))


def _absolute_errors(first: _Side, second: _Side) -> Difference:
    def sums(row: Row, layout: Layout) -> tuple[Floats, Floats]:
        n = layout.count(row, "errors")[..., 0].astype(np.float64)
        return np.asarray(layout.sum(row, "sums")[..., 0, sketch.ABSOLUTE], np.float64), n

    def moments(side: _Side) -> tuple[float, float, float]:
        total, n = sums(side.row, side.quality.layout)
        return float(n), float(total), float(side.quality.layout.sum(side.row, "sums")[0, sketch.SQUARE])

    sides = [moments(side) for side in (first, second)]
    iid = [
        np.asarray(max(square / n - (total / n) ** 2, 0.0) / (n - 1) if n > 1 else np.nan)
        for n, total, square in sides
    ]
    spread = [_grouped(side, sums) for side in (first, second)]
    return difference.means(*sides, inflation=_inflation(iid, spread))


def _aucs(first: _Side, second: _Side) -> Difference:
    found, iid = [], []
    for side in (first, second):
        negative, positive = side.quality.layout.count(side.row, "score").astype(np.float64)
        iid.append(difference.auc_variance(positive, negative))
        found.append((roc_auc(positive, negative)[0], iid[-1]))
    spread = [_grouped_auc(side) for side in (first, second)]
    return difference.roc_aucs(*found, inflation=_inflation(iid, spread))


def _grouped(side: _Side, sums: Callable[[Row, Layout], tuple[Floats, Floats]]) -> Floats:
    """Variance of a mean by the delete-one-group jackknife; NaN with too few groups."""
    if side.groups is None:
        return np.array(np.nan)
    totals, sizes = sums(side.groups, side.quality.digest_layout)
    mean = quotient(totals.sum(axis=0), sizes.sum(axis=0))
    without = quotient(jackknife.left_out(totals), jackknife.left_out(sizes))
    return _variance(mean, without, sizes)


def _grouped_auc(side: _Side) -> Floats:
    if side.groups is None:
        return np.array(np.nan)
    scores = side.quality.digest_layout.count(side.groups, "score").astype(np.float64)
    whole, without = scores.sum(axis=0), jackknife.left_out(scores)
    auc, _ = roc_auc(whole[1], whole[0])
    return _variance(auc, roc_auc(without[:, 1], without[:, 0])[0], scores.sum(axis=(1, 2)))


def _variance(whole: Floats, without: Floats, sizes: Floats) -> Floats:
    if jackknife.effective_groups(sizes) < jackknife.LEAST_GROUPS:
        return np.array(np.nan)
    return np.square(jackknife.serial_error(whole, without, sizes))


def _inflation(independent: Sequence[Floats], grouped: Sequence[Floats]) -> Floats:
    """By what a standard error for independent records is widened: never narrowed, and by nothing
    where groups of panes are too few to tell.
    """
    plain = np.sum(independent)
    spread = np.sum([np.fmax(a, b) for a, b in zip(independent, grouped, strict=True)])
    ratio = quotient(spread, plain)
    return np.sqrt(np.fmax(ratio, 1.0))
