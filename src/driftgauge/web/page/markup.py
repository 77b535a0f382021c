"""Small pieces of the page: escaped text, numbers for people, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import isfinite

NOTHING = "&ndash;"

_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with classes of its own; *body* is finished."""

    body: str
    kind: str


def text(value: str) -> str:
    """*value* as text of the page. What has no visible form is shown by its escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return escape(shown)


def attribute(value: str) -> str:
    """*value* itself, for an attribute that a form sends back; half a character is replaced."""
    return escape(value.encode("utf-8", "replace").decode())


def name(value: str) -> str:
    """A name that came from outside: kept apart from the text around it, whichever way it is written."""
    return f"<bdi>{text(value)}</bdi>" if value else '<span class="soft">(empty)</span>'


def number(value: float | None) -> str:
    """*value* with three significant digits, from 1000 on whole; a dash for what is no number."""
    if value is None or not isfinite(value):
        return NOTHING
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.3g}"


def fixed(value: float | None, digits: int = 3) -> str:
    """*value* with as many decimals as its neighbours in a column."""
    if value is None or not isfinite(value):
        return NOTHING
    return f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A share of 1 as a percentage; a dash for what is no number."""
    return NOTHING if value is None or not isfinite(value) else f"{100 * value:.3g}%"


def percent(value: float | None) -> str:
    """A share of 1 as a percentage with one decimal."""
    return NOTHING if value is None or not isfinite(value) else f"{100 * value:.1f}%"


def duration(seconds: float | None) -> str:
    """*seconds* in the largest unit that they fill; a dash for what is no number."""
    if seconds is None or not isfinite(seconds):
        return NOTHING
    for length, unit in _SPANS:
        if abs(seconds) >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s"


def moment(seconds: float | None) -> str:
    """Epoch seconds as a date and a time in UTC; a dash for what is none."""
    found = _datetime(seconds)
    return NOTHING if found is None else f"{found:%Y-%m-%d %H:%M:%S} UTC"


def day(seconds: float | None) -> str:
    """Epoch seconds as a date in UTC; a dash for what is none."""
    found = _datetime(seconds)
    return (
        NOTHING if found is None else f'<time datetime="{found:%Y-%m-%dT%H:%M:%SZ}">{found:%Y-%m-%d}</time>'
    )


def _datetime(seconds: float | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def table(
    caption: str, head: Sequence[str | Cell], rows: Iterable[Sequence[str | Cell]], kind: str = ""
) -> str:
    """A table of finished cells, the first of each row its heading; empty when it has no row."""
    body = "".join(f"<tr>{_row(cells)}</tr>" for cells in rows)
    if not body:
        return ""
    top = "".join(_cell(cell, "th", ' scope="col"') for cell in head)
    return (
        f'<div class="scroll"><table{_class(kind)}><caption>{caption}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str | Cell]) -> str:
    first, *others = cells
    return _cell(first, "th", ' scope="row"') + "".join(_cell(cell, "td", "") for cell in others)


def _cell(cell: str | Cell, tag: str, more: str) -> str:
    if isinstance(cell, Cell):
        return f"<{tag}{more}{_class(cell.kind)}>{cell.body}</{tag}>"
    return f"<{tag}{more}>{cell}</{tag}>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and finished values, side by side."""
    return "<dl>" + "".join(f"<div><dt>{term}</dt><dd>{value}</dd></div>" for term, value in pairs) + "</dl>"


def fold(identity: str, summary: str, body: str, *, is_open: bool = False) -> str:
    """What can be folded away; *identity* is unique on the page, so that it stays as the reader left it."""
    if not body:
        return ""
    state = " open" if is_open else ""
    return f'<details id="{escape(identity)}"{state}><summary>{summary}</summary>{body}</details>'


def card(identity: str, title: str, body: str, kind: str = "") -> str:
    """A part of the page with its heading; empty when *body* is."""
    if not body:
        return ""
    return (
        f'<section id="{identity}"{_class(kind)} aria-labelledby="{identity}-title">'
        f'<h3 id="{identity}-title">{title}</h3>{body}</section>'
    )
