"""Chosen features by segment: counted in the bins of the features' reference, compared with the
segment's own first records in them.

A reference is made of whole models, and a segment that differs from the whole has not drifted by that.
So each segment's reference are its records from when the features' reference was fixed on, until they
span `REFERENCE_DAYS` days and the model had `REFERENCE_RECORDS`. They lie in a pane of their own, which
is saved with the others and belongs to no window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from driftgauge.errors import StoreError
from driftgauge.layout import Row
from driftgauge.monitor.watch import FROZEN_RECORDS, FROZEN_SPAN_SECONDS, Watch
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.inputs import feature_key
from driftgauge.sketches.quality import Groups
from driftgauge.sketches.segments import SegmentInputs

REFERENCE_PANE: Final = -1
REFERENCE_RECORDS: Final = FROZEN_RECORDS
REFERENCE_DAYS: Final = int(FROZEN_SPAN_SECONDS // 86_400)
_TAG_BYTES: Final = 4


class Segmenting:
    """Which features are counted by segment, and how. Owned by the version.

    Attributes:
        sketch, codes: None while there is no fixed reference, or it has none of the features.
    """

    def __init__(self, features: Sequence[str], groups: Groups) -> None:
        self.features = tuple(features)
        self.groups = groups
        self.sketch: SegmentInputs | None = None
        self.codes: CoarseCodes | None = None

    def follow(self, watch: Watch) -> None:
        """Count in the bins that *watch* has fixed; not at all while it has none."""
        self.sketch = self.codes = None
        if not watch.binned or watch.inputs is None or not self.features:
            return
        bins = watch.inputs.bins
        known = {*bins.numeric, *bins.categorical} - bins.identifiers
        features = [name for name in self.features if feature_key(name) in known]
        if features:
            self.codes = CoarseCodes(watch.inputs, watch.bins_mark.hex(), features, len(features))
            self.sketch = SegmentInputs(self.groups, len(features))

    def gathering(self, reference: Row | None) -> bool:
        """Whether records still become the segments' *reference*, as far as it is."""
        if self.sketch is None or reference is None:
            return self.sketch is not None
        records = int(self.sketch.records(reference)[0])
        return records < REFERENCE_RECORDS or self.sketch.days(reference) < REFERENCE_DAYS

    def zero(self) -> Row:
        """The state of no records; of no cells while nothing is counted."""
        return (self.sketch or SegmentInputs(self.groups, 0)).zero()

    def encode(self, row: Row) -> bytes:
        """The row behind the tag of its bins and features."""
        tag = 0 if self.codes is None else self.codes.tag
        return tag.to_bytes(_TAG_BYTES, "little") + row.to_bytes()

    def decode(self, data: bytes) -> Row:
        """A saved row; one of other bins or other features counts nothing here."""
        tag = int.from_bytes(data[:_TAG_BYTES], "little")
        if self.sketch is None or self.codes is None or tag != self.codes.tag:
            return self.zero()
        try:
            return self.sketch.load(data[_TAG_BYTES:])
        except StoreError:
            return self.zero()
