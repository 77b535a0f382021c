"""Counters that sum over replicas; they count since the process started."""

from __future__ import annotations

from dataclasses import dataclass

from driftgauge.snapshot.field import Value


@dataclass(frozen=True, slots=True)
class BinCount:
    """Fleet counter: records of a feature or output per coarse bin since the process started."""

    model: str
    model_version: str
    feature: str
    output: str
    reference: str
    bin: str
    records: Value
    reference_ratio: Value


@dataclass(frozen=True, slots=True)
class Moments:
    """Fleet counters of a numeric feature or output: what means and spreads are made from."""

    model: str
    model_version: str
    feature: str
    output: str
    reference: str
    values: Value
    above_floor_sum: Value
    deviation_squares_sum: Value
    floor: Value
    reference_mean: Value
    reference_sd: Value


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Fleet counter: outcomes of a class per coarse score bin, and strictly below it."""

    model: str
    model_version: str
    class_: str
    outcome: str
    bin: str
    outcomes: Value
    outcomes_below: Value


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """Fleet counter: joined outcomes by class and predicted class."""

    model: str
    model_version: str
    outcome: str
    prediction: str
    outcomes: Value


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Fleet counters of a regression: sums from which RMSE, MAE, R2 and bias are made."""

    model: str
    model_version: str
    outcomes: Value
    absolute: Value
    squared: Value
    over: Value
    under: Value
    outcome_squares: Value
    outcome_over: Value
    outcome_under: Value
    outcome_centre: Value
