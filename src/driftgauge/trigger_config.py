"""The part of the configuration that `driftgauge trigger` reads; defaults stand here, once.

Policies say which alert may start which run, and what must hold before. Secrets are never settings:
a setting names the file that holds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from driftgauge.units import DAY, HOUR, MIB, Bytes, Seconds, described

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

# Alerts that say that the data or the sidecar is broken, so that what would be learned is not the world.
BLOCKING = (
    "Driftgauge*",
    "ModelSchemaBroken",
    "ModelFeatureMissing",
    "ModelFeatureUnseen",
    "ModelReferencesDiffer",
    "ModelWithout*",
    "ModelOutcomes*",
)


class ExportForm(StrEnum):
    """The form of an export."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that is asked before a run is started."""

    url: str | None = described("http://host:port, or https; not asked when absent", default=None)
    token_file: Path | None = described("a file whose first line is sent as bearer token", default=None)
    ca_file: Path | None = described(
        "certificates that https is checked against; the system's when absent", default=None
    )
    timeout: Seconds = described("how long one request may take", default=Seconds(5.0))


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Kubernetes API, for jobs and workflows; the defaults are a pod's own account."""

    url: str = described("where the API is", default="https://kubernetes.default.svc")
    namespace: str | None = described("where runs are made; the account's own when absent", default=None)
    token_file: Path = described("the account's token, read again at each request", default=ACCOUNT / "token")
    ca_file: Path | None = described("certificates that https is checked against", default=ACCOUNT / "ca.crt")
    timeout: Seconds = described("how long one request may take", default=Seconds(10.0))


@dataclass(frozen=True, slots=True)
class SharedExport:
    """The joined records that a run is given; needs `export.keep` of the sidecar."""

    data: Path | None = described(
        "the sidecar's data directory as the trigger sees it (it is only read); no export when absent",
        default=None,
    )
    directory: Path = described(
        "where exports are written, one file a decision", default=Path("driftgauge-exports")
    )
    seen_as: str | None = described(
        "the same directory as the run sees it, a path or URL; as it is written when absent", default=None
    )
    format: ExportForm = described("csv, ndjson or parquet", default=ExportForm.CSV)
    keep: int = described("files kept, the newest", default=10)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which no run is started; a decision is judged again with its alert's next delivery."""

    start: str = described("HH:MM")
    end: str = described("HH:MM; before start it is the next day's")
    zone: str = described("their time zone, as Europe/Berlin", default="UTC")


@dataclass(frozen=True, slots=True)
class CommandAction:
    """A program beside the trigger, started at most once a decision; no shell takes part."""

    arguments: tuple[str, ...] = described("the program and its arguments; each may use variables")
    timeout: Seconds = described("it is killed after so long", default=Seconds(6 * HOUR))


@dataclass(frozen=True, slots=True)
class WebhookAction:
    """A POST with an Idempotency-Key, repeated until it is answered with 2xx."""

    url: str = described("where it goes; may use no variables")
    body: Path | None = described(
        "a JSON file, its texts may use variables; all variables when absent", default=None
    )
    secret_file: Path | None = described(
        "a file whose first line is the key of the HMAC-SHA256 in the header X-Driftgauge-Signature-256; "
        "not signed when absent",
        default=None,
    )
    token_file: Path | None = described("a file whose first line is sent as bearer token", default=None)
    ca_file: Path | None = described(
        "certificates that https is checked against; the system's when absent", default=None
    )
    timeout: Seconds = described("how long one request may take", default=Seconds(10.0))


@dataclass(frozen=True, slots=True)
class JobAction:
    """A Kubernetes Job, from a CronJob's template or from a file."""

    cron_job: str | None = described("name of the CronJob whose template it is made from", default=None)
    template: Path | None = described("a YAML file with the Job, its texts may use variables", default=None)


@dataclass(frozen=True, slots=True)
class ArgoAction:
    """An Argo Workflow, from a WorkflowTemplate."""

    workflow_template: str = described("name of the WorkflowTemplate")
    cluster_scope: bool = described("whether it is a ClusterWorkflowTemplate", default=False)
    parameters: Mapping[str, str] = described(
        "the workflow's parameters; each may use variables", default_factory=dict
    )


