"""A shipped alert whole: its rules, what its reader is told to do, and how it is tried."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote_plus

from driftgauge.artefacts.rules.durations import Duration, TimeScale
from driftgauge.artefacts.rules.promtool import AlertCase, Case, Expected, Input, label_text
from driftgauge.artefacts.rules.values import Alert, Severity
from driftgauge.config import MINUTE

_PLACE: Final = re.compile(r"\{\{.*?\}\}")
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+)( \| urlquery)? \}\}")


@dataclass(frozen=True, slots=True)
class Links:
    """Where annotations point.

    Attributes:
        runbooks: address of the page whose sections are named for the alerts.
        grafana: put before ``/d/<dashboard>``; empty where the reader is in Grafana already.
    """

    runbooks: str = "docs/runbooks.md"
    grafana: str = ""

    def runbook(self, alert: str) -> str:
        """The section of *alert*."""
        return f"{self.runbooks}#{alert.lower()}"

    def dashboard(self, board: Board) -> str:
        """*board* with its variables filled in from the alert's labels."""
        variables = "&".join(
            f"var-{variable}={{{{ $labels.{label} | urlquery }}}}" for variable, label in board.variables
        )
        return f"{self.grafana}/d/{board.uid}" + (f"?{variables}" if variables else "")


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard and the variables that a link to it carries: (variable, label)."""

    uid: str
    variables: tuple[tuple[str, str], ...] = ()


_OF_JOB: Final = (("namespace", "namespace"), ("job", "job"))
_OF_VERSION: Final = (*_OF_JOB, ("model", "model"), ("version", "model_version"))
SIDECAR_BOARD: Final = Board("driftgauge-sidecar", _OF_JOB)
FLEET_BOARD: Final = Board("driftgauge-fleet")
MODEL_BOARD: Final = Board("driftgauge-model", _OF_VERSION)
OF_MODEL_BOARD: Final = Board("driftgauge-model", (*_OF_JOB, ("model", "model")))
FEATURE_BOARD: Final = Board("driftgauge-feature", (*_OF_VERSION, ("feature", "feature")))


@dataclass(frozen=True, slots=True)
class Runbook:
    """What a person does who is paged; sentences in Markdown.

    Attributes:
        meaning: what the alert says, and what it doesn't.
        checks: the first three looks.
        causes: the likely ones, most likely first.
        actions: what to do about them.
    """

    meaning: str
    checks: tuple[str, str, str]
    causes: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """One alertname.

    Attributes:
        alerts: one a severity, the worst first.
        unreplayed: why no replay through a real sidecar fires it; empty where one does.
        cases: promtool's tests; those of `coarse` are evaluated once a step of the chain.
        coarse: whether the alert stands on the chain.
    """

    alerts: tuple[Alert, ...]
    runbook: Runbook
    cases: tuple[Case, ...] = ()
    unreplayed: str = ""
    coarse: bool = False

    @property
    def name(self) -> str:
        """The alertname."""
        return self.alerts[0].name


@dataclass(frozen=True, slots=True)
class Setting:
    """What the shipped alerts are compiled for."""

    scale: TimeScale
    links: Links


def shipped(
    setting: Setting,
    name: str,
    levels: Mapping[Severity, str],
    *,
    hold: float,
    keep: float | None = None,
    summary: str,
    description: str,
    board: Board,
    runbook: Runbook,
    trials: Sequence[Trial],
    unreplayed: str = "",
    coarse: bool = False,
    comment: str = "",
) -> Shipped:
    """An alert of every severity in *levels*, whose values are expressions; *hold* and *keep* in seconds."""
    annotations = {
        "summary": summary,
        "description": description,
        "runbook_url": setting.links.runbook(name),
        "dashboard_url": setting.links.dashboard(board),
    }
    found = tuple(
        Alert(
            name,
            expr,
            setting.scale.duration(hold),
            severity,
            annotations,
            keep_firing=None if keep is None else setting.scale.duration(keep),
            comment=comment if number == 0 else "",
        )
        for number, (severity, expr) in enumerate(levels.items())
    )
    return Shipped(found, runbook, tuple(_case(found, trial) for trial in trials), unreplayed, coarse)


# --- how an alert is tried -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fed:
    """A series by phase: just below, above, good again; nothing in the fourth.

    Attributes:
        values: of a gauge, its values; of a counter, its increases an interval.
        steady: whether it goes on in the fourth phase, as what isn't of the model does.
        spelt: promtool's own notation of the first three phases, where values alone don't say it.
    """

    name: str
    labels: Mapping[str, str]
    values: tuple[float | None, float | None, float | None]
    counts: bool = False
    steady: bool = False
    spelt: str = ""

    def thinned(self, factor: float) -> Fed:
        """The same with so many times smaller values."""
        below, above, good = (None if value is None else value / factor for value in self.values)
        return replace(self, values=(below, above, good))

    def text(self, length: int) -> str:
        """Promtool's notation for phases of *length* samples each."""
        if self.spelt:
            return f"{self.spelt} _x{length}"
        total, parts = 0.0, []
        phases = (*self.values, self.values[-1] if self.steady else None)
        for value in phases:
            if value is None:
                parts.append(f"_x{length}")
            elif self.counts:
                parts.append(f"{_number(total + value)}+{_number(value)}x{length - 1}")
                total += value * length
            else:
                parts.append(f"{_number(value)}x{length - 1}")
        return " ".join(parts)


