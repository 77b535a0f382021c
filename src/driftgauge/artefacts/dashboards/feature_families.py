"""A feature's panels that need more than the default metrics: folded, each says which family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from driftgauge.artefacts.dashboards.board import Kind, Panel, Query, Row, State
from driftgauge.artefacts.dashboards.panels import CHANGED, OF_FEATURE, pooled, verdicts
from driftgauge.artefacts.dashboards.queries import Scope
from driftgauge.artefacts.dashboards.wording import HALF_OF_PODS, WEIGHTED, meaning
from driftgauge.config import Family

_BEYOND: Final = (State(0, "within", "green"), State(1, "beyond", "red"))


def rows(scope: Scope) -> tuple[Row, ...]:
    """One row a family."""
    return tuple(Row(f"Family {family}", panels(scope), folded=True) for family, panels in _PANELS.items())


def _concept(scope: Scope) -> tuple[Panel, ...]:
    return (
        verdicts(
            scope,
            "When its relation to the outcome had changed",
            "feature_relation_verdict",
            legend=OF_FEATURE,
            states=CHANGED,
        ),
        pooled(
            scope,
            "Change of its relation to the outcome",
            "feature_relation_shift",
            legend=OF_FEATURE,
            least=0,
            width=12,
        ),
        Panel(
            Kind.BARS,
            "Change of the outcome by bin",
            meaning(
                "feature_relation_bin_shift",
                "Over the window that is chosen, as it stands at the end of the time shown.",
                WEIGHTED,
                family=Family.CONCEPT,
            ),
            (Query(_by_bin(scope), "change"),),
            width=24,
            family=Family.CONCEPT,
        ),
        pooled(scope, "Shift of the outcome with it held still", "feature_outcome_shift", legend=OF_FEATURE),
        pooled(
            scope,
            "Significance of its changed relation",
            "feature_relation_adjusted_p",
            legend=OF_FEATURE,
            least=0,
            most=1,
        ),
        pooled(scope, "Overdispersion of its relation", "feature_relation_overdispersion", legend=OF_FEATURE),
    )


def _by_bin(scope: Scope) -> str:
    of = '"feature", "model", "model_version"'
    return f'label_join({scope.pooled("feature_relation_bin_shift")}, "series", " ", {of})'


def _critical(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(
            scope,
            "PSI that would be significant",
            "feature_critical_psi",
            "feature_psi",
            legend=OF_FEATURE,
            least=0,
        ),
        pooled(
            scope,
            "Significance of its drift",
            "feature_drift_p_value",
            "feature_drift_adjusted_p_value",
            legend=OF_FEATURE,
            least=0,
            most=1,
        ),
        pooled(
            scope,
            "Share of the time to hold that has passed",
            "feature_drift_held_ratio",
            legend=OF_FEATURE,
            least=0,
            most=1,
        ),
        pooled(scope, "Overdispersion", "feature_overdispersion", legend=OF_FEATURE),
        pooled(scope, "Smallest shift that shows", "feature_smallest_shift_sd", legend=OF_FEATURE, least=0),
        Panel(
            Kind.STATES,
            "Is it beyond the reference's range?",
            meaning("feature_beyond_reference_verdict", HALF_OF_PODS, family=Family.CRITICAL),
            (Query(scope.verdict("feature_beyond_reference_verdict"), OF_FEATURE),),
            states=_BEYOND,
            family=Family.CRITICAL,
        ),
    )


def _distances(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(
            scope,
            "Jensen-Shannon distance",
            "feature_js_distance",
            legend=OF_FEATURE,
            least=0,
            most=1,
            width=6,
        ),
        pooled(scope, "Wasserstein distance", "feature_wasserstein_sd", legend=OF_FEATURE, least=0, width=6),
        pooled(scope, "Hellinger distance", "feature_hellinger", legend=OF_FEATURE, least=0, most=1, width=6),
        pooled(
            scope, "Total variation", "feature_total_variation", legend=OF_FEATURE, least=0, most=1, width=6
        ),
        pooled(
            scope, "L-infinity distance", "feature_l_infinity", legend=OF_FEATURE, least=0, most=1, width=6
        ),
        pooled(
            scope, "Chi-square p-value", "feature_chi_square_p", legend=OF_FEATURE, least=0, most=1, width=6
        ),
        pooled(scope, "Out of range", "feature_out_of_range_ratio", legend=OF_FEATURE, least=0, width=6),
        pooled(scope, "Not finite", "feature_not_finite_ratio", legend=OF_FEATURE, least=0, width=6),
        pooled(scope, "Relative mean shift", "feature_mean_shift_ratio", legend=OF_FEATURE, width=12),
        pooled(scope, "Bound of KS from bins", "feature_ks_bound", legend=OF_FEATURE, least=0, width=12),
    )


def _quantiles(scope: Scope) -> tuple[Panel, ...]:
    return (
        pooled(
            scope,
            "Shift of its quantiles",
            "feature_p05_shift_sd",
            "feature_p50_shift_sd",
            "feature_p95_shift_sd",
            legend=OF_FEATURE,
            width=12,
        ),
        pooled(scope, "Spread", "feature_spread_ratio", legend=OF_FEATURE, width=12),
    )


def _against(scope: Scope) -> tuple[Panel, ...]:
    legend = f"{OF_FEATURE} against {{{{against}}}}"
    return (
        pooled(scope, "PSI against other times", "feature_psi_against", legend=legend, least=0),
        pooled(scope, "KS against other times", "feature_ks_against", legend=legend, least=0, most=1),
        pooled(scope, "Mean shift against other times", "feature_mean_shift_sd_against", legend=legend),
    )


def _schema(scope: Scope) -> tuple[Panel, ...]:
    return (
        Panel(
            Kind.TREND,
            "Values that break the schema",
            meaning("feature_schema_violations_total", family=Family.SCHEMA),
            (Query(scope.rate("feature_schema_violations_total"), f"{OF_FEATURE} {{{{violation}}}}"),),
            "cps",
            least=0,
            width=24,
            family=Family.SCHEMA,
        ),
    )


def _segments(scope: Scope) -> tuple[Panel, ...]:
    legend = f"{OF_FEATURE} {{{{segment}}}} {{{{segment_value}}}}"
    return (pooled(scope, "PSI by segment", "segment_psi", legend=legend, least=0, width=24),)


_PANELS: Final[Mapping[Family, Callable[[Scope], tuple[Panel, ...]]]] = MappingProxyType(
    {
        Family.CONCEPT: _concept,
        Family.CRITICAL: _critical,
        Family.DISTANCES: _distances,
        Family.QUANTILES: _quantiles,
        Family.AGAINST: _against,
        Family.SCHEMA: _schema,
        Family.SEGMENTS: _segments,
    }
)
