"""An entry in words: the sentence that `driftgauge check` prints, and what the alert says when it fires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote_plus

from driftgauge import snapshot
from driftgauge.artefacts.alerts.reading import Limit, Reading, readings
from driftgauge.artefacts.rules.shipped.entry import FEATURE_BOARD, MODEL_BOARD, OF_MODEL_BOARD, Board, Links
from driftgauge.config import Config
from driftgauge.config_alerts import Direction
from driftgauge.config_file import ratio_text
from driftgauge.config_file.scalars import bound_text
from driftgauge.metrics.words import THROUGHPUT, Scale

LINKS: Final = Links(runbooks="docs/alerts.md")
# A sender that gives no version has one all the same, and its name is empty.
_VERSION: Final = 'Version {{ or $labels.model_version "without a name" }}'
_SHARE: Final = "{{ $value | humanizePercentage }}"
_NUMBER: Final = '{{ printf "%.3f" $value }}'
_VALUES: Final[Mapping[Scale, str]] = MappingProxyType(
    {
        Scale.SHARE: _SHARE,
        Scale.FLAG: _SHARE,
        Scale.PLAIN: _NUMBER,
        Scale.DEVIATIONS: f"{_NUMBER} sd",
        Scale.SECONDS: f"{_NUMBER} s",
    }
)
_ANY: Final = "any traffic"
_MONEY: Final = frozenset({snapshot.BusinessValue, snapshot.EstimatedValue, snapshot.BestThreshold})


def sentences(config: Config) -> Iterator[str]:
    """One sentence a severity: what is told, and when."""
    for reading in readings(config):
        for limit in reading.limits:
            yield sentence(reading, limit)


def sentence(reading: Reading, limit: Limit) -> str:
    """``PrecisionLow (critical): precision of churn over 1d is below 70% in 2 windows in a row, ...``."""
    entry = reading.entry
    what = f"{_named(reading)} of {_subject(reading)} over {reading.window}{_compared(reading)}"
    return (
        f"{entry.alert} ({limit.severity}): {what} {_beyond(reading, limit)}{_windows(reading)}, "
        f"each window with {_stands_on(reading)}"
    ).removesuffix(f", each window with {_ANY}")


def _named(reading: Reading) -> str:
    quantile = reading.entry.when.quantile
    return reading.word.text if quantile is None else f"{reading.word.text} ({ratio_text(quantile)} quantile)"


def _subject(reading: Reading) -> str:
    when = reading.entry.when
    parts = [f"{when.feature or when.output} of {when.model}" if when.feature or when.output else when.model]
    if when.version:
        parts.append(f"version {when.version}")
    if when.class_:
        parts.append(f"class {when.class_}")
    if when.segment:
        parts.append(f"{when.segment} {when.segment_value}" if when.segment_value else f"each {when.segment}")
    return ", ".join(parts)


def _compared(reading: Reading) -> str:
    if reading.cohort:
        return f" ({reading.cohort})"
    return f" against {reading.entry.when.against}" if "against" in reading.metric.labels else ""


def _beyond(reading: Reading, limit: Limit) -> str:
    if reading.word.is_verdict:
        return "holds for at least half of the pods that can judge"
    limit_text = bound_text(limit.bound)
    if reading.word.shift and limit.above:
        way = {Direction.EITHER: "up or down", Direction.UP: "up", Direction.DOWN: "down"}
        return f"has moved {way[reading.entry.when.direction]} by more than {limit_text}"
    return f"is {'above' if limit.above else 'below'} {limit_text}"


def _windows(reading: Reading) -> str:
    if reading.of == 1:
        return ""
    if reading.least == reading.of:
        return f" in {reading.of} adjoining windows"
    return f" in at least {reading.least} of {reading.of} adjoining windows"


def _stands_on(reading: Reading) -> str:
    if reading.word.text == THROUGHPUT:
        return _ANY
    records = "outcomes" if reading.basis.outcomes else "predictions"
    text = f"at least {reading.least_records} {records}"
    if reading.coverage is None:
        return text
    share = ratio_text(reading.coverage)
    if reading.estimate:
        return f"{text} and less than {share} of its outcomes known"
    return f"{text} and {share} of the outcomes known"


def texts(reading: Reading, limit: Limit, links: Links = LINKS) -> Mapping[str, str]:
    """What the alert says; names of a user's own come from its labels, so that no text can be a template."""
    made = {
        "summary": _summary(reading, limit),
        "description": _description(reading, limit),
        "runbook_url": links.runbook(_section(reading)),
        "dashboard_url": links.dashboard(_board(reading)),
    }
    return {**made, **reading.entry.annotations}


