"""What a group has given so far: finished chunks by model version, and all that was refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from driftgauge.config import Limits
from driftgauge.ingest.columns import Chunk, Loose, Place
from driftgauge.ingest.finish import finished
from driftgauge.ingest.wording import Fault, too_long
from driftgauge.records import Failure, Kind, Reason, Rejection

BAD_REQUEST: Final = 400
CONTENT_TOO_LARGE: Final = 413
RECORDS_A_REQUEST: Final = 200_000
"""Some 30 MiB decoded, or 60 refused; a body of the least records would hold 30 times as many."""
VERSIONS_AT_ONCE: Final = 1000
"""Versions of one model in one group: columns of one record each are slow, and few are kept."""


@dataclass(slots=True)
class Tally:
    """The growing result of one group.

    Attributes:
        singles: requests that are one JSON value, so that it being malformed fails them whole.
        records: how many records each request held.
        ignored: values dropped outside of features.
        versions: those of each model so far.
        fresh: models that nothing was known of before this group.
        unnamed_version: the version of predictions that name none.
    """

    kind: Kind
    limits: Limits
    records: list[int]
    unnamed_version: str = ""
    singles: set[int] = field(default_factory=set)
    chunks: dict[tuple[str, str | None], list[Chunk]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    versions: dict[str, set[str | None]] = field(default_factory=dict)
    ignored: Counter[Reason] = field(default_factory=Counter)

    def fail(self, request: int, fault: Fault, status: int = BAD_REQUEST) -> None:
        """Refuses a whole request."""
        self.records[request] = 0
        self.failures.append(Failure(request, status, fault.reason, fault.detail))

    def counts(self, request: int, records: int) -> bool:
        """Notes how many *records* a request holds; refuses it where they are too many to hold."""
        if records > RECORDS_A_REQUEST:
            detail = f"expected at most {RECORDS_A_REQUEST} records in a body, got more"
            self.fail(request, Fault(Reason.TOO_MANY, detail), CONTENT_TOO_LARGE)
            return False
        self.records[request] = records
        return True

    def reject(self, place: Place, row: int, fault: Fault) -> None:
        """Refuses the record at *row* of *place*."""
        where = int(place.request[row]), int(place.index[row])
        self.rejections.append(Rejection(*where, fault.reason, fault.detail))

    def reject_all(self, place: Place, fault: Fault) -> None:
        """Refuses all records of *place* for one reason."""
        for row in range(len(place)):
            self.reject(place, row, fault)

    def malformed(self, place: Place, row: int, fault: Fault) -> None:
        """Refuses a text that isn't JSON, or isn't an object: with its request if that is all of it."""
        request = int(place.request[row])
        if request in self.singles:
            self.fail(request, fault)
        else:
            self.reject(place, row, fault)

    def version(self, model: str, given: str | int | None) -> str | Fault | None:
        """The label of the version that records of *model* gave, or why they are refused.

        An absent one is `unnamed_version` for predictions, and any version (None) for outcomes.
        """
        longest, known = self.limits.label_characters, self.versions.setdefault(model, set())
        label = self.unnamed_version if given is None and self.kind is Kind.PREDICTIONS else given
        version = str(label) if isinstance(label, int) else label
        if version is not None and len(version) > longest:
            return too_long("model_version", longest)
        if version not in known and len(known) >= VERSIONS_AT_ONCE:
            detail = f"model_version: expected at most {VERSIONS_AT_ONCE} of a model at once, got more"
            return Fault(Reason.TOO_MANY, detail)
        known.add(version)
        return version

    def take(self, model: str, version: str | None, loose: Loose) -> None:
        """Finishes *loose* columns and keeps what can be taken."""
        chunk, faults = finished(self.kind, loose, self.limits)
        for row, fault in faults.items():
            self.reject(loose.place, row, fault)
        if len(chunk):
            self.ignored.update(chunk.ignored)
            self.chunks.setdefault((model, version), []).append(chunk)
