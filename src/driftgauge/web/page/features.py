"""The table of a version's features and outputs in one window: what moved, first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from driftgauge.snapshot import Distributions, Drift, RelationShift, Verdict, VersionSnapshot
from driftgauge.web.page import charts
from driftgauge.web.page.markup import NOTHING, Cell, attribute, fixed, name, percent, table, text
from driftgauge.web.page.selection import VERDICT, Selection, link
from driftgauge.web.page.words import Found, found, relation

# So many are listed until all are asked for.
SHOWN: Final = 50
FLOOR: Final = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """One feature or output in one window."""

    drift: Drift
    verdict: Verdict | None
    relation: RelationShift | None
    found: Found

    @property
    def name(self) -> tuple[str, str]:
        """Feature and output; one of the two is empty."""
        return self.drift.feature, self.drift.output


def lines(version: VersionSnapshot, window: str) -> list[Line]:
    """All of a window, outputs first. O(rows of the version)."""
    verdicts = {(v.feature, v.output): v for v in version.verdicts if v.window == window}
    relations = {r.feature: r for r in version.relation_shifts if r.window == window}
    listed = []
    for row in version.drift:
        if row.window == window:
            verdict = verdicts.get((row.feature, row.output))
            related = None if row.output else relations.get(row.feature)
            listed.append(Line(row, verdict, related, found(verdict)))
    return listed


def ordered(found_lines: Sequence[Line], sort: str) -> list[Line]:
    """*found_lines* as *sort* says: what moved most first; names from A to Z."""
    if sort == "name":
        return sorted(found_lines, key=lambda line: (line.drift.output == "", *line.name))
    if sort == VERDICT:
        return sorted(found_lines, key=lambda line: (line.found.rank, -_size(line.drift.psi)))
    if sort == "relation":
        return sorted(found_lines, key=lambda line: (relation(line.relation).rank, -_relation_size(line)))
    field = {"psi": "psi", "ks": "ks", "shift": "mean_shift_sd", "missing": "missing_ratio"}
    return sorted(
        found_lines,
        key=lambda line: -_size(getattr(line.drift, field.get(sort, "unseen_ratio")), absolute=True),
    )


def _size(value: float | None, *, absolute: bool = False) -> float:
    if value is None or not isfinite(value):
        return -1.0
    return abs(value) if absolute else value


def _relation_size(line: Line) -> float:
    return -1.0 if line.relation is None else _size(line.relation.shift)


def features(
    every_line: Sequence[Line],
    chosen: tuple[str, str] | None,
    selection: Selection,
    drawn: Distributions | None,
) -> str:
    """The search, the table, and how much of it is shown."""
    wanted = selection.search.casefold()
    matching = [line for line in every_line if wanted in (line.name[0] or line.name[1]).casefold()]
    ranked = ordered(matching, selection.sort)
    listed = ranked if selection.every else ranked[:SHOWN]
    rows = [_row(line, line.name == chosen, selection, drawn) for line in listed]
    whole = table(
        f"Features and outputs in the last {text(selection.window)}, against the reference",
        _head(selection),
        rows,
        "features",
    )
    return (
        _search(selection, len(matching), len(every_line))
        + whole
        + _more(selection, len(ranked), len(listed))
    )


_COLUMNS: Final = (
    ("name", "feature", "", ""),
    ("", "now and reference", "", ""),
    (VERDICT, "verdict", "", ""),
    ("psi", "PSI", "num", "Population stability index; 0 is no change, the floor of a verdict is 0.1"),
    ("ks", "KS", "num minor", "Kolmogorov-Smirnov distance of numbers, 0 to 1"),
    ("shift", "mean", "num minor", "Shift of the mean, in standard deviations of the reference"),
    ("missing", "missing", "num minor", "Share of records without a value"),
    ("unseen", "unseen", "num minor", "Share of texts that the reference never had"),
    ("relation", "outcome", "minor", "How the outcome depends on the feature, against the reference"),
)


def _head(selection: Selection) -> list[Cell]:
    return [Cell(_heading(selection, *column), column[2]) for column in _COLUMNS]


def _heading(selection: Selection, sort: str, words: str, _: str, title: str) -> str:
    if not sort:
        return words
    told = f' title="{title}"' if title else ""
    if selection.sort == sort:
        words += '<span class="arrow"> sorted</span>'
        told += ' aria-current="true"'
    return f'<a href="{link(selection, sort=sort)}"{told}>{words}</a>'


def _row(line: Line, is_chosen: bool, selection: Selection, drawn: Distributions | None) -> list[str | Cell]:  # noqa: FBT001
    drift = line.drift
    feature, output = line.name
    counts = None if drawn is None else drawn.coarse(feature, output, selection.window)
    href = link(selection, "feature", feature=None if output else feature, output=output)
    current = ' aria-current="true"' if is_chosen else ""
    kind = " <small>the model's</small>" if output else ""
    relation_found = relation(line.relation)
    return [
        Cell(f'<a class="pick" href="{href}"{current}>{name(output or feature)}</a>{kind}', "key"),
        Cell(charts.spark(*counts) if counts is not None and drift.psi is not None else "", "draw"),
        Cell(f'<span class="{line.found.kind}">{line.found.label}</span>', "said"),
        Cell(_strong(drift.psi), "num"),
        Cell(fixed(drift.ks, 2), "num minor"),
        Cell(_signed(drift.mean_shift_sd), "num minor"),
        Cell(_some(drift.missing_ratio), "num minor"),
        Cell(_some(drift.unseen_ratio), "num minor"),
        Cell(f'<span class="{relation_found.kind}">{relation_found.label or NOTHING}</span>', "said minor"),
    ]


def _strong(psi: float | None) -> str:
    words = fixed(psi)
    return f"<strong>{words}</strong>" if psi is not None and psi >= FLOOR else words


def _signed(value: float | None) -> str:
    return NOTHING if value is None or not isfinite(value) else f"{value:+.2f}"


def _some(ratio: float | None) -> str:
    return "0" if ratio == 0 else percent(ratio)


def _search(selection: Selection, found_: int, whole: int) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{key}" value="{attribute(value)}">'
        for key, value in selection.pairs()
        if key not in {"search", "every"}
    )
    count = f"{whole:,} features and outputs" if found_ == whole else f"{found_:,} of {whole:,}"
    return (
        f'<form method="get" role="search" class="search">{hidden}'
        '<label for="search">Find a feature</label>'
        f'<input id="search" name="search" type="search" value="{attribute(selection.search)}" '
        'autocomplete="off" spellcheck="false"><button>Find</button>'
        f'<span id="count" role="status" class="soft">{count}</span></form>'
    )


def _more(selection: Selection, found_: int, listed: int) -> str:
    if not found_:
        return '<p class="soft">No feature has this in its name.</p>' if selection.search else ""
    if listed < found_:
        href = link(selection, every=True)
        return f'<p class="soft">{found_ - listed:,} more, <a href="{href}">list all {found_:,}</a></p>'
    return ""
