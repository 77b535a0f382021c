"""promtool's tests of each compiled alert: fires, doesn't just below, resolves, and what keeps it silent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from driftgauge.artefacts.alerts.compiling import alert
from driftgauge.artefacts.alerts.feeding import (
    JOB,
    PODS,
    SAY_SO,
    Fed,
    Run,
    inputs,
    recorded_labels,
    step_seconds,
)
from driftgauge.artefacts.alerts.reading import Limit, Reading, readings
from driftgauge.artefacts.alerts.wording import LINKS, filled
from driftgauge.artefacts.rules import Duration, RuleFile, TimeScale
from driftgauge.artefacts.rules.promtool import AlertCase, Case, Expected, TestFile, expected, group_order
from driftgauge.artefacts.rules.shipped.entry import Links
from driftgauge.artefacts.thresholds import STALE_EVALUATION_SECONDS
from driftgauge.config import Config
from driftgauge.metrics.words import THROUGHPUT

_SCALE: Final = TimeScale()
# How far from a limit, of its size; uneven, so that no value is rounded either way.
_BEYOND, _INSIDE = 0.053, 0.0113


def test_files(
    config: Config,
    rules: RuleFile,
    rules_name: str,
    links: Links = LINKS,  # noqa: PT028 - not a test, though it is called so
) -> Mapping[str, TestFile]:
    """Tests of every alert of `compiled(config)`, by the step that they take: ``2h`` for windows of a day.

    Args:
        rules_name: the rule file's, relative to the tests.
        links: where the annotations of the rules point.
    """
    by_step: dict[int, list[Case]] = {}
    for reading in readings(config):
        by_step.setdefault(step_seconds(reading), []).extend(_cases(reading, links))
    return {
        str(_seconds(step)): TestFile(
            rule_files=(rules_name,),
            evaluation_interval=_seconds(step),
            cases=tuple(cases),
            group_order=group_order(rules),
            head="Made by `driftgauge rules` with the rules that it tests.",
        )
        for step, cases in sorted(by_step.items())
    }


test_files.__test__ = False  # type: ignore[attr-defined]


def _seconds(seconds: float) -> Duration:
    return Duration(round(seconds * 1000))


def _cases(reading: Reading, links: Links) -> Iterator[Case]:
    for limit in reading.limits:
        yield from _Story(reading, limit, links).cases()


@dataclass(frozen=True, slots=True)
class _Story:
    """The cases of one severity."""

    reading: Reading
    limit: Limit
    links: Links

    def cases(self) -> Iterator[Case]:
        yield self._fires_and_resolves()
        yield self._just_below()
        yield self._data_end()
        if self.reading.least > 1 and not self.reading.word.of_traffic:
            yield self._one_window_short()
        enough = self._fed
        if self.reading.word.of_traffic:
            return
        yield self._silent("too few records", replace(enough, records=enough.records - 1))
        yield self._silent("too little of the window", replace(enough, covered=_below(self._least_covered)))
        yield self._silent("an old evaluation", replace(enough, behind=round(STALE_EVALUATION_SECONDS) + 1))
        if self.reading.coverage is not None:
            name = "enough outcomes" if self.reading.estimate else "too few outcomes known"
            known = self.reading.coverage if self.reading.estimate else _below(self.reading.coverage)
            yield self._silent(name, replace(enough, known=min(1.0, known)))

    # --- values and times, in steps ------------------------------------------------------------------

    @property
    def _bound(self) -> float:
        return self.limit.bound.number

    @property
    def _beyond(self) -> float:
        """A value beyond this limit, and not beyond a severer one."""
        if self.reading.word.is_verdict:
            return 1.0
        others = [o.bound.number for o in self.reading.limits if self._is_severer(o)]
        far = others[0] if others else None
        if far is not None:
            return (self._bound + far) / 2
        return self._bound + self._way * _margin(self._bound, _BEYOND)

    @property
    def _inside(self) -> float:
        """A value that the limit just lets pass."""
        if self.reading.word.is_verdict:
            return 0.0
        return self._bound - self._way * _margin(self._bound, _INSIDE)

    @property
    def _way(self) -> int:
        return 1 if self.limit.above else -1

    def _is_severer(self, other: Limit) -> bool:
        return (other.bound.number - self._bound) * self._way > 0

    @property
    def _fed(self) -> Fed:
        """Just enough of everything."""
        known = 1.0
        if self.reading.coverage is not None:
            share = self.reading.coverage
            known = _below(share) if self.reading.estimate else min(1.0, share + 0.01)
        return Fed(self.reading.least_records, min(1.0, self._least_covered + 0.01), known)

    @property
    def _least_covered(self) -> float:
        return self.reading.least_covered

    @property
    def _step(self) -> int:
        return step_seconds(self.reading)

    def _steps(self, seconds: float) -> int:
        return math.ceil(seconds / self._step)

    @property
    def _windows_before(self) -> int:
        """Steps of the windows that must be beyond the limit before the newest one."""
        return self._steps((self.reading.least - 1) * self.reading.entry.when.window)

    @property
    def _fires_at(self) -> int:
        return self._windows_before + self._steps(self.reading.entry.for_) + self._warms_up

    @property
    def _warms_up(self) -> int:
        """Steps until a rate has two samples, or a whole window of them."""
        if self.reading.word.text == THROUGHPUT:
            return self._steps(self.reading.entry.when.window) + 1
        return 2 if self.reading.word.of_traffic else 0

    @property
    def _lingers(self) -> int:
        """Steps for which it goes on after it last held."""
        window = self.reading.entry.when.window if self.reading.word.of_traffic else 0
        return self._steps(self.reading.entry.keep_firing_for) + self._steps(window) + 2

    # --- cases ---------------------------------------------------------------------------------------

    def _fires_and_resolves(self) -> Case:
        bad = self._fires_at + 2
        spare = self.reading.of - self.reading.least
        good = self._steps(spare * self.reading.entry.when.window) + self._lingers + 1
        checks = [self._check(self._fires_at, "fires", self._beyond)]
        if self._windows_before:
            checks.insert(0, self._check(self._windows_before - 1, "a window short"))
        checks.append(self._check(bad + good, "resolved", self._inside))
        return self._case("fires and resolves", [Run(self._beyond, bad), Run(self._inside, good + 1)], checks)

    def _just_below(self) -> Case:
        checks = [self._check(self._fires_at + more, "just below", self._inside) for more in (0, 3)]
        return self._case("just below", [Run(self._inside, self._fires_at + 4)], checks)

    def _data_end(self) -> Case:
        gone = self._fires_at + 2 + self._steps(self.reading.gap_seconds) + self._lingers
        checks = [self._check(self._fires_at, "fires", self._beyond), self._check(gone, "no data")]
        return self._case("data end", [Run(self._beyond, self._fires_at + 2)], checks)

    def _one_window_short(self) -> Case:
        """Beyond the limit for all windows but one, then inside."""
        runs = [Run(self._beyond, self._windows_before), Run(self._inside, self._fires_at + 2)]
        later = self._windows_before + self._steps(self.reading.entry.for_) + 1
        checks = [
            self._check(self._windows_before, "a window short"),
            self._check(later, "a window short", self._inside),
        ]
        return self._case("one window short", runs, checks)

    def _silent(self, name: str, fed: Fed) -> Case:
        checks = [self._check(self._fires_at + more, name) for more in (0, 3)]
        return self._case(name, [Run(self._beyond, self._fires_at + 4)], checks, fed)

    def _case(self, name: str, runs: list[Run], checks: list[AlertCase], fed: Fed | None = None) -> Case:
        entry = self.reading.entry
        basis = ", estimated" if self.reading.estimate else ""
        return Case(
            name=f"{entry.alert} of {entry.when.model} ({self.limit.severity}{basis}): {name}",
            interval=_seconds(self._step),
            inputs=tuple(inputs(self.reading, runs, fed or self._fed)),
            alerts=tuple(checks),
        )

    def _check(self, at: int, comment: str, value: float | None = None) -> AlertCase:
        """What fires then where the newest window has *value*; nothing without one."""
        firing = () if value is None else tuple(self._firing(value))
        return AlertCase(_seconds(at * self._step), self.reading.entry.alert, firing, comment)

    def _firing(self, value: float) -> Iterator[Expected]:
        """Every severity whose limit *value* is beyond: a severer one's milder twin too."""
        labels = {**JOB, **recorded_labels(self.reading)}
        shown = SAY_SO / len(PODS) if self.reading.word.is_verdict else value
        for limit in self.reading.limits:
            if (value - limit.bound.number) * self._way > 0:
                rule = alert(self.reading, limit, _SCALE, self.links)
                texts = {name: filled(text, labels, shown) for name, text in rule.annotations.items()}
                yield expected(rule, labels, texts)


def _margin(bound: float, share: float) -> float:
    return abs(bound) * share or share


def _below(share: float) -> float:
    return max(0.0, share - 0.01)
