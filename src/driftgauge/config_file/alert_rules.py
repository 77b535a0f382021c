"""Rules that the entries of `alerts` keep: what they name is there, and fits the model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from driftgauge.config import Config, Family, FeatureKind, Model, Task
from driftgauge.config_alerts import Against, Alert, AlertCohort, When
from driftgauge.config_file.alert_entry_rules import entry_faults, name_faults
from driftgauge.config_file.alert_limits import limit_faults
from driftgauge.config_file.alert_words import (
    GIVES_UNIT,
    ONLY_MATURED,
    WORDS,
    chosen_word,
    default_cohort,
    wanted_labels,
)
from driftgauge.config_file.fault import Fault, KeyPath, either, shown
from driftgauge.config_file.scalars import bound_text, duration_text, ratio_text
from driftgauge.metrics.live import LATENCY_BUCKETS
from driftgauge.metrics.words import ERROR_SHARE, LATENCY, THROUGHPUT, Word
from driftgauge.snapshot import ClassQuality, Quality, QualityInterval
from driftgauge.units import DAY, MINUTE

TRAFFIC: Final = frozenset((THROUGHPUT, ERROR_SHARE, LATENCY))
SHORTEST_RATE: Final = 5 * MINUTE
_SUBJECTS: Final = ("feature", "output", "segment", "class")


def alert_faults(config: Config) -> Iterator[Fault]:
    """All rules that the entries of `alerts` break."""
    taken: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(config.alerts):
        path: KeyPath = ("alerts", index)
        yield from name_faults(path, entry, taken, index)
        yield from entry_faults(path, entry)
        model = config.models.get(entry.when.model)
        if model is None:
            expected = f"a model under models{_near(entry.when.model, config.models)}"
            yield Fault((*path, "when", "model"), expected, shown(entry.when.model), (("models",),))
        else:
            yield from _judged_faults(path, entry, model, config)


def _near(text: str, known: Iterable[str], *, most: int = 3) -> str:
    """A hint at what was probably meant."""
    names = list(known)
    alike = difflib.get_close_matches(text[:100], names, n=most, cutoff=0.6)
    if alike:
        return f" (did you mean {either(alike)}?)"
    return f" ({either(names)})" if 0 < len(names) <= 6 else ""


def _judged_faults(path: KeyPath, entry: Alert, model: Model, config: Config) -> Iterator[Fault]:
    """Faults of what is judged in a known model."""
    when, below = entry.when, (*path, "when")
    yield from _named_faults(below, when, model)
    yield from _traffic_faults(below, when)
    if when.metric not in WORDS:
        expected = f"a metric that docs/alert-metrics.md lists{_near(when.metric, WORDS)}"
        yield Fault((*below, "metric"), expected, shown(when.metric))
        return
    word = chosen_word(when)
    if word is None:
        yield _subject_fault(below, when)
        return
    yield from _task_faults(below, when, word, model)
    yield from _kind_faults(below, when, word, model)
    yield from _family_faults(below, when, word, config)
    yield from _cohort_faults(below, when, word)
    yield from limit_faults(path, entry, word)
    if entry.require.coverage is not None and not word.basis.outcomes:
        expected = f"no coverage: {when.metric} doesn't stand on outcomes"
        yield Fault((*path, "require", "coverage"), expected, "one")
    yield from _estimate_faults(path, entry, word, config)


def _named_faults(below: KeyPath, when: When, model: Model) -> Iterator[Fault]:
    of_model: KeyPath = ("models", when.model)
    if when.metric not in TRAFFIC and when.window not in model.windows:
        known = [duration_text(window) for window in model.windows]
        expected = f"a window of {when.model}, {either(known)}"
        yield Fault((*below, "window"), expected, duration_text(when.window), ((*of_model, "windows"),))
    if when.feature is not None and when.feature not in model.features:
        expected = f"a feature under models.{when.model}.features{_near(when.feature, model.features)}"
        yield Fault((*below, "feature"), expected, shown(when.feature), ((*of_model, "features"),))
    if when.segment is not None and when.segment not in (model.segments or ()):
        expected = f"a column under models.{when.model}.segments{_near(when.segment, model.segments or ())}"
        yield Fault((*below, "segment"), expected, shown(when.segment), ((*of_model, "segments"),))
    if when.segment_value is not None and when.segment is None:
        yield Fault((*below, "segment_value"), "a segment beside it", "none")
    if when.against not in model.against:
        expected = f"one of models.{when.model}.against, {either(model.against)}"
        yield Fault((*below, "against"), expected, when.against, ((*of_model, "against"),))
    elif not when.against.suits(when.window):
        expected = "previous_window for a window of 7d or longer: it overlaps its hours last week"
        yield Fault((*below, "against"), expected, when.against)
    if when.feature is not None and when.output is not None:
        yield Fault((*below, "output"), "either a feature or an output", "both")


def _traffic_faults(below: KeyPath, when: When) -> Iterator[Fault]:
    if when.metric in TRAFFIC and not SHORTEST_RATE <= when.window <= DAY:
        found = duration_text(when.window)
        yield Fault(
            (*below, "window"), f"5m to 1d for {when.metric}, which is counted from raw samples", found
        )
    if when.metric == LATENCY and (when.quantile is None or not 0 < when.quantile < 1):
        yield Fault((*below, "quantile"), "a quantile between 0 and 1 such as 99%", "none")
    if when.metric != LATENCY and when.quantile is not None:
        yield Fault((*below, "quantile"), f"none: {when.metric} has no quantiles", ratio_text(when.quantile))
    bound = when.above or when.below
    if when.metric == LATENCY and bound is not None and bound.number > LATENCY_BUCKETS[-1]:
        expected = f"at most {duration_text(LATENCY_BUCKETS[-1])}, the largest bucket of the histogram"
        yield Fault((*below, "above" if when.above else "below"), expected, bound_text(bound))


def _subject_fault(below: KeyPath, when: When) -> Fault:
    """The word is known, but not of what *when* names."""
    candidates = WORDS[when.metric]
    names = frozenset(label for word in candidates for label in word.metric.labels)
    wanted = wanted_labels(when)
    for label in (*_SUBJECTS, "against"):
        if label in wanted and label not in names:
            what = "an earlier window" if label == "against" else f"a {label}"
            return Fault((*below, label), f"none: {when.metric} is not of {what}", shown(_said(when, label)))
    if {"feature", "output"} & names and not {"feature", "output"} & wanted:
        return Fault(
            (*below, "metric"), f"a feature or an output beside it: {when.metric} is of one", "neither"
        )
    expected = f"{when.metric} of a {either(sorted(names & set(_SUBJECTS)))} alone"
    return Fault((*below, "metric"), expected, " and ".join(sorted(wanted)))


def _said(when: When, label: str) -> str:
    return str(when.class_ if label == "class" else getattr(when, label))


def _task_faults(below: KeyPath, when: When, word: Word, model: Model) -> Iterator[Fault]:
    task: KeyPath = ("models", when.model, "task")
    unsuited = word.of_classifier if model.task is Task.REGRESSION else word.of_regression
    if model.task is not None and unsuited:
        yield Fault((*below, "metric"), f"a metric of the task {model.task}", shown(word.text), (task,))
    if when.class_ is not None and model.task is not Task.MULTICLASS:
        expected = "none where the task isn't multiclass: the positive class is meant"
        yield Fault((*below, "class"), expected, shown(when.class_), (task,))


def _kind_faults(below: KeyPath, when: When, word: Word, model: Model) -> Iterator[Fault]:
    feature = model.features.get(when.feature) if when.feature is not None else None
    kind = None if feature is None else feature.kind
    if kind is None or kind not in _unsuited(word):
        return
    place: KeyPath = ("models", when.model, "features", str(when.feature), "kind")
    yield Fault((*below, "metric"), f"a metric of {kind} features", shown(word.text), (place,))


def _unsuited(word: Word) -> frozenset[FeatureKind]:
    kinds = set()
    if word.numeric_only:
        kinds.add(FeatureKind.CATEGORICAL)
    if word.categorical_only:
        kinds.add(FeatureKind.NUMERIC)
    if word.text != "missing":
        kinds.add(FeatureKind.IDENTIFIER)
    return frozenset(kinds)


def _family_faults(below: KeyPath, when: When, word: Word, config: Config) -> Iterator[Fault]:
    for family in _families(when, word, config.models.get(when.model, config.defaults)):
        if family not in config.metrics:
            line = f"metrics: [{', '.join([*config.metrics, family])}]"
            expected = f"the line `{line}` in the file: {word.text} here is in the family {family}"
            found = f"metrics: [{', '.join(config.metrics)}]"
            yield Fault((*below, "metric"), expected, found, (("metrics",),))


def _families(when: When, word: Word, model: Model) -> Iterator[Family]:
    """The families that must be on for the metric to be exported."""
    made_of_default = word.text == GIVES_UNIT and when.feature and when.against is Against.REFERENCE
    if word.metric.family != "default" and not made_of_default:
        yield Family(word.metric.family)
    if when.segment is not None and word.metric.row in {ClassQuality, QualityInterval}:
        yield Family.SEGMENTS
    if when.segment is not None and word.metric.row is Quality:
        usual = default_cohort(word, model)
        if (when.cohort or usual) is not usual or when.window not in model.segment_windows:
            yield Family.SEGMENTS
    of_class = when.class_ if model.task is Task.MULTICLASS else None
    subjects = {"segment": when.segment, "class": of_class}
    yield from (Family(p.family) for p in word.metric.parts if p.holds(lambda name: subjects[name] or ""))


def _cohort_faults(below: KeyPath, when: When, word: Word) -> Iterator[Fault]:
    place = (*below, "cohort")
    if when.cohort is None:
        return
    if "cohort" not in word.metric.labels:
        yield Fault(place, f"none: {word.text} is not of a cohort of outcomes", when.cohort)
    elif when.cohort is AlertCohort.ARRIVED and word.metric.row in ONLY_MATURED:
        yield Fault(place, f"matured, the only one that {word.text} has", when.cohort)


def _estimate_faults(path: KeyPath, entry: Alert, word: Word, config: Config) -> Iterator[Fault]:
    if entry.estimated_until is None:
        return
    place = (*path, "estimated_until")
    when = replace(entry.when, metric=f"estimated_{entry.when.metric}")
    estimate = chosen_word(when)
    if estimate is None:
        known = [w.removeprefix("estimated_") for w in WORDS if w.startswith("estimated_")]
        said = [w for w in known if w in WORDS and not w.endswith(("_error", "_gap"))]
        yield Fault(place, f"a metric that is estimated ({either(said)})", shown(word.text))
        return
    for fault in _family_faults(path, when, estimate, config):
        yield replace(fault, path=place)
