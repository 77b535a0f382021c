"""Rules that the section `trigger` keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from driftgauge.config_file.addresses import UnixAddress, parse_address
from driftgauge.config_file.fault import Fault, KeyPath, either, repeated, shown
from driftgauge.config_file.scalars import duration_text, size_text
from driftgauge.trigger_config import ACTIONS, CommandAction, JobAction, Policy, Quiet, Trigger
from driftgauge.units import DAY

LONGEST_COOLDOWN = 400 * DAY
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\Z")
_HOUR = re.compile(r"[0-2][0-9]:[0-5][0-9]\Z")


def trigger_faults(trigger: Trigger) -> Iterator[Fault]:
    """All rules that *trigger* breaks."""
    path: KeyPath = ("trigger",)
    yield from _listen_faults((*path, "listen"), trigger.listen)
    for name in ("keep", "look"):
        yield from _above_0((*path, name), getattr(trigger, name))
    if trigger.max_body <= 0:
        yield Fault((*path, "max_body"), "a size above 0", size_text(trigger.max_body))
    for name in ("sidecar", "prometheus", "alertmanager", "kubernetes"):
        peer = getattr(trigger, name)
        yield from _above_0((*path, name, "timeout"), peer.timeout)
        if peer.url is not None:
            yield from _url_faults((*path, name, "url"), peer.url)
    if trigger.kubernetes.namespace is not None:
        yield from _name_faults((*path, "kubernetes", "namespace"), trigger.kubernetes.namespace)
    if trigger.export.keep < 1:
        yield Fault((*path, "export", "keep"), "at least 1", str(trigger.export.keep))
    for name, policy in trigger.policies.items():
        yield from _policy_faults((*path, "policies", name), policy, trigger)


def _listen_faults(path: KeyPath, listen: str) -> Iterator[Fault]:
    try:
        address = parse_address(listen)
    except ValueError as unfit:
        yield Fault(path, str(unfit), shown(listen))
        return
    if isinstance(address, UnixAddress):
        yield Fault(path, "host:port", shown(listen))


def _policy_faults(path: KeyPath, policy: Policy, trigger: Trigger) -> Iterator[Fault]:
    if not policy.alerts:
        yield Fault((*path, "alerts"), "a name of an alert", "none")
    for key in ("alerts", "models", "severities", "blocked_by"):
        yield from _list_faults((*path, key), getattr(policy, key))
    yield from _number_faults(path, policy)
    yield from _source_faults(path, policy, trigger)
    if policy.quiet is not None:
        yield from _quiet_faults((*path, "quiet"), policy.quiet)
    if policy.approval and trigger.approval_token_file is None:
        token = ("trigger", "approval_token_file")
        yield Fault((*path, "approval"), "trigger.approval_token_file beside it", "none", (token,))
    yield from _action_faults(path, policy)


def _list_faults(path: KeyPath, texts: tuple[str, ...]) -> Iterator[Fault]:
    for index, text in repeated(texts):
        yield Fault((*path, index), "each of them once", f"{shown(text)} again")
    for index, text in enumerate(texts):
        if not text:
            yield Fault((*path, index), "a text that is not empty", "''")


def _number_faults(path: KeyPath, policy: Policy) -> Iterator[Fault]:
    yield from _above_0((*path, "cooldown"), policy.cooldown)
    if policy.cooldown > LONGEST_COOLDOWN:
        yield Fault((*path, "cooldown"), "at most 400d", duration_text(policy.cooldown))
    for key, least in (("runs_per_day", 1), ("matured_labels", 0), ("runs_without_improvement", 1)):
        if getattr(policy, key) < least:
            yield Fault((*path, key), f"at least {least}", str(getattr(policy, key)))
    if policy.judge.outcomes < 1:
        yield Fault((*path, "judge", "outcomes"), "at least 1", str(policy.judge.outcomes))
    for key in ("window", "within"):
        yield from _above_0((*path, "judge", key), getattr(policy.judge, key))


def _source_faults(path: KeyPath, policy: Policy, trigger: Trigger) -> Iterator[Fault]:
    if policy.matured_labels and trigger.sidecar.url is None and trigger.prometheus.url is None:
        urls = (("trigger", "sidecar", "url"), ("trigger", "prometheus", "url"))
        expected = "trigger.sidecar.url or trigger.prometheus.url, where they are counted, or 0"
        yield Fault((*path, "matured_labels"), expected, str(policy.matured_labels), urls)


def _quiet_faults(path: KeyPath, quiet: Quiet) -> Iterator[Fault]:
    for key in ("start", "end"):
        text: str = getattr(quiet, key)
        try:
            found = time.fromisoformat(text) if _HOUR.match(text) else None
        except ValueError:
            found = None
        if found is None:
            yield Fault((*path, key), "HH:MM from 00:00 to 23:59", shown(text))
    if quiet.start == quiet.end:
        yield Fault((*path, "end"), "another time than start", shown(quiet.end))
    try:
        ZoneInfo(quiet.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault((*path, "zone"), "a time zone as Europe/Berlin or UTC", shown(quiet.zone))


def _action_faults(path: KeyPath, policy: Policy) -> Iterator[Fault]:
    found = [name for name in ACTIONS if getattr(policy, name) is not None]
    if len(found) != 1:
        yield Fault(path, f"one of {either(ACTIONS)}", either(found) or "none")
    if policy.command is not None:
        yield from _command_faults((*path, "command"), policy.command)
    if policy.job is not None:
        yield from _job_faults((*path, "job"), policy.job)
    if policy.argo is not None:
        yield from _name_faults((*path, "argo", "workflow_template"), policy.argo.workflow_template)
    for name, peer in (("webhook", policy.webhook), ("kubeflow", policy.kubeflow)):
        if peer is not None:
            yield from _url_faults((*path, name, "url"), peer.url)
            yield from _above_0((*path, name, "timeout"), peer.timeout)
    if policy.kubeflow is not None and not policy.kubeflow.pipeline:
        yield Fault((*path, "kubeflow", "pipeline"), "an id", "''")


def _command_faults(path: KeyPath, command: CommandAction) -> Iterator[Fault]:
    if not command.arguments or not command.arguments[0]:
        yield Fault((*path, "arguments"), "a program", "none")
    yield from _above_0((*path, "timeout"), command.timeout)


def _job_faults(path: KeyPath, job: JobAction) -> Iterator[Fault]:
    if (job.cron_job is None) == (job.template is None):
        yield Fault(path, "either cron_job or template", "none" if job.template is None else "both")
    if job.cron_job is not None:
        yield from _name_faults((*path, "cron_job"), job.cron_job)


def _name_faults(path: KeyPath, name: str) -> Iterator[Fault]:
    if not _NAME.match(name):
        yield Fault(path, "a name of Kubernetes (a-z, 0-9, - and .)", shown(name))


def _url_faults(path: KeyPath, url: str) -> Iterator[Fault]:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        bare = not parts.username and not parts.password
    except ValueError:
        fits = bare = False
    if not fits:
        yield Fault(path, "http:// or https:// and a host", shown(url))
    elif not bare:
        # A file of settings is no place for a secret, and this one would be printed.
        yield Fault(path, "no user or password in it, but a token_file", "one")


def _above_0(path: KeyPath, seconds: float) -> Iterator[Fault]:
    if seconds <= 0:
        yield Fault(path, "a duration above 0", duration_text(seconds))
