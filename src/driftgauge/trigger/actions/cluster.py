"""The Kubernetes API, as much of it as is needed: read an object, make an object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from driftgauge.trigger.actions.action import ActionFailed, Started
from driftgauge.trigger.asking import Asker, Peer, Unanswered
from driftgauge.trigger.decision import Decision
from driftgauge.trigger_config import ACCOUNT, Cluster

Object = dict[str, Any]
DECISION_LABEL = "driftgauge.io/decision"


class Kubernetes:
    """Objects of one namespace."""

    def __init__(self, settings: Cluster, asker: Asker) -> None:
        self._settings = settings
        self._asker = asker
        self._peer = Peer("kubernetes", settings.timeout, settings.token_file, settings.ca_file)

    async def read(self, group: str, plural: str, name: str) -> Object | None:
        """The object *name* of ``group`` (``batch/v1``); None when there is none.

        Raises:
            ActionFailed: it may not be read, or is no object.
            Unanswered: nobody answered.
        """
        reply = await self._asker.ask(self._peer, "GET", f"{self._path(group, plural)}/{name}")
        if reply.status == 404:
            return None
        if not reply.ok:
            raise ActionFailed(f"kubernetes: reading {plural} {name}: {_words(reply.status, reply.body)}")
        return _object(reply.body)

    async def make(self, group: str, plural: str, content: Object) -> Started:
        """Make *content*, or find that an object of its name is there already.

        Raises:
            ActionFailed: it may not be made, is refused, or the name is another decision's.
            Unanswered: nobody answered.
        """
        name = content["metadata"]["name"]
        reply = await self._asker.ask(
            self._peer,
            "POST",
            self._path(group, plural),
            body=msgspec.json.encode(content),
            headers={"Content-Type": "application/json"},
        )
        reference = f"{plural}/{name}"
        if reply.ok:
            return Started(reference)
        if reply.status == 409:
            return Started(reference, await self._already(group, plural, content))
        raise ActionFailed(f"kubernetes: making {plural} {name}: {_words(reply.status, reply.body)}")

    async def _already(self, group: str, plural: str, content: Object) -> str:
        metadata = content["metadata"]
        found = await self.read(group, plural, metadata["name"])
        if found is None:
            raise Unanswered(f"kubernetes: {metadata['name']} was there and is gone")
        labels = found.get("metadata", {}).get("labels") or {}
        if labels.get(DECISION_LABEL) != metadata["labels"][DECISION_LABEL]:
            raise ActionFailed(
                f"kubernetes: {plural} {metadata['name']} is there and is not of this decision"
            )
        return "it was started already"

    def _path(self, group: str, plural: str) -> str:
        namespace = self._settings.namespace or _own_namespace()
        return f"{self._settings.url.rstrip('/')}/apis/{group}/namespaces/{namespace}/{plural}"


def labelled(content: Object, name: str, decision: Decision) -> Object:
    """*content* under *name*, marked as made for a decision; its own labels and annotations stay."""
    metadata = {key: value for key, value in (content.get("metadata") or {}).items() if key != "generateName"}
    labels = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "driftgauge"}
    labels[DECISION_LABEL] = decision.id
    # A label's value has a small alphabet; a model's name or a reason has not.
    notes = {
        **(metadata.get("annotations") or {}),
        "driftgauge.io/model": decision.model,
        "driftgauge.io/cause": decision.cause,
        "driftgauge.io/reason": decision.reason,
    }
    return {**content, "metadata": {**metadata, "name": name, "labels": labels, "annotations": notes}}


def _own_namespace(file: Path = ACCOUNT / "namespace") -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        detail = "trigger.kubernetes.namespace: none is given, and there is no pod's account to tell it"
        raise ActionFailed(detail) from error


def _object(body: bytes) -> Object:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ActionFailed("kubernetes: expected an object, got something else") from error


def _words(status: int, body: bytes) -> str:
    """What the API server said, on one line."""
    try:
        message = msgspec.json.decode(body, type=dict[str, Any]).get("message", "")
    except msgspec.MsgspecError:
        message = ""
    return f"answered {status} {' '.join(str(message).split())[:300]}".strip()
