"""What a user wants to be told of: the section `alerts` of the configuration.

Each entry is one sentence, compiled by `driftgauge rules`. A field that is a word of Python ends in
an underscore, which its key in the file doesn't have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from driftgauge.units import DAY, MINUTE, Ratio, Seconds, described

LEAST_RECORDS = 200


class Against(StrEnum):
    """What a window's records are compared with."""

    REFERENCE = "reference"
    PREVIOUS_WINDOW = "previous_window"
    SAME_HOURS_LAST_WEEK = "same_hours_last_week"

    def suits(self, window_seconds: float) -> bool:
        """Whether a window is compared with it: one of a week would overlap its own hours last week."""
        return self is not Against.SAME_HOURS_LAST_WEEK or window_seconds < 7 * DAY


class Unit(StrEnum):
    """What a limit counts in."""

    PLAIN = ""
    PERCENT = "%"
    DEVIATIONS = "sd"
    SECONDS = "s"


class Bound(NamedTuple):
    """A limit as a user writes it: ``70%``, ``0.25``, ``0.5 sd``, ``250ms``.

    Attributes:
        number: 0.7, 0.25, 0.5, 0.25: percentages as a share, durations in seconds.
    """

    number: float
    unit: Unit = Unit.PLAIN


class OfWindows(NamedTuple):
    """``2 of 3``: how many of the newest windows must be beyond the limit."""

    least: int
    of: int


class Severity(StrEnum):
    """How urgent an alert is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertCohort(StrEnum):
    """By which time outcomes are chosen."""

    ARRIVED = "arrived"
    MATURED = "matured"


class Versions(StrEnum):
    """How the versions of a model are judged."""

    EACH = "each"
    TOGETHER = "together"


class Direction(StrEnum):
    """Which way a shift counts."""

    EITHER = "either"
    UP = "up"
    DOWN = "down"


class Output(StrEnum):
    """What a model answers."""

    SCORE = "score"
    PREDICTION = "prediction"


@dataclass(frozen=True, slots=True)
class When:
    """Which number, of what, in which window, beyond which limit."""

    model: str = described("a model under `models`")
    metric: str = described(
        "a metric in words, as docs/alert-metrics.md lists them: psi, mean_shift, precision, mae"
    )
    window: Seconds = described("one of the model's windows")
    feature: str | None = described("a feature under the model's `features`", default=None)
    output: Output | None = described(
        "score or prediction, in place of a feature: what the model answers", default=None
    )
    class_: str | None = described(
        "a class (multiclass); without it the mean over classes, or the positive class", default=None
    )
    segment: str | None = described("a segment column: each of its values is judged by itself", default=None)
    segment_value: str | None = described("this value of the segment only", default=None)
    cohort: AlertCohort | None = described(
        "arrived (by the time the outcome came) or matured (by prediction, complete); matured where the "
        "model's `outcomes` give matures_after or at_horizon, else arrived",
        default=None,
    )
    against: Against = described(
        "what a shift is measured against: reference, previous_window or same_hours_last_week",
        default=Against.REFERENCE,
    )
    quantile: Ratio | None = described("latency: the quantile, such as 99%", default=None)
    above: Bound | None = described(
        "beyond it the alert holds: 10%, 0.25, 0.5 sd, 250ms; a shift counts either way", default=None
    )
    below: Bound | None = described("under it the alert holds", default=None)
    direction: Direction = described(
        "of a shift: either, up or down; `above` is then its size", default=Direction.EITHER
    )
    version: str | None = described("this version of the model only", default=None)
    versions: Versions = described(
        "each (a version's windows are its own) or together (for models that are replaced often)",
        default=Versions.EACH,
    )


@dataclass(frozen=True, slots=True)
class Require:
    """What each window must stand on before it counts."""

    samples: int = described("predictions in the window, where no outcome is needed", default=LEAST_RECORDS)
    outcomes: int = described("outcomes, where the number stands on them", default=LEAST_RECORDS)
    coverage: Ratio | None = described(
        "share of the predictions whose outcome is known, in the newest window whose outcomes are complete; "
        "50% for matured windows, not asked of others, when absent",
        default=None,
    )
    covered: Ratio | None = described(
        "how much of the window a pod must have to take part; "
        "100% where a feature or an output is compared, 80% of others, when absent",
        default=None,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """The limit of one severity."""

    above: Bound | None = described("as for when.above", default=None)
    below: Bound | None = described("as for when.below", default=None)


@dataclass(frozen=True, slots=True)
class EstimatedUntil:
    """Until when the estimate stands in for outcomes that haven't come."""

    coverage: Ratio | None = described(
        "share of known outcomes from which the estimate falls silent; require.coverage, or 50%, when absent",
        default=None,
    )


@dataclass(frozen=True, slots=True)
class Alert:
    """One sentence of what should be told."""

    alert: str = described("its name, CamelCase, once in the file")
    when: When = described("what is judged, and the limit")
    consecutive: int = described("how many adjoining windows in a row must be beyond the limit", default=1)
    windows: OfWindows | None = described(
        "`2 of 3`: how many of the newest adjoining windows must be", default=None
    )
    for_: Seconds = described(
        "how long it must hold before it fires, at most 1h", default=Seconds(10 * MINUTE)
    )
    keep_firing_for: Seconds = described(
        "how long it goes on after it last held, so that it doesn't flap", default=Seconds(15 * MINUTE)
    )
    max_gap: Seconds | None = described(
        "how old a window's last judged value may be, for nights without traffic; half the window, at most "
        "1d, when absent",
        default=None,
    )
    require: Require = described("what each window must stand on", default_factory=Require)
    severity: Severity | None = described("critical, warning or info; warning when absent", default=None)
    warning: Step | None = described("the limit of a warning, in place of when.above or below", default=None)
    critical: Step | None = described(
        "the limit of a critical alert of the same name, which silences the warning", default=None
    )
    estimated_until: EstimatedUntil | None = described(
        "warn on the estimate of the same number while too few outcomes are known; never critical",
        default=None,
    )
    owner: str | None = described("label `owner`; the model's when absent", default=None)
    team: str | None = described("label `team`; the model's when absent", default=None)
    labels: Mapping[str, str] = described("further labels of the alert", default_factory=dict)
    annotations: Mapping[str, str] = described(
        "further annotations, or others than those made: summary, description, runbook_url, dashboard_url",
        default_factory=dict,
    )
