"""A run of a Kubeflow pipeline, through the pipelines API (v2beta1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from driftgauge.trigger.actions.action import ActionFailed, Ended, Started
from driftgauge.trigger.asking import Asker, Peer, Reply
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger.variables import filled
from driftgauge.trigger_config import KubeflowAction

_ENDED_WELL: Final = {"SUCCEEDED": True, "SKIPPED": True, "FAILED": False, "CANCELED": False}

_Answer = TypeVar("_Answer")


class _Run(msgspec.Struct):
    run_id: str
    display_name: str = ""
    state: str = ""
    error: dict[str, Any] | None = None


class _Runs(msgspec.Struct):
    runs: list[_Run] = []


class Kubeflow:
    """Makes a run under the decision's name, unless one of that name is there.

    The API itself takes two runs of one name, so it is asked first, each time; a request is sent once and
    never repeated without asking.
    """

    kind: Final = "kubeflow"

    def __init__(self, settings: KubeflowAction, asker: Asker) -> None:
        self._settings = settings
        self._asker = asker
        self._runs = f"{settings.url.rstrip('/')}/apis/v2beta1/runs"
        self._reads = Peer("kubeflow", settings.timeout, settings.token_file, settings.ca_file)
        self._makes = Peer("kubeflow", settings.timeout, settings.token_file, settings.ca_file, attempts=1)

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Make it; see `Action`."""
        name = run_name(decision.id)
        found = await self._find(name)
        if found is not None:
            return Started(found.run_id, "it was started already")
        settings = self._settings
        reference = {"pipeline_id": settings.pipeline}
        if settings.version is not None:
            reference["pipeline_version_id"] = settings.version
        content: dict[str, Any] = {
            "display_name": name,
            "description": f"{decision.cause} of {decision.model}: {decision.reason}",
            "pipeline_version_reference": reference,
            "runtime_config": {
                "parameters": {key: filled(text, values) for key, text in settings.parameters.items()}
            },
        }
        if settings.experiment is not None:
            content["experiment_id"] = settings.experiment
        reply = await self._asker.ask(
            self._makes,
            "POST",
            self._runs,
            body=msgspec.json.encode(content),
            headers={"Content-Type": "application/json"},
        )
        return Started(_decoded(reply, _Run).run_id)

    async def ended(self, decision: Decision) -> Ended | None:
        """By the run's state; see `Action`."""
        reference = "" if decision.run is None else decision.run.reference
        reply = await self._asker.ask(self._reads, "GET", f"{self._runs}/{reference}")
        try:
            found = _decoded(reply, _Run)
        except ActionFailed:
            return None
        well = _ENDED_WELL.get(found.state)
        return None if well is None else Ended(well, str((found.error or {}).get("message") or found.state))

    async def close(self) -> None:
        """Nothing is held."""

    async def _find(self, name: str) -> _Run | None:
        predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
        query = {"filter": msgspec.json.encode({"predicates": [predicate]}).decode()}
        if self._settings.experiment is not None:
            query["experiment_id"] = self._settings.experiment
        reply = await self._asker.ask(self._reads, "GET", self._runs, query=query)
        return next((run for run in _decoded(reply, _Runs).runs if run.display_name == name), None)


def _decoded(reply: Reply, kind: type[_Answer]) -> _Answer:
    if not reply.ok:
        raise ActionFailed(f"kubeflow: answered {reply.status}")
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except msgspec.MsgspecError as error:
        raise ActionFailed(f"kubeflow: expected the form of its API, got: {error}") from None