def _summary(reading: Reading, limit: Limit) -> str:
    what = _named(reading).replace("_", " ")
    labels = reading.metric.labels
    named = next((name for name in ("feature", "output") if name in labels), None)
    of = f"{{{{ $labels.{named} }}}} of " if named else ""
    whose = f"{of}{{{{ $labels.model }}}}{_within(reading)}"
    value = _VALUES[reading.word.scale]
    if reading.word.is_verdict:
        return f"{what} of {whose} over {reading.window}: {value} of the pods say so"
    return f"{what} of {whose} is {value} over {reading.window}, {_limit(reading, limit)}{_windows(reading)}"


def _limit(reading: Reading, limit: Limit) -> str:
    size = "more than" if reading.word.shift and limit.above else "above" if limit.above else "below"
    return f"{size} {bound_text(limit.bound)}"


def _within(reading: Reading) -> str:
    parts = []
    if reading.entry.when.segment:
        parts.append("{{ $labels.segment }} {{ $labels.segment_value }}")
    if reading.entry.when.class_:
        parts.append("class {{ $labels.class }}")
    return f" ({', '.join(parts)})" if parts else ""


def _description(reading: Reading, limit: Limit) -> str:
    version = _VERSION if "model_version" in reading.labels else "All versions"
    text = f"{version}; each window stands on {_stands_on(reading)}."
    if reading.estimate:
        text += " An estimate, of outcomes still to come: it assumes that a score means what it meant."
    if reading.word.is_verdict:
        return text
    return f"{text} Told where it {_beyond(reading, limit)}{_windows(reading)}."


def _section(reading: Reading) -> str:
    """Which section of the page says what to do."""
    if reading.estimate or reading.word.text.startswith("estimate"):
        return "when-an-estimate-alert-fires"
    if reading.of_distributions:
        return "when-a-drift-alert-fires"
    if reading.word.of_traffic:
        return "when-a-traffic-alert-fires"
    return "when-a-value-alert-fires" if reading.metric.row in _MONEY else "when-a-quality-alert-fires"


def _board(reading: Reading) -> Board:
    if "model_version" not in reading.labels:
        return OF_MODEL_BOARD
    return FEATURE_BOARD if "feature" in reading.labels else MODEL_BOARD


def _label(text: str, *, in_url: bool) -> str:
    return quote_plus(text) if in_url else text


_OR: Final = re.compile(r'\{\{\s*or \$labels\.(\w+) "([^"]*)"\s*\}\}')
_LABEL: Final = re.compile(r"\{\{\s*\$labels\.(\w+)(\s*\| urlquery)?\s*\}\}")
_PERCENTAGE: Final = re.compile(r"\{\{\s*\$value \| humanizePercentage\s*\}\}")
_PRINTF: Final = re.compile(r'\{\{\s*printf "%\.([0-9])f" \$value\s*\}\}')


def filled(text: str, labels: Mapping[str, str], value: float) -> str:
    """*text* as Prometheus shows it for an alert of these *labels* and this *value*."""
    text = _OR.sub(lambda match: labels.get(match[1], "") or match[2], text)
    text = _LABEL.sub(lambda match: _label(labels.get(match[1], ""), in_url=bool(match[2])), text)
    text = _PERCENTAGE.sub(lambda _: f"{value * 100:.4g}%", text)
    return _PRINTF.sub(lambda match: f"{value:.{int(match[1])}f}", text)
