"""Charts rendered offline by Helm's own code: `python -m tests.charts` writes what is checked in.

Each `ci/<case>-values.yaml` of a chart has its rendered output beside it. The rules and dashboards that a chart
carries are other files of this repository, so that only their names stand there. The certificates that it makes
are others each time: in their place stands what they are.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate.utils
import yaml

ROOT = Path(__file__).resolve().parents[1]
CHARTS = ("helm/driftgauge", "helm/examples/model-server")
RELEASE, NAMESPACE = "driftgauge", "monitoring"
# A version's definitions are megabytes, and are read anew for each resource.
kubernetes_validate.utils.schema_contents = lru_cache(8)(kubernetes_validate.utils.schema_contents)
HEAD = "# Rendered by `make generate` from {case}; a test compares.\n"


@dataclass(frozen=True)
class Case:
    """One chart with one file of values."""

    chart: Path
    values: Path

    @property
    def rendered(self) -> Path:
        return self.values.parent / "rendered" / self.values.name.replace("-values.yaml", ".yaml")

    def given(self) -> dict[str, Any]:
        return yaml.safe_load(self.values.read_text(encoding="utf-8")) or {}

    def render(self) -> list[dict[str, Any]]:
        """The resources, in the order of their templates."""
        return resources(self.chart, self.given())

    def text(self) -> str:
        """What is checked in."""
        documents = [shortened(each) for each in self.render()]
        body = yaml.safe_dump_all(documents, sort_keys=False, width=10_000, allow_unicode=True)
        return HEAD.format(case=self.values.relative_to(ROOT).as_posix()) + body


def resources(chart: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources that *values* make of a chart; NOTES.txt left out."""
    helm_python.disable_logging()
    texts = helm_python.Chart.load(chart).render(values, name=RELEASE, namespace=NAMESPACE)
    found = (yaml.safe_load_all(texts[path]) for path in sorted(texts) if path.endswith(".yaml"))
    return [document for documents in found for document in documents if document]


def cases() -> Iterator[Case]:
    """Every case of every chart."""
    for chart in CHARTS:
        for values in sorted((ROOT / chart / "ci").glob("*-values.yaml")):
            yield Case(ROOT / chart, values)


def shortened(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource with the name of a carried file in place of its content, and so for a made certificate."""
    if resource.get("type") == "kubernetes.io/tls":
        return {**resource, "data": {name: f"<{name} made by Helm>" for name in resource["data"]}}
    if resource["kind"] == "MutatingWebhookConfiguration":
        made = copy.deepcopy(resource)
        for webhook in made["webhooks"]:
            if "caBundle" in webhook["clientConfig"]:
                webhook["clientConfig"]["caBundle"] = "<ca.crt made by Helm>"
        return made
    if resource["kind"] == "PrometheusRule":
        shipped = yaml.safe_load((ROOT / "prometheus" / "driftgauge.rules.yml").read_text(encoding="utf-8"))
        groups = resource["spec"]["groups"]
        number = len(shipped["groups"])
        assert groups[:number] == shipped["groups"], "the chart's rules are not the shipped ones"
        return {**resource, "spec": {"groups": ["prometheus/driftgauge.rules.yml", *groups[number:]]}}
    data = resource.get("data", {})
    if any(name.endswith(".json") for name in data):
        for name, text in data.items():
            file = ROOT / "grafana" / "dashboards" / name
            assert text.strip() == file.read_text(encoding="utf-8").strip(), f"{name} is not the shipped one"
        return {**resource, "data": {name: f"grafana/dashboards/{name}" for name in data}}
    return resource


def main() -> int:
    for case in cases():
        case.rendered.parent.mkdir(exist_ok=True)
        case.rendered.write_text(case.text(), encoding="utf-8")
        sys.stdout.write(f"wrote {case.rendered}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
