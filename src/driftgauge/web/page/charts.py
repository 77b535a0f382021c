"""Drawings: records by bin, outcomes by bin, intervals. Marks have attributes and classes, no styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from typing import Final

from driftgauge.web.page.markup import number, percent, text

WIDTH: Final = 640
LEFT: Final = 52
PLOT: Final = 150
TOP: Final = 10
SHORT: Final = 110
_WIDEST: Final = 0.84
# Width of a letter of a label.
_LETTER: Final = 7.4
# With more columns every second label goes where the page is narrow.
_FEW: Final = 6


@dataclass(frozen=True, slots=True)
class Column:
    """One bin of a drawing.

    Attributes:
        cell: which of the ten coarse bins it is; 10 missing, 11 unseen or not finite.
        label: what stands below it; empty where `edge` does.
        edge: the number at which it ends; None for categories and at the end.
        said: what it holds, in full, finished.
        reference, current: shares of all records.
    """

    cell: int
    label: str
    edge: float | None
    said: str
    reference: float
    current: float


def spark(reference: Sequence[int], current: Sequence[int]) -> str:
    """Two outlines in little: records by bin, now filled, in the reference as a line."""
    sums = sum(reference), sum(current)
    if not sums[0] or not sums[1]:
        return ""
    # Missing and unseen, the last two, only where there are any.
    used = [i for i in range(len(reference)) if i < len(reference) - 2 or reference[i] or current[i]]
    while len(used) > 1 and not reference[used[-1]] and not current[used[-1]]:
        used.pop()
    before, now = (
        [counts[i] / total for i in used] for counts, total in zip((reference, current), sums, strict=True)
    )
    top, step = max(*before, *now), 84 / len(used)
    areas = "".join(
        f"M{i * step:.1f} 20v-{19 * share / top:.1f}h{step - 1:.1f}V20z"
        for i, share in enumerate(now)
        if share
    )
    heights = [20 - 19 * share / top for share in before]
    line = f"M0 {heights[0]:.1f}" + "".join(
        f"H{place * step:.1f}V{high:.1f}" for place, high in enumerate(heights) if place
    )
    return (
        '<svg class="spark" viewBox="0 0 84 21" width="84" height="21" aria-hidden="true">'
        f'<path class="c" d="{areas}"/><path class="line" d="{line}H84"/></svg>'
    )


def histogram(columns: Sequence[Column], label: str) -> str:
    """Records by bin, the reference's beside the current ones; as high as their shares."""
    top = _ceiling(max((max(c.reference, c.current) for c in columns), default=0.0))
    step = (WIDTH - LEFT) / max(len(columns), 1)
    wide = step * _WIDEST / 2
    parts = [_grid(top, PLOT, percent_ticks(top))]
    for place, column in enumerate(columns):
        x = LEFT + place * step + step * (1 - _WIDEST) / 2
        bars = "".join(
            f'<rect class="{kind}" data-bin="{column.cell}" x="{at:.2f}" y="{TOP + PLOT - high:.2f}" '
            f'width="{wide:.2f}" height="{high:.2f}"/>'
            for kind, at, high in (
                ("r", x, PLOT * column.reference / top),
                ("c", x + wide, PLOT * column.current / top),
            )
        )
        shares = f"reference {percent(column.reference)}, now {percent(column.current)}"
        parts.append(f"<g><title>{column.said}: {shares}</title>{bars}</g>")
    parts.append(_labels(columns, step, TOP + PLOT))
    return _svg("".join(parts), TOP + PLOT + 34, label, f'data-top="{top}" data-plot="{PLOT}"')


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval; any may be None. `named` marks it as beyond chance."""

    value: float | None
    low: float | None = None
    high: float | None = None
    title: str = ""
    named: bool = False


def dots(
    columns: Sequence[Column], reference: Sequence[Mark], current: Sequence[Mark], label: str, *, shares: bool
) -> str:
    """A value by bin, below a histogram of the same columns: the reference's and the current one."""
    ends = [v for m in (*reference, *current) for v in (m.value, m.low, m.high) if v is not None]
    low, high = (min(ends, default=0.0), max(ends, default=1.0))
    low, high = _rounded(low, high)
    step = (WIDTH - LEFT) / max(len(columns), 1)

    def y(value: float) -> float:
        return TOP + SHORT * (high - value) / (high - low)

    ticks = [
        (v, percent(v).replace(".0%", "%") if shares else number(v)) for v in (low, (low + high) / 2, high)
    ]
    parts = [_grid_at([(y(v), words) for v, words in ticks])]
    for place in range(len(columns)):
        middle = LEFT + (place + 0.5) * step
        for kind, mark, at in (("r", reference[place], middle - 5), ("c", current[place], middle + 5)):
            if mark.value is None:
                continue
            whisker = ""
            if mark.low is not None and mark.high is not None:
                whisker = f'<path class="whisker {kind}" d="M{at:.1f} {y(mark.low):.1f}V{y(mark.high):.1f}"/>'
            ring = (
                f'<circle class="ring" cx="{at:.1f}" cy="{y(mark.value):.1f}" r="8"/>' if mark.named else ""
            )
            parts.append(
                f"<g><title>{mark.title}</title>{whisker}{ring}"
                f'<circle class="{kind}" cx="{at:.1f}" cy="{y(mark.value):.1f}" r="4"/></g>'
            )
    return _svg("".join(parts), TOP + SHORT + 8, label, "")


