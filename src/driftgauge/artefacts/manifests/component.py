"""A Kustomize component: names of deployments in, the sidecar in each."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.artefacts.manifests.sidecar import (
    CONFIG_KEY,
    MARK,
    NAME,
    USER,
    Object,
    Sidecar,
    container,
    volumes,
)
from driftgauge.artefacts.yaml_text import dumped


def component(
    sidecar: Sidecar, configuration: str | None, kinds: tuple[str, ...] = ("Deployment", "StatefulSet")
) -> str:
    """`kustomization.yaml` of a component that puts the sidecar into every workload of *kinds*.

    Args:
        configuration: the text of the configuration file. The ConfigMap made of it has a name that follows
            its content, so that a change rolls the pods.
    """
    made: Object = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    if configuration is not None:
        made["configMapGenerator"] = [
            {"name": sidecar.config_map, "literals": [f"{CONFIG_KEY}={configuration}"]}
        ]
    made["patches"] = [
        {"target": {"kind": kind}, "patch": patch} for kind in kinds for patch in _patches(kind, sidecar)
    ]
    return dumped(made)


def _patches(kind: str, sidecar: Sidecar) -> Iterator[str]:
    """Merges by name, so that the model's own containers stay.

    Kustomize puts what it merges before what is there. That is right for an init container, which sees then
    what the others do; a plain container would become the one that `kubectl logs` and `exec` take without
    a name, so that it is taken out and put last.
    """
    if sidecar.native:
        yield dumped(_merged(kind, sidecar, {"initContainers": [container(sidecar)]}))
        return
    yield dumped(_merged(kind, sidecar, {"containers": [{"name": NAME, "$patch": "delete"}]}))
    last = {"op": "add", "path": "/spec/template/spec/containers/-", "value": container(sidecar)}
    yield dumped([last])


def _merged(kind: str, sidecar: Sidecar, containers: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "any"},
        "spec": {
            "template": {
                "metadata": {"labels": {MARK[0]: MARK[1]}},
                "spec": {
                    # A claim belongs to the group that may write to it; anyone may write to an emptyDir.
                    **({"securityContext": {"fsGroup": USER}} if sidecar.volume else {}),
                    **containers,
                    "volumes": volumes(sidecar),
                },
            }
        },
    }
