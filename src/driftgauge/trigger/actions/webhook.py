"""A POST to whoever starts runs, signed, and the same each time it is repeated."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from driftgauge.trigger.actions.action import ActionFailed, Ended, Started
from driftgauge.trigger.asking import Asker, Peer, secret
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger.variables import filled_document
from driftgauge.trigger_config import WebhookAction

SIGNATURE: Final = "X-Driftgauge-Signature-256"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"


class Webhook:
    """Sends one body for a decision until it is answered with 2xx.

    Whether the run ended isn't known; its new version closes the record.

    Args:
        template: the parsed body; all variables as one object when None.
    """

    kind: Final = "webhook"

    def __init__(self, settings: WebhookAction, template: Any, asker: Asker) -> None:
        self._settings = settings
        self._template = template
        self._asker = asker
        self._peer = Peer("webhook", settings.timeout, settings.token_file, settings.ca_file)

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Send it; see `Action`. The key is the run's name, so that a receiver can refuse a second one."""
        content = dict(values) if self._template is None else filled_document(self._template, values)
        body = msgspec.json.encode(content)
        headers = {"Content-Type": "application/json", IDEMPOTENCY_KEY: run_name(decision.id)}
        if self._settings.secret_file is not None:
            try:
                headers[SIGNATURE] = signature(secret(self._settings.secret_file), body)
            except (OSError, ValueError) as error:
                raise ActionFailed(f"webhook.secret_file: {error}") from error
        reply = await self._asker.ask(self._peer, "POST", self._settings.url, body=body, headers=headers)
        if not reply.ok:
            raise ActionFailed(f"webhook: answered {reply.status}")
        return Started(f"answered {reply.status}")

    async def ended(self, decision: Decision) -> Ended | None:  # noqa: ARG002 - nobody can tell
        """Never known."""
        return None

    async def close(self) -> None:
        """Nothing is held."""


def signature(key: bytes, body: bytes) -> str:
    """What the signature's header holds: ``sha256=`` and the HMAC of the body in hexadecimal (RFC 2104)."""
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
