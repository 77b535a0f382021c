"""The table, for a terminal and for the documentation."""

from __future__ import annotations

from benchmarks.figures import Figure, Results

HEAD = ("what", "goal", "this build", "ok?")


def number(value: float) -> str:
    """Three digits are all that a noisy machine has."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cells(figure: Figure) -> tuple[str, str, str, str]:
    """What stands in the columns."""
    row = figure.row
    sign = "at least" if row.higher else "at most"
    goal = "" if row.goal is None else f"{sign} {number(row.goal)}"
    spread = ""
    if len(figure.runs) > 1:
        spread = f" ({number(min(figure.runs))} to {number(max(figure.runs))})"
    return row.what, goal, f"{number(figure.value)} {row.unit}{spread}", verdict(figure)


def verdict(figure: Figure) -> str:
    """yes; no; or no, but what is asked for now."""
    if figure.row.goal is None:
        return ""
    if figure.reached:
        return "yes"
    if figure.row.least is None:
        return "no"
    return f"{'above' if figure.enough else 'below'} the {number(figure.row.least)} asked for now"


def line(figure: Figure) -> str:
    """One row for a terminal."""
    what, goal, value, ok = cells(figure)
    return f"{what:<72} {goal:<17} {value:<52} {ok:<4} {figure.note}".rstrip()


def closing(results: Results) -> str:
    """Names the rows that miss their goal, those first that miss what is asked for now."""
    missed = results.missed()
    short = [figure for figure in missed if figure.row.least is not None and not figure.enough]
    said = "Every row meets its goal."
    if missed:
        said = "Miss their goal: " + "; ".join(_told(f, f.row.goal) for f in missed) + "."
    if short:
        said = "Below what is asked for now: " + "; ".join(_told(f, f.row.least) for f in short) + ". " + said
    if results.failures:
        said += " Not measured: " + "; ".join(f"{f.section} ({f.why})" for f in results.failures) + "."
    return said


def _told(figure: Figure, bound: float | None) -> str:
    what = f"{figure.row.what} ({number(figure.value)} {figure.row.unit}"
    return what + (")" if bound is None else f", not {number(bound)})")


def markdown(results: Results, about: dict[str, str], warning: str = "") -> str:
    """The page docs/benchmark.md."""
    lines = [
        "# Benchmark",
        "",
        "Written by `make bench`; don't edit it by hand. What a record costs, in CPU time of the server's",
        "process: a real `driftgauge serve`, sent real HTTP on kept connections by another process, beside",
        "its evaluation (15 s) and a scrape each 15 s, commits durable (`normal`), segments on, the reference",
        "given, windows of 1h, 1d and 7d that are full. The record: 737 bytes of JSON, 20 numeric and 5",
        "categorical features, id, time, score, label, latency, one segment. Figures are medians, with the",
        'least and the greatest run in brackets. "Per core" is records per second of CPU time.',
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in about.items()),
        "",
        "| " + " | ".join(HEAD) + " | |",
        "| --- | --- | --- | --- | --- |",
        *("| " + " | ".join((*cells(figure), figure.note)) + " |" for figure in results.figures),
        "",
        closing(results),
        *(["", warning] if warning else []),
        "",
    ]
    return "\n".join(lines)
