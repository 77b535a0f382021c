"""One feature or output: its distribution now against the reference, and all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log
from typing import Final

from driftgauge.snapshot import BinnedRecords, Distribution, RelatedOutcomes, RelationShift, Verdict
from driftgauge.stats.intervals import wilson
from driftgauge.web.page import charts
from driftgauge.web.page.charts import Column, Mark
from driftgauge.web.page.features import Line
from driftgauge.web.page.markup import (
    NOTHING,
    Cell,
    facts,
    fixed,
    fold,
    name,
    number,
    percent,
    share,
    table,
    text,
)
from driftgauge.web.page.words import relation

# Texts have a column each up to so many.
CATEGORIES: Final = 9
LEAST_SHARE: Final = 0.0001
# No distribution is further from another: shares are at least `LEAST_SHARE`.
LARGEST_PSI: Final = 18.42
MISSING, UNSEEN = 10, 11


def feature(line: Line, distribution: Distribution | None, window: str) -> str:
    """The body of the card."""
    verdict, drift = line.found, line.drift
    head = f'<p class="verdict"><span class="pill {verdict.kind}">{verdict.label}</span> {verdict.why}</p>'
    if drift.psi is None and distribution is None:
        return head + _statistics(line)
    return head + _drawn(line, distribution, window) + _statistics(line)


def title(line: Line, window: str) -> str:
    """The card's heading."""
    kind = f"the model's {text(line.drift.output)}" if line.drift.output else text(line.drift.kind)
    said = name(line.drift.output or line.drift.feature)
    return f"{said} <small>{kind}, last {text(window)} against the reference</small>"


def _drawn(line: Line, distribution: Distribution | None, window: str) -> str:
    if distribution is None:
        return ""
    current = next((w.counts for w in distribution.windows if w.window == window), None)
    if current is None or not current.records:
        return '<p class="soft">No record in this window.</p>'
    found_columns = columns(distribution, current)
    reference = distribution.reference_counts
    label = f"Share of records by bin of {text(line.drift.output or line.drift.feature)}, reference and now"
    key = (
        f'<p class="key"><span class="swatch r"></span>reference, {reference.records:,} records '
        f'<span class="swatch c"></span>now, {current.records:,} records</p>'
    )
    drawing = key + charts.histogram(found_columns, label)
    outcomes = next((w.related for w in distribution.outcomes if w.window == window), None)
    related = ""
    if line.relation is not None:
        related = _related(line.relation, distribution.reference_outcomes, outcomes, found_columns)
    return drawing + related + _numbers(found_columns, distribution.reference_outcomes, outcomes, line)


def columns(distribution: Distribution, current: BinnedRecords) -> list[Column]:
    """The bins that PSI stands on, as far as there are any records; missing and unseen last."""
    reference = distribution.reference_counts
    sides = [[*each.coarse, each.missing, each.not_finite + each.unseen] for each in (reference, current)]
    totals = [max(sum(side), 1) for side in sides]
    bins = _numeric_bins(distribution) if distribution.edges else _categories(distribution, sides)
    no_bin = "not finite" if distribution.edges else "unseen"
    aside: list[_Bin] = [(cell, said, None, said) for cell, said in ((MISSING, "missing"), (UNSEEN, no_bin))]
    return [
        Column(*each, *(side[each[0]] / total for side, total in zip(sides, totals, strict=True)))
        for each in (*bins, *(each for each in aside if any(side[each[0]] for side in sides)))
    ]


# Cell, label, edge and description of a column.
_Bin = tuple[int, str, float | None, str]


def _numeric_bins(distribution: Distribution) -> list[_Bin]:
    ends = distribution.coarse_edges
    return [(place, "", edge, _range(ends, place)) for place, edge in enumerate((*ends, None))]


def _categories(distribution: Distribution, sides: Sequence[Sequence[int]]) -> list[_Bin]:
    named: list[_Bin] = [
        (place, each or "(empty)", None, text(each) or "(empty)")
        for place, each in enumerate(distribution.categories[:CATEGORIES])
    ]
    others: _Bin = (CATEGORIES, "others", None, "all others that the reference has")
    return [*named, *([others] if any(side[CATEGORIES] for side in sides) else [])]


def _range(ends: Sequence[float], place: int) -> str:
    if not ends:
        return "all"
    if place == 0:
        return f"up to {number(ends[0])}"
    if place == len(ends):
        return f"above {number(ends[-1])}"
    return f"{number(ends[place - 1])} to {number(ends[place])}"


def _related(
    row: RelationShift,
    reference: RelatedOutcomes | None,
    current: RelatedOutcomes | None,
    found_columns: Sequence[Column],
) -> str:
    said = relation(row)
    head = (
        f'<h4>What comes out, by bin <span class="pill {said.kind}">{said.label}</span></h4>'
        f'<p class="soft">{said.why}{_relation_numbers(row)}</p>'
    )
    if current is None or (reference is None and not any(map(sum, current.outcomes))):
        return head
    class_ = _class_of(row, current)
    places = [column.cell for column in found_columns]
    marks = [
        _marks(side, places, class_, row.bins if side is current else ())
        for side in (reference, current)
    ]  # fmt: skip
    what = "mean error" if not current.classes else f"share of outcome {class_}"
    label = f"{text(what)} by bin, reference and matured outcomes of this window"
    axis = f'<p class="key soft">{text(what)}; a ring: beyond chance</p>'
    return head + axis + charts.dots(found_columns, marks[0], marks[1], label, shares=bool(current.classes))


