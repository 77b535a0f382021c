"""Numbers of the whole fleet, from the chain's sums over windows: never the average of the pods' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from driftgauge.artefacts.rules.durations import TimeScale
from driftgauge.artefacts.rules.shipped import chain
from driftgauge.artefacts.rules.shipped.chain import Chained
from driftgauge.artefacts.rules.values import WITHOUT_PODS, Group, Recording

# As in `driftgauge.stats.divergence.psi` and `driftgauge.evaluate.drift`.
SHARE_FLOOR: Final = "0.0001"
LEAST_SAMPLES: Final = 30

_VERSION: Final = ("model", "model_version")
_IN_WINDOW: Final = (*_VERSION, "window")


def fleet_group(scale: TimeScale) -> Group:
    """All of them, each minute: a sample that is a whole step old would lie at the edge of what a query sees."""
    rules = (
        *_drift(scale, chain.FEATURE_BINS, "feature"),
        *_drift(scale, chain.OUTPUT_BINS, "output"),
        *_means(scale),
        *_classes(scale),
        *_ranking(scale),
        *_errors(scale),
        *_traffic(scale),
    )
    return Group("driftgauge-fleet", tuple(rules), scale.interval(60))


def fresh(each: Chained, scale: TimeScale) -> str:
    """The newest sums over windows, at most two steps old."""
    return f"last_over_time({each.window}[{scale.step * 2}])"


def _drift(scale: TimeScale, bins: Chained, label: str) -> Iterator[Recording]:
    kind = "feature" if label == "feature" else "prediction"
    records = f"{label}:driftgauge_{kind}_records:window"
    share = f"{label}_bin:driftgauge_{kind}_bin:ratio"
    reference = f"{label}_bin:driftgauge_reference_{kind}_bin:ratio"
    labels = (*_VERSION, label, "reference", "window")
    floored, known = f"clamp_min({share}, {SHARE_FLOOR})", f"clamp_min({reference}, {SHARE_FLOOR})"
    beside = "ignoring (window) group_left ()"
    yield Recording(
        records,
        f"sum without (bin) ({fresh(bins, scale)})",
        meaning=f"Records of the {label} in the window.",
        remaining=labels,
    )
    yield Recording(
        share,
        f"{fresh(bins, scale)}\n/ ignoring (bin) group_left ()\n({records} >= {LEAST_SAMPLES})",
        meaning="Share of a coarse bin in the window, 0 to 1.",
        remaining=(*labels, "bin"),
    )
    yield Recording(
        reference,
        f"max {WITHOUT_PODS} (driftgauge_reference_{kind}_bin_ratio)",
        meaning="The reference's share of it, 0 to 1.",
        remaining=(*_VERSION, label, "reference", "bin"),
    )
    yield Recording(
        f"{label}:driftgauge_{kind}_psi:fleet",
        f"sum without (bin) (\n  ({floored} - {beside} {known})\n  * ln({floored} / {beside} {known})\n)",
        meaning=f"Population stability index of all pods' records, as driftgauge_{kind}_psi defines it; from "
        f"{LEAST_SAMPLES} records.",
        remaining=labels,
    )


def _means(scale: TimeScale) -> Iterator[Recording]:
    labels = (*_VERSION, "feature", "reference", "window")
    values = f"({fresh(chain.FEATURE_VALUES, scale)} >= {LEAST_SAMPLES})"
    mean, beside = "feature:driftgauge_feature_mean:fleet", "ignoring (window) group_left ()"
    known = f"max {WITHOUT_PODS} (driftgauge_reference_feature_mean)"
    sd = f"max {WITHOUT_PODS} (driftgauge_reference_feature_sd)"
    yield Recording(
        mean,
        f"{fresh(chain.FEATURE_SUMS, scale)} / {values}\n"
        f"+ {beside}\nmax {WITHOUT_PODS} (driftgauge_feature_floor)",
        meaning="Mean of a numeric feature over all pods' records, values clipped to the reference's tails.",
        remaining=labels,
    )
    yield Recording(
        "feature:driftgauge_feature_mean_shift_sd:fleet",
        f"({mean} - {beside} {known})\n/ {beside}\n({sd} > 0)",
        meaning="Mean less the reference's, in reference standard deviations.",
        remaining=labels,
    )
    yield Recording(
        "feature:driftgauge_feature_mean_shift:fleet_ratio",
        f"({mean} - {beside} {known})\n/ {beside}\n(abs({known}) > 0)",
        meaning="Mean less the reference's, as a share of the reference's mean; 0.1 is 10% up.",
        remaining=labels,
    )
    yield Recording(
        "feature:driftgauge_feature_spread:fleet_ratio",
        f"sqrt(\n"
        f"  clamp_min({fresh(chain.FEATURE_SQUARES, scale)} / {values} - ({mean} - {beside} {known}) ^ 2, 0)\n"
        f")\n/ {beside}\n({sd} > 0)",
        meaning="Standard deviation over the reference's.",
        remaining=labels,
    )


def _classes(scale: TimeScale) -> Iterator[Recording]:
    outcomes, predicted, right = (fresh(counted, scale) for counted in chain.CLASSES)
    labels = (*_IN_WINDOW, "class")
    yield Recording(
        "class:driftgauge_precision:fleet_ratio",
        f"{right} / ({predicted} > 0)",
        meaning="Share of the class's predictions that were right, 0 to 1.",
        remaining=labels,
    )
    yield Recording(
        "class:driftgauge_recall:fleet_ratio",
        f"{right} / ({outcomes} > 0)",
        meaning="Share of the class's outcomes that were predicted, 0 to 1.",
        remaining=labels,
    )
    yield Recording(
        "class:driftgauge_f1:fleet_ratio",
        f"2 * {right} / ({outcomes} + {predicted} > 0)",
        meaning="Harmonic mean of precision and recall, 0 to 1.",
        remaining=labels,
    )
    yield Recording(
        "version:driftgauge_accuracy:fleet_ratio",
        f"sum without (class) ({right}) / (sum without (class) ({outcomes}) > 0)",
        meaning="Share of outcomes predicted right, 0 to 1.",
        remaining=_IN_WINDOW,
    )


def _ranking(scale: TimeScale) -> Iterator[Recording]:
    counted, below = chain.SCORES.window, chain.SCORES_BELOW.window
    recent = f"[{scale.step * 2}]"

    def of(name: str, outcome: int) -> str:
        return f'sum without (outcome) (last_over_time({name}{{outcome="{outcome}"}}{recent}))'

    yield Recording(
        "class:driftgauge_roc_auc:fleet_ratio",
        "sum without (bin) (\n"
        f"  {of(counted, 1)}\n"
        f"  * ({of(below, 0)} + {of(counted, 0)} / 2)\n"
        ")\n"
        "/ (\n"
        f"  sum without (bin) ({of(counted, 1)})\n"
        f"  * sum without (bin) ({of(counted, 0)})\n"
        "  > 0\n"
        ")",
        meaning="Area under the ROC curve of a binary model, 0 to 1: of coarse score bins, so off by at most half "
        "the chance that a pair of outcomes shares a bin.",
        remaining=(*_IN_WINDOW, "class"),
    )


def _errors(scale: TimeScale) -> Iterator[Recording]:
    outcomes = "version:driftgauge_error_samples:window"
    squared, z, zz = (fresh(c, scale) for c in (chain.SQUARED, chain.OUTCOME_SUM, chain.OUTCOME_SQUARES))
    yield Recording(
        outcomes,
        f"{fresh(chain.ERRORS, scale)} > 0",
        meaning="Joined outcomes of a regression in the window, by the time the outcome came.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_rmse:fleet",
        f"sqrt({squared} / {outcomes})",
        meaning="Root mean squared error.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_mae:fleet",
        f"{fresh(chain.ABSOLUTE, scale)} / {outcomes}",
        meaning="Mean absolute error.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_bias:fleet",
        f"({fresh(chain.OVER, scale)} - {fresh(chain.UNDER, scale)}) / {outcomes}",
        meaning="Mean of prediction less outcome.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_r2:fleet",
        f"1 - {squared}\n/ (\n  {zz} - {z} ^ 2 / {outcomes}\n  > 0\n)",
        meaning="Coefficient of determination.",
        remaining=_IN_WINDOW,
    )


def _traffic(scale: TimeScale) -> Iterator[Recording]:
    predictions = f"({fresh(chain.PREDICTIONS, scale)} > 0)"
    yield Recording(
        "version:driftgauge_predictions:fleet",
        fresh(chain.PREDICTIONS, scale),
        meaning="Predictions in the window.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_outcomes_joined:fleet",
        fresh(chain.JOINED, scale),
        meaning="Outcomes joined in the window, by the time the outcome came.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_outcome_coverage:fleet_ratio",
        f"{fresh(chain.JOINED, scale)} / {predictions}",
        meaning="Outcomes joined for each prediction made in the window; above 1 while traffic falls.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_prediction_errors:fleet_ratio",
        f"({fresh(chain.FAILED, scale)}) / {predictions}",
        meaning="Share of predictions that carried an error, 0 to 1.",
        remaining=_IN_WINDOW,
    )
    yield Recording(
        "version:driftgauge_schema_violations:fleet_ratio",
        f"{fresh(chain.VIOLATIONS, scale)}\n/ ignoring (violation) group_left ()\n{predictions}",
        meaning="Values that break the schema, for each prediction.",
        remaining=(*_IN_WINDOW, "violation"),
    )
