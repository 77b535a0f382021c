"""Failures that cross seams, each with words that say where, what was expected and what was found."""

from __future__ import annotations


class DriftgaugeError(Exception):
    """Any failure that driftgauge words for its user; ``str()`` is one line."""


class ConfigurationError(DriftgaugeError):
    """A configuration that can't be used: ``file:line path: expected ..., got ...``, one line a fault."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ReferenceFileError(DriftgaugeError):
    """A reference file that can't be read or doesn't fit; says which file and where in it."""


class StoreError(DriftgaugeError):
    """The store can't take or give data now; nothing of the refused transaction was kept."""


class StoreFullError(StoreError):
    """The volume or the store's byte limit is reached; the transaction was rolled back."""


class RequestError(DriftgaugeError):
    """A whole request refused at the door.

    Attributes:
        status: HTTP status to answer.
        reason: a word of the closed set that also labels the counter of refusals.
        detail: one line for the sender, free of the payload's values.
        retry_after_seconds: for 429 and 503, else None.
    """

    def __init__(
        self, status: int, reason: str, detail: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
