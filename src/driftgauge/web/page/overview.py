"""Every model on a line, and what happened in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from driftgauge.snapshot import Cohort, Notice, Snapshot, VersionSnapshot
from driftgauge.web.page.markup import NOTHING, Cell, card, day, name, number, share, table, text
from driftgauge.web.page.quality import main_measure, with_interval
from driftgauge.web.page.selection import Selection, link, telling_window
from driftgauge.web.page.version import verdicts

# So many of the newest notices are shown.
NOTICES = 40
CURRENT = ' aria-current="true"'


def overview(snapshot: Snapshot, selection: Selection, notices: Sequence[Notice]) -> str:
    """The models' table beside the sentences; empty before anything came."""
    models = card("models", "Models", _models(snapshot, selection))
    sentences = card("notices", "What happened", _happened(snapshot, selection, notices))
    return f'<div class="pair top">{models}{sentences}</div>' if models or sentences else ""


def _models(snapshot: Snapshot, selection: Selection) -> str:
    priced = any(version.value_info for version in snapshot.versions)
    rows = [_row(version, selection, priced=priced) for version in snapshot.versions]
    head: list[str | Cell] = [
        "model",
        "moved",
        Cell("quality", "num"),
        *([Cell("a record's value", "num minor")] if priced else []),
        Cell("predictions", "num minor"),
        Cell("window", "minor"),
    ]
    return table("Every version, in its longest covered window", head, rows, "models")


def _row(version: VersionSnapshot, selection: Selection, *, priced: bool) -> list[str | Cell]:
    state, window = version.state, telling_window(version)
    is_chosen = (state.model, state.model_version) == (selection.model, selection.version)
    current = CURRENT if is_chosen else ""
    href = link(Selection(model=state.model, version=state.model_version))
    by_version = f" <small>{name(state.model_version)}</small>" if state.model_version else ""
    covered = next((w for w in version.windows if (w.window, w.cohort) == (window, Cohort.PREDICTED)), None)
    part = (
        ""
        if covered is None or (covered.covered_ratio or 0) >= 1
        else f" {share(covered.covered_ratio)} covered"
    )
    return [
        f'<a class="pick" href="{href}"{current}>{name(state.model)}</a>{by_version}',
        verdicts(version, window),
        Cell(_quality(version, window), "num"),
        *([Cell(_value(version, window), "num minor")] if priced else []),
        Cell(number(covered.samples) if covered is not None else NOTHING, "num minor"),
        Cell(f"{text(window)}<small>{part}</small>", "minor"),
    ]


def _quality(version: VersionSnapshot, window: str) -> str:
    found = main_measure(version, window)
    if found is None:
        return '<span class="soft">no outcomes</span>'
    measure, mark, _, samples = found
    told = with_interval(measure, mark).replace("</small>", f", {number(samples)} outcomes</small>")
    return f"{measure.title} {told}"


def _value(version: VersionSnapshot, window: str) -> str:
    rows = [v for v in version.value if v.window == window and not v.segment and v.cohort == Cohort.ARRIVED]
    if not rows or rows[0].mean is None:
        return NOTHING
    currency = " ".join(text(info.currency) for info in version.value_info)
    return f"{number(rows[0].mean)} <small>{currency}</small>"


def _happened(snapshot: Snapshot, selection: Selection, notices: Sequence[Notice]) -> str:
    """Sentences about the model that is shown, or about all; the choice only where there are several."""
    model = selection.model
    if len({version.state.model for version in snapshot.versions}) < 2 or model is None:
        return _sentences(notices, several=len({notice.model for notice in notices}) > 1)
    of_model = [notice for notice in notices if notice.model in {model, ""}]
    choice = "".join(
        f'<a href="{link(selection, told=told)}"{CURRENT if selection.told == told else ""}>{words}</a>'
        for told, words in ((False, name(model)), (True, "all models"))
    )
    listed = _sentences(notices if selection.told else of_model, several=selection.told)
    return f'<p class="tabs">{choice}</p>{listed or "<p>Nothing yet.</p>"}'


def _sentences(notices: Sequence[Notice], *, several: bool) -> str:
    items = "".join(
        f"<li>{day(notice.time)} {_about(notice.model) if several else ''}{text(notice.text)}</li>"
        for notice in reversed(notices[-NOTICES:])
    )
    if not items:
        return ""
    # It scrolls by itself, so that a new sentence moves nothing below it.
    return f'<ol class="sentences" tabindex="0" aria-label="What happened, newest first">{items}</ol>'


def _about(model: str) -> str:
    return f"<strong>{name(model)}</strong> " if model else ""
