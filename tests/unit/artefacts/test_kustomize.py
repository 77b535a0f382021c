"""The component built by Kustomize itself, over workloads that have containers and volumes of their own."""

from __future__ import annotations

import copy
import subprocess

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from driftgauge.cli.group import main

CONFIG = 'models:\n  churn: {task: binary} # it stays: "quotes", ${braces} and all\n'
OWN = {
    "initContainers": [{"name": "fetch", "image": "fetch:1.0.0"}],
    "containers": [
        {
            "name": "model",
            "image": "model:1.0.0",
            "ports": [{"name": "http", "containerPort": 8000}],
            "env": [{"name": "PORT", "value": "8000"}],
            "volumeMounts": [{"name": "weights", "mountPath": "/weights"}],
        },
        {"name": "proxy", "image": "proxy:1.0.0"},
    ],
    "volumes": [{"name": "weights", "emptyDir": {}}],
}
LEAST = {"containers": [{"name": "model", "image": "model:1.0.0"}]}


def workload(kind, name, pod):
    labels = {"app": name}
    more = {"serviceName": name} if kind == "StatefulSet" else {}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**more, "selector": {"matchLabels": labels}, "template": template},
    }


BASE = [workload("Deployment", "churn", OWN), workload("StatefulSet", "price", LEAST)]
FORMS = {"native": "1.29", "plain": "1.28"}


@pytest.fixture
def build(require_tool, tmp_path):
    """`kustomize build` of an overlay over BASE, its component made with arguments."""
    kustomize = require_tool("kustomize")
    for folder in ("base", "sidecar", "overlay"):
        (tmp_path / folder).mkdir()
    (tmp_path / "driftgauge.yaml").write_text(CONFIG)
    (tmp_path / "base" / "workloads.yaml").write_text(yaml.safe_dump_all(BASE))
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [workloads.yaml]\n")

    def built(*arguments, often=1):
        (tmp_path / "sidecar" / "kustomization.yaml").write_text(manifest(*arguments))
        overlay = {"resources": ["../base"], "components": ["../sidecar"] * often}
        overlay |= {"namespace": "models", "namePrefix": "prod-"}
        (tmp_path / "overlay" / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        done = subprocess.run(
            (kustomize, "build", str(tmp_path / "overlay")), capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr, list(yaml.safe_load_all(done.stdout))

    return built


def manifest(*arguments):
    done = CliRunner().invoke(main, ["manifest", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def pod(resource):
    return resource["spec"]["template"]["spec"]


def by_name(resources):
    """The same whatever the order of the volumes, which means nothing."""
    made = copy.deepcopy(resources)
    for resource in made:
        if "template" in resource.get("spec", {}):
            pod(resource)["volumes"].sort(key=lambda volume: volume["name"])
    return sorted(made, key=lambda resource: resource["kind"])


@pytest.mark.parametrize("form", FORMS)
def test_kustomize_makes_of_a_component_what_the_patch_makes(build, tmp_path, form):
    config = ("--config", tmp_path / "driftgauge.yaml", "--kubernetes", FORMS[form])
    code, said, made = build(*config)
    assert code == 0, said
    [hashed] = [each["metadata"]["name"] for each in made if each["kind"] == "ConfigMap"]
    assert hashed.startswith("prod-driftgauge-")
    given = copy.deepcopy(BASE)
    for resource in given:
        resource["metadata"] = {"name": f"prod-{resource['metadata']['name']}", "namespace": "models"}
    (tmp_path / "given.yaml").write_text(yaml.safe_dump_all(given))
    patched = manifest(*config, "--config-map", hashed, "--patch", tmp_path / "given.yaml")
    expected = list(yaml.safe_load_all(patched))
    del expected[0]["metadata"]["labels"]
    assert by_name(made) == by_name(expected)
    assert made[0]["data"] == {"driftgauge.yaml": CONFIG}
    for version in (f"{FORMS[form]}.0", "1.37.0"):
        for resource in made:
            kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("form", FORMS)
def test_the_models_container_stays_the_first(build, form):
    """`kubectl logs` and `kubectl exec` take the first where none is named."""
    _, _, made = build("--kubernetes", FORMS[form], "--claim", "state")
    of = {each["kind"]: pod(each) for each in made}
    names = {
        kind: [each["name"] for key in ("initContainers", "containers") for each in found.get(key, ())]
        for kind, found in of.items()
    }
    assert (
        names
        == {
            "native": {
                "Deployment": ["driftgauge", "fetch", "model", "proxy"],
                "StatefulSet": ["driftgauge", "model"],
            },
            "plain": {
                "Deployment": ["fetch", "model", "proxy", "driftgauge"],
                "StatefulSet": ["model", "driftgauge"],
            },
        }[form]
    )


@pytest.mark.parametrize("form", FORMS)
def test_twice_in_one_overlay_is_once_or_refused(build, tmp_path, form):
    arguments = ("--kubernetes", FORMS[form])
    assert build(*arguments, often=2) == build(*arguments)
    # Kustomize itself makes no map of one name twice.
    code, said, _ = build(*arguments, "--config", tmp_path / "driftgauge.yaml", often=2)
    assert code != 0
    assert "ConfigMap" in said
    assert "exists" in said
