"""docs/trigger.md and the OpenAPI document say what is so."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import yaml
from tests.conftest import REPOSITORY

from driftgauge.check import check
from driftgauge.config_file import load
from driftgauge.trigger.decision import Guard, State, Verdict
from driftgauge.trigger.variables import NAMES
from driftgauge.trigger_config import Trigger

PAGE = (REPOSITORY / "docs" / "trigger.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


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


def test_every_link_of_the_page_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target
