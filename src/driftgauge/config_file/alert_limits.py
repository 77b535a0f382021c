"""Rules that the limits of an entry of `alerts` keep: one of them, in the metric's own unit, in order."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from driftgauge.config_alerts import Alert, Bound, Direction, Step, Unit
from driftgauge.config_file.alert_words import GIVES_UNIT
from driftgauge.config_file.fault import Fault, KeyPath, either
from driftgauge.config_file.scalars import bound_text
from driftgauge.metrics.words import Scale, Word

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


def limit_faults(path: KeyPath, entry: Alert, word: Word) -> Iterator[Fault]:
    """All rules that the limits of the entry at *path* break."""
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
        if word.text == GIVES_UNIT and bound.unit is Unit.PLAIN:
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
