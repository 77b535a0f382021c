"""Rules that the entries of `alerts` keep: what they name is there, and their limits make sense."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from driftgauge.config import Config, Family, FeatureKind, Model, Task
from driftgauge.config_alerts import Against, Alert, AlertCohort, Bound, Direction, Step, Unit, When
from driftgauge.config_file.fault import Fault, KeyPath, either, shown
from driftgauge.config_file.scalars import bound_text, duration_text, ratio_text
from driftgauge.metrics import METRICS
from driftgauge.metrics.live import LATENCY_BUCKETS
from driftgauge.metrics.words import ERROR_SHARE, LATENCY, THROUGHPUT, Scale, Word, chosen, words
from driftgauge.snapshot import ClassQuality, LabelState, QualityInterval, Reweighted
from driftgauge.units import DAY, HOUR, MINUTE

WORDS: Final = words(METRICS)
TRAFFIC: Final = frozenset((THROUGHPUT, ERROR_SHARE, LATENCY))
SHORTEST_RATE: Final = 5 * MINUTE
MOST_WINDOWS: Final = 30
LONGEST_FOR: Final = HOUR
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
_LABEL: Final = re.compile(r"[a-z_][a-z0-9_]*\Z")
_SUBJECTS: Final = ("feature", "output", "segment", "class")
_RESERVED: Final = frozenset(
    {
        *("alertname", "severity", "owner", "team", "basis", "model", "model_version", "feature", "output"),
        *("window", "cohort", "segment", "segment_value", "class", "against", "against_version"),
    }
)
_TEMPLATE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ALLOWED: Final = re.compile(
    r"\s*(?:\$labels\.[a-z_][a-z0-9_]*(?: \| urlquery)?|\$value \| humanizePercentage|"
    r'printf "%\.[0-9]f" \$value)\s*\Z'
)
_UNITS: Final = MappingProxyType(
    {
        Scale.SHARE: (Unit.PERCENT, Unit.PLAIN),
        Scale.DEVIATIONS: (Unit.DEVIATIONS, Unit.PLAIN),
        Scale.PLAIN: (Unit.PLAIN,),
        Scale.SECONDS: (Unit.SECONDS,),
    }
)
_EXAMPLES: Final = MappingProxyType(
    {
        Scale.SHARE: "a share such as 10% or 0.1",
        Scale.DEVIATIONS: "standard deviations such as 0.5 sd",
        Scale.PLAIN: "a number such as 0.25",
        Scale.SECONDS: "a duration such as 250ms",
    }
)
_GIVES_UNIT: Final = "mean_shift"


def chosen_word(when: When) -> Word | None:
    """The metric that *when* means; None where there is none of that word and those labels."""
    text = when.metric
    if text == _GIVES_UNIT and _bound_unit(when) is Unit.DEVIATIONS:
        text = f"{_GIVES_UNIT}_sd"
    return chosen(WORDS.get(text, ()), _wanted(when))


def _bound_unit(when: When) -> Unit | None:
    bound = when.above if when.above is not None else when.below
    return None if bound is None else bound.unit


def _wanted(when: When) -> frozenset[str]:
    given = {
        "feature": when.feature,
        "output": when.output,
        "segment": when.segment,
        "class": when.class_,
        "against": when.against if when.against is not Against.REFERENCE else None,
    }
    return frozenset(name for name, value in given.items() if value is not None)


def default_cohort(word: Word, model: Model) -> AlertCohort:
    """Matured where outcomes come late, as the model's `outcomes` say; else by arrival."""
    late = model.outcomes.matures_after is not None or model.outcomes.at_horizon != "unknown"
    only_matured = word.metric.row in {LabelState, Reweighted}
    return AlertCohort.MATURED if late or only_matured else AlertCohort.ARRIVED


def alert_faults(config: Config) -> Iterator[Fault]:
    """All rules that the entries of `alerts` break."""
    taken: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(config.alerts):
        path: KeyPath = ("alerts", index)
        yield from _name_faults(path, entry, taken, index)
        yield from _hold_faults(path, entry)
        yield from _text_faults(path, entry)
        yield from _require_faults(path, entry)
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


