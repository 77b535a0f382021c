"""One feature: what it looks like now, how far that is from the reference, and what was concluded."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import chosen, feature_families
from driftgauge.artefacts.dashboards.board import (
    PLAIN,
    Dashboard,
    Kind,
    Panel,
    Query,
    Row,
    Steps,
    above,
    either_way,
)
from driftgauge.artefacts.dashboards.panels import DRIFTED, OF_FEATURE, TO_MODEL, pooled, verdicts
from driftgauge.artefacts.dashboards.wording import HALF_OF_PODS, WEIGHTED, meaning, unit
from driftgauge.stats.verdicts import RULES

VARIABLES: Final = (
    chosen.JOB,
    chosen.NAMESPACE,
    chosen.MODEL,
    chosen.VERSION,
    chosen.FEATURE,
    chosen.WINDOW,
)
_S: Final = chosen.scope(*VARIABLES)
_PSI: Final = above(thresholds.PSI_MOVED, thresholds.PSI_MOVED_FAR)
_KS: Final = above(RULES.ks)
_MEAN: Final = either_way(RULES.mean_shift_sd)
_FLOOR: Final = "The line is the floor below which no effect makes a verdict."


def dashboard() -> Dashboard:
    """`driftgauge-feature`."""
    return Dashboard(
        uid="driftgauge-feature",
        title="driftgauge / Feature",
        description="One feature: its distribution beside the reference's, its statistics and its verdict.",
        since="now-7d",
        variables=VARIABLES,
        annotations=(chosen.firing(_S), chosen.new_versions(_S)),
        rows=(_now(), _distribution(), _statistics(), _moments(), *feature_families.rows(_S)),
    )


def _now() -> Row:
    numbers = (
        Panel(
            Kind.NUMBER,
            "Verdict",
            meaning("feature_drift_verdict", HALF_OF_PODS),
            (Query(_S.verdict("feature_drift_verdict"), OF_FEATURE),),
            states=DRIFTED,
        ),
        _number("PSI", "feature_psi", _PSI),
        _number("KS", "feature_ks", _KS),
        _number("Mean shift", "feature_mean_shift_sd", _MEAN),
        _number("Missing", "feature_missing_ratio"),
        _number("Unseen", "feature_unseen_ratio"),
    )
    return Row("What is it now?", tuple(replace(panel, width=4, height=5) for panel in numbers))


def _number(title: str, name: str, steps: Steps = PLAIN) -> Panel:
    query = Query(_S.pooled(name), OF_FEATURE)
    return Panel(Kind.NUMBER, title, meaning(name, WEIGHTED), (query,), unit(name), steps)


def _distribution() -> Row:
    return Row(
        "What does its distribution look like?",
        (
            Panel(
                Kind.BARS,
                "Distribution now and in the reference",
                "Share of the records in each coarse bin over the time shown, beside the reference's. "
                "Records of all pods are counted together; the edges of the bins stand at "
                "GET /v1/models/{model}.",
                (Query(_S.shares("feature", "feature"), "share"),),
                "percentunit",
                least=0,
                width=24,
                height=10,
            ),
            verdicts(
                _S,
                "When its verdict was drift",
                "feature_drift_verdict",
                legend=OF_FEATURE,
                links=(TO_MODEL,),
                width=24,
            ),
        ),
    )


def _statistics() -> Row:
    return Row(
        "How far from the reference?",
        (
            pooled(
                _S, "PSI over time", "feature_psi", legend=OF_FEATURE, steps=_PSI, least=0, more=(_FLOOR,)
            ),
            pooled(
                _S,
                "KS over time",
                "feature_ks",
                legend=OF_FEATURE,
                steps=_KS,
                least=0,
                most=1,
                more=(_FLOOR,),
            ),
            pooled(
                _S,
                "Mean shift over time",
                "feature_mean_shift_sd",
                legend=OF_FEATURE,
                steps=_MEAN,
                more=(_FLOOR,),
            ),
            _beyond("Missing over time", "missing"),
            _beyond("Unseen over time", "unseen"),
        ),
    )


def _beyond(title: str, kind: str) -> Panel:
    """A share of records, and by how much it is above the reference's, which alerts judge."""
    name = f"feature_{kind}_ratio"
    now, of = _S.pooled(name), "job, namespace, model, model_version, feature"
    before = f"max by ({of}) ({_S.of('reference_feature_bin_ratio', bin=kind)})"
    return Panel(
        Kind.TREND,
        title,
        meaning(name, "The line is for what is above the reference's share.", WEIGHTED),
        (
            Query(now, OF_FEATURE),
            Query(f"{now} - on ({of}) group_left () {before}", f"{OF_FEATURE} above the reference"),
        ),
        "percentunit",
        above(thresholds.MOST_MISSING_BEYOND_REFERENCE),
        width=12,
    )


def _moments() -> Row:
    of = ("model", "model_version", "feature", "reference")
    counted = _S.rate("feature_values_total", *of)
    summed = _S.rate("feature_above_floor_sum_total", *of)
    squares = _S.rate("feature_deviation_squares_total", *of)
    floor = _S.worst("max", "feature_floor", *of)
    before = _S.worst("max", "reference_feature_mean", *of)
    mean = f"{floor} + {summed} / ({counted} > 0)"
    # Squares are about the reference's mean: what the mean has moved comes off.
    spread = f"sqrt(clamp_min({squares} / ({counted} > 0) - ({mean} - {before}) ^ 2, 0))"
    return Row(
        "Mean and spread of a numeric feature",
        (
            Panel(
                Kind.TREND,
                "Mean now and in the reference",
                "Of the records since the last point, all pods counted together; values are clipped to the "
                "outermost tail edges.",
                (
                    Query(mean, f"{OF_FEATURE} now"),
                    Query(before, f"{OF_FEATURE} reference"),
                ),
                width=12,
            ),
            Panel(
                Kind.TREND,
                "Standard deviation now and in the reference",
                "As the mean beside it.",
                (
                    Query(spread, f"{OF_FEATURE} now"),
                    Query(_S.worst("max", "reference_feature_sd", *of), f"{OF_FEATURE} reference"),
                ),
                width=12,
                least=0,
            ),
        ),
    )
