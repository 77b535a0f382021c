"""Rules that one model's settings keep."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.config import DAY, MINUTE, Against, Feature, FeatureKind, Limits, Model, Task
from driftgauge.config_file.fault import Fault, KeyPath, repeated, shown
from driftgauge.config_file.scalars import duration_text, number_text
from driftgauge.config_file.value_rules import value_faults

MOST_WINDOWS = 6
MOST_SEGMENT_DRIFT = 5
SHORTEST_WINDOW = MINUTE
LONGEST_DURATION = 400 * DAY

_SEGMENT_COLUMNS: KeyPath = ("limits", "segment_columns")
_FEATURES: KeyPath = ("limits", "features")
_LABEL_CHARACTERS: KeyPath = ("limits", "label_characters")


def model_faults(path: KeyPath, model: Model, limits: Limits) -> Iterator[Fault]:
    """All rules that the model at *path*, or the defaults there, break."""
    if path[:1] == ("models",):
        yield from _name_faults(path, str(path[-1]), limits)
    yield from _task_faults(path, model)
    yield from _window_faults((*path, "windows"), model.windows)
    yield from _against_faults(path, model)
    yield from _segment_faults((*path, "segments"), model.segments or (), limits)
    yield from _segment_drift_faults((*path, "segment_drift"), model)
    yield from _feature_faults((*path, "features"), model, limits)
    yield from _outcome_faults(path, model)
    for index, detector in repeated(model.detectors):
        yield Fault((*path, "detectors", index), "each detector once", f"{detector} again")
    if model.concept.features < 0:
        yield Fault((*path, "concept", "features"), "at least 0", str(model.concept.features))
    yield from value_faults(path, model)
    for name, label in (
        (("positive_class",), model.positive_class),
        (("outcomes", "at_horizon"), model.outcomes.at_horizon),
        (("value", "currency"), model.value.currency if model.value else None),
    ):
        if label is not None:
            yield from _name_faults((*path, *name), label, limits)


def _name_faults(path: KeyPath, name: str, limits: Limits) -> Iterator[Fault]:
    """A text that becomes a label's value: neither empty nor too long."""
    most = limits.label_characters
    if not name:
        yield Fault(path, "a text that is not empty", "''")
    elif len(name) > most:
        expected = f"at most {most} characters (limits.label_characters)"
        yield Fault(path, expected, str(len(name)), (_LABEL_CHARACTERS,))


def _task_faults(path: KeyPath, model: Model) -> Iterator[Fault]:
    if not 0 < model.threshold < 1:
        found = number_text(model.threshold)
        yield Fault((*path, "threshold"), "a number between 0 and 1, neither of them", found)
    if model.positive_class is not None and model.task not in {None, Task.BINARY}:
        task = (*path, "task")
        expected = f"no positive class where the task is {model.task}"
        yield Fault((*path, "positive_class"), expected, shown(model.positive_class), (task,))


def _window_faults(path: KeyPath, windows: tuple[float, ...]) -> Iterator[Fault]:
    if not 0 < len(windows) <= MOST_WINDOWS:
        yield Fault(path, f"1 to {MOST_WINDOWS} windows", str(len(windows)))
    for index, window in enumerate(windows):
        if window < SHORTEST_WINDOW:
            yield Fault((*path, index), "a window of at least 1m", duration_text(window))
        elif window > LONGEST_DURATION:
            yield Fault((*path, index), "a window of at most 400d", duration_text(window))
    for index, window in repeated(windows):
        yield Fault((*path, index), "each window once", f"{duration_text(window)} again")