def _relation_numbers(row: RelationShift) -> str:
    if row.shift is None:
        return ""
    return (
        f" Bins moved apart by {number(row.shift)}, after the change that all share; "
        f"adjusted p {number(row.adjusted_p)}, {number(row.samples)} outcomes."
    )


def _class_of(row: RelationShift, current: RelatedOutcomes) -> str:
    if row.class_ in current.classes:
        return row.class_
    return current.classes[-1] if len(current.classes) == 2 else next(iter(current.classes), "")


def _marks(
    side: RelatedOutcomes | None, places: Sequence[int], class_: str, beyond: Sequence[str]
) -> list[Mark]:
    if side is None:
        return [Mark(None)] * len(places)
    named = {
        {"missing": MISSING, "unseen": UNSEEN}.get(each, int(each) if each.isdecimal() else -1)
        for each in beyond
    }
    found_marks = []
    for place in places:
        counted = sum(side.outcomes[place])
        if not counted:
            found_marks.append(Mark(None))
        elif not side.classes:
            mean = side.errors[place]
            found_marks.append(Mark(mean, title=f"{number(mean)} of {counted:,}", named=place in named))
        else:
            hits = side.outcomes[place][side.classes.index(class_)] if class_ in side.classes else 0
            low, high = (float(end) for end in wilson(hits, counted))
            said = f"{percent(hits / counted)} of {counted:,}, 95%: {percent(low)} to {percent(high)}"
            found_marks.append(Mark(hits / counted, low, high, said, place in named))
    return found_marks


def _numbers(
    found_columns: Sequence[Column],
    reference: RelatedOutcomes | None,
    current: RelatedOutcomes | None,
    line: Line,
) -> str:
    """The drawings as a table."""
    class_ = _class_of(line.relation, current) if line.relation is not None and current is not None else ""
    places = [column.cell for column in found_columns]
    before, now = (_marks(side, places, class_, ()) for side in (reference, current))
    has = any(mark.value is not None for mark in (*before, *now))
    shown = percent if current is not None and current.classes else number
    head: list[str | Cell] = ["bin", "reference", "now", "part of PSI"]
    head += ["outcome, reference", "outcome, now"] if has else []
    rows = []
    for column, one, other in zip(found_columns, before, now, strict=True):
        cells = [
            column.said,
            percent(column.reference),
            percent(column.current),
            fixed(_part(column)),
        ]
        rows.append([*cells, *([shown(one.value), shown(other.value)] if has else [])])
    return fold("numbers", "The drawing in numbers", table("Records and outcomes by bin", head, rows))


def _part(column: Column) -> float:
    p, q = max(column.reference, LEAST_SHARE), max(column.current, LEAST_SHARE)
    return (q - p) * log(q / p)


def _statistics(line: Line) -> str:
    drift, verdict = line.drift, line.verdict
    numeric = drift.kind == "numeric"
    pairs = [
        ("PSI", f"{fixed(drift.psi)} <small>floor 0.1</small>"),
        *(
            [("KS", f"{fixed(drift.ks)} <small>floor 0.1, off by at most {number(drift.ks_bound)}</small>")]
            if numeric
            else []
        ),
        *([("mean, in sd", f"{_signed(drift.mean_shift_sd)} <small>floor 0.1</small>")] if numeric else []),
        ("Jensen-Shannon", fixed(drift.js_distance)),
        *(
            [("Wasserstein, sd", fixed(drift.wasserstein)), ("spread", _times(drift.spread_ratio))]
            if numeric
            else []
        ),
        ("records", number(drift.samples)),
        ("missing", share(drift.missing_ratio)),
        ("out of range", share(drift.out_of_range_ratio))
        if numeric
        else ("unseen", share(drift.unseen_ratio)),
        *([("not finite", share(drift.not_finite_ratio))] if numeric and drift.not_finite_ratio else []),
    ]
    return facts(pairs) + (_judging(verdict) if verdict is not None else "")


def _judging(verdict: Verdict) -> str:
    if verdict.overdispersion is None:
        return ""
    pairs = [
        ("adjusted p", number(verdict.adjusted_p_value)),
        ("held", share(verdict.held_ratio)),
        ("its own swings", f"{number(verdict.overdispersion)}&times; chance"),
        ("windows of reference", number(verdict.reference_windows)),
        ("PSI to be told", _critical(verdict.critical_psi)),
        ("smallest shift told", _smallest(verdict)),
    ]
    return facts(pairs)


def _critical(psi: float | None) -> str:
    if psi is not None and psi > LARGEST_PSI:
        return "none could be <small>its swings are too large</small>"
    return NOTHING if psi is None else f"above {number(psi)}"


def _smallest(verdict: Verdict) -> str:
    if verdict.smallest_shift_sd is None:
        return NOTHING
    if verdict.critical_psi is not None and verdict.critical_psi > LARGEST_PSI:
        return "none"
    return f"{number(verdict.smallest_shift_sd)} sd"


def _signed(value: float | None) -> str:
    return NOTHING if value is None or not isfinite(value) else f"{value:+.3f}"


def _times(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value)}&times;"
