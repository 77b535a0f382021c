"""One tiny bad `trigger:` and the whole message for each of its rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from driftgauge.config_file import format_config, load
from driftgauge.errors import ConfigurationError
from driftgauge.trigger_config import ACTIONS, Policy, Trigger

RUN = "command: {arguments: ['true']}"


def trigger(*lines: str) -> str:
    """A file with these lines under `trigger`; the first is line 2."""
    return "trigger:\n" + "".join(f"  {line}\n" for line in lines)


def policy(*lines: str, action: str = RUN) -> str:
    """A file with these lines in the policy p; the first is line 6."""
    head = ("policies:", "  p:", "    alerts: [A]", f"    {action}" if action else "    dry_run: true")
    return trigger(*head, *(f"    {line}" for line in ("matured_labels: 0", *lines)))


BAD = {
    trigger("listen: 9879"): "2 trigger.listen: expected host:port, [ipv6]:port or unix:/path, got '9879'",
    trigger("listen: unix:/x"): "2 trigger.listen: expected host:port, got 'unix:/x'",
    trigger("look: 0s"): "2 trigger.look: expected a duration above 0, got 0s",
    trigger("keep: 0s"): "2 trigger.keep: expected a duration above 0, got 0s",
    trigger("max_body: 0B"): "2 trigger.max_body: expected a size above 0, got 0B",
    trigger("tokenfile: secret"): (
        "2 trigger.tokenfile: expected a known key, got 'tokenfile' (did you mean token_file?)"
    ),
    trigger("sidecar: {url: 'ftp://x'}"): (
        "2 trigger.sidecar.url: expected http:// or https:// and a host, got 'ftp://x'"
    ),
    trigger("prometheus: {url: 'http://'}"): (
        "2 trigger.prometheus.url: expected http:// or https:// and a host, got 'http://'"
    ),
    trigger("alertmanager: {url: 'http://me:secret@x'}"): (
        "2 trigger.alertmanager.url: expected no user or password in it, but a token_file, got one"
    ),
    trigger("kubernetes: {timeout: 0s}"): (
        "2 trigger.kubernetes.timeout: expected a duration above 0, got 0s"
    ),
    trigger("export: {keep: 0}"): "2 trigger.export.keep: expected at least 1, got 0",
    trigger("export: {format: xml}"): "2 trigger.export.format: expected csv, ndjson or parquet, got 'xml'",
    trigger("policies:", "  p:", f"    {RUN}"): (
        "3 trigger.policies.p: expected the key alerts, got none"
    ),
    trigger("policies:", "  p: {alerts: [A], command: {arguments: [x]}}"): (
        "3 trigger.policies.p.matured_labels: expected trigger.sidecar.url or trigger.prometheus.url, "
        "where they are counted, or 0, got 500"
    ),
    trigger("policies:", "  p: {alerts: [], matured_labels: 0, command: {arguments: [x]}}"): (
        "3 trigger.policies.p.alerts: expected a name of an alert, got none"
    ),
    policy("models: [a, a]"): "7 trigger.policies.p.models[1]: expected each of them once, got 'a' again",
    policy("models: ['']"): "7 trigger.policies.p.models[0]: expected a text that is not empty, got ''",
    policy("cooldown: 0s"): "7 trigger.policies.p.cooldown: expected a duration above 0, got 0s",
    policy("cooldown: 401d"): "7 trigger.policies.p.cooldown: expected at most 400d, got 401d",
    policy("runs_per_day: 0"): "7 trigger.policies.p.runs_per_day: expected at least 1, got 0",
    policy("runs_without_improvement: 0"): (
        "7 trigger.policies.p.runs_without_improvement: expected at least 1, got 0"
    ),
    policy("judge: {outcomes: 0}"): "7 trigger.policies.p.judge.outcomes: expected at least 1, got 0",
    policy("judge: {within: 0s}"): (
        "7 trigger.policies.p.judge.within: expected a duration above 0, got 0s"
    ),
    policy("approval: true"): (
        "7 trigger.policies.p.approval: expected trigger.approval_token_file beside it, got none"
    ),
    policy("quiet: {start: '22:00'}"): "7 trigger.policies.p.quiet: expected the key end, got none",
    policy("quiet: {start: '24:00', end: '06:00'}"): (
        "7 trigger.policies.p.quiet.start: expected HH:MM from 00:00 to 23:59, got '24:00'"
    ),
    policy("quiet: {start: 22:00, end: 6:00}"): (
        "7 trigger.policies.p.quiet.end: expected HH:MM from 00:00 to 23:59, got '6:00'"
    ),
    policy("quiet: {start: '22:00', end: '22:00'}"): (
        "7 trigger.policies.p.quiet.end: expected another time than start, got '22:00'"
    ),
    policy("quiet: {start: '22:00', end: '06:00', zone: Europe/Bonn}"): (
        "7 trigger.policies.p.quiet.zone: expected a time zone as Europe/Berlin or UTC, got 'Europe/Bonn'"
    ),
    policy(action=""): (
        "3 trigger.policies.p: expected one of command, webhook, job, argo or kubeflow, got none"
    ),
    policy("job: {cron_job: x}"): (
        "3 trigger.policies.p: expected one of command, webhook, job, argo or kubeflow, got command or job"
    ),
    policy(action="command: {arguments: []}"): (
        "5 trigger.policies.p.command.arguments: expected a program, got none"
    ),
    policy(action="command: {arguments: [x], timeout: 0s}"): (
        "5 trigger.policies.p.command.timeout: expected a duration above 0, got 0s"
    ),
    policy(action="job: {}"): "5 trigger.policies.p.job: expected either cron_job or template, got none",
    policy(action="job: {cron_job: a, template: b}"): (
        "5 trigger.policies.p.job: expected either cron_job or template, got both"
    ),
    policy(action="job: {cron_job: ../secrets}"): (
        "5 trigger.policies.p.job.cron_job: expected a name of Kubernetes (a-z, 0-9, - and .), got '../secrets'"
    ),
    policy(action="argo: {workflow_template: A}"): (
        "5 trigger.policies.p.argo.workflow_template: expected a name of Kubernetes (a-z, 0-9, - and .), got 'A'"
    ),
    policy(action="webhook: {url: x}"): (
        "5 trigger.policies.p.webhook.url: expected http:// or https:// and a host, got 'x'"
    ),
    policy(action="kubeflow: {url: 'http://x', pipeline: ''}"): (
        "5 trigger.policies.p.kubeflow.pipeline: expected an id, got ''"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=[m.split(":")[0] for m in BAD.values()])
def test_the_message(text, message):
    with pytest.raises(ConfigurationError) as caught:
        load(Path("c.yaml"), text=text)
    assert caught.value.faults == (f"c.yaml:{message}",)


def test_a_namespace_can_not_leave_its_path():
    with pytest.raises(
        ConfigurationError, match=r"trigger\.kubernetes\.namespace: expected a name of Kubernetes"
    ):
        load(Path("c.yaml"), text=trigger("kubernetes: {namespace: '../x'}"))


def test_every_action_is_a_setting_of_a_policy():
    names = [field.name for field in dataclasses.fields(Policy)]
    assert names[-len(ACTIONS) :] == list(ACTIONS)


def test_a_whole_section_is_the_same_when_written_again():
    text = policy("quiet: {start: '22:00', end: '06:00', zone: Europe/Berlin}", "models: ['1', a b]")
    config = load(Path("/c.yaml"), text=text)
    assert config.trigger != Trigger()
    again = load(Path("/c.yaml"), text=format_config(config))
    assert again.trigger.policies == config.trigger.policies
