"""promtool's tests of each compiled alert: fires, doesn't just below, resolves, and what must keep it silent.

Three pods have the records between them, so that no pod has enough by itself. The evaluation interval
is a part of the window: a week is tested in some eighty steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from driftgauge.artefacts.alerts.compiling import alert
from driftgauge.artefacts.alerts.promql import Selector, Terms, is_relative, terms
from driftgauge.artefacts.alerts.reading import Limit, Reading, readings
from driftgauge.artefacts.alerts.traffic import traffic_labels
from driftgauge.artefacts.alerts.traffic_testing import PODS, Run, traffic_inputs
from driftgauge.artefacts.alerts.wording import filled
from driftgauge.artefacts.rules import Duration, RuleFile, TimeScale
from driftgauge.artefacts.rules.promtool import (
    AlertCase,
    Case,
    Expected,
    Input,
    TestFile,
    expected,
    group_order,
    label_text,
)
from driftgauge.artefacts.thresholds import STALE_EVALUATION_SECONDS
from driftgauge.config import Config
from driftgauge.config_alerts import Direction
from driftgauge.metrics import PREFIX
from driftgauge.metrics.words import THROUGHPUT, Pooling
from driftgauge.units import MINUTE

_JOB: Final = {"job": "driftgauge"}
_SCALE: Final = TimeScale()
# Of the reference of a relative shift: mean 10, deviation 2, so that a shift of 1 sd is one of 20%.
_MEAN, _DEVIATION = 10.0, 2.0
# How far from a limit, of its size; uneven, so that no value is rounded either way.
_BEYOND, _INSIDE = 0.053, 0.0113
# Pods of the three that say a verdict holds; one fewer where it doesn't.
_SAY_SO: Final = 2
# What stands in a label that the entry leaves open.
_OPEN: Final = {
    "model_version": "1",
    "segment_value": "one",
    "against_version": "0",
    "state": "given",
    "reference": "r",
}


@dataclass(frozen=True, slots=True)
class Fed:
    """What the pods export in one case, besides the number itself.

    Attributes:
        records: of all pods together; *covered*, *known*: as shares.
        behind: by how many seconds the evaluation lags.
    """

    records: int
    covered: float = 1.0
    known: float = 1.0
    behind: int = 0


def test_files(config: Config, rules: RuleFile, rules_name: str) -> Mapping[str, TestFile]:
    """Tests of every alert of `compiled(config)`, by the step that they take: ``2h`` for windows of a day.

    Args:
        rules_name: the rule file's, relative to the tests.
    """
    by_step: dict[int, list[Case]] = {}
    for reading in readings(config):
        by_step.setdefault(_step(reading), []).extend(_cases(reading))
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


def _step(reading: Reading) -> int:
    """Seconds of whole minutes: several to a window, and to the oldest value that still counts."""
    finest = min(reading.gap_seconds / 4, reading.entry.when.window / 12)
    return int(max(1, finest // MINUTE) * MINUTE)


def _cases(reading: Reading) -> Iterator[Case]:
    for limit in reading.limits:
        yield from _Story(reading, limit).cases()


@dataclass(frozen=True, slots=True)
class _Story:
    """The cases of one severity."""

    reading: Reading
    limit: Limit

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
        return self.reading.entry.require.covered

    @property
    def _step(self) -> int:
        return _step(self.reading)

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
            inputs=tuple(_inputs(self.reading, runs, fed or self._fed)),
            alerts=tuple(checks),
        )

    def _check(self, at: int, comment: str, value: float | None = None) -> AlertCase:
        """What fires then where the newest window has *value*; nothing without one."""
        firing = () if value is None else tuple(self._firing(value))
        return AlertCase(_seconds(at * self._step), self.reading.entry.alert, firing, comment)

    def _firing(self, value: float) -> Iterator[Expected]:
        """Every severity whose limit *value* is beyond: a severer one's milder twin too."""
        labels = {**_JOB, **_labels_of(self.reading)}
        shown = _SAY_SO / len(PODS) if self.reading.word.is_verdict else value
        for limit in self.reading.limits:
            if (value - limit.bound.number) * self._way > 0:
                rule = alert(self.reading, limit, _SCALE)
                texts = {name: filled(text, labels, shown) for name, text in rule.annotations.items()}
                yield expected(rule, labels, texts)