def _name_faults(
    path: KeyPath, entry: Alert, taken: dict[tuple[str, str], int], index: int
) -> Iterator[Fault]:
    place = (*path, "alert")
    if not _NAME.match(entry.alert):
        yield Fault(place, "a name in CamelCase such as PrecisionLow", shown(entry.alert))
    key = (entry.alert.lower(), entry.when.model)
    if key in taken:
        expected = "a name of its own among the alerts on a model, in more than capitals"
        yield Fault(place, expected, f"{shown(entry.alert)}, as alerts[{taken[key]}]")
    taken.setdefault(key, index)


def _hold_faults(path: KeyPath, entry: Alert) -> Iterator[Fault]:
    if entry.for_ > LONGEST_FOR:
        expected = (
            "at most 1h: a window without enough records, as at night, has no value, which starts the time "
            "anew; say `consecutive` windows"
        )
        yield Fault((*path, "for"), expected, duration_text(entry.for_))
    if entry.keep_firing_for > DAY:
        yield Fault((*path, "keep_firing_for"), "at most 1d", duration_text(entry.keep_firing_for))
    if not 1 <= entry.consecutive <= MOST_WINDOWS:
        yield Fault((*path, "consecutive"), f"1 to {MOST_WINDOWS} windows", str(entry.consecutive))
    if entry.windows is not None:
        least, of = entry.windows
        if not 1 <= least <= of or not 2 <= of <= MOST_WINDOWS:
            expected = f"m of n windows, n from 2 to {MOST_WINDOWS}, m from 1 to n"
            yield Fault((*path, "windows"), expected, f"{least} of {of}")
        if entry.consecutive != 1:
            found = f"consecutive: {entry.consecutive} too"
            yield Fault((*path, "windows"), "either consecutive or windows", found, ((*path, "consecutive"),))
    if entry.max_gap is not None and not 0 < entry.max_gap <= entry.when.window:
        expected = f"a duration above 0 and at most the window, {duration_text(entry.when.window)}"
        found = duration_text(entry.max_gap)
        yield Fault((*path, "max_gap"), expected, found, ((*path, "when", "window"),))


def _text_faults(path: KeyPath, entry: Alert) -> Iterator[Fault]:
    for name, text in entry.labels.items():
        place = (*path, "labels", name)
        if not _LABEL.match(name) or name.startswith("__"):
            yield Fault(place, "a label's name: small letters, digits and _", shown(name))
        elif name in _RESERVED:
            yield Fault(place, "a label that isn't set already", shown(name))
        if "{{" in text:
            yield Fault(place, "a text that stays the same: a changing label is another alert", shown(text))
    for name, text in entry.annotations.items():
        place = (*path, "annotations", name)
        if not _LABEL.match(name):
            yield Fault(place, "an annotation's name: small letters, digits and _", shown(name))
        for template in _TEMPLATE.findall(text):
            if not _ALLOWED.match(template):
                expected = '$labels.NAME, $value | humanizePercentage or printf "%.3f" $value in {{ }}'
                yield Fault(place, expected, shown(template.strip()))
        if text.count("{{") != text.count("}}"):
            yield Fault(place, "each {{ with its }}", shown(text))


def _require_faults(path: KeyPath, entry: Alert) -> Iterator[Fault]:
    below = (*path, "require")
    for name in ("samples", "outcomes"):
        value: int = getattr(entry.require, name)
        if value < 1:
            yield Fault((*below, name), "at least 1", str(value))
    if entry.require.covered <= 0:
        yield Fault((*below, "covered"), "a ratio above 0", "0")


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
    yield from _limit_faults(path, entry, word)
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
    wanted = _wanted(when)
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
    for family in _families(when, word):
        if family not in config.metrics:
            line = f"metrics: [{', '.join([*config.metrics, family])}]"
            expected = f"the line `{line}` in the file: {word.text} here is in the family {family}"
            found = f"metrics: [{', '.join(config.metrics)}]"
            yield Fault((*below, "metric"), expected, found, (("metrics",),))


