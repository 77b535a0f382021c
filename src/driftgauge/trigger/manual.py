"""docs/trigger.md: the prose, and tables made from the states, guards and variables themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from driftgauge.trigger.decision import Guard, State, Verdict
from driftgauge.trigger.variables import NAMES

_STATES: Mapping[State, str] = MappingProxyType(
    {
        State.OPEN: "committed; to be judged",
        State.REFUSED: "a guard forbade the run; judged again with each further delivery of its alert, until "
        "its cool-down is over",
        State.DRY_RUN: "the run would have been started; nothing was (closed)",
        State.AWAITING_APPROVAL: "nothing forbids the run but that a person must approve it",
        State.STARTING: "recorded as about to start; a Job, a workflow, a pipeline run or a webhook is tried "
        "again, under the same name, for an hour",
        State.RUNNING: "started",
        State.FINISHED: "ended well; closed once its version is judged",
        State.FAILED: "could not be started, or ended badly (closed)",
        State.UNKNOWN: "nobody knows whether it ran or how it ended; a person must say",
        State.EXPIRED: "its cool-down was over before a run was started (closed)",
    }
)
_GUARDS: Mapping[Guard, str] = MappingProxyType(
    {
        Guard.COOLDOWN: "another run of the model was started within `cooldown`",
        Guard.RUNS_PER_DAY: "the policy has started `runs_per_day` runs in the last 24 hours",
        Guard.LABELS_FEW: "fewer than `matured_labels` outcomes have matured since the change began",
        Guard.LABELS_UNKNOWN: "nobody answered how many there are, or the label delay isn't known yet",
        Guard.BLOCKING_ALERT: "an alert of `blocked_by` fires for the model, or for no model",
        Guard.ALERTS_UNKNOWN: "Alertmanager is configured and did not answer what fires",
        Guard.UNJUDGED_RUN: "the model's last run has not been judged yet",
        Guard.UNKNOWN_RUN: "the model's last run is `unknown`",
        Guard.NO_IMPROVEMENT: "the last `runs_without_improvement` runs improved nothing; an approval lifts "
        "this one alone",
        Guard.QUIET_HOURS: "it is within `quiet`",
        Guard.VERSIONS_UNKNOWN: "nobody answered which versions there are, so the new one could not be told",
        Guard.EXPORT_FAILED: "the joined records could not be written, or there are none",
        Guard.POLICY_GONE: "the configuration has no policy of that name any more",
    }
)
_VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.IMPROVED: "the 95% interval of the difference lies above 0 (below 0 for MAE)",
        Verdict.NOT_IMPROVED: "it lies on the other side",
        Verdict.UNDECIDED: "it holds 0, or there were too few outcomes in `judge.within`",
        Verdict.NO_VERSION: "no new version had traffic in `judge.within`",
    }
)

_TEXT = """\
# Retraining behind guards

Made by `make generate`; the tables come from the code.

