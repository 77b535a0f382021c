"""Each policy's action, from the configuration; templates are read and their variables checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from driftgauge.config_file import Fault
from driftgauge.trigger.actions.action import Action
from driftgauge.trigger.actions.argo import Argo
from driftgauge.trigger.actions.cluster import Kubernetes
from driftgauge.trigger.actions.command import Command
from driftgauge.trigger.actions.job import Job
from driftgauge.trigger.actions.kubeflow import Kubeflow
from driftgauge.trigger.actions.webhook import Webhook
from driftgauge.trigger.asking import Asker
from driftgauge.trigger.variables import document_faults, faults
from driftgauge.trigger_config import Policy, Trigger

LARGEST_TEMPLATE = 1 << 20


def actions(trigger: Trigger, asker: Asker, moved: Callable[[], None]) -> dict[str, Action]:
    """The actions by their policy's name.

    Args:
        moved: called when a run has ended by itself.

    Raises:
        ValueError: a policy has none, or its template can't be used; `template_faults` says so beforehand.
    """
    cluster = Kubernetes(trigger.kubernetes, asker)
    return {
        name: _action(policy, trigger, asker, cluster, moved) for name, policy in trigger.policies.items()
    }


def _action(
    policy: Policy, trigger: Trigger, asker: Asker, cluster: Kubernetes, moved: Callable[[], None]
) -> Action:
    if policy.command is not None:
        return Command(policy.command, trigger.directory / "runs", moved)
    if policy.webhook is not None:
        body = None if policy.webhook.body is None else _json(policy.webhook.body)
        return Webhook(policy.webhook, body, asker)
    if policy.job is not None:
        template = None if policy.job.template is None else _yaml(policy.job.template)
        return Job(policy.job, template, cluster)
    if policy.argo is not None:
        return Argo(policy.argo, cluster)
    if policy.kubeflow is not None:
        return Kubeflow(policy.kubeflow, asker)
    raise ValueError("expected an action")


def template_faults(trigger: Trigger) -> Iterator[Fault]:
    """What is wrong with the templates of all policies: unknown variables, files that can't be read."""
    for name, policy in trigger.policies.items():
        path = ("trigger", "policies", name)
        if policy.command is not None:
            for index, argument in enumerate(policy.command.arguments):
                yield from _text_faults((*path, "command", "arguments", index), argument)
        if policy.webhook is not None and policy.webhook.body is not None:
            yield from _file_faults((*path, "webhook", "body"), policy.webhook.body, _json)
        if policy.job is not None and policy.job.template is not None:
            yield from _file_faults((*path, "job", "template"), policy.job.template, _yaml)
        for kind, run in (("argo", policy.argo), ("kubeflow", policy.kubeflow)):
            for key, text in run.parameters.items() if run is not None else ():
                yield from _text_faults((*path, kind, "parameters", key), text)


def _text_faults(path: tuple[str | int, ...], text: str) -> Iterator[Fault]:
    for fault in faults(text):
        yield _fault(path, fault)


def _file_faults(path: tuple[str | int, ...], file: Path, parse: Callable[[Path], Any]) -> Iterator[Fault]:
    try:
        document = parse(file)
    except ValueError as unfit:
        yield _fault(path, str(unfit))
        return
    for fault in document_faults(document):
        yield _fault(path, f"{fault} ({file})")


def _fault(path: tuple[str | int, ...], text: str) -> Fault:
    expected, _, found = text.removeprefix("expected ").partition(", got ")
    return Fault(path, expected, found)


def _json(path: Path) -> Any:
    try:
        return msgspec.json.decode(_content(path))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError(f"expected a JSON document, got something else ({path})") from None


def _yaml(path: Path) -> Any:
    found: Any = None
    try:
        found = yaml.safe_load(_content(path))
        found["spec"]["template"]["spec"]["containers"][0]["name"]
        fits = found["kind"] == "Job"
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, KeyError, IndexError, TypeError):
        fits = False
    if not fits:
        expected = "a YAML document with a Job (kind: Job, spec.template.spec.containers)"
        raise ValueError(f"expected {expected}, got something else ({path})")
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEMPLATE + 1)
    except OSError as error:
        found = (error.strerror or "an error").lower()
        raise ValueError(f"expected a readable file, got {found} ({path})") from error
    if len(content) > LARGEST_TEMPLATE:
        raise ValueError(f"expected a file of at most 1 MiB, got a larger one ({path})")
    return content
