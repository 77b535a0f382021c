"""The charts: linted, rendered by Helm's own code, validated by the schemas of what will take them."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import helm_python
import jsonschema
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests import charts

from driftgauge.artefacts.charts import (
    configuration_schema,
    documented,
    schema_text,
    undocumented,
    values_table,
)
from driftgauge.cli.group import main
from driftgauge.config_file import load
from driftgauge.injector.annotations import INJECT
from driftgauge.injector.doors import MUTATE
from driftgauge.quantities import quantity

CASES = list(charts.cases())
OURS = [case for case in CASES if case.chart.name == "driftgauge"]
OPERATOR = "monitoring.coreos.com"
CERT_MANAGER = "cert-manager.io"
KUBERNETES = [f"1.{minor}.0" for minor in range(27, 38)]
CHART = charts.ROOT / "helm" / "driftgauge"
LIBRARY = charts.ROOT / "helm" / "driftgauge-sidecar"
VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")


def name(case):
    return f"{case.chart.name}-{case.rendered.stem}"


@pytest.fixture(scope="module")
def rendered():
    return {name(case): case.render() for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=name)
@pytest.mark.parametrize("version", ["v1.27.0", "v1.37.0"])
def test_lint_is_clean(case, version):
    helm_python.disable_logging()
    found = helm_python.lint(case.chart, case.given(), strict=True, kube_version=version)
    assert found["messages"] == []
    assert found["errors"] == []


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_rendered_is_what_is_checked_in(case):
    assert case.text() == case.rendered.read_text(encoding="utf-8"), "run make generate"


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_resource(rendered, version):
    seen = {}
    for resource in (each for found in rendered.values() for each in found):
        if not resource["apiVersion"].startswith((OPERATOR, CERT_MANAGER)):
            seen.setdefault(json.dumps(resource), resource)
    native = [text for text in seen if '"restartPolicy": "Always"' in text]
    assert native
    for text, resource in seen.items():
        if text not in native or version >= "1.29":
            kubernetes_validate.validate(resource, version, strict=True)
    assert len(seen) > 20


@pytest.mark.parametrize(
    ("group", "kinds", "strict"),
    [
        (OPERATOR, {"PodMonitor", "PrometheusRule", "AlertmanagerConfig"}, "PodMonitor"),
        (CERT_MANAGER, {"Issuer", "Certificate"}, "Certificate"),
    ],
)
def test_operators_take_their_resources(rendered, require_tool, require_node_modules, group, kinds, strict):
    node, folder = require_tool("node"), require_node_modules().parent
    resources = [
        each for found in rendered.values() for each in found if each["apiVersion"].startswith(group)
    ]
    assert {resource["kind"] for resource in resources} == kinds

    def validated(given):
        return subprocess.run(
            (node, "validate.js"),
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )

    done = validated(resources)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": valid") == len(resources)
    wrong = validated([{**next(each for each in resources if each["kind"] == strict), "spec": {}}])
    assert wrong.returncode == 1, wrong.stdout + wrong.stderr


# --- values -------------------------------------------------------------------------------------------


def test_every_value_is_documented_there_and_in_the_readme():
    assert undocumented(VALUES) == ()
    assert undocumented("a:\n  b: 1 # no sentence\n") == ("a.b",)
    assert values_table(VALUES) in (CHART / "README.md").read_text(encoding="utf-8")


def test_the_schema_is_made_of_the_values_and_of_the_configurations_tree():
    assert (CHART / "values.schema.json").read_text(encoding="utf-8") == schema_text(VALUES), (
        "run make generate"
    )


def test_the_configurations_schema_takes_the_manual_and_nothing_unknown(repository):
    schema = configuration_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    manual = yaml.safe_load((repository / "config.example.yaml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(manual)) == []
    for wrong in (
        {"modles": {}},
        {"models": {"a": {"windows": ["60"]}}},
        {"models": {"a": {"task": "guess"}}},
        {"store": {"pending": "8MB"}},
        {"export": {"sample": 2}},
        {"alerts": [{"when": {"model": "a"}}]},
        {"evaluate": 15},
    ):
        assert list(validator.iter_errors(wrong)), wrong


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recevier": {"enabled": True}}, "additional properties 'recevier' not allowed"),
        ({"receiver": {"enabled": "yes"}}, "want boolean"),
        ({"image": {"pullPolicy": "Sometimes"}}, "value must be one of"),
        ({"image": {"digest": "latest"}}, "does not match pattern"),
        ({"config": {"models": {"a": {"windows": ["7"]}}}}, "does not match pattern"),
    ],
)
def test_wrong_values_are_refused_with_their_place(values, said):
    helm_python.disable_logging()
    found = helm_python.lint(CHART, values, strict=True)
    assert any(said in message["error"] for message in found["messages"]), found


def test_a_route_to_a_trigger_that_is_not_there_is_refused():
    with pytest.raises(helm_python.HelmRenderError, match=r"expected trigger\.enabled: true"):
        charts.resources(CHART, {"alertmanagerConfig": {"enabled": True}})


# --- what the pods run --------------------------------------------------------------------------------


def containers(resources):
    for resource in resources:
        template = resource if resource["kind"] == "Pod" else resource.get("spec", {}).get("template")
        if template and "containers" in template.get("spec", {}):
            for container in template["spec"]["containers"]:
                yield template["spec"], container


@pytest.mark.parametrize("case", OURS, ids=name)
def test_every_pod_keeps_to_the_restricted_profile(rendered, case, repository):
    user = int(re.search(r"^USER (\d+):", (repository / "Dockerfile").read_text(), re.MULTILINE)[1])
    found = list(containers(rendered[name(case)]))
    for pod, container in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == user
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        assert not container["image"].endswith((":latest", ":"))
        assert pod["automountServiceAccountToken"] == (
            container["name"] == "trigger" and has_role(rendered[name(case)])
        )
    assert found or case.rendered.stem == "rules-only"


def has_role(resources):
    return any(resource["kind"] == "Role" for resource in resources)


@pytest.mark.parametrize("case", OURS, ids=name)
def test_the_commands_have_the_flags_that_the_pods_give_them(rendered, case):
    for _, container in containers(rendered[name(case)]):
        command, *flags = container["args"]
        known = {
            option
            for parameter in main.commands[command].params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {flag.split("=")[0] for flag in flags} <= known


@pytest.mark.parametrize("case", OURS, ids=name)
def test_the_configurations_are_read(rendered, case, tmp_path):
    for resource in rendered[name(case)]:
        if resource["kind"] == "ConfigMap" and "driftgauge.yaml" in resource["data"]:
            (tmp_path / "references" / "churn-reference").mkdir(parents=True, exist_ok=True)
            file = tmp_path / "driftgauge.yaml"
            file.write_text(resource["data"]["driftgauge.yaml"], encoding="utf-8")
            config = load(file)
            if resource["metadata"]["name"].endswith("-trigger"):
                assert str(config.trigger.token_file) == "/etc/driftgauge/token/token"
                assert config.trigger.sidecar.url == "http://driftgauge:9878"
            else:
                assert str(config.intake.token_file) == "/etc/driftgauge/token/token"


def test_a_users_own_source_of_labels_is_kept():
    values = {
        "trigger": {"enabled": True},
        "config": {"trigger": {"prometheus": {"url": "http://prometheus:9090"}}},
    }
    [config] = [
        yaml.safe_load(resource["data"]["driftgauge.yaml"])
        for resource in charts.resources(CHART, values)
        if resource["kind"] == "ConfigMap" and resource["metadata"]["name"].endswith("-trigger")
    ]
    assert config["trigger"]["prometheus"] == {"url": "http://prometheus:9090"}
    assert "sidecar" not in config["trigger"]


def test_the_trigger_may_do_what_it_does_and_no_more(rendered):
    [role] = [r for r in rendered["driftgauge-everything"] if r["kind"] == "Role"]
    allowed = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert allowed == {
        ("batch", "cronjobs", "get"),
        ("batch", "jobs", "create"),
        ("batch", "jobs", "get"),
        ("argoproj.io", "workflows", "create"),
        ("argoproj.io", "workflows", "get"),
    }
    assert not has_role(rendered["driftgauge-ephemeral"])


def test_policies_select_the_charts_own_pods_only(rendered):
    policies = [r for r in rendered["driftgauge-everything"] if r["kind"] == "NetworkPolicy"]
    assert len(policies) == 3
    for policy in policies:
        selected = policy["spec"]["podSelector"]["matchLabels"]
        assert selected["app.kubernetes.io/name"] == "driftgauge"
        assert selected["app.kubernetes.io/component"] in {"receiver", "trigger", "injector"}


def test_services_and_monitors_reach_the_ports_of_the_pods(rendered):
    resources = rendered["driftgauge-everything"]
    ports = {
        (port["name"], port["containerPort"])
        for _, container in containers(resources)
        for port in container.get("ports", ())
    }
    for resource in resources:
        if resource["kind"] == "Service":
            for port in resource["spec"]["ports"]:
                assert isinstance(port["targetPort"], int)
                assert (port["name"], port["targetPort"]) in ports
        if resource["kind"] == "PodMonitor":
            for endpoint in resource["spec"]["podMetricsEndpoints"]:
                assert endpoint["port"] in {name for name, _ in ports}


def test_parts_of_other_projects_are_there_only_when_they_are_asked_for(rendered):
    assert not [r for r in rendered["driftgauge-default"] if r["apiVersion"].startswith(OPERATOR)]
    [monitor] = [r for r in rendered["driftgauge-rules-only"] if r["kind"] == "PodMonitor"]
    assert monitor["spec"]["podMetricsEndpoints"] == [{"portNumber": 9878, "interval": "30s"}]


def test_the_charts_rules_take_the_alerts_of_a_configuration(repository):
    asked = ["rules", "--config", str(repository / "config.example.yaml"), "--format", "operator"]
    told = CliRunner().invoke(main, asked, catch_exceptions=False)
    compiled = yaml.safe_load(told.stdout)["spec"]["groups"]
    values = {"prometheusRule": {"enabled": True, "additionalGroups": compiled}}
    [rule] = [r for r in charts.resources(CHART, values) if r["kind"] == "PrometheusRule"]
    assert rule["spec"]["groups"][-len(compiled) :] == compiled
    assert "PrecisionLow" in {each.get("alert") for group in compiled for each in group["rules"]}


def test_the_charts_alerts_lead_to_the_pages_that_are_named():
    def links(**values):
        asked = {"prometheusRule": {"enabled": True, **values}}
        [rule] = [r for r in charts.resources(CHART, asked) if r["kind"] == "PrometheusRule"]
        alerts = [each for group in rule["spec"]["groups"] for each in group["rules"] if "alert" in each]
        found = [each["annotations"] for each in alerts]
        return [each["runbook_url"] for each in found], [each["dashboard_url"] for each in found]

    pages, boards = links()
    assert pages
    assert all(each.startswith("docs/runbooks.md#") for each in pages)
    assert all(each.startswith("/d/driftgauge-") for each in boards)
    there, grafana = "https://git.example.com/runbooks.md", "https://grafana.example.com"
    # As `driftgauge rules --shipped` with the same addresses has them.
    told = CliRunner().invoke(main, ["rules", "--shipped", "--runbooks", there, "--grafana", grafana])
    compiled = [each for group in yaml.safe_load(told.stdout)["groups"] for each in group["rules"]]
    asked = [each["annotations"] for each in compiled if "alert" in each]
    assert links(runbooks=there, grafana=grafana) == (
        [each["runbook_url"] for each in asked],
        [each["dashboard_url"] for each in asked],
    )


def test_a_documented_value_is_read_with_its_sentence():
    [found] = documented("a:\n  # -- How many\n  # of them.\n  b: 3\n")
    assert (found.path, found.default, found.doc) == ("a.b", 3, "How many of them.")


def test_the_charts_own_pods_reach_each_other_whoever_else_may(rendered):
    """The trigger asks the receiver for labels, `helm test` asks all: both from the release's namespace."""
    own = {
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "driftgauge",
                "app.kubernetes.io/instance": "driftgauge",
            }
        }
    }
    resources = rendered["driftgauge-everything"]
    for policy in (each for each in resources if each["kind"] == "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            if rule["ports"] in ([{"port": 9878}], [{"port": 9879}]):
                assert own in rule["from"], policy["metadata"]["name"]
    asking = [r for r in resources if r["kind"] == "Pod"]
    asking += [r["spec"]["template"] for r in resources if r["kind"] in {"Deployment", "StatefulSet"}]
    assert len(asking) == 6
    for pod in asking:
        assert own["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}
    values = {
        "trigger": {"enabled": True},
        "networkPolicy": {"enabled": True, "metricsFrom": [monitoring]},
    }
    policy = of(charts.resources(CHART, values), "NetworkPolicy", "driftgauge-trigger")
    assert policy["spec"]["ingress"] == [
        {"from": [monitoring, {"podSelector": {}}], "ports": [{"port": 9879}]}
    ], "Prometheus scrapes the trigger from where it scrapes the receiver"


@pytest.mark.parametrize("component", ["receiver", "trigger", "injector"])
def test_each_component_takes_what_every_chart_lets_choose(component):
    chosen = {
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "nodeSelector": {"e": "f"},
        "tolerations": [{"key": "g"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "h",
        "resources": {"limits": {"memory": "1Gi"}},
    }
    made = charts.resources(CHART, {component: {"enabled": True, **chosen}})
    kind, name = (
        ("StatefulSet", "driftgauge")
        if component == "receiver"
        else ("Deployment", f"driftgauge-{component}")
    )
    template = of(made, kind, name)["spec"]["template"]
    assert template["metadata"]["annotations"]["a"] == "b"
    assert template["metadata"]["labels"]["c"] == "d"
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert template["spec"][name] == chosen[name]
    assert template["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}


@pytest.mark.parametrize("component", ["trigger", "injector"])
def test_memory_is_asked_for_and_allowed_as_it_was_measured(repository, component):
    page = (repository / "docs" / "measured-services.md").read_text(encoding="utf-8")
    rows = page.partition(f"`driftgauge {component}`")[2]
    idle, most = (
        int(re.search(rf"\| {what} \| (\d+) MiB \|", rows)[1])
        for what in ("memory, idle", "the most memory that it had")
    )
    asked = yaml.safe_load(VALUES)[component]["resources"]
    mebi = quantity("1Mi")
    assert quantity(asked["requests"]["memory"]) / mebi >= idle
    assert quantity(asked["limits"]["memory"]) / mebi >= 2 * most
    [told] = [value.doc for value in documented(VALUES) if value.path == f"{component}.resources"]
    assert f"{idle} MiB idle, {most} MiB" in told


def test_volumes_of_ones_own_are_mounted(rendered):
    resources = rendered["driftgauge-everything"]
    for kind, name, volume in (
        ("StatefulSet", "driftgauge", "authority"),
        ("Deployment", "driftgauge-trigger", "webhook"),
    ):
        spec = of(resources, kind, name)["spec"]["template"]["spec"]
        assert volume in {each["name"] for each in spec["volumes"]}
        assert volume in {each["name"] for each in spec["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize("chart", [CHART, LIBRARY], ids=lambda chart: chart.name)
def test_a_chart_says_what_a_catalogue_shows(chart):
    told = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    kind, _, picture = told["icon"].partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert ET.fromstring(base64.b64decode(picture, validate=True)).tag.endswith("}svg")
    assert told["description"].endswith(".")
    assert told["annotations"]["artifacthub.io/license"] == "Apache-2.0"
    assert "Apache License" in (charts.ROOT / "LICENSE").read_text(encoding="utf-8")
    # Of the categories that Artifact Hub has.
    assert told["annotations"]["artifacthub.io/category"] == "monitoring-logging"
    assert told["annotations"]["artifacthub.io/prerelease"] == str(told["version"].startswith("0.")).lower()
    # The oldest cluster that the resources are validated for; -0 takes a vendor's suffix.
    assert told["kubeVersion"] == f">={KUBERNETES[0]}-0"


# --- the injector ---------------------------------------------------------------------------------------


def of(resources, kind, name="driftgauge-injector"):
    [found] = [r for r in resources if r["kind"] == kind and r["metadata"]["name"] == name]
    return found


def webhook(resources):
    [found] = of(resources, "MutatingWebhookConfiguration", "driftgauge-injector-monitoring")["webhooks"]
    return found


def certificate(text):
    return x509.load_pem_x509_certificate(base64.b64decode(text))


def test_the_api_server_reaches_the_injector_and_never_waits_long(rendered):
    for case in ("driftgauge-injector", "driftgauge-everything"):
        found = webhook(rendered[case])
        assert found["failurePolicy"] == "Ignore"
        assert found["sideEffects"] == "None"
        assert found["reinvocationPolicy"] == "IfNeeded"
        assert found["admissionReviewVersions"] == ["v1"]
        assert found["timeoutSeconds"] <= 5
        asked = found["clientConfig"]["service"]
        service = of(rendered[case], "Service", asked["name"])
        assert asked["namespace"] == service["metadata"]["namespace"]
        assert asked["path"] == MUTATE
        assert asked["port"] in {port["port"] for port in service["spec"]["ports"]}
        pods = of(rendered[case], "Deployment")["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= pods.items()
        # Neither the cluster's own pods nor the injector's wait for it.
        assert {
            "key": "kubernetes.io/metadata.name",
            "operator": "NotIn",
            "values": ["kube-system", "kube-node-lease"],
        } in found["namespaceSelector"]["matchExpressions"]
        [own] = found["objectSelector"]["matchExpressions"]
        assert own["operator"] == "DoesNotExist"
        assert own["key"] in pods
        [condition] = found["matchConditions"]
        assert f"'{INJECT}' in object.metadata.annotations" in condition["expression"]
        budget = of(rendered[case], "PodDisruptionBudget")
        assert budget["spec"]["selector"]["matchLabels"].items() <= pods.items()
    assert webhook(rendered["driftgauge-injector"])["namespaceSelector"]["matchLabels"] == {
        "driftgauge.io/injection": "enabled"
    }


def test_the_certificate_that_the_chart_makes_is_one_that_the_api_server_trusts():
    resources = charts.resources(CHART, {"injector": {"enabled": True}})
    data = of(resources, "Secret", "driftgauge-injector-certificate")["data"]
    assert webhook(resources)["clientConfig"]["caBundle"] == data["ca.crt"]
    authority, leaf = certificate(data["ca.crt"]), certificate(data["tls.crt"])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "driftgauge-injector.monitoring.svc" in names.get_values_for_type(x509.DNSName)
    leaf.verify_directly_issued_by(authority)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days >= 3649
    key = serialization.load_pem_private_key(base64.b64decode(data["tls.key"]), None)
    assert key.public_key() == leaf.public_key()
    mounted = of(resources, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert mounted == [{"name": "certificate", "secret": {"secretName": "driftgauge-injector-certificate"}}]


def test_an_upgrade_keeps_the_certificate_that_is_there(tmp_path):
    """Offline Helm's `lookup` finds nothing: here it is told what a cluster would find."""
    chart = tmp_path / "driftgauge"
    shutil.copytree(CHART, chart)
    template = chart / "templates" / "injector-webhook.yaml"
    looked = 'lookup "v1" "Secret" .Release.Namespace $secret'
    text = template.read_text(encoding="utf-8")
    assert text.count(looked) == 1
    template.write_text(text.replace(looked, "default (dict) .Values.found"), encoding="utf-8")
    (chart / "values.schema.json").unlink()

    def made(found=None):
        resources = charts.resources(chart, {"injector": {"enabled": True}, "found": found})
        data = of(resources, "Secret", "driftgauge-injector-certificate")["data"]
        assert webhook(resources)["clientConfig"]["caBundle"] == data["ca.crt"]
        return data

    first = made()
    assert made({"data": first}) == first
    for lost in first:
        again = made({"data": {name: text for name, text in first.items() if name != lost}})
        assert not {*again.values()} & {*first.values()}, "parts of two pairs"


def test_cert_manager_is_asked_for_a_certificate_of_an_authority_that_stays(rendered):
    resources = rendered["driftgauge-everything"]
    leaf, authority = (
        of(resources, "Certificate", f"driftgauge-injector{end}") for end in ("", "-authority")
    )
    assert leaf["spec"]["secretName"] == "driftgauge-injector-certificate"
    assert "driftgauge-injector.monitoring.svc" in leaf["spec"]["dnsNames"]
    assert (
        leaf["spec"]["issuerRef"]["name"]
        == of(resources, "Issuer", "driftgauge-injector-authority")["metadata"]["name"]
    )
    assert authority["spec"]["isCA"] is True
    assert (
        of(resources, "Issuer", "driftgauge-injector-authority")["spec"]["ca"]["secretName"]
        == authority["spec"]["secretName"]
    )
    configuration = of(resources, "MutatingWebhookConfiguration", "driftgauge-injector-monitoring")
    assert configuration["metadata"]["annotations"] == {
        "cert-manager.io/inject-ca-from": "monitoring/driftgauge-injector"
    }
    assert "caBundle" not in webhook(resources)["clientConfig"]
    assert not [r for r in resources if r["kind"] == "Secret"]

    given = {"name": "company", "kind": "ClusterIssuer"}
    chosen = charts.resources(
        CHART,
        {
            "injector": {
                "enabled": True,
                "certificates": {"certManager": {"enabled": True, "issuerRef": given}},
            }
        },
    )
    assert [r["spec"]["issuerRef"] for r in chosen if r["kind"] == "Certificate"] == [given]
    assert not [r for r in chosen if r["kind"] == "Issuer"]


def test_injected_sidecars_have_the_charts_image_and_the_form_of_the_cluster(rendered):
    for case, form in (("driftgauge-injector", "--native"), ("driftgauge-everything", "--plain")):
        [injector] = of(rendered[case], "Deployment")["spec"]["template"]["spec"]["containers"]
        assert form in injector["args"]
        assert f"--image={injector['image']}" in injector["args"]


# --- examples -------------------------------------------------------------------------------------------

EXAMPLES = sorted(path.parent for path in (charts.ROOT / "helm" / "examples").glob("*/deployment.yaml"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
@pytest.mark.parametrize(("form", "oldest"), [("native", 29), ("plain", 27)])
def test_kubernetes_takes_the_examples(folder, form, oldest):
    resources = list(yaml.safe_load_all((folder / f"{form}.yaml").read_text(encoding="utf-8")))
    assert [resource["kind"] for resource in resources] == ["ConfigMap", "Deployment"]
    for minor in range(oldest, 38):
        for resource in resources:
            kubernetes_validate.validate(resource, f"1.{minor}.0", strict=True)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_examples_configurations_are_fine(folder):
    assert load(folder / "driftgauge.yaml").models


def test_every_example_is_described(repository):
    page = (repository / "helm" / "README.md").read_text(encoding="utf-8")
    found = [path.name for path in (repository / "helm" / "examples").iterdir()]
    assert len(found) > 4
    assert not [name for name in found if f"examples/{name}" not in page]


def test_the_stacks_values_select_what_the_chart_labels(repository):
    values = yaml.safe_load(
        (repository / "helm" / "examples" / "kube-prometheus-stack-values.yaml").read_text()
    )
    ours = yaml.safe_load(VALUES)["dashboards"]
    grafana = values["grafana"]["sidecar"]["dashboards"]
    assert grafana["label"] == ours["label"]
    assert grafana["labelValue"] == ours["labelValue"]
    assert grafana["folderAnnotation"] == ours["folderAnnotation"]
