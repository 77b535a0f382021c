"""The expressions of one entry: what is recorded of the pods together, and when the alert holds.

What is recorded is judged when it is recorded: by pods that have enough of the window and were
evaluated just now, on enough records. So it is absent where nothing can be said, has no label of a
pod that a rollout could rename, and a window of yesterday is its value of yesterday.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from driftgauge import snapshot
from driftgauge.artefacts.alerts.layout import bracketed, without
from driftgauge.artefacts.alerts.reading import Limit, Reading
from driftgauge.artefacts.alerts.traffic import traffic
from driftgauge.artefacts.rules import TimeScale
from driftgauge.artefacts.rules.promtool import label_text
from driftgauge.artefacts.thresholds import STALE_EVALUATION_SECONDS
from driftgauge.config_alerts import Against, Direction
from driftgauge.config_file.scalars import number_text
from driftgauge.metrics import BY_NAME, PREFIX
from driftgauge.metrics.table import IN_WINDOW
from driftgauge.metrics.words import Pooling
from driftgauge.snapshot import Cohort

_AGAINST_REFERENCE: Final = frozenset(
    {snapshot.Drift, snapshot.DriftAgainst, snapshot.Verdict, snapshot.VerdictSummary}
)
_ESTIMATED: Final = frozenset({snapshot.Estimate, snapshot.PartEstimate, snapshot.EstimatedValue})
SETTLED: Final = "frozen|given"


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one metric.

    Attributes:
        name: without the prefix.
        labels: equal to these; an empty one isn't there.
        settled: whether it is the state of a reference that is fixed.
    """

    name: str
    labels: Mapping[str, str]
    settled: bool = False

    def __str__(self) -> str:
        """As PromQL."""
        text = label_text(self.labels)
        if self.settled:
            text = f'{text[:-1]}, state=~"{SETTLED}"}}'
        return f"{PREFIX}{self.name}{text}"

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that its metric has."""
        return BY_NAME[PREFIX + self.name].labels


@dataclass(frozen=True, slots=True)
class Terms:
    """Every series that an entry reads.

    Attributes:
        value: the number; *weight*: what it stands on.
        covered: how much of the window a pod has; *fresh*: when it was evaluated.
        settled, given: where they are needed: that there is a reference, or an estimate.
        deviation, mean: of the reference, where a relative shift is made from them.
        known, predicted: outcomes known, and the predictions that weigh it.
    """

    value: Selector
    weight: Selector
    covered: Selector
    fresh: Selector
    settled: Selector | None = None
    given: Selector | None = None
    deviation: Selector | None = None
    mean: Selector | None = None
    known: Selector | None = None
    predicted: Selector | None = None


def terms(reading: Reading) -> Terms:
    """The series that *reading* stands on."""
    when, row = reading.entry.when, reading.metric.row
    version = {"model": when.model, **({"model_version": when.version} if when.version else {})}
    window = {**version, "window": reading.window}
    relative = is_relative(reading)
    name = reading.metric.name.removeprefix(PREFIX)
    of_feature = {**version, "feature": when.feature or ""}
    predicted = Selector("window_samples", {**window, "cohort": Cohort.PREDICTED})
    asked = reading.coverage is not None
    # An estimate gives way to the outcomes of its own window, the newest.
    known = Cohort.PREDICTED if reading.estimate else Cohort.MATURED
    return Terms(
        value=Selector(name.replace("shift_ratio", "shift_sd") if relative else name, _labels(reading)),
        weight=_weight(reading, window),
        covered=Selector("window_covered_ratio", {**window, "cohort": reading.records_cohort}),
        fresh=Selector("last_evaluation_timestamp_seconds", version),
        settled=Selector("reference_state", version, settled=True) if row in _AGAINST_REFERENCE else None,
        given=Selector("estimate_given", window) if row in _ESTIMATED else None,
        deviation=Selector("reference_feature_sd", of_feature) if relative else None,
        mean=Selector("reference_feature_mean", of_feature) if relative else None,
        known=Selector("outcome_coverage_ratio", {**window, "cohort": known}) if asked else None,
        predicted=predicted if asked else None,
    )


def is_relative(reading: Reading) -> bool:
    """Whether the relative shift of a feature's mean is made from what the default family exports."""
    when = reading.entry.when
    return reading.word.text == "mean_shift" and bool(when.feature) and when.against is Against.REFERENCE


def _labels(reading: Reading) -> dict[str, str]:
    """What the number's labels must be."""
    when = reading.entry.when
    said = {
        "model": when.model,
        "model_version": when.version,
        "feature": when.feature,
        "output": when.output,
        "window": reading.window,
        "cohort": reading.cohort,
        "segment": when.segment or "",
        "segment_value": when.segment_value if when.segment else "",
        "class": when.class_ or "",
        "against": when.against,
    }
    return {name: str(said[name]) for name in reading.metric.labels if said.get(name) is not None}


def _weight(reading: Reading, window: Mapping[str, str]) -> Selector:
    name = reading.basis.samples
    said = {**_labels(reading), **window, "cohort": str(reading.records_cohort)}
    # Of the whole model where the number has no segments, or several would match it.
    of_parts = {} if "segment" in reading.metric.labels else {"segment": "", "segment_value": ""}
    said = {**of_parts, **said}
    labels = BY_NAME[PREFIX + name].labels
    return Selector(name, {label: said[label] for label in labels if label in said})


