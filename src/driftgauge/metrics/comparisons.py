"""The newest version of a model against the one before it, from live traffic."""

from __future__ import annotations

from driftgauge.metrics.table import IN_WINDOW, NOT_AVERAGED, Advice, Metric, gauges
from driftgauge.snapshot import PairedComparison, VersionComparison

_OF = " of a model's newest version against the one before it, in the same window of both"
_MINUS = " of the newest version minus that of the one before it"
_LABELS = (*IN_WINDOW, "against_version")


def _psi(name: str, field: str, of_what: str) -> tuple[str, str, str]:
    return f"version_{name}", field, f"{of_what}{_OF}.{NOT_AVERAGED}"


def _difference(measure: str, words: str, test: str) -> tuple[tuple[str, str, str], ...]:
    test = f"{test}, the standard error widened by what groups of panes show of records that resemble"
    return _ends(measure, "", f"{words}{_MINUS}, by outcomes of the same window", test)


def _paired(measure: str, words: str, test: str) -> tuple[tuple[str, str, str], ...]:
    minus = f"{words}{_MINUS}, on cases (ids) that both answered, by outcomes of the window"
    test = f"{test}, widened by what groups of panes show of cases that resemble"
    return _ends(measure, "paired_", minus, test)


def _ends(measure: str, prefix: str, minus: str, test: str) -> tuple[tuple[str, str, str], ...]:
    """A difference, the ends of its interval, and its p."""
    name, field = f"version_{prefix}{measure}_difference", f"{measure}_difference"
    return (
        (name, field, f"{minus}.{NOT_AVERAGED}"),
        (f"{name}_low", f"{field}_low", f"Lower end of the 95% interval of: {minus}.{NOT_AVERAGED}"),
        (f"{name}_high", f"{field}_high", f"Upper end of the 95% interval of: {minus}.{NOT_AVERAGED}"),
        (
            f"{name}_p",
            f"{field}_p",
            f"Chance, 0 to 1, of a difference at least as large if there were none: {minus}; {test} their "
            f"neighbours, where there are 5 groups or more.{NOT_AVERAGED}",
        ),
    )


METRICS: tuple[Metric, ...] = (
    *gauges(
        VersionComparison,
        _LABELS,
        _psi("feature_psi_max", "feature_psi_max", "Largest population stability index of any feature"),
        _psi("score_psi", "score_psi", "Population stability index of the score"),
        _psi("prediction_psi", "prediction_psi", "Population stability index of the prediction"),
        *_difference("accuracy", "Accuracy", "pooled z test of two shares"),
        *_difference("mae", "Mean absolute error", "Welch's t test"),
    ),
    *gauges(
        VersionComparison,
        _LABELS,
        ("version_samples", "samples", f"Predictions{_OF}: the newest one's."),
        ("version_samples_against", "against_samples", f"Predictions{_OF}: the other one's."),
        ("version_outcomes", "outcomes", f"Joined outcomes{_OF}: the newest one's."),
        ("version_outcomes_against", "against_outcomes", f"Joined outcomes{_OF}: the other one's."),
        *_difference("roc_auc", "ROC AUC", "z test with DeLong's variances"),
        family="versions",
    ),
    *gauges(
        PairedComparison,
        _LABELS,
        (
            "version_paired_samples",
            "samples",
            "Cases (ids) that a model's newest version and the one before it both answered and whose outcome "
            "came in the window.",
        ),
        *_paired("accuracy", "Accuracy", "McNemar's exact test"),
        *_paired("roc_auc", "ROC AUC", "DeLong's test for correlated curves, by coarse score bins"),
        *_paired("brier", "Brier score", "paired t test"),
        *_paired("log_loss", "Log loss", "paired t test"),
        *_paired("mae", "Mean absolute error", "paired t test"),
        *_paired("mse", "Mean squared error", "paired t test"),
        family="versions",
    ),
)


def _four(measure: str) -> tuple[str, ...]:
    return tuple(f"version_{measure}_difference{end}" for end in ("", "_low", "_high"))


_SHARES, _LOSSES = ("paired_accuracy", "paired_roc_auc"), ("paired_log_loss", "paired_mae", "paired_mse")
_SHADOW = (
    "Only of cases with one outcome that both versions were told: a shadow that misses the hard ones is "
    "compared on the easy ones. "
)


_CANARY = (
    "A canary sees other customers than the rest where requests aren't assigned at random: then inputs "
    "differ too, and quality differs for that reason. "
)
ADVICE = (
    Advice(
        ("version_feature_psi_max", "version_score_psi", "version_prediction_psi"),
        "at least 0",
        "Both sides are samples: by chance about (bins - 1) (1 / n + 1 / m), and the largest of many features "
        "is larger. In the older version's bins; where the newest has bins of its own, values are taken to "
        "lie evenly in each of its 64 fine ones.",
        "Features first: if they differ, the two versions are asked different things, and nothing else here "
        "compares the models. GET /v1/models/{model} has every feature.",
    ),
    Advice(
        (*_four("accuracy"), *_four("roc_auc")),
        "-1 to 1",
        _CANARY + "The samples count as independent of each other: where both versions saw the same cases "
        "(shadow), the paired differences tell smaller ones.",
        "Promote where low is above 0, roll back where high is below; else wait for more outcomes.",
    ),
    Advice(
        _four("mae"),
        "any",
        _CANARY + "By the means and variances of absolute errors: a few huge ones decide it.",
        "Negative is better: promote where high is below 0, roll back where low is above.",
    ),
    Advice(
        (*_four(_SHARES[0]), *_four(_SHARES[1])),
        "-1 to 1",
        _SHADOW + "The area stands on 34 score bins: it can be off by about 0.002.",
        "Promote where low is above 0; keep the old version where high is below.",
    ),
    Advice(
        _four("paired_brier"),
        "-2 to 2",
        _SHADOW + "Of all cases with two scores, so it tells smaller differences than accuracy.",
        "Negative is better: promote where high is below 0.",
    ),
    Advice(
        tuple(name for measure in _LOSSES for name in _four(measure)),
        "any",
        _SHADOW + "A few huge losses decide it.",
        "Negative is better: promote where high is below 0.",
    ),
    Advice(
        tuple(
            f"version_{measure}_difference_p"
            for measure in ("accuracy", "roc_auc", "mae", *_SHARES, "paired_brier", *_LOSSES)
        ),
        "0 to 1",
        "Read once, at a size fixed before. Looked at each hour until it is small it will be: the interval "
        "of the difference tells more.",
        "Below 0.01 with a difference that matters: decide.",
    ),
    Advice(
        ("version_paired_samples",),
        "at least 0",
        "Both predictions must have the same id and be kept: see the pending sample ratio.",
        "0 in shadow traffic: the two versions don't send the same ids.",
    ),
    Advice(
        ("version_samples", "version_samples_against", "version_outcomes", "version_outcomes_against"),
        "at least 0",
        "Below 30 on either side nothing is compared.",
        "Send the canary more traffic, or look at a longer window.",
    ),
)
