"""Drift of a window against an earlier one."""

from __future__ import annotations

from driftgauge.metrics.table import NOT_AVERAGED, OF_FEATURE, OF_OUTPUT, PREFIX, Advice, Metric
from driftgauge.snapshot import DriftAgainst

_SPAN = (
    " against=previous_window is the window of the same length just before, same_hours_last_week the "
    "same hours seven days earlier; the bins are the reference's."
)
# Each: suffix of the name, field of the row, help.
_TABLE: tuple[tuple[str, str, str], ...] = (
    (
        "psi_against",
        "psi",
        "Population stability index against an earlier window, over 10 coarse bins, missing and unseen.",
    ),
    (
        "ks_against",
        "ks",
        "Kolmogorov-Smirnov statistic against an earlier window from the fine bins, 0 to 1. Numeric only.",
    ),
    (
        "js_distance_against",
        "js_distance",
        "Jensen-Shannon distance against an earlier window, base 2, 0 to 1.",
    ),
    (
        "wasserstein_sd_against",
        "wasserstein",
        "Wasserstein-1 distance against an earlier window, in that window's standard deviations.",
    ),
    (
        "mean_shift_sd_against",
        "mean_shift_sd",
        "Mean minus an earlier window's, in that window's standard deviations; positive is up.",
    ),
    (
        "mean_shift_ratio_against",
        "mean_shift_ratio",
        "Mean minus an earlier window's, relative to that window's absolute mean.",
    ),
    ("samples_against", "against_samples", "Records of the earlier window."),
)
_KINDS = (("feature", "feature", OF_FEATURE), ("prediction", "output", OF_OUTPUT))

METRICS: tuple[Metric, ...] = tuple(
    Metric(
        f"{PREFIX}{prefix}_{suffix}",
        "gauge",
        text + _SPAN + NOT_AVERAGED,
        (*labels, "against"),
        "against",
        DriftAgainst,
        value,
        when=label,
    )
    for prefix, label, labels in _KINDS
    for suffix, value, text in _TABLE
)


def _names(*suffixes: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{suffix}" for prefix, _, _ in _KINDS for suffix in suffixes)


_TRUST = (
    "Both sides are samples: by chance about (bins - 1) (1 / n + 1 / m) for psi, and twice what it is against "
    "a large reference. A slow drift shows here as nothing; a cycle shorter than the window, or of a week "
    "for same_hours_last_week, is taken out."
)
ADVICE = (
    Advice(
        _names("psi_against"),
        "at least 0",
        _TRUST,
        "Read it beside the one against the reference: high here and there, something has just happened; high "
        "there alone, the world has moved long since and the reference is old.",
    ),
    Advice(
        _names("ks_against", "js_distance_against"),
        "0 to 1",
        _TRUST,
        "As for psi.",
    ),
    Advice(
        _names("wasserstein_sd_against", "mean_shift_sd_against", "mean_shift_ratio_against"),
        "any; wasserstein_sd at least 0",
        "Absent where the earlier window has no spread, or the relative one where its mean is 0.",
        "A step that was there yesterday is no step today: look at the time when it began.",
    ),
    Advice(
        _names("samples_against"),
        "at least 0",
        "An earlier window that reaches to before the first record has fewer.",
        "Compare it with driftgauge_window_samples before you read the others.",
    ),
)
