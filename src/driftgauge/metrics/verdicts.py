"""Verdicts: whether what the statistics show is more than chance, and for how long."""

from __future__ import annotations

from driftgauge.metrics.table import IN_WINDOW, OF_FEATURE, OF_OUTPUT, PREFIX, Advice, Metric, gauges
from driftgauge.snapshot import Verdict, VerdictFlag, VerdictSummary

_TAKEN = " Taken when a pane of the window closes; windows of a day and up only."
_REPLICAS = " Over replicas: it holds where at least half of the pods that have the series say 1."

# (suffix, field, family, help); each becomes a metric of features and one of outputs.
_VERDICTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "drift_verdict",
        "drift",
        "default",
        "1 where it has drifted: an effect above its floor (psi 0.1, ks 0.1, mean 0.1 sd), significant against "
        "how far the reference's own windows lie apart, among all features, and held for half a window (or "
        "p below 1e-6). Absent where no verdict can be given: driftgauge_verdict_state says why."
        + _TAKEN
        + _REPLICAS,
    ),
    (
        "beyond_reference_verdict",
        "beyond_reference",
        "critical",
        "1 where surely more than a tenth of the records lie outside the reference's range (unseen "
        "categories), for half a window. Needs no phi." + _TAKEN + _REPLICAS,
    ),
    (
        "drift_p_value",
        "p_value",
        "critical",
        "Chance of such a chi-square against the reference in a stationary window." + _TAKEN,
    ),
    (
        "drift_adjusted_p_value",
        "adjusted_p_value",
        "critical",
        "The same for the number of features (Benjamini-Hochberg); at most 0.001 is significant." + _TAKEN,
    ),
    (
        "overdispersion",
        "overdispersion",
        "critical",
        "phi: how many times further apart windows of this size lie in the reference itself than independent "
        "records would; at least 1.",
    ),
    (
        "critical_psi",
        "critical_psi",
        "critical",
        "PSI from which a window of this size is significant in the strictest case, the only feature "
        "that moves." + _TAKEN,
    ),
    (
        "critical_ks",
        "critical_ks",
        "critical",
        "KS statistic from which a window of this size is significant in that case: Kolmogorov's limit, "
        "widened for how far the reference's own windows lie apart. Above 1: none is. Numeric only." + _TAKEN,
    ),
    (
        "smallest_shift_sd",
        "smallest_shift_sd",
        "critical",
        "Shift of the mean that four in five windows of this size would show as significant, in reference "
        "standard deviations. Numeric only." + _TAKEN,
    ),
    (
        "drift_held_ratio",
        "held_ratio",
        "critical",
        "How much of the time for which a finding must hold has passed, 0 to 1." + _TAKEN,
    ),
)


def _verdicts() -> tuple[Metric, ...]:
    return tuple(
        Metric(f"{PREFIX}{prefix}_{suffix}", "gauge", text, labels, family, Verdict, value, when=label)
        for prefix, label, labels in (
            ("feature", "feature", OF_FEATURE),
            ("prediction", "output", OF_OUTPUT),
        )
        for suffix, value, family, text in _VERDICTS
    )


METRICS: tuple[Metric, ...] = (
    *_verdicts(),
    *gauges(
        VerdictSummary,
        IN_WINDOW,
        (
            "drifted_features_ratio",
            "drifted_ratio",
            "Share of the judged features whose drift verdict is 1, 0 to 1." + _TAKEN,
        ),
        (
            "overdispersion_max",
            "overdispersion_max",
            "The largest phi of the judged features: how far windows of the reference itself lie apart.",
        ),
    ),
    *gauges(
        VerdictSummary,
        IN_WINDOW,
        ("judged_features", "judged_features", "Features on which a verdict is given." + _TAKEN),
        family="critical",
    ),
    *gauges(
        VerdictFlag,
        (*IN_WINDOW, "state"),
        (
            "verdict_state",
            "holds",
            "1 for the state that holds: judged, or why the window's features get no verdict: waiting "
            "(no pane has closed yet), unsettled (driftgauge_reference_state is neither given nor frozen), "
            "not_covered (not yet for its whole length), few_samples (under 100), phi_unknown (the reference has "
            "fewer than 8 whole days). Windows under a day are not judged.",
        ),
    ),
)

_KINDS = ("feature", "prediction")

ADVICE = (
    Advice(
        tuple(f"{kind}_{name}_verdict" for kind in _KINDS for name in ("drift", "beyond_reference")),
        "0 or 1",
        "Measured: docs/measured-verdicts.md has the time between false verdicts and the delay to true ones. "
        "A trend that is slower than the reference is long looks like drift, and is.",
        "Alert on these, not on psi. Look at psi, the mean shift and the missing share of the same feature "
        "for what has moved; at quality for whether it matters.",
    ),
    Advice(
        tuple(f"{kind}_{name}" for kind in _KINDS for name in ("drift_p_value", "drift_adjusted_p_value")),
        "0 to 1",
        "As good as the reference's days tell of those to come; of one edge, before any hold.",
        "Read them to see how near a verdict is. Don't alert on them: looked at each hour, chance has its day.",
    ),
    Advice(
        (*(f"{kind}_overdispersion" for kind in _KINDS), "overdispersion_max"),
        "at least 1",
        "An estimate from at least 8 windows of the reference, on the careful side: so short a reference makes it "
        "large by chance, most of all for an output of two classes.",
        "A large one means that days differ as they are; only large shifts can be told. A longer reference, or "
        "segments, help.",
    ),
    Advice(
        tuple(
            f"{kind}_{name}"
            for kind in _KINDS
            for name in ("critical_psi", "critical_ks", "smallest_shift_sd")
        ),
        "at least 0",
        "psi and shift: of a normal feature; within a fifth. ks: on the careful side, as bins and dependent records "
        "make it.",
        "Where it is larger than what matters to you, take a longer window.",
    ),
    Advice(
        tuple(f"{kind}_drift_held_ratio" for kind in _KINDS),
        "0 to 1",
        "Exact: closed panes in a row at which drift, or values beyond the reference, were found.",
        "Rising: a verdict is near.",
    ),
    Advice(
        ("drifted_features_ratio", "judged_features"),
        "0 to 1; judged features at least 0",
        "As the verdicts.",
        "Many at once: a feed or a join upstream has changed. One: that feature's own source.",
    ),
    Advice(
        ("verdict_state",),
        "0 or 1",
        "Exact.",
        "phi_unknown for good: profile a reference with times that spans at least 8 days.",
    ),
)