@dataclass(frozen=True, slots=True)
class KubeflowAction:
    """A run of a Kubeflow pipeline (API v2beta1)."""

    url: str = described("where the pipelines API is, without /apis")
    pipeline: str = described("id of the pipeline")
    version: str | None = described("id of the pipeline's version; the newest when absent", default=None)
    experiment: str | None = described("id of the experiment; the default one when absent", default=None)
    parameters: Mapping[str, str] = described(
        "the run's parameters; each may use variables", default_factory=dict
    )
    token_file: Path | None = described("a file whose first line is sent as bearer token", default=None)
    ca_file: Path | None = described(
        "certificates that https is checked against; the system's when absent", default=None
    )
    timeout: Seconds = described("how long one request may take", default=Seconds(10.0))


@dataclass(frozen=True, slots=True)
class Judgement:
    """When a new version has shown whether the run was worth it."""

    outcomes: int = described("outcomes of the new version from which it is judged, once", default=500)
    window: Seconds = described("which of the model's windows it is judged by", default=Seconds(7 * DAY))
    within: Seconds = described(
        "after so long without a judgement the record is closed", default=Seconds(30 * DAY)
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """Which alerts may start which run, and what must hold before."""

    alerts: tuple[str, ...] = described("names of alerts; `Model*` is every name that begins so")
    models: tuple[str, ...] = described("models; every one when empty", default=())
    severities: tuple[str, ...] = described("values of the label severity; every one when empty", default=())
    cooldown: Seconds = described(
        "one decision for each model and cause, and one run for each model, in it", default=Seconds(7 * DAY)
    )
    runs_per_day: int = described("runs of this policy in any 24 hours, all models together", default=3)
    matured_labels: int = described(
        "outcomes that must have matured since the change began; 0 asks nobody", default=500
    )
    blocked_by: tuple[str, ...] = described(
        "alerts that forbid a run while they fire for the model, or for no model", default=BLOCKING
    )
    runs_without_improvement: int = described(
        "after so many runs in a row that improved nothing a person must approve the next", default=2
    )
    quiet: Quiet | None = described("hours in which no run is started", default=None)
    dry_run: bool = described("decide and record, and start nothing", default=False)
    approval: bool = described("whether a person must approve each run", default=False)
    judge: Judgement = described("when a new version is judged", default_factory=Judgement)
    command: CommandAction | None = described("start a program", default=None)
    webhook: WebhookAction | None = described("send a webhook", default=None)
    job: JobAction | None = described("start a Kubernetes Job", default=None)
    argo: ArgoAction | None = described("start an Argo Workflow", default=None)
    kubeflow: KubeflowAction | None = described("start a run of a Kubeflow pipeline", default=None)


ACTIONS = ("command", "webhook", "job", "argo", "kubeflow")


@dataclass(frozen=True, slots=True)
class Trigger:
    """The retraining service `driftgauge trigger`; `serve` reads nothing of it."""

    listen: str = described("host:port", default="127.0.0.1:9879")
    token_file: Path | None = described(
        "a file whose first line is the bearer token that Alertmanager must show", default=None
    )
    approval_token_file: Path | None = described(
        "the token of those who may approve runs and say how an unknown one ended; nobody may when absent",
        default=None,
    )
    directory: Path = described("where decisions are kept", default=Path("driftgauge-trigger"))
    keep: Seconds = described("how long closed decisions are kept", default=Seconds(400 * DAY))
    max_body: Bytes = described("largest body of a webhook", default=Bytes(MIB))
    look: Seconds = described("time between looks at runs, versions and what waits", default=Seconds(30.0))
    sidecar: Endpoint = described("a door of the sidecar, for labels and versions", default_factory=Endpoint)
    prometheus: Endpoint = described(
        "the same from Prometheus, when the sidecar has no url", default_factory=Endpoint
    )
    alertmanager: Endpoint = described(
        "asked for firing alerts, beside those that it sent", default_factory=Endpoint
    )
    kubernetes: Cluster = described("for jobs and workflows", default_factory=Cluster)
    export: SharedExport = described("joined records for the run", default_factory=SharedExport)
    policies: Mapping[str, Policy] = described(
        "policies by name; the first that fits an alert decides", default_factory=dict
    )
