"""One model version on the page: its state, its windows, and the cards below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from driftgauge.snapshot import Cohort, Distributions, ReferenceState, VersionSnapshot, VersionState
from driftgauge.web.page import parts
from driftgauge.web.page.feature import feature, title
from driftgauge.web.page.features import Line, features, ordered
from driftgauge.web.page.markup import (
    NOTHING,
    Cell,
    card,
    duration,
    facts,
    fold,
    moment,
    name,
    number,
    share,
    table,
    text,
)
from driftgauge.web.page.quality import quality
from driftgauge.web.page.selection import VERDICT, Selection, link, windows
from driftgauge.web.page.words import REFERENCE, SETTLED, UNMOVED, unjudged


def version_view(
    version: VersionSnapshot,
    selection: Selection,
    found: Sequence[Line],
    drawn: Distributions | None,
    others: list[str],
) -> str:
    """The section of the version that *selection* names with all it leaves to the page filled in.

    Args:
        found: the lines of the window.
        others: versions of the same model, this one among them.
    """
    state, window = version.state, selection.window
    line = next((line for line in found if line.name == selection.name), None)
    listed = features(found, selection.name, selection, drawn) if found else _nothing(version)
    model = f"v1/models/{quote(state.model, safe='', errors='replace')}"
    return (
        f'<section id="version" aria-labelledby="version-title"><h2 id="version-title">{name(state.model)}'
        f"{_versions(selection, others)}</h2>{_reference(state)}"
        f"{_windows(version, selection)}{_facts(state)}</section>"
        f'<div class="pair"><div>{card("features", "Features", listed)}'
        f"{card('quality', 'Quality', quality(version, window))}</div>"
        f"{_feature(version, line, drawn, window)}</div>"
        f'<div class="halves">{"".join(_cards(version, window))}</div>'
        f'<p class="soft"><a href="{model}">All numbers as JSON</a> <a href="{model}/history">history</a></p>'
    )


def first_name(found: Sequence[Line]) -> tuple[str, str] | None:
    """The feature with a verdict that moved most; while there is none the first one, which stays."""
    moved = [line for line in ordered(found, VERDICT) if line.found.rank < UNMOVED]
    ranked = sorted([*moved, *found], key=lambda line: line.drift.output != "")
    return ranked[0].name if ranked else None


def _cards(version: VersionSnapshot, window: str) -> Iterator[str]:
    worth = f"Value in {parts.currency(version)}" if parts.currency(version) else "Value"
    yield card("value", worth, parts.value(version, window))
    yield card("segments", "Segments", parts.segments(version, window))
    yield card("versions", "Versions", parts.comparison(version, window))
    yield card("detectors", "Errors", parts.detectors(version))
    yield card("schema", "Schema", parts.broken(version))


def _feature(version: VersionSnapshot, line: Line | None, drawn: Distributions | None, window: str) -> str:
    if line is None:
        return ""
    found = None if drawn is None else drawn.find(*line.name)
    body = feature(line, found, window)
    body += fold(
        "against",
        "Against earlier windows, versions and segments",
        parts.against(version, window, *line.name),
    )
    return card("feature", title(line, window), body)


def _nothing(version: VersionSnapshot) -> str:
    if version.state.reference_state == ReferenceState.LEARNING:
        return (
            "<p>The reference is being learned from the first records. From 1,000 of them on features are "
            "compared, and from 5,000 in 8 days on they are judged. <code>driftgauge profile</code> makes a "
            "reference of the training data at once.</p>"
        )
    return "<p>No feature is compared in this window.</p>"


def _versions(selection: Selection, others: list[str]) -> str:
    if len(others) < 2:
        return f" <small>{text(others[0])}</small>" if others and others[0] else ""
    current = ' aria-current="true"'
    links = "".join(
        f'<a href="{link(selection, version=each)}"{current if each == selection.version else ""}>'
        f"{name(each)}</a>"
        for each in others
    )
    return f' <span class="tabs small" role="navigation" aria-label="Versions">{links}</span>'


def _reference(state: VersionState) -> str:
    of_states = state.reference_state in set(ReferenceState)
    words = REFERENCE[ReferenceState(state.reference_state)] if of_states else text(state.reference_state)
    kind = "good" if state.reference_state in SETTLED else "warn"
    records = f", {number(state.reference_samples)} records" if state.reference_samples else ""
    span = f" of {duration(state.reference_span_seconds)}" if state.reference_span_seconds else ""
    task = f"{text(state.task)}, " if state.task else ""
    trusted = f'Reference <span class="{kind}">{words}</span>{records}{span}.'
    return f'<p class="lead">{task}{_count(state.features)}. {trusted}</p>'


def _count(features_: float | None) -> str:
    return "1 feature" if features_ == 1 else f"{number(features_)} features"


def _facts(state: VersionState) -> str:
    known_facts = facts(
        (
            ("the model's now", moment(state.clock_timestamp_seconds)),
            ("reference", text(state.reference) or NOTHING),
            ("waiting for outcomes", number(state.pending)),
            ("label delay, median", duration(state.label_delay_p50_seconds)),
            ("label delay, 95%", duration(state.label_delay_p95_seconds)),
            ("outcomes complete after", duration(state.matures_after_seconds)),
            ("duplicates known for", duration(state.deduplication_reach_seconds)),
        )
    )
    return fold("facts", "Clock, labels, reference", known_facts)


def _windows(version: VersionSnapshot, selection: Selection) -> str:
    """A line a window; its name chooses it."""
    rows = [_window(version, selection, window) for window in windows(version)]
    head: list[str | Cell] = [
        "window",
        Cell("predictions", "num"),
        Cell("covered", "num"),
        Cell("outcomes came in", "num minor"),
        Cell("matured outcomes", "num minor"),
        Cell("outcomes known", "num"),
        "moved",
    ]
    return table("Windows: choose one to see its numbers below", head, rows, "windows")


def _window(version: VersionSnapshot, selection: Selection, window: str) -> list[str | Cell]:
    by_cohort = {row.cohort: row for row in version.windows if row.window == window}
    coverage = {row.cohort: row.coverage_ratio for row in version.labels if row.window == window}
    now, arrived, matured = (
        by_cohort.get(each) for each in (Cohort.PREDICTED, Cohort.ARRIVED, Cohort.MATURED)
    )
    current = ' aria-current="true"' if window == selection.window else ""
    known_ratio = coverage.get(Cohort.MATURED, coverage.get(Cohort.PREDICTED))
    return [
        f'<a class="pick" href="{link(selection, window=window)}"{current}>{text(window)}</a>',
        Cell(number(now.samples if now else None), "num"),
        Cell(share(now.covered_ratio if now else None), "num"),
        Cell(number(arrived.samples if arrived else None), "num minor"),
        Cell(number(matured.samples if matured else None), "num minor"),
        Cell(share(known_ratio), "num"),
        verdicts(version, window),
    ]


def verdicts(version: VersionSnapshot, window: str) -> str:
    """How many features drifted of those judged, or why none is."""
    summary = next((row for row in version.verdict_summaries if row.window == window), None)
    if summary is None:
        return NOTHING
    rows = [row for row in version.verdicts if row.window == window]
    moved = sum(1 for row in rows if row.feature and (row.drift == 1 or row.beyond_reference == 1))
    outputs = [
        text(row.output) for row in rows if row.output and (row.drift == 1 or row.beyond_reference == 1)
    ]
    also = f" <small>and the {' and the '.join(outputs)}</small>" if outputs else ""
    if not summary.judged_features:
        short, _ = unjudged(summary.state)
        told = f'<span class="soft">not judged: {short}</span>'
        return f'<span class="bad">{moved} beyond the reference{also}</span>' if moved else told
    kind = "bad" if moved or outputs else "good"
    return f'<span class="{kind}">{moved} of {number(summary.judged_features)} features{also}</span>'
