"""The newest version of a model against the one before it, from live traffic."""

from __future__ import annotations

from driftgauge.metrics.table import IN_WINDOW, NOT_AVERAGED, Advice, Metric, gauges
from driftgauge.snapshot import VersionComparison

_OF = " of a model's newest version against the one before it, in the same window of both"
_LABELS = (*IN_WINDOW, "against_version")


def _psi(name: str, field: str, of_what: str) -> tuple[str, str, str]:
    return f"version_{name}", field, f"{of_what}{_OF}.{NOT_AVERAGED}"


def _difference(measure: str, words: str, test: str) -> tuple[tuple[str, str, str], ...]:
    minus = f"{words} of the newest version minus that of the one before it, by outcomes of the same window"
    name, field = f"version_{measure}_difference", f"{measure}_difference"
    return (
        (name, field, f"{minus}.{NOT_AVERAGED}"),
        (f"{name}_low", f"{field}_low", f"Lower end of the 95% interval of: {minus}.{NOT_AVERAGED}"),
        (f"{name}_high", f"{field}_high", f"Upper end of the 95% interval of: {minus}.{NOT_AVERAGED}"),
        (
            f"{name}_p",
            f"{field}_p",
            f"Chance, 0 to 1, of a difference at least as large if there were none: {minus}; {test}, the "
            "standard error widened by what groups of panes show of records that resemble their "
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
)


def _four(measure: str) -> tuple[str, ...]:
    return tuple(f"version_{measure}_difference{end}" for end in ("", "_low", "_high"))


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
        "(shadow), a paired test would tell smaller differences than this one.",
        "Promote where low is above 0, roll back where high is below; else wait for more outcomes.",
    ),
    Advice(
        _four("mae"),
        "any",
        _CANARY + "By the means and variances of absolute errors: a few huge ones decide it.",
        "Negative is better: promote where high is below 0, roll back where low is above.",
    ),
    Advice(
        tuple(f"version_{measure}_difference_p" for measure in ("accuracy", "roc_auc", "mae")),
        "0 to 1",
        "Read once, at a size fixed before. Looked at each hour until it is small it will be: the interval "
        "of the difference tells more.",
        "Below 0.01 with a difference that matters: decide.",
    ),
    Advice(
        ("version_samples", "version_samples_against", "version_outcomes", "version_outcomes_against"),
        "at least 0",
        "Below 30 on either side nothing is compared.",
        "Send the canary more traffic, or look at a longer window.",
    ),
)
