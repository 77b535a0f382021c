"""AdmissionReview, version v1: the API server's question about a new pod, and the answer."""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from driftgauge.errors import RequestError
from driftgauge.injector.judging import Judgement
from driftgauge.records import Reason

VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
# The API server cuts warnings off at 256 characters where there are several.
_LONGEST_WARNING: Final = 256
_LONGEST_UID: Final = 256


class GroupVersionKind(msgspec.Struct, frozen=True):
    """What is created."""

    group: str
    version: str
    kind: str


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """The part of the question that is looked at."""

    uid: str
    kind: GroupVersionKind
    operation: str
    object: Any = None
    namespace: str = ""
    sub_resource: str = ""
    dry_run: bool | None = None

    @property
    def is_new_pod(self) -> bool:
        """Whether a pod is being created: nothing else could take the patch."""
        kind = self.kind
        return (kind.group, kind.version, kind.kind, self.operation, self.sub_resource) == (
            "",
            "v1",
            "Pod",
            "CREATE",
            "",
        )


class _Asked(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    request: Request | None = None


class Response(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The answer; `patch` is base64 of a JSON patch."""

    uid: str
    allowed: bool
    patch_type: str | None = None
    patch: str | None = None
    warnings: tuple[str, ...] = ()


class Answered(msgspec.Struct, frozen=True, rename="camel"):
    """What goes back."""

    response: Response
    api_version: str = VERSION
    kind: str = KIND


def decode(body: bytes) -> Request:
    """The question in a body.

    Raises:
        RequestError: 400, it is none of version v1.
    """
    try:
        found = msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            400, Reason.MALFORMED, f"expected an {KIND} of {VERSION}: {_words(error)}"
        ) from None
    if (found.api_version, found.kind) != (VERSION, KIND):
        raise RequestError(400, Reason.OUT_OF_DOMAIN, f"apiVersion, kind: expected {VERSION} {KIND}")
    if found.request is None:
        raise RequestError(400, Reason.MISSING_FIELD, "request: required")
    if not 0 < len(found.request.uid) <= _LONGEST_UID:
        raise RequestError(400, Reason.OUT_OF_DOMAIN, f"request.uid: expected 1 to {_LONGEST_UID} characters")
    return found.request


def answer(request: Request, judgement: Judgement) -> Answered:
    """Allowed, always; with the patch, and with the warning where the sidecar is refused."""
    warnings: tuple[str, ...] = ()
    if judgement.detail is not None:
        warnings = (f"driftgauge: no sidecar: {judgement.detail}"[:_LONGEST_WARNING],)
    if not judgement.patch:
        return Answered(Response(request.uid, allowed=True, warnings=warnings))
    patch = base64.b64encode(msgspec.json.encode(judgement.patch)).decode("ascii")
    return Answered(
        Response(request.uid, allowed=True, patch_type="JSONPatch", patch=patch, warnings=warnings)
    )


def _words(error: Exception) -> str:
    """Where and what, without the payload's values."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
