"""Features and outputs against the reference."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class Drift(SnapshotRow, frozen=True):
    """One feature or output in one window against the reference; exactly one of the two is named."""

    model: str
    model_version: str
    feature: str
    output: str
    kind: str
    window: str
    samples: Value
    psi: Value
    ks: Value
    ks_bound: Value
    js_distance: Value
    wasserstein: Value
    mean_shift_sd: Value
    mean_shift_ratio: Value
    missing_ratio: Value
    not_finite_ratio: Value
    unseen_ratio: Value
    out_of_range_ratio: Value
    hellinger: Value = None
    total_variation: Value = None
    l_infinity: Value = None
    chi_square_p: Value = None
    spread_ratio: Value = None
    p05_shift_sd: Value = None
    p50_shift_sd: Value = None
    p95_shift_sd: Value = None
