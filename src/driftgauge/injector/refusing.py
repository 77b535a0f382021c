"""Why a pod that asks for the sidecar doesn't get it."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """The closed set that labels the counter."""

    UNKNOWN_ANNOTATION = "unknown_annotation"
    BAD_VALUE = "bad_value"
    NAME_TAKEN = "name_taken"
    PORT_TAKEN = "port_taken"
    HOST_NETWORK = "host_network"
    WINDOWS = "windows"
    WOULD_NOT_END = "would_not_end"
    STATUS_WITHOUT_SIDECAR = "status_without_sidecar"
    NOT_A_NEW_POD = "not_a_new_pod"
    MALFORMED_POD = "malformed_pod"


class RefusedError(ValueError):
    """No sidecar for this pod: the reason, and in words where, what was expected and what was found."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
