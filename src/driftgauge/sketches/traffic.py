"""Traffic: how many predictions, errors and which latencies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import SUMMED_LIMIT, Counts, Layout, LinearSketch, Row
from driftgauge.records import Floats
from driftgauge.stats.binning import log_edges

# 5% relative error from 10 us to 1000 s, below the spread that any latency SLO can tell apart.
LATENCY_EDGES: Floats = log_edges(1e-5, 1e3, 0.05)


class Traffic(LinearSketch):
    """Predictions, failed ones and latency in log-spaced buckets.

    A latency read back from a bucket is within 5% of the true one between 10 us and 1000 s. About
    200 cells, 0.8 kB. `add` is exact.
    """

    def __init__(self) -> None:
        self.layout = Layout(
            counts={"predictions": (1,), "failed": (1,), "latency": (LATENCY_EDGES.size + 1,)},
            sums={"latency_seconds": (1,)},
        )

    def row(self, latency_seconds: Floats, failed: NDArray[np.bool_]) -> Row:
        """The row of n predictions; NaN where a record gives no latency. O(n)."""
        row = self.zero()
        self.layout.count(row, "predictions")[0] = failed.size
        self.layout.count(row, "failed")[0] = np.count_nonzero(failed)
        known = latency_seconds[~np.isnan(latency_seconds)]
        if known.size:
            buckets = np.searchsorted(LATENCY_EDGES, known)
            self.layout.count(row, "latency")[:] = np.bincount(buckets, minlength=LATENCY_EDGES.size + 1)
            self.layout.sum(row, "latency_seconds")[0] = np.minimum(known, SUMMED_LIMIT).sum()
        return row

    def predictions(self, row: Row) -> int:
        """Predictions in the row."""
        return int(self.layout.count(row, "predictions")[0])

    def failed(self, row: Row) -> int:
        """Predictions that carried an error."""
        return int(self.layout.count(row, "failed")[0])

    def latency(self, row: Row) -> Counts:
        """Latencies per bucket of `LATENCY_EDGES`."""
        return self.layout.count(row, "latency")
