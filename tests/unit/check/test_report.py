"""What `check` says: faults and warnings in exact words."""

from __future__ import annotations

import numpy as np
import pytest

from driftgauge import reference as references
from driftgauge.check import check
from driftgauge.sketches.learning import Learning


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes config.yaml beside good and bad files, and checks it."""
    monkeypatch.chdir(tmp_path)
    row = Learning(2).row(("f:age",), np.arange(200.0)[None], {"f:plan": ["a", "b"] * 100}, 200, {})
    made = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=50)
    (tmp_path / "good.reference.json").write_bytes(references.to_json(made))
    (tmp_path / "bad.reference.json").write_text("{}")
    (tmp_path / "good.token").write_text("secret\n")
    (tmp_path / "empty.token").write_text("\n")
    (tmp_path / "long.token").write_text("x" * 5000)
    (tmp_path / "folder").mkdir()

    def judge(text):
        (tmp_path / "config.yaml").write_text(text)
        from pathlib import Path

        return check(Path("config.yaml"))

    return judge


DECLARED = "models: {m: {features: FEATURES, windows: [1h], outcomes: {horizon: 1d}, reference: good.reference.json}}"
VALUED = (
    "{windows: [1h], outcomes: {horizon: 1d}, reference: good.reference.json, task: binary, "
    "value: {currency: EUR, weight: plan}}"
)
SEGMENTED = (
    "{windows: [1h], outcomes: {horizon: 1d}, reference: good.reference.json, segment_drift: [income]}"
)
QUIET = "{windows: [1h], outcomes: {horizon: 1d}, reference: %s}"


def test_a_good_file_is_quiet(written):
    report = written("intake: {token_file: good.token}\nmodels:\n  churn: " + QUIET % "good.reference.json")
    assert (report.faults, report.warnings) == ((), ())
    (model,) = report.models
    assert (model.model, model.dropped, model.versions) == ("churn", 0, 3)
    assert report.series == report.process_series + model.series
    assert report.bytes == report.process_bytes + model.bytes


def test_faults_of_the_file_itself_are_all_there_is(written):
    report = written("models:\n  churn: {task: bin}\nevaluate: 15\n")
    assert report.faults == (
        "config.yaml:2 models.churn.task: expected binary, multiclass or regression, got 'bin'",
        "config.yaml:3 evaluate: expected a duration with its unit (ms, s, m, h, d or w) such as 30s, got 15",
    )
    assert report.models == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "models:\n  churn:\n    task: binary\n    reference: none.json",
            "config.yaml:4 models.churn.reference: expected a file from `driftgauge profile`, got "
            "none.json: can't be read: No such file or directory",
        ),
        (
            "defaults:\n  reference: folder",
            "config.yaml:2 defaults.reference: expected a file from `driftgauge profile`, got "
            "folder: can't be read: Is a directory",
        ),
        (
            "models:\n  churn: {reference: bad.reference.json}",
            "config.yaml:2 models.churn.reference: expected a file from `driftgauge profile`, got "
            "bad.reference.json: expected a reference file, got: Object missing required field `format`",
        ),
        (
            "intake:\n  token_file: none.token",
            "config.yaml:2 intake.token_file: expected a readable file whose first line is a token, got "
            "none of that name (none.token)",
        ),
        (
            "observation: {token_file: folder}",
            "config.yaml:1 observation.token_file: expected a readable file whose first line is a token, got "
            "no regular file (folder)",
        ),
        (
            "outside:\n  listen: 0.0.0.0:9879\n  token_file: empty.token",
            "config.yaml:3 outside.token_file: expected a readable file whose first line is a token, got "
            "an empty first line (empty.token)",
        ),
        (
            "intake: {token_file: long.token}",
            "config.yaml:1 intake.token_file: expected a readable file whose first line is a token, got "
            "more than 4096 bytes (long.token)",
        ),
    ],
)  # fmt: skip
def test_files_that_are_named_must_be_good(written, text, fault):
    report = written(text)
    assert report.faults == (fault,)
    assert report.models, "a scrape is estimated all the same"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "models: {churn: {windows: [1h], outcomes: {horizon: 30d}}}",
            "store.directory: windows or horizons of more than 1d (churn (30d)) outlive most pods: "
            "driftgauge-data must lie on a volume that is kept, or they never fill",
        ),
        (
            "models: {m: %s}\nstore: {durability: memory}" % (QUIET % "good.reference.json"),
            "store.durability: memory: what was acknowledged is lost with the process",
        ),
        (
            "models: {m: %s}\nintake: {listen: '0.0.0.0:9877'}" % (QUIET % "good.reference.json"),
            "intake.listen: 0.0.0.0:9877 can be reached from outside the pod and asks for no token; "
            "use 127.0.0.1, or intake.token_file",
        ),
        (
            "models: {m: %s}\nexport: {keep: 30d}" % (QUIET % "good.reference.json"),
            "export.features: none is named, so records are kept without any feature",
        ),
        (
            "models: {m: %s}\ntime_scale: 60" % (QUIET % "good.reference.json"),
            "time_scale: 60 divides durations; it is for demonstrations and tests",
        ),
        (
            DECLARED.replace("FEATURES", "{income: {kind: numeric}}"),
            "models.m.features.income: the reference file doesn't have it, so it is not watched",
        ),
        (
            DECLARED.replace("FEATURES", "{plan: {kind: numeric}}"),
            "models.m.features.plan.kind: declared numeric, but the reference file has it as categorical, "
            "which counts; profile again with --model-config",
        ),
        (
            f"models: {{m: {VALUED}}}",
            "models.m.value.weight: the reference file has plan as categorical, so no record has a value; "
            "profile again with --model-config",
        ),
        (
            f"models: {{m: {SEGMENTED}}}",
            "models.m.segment_drift: the reference file doesn't have income as a numeric or categorical "
            "feature, so its drift is not told by segment",
        ),
    ],
)  # fmt: skip
def test_what_may_not_be_meant_is_a_warning(written, text, warning):
    report = written(text)
    assert report.faults == ()
    assert report.warnings == (warning,)


TRIGGERED = (
    "models: {m: {features: {age: {}}, windows: [1h], outcomes: {horizon: 1d}}}\n"
    "trigger: {policies: {p: {alerts: [A], matured_labels: 0, ACTION}}, MORE}\n"
)


def triggered(action="command: {arguments: [x]}", more="directory: d"):
    return TRIGGERED.replace("ACTION", action).replace("MORE", more)


@pytest.mark.parametrize(
    ("action", "more", "fault"),
    [
        ("command: {arguments: [x, $modl]}", "", "policies.p.command.arguments[1]: expected one of decision"),
        ("argo: {workflow_template: t, parameters: {a: $b}}", "", "policies.p.argo.parameters.a: expected one"),
        ("webhook: {url: 'http://x', body: none}", "", "policies.p.webhook.body: expected a readable file"),
        ("webhook: {url: 'http://x', body: good.token}", "", "policies.p.webhook.body: expected a JSON document"),
        ("webhook: {url: 'http://x', body: text.json}", "", "policies.p.webhook.body: expected one of decision"),
        ("webhook: {url: 'http://x', secret_file: empty.token}", "", "policies.p.webhook.secret_file: expected a"),
        ("job: {template: good.token}", "", "policies.p.job.template: expected a YAML document with a Job"),
        ("job: {template: job.yaml}", "", "policies.p.job.template: expected one of decision"),
        ("command: {arguments: [x]}", "token_file: none", "token_file: expected a readable file"),
        ("command: {arguments: [x]}", "approval_token_file: none", "approval_token_file: expected a readable"),
        ("command: {arguments: [x]}", "sidecar: {url: 'http://x', token_file: none}", "sidecar.token_file: expected"),
    ],
)  # fmt: skip
def test_a_triggers_templates_and_secrets_must_be_good(written, tmp_path, action, more, fault):
    (tmp_path / "text.json").write_text('{"a": ["$modl"]}')
    job = "{kind: Job, spec: {template: {spec: {containers: [{name: $modl}]}}}}"
    (tmp_path / "job.yaml").write_text(job)
    [found] = written(triggered(action, more or "directory: d")).faults
    assert found.startswith(f"config.yaml:2 trigger.{fault}")


def test_a_trigger_is_told_what_it_lacks(written):
    lacking = written(triggered()).warnings
    assert "trigger: export.keep is off, so no joined records are kept that a run could learn from" in lacking
    assert any("no run is ever judged" in warning for warning in lacking)
    more = "sidecar: {url: 'http://x'}}\nexport: {keep: 30d, features: [age]"
    assert written(triggered(more=more)).warnings == (
        "trigger.export.data: none, so runs are given no export of joined records",
    )
    open_to_all = written(triggered(more="listen: '0.0.0.0:9879'")).warnings
    assert any("asks for no token; use trigger.token_file" in warning for warning in open_to_all)


def test_series_beyond_the_limit_are_told(written):
    report = written("models: {m: %s}\nlimits: {series: 100}" % (QUIET % "good.reference.json"))
    (model,) = report.models
    assert model.dropped > 100
    assert report.warnings == (
        f"limits.series: {model.dropped} series of each version of m are beyond 100; "
        "the last features and segments are left out",
    )


def test_what_nothing_tells_is_assumed_in_words(written):
    (model,) = written("").models
    assert model.model == "(any other)"
    assert model.assumed == ("task binary", "25 numeric features", "no segments")
