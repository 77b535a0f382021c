"""Drift of features and outputs."""

from __future__ import annotations

from driftgauge.metrics.table import NOT_AVERAGED, OF_FEATURE, OF_OUTPUT, PREFIX, Advice, Metric
from driftgauge.snapshot import Drift

# (suffix, field, family, help); each becomes a metric of features and one of outputs.
_DRIFT: tuple[tuple[str, str, str, str], ...] = (
    (
        "psi",
        "psi",
        "default",
        "Population stability index against the reference over 10 coarse bins, missing and unseen; "
        "natural logarithm, shares below 0.0001 replaced by 0.0001. 0 is no change; above 0.1 is a "
        "shift, above 0.25 a large one.",
    ),
    (
        "ks",
        "ks",
        "default",
        "Kolmogorov-Smirnov statistic against the reference from the fine bins, 0 to 1; the exact one "
        "is at most driftgauge_{}_ks_bound larger. Numeric only.",
    ),
    (
        "ks_bound",
        "ks_bound",
        "distances",
        "How much the exact Kolmogorov-Smirnov statistic can exceed the published one.",
    ),
    (
        "js_distance",
        "js_distance",
        "distances",
        "Jensen-Shannon distance against the reference, base 2, 0 to 1.",
    ),
    (
        "wasserstein_sd",
        "wasserstein",
        "distances",
        "Wasserstein-1 distance against the reference, in reference standard deviations.",
    ),
    (
        "mean_shift_sd",
        "mean_shift_sd",
        "default",
        "Mean minus the reference's, in reference standard deviations; positive is up.",
    ),
    (
        "mean_shift_ratio",
        "mean_shift_ratio",
        "distances",
        "Mean minus the reference's, relative to the reference's absolute mean.",
    ),
    ("missing_ratio", "missing_ratio", "default", "Share of records without a value, 0 to 1."),
    (
        "not_finite_ratio",
        "not_finite_ratio",
        "distances",
        "Share of records whose value is an infinity, 0 to 1.",
    ),
    (
        "unseen_ratio",
        "unseen_ratio",
        "default",
        "Share of records whose category the reference doesn't have, 0 to 1. Categorical only.",
    ),
    (
        "hellinger",
        "hellinger",
        "distances",
        "Hellinger distance against the reference, 0 to 1.",
    ),
    (
        "total_variation",
        "total_variation",
        "distances",
        "Total variation distance against the reference, 0 to 1: the share of records that moved bin.",
    ),
    (
        "l_infinity",
        "l_infinity",
        "distances",
        "Largest change of one bin's share against the reference, 0 to 1.",
    ),
    (
        "chi_square_p",
        "chi_square_p",
        "distances",
        "Chance of a chi-square over the PSI's bins at least this large if nothing had moved and records were independent, 0 to 1.",
    ),
    (
        "spread_ratio",
        "spread_ratio",
        "quantiles",
        "Standard deviation over the reference's: 1 is unchanged, 2 twice as wide. Numeric only.",
    ),
    *(
        (
            f"p{percent}_shift_sd",
            f"p{percent}_shift_sd",
            "quantiles",
            f"{words} minus the reference's, in reference standard deviations; off by at most the fine bins that both fall in. Numeric only.",
        )
        for percent, words in (("05", "5th percentile"), ("50", "Median"), ("95", "95th percentile"))
    ),
    (
        "out_of_range_ratio",
        "out_of_range_ratio",
        "distances",
        "Share of records outside the declared range, or the reference's where none is declared, "
        "0 to 1. Numeric only.",
    ),
)


def _drift() -> tuple[Metric, ...]:
    table = []
    for prefix, label, labels in (
        ("feature", "feature", OF_FEATURE),
        ("prediction", "output", OF_OUTPUT),
    ):
        table += [
            Metric(
                f"{PREFIX}{prefix}_{suffix}",
                "gauge",
                text.replace("{}", prefix) + NOT_AVERAGED,
                labels,
                family,
                Drift,
                value,
                when=label,
            )
            for suffix, value, family, text in _DRIFT
        ]
    return tuple(table)


METRICS: tuple[Metric, ...] = _drift()

ADVICE = (
    Advice(
        ("feature_chi_square_p", "prediction_chi_square_p"),
        "0 to 1",
        "It takes records for independent and the reference for whole: on real traffic, with its days and "
        "repeated customers, small values come by themselves, and with enough records everything is significant.",
        "Don't alert on it: a verdict takes overdispersion, the number of features and the size into account.",
    ),
    Advice(
        tuple(f"{kind}_psi" for kind in ("feature", "prediction")),
        "at least 0",
        "About (bins - 1) / n by chance alone: 0.1 in a window of 100 records means nothing. It sees any "
        "change of shape and can't tell one that matters from one that doesn't.",
        "Look at the same feature's missing, unseen and out of range shares first: a broken feed is more "
        "frequent than a changed world. Then at quality and at who sends these values.",
    ),
    Advice(
        tuple(
            f"{kind}_{name}"
            for kind in ("feature", "prediction")
            for name in ("ks", "ks_bound", "js_distance", "hellinger", "total_variation", "l_infinity")
        ),
        "0 to 1",
        "From bins: the exact KS statistic is at most the published bound larger. About 1 / sqrt(n) by chance.",
        "As for psi; KS is largest where the bulk has moved, psi where tails and rare bins have.",
    ),
    Advice(
        tuple(
            f"{kind}_{name}"
            for kind in ("feature", "prediction")
            for name in (
                "wasserstein_sd",
                "mean_shift_sd",
                "mean_shift_ratio",
                "spread_ratio",
                "p05_shift_sd",
                "p50_shift_sd",
                "p95_shift_sd",
            )
        ),
        "any; wasserstein_sd and spread_ratio at least 0",
        "Of values clipped to the outermost tail edge, so that one 1e300 can't decide a week. Absent where "
        "the reference has no spread, and the relative one where its mean is 0.",
        "A shift of one unit in all records at once is a changed unit or default; a slow one is the world.",
    ),
    Advice(
        tuple(
            f"{kind}_{name}_ratio"
            for kind in ("feature", "prediction")
            for name in ("missing", "not_finite", "unseen", "out_of_range")
        ),
        "0 to 1",
        "Exact shares of the window's records.",
        "Mend the feed before you think of the model: these are seldom the world's doing.",
    ),
)