def _families(when: When, word: Word) -> Iterator[Family]:
    """The families that must be on for the metric to be exported."""
    made_of_default = word.text == _GIVES_UNIT and when.feature and when.against is Against.REFERENCE
    if word.metric.family != "default" and not made_of_default:
        yield Family(word.metric.family)
    if when.segment is not None and word.metric.row in {ClassQuality, QualityInterval}:
        yield Family.SEGMENTS


def _cohort_faults(below: KeyPath, when: When, word: Word) -> Iterator[Fault]:
    place = (*below, "cohort")
    if when.cohort is None:
        return
    if "cohort" not in word.metric.labels:
        yield Fault(place, f"none: {word.text} is not of a cohort of outcomes", when.cohort)
    elif when.cohort is AlertCohort.ARRIVED and word.metric.row in {LabelState, Reweighted}:
        yield Fault(place, f"matured, the only one that {word.text} has", when.cohort)


def _limit_faults(path: KeyPath, entry: Alert, word: Word) -> Iterator[Fault]:
    when = (*path, "when")
    steps = {name: step for name in ("warning", "critical") if (step := getattr(entry, name)) is not None}
    in_when = entry.when.above is not None or entry.when.below is not None
    if word.is_verdict:
        if in_when or steps:
            yield Fault(when, f"no limit: {word.text} is 0 or 1", "one")
        return
    if steps and in_when:
        yield Fault(when, f"no limit beside {either(list(steps))}", "one")
    if steps and entry.severity is not None:
        yield Fault((*path, "severity"), f"none beside {either(list(steps))}", entry.severity)
    if not steps:
        yield from _one_limit_faults(when, Step(entry.when.above, entry.when.below), word)
    for name, step in steps.items():
        yield from _one_limit_faults((*path, name), step, word)
    if len(steps) == 2:
        yield from _order_faults(path, entry)
    if entry.when.direction is not Direction.EITHER and (not word.shift or entry.when.below is not None):
        expected = f"no direction: {word.text} has none" if not word.shift else "above beside a direction"
        yield Fault((*when, "direction"), expected, entry.when.direction)


def _one_limit_faults(place: KeyPath, step: Step, word: Word) -> Iterator[Fault]:
    given = [name for name in ("above", "below") if getattr(step, name) is not None]
    if len(given) != 1:
        both = ((*place, "above"), (*place, "below"))
        yield Fault(place, "above or below, one of them", "both" if given else "neither", both)
    for name in given:
        bound: Bound = getattr(step, name)
        if word.text == _GIVES_UNIT and bound.unit is Unit.PLAIN:
            expected = "a percentage of the reference's mean (10%) or standard deviations (0.5 sd)"
            yield Fault((*place, name), expected, bound_text(bound))
        elif bound.unit not in _UNITS[word.scale]:
            yield Fault((*place, name), _EXAMPLES[word.scale], bound_text(bound))
        elif word.bounded and abs(bound.number) > 1:
            yield Fault((*place, name), "a share from 0 to 1, or 0% to 100%", bound_text(bound))


def _order_faults(path: KeyPath, entry: Alert) -> Iterator[Fault]:
    mild, severe = entry.warning, entry.critical
    if mild is None or severe is None:
        return
    for name in ("above", "below"):
        first: Bound | None = getattr(mild, name)
        second: Bound | None = getattr(severe, name)
        place = (*path, "critical", name)
        if (first is None) != (second is None):
            words = ("above", "below") if mild.below is None else ("below", "above")
            yield Fault((*path, "critical"), f"{words[0]}, as warning", words[1])
            return
        if first is None or second is None:
            continue
        beyond = second.number > first.number if name == "above" else second.number < first.number
        if not beyond or first.unit is not second.unit:
            expected = f"a limit beyond warning's {bound_text(first)}"
            yield Fault(place, expected, bound_text(second), ((*path, "warning"),))


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
