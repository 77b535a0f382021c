"""Panels that dashboards have in common, made from the metric table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards.board import PLAIN, Kind, Link, Panel, Query, State, Steps, above
from driftgauge.artefacts.dashboards.queries import RECORDED, Scope, metric
from driftgauge.artefacts.dashboards.wording import HALF_OF_PODS, WEIGHTED, meaning, unit
from driftgauge.config import Family
from driftgauge.metrics import PREFIX

EVERYTHING: Final[Mapping[str, str]] = MappingProxyType({})
OF_VERSION: Final = "{{model}} {{model_version}}"
OF_FEATURE: Final = "{{model}} {{model_version}} {{feature}}"
OF_OUTPUT: Final = "{{model}} {{model_version}} {{output}}"

DRIFTED: Final = (State(0, "steady", "green"), State(1, "drifted", "red"))
CHANGED: Final = (State(0, "steady", "green"), State(1, "changed", "red"))

_CHAINED: Final = (
    "Of all pods' records together, by the chained rules: windows of 1h, 1d and 7d of wall time, others with "
    "`driftgauge rules --shipped --window 30d`; beyond a day they end with the last whole hour. Quality by "
    "the time the outcome came."
)
_ALONG: Final = ("datasource", "job", "namespace")
MANY_DRIFTED: Final = above(thresholds.MANY_DRIFTED_FEATURES, thresholds.MOST_DRIFTED_FEATURES)

TO_MODEL: Final = Link(
    "Model", "driftgauge-model", (("model", "model"), ("version", "model_version")), _ALONG
)
TO_FEATURE: Final = Link(
    "Feature",
    "driftgauge-feature",
    (("model", "model"), ("version", "model_version"), ("feature", "feature")),
    (*_ALONG, "window"),
)


def pooled(
    scope: Scope,
    title: str,
    *names: str,
    legend: str = OF_VERSION,
    more: tuple[str, ...] = (),
    steps: Steps = PLAIN,
    width: int = 8,
    links: tuple[Link, ...] = (),
    least: float | None = None,
    most: float | None = None,
    where: Mapping[str, str] = EVERYTHING,
) -> Panel:
    """Numbers of the same unit over time, the mean of the pods; HELP of the first describes all."""
    short = {name: _short(name, names) for name in names}
    queries = tuple(Query(scope.pooled(name, **where), f"{legend} {short[name]}".strip()) for name in names)
    family = _family(names)
    return Panel(
        Kind.TREND,
        title,
        meaning(names[0], *more, WEIGHTED, family=family),
        queries,
        unit(names[0]),
        steps,
        least=least,
        most=most,
        width=width,
        links=links,
        family=family,
    )


def drifted_share(scope: Scope, *, width: int = 12, links: tuple[Link, ...] = ()) -> Panel:
    """The share of features whose verdict is drift, over time."""
    return Panel(
        Kind.TREND,
        "Share of features that have drifted",
        meaning("drifted_features_ratio", HALF_OF_PODS),
        (Query(scope.drifted_share(), OF_VERSION),),
        "percentunit",
        MANY_DRIFTED,
        least=0,
        most=1,
        width=width,
        links=links,
    )


def together(
    scope: Scope,
    title: str,
    *records: str,
    legend: str = OF_VERSION,
    steps: Steps = PLAIN,
    unit: str = "none",
    width: int = 8,
    least: float | None = None,
) -> Panel:
    """What the shipped rules compute of all pods' records together, over time."""
    names = tuple(record.split(":")[1].removeprefix(PREFIX).replace("_", " ") for record in records)
    shown = names if len(records) > 1 else ("",)
    queries = tuple(
        Query(scope.recorded(record), f"{legend} {name}".strip())
        for record, name in zip(records, shown, strict=True)
    )
    text = "\n\n".join(f"{RECORDED[record].meaning}" for record in records)
    return Panel(Kind.TREND, title, f"{text}\n\n{_CHAINED}", queries, unit, steps, least=least, width=width)


def within(
    scope: Scope,
    title: str,
    name: str,
    *,
    legend: str = OF_VERSION,
    more: tuple[str, ...] = (),
    steps: Steps = PLAIN,
    width: int = 8,
    where: Mapping[str, str] = EVERYTHING,
) -> Panel:
    """A number between the ends of its interval, over time."""
    queries = tuple(
        Query(scope.pooled(each, **where), f"{legend} {end}".strip())
        for each, end in ((name, ""), (end_of(name, "low"), "low"), (end_of(name, "high"), "high"))
    )
    family = _family((name, end_of(name, "low")))
    text = meaning(name, *more, "Dashed: its 95% interval.", WEIGHTED, family=family)
    return Panel(Kind.TREND, title, text, queries, unit(name), steps, width=width, family=family)


def within_errors(scope: Scope, title: str, name: str, *, width: int = 8) -> Panel:
    """An estimate, two of its standard errors on either side, over time."""
    middle, error = scope.pooled(name), scope.pooled(errors_of(name))
    queries = (
        Query(middle, OF_VERSION),
        Query(f"{middle} - 2 * ({error})", f"{OF_VERSION} low"),
        Query(f"{middle} + 2 * ({error})", f"{OF_VERSION} high"),
    )
    family = _family((name,))
    text = meaning(name, "Dashed: two standard errors on either side.", WEIGHTED, family=family)
    return Panel(Kind.TREND, title, text, queries, unit(name), width=width, family=family)


def verdicts(
    scope: Scope,
    title: str,
    name: str,
    *,
    legend: str,
    states: tuple[State, ...] = DRIFTED,
    width: int = 12,
    links: tuple[Link, ...] = (),
) -> Panel:
    """When a verdict held, one line for each that ever did or didn't."""
    family = _family((name,))
    red = Steps("green", ((1, "red"),))
    query = Query(scope.verdict(name), legend)
    text = meaning(name, HALF_OF_PODS, family=family)
    return Panel(
        Kind.STATES,
        title,
        text,
        (query,),
        "none",
        red,
        states,
        least=0,
        most=1,
        width=width,
        links=links,
        family=family,
    )


def end_of(name: str, end: str) -> str:
    """The name of the end of an interval: ``accuracy_low_ratio`` for ``accuracy_ratio``."""
    unitless = name.removesuffix("_ratio")
    return f"{unitless}_{end}{name[len(unitless) :]}"


def errors_of(name: str) -> str:
    """The name of an estimate's standard error: ``estimated_f1_error_ratio`` for ``estimated_f1_ratio``."""
    return end_of(name, "error")


def _short(name: str, names: tuple[str, ...]) -> str:
    """What tells *name* from the others, in words; nothing where it is alone."""
    if len(names) == 1:
        return ""
    return name.removesuffix("_ratio").removesuffix("_seconds").replace("_", " ")


def _family(names: tuple[str, ...]) -> Family | None:
    """The family that the first of *names* with one needs; the default one needs none."""
    found = [metric(name).family for name in names if metric(name).family != "default"]
    return Family(found[0]) if found else None
