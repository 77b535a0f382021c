"""A pod in, the patch that gives it the sidecar out; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from driftgauge.artefacts.manifests import Sidecar, UnsuitableError, patched
from driftgauge.injector.annotations import INJECTED, MARKS, REFUSED, STATUS, asked, sidecar_of
from driftgauge.injector.json_patch import Operation, json_patch
from driftgauge.injector.refusing import Refusal, RefusedError
from driftgauge.injector.suitability import check, has_sidecar

_LONGEST_STATUS: Final = 256


class Result(StrEnum):
    """What became of a pod; the closed set that labels the counter."""

    INJECTED = "injected"
    UNASKED = "unasked"
    PRESENT = "present"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of it, and what the API server is told.

    Attributes:
        patch: what makes an injected pod of it; of one that is refused its status; else empty.
        reason, detail: why one that asked gets none.
    """

    result: Result
    patch: tuple[Operation, ...] = ()
    reason: Refusal | None = None
    detail: str | None = None


def judge(pod: object, default: Sidecar) -> Judgement:
    """What becomes of *pod*, as JSON has it; *default* is the sidecar where its annotations don't choose."""
    try:
        return _judged(pod, default)
    except RefusedError as error:
        return Judgement(Result.REFUSED, _status(pod, error), error.reason, error.detail)
    except UnsuitableError as error:
        return Judgement(Result.REFUSED, reason=Refusal.MALFORMED_POD, detail=str(error))


def _status(pod: Any, error: RefusedError) -> tuple[Operation, ...]:
    """What puts *error* into the pod's status: of a pod that a controller makes nobody sees the warning.

    A pod that can't be read is left, and one that says it has a sidecar too: asked again about that, the
    injector would take it for one that never had any.
    """
    if error.reason in {Refusal.MALFORMED_POD, Refusal.STATUS_WITHOUT_SIDECAR}:
        return ()
    metadata = pod["metadata"]
    told = {**metadata["annotations"], STATUS: f"{REFUSED}{error.detail}"[:_LONGEST_STATUS]}
    return tuple(json_patch(pod, {**pod, "metadata": {**metadata, "annotations": told}}))


def _judged(given: object, default: Sidecar) -> Judgement:
    if not isinstance(given, dict) or not isinstance(given.get("spec"), dict) or not given["spec"]:
        raise RefusedError(Refusal.MALFORMED_POD, "object: expected a Pod with a specification")
    pod = {**given, "kind": "Pod"}
    annotations = _annotations(pod)
    if not asked(annotations):
        return Judgement(Result.UNASKED)
    if has_sidecar(pod["spec"]):
        return Judgement(Result.PRESENT)
    if annotations.get(STATUS) == INJECTED:
        raise RefusedError(
            Refusal.STATUS_WITHOUT_SIDECAR,
            f"{STATUS}: expected none in a pod without the sidecar, got {INJECTED}; leave it to the injector",
        )
    sidecar = sidecar_of(annotations, default)
    check(pod, sidecar)
    made = patched(pod, sidecar)
    made["metadata"]["annotations"] = {**annotations, **MARKS}
    return Judgement(Result.INJECTED, tuple(json_patch(pod, made)))


def _annotations(pod: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = pod.get("metadata") or {}
    found = (metadata.get("annotations") or {}) if isinstance(metadata, dict) else None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise RefusedError(Refusal.MALFORMED_POD, "metadata.annotations: expected texts by name")
    return found