def gauge(
    name: str, labels: Mapping[str, str], below: float | None, above: float | None, good: float | None
) -> Fed:
    """A gauge by phase."""
    return Fed(f"driftgauge_{name}", labels, (below, above, good))


def steady(name: str, labels: Mapping[str, str], value: float) -> Fed:
    """A gauge that doesn't change until it goes."""
    return Fed(f"driftgauge_{name}", labels, (value, value, value))


def spelt(name: str, labels: Mapping[str, str], text: str) -> Fed:
    """A series in promtool's own notation, without the last phase."""
    return Fed(f"driftgauge_{name}", labels, (None, None, None), spelt=text)


def counter(name: str, labels: Mapping[str, str], below: float, above: float, good: float) -> Fed:
    """A counter by what it grows by in an interval of each phase."""
    return Fed(f"driftgauge_{name}", labels, (below, above, good), counts=True)


def evaluated(labels: Mapping[str, str], interval: float = MINUTE) -> Fed:
    """A pod that is evaluated all the time."""
    each = (interval,) * 3
    return Fed("driftgauge_last_evaluation_timestamp_seconds", labels, each, counts=True)


def _number(value: float) -> str:
    return f"{value:.10g}"


@dataclass(frozen=True, slots=True)
class Firing:
    """A series that fires: its labels, and the texts of ``$value`` in the order in which they are shown.

    Attributes:
        severity: where each severity fires for another series; None where all do for this one.
    """

    labels: Mapping[str, str]
    texts: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: just below, firing, resolved, without data, each phase so many *minutes* long.

    Attributes:
        severities: which of the name's alerts fire; all of them where None.
        gone_fires: for an alert on absence, which the fourth phase fires and no other.
        interval: minutes between samples; 5 for what stands on the chain.
    """

    fed: tuple[Fed, ...]
    firing: tuple[Firing, ...]
    minutes: int
    name: str = ""
    severities: tuple[Severity, ...] | None = None
    gone_fires: bool = False
    interval: int = 1


def _case(found: Sequence[Alert], trial: Trial) -> Case:
    name, length, interval = found[0].name, trial.minutes // trial.interval, trial.interval * 60_000
    fires = tuple(
        _expected(alert, firing.labels, firing.texts)
        for alert in found
        if trial.severities is None or alert.severity in trial.severities
        for firing in trial.firing
        if firing.severity in (None, alert.severity)
    )
    above, gone = ((), fires) if trial.gone_fires else (fires, ())
    phases = (("just below", ()), ("fires", above), ("resolved", ()), ("no data", gone))
    return Case(
        f"{name}: {trial.name}" if trial.name else name,
        Duration(interval),
        tuple(Input(each.name + label_text(each.labels), each.text(length)) for each in trial.fed),
        tuple(
            AlertCase(Duration(((number + 1) * length - 1) * interval), name, expected, words)
            for number, (words, expected) in enumerate(phases)
        ),
    )


def _expected(alert: Alert, labels: Mapping[str, str], texts: tuple[str, ...]) -> Expected:
    left = list(texts)

    def filled(match: re.Match[str]) -> str:
        label = _LABEL.fullmatch(match[0])
        if label is None:
            return left.pop(0)
        value = labels.get(label[1], "")
        return quote_plus(value) if label[2] else value

    annotations = {key: _PLACE.sub(filled, text) for key, text in alert.annotations.items()}
    if left:
        raise ValueError(f"{alert.name}: more texts of values than its annotations have places: {left}")
    return Expected({**labels, **alert.all_labels}, annotations)
