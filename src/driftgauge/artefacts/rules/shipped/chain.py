"""The chain that makes counters of pods those of a fleet: steps without pods, hours, windows.

A step's increase is that from the last sample before the step to the last in it, so that steps lie end to
end and nothing is extrapolated, which `increase` would do. A counter that began anew gives what it has counted
since; one that was never seen before, what it counted after its first sample.

Windows of up to a day are sums of steps. Longer ones are sums of hours, each recorded once: a week is 168
samples a series, where steps, or a subquery over hours, would be ten times the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from driftgauge.artefacts.rules.durations import ChainWindow, Duration, TimeScale
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Group, Recording

# How far back the sample before a step may lie: scrapes that fail for so long lose nothing.
LOOK_BACK_STEPS: Final = 3
# A scrape that is under way has its sample's time already, and no sample yet: a step ends that long ago.
LAG_SECONDS: Final = 30.0
_VERSION: Final = ("model", "model_version")


@dataclass(frozen=True, slots=True)
class Chained:
    """A counter that is summed over pods.

    Attributes:
        level: the first part of the recorded names.
        metric: without ``_total``.
        labels: of the metric.
        suffix: of the counter's name.
        formula: what a pod adds in a step, with counters in braces for their own increases; empty for the
            increase of the counter itself.
    """

    level: str
    metric: str
    labels: tuple[str, ...] = _VERSION
    suffix: str = "_total"
    formula: str = ""

    @property
    def counter(self) -> str:
        """The name of the exported counter."""
        return self.metric + self.suffix

    def name(self, operations: str) -> str:
        """``level:metric:operations``."""
        return f"{self.level}:{self.metric}:{operations}"

    @property
    def what(self) -> str:
        """In words for docs/rules.md."""
        if self.formula:
            return f"What `{self.metric}` would have grown by, were it exported,"
        return f"Increase of `{self.counter}`"

    @property
    def window(self) -> str:
        """The recorded sums over windows; a sample each step."""
        return self.name("window")


def _of(level: str, *names: str, labels: tuple[str, ...] = ()) -> tuple[Chained, ...]:
    return tuple(Chained(level, f"driftgauge_{name}", (*_VERSION, *labels)) for name in names)


FEATURE_BINS: Final = _of("feature_bin", "feature_bin_records", labels=("feature", "reference", "bin"))[0]
OUTPUT_BINS: Final = _of("output_bin", "prediction_bin_records", labels=("output", "reference", "bin"))[0]
FEATURE_VALUES, FEATURE_SUMS, FEATURE_SQUARES = _of(
    "feature",
    "feature_values",
    "feature_above_floor_sum",
    "feature_deviation_squares",
    labels=("feature", "reference"),
)
SCORES, SCORES_BELOW = _of(
    "score_bin", "score_outcomes", "score_outcomes_below", labels=("class", "outcome", "bin")
)
CLASSES: Final = _of("class", "class_outcomes", "class_predictions", "class_right", labels=("class",))
ERRORS, ABSOLUTE, SQUARED, OVER, UNDER = _of(
    "version", "error_outcomes", "error_absolute", "error_squared", "error_over", "error_under"
)
# Each pod takes its outcomes about a centre of its own, the first that it saw: only about 0 do they add up.
OUTCOME_SUM: Final = Chained(
    "version",
    "driftgauge_outcome_sum",
    formula="{outcome_over} - {outcome_under} + {error_outcomes} * {centre}",
)
OUTCOME_SQUARES: Final = Chained(
    "version",
    "driftgauge_outcome_squares_about_zero",
    formula="{outcome_squares} + 2 * {centre} * ({outcome_over} - {outcome_under})\n"
    "  + {error_outcomes} * {centre} ^ 2",
)
PREDICTIONS, FAILED, OUTCOMES, JOINED = _of(
    "version", "predictions", "prediction_errors", "outcomes", "outcomes_joined"
)
ORPHANED: Final = Chained("model", "driftgauge_outcomes_orphaned", ("model",))
VIOLATIONS: Final = _of("version", "schema_violations", labels=("violation",))[0]
LATENCY_BUCKETS: Final = Chained(
    "latency_bucket", "driftgauge_prediction_latency_seconds_bucket", (*_VERSION, "le"), suffix=""
)
LATENCY_COUNT: Final = Chained("version", "driftgauge_prediction_latency_seconds_count", suffix="")

BY_GROUP: Final = {
    "inputs": (FEATURE_BINS, OUTPUT_BINS, FEATURE_VALUES, FEATURE_SUMS, FEATURE_SQUARES),
    "outcomes": (
        SCORES,
        SCORES_BELOW,
        *CLASSES,
        *(ERRORS, ABSOLUTE, SQUARED, OVER, UNDER),
        *(OUTCOME_SUM, OUTCOME_SQUARES),
    ),
    "traffic": (PREDICTIONS, FAILED, OUTCOMES, JOINED, ORPHANED, VIOLATIONS, LATENCY_BUCKETS, LATENCY_COUNT),
}


def chain_groups(scale: TimeScale, windows: Sequence[ChainWindow]) -> Iterator[Group]:
    """A group for each theme, evaluated once a step."""
    for name, chained in BY_GROUP.items():
        rules = tuple(rule for each in chained for rule in chain_rules(each, scale, windows))
        yield Group(f"driftgauge-chain-{name}", rules, scale.step)


def chain_rules(each: Chained, scale: TimeScale, windows: Sequence[ChainWindow]) -> Iterator[Recording]:
    """Steps and windows of one counter, and hours where a window is made of them."""
    steps, hours = each.name("increase5m"), each.name("increase1h")
    yield Recording(
        steps,
        _step(each, scale),
        meaning=f"{each.what} in the last step of the chain, over all pods.",
        remaining=each.labels,
    )
    if any(window.of_hours for window in windows):
        hour = _range(scale.hour, scale)
        yield Recording(
            hours,
            # Not by the clock: an evaluation that is skipped at the full hour is made up for by the next one.
            f"sum_over_time({steps}[{hour}])\nunless last_over_time({hours}[{hour}])",
            meaning="The same in the last hour: the sum of its steps. A sample an hour, as soon as the one before is "
            "an hour old.",
            remaining=each.labels,
        )
    for window in windows:
        parts = hours if window.of_hours else steps
        yield Recording(
            each.window,
            f"sum_over_time({parts}[{_range(scale.hour * window.hours, scale)}])",
            {"window": window.name},
            meaning="The same in a window: the sum of its steps, of its hours where it is longer than a day. A sample "
            "each step: read it as `last_over_time(..[10m])`.",
            remaining=(*each.labels, "window"),
        )


def _range(length: Duration, scale: TimeScale) -> Duration:
    """A range that holds each step of *length* once, whichever of its ends belongs to it."""
    return length - scale.step * 0.5


def _step(each: Chained, scale: TimeScale) -> str:
    step, lag = scale.step, scale.duration(LAG_SECONDS, scrapes=1)
    if not each.formula:
        return f"sum {WITHOUT_PODS} (\n{_of_pods(each.counter, step, lag, indent='  ')}\n)"
    named = {
        name: f"({_of_pods(f'driftgauge_{name}_total', step, lag)})"
        for name in ("outcome_over", "outcome_under", "outcome_squares", "error_outcomes")
    }
    # Of a pod that has just died too, or its counts would stay without their sums.
    named["centre"] = f"last_over_time(driftgauge_outcome_centre[{step}] offset {lag})"
    return f"sum {WITHOUT_PODS} (\n  {each.formula.format_map(named)}\n)"


def _of_pods(counter: str, step: Duration, lag: Duration, indent: str = "") -> str:
    """The increase of each pod's counter between the last samples of two steps.

    Each reading of a range costs as much as three operations on what it gives, so none is asked for twice
    where it can be had from the others.
    """
    now, before = (
        f"{counter}[{step}] offset {lag}",
        f"{counter}[{step * LOOK_BACK_STEPS}] offset {step + lag}",
    )
    last, least, most = (f"{name}_over_time({now})" for name in ("last", "min", "max"))
    known = f"last_over_time({before})"
    lines = (
        f"{last} - (",
        # Began anew within the step: less what it had counted by then, where that can still be told.
        f"  clamp_max({known} - ({most} > {last}), 0)",
        # Went on from what was known; seen for the first time: since when it has counted nobody knows.
        f"  or ({known} or {least}) <= {least}",
        # Began anew, from 0.
        f"  or {least} * 0",
        ")",
    )
    return f"\n{indent}".join(lines).join((indent, "")) if indent else " ".join(map(str.strip, lines))
