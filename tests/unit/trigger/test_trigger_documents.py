"""docs/trigger.md and helm/trigger.yaml say what is so."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import kubernetes_validate
import pytest
import yaml
from tests.conftest import REPOSITORY

from driftgauge.check import check
from driftgauge.config_file import load
from driftgauge.trigger.decision import Guard, State, Verdict
from driftgauge.trigger.variables import NAMES
from driftgauge.trigger_config import Trigger

PAGE = (REPOSITORY / "docs" / "trigger.md").read_text(encoding="utf-8")
MANIFESTS = list(yaml.safe_load_all((REPOSITORY / "helm" / "trigger.yaml").read_text(encoding="utf-8")))
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def of_kind(kind):
    return next(manifest for manifest in MANIFESTS if manifest["kind"] == kind)


def test_every_state_guard_verdict_and_variable_is_explained():
    rows = set(re.findall(r"(?m)^\| `(\w+)` \| .+ \|$", PAGE))
    assert rows == {*State, *Guard, *Verdict, *NAMES}


def test_the_openapi_document_has_every_path_and_no_other(tmp_path):
    from driftgauge.config import Config
    from driftgauge.trigger.openapi import OPERATIONS, document
    from driftgauge.trigger.service import Service

    service = Service(replace(Config(), trigger=Trigger(directory=tmp_path)))
    routes = {(route.method.lower(), route.path) for route in service._door.routes.routes}
    assert routes == {(operation.method, operation.path) for operation in OPERATIONS}
    found = json.loads(document())
    text = json.dumps(found)
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in found["components"]["schemas"], name
    assert found["paths"]["/v1/alerts"]["post"]["requestBody"]["content"].keys() == {"application/json"}


def test_the_configuration_of_the_page_is_one(tmp_path):
    file = tmp_path / "driftgauge.yaml"
    file.write_text(BLOCKS[0])
    assert check(file).faults == ()
    assert load(file).trigger.policies["retrain_churn"].dry_run


def test_amtool_accepts_the_receiver_of_the_page(tmp_path, require_tool):
    receiver = yaml.safe_load(BLOCKS[1])
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump({"route": {"receiver": receiver["receivers"][0]["name"]}, **receiver}))
    subprocess.run([require_tool("amtool"), "check-config", str(file)], check=True, capture_output=True)


@pytest.mark.parametrize("minor", range(27, 38))
def test_kubernetes_accepts_the_manifests(minor):
    for manifest in MANIFESTS:
        kubernetes_validate.validate(manifest, f"1.{minor}.0", strict=True)


def test_the_account_may_do_what_the_trigger_does():
    rules = {
        (group, resource): set(rule["verbs"])
        for rule in of_kind("Role")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert rules == {
        ("batch", "jobs"): {"create", "get"},
        ("batch", "cronjobs"): {"get"},
        ("argoproj.io", "workflows"): {"create", "get"},
    }


def test_the_configuration_in_the_cluster_is_one_that_fits_its_pod(tmp_path):
    file = tmp_path / "driftgauge.yaml"
    file.write_text(of_kind("ConfigMap")["data"]["driftgauge.yaml"])
    trigger = load(file).trigger
    pod = of_kind("Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert str(trigger.directory) in mounts
    assert str(trigger.token_file.parent) in mounts
    assert trigger.listen.endswith(f":{container['ports'][0]['containerPort']}")
    assert container["args"][:2] == ["trigger", "--config"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]


def test_every_link_of_the_page_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target
