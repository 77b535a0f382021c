"""A Kustomize component: names of deployments in, the sidecar in each."""

from __future__ import annotations

from driftgauge.artefacts.manifests.sidecar import CONFIG_KEY, MARK, USER, Object, Sidecar, container, volumes
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
    made["patches"] = [{"target": {"kind": kind}, "patch": dumped(_patch(kind, sidecar))} for kind in kinds]
    return dumped(made)


def _patch(kind: str, sidecar: Sidecar) -> Object:
    """A strategic merge: lists are merged by name, so that the model's own containers stay."""
    where = "initContainers" if sidecar.native else "containers"
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
                    where: [container(sidecar)],
                    "volumes": volumes(sidecar),
                },
            }
        },
    }
