"""A Kubernetes Job, from a CronJob's template or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from driftgauge.trigger.actions.action import ActionFailed, Ended, Started
from driftgauge.trigger.actions.cluster import Kubernetes, Object, labelled
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger.variables import environment, filled_document
from driftgauge.trigger_config import JobAction

GROUP: Final = "batch/v1"


class Job:
    """Makes a Job whose name is the decision's, so that the API server refuses a second one.

    Every container finds the variables in its environment.

    Args:
        template: the parsed file; None where a CronJob is named.
    """

    kind: Final = "job"

    def __init__(self, settings: JobAction, template: Any, cluster: Kubernetes) -> None:
        self._settings = settings
        self._template = template
        self._cluster = cluster

    async def start(self, decision: Decision, values: Mapping[str, str]) -> Started:
        """Make it; see `Action`."""
        content = await self._content(values)
        job = labelled(content, run_name(decision.id), decision)
        return await self._cluster.make(GROUP, "jobs", with_environment(job, environment(values)))

    async def ended(self, decision: Decision) -> Ended | None:
        """By the Job's conditions; see `Action`."""
        found = await self._read(decision)
        if found is None:
            return None
        for condition in (found.get("status") or {}).get("conditions") or ():
            if condition.get("status") == "True" and condition.get("type") in {"Complete", "Failed"}:
                detail = " ".join(str(condition.get(key) or "") for key in ("reason", "message")).strip()
                return Ended(condition["type"] == "Complete", detail)
        return None

    async def close(self) -> None:
        """Nothing is held."""

    async def _read(self, decision: Decision) -> Object | None:
        try:
            return await self._cluster.read(GROUP, "jobs", run_name(decision.id))
        except ActionFailed:
            return None  # it may be made and not be read: then its version alone tells

    async def _content(self, values: Mapping[str, str]) -> Object:
        if self._settings.cron_job is None:
            content: Object = filled_document(self._template, values)
            return content
        name = self._settings.cron_job
        found = await self._cluster.read(GROUP, "cronjobs", name)
        if found is None:
            raise ActionFailed(f"kubernetes: there is no CronJob {name}")
        return from_cron_job(found)


def from_cron_job(cron_job: Object) -> Object:
    """The Job that a CronJob would make now, as ``kubectl create job --from`` makes it.

    Raises:
        ActionFailed: it has no template.
    """
    try:
        template, owner = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
        metadata = template.get("metadata") or {}
        notes = {**(metadata.get("annotations") or {}), "cronjob.kubernetes.io/instantiate": "manual"}
        owned = {
            "apiVersion": GROUP,
            "kind": "CronJob",
            "name": owner["name"],
            "uid": owner["uid"],
            "controller": True,
        }
        return {
            "apiVersion": GROUP,
            "kind": "Job",
            "metadata": {
                "labels": metadata.get("labels") or {},
                "annotations": notes,
                "ownerReferences": [owned],
            },
            "spec": template["spec"],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ActionFailed("kubernetes: expected a CronJob with a jobTemplate, got something else") from error


def with_environment(job: Object, more: Mapping[str, str]) -> Object:
    """*job* with variables in each container's environment, before its own of the same name.

    Raises:
        ActionFailed: it has no pod template.
    """
    added = [{"name": name, "value": value} for name, value in more.items()]
    try:
        pod = job["spec"]["template"]["spec"]
        containers = {
            key: [{**container, "env": _merged(added, container.get("env") or [])} for container in pod[key]]
            for key in ("initContainers", "containers")
            if pod.get(key)
        }
        template = {**job["spec"]["template"], "spec": {**pod, **containers}}
        return {**job, "spec": {**job["spec"], "template": template}}
    except (KeyError, TypeError, AttributeError) as error:
        raise ActionFailed("job: expected spec.template.spec with containers, got something else") from error


def _merged(added: list[Object], own: list[Object]) -> list[Object]:
    names = {variable["name"] for variable in added}
    return [*added, *(variable for variable in own if variable.get("name") not in names)]
