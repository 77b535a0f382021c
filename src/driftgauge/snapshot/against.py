"""Features and outputs against an earlier window."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class DriftAgainst(SnapshotRow, frozen=True):
    """One feature or output in one window against an earlier one; exactly one of the two is named."""

    model: str
    model_version: str
    feature: str
    output: str
    window: str
    against: str
    samples: Value
    against_samples: Value
    psi: Value
    ks: Value
    js_distance: Value
    wasserstein: Value
    mean_shift_sd: Value
    mean_shift_ratio: Value
