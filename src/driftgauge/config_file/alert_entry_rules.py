"""Rules that an entry of `alerts` keeps by itself: its name, its times, its texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from driftgauge.config_alerts import Alert
from driftgauge.config_file.fault import Fault, KeyPath, shown
from driftgauge.config_file.scalars import duration_text
from driftgauge.units import DAY, HOUR

MOST_WINDOWS: Final = 30
LONGEST_FOR: Final = HOUR
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
_LABEL: Final = re.compile(r"[a-z_][a-z0-9_]*\Z")
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


def entry_faults(path: KeyPath, entry: Alert) -> Iterator[Fault]:
    """All rules that the entry at *path* breaks, whatever model it is of."""
    yield from _hold_faults(path, entry)
    yield from _text_faults(path, entry)
    yield from _require_faults(path, entry)


def name_faults(
    path: KeyPath, entry: Alert, taken: dict[tuple[str, str], int], index: int
) -> Iterator[Fault]:
    """Whether the name is one, and its own among those that are *taken* by entries before."""
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
    if entry.require.covered is not None and entry.require.covered <= 0:
        yield Fault((*below, "covered"), "a ratio above 0", "0")
