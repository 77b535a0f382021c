"""The sidecar in pods: the same from the code and from the library chart, and in a user's resource but once."""

from __future__ import annotations

import json
from dataclasses import replace

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from tests import charts

from driftgauge.artefacts.manifests import (
    TOKEN_FILE,
    Sidecar,
    UnsuitableError,
    component,
    config_map,
    container,
    patched,
    volumes,
)
from driftgauge.cli.group import main
from driftgauge.config_file import load

MODEL = charts.ROOT / "helm" / "examples" / "model-server"
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "model", "namespace": "models"},
    "spec": {
        "selector": {"matchLabels": {"app": "model"}},
        "template": {
            "metadata": {"labels": {"app": "model"}},
            "spec": {
                "initContainers": [{"name": "fetch", "image": "fetch:1.0.0"}],
                "containers": [{"name": "model", "image": "model:1.0.0"}],
                "volumes": [{"name": "weights", "emptyDir": {}}],
            },
        },
    },
}
SERVICE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "churn"},
    "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}},
}
KINDS = ["StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"]
SIDECARS = [
    Sidecar(),
    Sidecar(native=False),
    Sidecar(config_map="c", volume="claim", token_secret="t", references=("r", "s")),
    Sidecar(
        image="example.com/driftgauge@sha256:" + "0" * 64, volume_bytes="1Gi", cpu="1", memory_limit="1Gi"
    ),
]


def pod(resource):
    return resource["spec"]["template"]["spec"]


def names(found):
    return [each["name"] for each in found]


def test_the_services_door_is_that_of_the_pods():
    resources = charts.resources(MODEL, {"driftgauge-sidecar": {"tokenSecret": "t"}})
    by_kind = {resource["kind"]: resource for resource in resources}
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert by_kind["Service"]["spec"]["selector"].items() <= labels.items()
    assert by_kind["Service"]["spec"]["clusterIP"] == "None"
    [port] = by_kind["Service"]["spec"]["ports"]
    ports = pod(by_kind["Deployment"])["initContainers"][0]["ports"]
    assert {"name": "outcomes", "containerPort": port["targetPort"]} in ports
    config = yaml.safe_load(by_kind["ConfigMap"]["data"]["driftgauge.yaml"])
    assert config["outside"] == {"listen": f"0.0.0.0:{port['targetPort']}", "token_file": TOKEN_FILE}
    assert "intake" not in config, "the model in the pod needs no token"


