"""What a committed batch changes: computed before the commit, applied after it, replayed at start."""

from __future__ import annotations

from enum import IntEnum

import msgspec
import numpy as np

from driftgauge.judged import Judged
from driftgauge.monitor.detecting import Errors
from driftgauge.monitor.log import Rows
from driftgauge.monitor.structure import Structure
from driftgauge.records import Answer, Floats, Rejection, Violation
from driftgauge.reference.verdicts import RelationJudged


class Revision(IntEnum):
    """What a row has to do with another outcome of records that were counted."""

    NONE = 0
    TAKEN = -1
    PUT = 1


class PaneDelta(msgspec.Struct, array_like=True, frozen=True):
    """A row to add to the pane *fine* and to the pane *coarse* (either may be absent); to take away from
    them where the *revision* says so.
    """

    part: str
    fine: int | None
    coarse: int | None
    row: bytes
    revision: Revision = Revision.NONE


class Update(msgspec.Struct, array_like=True, frozen=True):
    """Everything that one batch changes in one version, as it is kept beside its rows.

    Attributes:
        model_owner, version_owner: the store's numbers for them, given out once; a version of 0 is
            none: only the model changes.
        structure: the model's, when the batch made it grow.
        clock: the model's time after the batch (records clock), epoch seconds.
        unjoined: change of the number of predictions without an outcome.
        waiting: change of the number of outcomes whose prediction hasn't come.
        numeric, categorical: features seen for the first time while learning.
        centres: what sums of newly seen numeric keys are taken about.
        growing: numeric keys with their last value while they never fell; None once they did.
        matures_after: when outcomes are complete, as it was learned.
        related: verdicts on relations, of windows whose newest pane has closed.
        relation: the reference of the relation between inputs and outcome, fixed by this update, as JSON.
        errors: the detectors on the errors, after the batch; None where it leaves them as they are.
        reference, reference_part: a reference fixed by this update, as JSON, and its state.
        relearn_part, relearn_from: the part whose reference is learned anew, and from when.
        judged: windows at the newest edge of their panes.
        loss: the error to expect of a regression, learned, as JSON.
        brought: how many predictions came, or outcomes that bring their own.
    """

    model_owner: int
    model: str
    version_owner: int
    version: str
    panes: tuple[PaneDelta, ...] = ()
    structure: Structure | None = None
    clock: float | None = None
    first_time: float | None = None
    unjoined: int = 0
    waiting: int = 0
    predicted_at: float | None = None
    outcome_at: float | None = None
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    centres: dict[str, float] = {}
    growing: dict[str, float | None] = {}
    reference: bytes | None = None
    reference_part: str = ""
    reference_state: str = ""
    matures_after: float | None = None
    relearn_part: str = ""
    relearn_from: float = 0.0
    relation: bytes | None = None
    related: tuple[RelationJudged, ...] = ()
    errors: Errors | None = None
    judged: tuple[Judged, ...] = ()
    loss: bytes | None = None
    brought: int = 0


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(tuple[Update, ...])


def encode(updates: tuple[Update, ...]) -> bytes:
    """Updates as the store keeps them."""
    return ENCODER.encode(updates)


def decode(payload: bytes) -> tuple[Update, ...]:
    """The updates of a kept batch."""
    return DECODER.decode(payload)


class Appended(msgspec.Struct, frozen=True):
    """Rows that a batch appends to a log, with the time by which each expires."""

    log: int
    first_row: int
    rows: Rows
    times: Floats


class Tally(msgspec.Struct):
    """What a batch adds to the counters of this process; never saved, never replayed."""

    model: str
    version: str | None
    predictions: int = 0
    failed: int = 0
    late: int = 0
    latencies: Floats = msgspec.field(default_factory=lambda: np.zeros(0))
    exemplar: tuple[float, str] | None = None
    outcomes: int = 0
    joined_by: dict[str, int] = {}
    implied: int = 0
    orphaned: int = 0
    elsewhere: int = 0
    conflicts: int = 0
    revised: int = 0
    duplicate_predictions: int = 0
    duplicate_outcomes: int = 0
    invalid: dict[str, int] = {}
    folded: dict[str, int] = {}
    violations: dict[tuple[str, Violation], int] = {}

    @property
    def joined(self) -> int:
        """Records joined, whichever version's."""
        return sum(self.joined_by.values())

    @property
    def broken(self) -> dict[str, int]:
        """Violations of the schema, whichever feature's."""
        found: dict[str, int] = {}
        for (_, violation), count in self.violations.items():
            found[violation] = found.get(violation, 0) + count
        return found

    def join(self, version: str, count: int) -> None:
        """Count joined records of a version."""
        self.joined_by[version] = self.joined_by.get(version, 0) + count


class Prepared(msgspec.Struct, frozen=True):
    """A batch before its commit.

    Attributes:
        accepted, duplicates: per request of the group, how many of its records.
    """

    updates: tuple[Update, ...]
    appended: tuple[Appended, ...]
    tallies: tuple[Tally, ...]
    accepted: np.ndarray
    duplicates: np.ndarray
    rejections: tuple[Rejection, ...]
    exports: tuple[tuple[float, bytes], ...] = ()

    def answers(self, requests: int, refused: tuple[Rejection, ...]) -> list[Answer]:
        """One answer a request, the decoder's rejections among them."""
        by_request: list[list[Rejection]] = [[] for _ in range(requests)]
        for rejection in (*refused, *self.rejections):
            by_request[rejection.request].append(rejection)
        return [
            Answer(
                int(self.accepted[i]),
                int(self.duplicates[i]),
                tuple(sorted(by_request[i], key=lambda r: r.index)),
            )
            for i in range(requests)
        ]
