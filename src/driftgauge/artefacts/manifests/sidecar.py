"""The sidecar as Kubernetes has it. The library chart renders the same; a test compares the two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from driftgauge import __version__

Object = dict[str, Any]

NATIVE_SINCE: Final = (1, 29)
"""From here on an init container that restarts is a sidecar: it starts first and stops last."""
NAME: Final = "driftgauge"
CONFIG_KEY: Final = "driftgauge.yaml"
MARK: Final = ("driftgauge.io/sidecar", "true")
"""The label by which a PodMonitor finds the pod."""
USER: Final = 65532
CONFIG_FOLDER: Final = "/etc/driftgauge"
_TOKEN_FOLDER: Final = "/etc/driftgauge-token"  # noqa: S105 - where one is mounted
TOKEN_FILE: Final = f"{_TOKEN_FOLDER}/token"
OUTSIDE_PORT: Final = 9879
"""Of the door for outcomes from outside the pod, where there is a token."""
REFERENCES: Final = "/etc/driftgauge-references"
DATA_VOLUME: Final = f"{NAME}-data"
_TMP_VOLUME: Final = f"{NAME}-tmp"
_CONFIG_VOLUME: Final = f"{NAME}-config"
_TOKEN_VOLUME: Final = f"{NAME}-token"
_OWN_VOLUMES: Final = frozenset({DATA_VOLUME, _TMP_VOLUME, _CONFIG_VOLUME, _TOKEN_VOLUME})
# A volume's name has at most 63 characters, and no dots as a ConfigMap's may have.
_LONGEST_REFERENCE: Final = 63 - len(f"{NAME}-")
_REFERENCE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
REFERENCE_NAMES: Final = (
    f"names of ConfigMaps, each once, of at most {_LONGEST_REFERENCE} characters, no dots, "
    "none of config, data, tmp, token"
)
"""What `wrong_reference` expects."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What may be chosen of it.

    Attributes:
        image: by tag or digest.
        config_map: holds `CONFIG_KEY`; None begins without a configuration.
        native: an init container that restarts (Kubernetes 1.29 and newer), or a plain container.
        volume: a PersistentVolumeClaim in place of an emptyDir, which lives as long as the pod.
        volume_bytes: the emptyDir's limit, as Kubernetes writes it; the store keeps to 70% of it.
        token_secret: its key `token` must be shown by senders outside of the pod, at `OUTSIDE_PORT`.
        references: ConfigMaps with reference files, at /etc/driftgauge-references/<name>.
        version_label: the pod's label that is the model's version where a record names none.
        memory, cpu: what is asked for; memory_limit: what is allowed.
        optional: whether the pod starts although a ConfigMap or secret that is named isn't there.
    """

    image: str = f"driftgauge:{__version__}"
    config_map: str | None = None
    native: bool = True
    volume: str | None = None
    volume_bytes: str = "2Gi"
    token_secret: str | None = None
    references: tuple[str, ...] = ()
    version_label: str | None = "driftgauge.io/model-version"
    cpu: str = "50m"
    memory: str = "128Mi"
    memory_limit: str = "512Mi"
    optional: bool = False


def wrong_reference(names: Sequence[str]) -> str | None:
    """The first of *names* that no volume can be called after, or that stands there twice; None if all do."""
    for place, name in enumerate(names):
        fits = len(name) <= _LONGEST_REFERENCE and _REFERENCE.fullmatch(name)
        if not fits or f"{NAME}-{name}" in _OWN_VOLUMES or name in names[:place]:
            return name
    return None


def container(sidecar: Sidecar) -> Object:
    """The container; without probes, because they would count for the model's pod."""
    made: Object = {"name": NAME, "image": sidecar.image}
    if sidecar.native:
        made["restartPolicy"] = "Always"
    made["args"] = _arguments(sidecar)
    made["ports"] = [{"name": NAME, "containerPort": 9878}]
    if sidecar.token_secret:
        made["ports"].append({"name": "outcomes", "containerPort": OUTSIDE_PORT})
    if environment := list(_environment(sidecar)):
        made["env"] = environment
    made["resources"] = {
        "requests": {"cpu": sidecar.cpu, "memory": sidecar.memory},
        "limits": {"memory": sidecar.memory_limit},
    }
    made["securityContext"] = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    made["volumeMounts"] = [
        {"name": DATA_VOLUME, "mountPath": "/data"},
        {"name": _TMP_VOLUME, "mountPath": "/tmp"},  # noqa: S108 - the container's own
        *_read(sidecar),
    ]
    return made


def _environment(sidecar: Sidecar) -> Iterator[Object]:
    if sidecar.version_label:
        label = {"fieldRef": {"fieldPath": f"metadata.labels['{sidecar.version_label}']"}}
        yield {"name": "DRIFTGAUGE_MODEL_VERSION", "valueFrom": label}
    if not sidecar.volume:
        # The file system of an emptyDir is the node's: past its limit the pod is evicted, model and all.
        yield {"name": "DRIFTGAUGE_VOLUME_SIZE", "value": sidecar.volume_bytes}


def _arguments(sidecar: Sidecar) -> list[str]:
    return [
        "serve",
        *([f"--config={CONFIG_FOLDER}/{CONFIG_KEY}"] if sidecar.config_map else []),
        "--data=/data",
        "--listen=127.0.0.1:9877",
        "--metrics-listen=0.0.0.0:9878",
    ]


def _read(sidecar: Sidecar) -> list[Object]:
    found: list[Object] = []
    if sidecar.config_map:
        found.append({"name": _CONFIG_VOLUME, "mountPath": CONFIG_FOLDER, "readOnly": True})
    if sidecar.token_secret:
        found.append({"name": _TOKEN_VOLUME, "mountPath": _TOKEN_FOLDER, "readOnly": True})
    found.extend(
        {"name": f"driftgauge-{name}", "mountPath": f"{REFERENCES}/{name}", "readOnly": True}
        for name in sidecar.references
    )
    return found


def volumes(sidecar: Sidecar) -> list[Object]:
    """The pod's volumes that the container needs; each name begins with ``driftgauge-``."""
    data: Object = {"emptyDir": {"sizeLimit": sidecar.volume_bytes}}
    if sidecar.volume:
        data = {"persistentVolumeClaim": {"claimName": sidecar.volume}}
    found: list[Object] = [
        {"name": DATA_VOLUME, **data},
        {"name": _TMP_VOLUME, "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    may: Object = {"optional": True} if sidecar.optional else {}
    if sidecar.config_map:
        found.append({"name": _CONFIG_VOLUME, "configMap": {"name": sidecar.config_map, **may}})
    if sidecar.token_secret:
        found.append({"name": _TOKEN_VOLUME, "secret": {"secretName": sidecar.token_secret, **may}})
    found.extend(
        {"name": f"driftgauge-{name}", "configMap": {"name": name, **may}} for name in sidecar.references
    )
    return found


def config_map(name: str, text: str) -> Object:
    """A ConfigMap that holds a configuration."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": NAME}},
        "data": {CONFIG_KEY: text},
    }