def intervals(marks: Sequence[tuple[str, Mark]], base: float | None) -> str:
    """Values with their intervals on one line of numbers, one below the other; *base* is a line across."""
    ends = [v for _, m in marks for v in (m.value, m.low, m.high) if v is not None]
    ends += [base] if base is not None else []
    if not ends or not all(isfinite(v) for v in ends):
        return ""
    low, high = min(ends), max(ends)
    room = (high - low) or abs(high) or 1.0
    tall = 8 * max(len(marks), 1) + 4

    def x(value: float) -> float:
        return 5 + 90 * (value - low) / room

    parts = []
    if base is not None:
        parts.append(f'<path class="base" d="M{x(base):.1f} 0V{tall}"/>')
    for place, (kind, mark) in enumerate(marks):
        y = 6 + 8 * place
        if mark.low is not None and mark.high is not None:
            parts.append(f'<path class="whisker {kind}" d="M{x(mark.low):.1f} {y}H{x(mark.high):.1f}"/>')
        if mark.value is not None:
            parts.append(f'<circle class="{kind}" cx="{x(mark.value):.1f}" cy="{y}" r="3"/>')
    return (
        f'<svg class="span" viewBox="0 0 100 {tall}" width="100" height="{tall}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _svg(body: str, height: int, label: str, more: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}"'
        f"{' ' + more if more else ''}>{body}</svg>"
    )


def _ceiling(value: float) -> float:
    """The least round number that isn't below *value*."""
    if not 0 < value < 1e300:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(round(m * unit, 12) for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * unit >= value * (1 - 1e-9))


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Ends of an axis that hold *low* to *high*."""
    if not (isfinite(low) and isfinite(high)):
        return 0.0, 1.0
    room = high - low or abs(high) or 1.0
    unit = 10.0 ** floor(log10(room)) / 2
    return round(floor(low / unit) * unit, 12), round(ceil(high / unit) * unit, 12)


def percent_ticks(top: float) -> list[tuple[float, str]]:
    """A scale's shares and their words."""
    return [(share, f"{100 * share:.3g}%") for share in (0.0, top / 2, top)]


def _grid(top: float, plot: int, ticks: Sequence[tuple[float, str]]) -> str:
    return _grid_at([(TOP + plot * (1 - value / top), words) for value, words in ticks])


def _grid_at(ticks: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH}"/>'
        f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
        for y, words in ticks
    )


def _labels(columns: Sequence[Column], step: float, floor_: int) -> str:
    """Categories below their columns, edges of numbers between them."""
    fits = max(2, int(step / _LETTER))
    parts = []
    for place, column in enumerate(columns):
        x = LEFT + (place + 0.5) * step
        if column.label:
            parts.append(_label(x, floor_ + 17, shortened(column.label, fits), _turn(place, len(columns))))
    edges = [(LEFT + (i + 1) * step, c.edge) for i, c in enumerate(columns) if c.edge is not None]
    words = _distinct([edge for _, edge in edges])
    longest = max((len(each) for each in words), default=1)
    # Where two neighbours would touch, every other one goes.
    every = max(1, ceil((longest + 1.5) * _LETTER / step))
    for place, ((x, _), said) in enumerate(zip(edges, words, strict=True)):
        parts.append(f'<path class="grid" d="M{x:.1f} {floor_}v4"/>')
        if place % every == 0:
            parts.append(_label(x, floor_ + 17, said, _turn(place // every, len(edges) // every)))
    return "".join(parts)


def _turn(place: int, labels: int) -> str:
    return " odd" if place % 2 and labels > _FEW else ""


def _label(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="tick{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{text(words)}</text>'


def _distinct(edges: Sequence[float]) -> list[str]:
    """Edges in as few digits as tell neighbours apart, six at most."""
    for digits in (2, 3, 4, 5, 6):
        words = [_short(edge, digits) for edge in edges]
        if all(
            one != other or a == b
            for (one, other), (a, b) in zip(pairwise(words), pairwise(edges), strict=True)
        ):
            break
    else:
        words = [_short(edge, 3) for edge in edges]
    return words


def _short(edge: float, digits: int) -> str:
    if 1e3 <= abs(edge) < 1e6 and digits <= 4:
        return f"{edge / 1e3:.{digits}g}k" if abs(edge) >= 1e4 else f"{float(f'{edge:.{digits}g}'):.0f}"
    if abs(edge) < 1e-9:
        return "0"
    return f"{edge:.{digits}g}"


def shortened(words: str, letters: int) -> str:
    """*words*, cut where they are longer than so many letters."""
    return words if len(words) <= letters else words[: max(1, letters - 1)] + "…"