def _against_faults(path: KeyPath, model: Model) -> Iterator[Fault]:
    against = (*path, "against")
    if Against.REFERENCE not in model.against:
        found = ", ".join(model.against) or "nothing"
        yield Fault(against, "reference among them, whose bins all are counted in", found)
    for index, word in repeated(model.against):
        yield Fault((*against, index), "each of them once", f"{word} again")
    same_hours = Against.SAME_HOURS_LAST_WEEK
    if same_hours in model.against and not any(same_hours.suits(w) for w in model.windows):
        place = (*against, model.against.index(same_hours))
        expected = "previous_window where every window is 7d or longer: they overlap their hours last week"
        yield Fault(place, expected, same_hours, ((*path, "windows"),))


def _segment_faults(path: KeyPath, columns: tuple[str, ...], limits: Limits) -> Iterator[Fault]:
    if len(columns) > limits.segment_columns:
        expected = f"at most {limits.segment_columns} segment columns (limits.segment_columns)"
        yield Fault(path, expected, str(len(columns)), (_SEGMENT_COLUMNS,))
    for index, column in enumerate(columns):
        yield from _name_faults((*path, index), column, limits)
    for index, column in repeated(columns):
        yield Fault((*path, index), "each segment column once", f"{shown(column)} again")


def _segment_drift_faults(path: KeyPath, model: Model) -> Iterator[Fault]:
    names = model.segment_drift
    if len(names) > MOST_SEGMENT_DRIFT:
        yield Fault(path, f"at most {MOST_SEGMENT_DRIFT} features", str(len(names)))
    for index, name in repeated(names):
        yield Fault((*path, index), "each feature once", f"{shown(name)} again")
    features = (*path[:-1], "features")
    for index, name in enumerate(names):
        feature = model.features.get(name)
        if feature is None and not model.discover_features:
            yield Fault((*path, index), "a declared feature", shown(name), (features,))
        elif feature is not None and feature.kind is FeatureKind.IDENTIFIER:
            found = f"{shown(name)}, identifier"
            yield Fault(
                (*path, index), "a numeric or categorical feature", found, ((*features, name, "kind"),)
            )


def _feature_faults(path: KeyPath, model: Model, limits: Limits) -> Iterator[Fault]:
    if len(model.features) > limits.features:
        expected = f"at most {limits.features} features (limits.features)"
        yield Fault(path, expected, str(len(model.features)), (_FEATURES,))
    for name, feature in model.features.items():
        yield from _name_faults((*path, name), name, limits)
        yield from _range_faults((*path, name), feature)


def _range_faults(path: KeyPath, feature: Feature) -> Iterator[Fault]:
    kind = feature.kind
    for bound in ("min", "max"):
        value: float | None = getattr(feature, bound)
        if value is not None and kind not in {None, FeatureKind.NUMERIC}:
            expected = f"no {bound} where the kind is {kind}"
            yield Fault((*path, bound), expected, number_text(value), ((*path, "kind"),))
    if feature.min is not None and feature.max is not None and feature.min >= feature.max:
        expected = f"a number above min, {number_text(feature.min)}"
        yield Fault((*path, "max"), expected, number_text(feature.max), ((*path, "min"),))


def _outcome_faults(path: KeyPath, model: Model) -> Iterator[Fault]:
    outcomes, below = model.outcomes, (*path, "outcomes")
    if outcomes.horizon <= 0:
        yield Fault((*below, "horizon"), "a duration above 0", duration_text(outcomes.horizon))
    elif outcomes.horizon > LONGEST_DURATION:
        yield Fault((*below, "horizon"), "at most 400d", duration_text(outcomes.horizon))
    if outcomes.matures_after is not None and not 0 < outcomes.matures_after <= outcomes.horizon:
        expected = f"a duration above 0 and at most the horizon, {duration_text(outcomes.horizon)}"
        found = duration_text(outcomes.matures_after)
        yield Fault((*below, "matures_after"), expected, found, ((*below, "horizon"),))
    if model.task is Task.REGRESSION and outcomes.at_horizon != "unknown":
        expected = "unknown where the task is regression"
        found = shown(outcomes.at_horizon)
        yield Fault((*below, "at_horizon"), expected, found, ((*path, "task"),))
