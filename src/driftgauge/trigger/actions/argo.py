"""An Argo Workflow, from a WorkflowTemplate, made through the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from driftgauge.trigger.actions.action import ActionFailed, Ended, Started
from driftgauge.trigger.actions.cluster import Kubernetes, Object, labelled
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger.variables import filled
from driftgauge.trigger_config import ArgoAction

GROUP: Final = "argoproj.io/v1alpha1"
_ENDED_WELL: Final = {"Succeeded": True, "Failed": False, "Error": False}


class Argo:
    """Makes a Workflow whose name is the decision's, so that the API server refuses a second one."""

    kind: Final = "argo"

    def __init__(self, settings: ArgoAction, cluster: Kubernetes) -> None:
        self._settings = settings
        self._cluster = cluster

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Make it; see `Action`."""
        parameters = [
            {"name": name, "value": filled(text, values)} for name, text in self._settings.parameters.items()
        ]
        template: Object = {"name": self._settings.workflow_template}
        if self._settings.cluster_scope:
            template["clusterScope"] = True
        workflow: Object = {
            "apiVersion": GROUP,
            "kind": "Workflow",
            "spec": {"workflowTemplateRef": template, "arguments": {"parameters": parameters}},
        }
        return await self._cluster.make(
            GROUP, "workflows", labelled(workflow, run_name(decision.id), decision)
        )

    async def ended(self, decision: Decision) -> Ended | None:
        """By the Workflow's phase; see `Action`."""
        try:
            found = await self._cluster.read(GROUP, "workflows", run_name(decision.id))
        except ActionFailed:
            return None
        status = (found or {}).get("status") or {}
        well = _ENDED_WELL.get(str(status.get("phase")))
        return None if well is None else Ended(well, str(status.get("message") or status["phase"]))

    async def close(self) -> None:
        """Nothing is held."""