# --- the container --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sidecar", SIDECARS)
def test_it_keeps_to_the_restricted_profile_and_has_no_probe(sidecar):
    made = container(sidecar)
    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["readOnlyRootFilesystem"] is True
    assert made["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"livenessProbe", "readinessProbe", "startupProbe"} & made.keys()
    assert made.get("restartPolicy") == ("Always" if sidecar.native else None)
    mounted = {mount["name"] for mount in made["volumeMounts"]}
    assert mounted == set(names(volumes(sidecar)))
    assert "--listen=127.0.0.1:9877" in made["args"]  # records: from this pod only


@pytest.mark.parametrize(
    ("values", "sidecar"),
    [
        ({}, Sidecar()),
        ({"native": "never"}, Sidecar(native=False)),
        (
            {"volume": {"claim": "claim"}, "tokenSecret": "t", "references": ["r", "s"]},
            Sidecar(volume="claim", token_secret="t", references=("r", "s")),
        ),
        (
            {
                "image": {"repository": "example.com/driftgauge", "digest": "sha256:" + "0" * 64},
                "volume": {"size": "1Gi"},
                "resources": {"requests": {"cpu": "1", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
            },
            SIDECARS[3],
        ),
    ],
)
def test_the_library_chart_renders_the_same(values, sidecar):
    resources = charts.resources(MODEL, {"driftgauge-sidecar": values})
    [deployment] = [r for r in resources if r["kind"] == "Deployment"]
    sidecar = replace(sidecar, config_map="driftgauge-driftgauge")
    spec = pod(deployment)
    rendered = spec["initContainers"][0] if sidecar.native else spec["containers"][1]
    assert rendered == container(sidecar)
    assert [r["spec"]["selector"] for r in resources if r["kind"] == "Service"] == (
        [{"driftgauge.io/outcomes": "driftgauge-driftgauge"}] if sidecar.token_secret else []
    )
    assert spec["volumes"] == volumes(sidecar)
    assert deployment["spec"]["template"]["metadata"]["labels"]["driftgauge.io/sidecar"] == "true"


# --- a user's own resource ------------------------------------------------------------------------------


@pytest.mark.parametrize("sidecar", SIDECARS)
@pytest.mark.parametrize("kind", ["Deployment", *KINDS])
def test_a_workload_takes_it_and_keeps_what_it_has(kind, sidecar):
    before = {**DEPLOYMENT, "kind": kind}
    kept = json.dumps(before)
    made = patched(before, sidecar)
    assert json.dumps(before) == kept, "the resource that was given has changed"
    spec = pod(made)
    assert names(spec["initContainers"]) == (["driftgauge", "fetch"] if sidecar.native else ["fetch"])
    assert names(spec["containers"]) == (["model"] if sidecar.native else ["model", "driftgauge"])
    assert names(spec["volumes"])[0] == "weights"
    assert spec.get("securityContext") == ({"fsGroup": 65532} if sidecar.volume else None)
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "model", "driftgauge.io/sidecar": "true"}
    assert made["spec"]["selector"] == before["spec"]["selector"]


def test_labels_that_an_anchor_shares_with_the_selector_change_in_the_pod_only():
    """A Deployment's selector can't be changed: the API server would refuse the whole of it."""
    shared = yaml.safe_load(
        "{kind: Deployment, spec: {selector: {matchLabels: &app {app: model}}, "
        "template: {metadata: {labels: *app}, spec: {containers: [{name: model}]}}}}"
    )
    made = patched(shared, Sidecar())["spec"]
    assert made["selector"] == {"matchLabels": {"app": "model"}}
    assert made["template"]["metadata"]["labels"] == {"app": "model", "driftgauge.io/sidecar": "true"}


@pytest.mark.parametrize("first", SIDECARS)
@pytest.mark.parametrize("second", SIDECARS)
def test_twice_is_once_whatever_was_there_before(first, second):
    once = patched(DEPLOYMENT, second)
    assert patched(once, second) == once
    assert patched(patched(DEPLOYMENT, first), second) == once


@pytest.mark.parametrize("sidecar", SIDECARS)
def test_kubernetes_takes_the_result(sidecar):
    for version in ("1.29.0", "1.37.0") if sidecar.native else ("1.27.0", "1.37.0"):
        kubernetes_validate.validate(patched(DEPLOYMENT, sidecar), version, strict=True)


def test_an_inference_service_takes_it_beside_its_model():
    made = patched(SERVICE, Sidecar())
    predictor = made["spec"]["predictor"]
    assert predictor["model"] == SERVICE["spec"]["predictor"]["model"]
    assert names(predictor["initContainers"]) == ["driftgauge"]
    assert predictor["labels"] == {"driftgauge.io/sidecar": "true"}
    assert patched(made, Sidecar()) == made


@pytest.mark.parametrize("volume", [None, "claim"])
def test_a_component_gives_a_group_to_a_claim_only(volume):
    [patch, _] = yaml.safe_load(component(Sidecar(volume=volume), None))["patches"]
    spec = pod(yaml.safe_load(patch["patch"]))
    assert spec.get("securityContext") == ({"fsGroup": 65532} if volume else None)


@pytest.mark.parametrize("name", ["", "a.b", "A", "-a", "data", "config", "n" * 53])
def test_a_reference_map_that_no_volume_can_be_called_after_is_refused(name):
    found = CliRunner().invoke(main, ["manifest", "--reference-map", name])
    assert found.exit_code == 2, found.output
    words = "of at most 52 characters, no dots, none of config, data, tmp, token, got"
    assert f"names of ConfigMaps, each once, {words} {name!r}" in found.output


def test_a_reference_map_is_named_once():
    found = CliRunner().invoke(main, ["manifest", "--reference-map", "r", "--reference-map", "r"])
    assert (found.exit_code, found.output.count("got 'r'")) == (2, 1)


def test_a_group_that_the_pod_chose_is_left():
    chosen = json.loads(json.dumps(DEPLOYMENT))
    pod(chosen)["securityContext"] = {"fsGroup": 1000, "runAsUser": 1000}
    assert pod(patched(chosen, Sidecar()))["securityContext"] == {"fsGroup": 1000, "runAsUser": 1000}


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ({"kind": "Service"}, "kind: expected one of Deployment"),
        ({"kind": None}, "got None"),
        ({"kind": "Deployment"}, "spec.template.spec: expected what becomes a pod, got nothing"),
        ({"kind": "Deployment", "spec": 3}, "spec: expected a mapping, got int"),
        (
            {"kind": "Pod", "spec": {"containers": "model"}},
            "spec.containers: expected a list of mappings, got str",
        ),
    ],
)
def test_what_can_not_take_it_is_refused_with_its_place(resource, message):
    with pytest.raises(UnsuitableError, match=message.replace(".", r"\.")):
        patched(resource, Sidecar())


