"""Each action against a stand-in of what it talks to: started once, its end told."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import ssl
import time
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import yaml
from msgspec.structs import replace
from tests.unit.trigger.running import NOW
from tests.unit.trigger.standins import Api, Cluster, Pipelines
from tests.unit.trigger.test_policy import decision

from driftgauge.trigger.actions import ActionFailed
from driftgauge.trigger.actions.building import actions
from driftgauge.trigger.asking import Asker, Peer, Unanswered
from driftgauge.trigger.decision import Run, run_name
from driftgauge.trigger.variables import variables
from driftgauge.trigger_config import (
    ArgoAction,
    CommandAction,
    JobAction,
    KubeflowAction,
    Policy,
    Trigger,
    WebhookAction,
)
from driftgauge.trigger_config import (
    Cluster as ClusterSettings,
)

ID = "0123456789abcdef"
NAME = run_name(ID)
JOBS = "/apis/batch/v1/namespaces/ml/jobs"
CRON_JOB = {
    "metadata": {"name": "retrain", "uid": "u-1"},
    "spec": {
        "suspend": True,
        "jobTemplate": {
            "metadata": {"labels": {"app": "retrain"}, "annotations": {"a": "b"}},
            "spec": {
                "backoffLimit": 0,
                "template": {
                    "spec": {
                        "restartPolicy": "Never",
                        "initContainers": [{"name": "fetch", "image": "i"}],
                        "containers": [
                            {"name": "train", "image": "t", "env": [{"name": "A", "value": "1"}]},
                        ],
                    }
                },
            },
        },
    },
}


def started_decision(**changes):
    run = Run(action="job", name=NAME, started_at=NOW)
    return decision(ID, "churn", reason='it "moved"', run=run, old_version="v1", export="/x/a.csv", **changes)


@asynccontextmanager
async def acting(tmp_path, *, url="http://127.0.0.1:1", slept=None, **action):
    """An action as the service builds it."""
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    cluster = ClusterSettings(url, "ml", token, None, 2.0)
    policy = Policy(alerts=("A",), **action)
    trigger = Trigger(directory=tmp_path, kubernetes=cluster, policies={"p": policy})
    pauses = [] if slept is None else slept

    async def sleep(seconds):
        pauses.append(seconds)

    asker = Asker(random=Random(7), sleep=sleep)
    built = actions(trigger, asker, lambda: None)["p"]
    try:
        yield built
    finally:
        await built.close()
        await asker.close()


async def start(action, found=None):
    found = found or started_decision()
    return await action.start(found, variables(found))


# --- Kubernetes -----------------------------------------------------------------------------------


def test_a_job_is_made_from_a_cronjob_and_told_why(tmp_path):
    async def scenario():
        cluster = Cluster()
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            assert (await start(action)).reference == f"jobs/{NAME}"
        [(path, job)] = cluster.sent("POST")
        assert path == JOBS
        assert job["metadata"]["name"] == NAME
        assert job["metadata"]["labels"] == {
            "app": "retrain", "app.kubernetes.io/managed-by": "driftgauge", "driftgauge.io/decision": ID,
        }  # fmt: skip
        assert job["metadata"]["annotations"]["driftgauge.io/reason"] == 'it "moved"'
        assert job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
        assert job["metadata"]["ownerReferences"][0]["uid"] == "u-1"
        assert job["spec"]["backoffLimit"] == 0
        pod = job["spec"]["template"]["spec"]
        for container in (*pod["initContainers"], *pod["containers"]):
            told = {variable["name"]: variable["value"] for variable in container["env"]}
            assert told["DRIFTGAUGE_MODEL"] == "churn"
            assert told["DRIFTGAUGE_EXPORT"] == "/x/a.csv"
            assert told["DRIFTGAUGE_CHANGE_BEGAN"] == "2027-01-14T08:00:00Z"
        assert pod["containers"][0]["env"][-1] == {"name": "A", "value": "1"}

    asyncio.run(scenario())


def test_a_job_from_a_file_has_its_texts_filled(tmp_path):
    template = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "x-", "labels": {"l": "$cause"}},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "args": ["--model=$model", "$reason"]}]}}},
    }  # fmt: skip
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(template))

    async def scenario():
        cluster = Cluster()
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction(None, file)) as action:
            await start(action)
        [(_, job)] = cluster.sent("POST")
        assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["--model=churn", 'it "moved"']
        assert job["metadata"]["labels"]["l"] == "ModelDrift"
        assert "generateName" not in job["metadata"]

    asyncio.run(scenario())


def test_a_second_job_is_refused_by_the_server_and_that_is_fine(tmp_path):
    async def scenario():
        cluster = Cluster()
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            assert (await start(action)).detail == ""
            assert (await start(action)).detail == "it was started already"
        assert sum(path.startswith(f"{JOBS}/") for path in cluster.objects) == 1

    asyncio.run(scenario())


def test_a_job_of_that_name_that_is_not_ours_is_a_failure(tmp_path):
    async def scenario():
        cluster = Cluster()
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        cluster.objects[f"{JOBS}/{NAME}"] = {"metadata": {"labels": {}}}
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            with pytest.raises(ActionFailed, match="not of this decision"):
                await start(action)

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", [500, 503, 429])
def test_a_server_that_stumbles_is_asked_again(tmp_path, fault):
    async def scenario():
        cluster, slept = Cluster(), []
        cluster.objects["/apis/batch/v1/namespaces/ml/cronjobs/retrain"] = CRON_JOB
        cluster.faults = [fault, fault]
        async with (
            cluster.serving() as url,
            acting(tmp_path, url=url, slept=slept, job=JobAction("retrain")) as action,
        ):
            await start(action)
        assert 0.1 <= slept[0] <= 0.3  # 0.2 s and half of it more or less
        assert 0.2 <= slept[1] <= 0.6

    asyncio.run(scenario())


def test_a_server_that_stays_away_is_a_case_for_later(tmp_path):
    async def scenario():
        cluster = Cluster()
        cluster.faults = [503] * 99
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            with pytest.raises(Unanswered, match="kubernetes: answered 503"):
                await start(action)
        assert len(cluster.requests) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("objects", "token", "words"),
    [
        ({}, "t0ken", "there is no CronJob retrain"),
        ({"cronjobs/retrain": {"spec": {}}}, "t0ken", "expected a CronJob with a jobTemplate"),
        ({"cronjobs/retrain": CRON_JOB}, "other", "answered 401 Unauthorized"),
    ],
)
def test_what_can_not_be_started_says_why(tmp_path, objects, token, words):
    async def scenario():
        cluster = Cluster(token)
        cluster.objects = {f"/apis/batch/v1/namespaces/ml/{path}": found for path, found in objects.items()}
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            with pytest.raises(ActionFailed, match=words) as caught:
                await start(action)
            assert "t0ken" not in str(caught.value)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (None, None),
        ([{"type": "Suspended", "status": "True"}], None),
        ([{"type": "Complete", "status": "False"}], None),
        ([{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}], True),
        ([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}], False),
    ],
)
def test_a_job_ends_by_its_conditions(tmp_path, conditions, expected):
    async def scenario():
        cluster = Cluster()
        cluster.objects[f"{JOBS}/{NAME}"] = {"status": {"conditions": conditions}}
        async with cluster.serving() as url, acting(tmp_path, url=url, job=JobAction("retrain")) as action:
            ended = await action.ended(started_decision())
            assert (None if ended is None else ended.well) is expected

    asyncio.run(scenario())


# --- Argo -----------------------------------------------------------------------------------------


def test_a_workflow_is_made_once_from_its_template(tmp_path):
    settings = ArgoAction("retrain", parameters={"model": "$model", "why": "$cause: $reason"})

    async def scenario():
        cluster = Cluster()
        async with cluster.serving() as url, acting(tmp_path, url=url, argo=settings) as action:
            assert (await start(action)).reference == f"workflows/{NAME}"
            assert (await start(action)).detail == "it was started already"
            path = f"/apis/argoproj.io/v1alpha1/namespaces/ml/workflows/{NAME}"
            assert await action.ended(started_decision()) is None
            for phase, well in (("Running", None), ("Succeeded", True), ("Failed", False), ("Error", False)):
                cluster.objects[path]["status"] = {"phase": phase}
                ended = await action.ended(started_decision())
                assert (None if ended is None else ended.well) is well
        workflow = cluster.sent("POST")[0][1]
        assert workflow["kind"] == "Workflow"
        assert workflow["spec"]["workflowTemplateRef"] == {"name": "retrain"}
        assert workflow["spec"]["arguments"]["parameters"] == [
            {"name": "model", "value": "churn"}, {"name": "why", "value": 'ModelDrift: it "moved"'},
        ]  # fmt: skip

    asyncio.run(scenario())


def test_a_cluster_wide_template_is_referred_to_as_one(tmp_path):
    async def scenario():
        cluster = Cluster()
        settings = ArgoAction("retrain", cluster_scope=True)
        async with cluster.serving() as url, acting(tmp_path, url=url, argo=settings) as action:
            await start(action)
        spec = cluster.sent("POST")[0][1]["spec"]
        assert spec["workflowTemplateRef"] == {"name": "retrain", "clusterScope": True}

    asyncio.run(scenario())


# --- Kubeflow -------------------------------------------------------------------------------------


def test_a_pipeline_run_is_made_once_though_its_api_takes_two(tmp_path):
    async def scenario():
        pipelines = Pipelines()
        async with pipelines.serving() as url:
            settings = KubeflowAction(url, "p-1", "v-1", "e-1", {"model": "$model"})
            async with acting(tmp_path, kubeflow=settings) as action:
                assert (await start(action)).reference == "run-0"
                assert (await start(action)).detail == "it was started already"
                for state, well in (
                    ("RUNNING", None),
                    ("SUCCEEDED", True),
                    ("FAILED", False),
                    ("CANCELED", False),
                ):
                    pipelines.runs[0]["state"] = state
                    found = started_decision()
                    found = replace(found, run=replace(found.run, reference="run-0"))
                    ended = await action.ended(found)
                    assert (None if ended is None else ended.well) is well
        [run] = pipelines.runs
        assert run["display_name"] == NAME
        assert run["pipeline_version_reference"] == {"pipeline_id": "p-1", "pipeline_version_id": "v-1"}
        assert run["experiment_id"] == "e-1"
        assert run["runtime_config"] == {"parameters": {"model": "churn"}}

    asyncio.run(scenario())


def test_a_run_whose_answer_was_lost_is_found_and_not_made_again(tmp_path):
    async def scenario():
        pipelines = Pipelines()
        pipelines.lose_answers = 1
        async with pipelines.serving() as url, acting(tmp_path, kubeflow=KubeflowAction(url, "p")) as action:
            with pytest.raises(Unanswered):
                await start(action)
            assert (await start(action)).reference == "run-0"
        assert len(pipelines.runs) == 1

    asyncio.run(scenario())


# --- the webhook ----------------------------------------------------------------------------------


def test_a_webhook_is_signed_and_has_a_key(tmp_path):
    secret, token = tmp_path / "secret", tmp_path / "other-token"
    secret.write_bytes(b"  k\xc3\xa9y \nsecond line")
    token.write_text("abc\n")
    template = tmp_path / "body.json"
    template.write_text('{"ref": "main", "inputs": {"model": "$model", "why": "$reason", "n": 1}}')

    async def scenario():
        api = Api()
        async with api.serving() as url:
            settings = WebhookAction(f"{url}/hook?a=b", template, secret, token)
            async with acting(tmp_path, webhook=settings) as action:
                await start(action)
                await start(action)
        (method, path, query, headers, body), again = api.requests
        assert (method, path, query) == ("POST", "/hook", {"a": "b"})
        # what RFC 2104 says, by an independent few lines
        expected = hmac.new("kéy".encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Driftgauge-Signature-256"] == f"sha256={expected}"
        assert headers["Idempotency-Key"] == NAME
        assert headers["Authorization"] == "Bearer abc"
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body) == {"ref": "main", "inputs": {"model": "churn", "why": 'it "moved"', "n": 1}}
        assert again[4] == body
        assert again[3]["Idempotency-Key"] == NAME

    asyncio.run(scenario())


def test_a_webhook_without_a_template_has_all_variables(tmp_path):
    async def scenario():
        api = Api()
        async with api.serving() as url, acting(tmp_path, webhook=WebhookAction(url)) as action:
            await start(action)
            assert await action.ended(started_decision()) is None
        [(_, content)] = api.sent("POST")
        assert content == variables(started_decision())
        assert "X-Driftgauge-Signature-256" not in api.requests[0][3]

    asyncio.run(scenario())


@pytest.mark.parametrize(("status", "error"), [(404, ActionFailed), (302, ActionFailed), (503, Unanswered)])
def test_a_webhook_that_is_not_taken(tmp_path, status, error):
    async def scenario():
        api = Api()
        api.faults = [status] * 3
        async with api.serving() as url, acting(tmp_path, webhook=WebhookAction(url)) as action:
            with pytest.raises(error, match=str(status)):
                await start(action)

    asyncio.run(scenario())


def test_a_missing_secret_sends_nothing(tmp_path):
    async def scenario():
        api = Api()
        async with api.serving() as url:
            settings = WebhookAction(url, secret_file=tmp_path / "none")
            async with acting(tmp_path, webhook=settings) as action:
                with pytest.raises(ActionFailed, match="secret_file"):
                    await start(action)
        assert api.requests == []

    asyncio.run(scenario())


# --- the command ----------------------------------------------------------------------------------


async def ended(action, found):
    for _ in range(5_000):
        if (told := await action.ended(found)) is not None:
            return told
        await asyncio.sleep(0.02)
    raise AssertionError("it did not end")


def test_a_command_gets_arguments_without_a_shell(tmp_path):
    async def scenario():
        arguments = (
            "/bin/sh",
            "-c",
            'printf "%s|" "$$@" "$$DRIFTGAUGE_WINDOW"',
            "sh",
            "$model",
            "$reason",
            "$$(id)",
        )
        found = started_decision(window="7d")
        found = replace(found, reason="; rm -rf / `id` $(id)\n'\"")
        async with acting(tmp_path, command=CommandAction(arguments)) as action:
            await start(action, found)
            assert (await ended(action, found)).well
        assert (tmp_path / "runs" / f"{NAME}.log").read_text() == f"churn|{found.reason}|$(id)|7d|"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("script", "well", "detail"),
    [
        ("exit 0", True, "exit code 0"),
        ("exit 3", False, "exit code 3"),
        ("kill -9 $$", False, "ended by signal 9"),
    ],
)
def test_a_commands_end_is_told(tmp_path, script, well, detail):
    async def scenario():
        arguments = ("/bin/sh", "-c", script.replace("$", "$$"))
        async with acting(tmp_path, command=CommandAction(arguments)) as action:
            await start(action)
            told = await ended(action, started_decision())
            assert (told.well, told.detail) == (well, detail)

    asyncio.run(scenario())


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    async def scenario():
        script = f"sleep 60 & echo $$! > {tmp_path}/child; wait"
        async with acting(tmp_path, command=CommandAction(("/bin/sh", "-c", script), 1.0)) as action:
            await start(action)
            told = await ended(action, started_decision())
            assert not told.well
            assert told.detail == "killed after 1 s"

    asyncio.run(scenario())
    child = int((tmp_path / "child").read_text())
    for _ in range(2_000):
        stat = Path(f"/proc/{child}/stat")
        if not stat.exists() or stat.read_text().split()[2] == "Z":
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("the child lives")


def test_a_program_that_is_not_there_is_a_failure(tmp_path):
    async def scenario():
        async with acting(tmp_path, command=CommandAction(("/no/such/program",))) as action:
            with pytest.raises(ActionFailed, match=r"/no/such/program: No such file"):
                await start(action)

    asyncio.run(scenario())


# --- TLS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trusted", "words"), [(True, None), (False, "certificate verify failed")])
def test_a_servers_certificate_is_checked(tmp_path, data, trusted, words):
    """By the CA that is configured; the system's own don't know this one."""
    certificate = data / "tls" / "server.crt"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, data / "tls" / "server.key")

    async def scenario():
        api = Api()
        async with api.serving(context) as url:
            settings = WebhookAction(url, ca_file=certificate if trusted else None)
            async with acting(tmp_path, webhook=settings) as action:
                if words is None:
                    await start(action)
                else:
                    with pytest.raises(Unanswered, match=words):
                        await start(action)
        assert len(api.requests) == trusted

    asyncio.run(scenario())


# --- asking ---------------------------------------------------------------------------------------


def test_who_does_not_answer_in_time_is_given_up(tmp_path):
    failed = []

    async def scenario():
        api = Api()
        api.hang = 5.0
        async with api.serving() as url:
            asker = Asker(random=Random(1), failed=failed.append)
            with pytest.raises(Unanswered, match=r"sidecar: no answer within 0.1 s"):
                await asker.ask(Peer("sidecar", 0.1, attempts=2), "GET", url)
            await asker.close()
        assert len(api.requests) == 2

    asyncio.run(scenario())
    assert failed == ["sidecar"]


def test_a_closed_port_is_told_in_words():
    async def scenario():
        asker = Asker(random=Random(1))
        with pytest.raises(Unanswered, match=r"^sidecar: connection refused$"):
            await asker.ask(Peer("sidecar", 1.0, attempts=1), "GET", "http://127.0.0.1:1/")
        await asker.close()

    asyncio.run(scenario())
