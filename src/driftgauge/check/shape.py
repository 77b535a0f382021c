"""The shape of one model version's Snapshot, as far as a configuration and a reference file tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftgauge.config import DAY, Against, Config, Feature, FeatureKind, Limits, Model, Task
from driftgauge.reference import Reference
from driftgauge.sketches.inputs import feature_key, output_key
from driftgauge.windows import window_name

# Where neither the configuration nor a reference file names features: a model of ordinary size.
ASSUMED_FEATURES = 25
REFERENCE_ID = "0123456789ab"
# Texts that only records will tell are taken to have as many characters.
TYPICAL = 8


@dataclass(frozen=True, slots=True)
class Watched:
    """A feature or an output: exactly one of the two names is given."""

    feature: str
    output: str
    kind: FeatureKind


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how many series a model version has, and how long their lines are.

    Attributes:
        against: (window, what it is compared with beside the reference).
        judged: the windows on which verdicts are taken.
        groups: (segment, segment value), the whole model first.
        classes: labels of classes, ``other`` among them; of a binary model "0" and "1".
        related: features whose relation to the outcome is watched.
        currency: the unit of value; empty where none is configured.
        is_weighted: whether values are multiplied by a feature.
        detectors: names of the detectors on the errors.
        segment_drift: watched features whose drift is told by segment.
        assumed: what was assumed because nothing tells, in words.
        older: the version that this one is compared with; empty where only one is kept.
        segment_windows: those whose segments are told without the family `segments`.
        are_late: whether outcomes are, so that segments are told of the matured cohort.
    """

    model: str
    version: str
    reference: str
    task: Task
    windows: tuple[str, ...]
    against: tuple[tuple[str, str], ...]
    watched: tuple[Watched, ...]
    judged: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    older: str = ""
    currency: str = ""
    is_weighted: bool = False
    detectors: tuple[str, ...] = ()
    segment_drift: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    are_late: bool = False
    segment_windows: tuple[str, ...] = ()


def shape_of(name: str, model: Model, config: Config, reference: Reference | None) -> Shape:
    """The shape that the model *name* grows to: every segment's values and every class seen."""
    assumed: list[str] = []
    task = model.task
    if task is None:
        assumed.append("task binary")
        task = Task.BINARY
    given = (
        tuple(_of_reference(reference)) if reference is not None else _declared(model, config.limits, assumed)
    )
    outputs = () if any(w.output for w in given) else _outputs(task)
    return Shape(
        model=name,
        version="v" * TYPICAL,
        reference=REFERENCE_ID if reference is None else reference.id,
        task=task,
        windows=tuple(window_name(seconds) for seconds in model.windows),
        against=tuple(
            (window_name(seconds), against)
            for seconds in model.windows
            for against in model.against
            if against is not Against.REFERENCE and against.suits(seconds)
        ),
        watched=(*given, *outputs),
        judged=tuple(window_name(seconds) for seconds in model.windows if seconds >= DAY),
        groups=(("", ""), *_segments(model, config.limits, assumed)),
        classes=_classes(task, config.limits, assumed),
        assumed=tuple(assumed),
        older="v" * TYPICAL if config.limits.versions > 1 else "",
        segment_drift=tuple(n for n in model.segment_drift if any(w.feature == n for w in given)),
        currency="" if model.value is None else model.value.currency,
        is_weighted=model.value is not None and model.value.weight is not None,
        detectors=model.detectors,
        related=_related(given, model, config.limits),
        are_late=model.outcomes.are_late,
        segment_windows=tuple(window_name(seconds) for seconds in model.segment_windows),
    )


def _related(watched: tuple[Watched, ...], model: Model, limits: Limits) -> tuple[str, ...]:
    """Features whose relation is watched, as `CoarseCodes` chooses them."""
    names = [w.feature for w in watched if w.feature and w.kind is not FeatureKind.IDENTIFIER]
    declared = [name for name in model.features if name in names]
    ranked = (*declared, *(name for name in names if name not in set(declared)))
    return ranked[: min(model.concept.features, limits.features)]


def _of_reference(reference: Reference) -> Iterator[Watched]:
    bins = reference.bins
    for key in (*bins.numeric, *bins.categorical):
        kind = FeatureKind.NUMERIC
        if key in bins.identifiers:
            kind = FeatureKind.IDENTIFIER
        elif key in bins.categorical:
            kind = FeatureKind.CATEGORICAL
        is_feature = key == feature_key(key[2:])
        yield Watched(key[2:] if is_feature else "", "" if is_feature else key[2:], kind)


def _declared(model: Model, limits: Limits, assumed: list[str]) -> tuple[Watched, ...]:
    features = model.features
    if not features:
        count = min(ASSUMED_FEATURES, limits.features) if model.discover_features else 0
        assumed.append(f"{count} numeric features")
        features = {f"feature_{number:02d}": Feature() for number in range(count)}
    elif model.discover_features:
        assumed.append("no features beside the declared ones")
    return tuple(Watched(name, "", f.kind or FeatureKind.NUMERIC) for name, f in features.items())


def _outputs(task: Task) -> tuple[Watched, ...]:
    """Score and prediction as `serve` counts them; a regression has no score."""
    prediction = FeatureKind.NUMERIC if task is Task.REGRESSION else FeatureKind.CATEGORICAL
    score = () if task is Task.REGRESSION else (Watched("", output_key("score")[2:], FeatureKind.NUMERIC),)
    return (*score, Watched("", output_key("prediction")[2:], prediction))


def _segments(model: Model, limits: Limits, assumed: list[str]) -> Iterator[tuple[str, str]]:
    columns = model.segments
    if columns is None:
        assumed.append("no segments")
        columns = ()
    values = [f"{'v' * (TYPICAL - 2)}{number:02d}" for number in range(limits.segment_values)]
    if columns:
        assumed.append(f"{len(values)} values and other of each segment column")
    return ((column, value) for column in columns for value in (*values, "other"))


def _classes(task: Task, limits: Limits, assumed: list[str]) -> tuple[str, ...]:
    if task is Task.REGRESSION:
        return ()
    if task is Task.BINARY:
        return ("0", "1")
    assumed.append(f"{limits.classes} classes and other")
    return (*(f"{'c' * (TYPICAL - 2)}{number:02d}" for number in range(limits.classes)), "other")
