"""Counters that sum over replicas; they count since the process started."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class BinCount(SnapshotRow, frozen=True):
    """Fleet counter: records of a feature or output per coarse bin since the process started."""

    model: str
    model_version: str
    feature: str
    output: str
    reference: str
    bin: str
    records: Value
    reference_ratio: Value


class Moments(SnapshotRow, frozen=True):
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


class ScoreBin(SnapshotRow, frozen=True):
    """Fleet counter: outcomes of a class per coarse score bin, and strictly below it."""

    model: str
    model_version: str
    class_: str
    outcome: str
    bin: str
    outcomes: Value
    outcomes_below: Value


class ClassCount(SnapshotRow, frozen=True):
    """Fleet counters: joined outcomes of a class, those predicted to be of it, and those that are both."""

    model: str
    model_version: str
    class_: str
    outcomes: Value
    predictions: Value
    right: Value


class ConfusionCell(SnapshotRow, frozen=True):
    """Fleet counter: joined outcomes by class and predicted class."""

    model: str
    model_version: str
    outcome: str
    prediction: str
    outcomes: Value


class ErrorSums(SnapshotRow, frozen=True):
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
