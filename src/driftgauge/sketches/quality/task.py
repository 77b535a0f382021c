"""What the sketches of quality of the three tasks share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Counts, Layout, LinearSketch, Row, Sums
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality.joined import Groups, Joined
from driftgauge.stats.binning import log_edges

# 10% relative error from a second to four years: enough to tell a label delay of days.
DELAY_EDGES: Final[Floats] = log_edges(1.0, 1.3e8, 0.1)
# Probabilities of 0 and 1 give an infinite loss; scikit-learn's bound.
EPSILON: Final = float(np.finfo(np.float64).eps)


class Quality(LinearSketch):
    """What the three tasks share: groups, label delay, implied outcomes."""

    def __init__(
        self,
        groups: Groups,
        counts: dict[str, tuple[int, ...]],
        sums: dict[str, tuple[int, ...]],
        digest: Layout,
    ) -> None:
        self.groups = groups
        self.digest_layout = digest
        self.layout = Layout(
            counts={
                "outcomes": (groups.count,),
                "implied": (1,),
                "delay": (DELAY_EDGES.size + 1,),
                **counts,
            },
            sums=sums,
        )

    def row(self, joined: Joined) -> Row:
        """The row of n joined records. O(n * segment columns + cells)."""
        row = self.zero()
        group, record = self.groups.spread(joined.segments)
        self.layout.count(row, "outcomes")[:] = np.bincount(group, minlength=self.groups.count)
        self.layout.count(row, "implied")[0] = len(joined) if joined.implied else 0
        delays = joined.delay[~np.isnan(joined.delay)]
        self.layout.count(row, "delay")[:] = np.bincount(
            np.searchsorted(DELAY_EDGES, delays), minlength=DELAY_EDGES.size + 1
        )
        self._fill(row, joined, group, record)
        return row

    @abstractmethod
    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        """Fill the task's own blocks; *group* and *record* are parallel, one of each membership."""

    def digest(self, row: Row) -> Row:
        """What a group of panes keeps of *row*: enough for intervals of the whole model's numbers and
        of each segment's main one. Additive like the row; of `digest_layout`. O(cells).

        With 34 groups a digest takes 1.6 kB (binary), 16 kB (21 classes) or 2.2 kB (regression): in all
        groups of panes of three windows and both cohorts 0.3, 2.4 and 0.3 MB.
        """
        small = self.digest_layout.zero()
        # A group of days at tens of thousands of records a second outgrows 32 bits.
        small.counts = small.counts.astype(np.int64)
        for name in self.digest_layout.counts:
            self.digest_layout.count(small, name)[:] = self._digested(row, name)
        for name, shape in self.digest_layout.sums.items():
            block = self.layout.sum(row, name)
            self.digest_layout.sum(small, name)[:] = block[tuple(slice(n) for n in shape)]
        return small

    def _digested(self, row: Row, name: str) -> NDArray[np.integer]:
        """A block of counts as the digest has it."""
        return self.layout.count(row, name)

    def outcomes(self, row: Row) -> Counts:
        """Joined outcomes per group."""
        return self.layout.count(row, "outcomes")

    def implied(self, row: Row) -> int:
        """Outcomes implied by silence."""
        return int(self.layout.count(row, "implied")[0])

    def delay(self, row: Row) -> Counts:
        """Outcomes per bucket of `DELAY_EDGES`."""
        return self.layout.count(row, "delay")

    def count(self, row: Row, name: str) -> Counts:
        """A block of counts by name."""
        return self.layout.count(row, name)

    def sum(self, row: Row, name: str) -> Sums:
        """A block of sums by name."""
        return self.layout.sum(row, name)
