"""How long a version's outcomes take, and from when on a window of predictions counts as matured."""

from __future__ import annotations

from typing import Final

import numpy as np

from driftgauge.layout import Row
from driftgauge.monitor.version import Version
from driftgauge.sketches.quality import DELAY_EDGES
from driftgauge.stats.binning import quantile_from_counts
from driftgauge.windows import Part

MATURE_SAMPLES: Final = 500


def learn_maturity(version: Version) -> None:
    """Outcomes are complete after the 95th percentile of the label delay, once enough of them tell;
    whole coarse panes.
    """
    model = version.model
    if model.config.outcomes.matures_after is not None or model.quality is None:
        return
    p95 = _delay_quantile(version, 0.95)
    if p95 is not None:
        p95 = min(p95, model.horizon_seconds)
        width = version.coarse.grid.width_seconds
        version.matures_after = float(np.ceil(p95 / width) * width) * model.scale


def label_delay(version: Version, q: float) -> float | None:
    """The *q* quantile of the label delay, seconds of the records; None before enough have come."""
    seconds = _delay_quantile(version, q)
    return None if seconds is None else seconds * version.model.scale


def _delay_quantile(version: Version, q: float) -> float | None:
    """As `label_delay`, on the model's clock."""
    longest = max(version.windows, key=lambda w: w.seconds)
    row, quality = longest.current[Part.ARRIVED].row, version.model.quality
    if quality is None or not isinstance(row, Row):
        return None
    counts = quality.delay(row).astype(np.float64)
    if counts.sum() < MATURE_SAMPLES:
        return None
    edges = np.concatenate([[0.0], DELAY_EDGES, [DELAY_EDGES[-1]]])
    return float(quantile_from_counts(counts, edges, q))