def _margin(bound: float, share: float) -> float:
    return abs(bound) * share or share


def _below(share: float) -> float:
    return max(0.0, share - 0.01)


def _labels_of(reading: Reading) -> dict[str, str]:
    """The labels of what is recorded, where the entry leaves them open too."""
    given = {**traffic_labels(reading), "window": reading.window}
    if not reading.word.of_traffic:
        given = dict(terms(reading).value.labels)
    return {name: text for name in reading.labels if (text := given.get(name, _opened(name, reading)))}


def _opened(name: str, reading: Reading) -> str:
    if name == "segment_value":
        return _OPEN[name] if reading.entry.when.segment else ""
    return _OPEN.get(name, "")


def _inputs(reading: Reading, runs: Iterable[Run], fed: Fed) -> Iterator[Input]:
    listed = list(runs)
    if reading.word.of_traffic:
        yield from traffic_inputs(reading, listed, _step(reading))
        return
    found = terms(reading)
    seen: set[str] = set()
    for each in (*_numbers(reading, found, listed), *_guards(reading, found, listed, fed)):
        if each.series not in seen:  # predictions may be the weight of two things
            seen.add(each.series)
            yield each


def _numbers(reading: Reading, found: Terms, runs: list[Run]) -> Iterator[Input]:
    share = 1 / len(PODS) if reading.word.pooling is Pooling.TOTAL else 1.0
    sign = -1 if reading.entry.when.direction is Direction.DOWN else 1
    relative = _MEAN / _DEVIATION if is_relative(reading) else 1.0
    texts = [_run(None if r.value is None else r.value * share * sign * relative, r.steps) for r in runs]
    if reading.word.is_verdict:
        for number, pod in enumerate(PODS):
            says = [
                (None if r.value is None else float(number < _SAY_SO - (not r.value)), r.steps) for r in runs
            ]
            yield _series(found.value, reading, pod, " ".join(_run(*each) for each in says))
        return
    for pod in PODS:
        yield _series(found.value, reading, pod, " ".join(texts))


def _says(pod: int, run: Run) -> float | None:
    if run.value is None:
        return None
    return float(pod < (_SAY_SO if run.value else _SAY_SO - 1))


def _guards(reading: Reading, found: Terms, runs: list[Run], fed: Fed) -> Iterator[Input]:
    steps = sum(run.steps for run in runs)
    each, rest = divmod(fed.records, len(PODS))
    step = _step(reading)
    for pod in PODS:
        records = each + (rest if pod == PODS[0] else 0)
        yield _series(found.weight, reading, pod, _run(records, steps))
        yield _series(found.covered, reading, pod, _run(fed.covered, steps))
        yield _series(found.fresh, reading, pod, f"{-fed.behind}+{step}x{steps - 1}")
        for selector, value in (
            (found.settled, 1.0),
            (found.given, 1.0),
            (found.deviation, _DEVIATION),
            (found.mean, -_MEAN),
            (found.known, fed.known),
            (found.predicted, 1000.0),
        ):
            if selector is not None:
                yield _series(selector, reading, pod, _run(value, steps))


def _run(value: float | None, steps: int) -> str:
    """Promtool's notation of *steps* samples of one value."""
    return f"_x{steps}" if value is None else f"{value:.12g}x{steps - 1}"


def _series(selector: Selector, reading: Reading, pod: str, values: str) -> Input:
    labels = {name: selector.labels.get(name, _opened(name, reading)) for name in selector.names}
    every = {**_JOB, "pod": f"churn-{pod}", "instance": pod, **{n: t for n, t in labels.items() if t}}
    return Input(f"{PREFIX}{selector.name}{label_text(every)}", values)
