"""A user's own resource with the sidecar in it: again and again the same result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, cast

from driftgauge.artefacts.manifests.sidecar import (
    DATA_VOLUME,
    MARK,
    NAME,
    USER,
    Object,
    Sidecar,
    container,
    volumes,
)

_OURS: Final = f"{NAME}-"
# Where each kind keeps what becomes a pod: the path of its specification, and of the metadata beside it.
_TEMPLATE: Final = (("spec", "template", "spec"), ("spec", "template", "metadata"))
_PLACES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "Deployment": _TEMPLATE,
        "StatefulSet": _TEMPLATE,
        "DaemonSet": _TEMPLATE,
        "ReplicaSet": _TEMPLATE,
        "Rollout": _TEMPLATE,
        "Pod": (("spec",), ("metadata",)),
        # KServe: the predictor is a pod's specification that has labels of its own.
        "InferenceService": (("spec", "predictor"), ("spec", "predictor")),
    }
)
KINDS: Final = tuple(_PLACES)
"""What can take a sidecar."""


class UnsuitableError(ValueError):
    """A resource that can't take a sidecar; says where, what was expected and what was found."""


def patched(resource: Mapping[str, Any], sidecar: Sidecar) -> Object:
    """*resource* with the sidecar in its pod: its container, its volumes, the label of `MARK`.

    What an earlier call put there is replaced, so that the result of a second call is that of the first. All
    else stays as it is.

    Args:
        resource: a Deployment, StatefulSet, DaemonSet, ReplicaSet, Rollout, Pod or InferenceService.

    Raises:
        UnsuitableError: another kind, or not of the form that its kind has.
    """
    kind = resource.get("kind")
    if not isinstance(kind, str) or kind not in _PLACES:
        raise UnsuitableError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    changed: Object = _copied(dict(resource))
    spec_path, metadata_path = _PLACES[kind]
    spec = _at(changed, spec_path)
    if not spec:
        raise UnsuitableError(f"{'.'.join(spec_path)}: expected what becomes a pod, got nothing")
    _put(spec, sidecar, ".".join(spec_path))
    _at(changed, (*metadata_path, "labels"))[MARK[0]] = MARK[1]
    return changed


def _copied(node: Any) -> Any:
    """A copy in which no part is another's: of a YAML anchor all places are one object.

    Labels are often written so, once for the selector and for the pods; only the pods' may change.
    """
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


def _at(resource: Object, path: Sequence[str]) -> Object:
    """The mapping at *path*, made where it isn't there."""
    found: Any = resource
    for depth, key in enumerate(path):
        if found.get(key) is None:
            found[key] = {}
        found = found[key]
        if not isinstance(found, dict):
            raise UnsuitableError(
                f"{'.'.join(path[: depth + 1])}: expected a mapping, got {type(found).__name__}"
            )
    return cast("Object", found)


def _put(spec: Object, sidecar: Sidecar, where: str) -> None:
    kept = {key: _named(spec, key, where) for key in ("initContainers", "containers", "volumes")}
    for key in ("initContainers", "containers"):
        kept[key] = [each for each in kept[key] if each.get("name") != NAME]
    had_claim = any(
        each.get("name") == DATA_VOLUME and "persistentVolumeClaim" in each for each in kept["volumes"]
    )
    kept["volumes"] = [each for each in kept["volumes"] if not str(each.get("name")).startswith(_OURS)]
    if sidecar.native:
        # Before the others: what they do while they start is then seen too.
        kept["initContainers"].insert(0, container(sidecar))
    else:
        kept["containers"].append(container(sidecar))
    kept["volumes"] += volumes(sidecar)
    for key, value in kept.items():
        if value or key in spec:
            spec[key] = value
    _put_group(spec, sidecar, where, ours=had_claim)


def _put_group(spec: Object, sidecar: Sidecar, where: str, *, ours: bool) -> None:
    """A claim belongs to the group that may write to it; anyone may write to an emptyDir.

    A group that the pod chose is left. One for an emptyDir would be for nothing, and the kubelet would give
    it the model's own volumes, file by file.

    Args:
        ours: whether the group that is there may be that of a claim from before.
    """
    security = spec.get("securityContext") or {}
    if not isinstance(security, dict):
        raise UnsuitableError(f"{where}.securityContext: expected a mapping, got {type(security).__name__}")
    kept = {key: value for key, value in security.items() if not (ours and (key, value) == ("fsGroup", USER))}
    if sidecar.volume:
        kept = {"fsGroup": USER, **kept}
    if kept:
        spec["securityContext"] = kept
    elif security:
        del spec["securityContext"]


def _named(spec: Object, key: str, where: str) -> list[Object]:
    found = spec.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UnsuitableError(f"{where}.{key}: expected a list of mappings, got {type(found).__name__}")
    return list(found)