`driftgauge trigger` is a small service apart from the sidecars, one for a whole installation. It takes
Alertmanager's webhooks, decides by policy, and starts a run: a Kubernetes Job, an Argo Workflow, a run of a
Kubeflow pipeline, a webhook, or a command. It trains, registers and rolls out nothing itself. Every setting
stands in [configuration.md](configuration.md#trigger) and, explained, in
[config.example.yaml](../config.example.yaml).

## Begin

```yaml
trigger:
  sidecar: {{url: "http://127.0.0.1:9878"}}
  policies:
    retrain_churn:
      alerts: [ModelQualityBelowReference, ModelManyFeaturesDrifted]
      models: [churn]
      dry_run: true # decides and records; take it away when the decisions look right
      command: {{arguments: [./retrain.sh, $model, $change_began]}}
```

`driftgauge check FILE` names what is wrong with it, the variables of its templates too. Then
`driftgauge trigger --config FILE`, and in Alertmanager:

```yaml
receivers:
  - name: driftgauge-trigger
    webhook_configs:
      - url: http://127.0.0.1:9879/v1/alerts
        send_resolved: true
        http_config:
          authorization: {{credentials_file: /etc/alertmanager/trigger.token}}
```

Do not set `payload:` there: it replaces the body that the trigger reads. Send the alerts that block a run
(`blocked_by`) to the same receiver, or let the trigger ask Alertmanager itself
(`trigger.alertmanager.url`): what it only hears of it believes until a resolved webhook comes.
`repeat_interval` is how often a refused decision is judged again. An alert without the label `model`
starts nothing.

## One decision

There is one decision for each model and cause (the alert's name) in a cool-down, whatever the alert's
`startsAt`, its other labels, its redeliveries, or a second Alertmanager. The change began with the earliest
`startsAt` among its alerts.

A webhook is answered with 2xx once its alerts are committed, within a second; judging and starting come
after. It is answered with 503, which Alertmanager repeats, when they could not be committed; any other
answer means that repeating would not help. A body that is no webhook, or an alert that can't be read, is
counted with its reason (`driftgauge_trigger_requests_rejected_total`, `driftgauge_trigger_alerts_total`).

`GET /v1/decisions` lists decisions, the newest first (`?model=`, `?state=`, `?limit=`), and
`GET /v1/decisions/{{id}}` tells one with all that happened to it. `/openapi.json` describes all paths, and
[metrics.md](metrics.md) the metrics (`driftgauge_trigger_*`); the alerts RetrainingWaits and RetrainingFailed
stand on them. Decisions are kept in SQLite, in a directory of the trigger's own, each commit safe from power
loss. A damaged file is not replaced by an empty one: the trigger says so and ends, because an empty one would
not know what was started.

{states}

## Guards

All are asked, and all that forbid the run are told. What can't be found out forbids it.

{guards}

A run that needs an approval waits for `POST /v1/decisions/{{id}}/approve` with the token of
`approval_token_file`; then all other guards are asked again.

`matured_labels` are counted so that rather too few than too many are: outcomes that came later than the
change and the model's label delay (`driftgauge_matures_after_seconds`). The sidecar tells them by whole
hours; Prometheus by `increase()` over `driftgauge_outcomes_joined_total`. Ask Prometheus where several
sidecars share a model's traffic, and for models that keep the clock of their records, whose hours are not
the alert's.

## What a run is told

{variables}

As `$name` or `${{name}}` in texts of templates, parameters and arguments (`$$` is a dollar sign; unknown
names are refused by `check` and at the start), and as environment variables (`DRIFTGAUGE_MODEL`) of a
command and of all containers of a Job. Documents are parsed first and their texts filled after, so that
no value can leave its quotes; a value is always a text.

- **command**: `arguments`, started without a shell, its output in `runs/` beside the database. At most once:
  that it starts is recorded before it does. When the trigger ends meanwhile, the command goes on, and its
  decision is `unknown` at the next start: look at what it did, then
  `POST /v1/decisions/{{id}}/settle?ended=finished` or `failed`.
- **webhook**: a POST of `body` (a JSON file; all variables as one object without it), repeated until it is
  answered with 2xx. `Idempotency-Key` is the run's name, the same each time, as is the body; with
  `secret_file`, `X-Driftgauge-Signature-256: sha256=<hexadecimal HMAC-SHA256 of the body>`. How the run ended
  isn't known; its version closes the record.
- **job**: a Job from a CronJob's template (`cron_job`, which may be suspended) or from a file (`template`).
- **argo**: a Workflow from a WorkflowTemplate, made through the Kubernetes API.
- **kubeflow**: a run by the pipelines API v2beta1. That API takes two runs of one name, so it is asked for
  one of the name before each try.

Jobs and workflows are called `driftgauge-<decision>`, so that the API server refuses a second one: its
409 means that the run is there already. The id is made from model, cause and the number of the cool-down,
so that a second trigger that hears the same alert names the same run, but where a cool-down's edge lies
just between the two. Run one replica all the same: what a model's last run came to, each knows for
itself.

The account needs: `create` and `get` of `jobs` (`batch`), `get` of `cronjobs`; for Argo `create` and
`get` of `workflows` (`argoproj.io`). [The chart](../helm/driftgauge/README.md) makes it with
`trigger.enabled: true`.

## Joined records for the run

With `export.keep` and `export.features` the sidecar keeps joined records. Where the trigger sees the
sidecar's data directory (`trigger.export.data`; a volume that both mount, it is only read), it writes
what `driftgauge export` would of the model, one file a decision, into `trigger.export.directory`, before
the run is started; `$export` is that file's path, or `seen_as` and its name where the run sees the
directory elsewhere. Nothing kept for the model: no run (`export_failed`). Without `data` there is no
export, and `$export` is empty; `driftgauge check` says so. Feature values of single records are then in
that directory: it is as private as the data themselves.

## Was it worth it?

The versions that the model had are recorded when a run is started, and the newest one's quality. The
first look at which another version has traffic names the run's version, whoever rolled it out. Once it
has `judge.outcomes` outcomes in `judge.window` it is judged, once: by `driftgauge_version_*_difference`
(ROC AUC, else accuracy, else MAE) where both versions had traffic in that window; else against the old
one's quality when the run was started, the two taken as independent. The world may have moved between the
two: the first way is the better one, so let the old version serve a share for a while.

{verdicts}

Anything but `improved` improves nothing. The record then has the difference, its interval and its basis.

## Doors

`trigger.listen` is 127.0.0.1:9879. `token_file` guards webhooks and decisions, `approval_token_file`
approvals and settlements; both are read again when they change, and compared in constant time.
`/healthz`, `/readyz` and `/metrics` need none. SIGTERM ends it after what is being recorded; a change of
the configuration needs a restart. `time_scale` divides cool-downs, days, and the times of `look` and
`judge.within`.
"""


def page() -> str:
    """The whole document."""
    return _TEXT.format(
        states=_table("state", ((state, _STATES[state]) for state in State)),
        guards=_table("guard", ((guard, _GUARDS[guard]) for guard in Guard)),
        variables=_table("variable", NAMES.items()),
        verdicts=_table("verdict", ((verdict, _VERDICTS[verdict]) for verdict in Verdict)),
    )


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head} | meaning |", "| --- | --- |", *(f"| `{name}` | {words} |" for name, words in rows)]
    return "\n".join(lines)
