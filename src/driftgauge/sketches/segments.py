"""A few features by segment: what drift of a segment is computed from."""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Layout, LinearSketch, Row
from driftgauge.records import Ints
from driftgauge.sketches.coarse import Codes
from driftgauge.sketches.inputs import COARSE_CELLS
from driftgauge.sketches.quality import Groups

# Days are counted in so many cells, by their number modulo it: how many there were can be read back.
DAYS: Final = 64


class SegmentInputs(LinearSketch):
    """Records per group, and of each feature per coarse bin, missing and unseen; and by day.

    Features are rows of `CoarseCodes`. Counts are exact. 5 features and 34 groups take 8.6 kB.
    """

    def __init__(self, groups: Groups, features: int) -> None:
        self.groups = groups
        self.layout = Layout(
            counts={
                "records": (groups.count,),
                "cells": (groups.count, features, COARSE_CELLS),
                "days": (DAYS,),
            },
            sums={},
        )

    def row(self, codes: Codes, segments: NDArray[np.uint8], day: int) -> Row:
        """The row of n records of one day.

        Args:
            codes: shape (features, n), coarse bins, as `CoarseCodes.codes` gives them.
            segments: shape (columns, n), codes; `NO_SEGMENT` where a record has none.

        Cost: O(n * (segment columns + 1) * features).
        """
        row = self.zero()
        group, record = self.groups.spread(segments)
        self.layout.count(row, "records")[:] = np.bincount(group, minlength=self.groups.count)
        self.layout.count(row, "days")[day % DAYS] = segments.shape[1]
        block = self.layout.count(row, "cells")
        features = len(codes)
        places = group * features * COARSE_CELLS + codes[:, record]
        places += (np.arange(features) * COARSE_CELLS)[:, None]
        block[:] = np.bincount(places.ravel(), minlength=prod(block.shape)).reshape(block.shape)
        return row

    def records(self, row: Row) -> Ints:
        """Records per group."""
        return self.layout.count(row, "records").astype(np.int64)

    def cells(self, row: Row) -> Ints:
        """Shape (groups, features, COARSE_CELLS)."""
        return self.layout.count(row, "cells").astype(np.int64)

    def days(self, row: Row) -> int:
        """On how many days records came, up to `DAYS`."""
        return int(np.count_nonzero(self.layout.count(row, "days")))
