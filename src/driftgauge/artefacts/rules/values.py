"""What a rule file is made of, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from driftgauge.artefacts.rules.durations import Duration

POD_LABELS: Final = ("pod", "instance", "container", "endpoint", "node")
"""What tells one replica from another: no recorded series and no alert has any of them."""

WITHOUT_PODS: Final = f"without ({', '.join(POD_LABELS)})"

_RECORD = re.compile(r"[a-z_][a-z0-9_]*:[a-z0-9_]+:[a-z0-9_]+\Z")
_ALERT = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Severity(StrEnum):
    """How soon a person is needed."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule.

    Attributes:
        record: ``level:metric:operations``.
        expr: PromQL; may run over several lines.
        labels: added to the result, ``window`` mostly.
        meaning: a sentence for docs/rules.md; what rules of one name share is said once, by the first.
        remaining: the labels of the result, beside the user's own (``job``, ``namespace``).
        comment: printed above the rule, where a reader needs a reason.

    Raises:
        ValueError: the name isn't of that form.
    """

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    meaning: str = ""
    remaining: tuple[str, ...] = ()
    comment: str = ""

    def __post_init__(self) -> None:
        if not _RECORD.match(self.record):
            raise ValueError(f"{self.record}: expected a name of the form level:metric:operations")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule of one severity; a warning and its critical twin share their name.

    Attributes:
        expr: PromQL with a comparison; its series have none of `POD_LABELS`.
        hold: how long the expression holds before the alert fires.
        keep_firing: how long it goes on firing after that; for what flaps.
        labels: beside ``severity``; no ``$value`` in them.
        annotations: ``summary``, ``description``, ``runbook_url``, ``dashboard_url``.
        comment: printed above the rule, where a reader needs a reason.

    Raises:
        ValueError: the name isn't CamelCase, or a label holds ``$value``.
    """

    name: str
    expr: str
    hold: Duration
    severity: Severity
    annotations: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    keep_firing: Duration | None = None
    comment: str = ""

    def __post_init__(self) -> None:
        if not _ALERT.match(self.name):
            raise ValueError(f"{self.name}: expected the name of an alert in CamelCase")
        for name, text in self.labels.items():
            if "$value" in text:
                raise ValueError(
                    f"{self.name}: label {name}: $value would make each evaluation another alert"
                )

    @property
    def all_labels(self) -> Mapping[str, str]:
        """The labels as printed: ``severity`` first."""
        return {"severity": str(self.severity), **self.labels}


Rule = Recording | Alert


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, each seeing what those before it recorded.

    Attributes:
        interval: None for Prometheus's own.
        comment: printed above the group.
    """

    name: str
    rules: tuple[Rule, ...]
    interval: Duration | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A whole file.

    Attributes:
        head: lines of comment at its top, without the ``#``.
    """

    groups: tuple[Group, ...]
    head: str = ""

    def rules(self) -> Iterator[Rule]:
        """Every rule, in order."""
        for group in self.groups:
            yield from group.rules

    def alerts(self) -> Iterator[Alert]:
        """Every alerting rule, in order."""
        return (rule for rule in self.rules() if isinstance(rule, Alert))

    def recordings(self) -> Iterator[Recording]:
        """Every recording rule, in order."""
        return (rule for rule in self.rules() if isinstance(rule, Recording))
