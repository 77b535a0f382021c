"""Small pieces of the page: escaped text, numbers for people, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from math import isfinite

NOTHING = "&ndash;"

_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def text(value: str) -> str:
    """*value* as text of the page. What has no visible form is shown by its escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return escape(shown)


def number(value: float | None) -> str:
    """*value* with three significant digits, from 1000 on whole; a dash for what is no number."""
    if value is None or not isfinite(value):
        return NOTHING
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.3g}"


def share(value: float | None) -> str:
    """A share of 1 as a percentage; a dash for what is no number."""
    return NOTHING if value is None or not isfinite(value) else f"{100 * value:.3g}%"


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
    try:
        found = datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        found = None
    return NOTHING if found is None else f"{found:%Y-%m-%d %H:%M:%S} UTC"


def bar(value: float, full: float) -> str:
    """A bar as long as *value* is of *full*; drawn, because the page's policy forbids inline style."""
    width = round(60 * min(max(value / full, 0.0), 1.0))
    return (
        f'<svg width="60" height="8" role="img" aria-hidden="true"><rect width="{width}" height="8"/></svg>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished cells; empty when it has no row."""
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and finished values, side by side."""
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs) + "</dl>"


def fold(name: str, summary: str, body: str, *, is_open: bool = False) -> str:
    """What can be folded away; *name* is unique on the page, so that it stays as the reader left it."""
    if not body:
        return ""
    state = " open" if is_open else ""
    return f'<details id="{escape(name)}"{state}><summary>{summary}</summary>{body}</details>'


def _cell(cell: str) -> str:
    return cell if cell.startswith("<td") else f"<td>{cell}</td>"
