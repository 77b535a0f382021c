"""What forbids a sidecar in a pod that asks for one: all that could keep it from starting or ending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from driftgauge.artefacts.manifests import NAME, Sidecar
from driftgauge.injector.refusing import Refusal, RefusedError

Object = Mapping[str, Any]

_PORTS: Final = (9877, 9878)
_SYSTEM: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")


def has_sidecar(spec: Object) -> bool:
    """Whether there is one, whoever put it there.

    Raises:
        RefusedError: the pod isn't of the form that pods have.
    """
    return any(each.get("name") == NAME for each in _containers(spec))


def check(pod: Object, sidecar: Sidecar) -> None:
    """Return if *sidecar* may go into *pod*, which has none.

    Raises:
        RefusedError: it may not, or the pod isn't of the form that pods have.
    """
    spec = pod["spec"]
    if spec.get("hostNetwork") is True:
        # Its ports would be the node's: a second such pod could not be scheduled there.
        raise RefusedError(Refusal.HOST_NETWORK, "spec.hostNetwork: expected false, got true")
    if _is_windows(spec):
        raise RefusedError(Refusal.WINDOWS, "the pod is for Windows nodes, the sidecar's image is for Linux")
    for container in _containers(spec):
        for port in _items(container, "ports"):
            if port.get("containerPort") in _PORTS:
                raise RefusedError(
                    Refusal.PORT_TAKEN,
                    f"port {port['containerPort']}: expected it free for the sidecar, "
                    "another container of the pod has it",
                )
    for volume in _items(spec, "volumes"):
        if str(volume.get("name")).startswith(f"{NAME}-"):
            raise RefusedError(
                Refusal.NAME_TAKEN,
                f"spec.volumes: expected none whose name begins with {NAME}-, the pod has one",
            )
    if not sidecar.native and _ends(pod):
        raise RefusedError(
            Refusal.WOULD_NOT_END,
            "a plain container would keep the pod of a Job running for ever: "
            "expected a native sidecar, Kubernetes 1.29 or newer",
        )


def _ends(pod: Object) -> bool:
    """Whether the pod is one that comes to an end by itself."""
    owners = _items(pod.get("metadata") or {}, "ownerReferences")
    return pod["spec"].get("restartPolicy") in ("Never", "OnFailure") or any(
        owner.get("kind") == "Job" for owner in owners
    )


def _is_windows(spec: Object) -> bool:
    selector, system = spec.get("nodeSelector") or {}, spec.get("os") or {}
    if not isinstance(selector, dict) or not isinstance(system, dict):
        raise _malformed("spec.nodeSelector and spec.os: expected mappings")
    return "windows" in (system.get("name"), *(selector.get(label) for label in _SYSTEM))


def _containers(spec: Object) -> Iterator[Object]:
    yield from _items(spec, "initContainers")
    yield from _items(spec, "containers")


def _items(holder: Object, key: str) -> list[Object]:
    found = holder.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _malformed(f"{key}: expected a list of mappings")
    return found


def _malformed(detail: str) -> RefusedError:
    return RefusedError(Refusal.MALFORMED_POD, detail)
