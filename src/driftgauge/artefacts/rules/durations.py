"""Every duration of a rule: printed as Prometheus reads it, divided by the time scale in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from driftgauge.config import DAY, HOUR, MINUTE

_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))

STEP_SECONDS: Final = 5 * MINUTE
LONGEST_OF_STEPS_SECONDS: Final = DAY
CHAIN_SCRAPES: Final = 2
RANGE_SCRAPES: Final = 4


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole milliseconds, the finest that Prometheus knows; at least 0.

    Raises:
        ValueError: negative.
    """

    milliseconds: int

    def __post_init__(self) -> None:
        if self.milliseconds < 0:
            raise ValueError(f"expected a duration of at least 0 ms, got {self.milliseconds}")

    def __str__(self) -> str:
        """As in a rule: ``5m``, ``57m30s``, ``1d``, ``240ms``, ``0s``."""
        rest, parts = self.milliseconds, []
        for size, unit in _UNITS:
            count, rest = divmod(rest, size)
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts) or "0s"

    @property
    def seconds(self) -> str:
        """As a number of seconds, for a comparison with ``time()``: ``300``, ``0.24``."""
        return f"{self.milliseconds / 1000:.3f}".rstrip("0").rstrip(".")

    def __sub__(self, other: Duration) -> Duration:
        return Duration(self.milliseconds - other.milliseconds)

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.milliseconds + other.milliseconds)

    def __mul__(self, factor: float) -> Duration:
        return Duration(round(self.milliseconds * factor))


@dataclass(frozen=True, slots=True)
class ChainWindow:
    """A window of the chained rules.

    Attributes:
        name: the value of the label ``window``, which no time scale changes: ``7d``.
        hours: how many of the chain's hours it is long.
        of_hours: whether it is summed from hours, not from steps; under no time scale otherwise than in
            production.
    """

    name: str
    hours: int
    of_hours: bool


@dataclass(frozen=True, slots=True)
class TimeScale:
    """How wall time runs for rules: 1 in production, more in a demo or a test.

    A duration is divided by *factor*. What needs scrapes within it (a range, a group's interval, an
    age) is never shorter than a number of them, so that a scale of 30,000 still counts something.

    Attributes:
        factor: at least 1; 1440 makes a day pass in a minute.
        scrape_seconds: how often Prometheus scrapes; it matters where *factor* is above 1.

    Raises:
        ValueError: a factor below 1, or a scrape interval that isn't above 0.
    """

    factor: float = 1.0
    scrape_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not self.factor >= 1:
            raise ValueError(f"expected a time_scale of at least 1, got {self.factor}")
        if not self.scrape_seconds > 0:
            raise ValueError(f"expected a scrape interval above 0 s, got {self.scrape_seconds}")

    def duration(self, seconds: float, *, scrapes: float = 0) -> Duration:
        """*seconds* as they pass under the scale, at least so many *scrapes*.

        For what needs none: ``for``, ``keep_firing_for``, ``offset``.
        """
        floor = self.scrape_seconds * scrapes if self.factor > 1 else 0.0
        return Duration(round(max(seconds / self.factor, floor) * 1000))

    def interval(self, seconds: float) -> Duration:
        """A group's evaluation interval: at least a scrape."""
        return self.duration(seconds, scrapes=1)

    def range(self, seconds: float) -> Duration:
        """A range selector's length: at least four scrapes, so that `rate` always has two samples."""
        return self.duration(seconds, scrapes=RANGE_SCRAPES)

    def age(self, seconds: float) -> Duration:
        """A length that an age is compared with: at least four scrapes, so that nothing fresh is old."""
        return self.duration(seconds, scrapes=RANGE_SCRAPES)

    # --- the chain of recording rules -----------------------------------------------------------

    @property
    def step(self) -> Duration:
        """The chain's step: 5 minutes, at least two scrapes."""
        return self.duration(STEP_SECONDS, scrapes=CHAIN_SCRAPES)

    @property
    def hour(self) -> Duration:
        """The chain's hour, a whole number of steps."""
        steps = max(1, round(HOUR / self.factor * 1000 / self.step.milliseconds))
        return self.step * steps

    def chain_window(self, seconds: float) -> ChainWindow:
        """A window of *seconds* as a whole number of the chain's hours, at least one."""
        hours = max(1, round(seconds / self.factor * 1000 / self.hour.milliseconds))
        return ChainWindow(str(Duration(round(seconds * 1000))), hours, seconds > LONGEST_OF_STEPS_SECONDS)

    def chain_windows(self, seconds: Sequence[float] = (HOUR, DAY, 7 * DAY)) -> tuple[ChainWindow, ...]:
        """Each of *seconds* as `chain_window` gives it."""
        return tuple(map(self.chain_window, seconds))