# --- the command -----------------------------------------------------------------------------------------


CONFIG = "models:\n  churn: {task: binary} # a comment\n"


@pytest.fixture
def run(tmp_path):
    def call(*arguments, stdin=None):
        (tmp_path / "driftgauge.yaml").write_text(CONFIG)
        (tmp_path / "deployment.yaml").write_text(
            yaml.safe_dump_all([DEPLOYMENT, {"kind": "Service", "metadata": {}}])
        )
        done = CliRunner().invoke(main, ["manifest", *arguments], input=stdin, catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr

    return call


def test_a_deployment_comes_back_with_it_and_again_the_same(run, tmp_path):
    config, file = str(tmp_path / "driftgauge.yaml"), str(tmp_path / "deployment.yaml")
    code, out, _ = run("--config", config, "--patch", file)
    assert code == 0
    made, deployment, service = yaml.safe_load_all(out)
    assert made == {
        **config_map("driftgauge", CONFIG),
        "metadata": {**made["metadata"], "namespace": "models"},
    }
    assert deployment == patched(DEPLOYMENT, Sidecar(config_map="driftgauge"))
    assert service["kind"] == "Service"
    assert run("--config", config, "--patch", "-", stdin=out) == (0, out, "")


def test_an_older_cluster_gets_a_plain_container(run, tmp_path):
    code, out, _ = run(
        "--patch", str(tmp_path / "deployment.yaml"), "--kubernetes", "v1.28.3", "--image", "d:1"
    )
    assert code == 0
    deployment = next(iter(yaml.safe_load_all(out)))
    assert deployment == patched(DEPLOYMENT, Sidecar(native=False, image="d:1"))


def test_without_a_resource_it_is_a_component_of_kustomize(run, tmp_path):
    code, out, _ = run("--config", str(tmp_path / "driftgauge.yaml"), "--claim", "state")
    assert code == 0
    assert out == component(Sidecar(config_map="driftgauge", volume="state"), CONFIG)
    made = yaml.safe_load(out)
    assert (made["apiVersion"], made["kind"]) == ("kustomize.config.k8s.io/v1alpha1", "Component")
    assert made["configMapGenerator"] == [{"name": "driftgauge", "literals": [f"driftgauge.yaml={CONFIG}"]}]
    for patch in made["patches"]:
        spec = pod(yaml.safe_load(patch["patch"]))
        assert spec["initContainers"] == [container(Sidecar(config_map="driftgauge", volume="state"))]
    # What the pods are told to read is what is told to them.
    text = made["configMapGenerator"][0]["literals"][0].partition("=")[2]
    (tmp_path / "back.yaml").write_text(text)
    assert load(tmp_path / "back.yaml").models["churn"].task == "binary"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--patch", "{0}/none.yaml"), "can't be read"),
        (("--config", "{0}/bad.yaml"), "modles"),
        (("--patch", "{0}/broken.yaml"), "expected YAML"),
        (("--patch", "{0}/list.yaml"), "document 1: expected a resource, got list"),
        (("--patch", "{0}/service.yaml"), "expected a Deployment, StatefulSet"),
        (("--patch", "{0}/empty.yaml"), "document 1: spec.template.spec: expected what becomes a pod"),
        (("--kubernetes", "new"), "expected a version of Kubernetes such as 1.29"),
        (
            ("--config", "{0}/driftgauge.yaml", "--token-secret", "t"),
            "outside: expected {listen: 0.0.0.0:9879, token_file: /etc/driftgauge-token/token}",
        ),
    ],
)
def test_what_is_wrong_is_said(run, tmp_path, arguments, message):
    for name, text in {
        "bad": "modles: {}\n",
        "broken": "a: [\n",
        "list": "- a\n",
        "service": "kind: Service\n",
        "empty": "kind: Deployment\n",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    code, out, err = run(*(each.format(tmp_path) for each in arguments))
    assert code != 0
    assert out == ""
    assert message in err


def test_a_path_of_this_machine_is_warned_of(run, tmp_path):
    (tmp_path / "own.yaml").write_text("models:\n  churn: {reference: churn.json}\n")
    code, _, err = run("--config", str(tmp_path / "own.yaml"))
    assert code == 0
    assert "is a path of this machine" in err
