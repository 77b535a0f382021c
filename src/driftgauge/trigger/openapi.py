"""The OpenAPI 3.1 document of the trigger."""

from __future__ import annotations

import msgspec

from driftgauge.trigger.decision import State
from driftgauge.trigger.doors import ALERTS, Listed, Received, Told
from driftgauge.web.openapi import Json, Operation, described

_ALERT: Json = {
    "status": "firing",
    "labels": {"alertname": "ModelDrift", "model": "churn", "severity": "warning"},
    "annotations": {"summary": "customer_age moved"},
    "startsAt": "2026-01-31T12:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "1a30ba71cca2921f",
}
_EXAMPLE: Json = {"version": "4", "status": "firing", "receiver": "driftgauge", "alerts": [_ALERT]}
_TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
_WEBHOOK: Json = {
    "type": "object",
    "description": "Alertmanager's webhook, version 4; other keys are passed over.",
    "required": ["version", "alerts"],
    "properties": {
        "version": {"const": "4"},
        "truncatedAlerts": {"type": "integer"},
        "alerts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status", "labels", "startsAt"],
                "properties": {
                    "status": {"enum": ["firing", "resolved"]},
                    "labels": _TEXTS,
                    "annotations": _TEXTS,
                    "startsAt": {"type": "string", "format": "date-time"},
                    "fingerprint": {"type": "string"},
                },
            },
        },
    },
}

_ID = ("id", "path", "string", "The decision's id.")
_APPROVAL_FAILURES = (403, 404, 409, 503)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        ALERTS,
        "Take Alertmanager's webhook. Answers after the commit; what is decided comes after.",
        (),
        ("Webhook", _EXAMPLE),
        (("application/json", "Received"),),
        (400, 403, 408, 413, 415, 417, 429, 503),
    ),
    Operation(
        "get",
        "/v1/decisions",
        "Decisions, the newest first.",
        (
            ("model", "query", "string", "Only of this model."),
            ("state", "query", "string", f"Only in this state: {', '.join(State)}."),
            ("limit", "query", "integer", "At most so many, 1 to 1000; 100 without it."),
        ),
        gives=(("application/json", "Listed"),),
        fails=(400, 503),
    ),
    Operation(
        "get",
        "/v1/decisions/{id}",
        "One decision, and what happened to it.",
        (_ID,),
        gives=(("application/json", "Told"),),
        fails=(404, 503),
    ),
    Operation(
        "post",
        "/v1/decisions/{id}/approve",
        "Approve a run that awaits it, with the token of those who may; the guards are asked again.",
        (_ID,),
        gives=(("application/json", "Told"),),
        fails=_APPROVAL_FAILURES,
    ),
    Operation(
        "post",
        "/v1/decisions/{id}/settle",
        "Say how a run that is unknown ended, with the token of those who may approve.",
        (_ID, ("ended", "query", "string", "finished or failed.")),
        gives=(("application/json", "Told"),),
        fails=(400, *_APPROVAL_FAILURES),
    ),
    Operation(
        "get",
        "/metrics",
        "The metrics, in Prometheus' text format 0.0.4 or OpenMetrics 1.0; gzip when accepted.",
        (("name[]", "query", "array", "Only these metrics; may come several times."),),
        gives=(("text/plain", "string"), ("application/openmetrics-text", "string")),
        open=True,
    ),
    Operation("get", "/healthz", "Whether nothing is stuck.", fails=(503,), open=True),
    Operation("get", "/readyz", "Whether alerts are taken.", fails=(503,), open=True),
    Operation("get", "/openapi.json", "This document.", open=True),
)


def document() -> bytes:
    """The whole document as JSON."""
    told = described(
        OPERATIONS,
        (Received, Listed, Told),
        {"Webhook": _WEBHOOK},
        title="driftgauge trigger",
        description="Alerts in, at most one guarded retraining run a decision out.",
    )
    return msgspec.json.encode(told)
