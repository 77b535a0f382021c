"""What decisions are worth before their outcomes come, from calibrated scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.calibrating import OfClass, calibrated
from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.evaluate.segments import Group, groups
from driftgauge.evaluate.value import cell_values
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.scores import BinaryScores
from driftgauge.snapshot import Estimate, EstimatedValue, EstimateState
from driftgauge.stats.estimation import Estimated
from driftgauge.stats.value import expected_total
from driftgauge.view import VersionView, WindowView

_Z = 1.96
_WHOLE = Group(0, "", "")


@dataclass(frozen=True, slots=True)
class _Amounts:
    """Predictions of one total by predicted class and bin, shape (2, bins) each, and their calibration."""

    samples: float
    amounts: Floats
    squares: Floats
    of_class: OfClass

    def expected(self, worth: Floats) -> Estimated:
        """What they are worth."""
        known = self.of_class.fine if self.amounts.shape[-1] != len(self.of_class.records) else None
        return expected_total(self.amounts, self.squares, worth, known or self.of_class.coarse)


def estimated_value(view: VersionView, estimates: Sequence[Estimate]) -> tuple[EstimatedValue, ...]:
    """The whole model's and every segment's, in windows whose *estimates* are given.

    None where outcomes carry values of their own, which no score tells.

    Cost: 0.2 ms a window of a binary model with 33 segments.
    """
    given = {row.window: row for row in estimates if row.state == EstimateState.GIVEN}
    if view.value is None or not given:
        return ()
    found: list[EstimatedValue] = []
    of_class = next(iter(calibrated(view).classes), None)
    for window in view.windows:
        if window.name not in given or _own_values(view, window):
            continue
        if view.task is Task.MULTICLASS and view.config.value is not None:
            if view.config.value.weight is None:
                found.append(_multiclass(view, given[window.name]))
        elif of_class is not None:
            found += _binary(view, window, of_class)
    return tuple(found)


def _own_values(view: VersionView, window: WindowView) -> bool:
    rows = [row for row in (window.value_arrived, window.value_matured) if row is not None]
    return view.value is not None and any(view.value.layout.count(row, "own")[0] for row in rows)


def _multiclass(view: VersionView, row: Estimate) -> EstimatedValue:
    wrong, right = cell_values(view)
    step = float(right - wrong)

    def scaled(share: float | None) -> float:
        return float("nan") if share is None else step * share

    samples = row.samples or 0.0
    found = Estimated(
        np.array(samples * (wrong + scaled(row.accuracy))),
        np.array(samples * abs(scaled(row.accuracy_error))),
    )
    return _row(view, row.window, _WHOLE, samples, found, scaled(row.accuracy_gap))


def _binary(view: VersionView, window: WindowView, of_class: OfClass) -> Iterator[EstimatedValue]:
    worth = cell_values(view).reshape(2, 2)
    now = _amounts(view, window.scores, window.weighted_scores, of_class)
    if now is None:
        return
    gap = _gap(view, window, of_class, worth)
    yield _row(view, window.name, _WHOLE, now.samples, now.expected(worth), gap)
    if view.weighted_scores is not None or window.scores is None:
        return
    assert isinstance(view.scores, BinaryScores)
    counts = view.scores.coarse(window.scores).astype(np.float64)
    samples = counts.sum(axis=(1, 2))
    made = expected_total(counts, counts, worth, of_class.coarse)
    for group in groups(view)[1:]:
        g = group.number
        if samples[g] >= LEAST_SAMPLES:
            part = Estimated(made.value[g], made.error[g])
            yield _row(view, window.name, group, float(samples[g]), part, float("nan"))


def _amounts(
    view: VersionView, scores: Row | None, weighted: Row | None, of_class: OfClass
) -> _Amounts | None:
    """Those of the whole model, weighed where a weight is configured; None where there are too few."""
    if view.weighted_scores is not None:
        if weighted is None:
            return None
        samples = float(view.weighted_scores.samples(weighted).sum())
        found = _Amounts(samples, *view.weighted_scores.totals(weighted), of_class)
    else:
        if scores is None or not isinstance(view.scores, BinaryScores):
            return None
        counts = view.scores.count(scores, "score").astype(np.float64)
        found = _Amounts(float(counts.sum()), counts, counts, of_class)
    return found if found.samples >= LEAST_SAMPLES else None


def _gap(view: VersionView, window: WindowView, of_class: OfClass, worth: Floats) -> float:
    """Estimated less realised value per record of the matured window; NaN where one isn't known."""
    then = _amounts(view, window.matured_scores, window.matured_weighted_scores, of_class)
    if then is None or view.value is None or window.value_matured is None:
        return float("nan")
    samples = float(view.value.samples(window.value_matured)[0])
    if samples < LEAST_SAMPLES:
        return float("nan")
    realised, _ = view.value.totals(window.value_matured, cell_values(view))
    return float(then.expected(worth).value) / then.samples - float(realised[0]) / samples


def _row(
    view: VersionView, window: str, group: Group, samples: float, found: Estimated, gap: float
) -> EstimatedValue:
    total, reach = float(found.value), _Z * float(found.error)
    return EstimatedValue(
        view.model,
        view.version,
        window,
        group.segment,
        group.segment_value,
        samples,
        value(total),
        value(total - reach),
        value(total + reach),
        value(total / samples if samples else float("nan")),
        value(gap),
    )
