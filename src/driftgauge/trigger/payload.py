"""Alertmanager's webhook, version 4: bytes to alerts, each one taken or counted with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from driftgauge.errors import RequestError
from driftgauge.records import Reason

MOST_ALERTS = 1000
LONGEST_LABEL = 1024
LONGEST_NAME = 128  # of a model or an alert, as the sidecar bounds them (limits.label_characters)
MOST_LABELS = 64
LONGEST_REASON = 500


class AlertResult(StrEnum):
    """What became of one alert of a delivery; the closed set that labels the counter."""

    OPENED = "opened"
    ATTACHED = "attached"
    REMEMBERED = "remembered"
    RESOLVED = "resolved"
    MALFORMED = "malformed"
    NO_NAME = "no_name"
    TOO_LONG = "too_long"
    BAD_TIMESTAMP = "bad_timestamp"
    MODEL_LIMIT = "model_limit"
    ALERT_LIMIT = "alert_limit"


class _Delivery(msgspec.Struct):
    version: str
    alerts: list[msgspec.Raw]
    truncatedAlerts: int = 0  # noqa: N815 - Alertmanager's name


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]
    startsAt: str  # noqa: N815 - Alertmanager's name
    annotations: dict[str, str] = {}
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a delivery.

    Attributes:
        fingerprint: what tells it from others: Alertmanager's, else made from its labels.
        model: its label model; empty where it has none.
        starts_at: when it began to fire, epoch seconds.
        reason: its summary, else its description; for people.
    """

    fingerprint: str
    name: str
    model: str
    severity: str
    window: str
    firing: bool
    starts_at: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook's body.

    Attributes:
        truncated: alerts that Alertmanager left out of it.
        dropped: how many of it were not taken, by reason.
    """

    alerts: tuple[Alert, ...]
    truncated: int
    dropped: Counter[AlertResult]


_DELIVERY = msgspec.json.Decoder(_Delivery)
_ALERT = msgspec.json.Decoder(_Alert)


class _Dropped(Exception):
    def __init__(self, result: AlertResult) -> None:
        super().__init__(result)
        self.result = result


def decode(body: bytes) -> Delivery:
    """The alerts of a webhook's body; unknown keys are passed over.

    Raises:
        RequestError: 400, it is no webhook of version 4.
    """
    try:
        found = _DELIVERY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        detail = "expected Alertmanager's webhook (version, alerts); the receiver must not set payload"
        raise RequestError(400, Reason.MALFORMED, detail) from None
    if found.version != "4":
        raise RequestError(400, Reason.OUT_OF_DOMAIN, "version: expected 4, got another one")
    dropped: Counter[AlertResult] = Counter()
    if len(found.alerts) > MOST_ALERTS:
        dropped[AlertResult.ALERT_LIMIT] = len(found.alerts) - MOST_ALERTS
    alerts = tuple(_taken(found.alerts[:MOST_ALERTS], dropped))
    return Delivery(alerts, max(0, found.truncatedAlerts), dropped)


def _taken(raws: list[msgspec.Raw], dropped: Counter[AlertResult]) -> Iterator[Alert]:
    for raw in raws:
        try:
            yield _alert(raw)
        except _Dropped as reason:
            dropped[reason.result] += 1


def _alert(raw: msgspec.Raw) -> Alert:
    try:
        found = _ALERT.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _Dropped(AlertResult.MALFORMED) from None
    if found.status not in {"firing", "resolved"}:
        raise _Dropped(AlertResult.MALFORMED)
    name, model = (found.labels.get(label, "") for label in ("alertname", "model"))
    texts = (*found.labels, *found.labels.values(), found.fingerprint)
    if len(found.labels) > MOST_LABELS or max(map(len, texts)) > LONGEST_LABEL:
        raise _Dropped(AlertResult.TOO_LONG)
    if not name:
        raise _Dropped(AlertResult.NO_NAME)
    if max(len(name), len(model)) > LONGEST_NAME:
        raise _Dropped(AlertResult.TOO_LONG)
    return Alert(
        fingerprint=found.fingerprint or fingerprint(found.labels),
        name=name,
        model=model,
        severity=found.labels.get("severity", ""),
        window=found.labels.get("window", ""),
        firing=found.status == "firing",
        starts_at=_moment(found.startsAt),
        reason=_reason(found.annotations),
    )


def fingerprint(labels: dict[str, str]) -> str:
    """What stands for a missing fingerprint: the labels themselves, in order."""
    return "\0".join(f"{key}={labels[key]}" for key in sorted(labels))


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        seconds = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _Dropped(AlertResult.BAD_TIMESTAMP) from None
    return max(0.0, seconds)


def _reason(annotations: dict[str, str]) -> str:
    found = annotations.get("summary") or annotations.get("description") or ""
    return " ".join(found.split())[:LONGEST_REASON]
