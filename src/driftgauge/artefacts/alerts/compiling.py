"""`alerts` of a configuration as a rule file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from driftgauge.artefacts.alerts.promql import holds, recorded, recorded_name
from driftgauge.artefacts.alerts.reading import Limit, Reading, readings
from driftgauge.artefacts.alerts.wording import LINKS, sentence, texts
from driftgauge.artefacts.rules import Alert, Group, Recording, RuleFile, Severity, TimeScale
from driftgauge.artefacts.rules.shipped.entry import Links
from driftgauge.config import Config
from driftgauge.units import MINUTE

_HEAD: Final = """\
Made by `driftgauge rules` from the `alerts` of a configuration: change them there. docs/alerts.md says
what is compiled and why. Each alert stands on a value that is recorded before it, of all pods together,
where the window can be judged. Prometheus 2.42 or newer loads this file.
"""


def compiled(config: Config, scale: TimeScale | None = None, links: Links = LINKS) -> RuleFile:
    """The rules of every entry, a group a model; of a configuration without faults.

    Args:
        scale: real time where None.
        links: where annotations point.

    Raises:
        ValueError: an entry's metric can't be said, which `config_file.faults` tells before.
    """
    scale = scale or TimeScale()
    by_model: dict[str, list[Reading]] = {}
    for reading in readings(config):
        by_model.setdefault(reading.entry.when.model, []).append(reading)
    groups = tuple(
        Group(
            name=f"driftgauge-alerts-{model}",
            rules=tuple(rule for reading in found for rule in rules(reading, scale, links)),
            interval=scale.interval(MINUTE),
        )
        for model, found in by_model.items()
    )
    return RuleFile(groups, _HEAD)


def rules(reading: Reading, scale: TimeScale, links: Links) -> Iterator[Recording | Alert]:
    """What is recorded of one entry, then an alert a severity."""
    yield Recording(
        record=recorded_name(reading),
        expr=recorded(reading, scale) + "\n",
        labels={"window": reading.window} if reading.word.of_traffic else {},
        remaining=reading.labels,
        comment=_comment(reading),
    )
    for limit in reading.limits:
        yield alert(reading, limit, scale, links)


def _comment(reading: Reading) -> str:
    return "\n".join(sentence(reading, limit) for limit in reading.limits)


def alert(reading: Reading, limit: Limit, scale: TimeScale, links: Links = LINKS) -> Alert:
    """The alerting rule of one severity."""
    entry = reading.entry
    return Alert(
        name=entry.alert,
        expr=holds(reading, limit, scale) + "\n",
        hold=scale.duration(entry.for_),
        severity=Severity(limit.severity),
        annotations=texts(reading, limit, links),
        labels=_labels(reading),
        keep_firing=scale.duration(entry.keep_firing_for) if entry.keep_firing_for else None,
    )


def _labels(reading: Reading) -> Mapping[str, str]:
    entry = reading.entry
    owned = {
        "owner": entry.owner or reading.model.owner or "",
        "team": entry.team or reading.model.team or "",
        "basis": "estimate" if reading.estimate else "",
    }
    return {**{name: text for name, text in owned.items() if text}, **entry.labels}
