"""The error to expect of a regression's predictions whose outcomes haven't come (DLE)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.evaluate.segments import groups
from driftgauge.layout import Row
from driftgauge.reference.loss import LEAST_RECORDS
from driftgauge.sketches import quality as sums
from driftgauge.sketches.quality import RegressionQuality
from driftgauge.sketches.scores import FOURTH, SQUARE, UNSUPPORTED, RegressionScores
from driftgauge.snapshot import Estimate, EstimateState, ExpectedCell, PartEstimate, Value
from driftgauge.stats import regression
from driftgauge.stats.estimation import expected_errors
from driftgauge.view import VersionView, WindowView

MOST_UNSUPPORTED: Final = 0.1


@dataclass(slots=True)
class Estimates:
    """Rows of estimates."""

    whole: list[Estimate] = field(default_factory=list)
    parts: list[PartEstimate] = field(default_factory=list)
    cells: list[ExpectedCell] = field(default_factory=list)


def loss_estimates(view: VersionView) -> Estimates:
    """Estimates of every window of a regression, with the gap to what was realised. O(groups)."""
    made = Estimates()
    for window in view.windows:
        if window.scores is None:
            continue
        state, samples, unsupported = _state(view, window.scores)
        numbers: dict[str, Value] = {}
        if state is EstimateState.GIVEN:
            numbers = _numbers(view, window.scores, 0) | _gaps(view, window)
            made.parts += _parts(view, window.name, window.scores)
        given = float(state is EstimateState.GIVEN)
        worth = (samples, given, None, value(unsupported))
        made.whole.append(_row(view, window.name, state, worth, numbers))
    return made


def _row(
    view: VersionView,
    window: str,
    state: str,
    worth: tuple[float, float, Value, Value],
    numbers: dict[str, Value],
) -> Estimate:
    samples, given, error, unsupported = worth
    return Estimate(view.model, view.version, window, state, samples, given, error, unsupported, **numbers)


def _state(view: VersionView, row: Row) -> tuple[EstimateState, float, float]:
    """Whether estimates are given, the predictions that they stand on, and the share unsupported."""
    assert isinstance(view.scores, RegressionScores)
    n = float(view.scores.count(row, "estimated")[0])
    if view.loss is None:
        return EstimateState.NO_REFERENCE, n, float("nan")
    if view.loss.records < LEAST_RECORDS:
        return EstimateState.FEW_OUTCOMES, n, float("nan")
    if n < LEAST_SAMPLES:
        return EstimateState.FEW_SCORES, n, float("nan")
    unsupported = float(view.scores.sum(row, "loss")[0, UNSUPPORTED]) / n
    state = EstimateState.UNSUPPORTED if unsupported > MOST_UNSUPPORTED else EstimateState.GIVEN
    return state, n, min(1.0, max(0.0, unsupported))


def _numbers(view: VersionView, row: Row, group: int) -> dict[str, Value]:
    assert isinstance(view.scores, RegressionScores)
    n = view.scores.count(row, "estimated")[group]
    loss = view.scores.sum(row, "loss")[group]
    mae, rmse = expected_errors(n, loss[0], loss[SQUARE], loss[2], np.maximum(loss[FOURTH], 0.0))
    return {
        "mae": value(mae.value),
        "mae_error": value(mae.error),
        "rmse": value(rmse.value),
        "rmse_error": value(rmse.error),
    }


def _gaps(view: VersionView, window: WindowView) -> dict[str, Value]:
    row, quality = window.matured, view.quality
    if window.matured_scores is None or row is None or not isinstance(quality, RegressionQuality):
        return {}
    state, _, _ = _state(view, window.matured_scores)
    n = float(quality.count(row, "errors")[0])
    if state is not EstimateState.GIVEN or n < LEAST_SAMPLES:
        return {}
    then, block = _numbers(view, window.matured_scores, 0), quality.sum(row, "sums")[0]
    realised = {
        "mae": float(regression.mae(n, block[sums.ABSOLUTE])),
        "rmse": float(regression.rmse(n, block[sums.SQUARE])),
    }
    gaps: dict[str, Value] = {}
    for name, found in realised.items():
        estimated = then[name]
        gaps[f"{name}_gap"] = None if estimated is None else value(estimated - found)
    return gaps


def _parts(view: VersionView, window: str, row: Row) -> Iterator[PartEstimate]:
    assert isinstance(view.scores, RegressionScores)
    samples = view.scores.count(row, "estimated")
    for group in groups(view)[1:]:
        if samples[group.number] >= LEAST_SAMPLES:
            yield PartEstimate(
                view.model,
                view.version,
                window,
                group.segment,
                group.segment_value,
                "",
                float(samples[group.number]),
                **_numbers(view, row, group.number),
            )
