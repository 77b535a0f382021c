"""One set of inputs or outputs under watch: learning its reference, then counting in its bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import numpy as np

from driftgauge import reference as references
from driftgauge.config import Feature
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.inputs import MISSING, Column, Inputs
from driftgauge.sketches.learning import Learning, LearningRow
from driftgauge.snapshot import ReferenceState

PROVISIONAL_RECORDS: Final = 1_000
FROZEN_RECORDS: Final = 5_000
FROZEN_SPAN_SECONDS: Final = 8 * 86_400.0
UNSTABLE_PSI: Final = 0.1
_LEARNED, _BINNED = b"L", b"B"


class Watch:
    """Which bins a version's inputs (or outputs) are counted in, and how far they can be trusted.

    Attributes:
        state: learning and provisional and unstable count in learning bins; frozen and given in
            the reference's.
        reference: what current windows are compared with; None while learning.
        codes: the coarse bins of the first *coded* features; None until a reference is fixed.
        required: rows of numeric and of categorical features that the fixed reference never lacks.
        learned: records in learning bins that came since learning began.
        bins_mark: tells the bins in force from others.
        since: when learning began anew, on the model's clock; None: with the first record.
    """

    def __init__(
        self, features: int, category_limit: int, declared: Mapping[str, Feature], coded: int = 0
    ) -> None:
        self.learning = Learning(features)
        self.category_limit = category_limit
        self.declared = declared
        self.state = ReferenceState.LEARNING
        self.reference: Reference | None = None
        self.inputs: Inputs | None = None
        self.coded = coded
        self.codes: CoarseCodes | None = None
        self.learned = 0
        self.since: float | None = None
        self.required: tuple[Ints, Ints] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self.bins_mark = b""

    @property
    def binned(self) -> bool:
        """Whether records are counted in the reference's bins."""
        return self.state in (ReferenceState.FROZEN, ReferenceState.GIVEN)

    def fix(self, reference: Reference, state: ReferenceState) -> None:
        """Count in the bins of *reference* from now on."""
        self.reference, self.state = reference, state
        self.inputs = Inputs(reference.bins)
        self.required = _required(self.inputs, reference.row)
        self.bins_mark = references.bins_mark(reference.bins)
        if self.coded:
            mark = self.bins_mark.hex()
            self.codes = CoarseCodes(self.inputs, mark, tuple(self.declared), self.coded)

    def propose(self, reference: Reference, state: ReferenceState) -> None:
        """Compare with *reference*, and go on learning."""
        self.reference, self.state = reference, state
        self.inputs = Inputs(reference.bins)

    def forget(self, since: float) -> None:
        """Begin learning anew at *since*."""
        self.reference = self.inputs = self.codes = None
        self.required = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self.state = ReferenceState.LEARNING
        self.learned, self.since = 0, since

    def zero(self) -> Row | LearningRow:
        """The state of no records."""
        return self.inputs.zero() if self.binned and self.inputs else self.learning.zero()

    def row(
        self,
        names: Sequence[str],
        numeric: Floats,
        categorical: Mapping[str, Column],
        records: int,
        centres: Mapping[str, float],
    ) -> Row | LearningRow:
        """The row of n records: *numeric* of shape (len(names), n), keys as in InputBins; columns as
        `column` gives them.
        """
        if not self.binned or self.inputs is None:
            texts = {key: cast("Sequence[str | None]", each) for key, each in categorical.items()}
            return self.learning.row(names, numeric, texts, records, centres)
        wanted = self.inputs.bins.numeric
        if tuple(names) != wanted:
            numeric = arranged(names, numeric, wanted, records)
        return self.inputs.row(numeric, categorical, records)

    def column(self, key: str, texts: Sequence[str | None]) -> Column:
        """The cells of *texts* where records are counted in bins, so that they are told once; else
        the texts themselves.
        """
        if not self.binned or self.inputs is None or key not in self.inputs.columns:
            return texts
        return self.inputs.codes(self.inputs.columns[key], texts)

    def encode(self, row: Row | LearningRow) -> bytes:
        """The row with a mark of what it is: learned, or in which bins."""
        if isinstance(row, LearningRow):
            return _LEARNED + row.to_bytes()
        return _BINNED + self.bins_mark + row.to_bytes()

    def decode(self, data: bytes) -> Row | LearningRow:
        """A saved row; a learning one in the reference's bins once those are fixed.

        A row in other bins counts nothing here: bins can't be converted.
        """
        if data[:1] == _LEARNED:
            return self.settle(LearningRow.from_bytes(data[1:]))
        mark = self.bins_mark
        if self.inputs is None or not self.binned or data[1 : 1 + len(mark)] != mark:
            return self.zero()
        return self.inputs.load(data[1 + len(mark) :])

    def settle(self, row: Row | LearningRow) -> Row | LearningRow:
        """*row* in the bins that are in force now."""
        if self.binned and self.inputs is not None and isinstance(row, LearningRow):
            return references.project(self.inputs, row)
        return row

    def build(
        self, days: Mapping[int, LearningRow], first: float, last: float, growing: Sequence[str]
    ) -> Reference:
        """A reference of what was learned."""
        return references.build(
            days,
            first=first,
            last=last,
            declared=self.declared,
            category_limit=self.category_limit,
            growing=growing,
        )


def _required(inputs: Inputs, row: Row) -> tuple[Ints, Ints]:
    if not inputs.records(row):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    numeric = inputs.layout.count(row, "bins")[:, MISSING]
    texts = inputs.layout.count(row, "categories")[:, inputs.missing]
    return np.flatnonzero(numeric == 0), np.flatnonzero(texts == 0)


def arranged(names: Sequence[str], numeric: Floats, wanted: Sequence[str], records: int) -> Floats:
    """Rows of *numeric* in the order *wanted*; NaN rows for names that are not there."""
    places = {name: place for place, name in enumerate(names)}
    out = np.full((len(wanted), records), np.nan)
    for row, name in enumerate(wanted):
        place = places.get(name)
        if place is not None:
            out[row] = numeric[place]
    return out