def recorded_name(reading: Reading) -> str:
    """What the entry's judged value is recorded as: ``precision_low:driftgauge_precision_ratio:judged``."""
    return f"{snake(reading.entry.alert)}:{reading.metric.name}:judged"


def snake(name: str) -> str:
    """``PrecisionLow`` as ``precision_low``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def recorded(reading: Reading, scale: TimeScale) -> str:
    """The value of all pods together, where it can be judged."""
    if reading.word.of_traffic:
        return traffic(reading, scale)
    found = terms(reading)
    weight = _judged_weight(found, reading, scale)
    text = _pooled(found, reading, weight)
    coverage = _coverage(found, reading)
    if found.known is None or coverage is None:
        return text
    word = "unless" if reading.estimate else "and"
    return f"{text}\n{word} {_ignoring(reading.metric.labels, IN_WINDOW)}{bracketed(coverage)}"


def _pooled(found: Terms, reading: Reading, weight: str) -> str:
    """The number of all pods, each by its samples, from the least number of samples on."""
    value, pooling = _value(found), reading.word.pooling
    matching = _ignoring(reading.metric.labels, found.weight.names)
    pods = without(reading)
    samples = f"{weight}\nand {matching}{found.value}"
    enough = bracketed(f"sum {pods} {bracketed(samples)}\n>= {reading.least_records}")
    if pooling in {Pooling.TOTAL, Pooling.HALF}:
        function = "sum" if pooling is Pooling.TOTAL else "avg"
        judged = bracketed(f"{value}\nand {matching}{bracketed(weight)}")
        return f"{function} {pods} {judged}\nand {matching}{enough}"
    squared = pooling is Pooling.ROOT_MEAN_SQUARE
    number = f"{value} ^ 2" if squared else value
    many = f"{matching}group_left () " if matching else ""  # equal labels need no side of many
    weighed = bracketed(f"{number}\n* {many}{bracketed(weight)}")
    mean = f"sum {pods} {weighed}\n/ {many}{enough}"
    return f"sqrt{bracketed(mean)}" if squared else mean


def _value(found: Terms) -> str:
    """The number, in one pod."""
    if found.deviation is None:
        return str(found.value)
    matching = _ignoring(found.value.names, found.deviation.names)
    spread = bracketed(f"{found.deviation}\n/ (abs({found.mean}) > 0)")
    return f"{found.value}\n* {matching}group_left () {spread}"


def _judged_weight(found: Terms, reading: Reading, scale: TimeScale) -> str:
    """The samples of pods that can judge."""
    least = number_text(reading.least_covered)
    stale = scale.age(STALE_EVALUATION_SECONDS).seconds
    guards = [
        (found.covered, f"{found.covered} >= {least}"),
        (found.fresh, f"{found.fresh} > time() - {stale}"),
    ]
    guards += [(each, f"{each} == 1") for each in (found.settled, found.given) if each is not None]
    lines = [str(found.weight)]
    lines += [f"and {_ignoring(found.weight.names, guard.names)}{text}" for guard, text in guards]
    return "\n".join(lines)


def _coverage(found: Terms, reading: Reading) -> str | None:
    """That enough outcomes are known, each pod by its predictions."""
    if found.known is None or found.predicted is None or reading.coverage is None:
        return None
    pods, by_cohort = without(reading), "ignoring (cohort) "
    known = bracketed(f"{found.known}\n* {by_cohort}{found.predicted}")
    predicted = bracketed(f"{found.predicted}\nand {by_cohort}{found.known}")
    share = number_text(reading.coverage)
    return f"sum {pods} {known}\n/ {by_cohort}sum {pods} {predicted}\n>= {share}"


def _ignoring(left: Iterable[str], right: Iterable[str]) -> str:
    """Matching by the labels that both have, the user's own among them."""
    mine, theirs = tuple(left), tuple(right)
    either = [label for label in (*mine, *theirs) if (label in mine) != (label in theirs)]
    return f"ignoring ({', '.join(dict.fromkeys(either))}) " if either else ""


def holds(reading: Reading, limit: Limit, scale: TimeScale) -> str:
    """When the alert of one severity holds: each adjoining window by its newest judged value."""
    windows = [_window(reading, limit, scale, number) for number in range(reading.of)]
    beyond = [f"{window} {_comparison(reading, limit)}" for window in windows]
    if reading.least == reading.of:
        return "\nand ".join(beyond)
    each = "\nor ".join(
        f'label_replace({text}, "nth", "{number}", "", "")' for number, text in enumerate(beyond)
    )
    # What is shown is the newest window's value.
    return f"{windows[0]}\nand count without (nth) {bracketed(each)} >= {reading.least}"


def _window(reading: Reading, limit: Limit, scale: TimeScale, number: int) -> str:
    gap = scale.range(reading.gap_seconds)
    offset = f" offset {scale.duration(number * reading.entry.when.window)}" if number else ""
    series = f"{recorded_name(reading)}{label_text({'model': reading.entry.when.model})}"
    text = f"last_over_time({series}[{gap}]{offset})"
    direction = reading.entry.when.direction
    if not (reading.word.shift and limit.above) or direction is Direction.UP:
        return text
    return f"-{text}" if direction is Direction.DOWN else f"abs({text})"


def _comparison(reading: Reading, limit: Limit) -> str:
    if reading.word.is_verdict:
        return ">= 0.5"
    return f"{'>' if limit.above else '<'} {number_text(limit.bound.number)}"
