"""A profile as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from driftgauge.profile.profiler import Profile
from driftgauge.reference import moments
from driftgauge.sketches.inputs import MISSING, Inputs
from driftgauge.sketches.learning import bin_bounds, bin_codes

_HEAD = ("name", "kind", "missing", "values", "min", "mean", "max")
_LONGEST_NAME = 40
# Of a feature that spans fewer steps of the bins that no data decide, those are all that is seen.
_LEAST_STEPS = 32


def summary_lines(profile: Profile) -> Iterator[str]:
    """The table of features and outputs, and what stands beside it, a line each.

    *values* is the number of bins that are used (numeric, at most 64) or categories.
    """
    yield from _table([_HEAD, *_numeric(profile), *_categorical(profile)])
    yield ""
    yield _records(profile)
    if profile.task is not None:
        guessed = " (guessed; --task says it)" if profile.task_guessed else ""
        yield f"task: {profile.task}{guessed}"
    relation = profile.reference.relation
    if relation is not None:
        days = len(relation.periods)
        yield f"relation: {relation.outcomes} outcomes by bin, in {days} period{'' if days == 1 else 's'}"
    yield from _crowded(profile)
    for other in profile.others:
        more = "more than " if other.more else ""
        yield f"{other.role} {other.name!r}: {more}{other.values} values; not in the reference"


def _crowded(profile: Profile) -> Iterator[str]:
    """A line for each feature whose values lie too close together, beside their size, to be told apart."""
    reference = profile.reference
    cells = Inputs(reference.bins).layout.count(reference.row, "bins")
    for place, key in enumerate(reference.bins.numeric):
        found = profile.ranges.get(key)
        if found is None or not found.high > found.low:
            continue
        used = int(np.count_nonzero(cells[place, :MISSING]))
        first, last = bin_bounds(bin_codes(np.array([max(abs(found.low), abs(found.high))])), 0)
        step = float(last[0] - first[0])
        # Whole numbers that have a bin each are told apart.
        whole = step < 1 and float(found.low).is_integer() and float(found.high).is_integer()
        if found.high - found.low < _LEAST_STEPS * step and not whole:
            yield (
                f"{_name(key)}: {_number(found.low)} to {_number(found.high)} in {used} "
                f"bin{'' if used == 1 else 's'}: values are told apart from a fifth of a percent of their "
                "size on, so send it less a constant"
            )


def _records(profile: Profile) -> str:
    reference = profile.reference
    text = f"{profile.rows} records"
    if not np.isnan(reference.first):
        days = len(reference.days)
        text += (
            f" of {days} day{'' if days == 1 else 's'} ({_day(reference.first)} to {_day(reference.last)})"
        )
    rate = profile.rows / max(profile.seconds, 1e-9)
    return f"{text}, reference {reference.id}, {profile.seconds:.1f} s, {rate:,.0f} rows/s"


def _day(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))


def _name(key: str) -> str:
    name = key[2:] if key.startswith("f:") else f"({key[2:]})"
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _numeric(profile: Profile) -> Iterator[Sequence[str]]:
    reference = profile.reference
    inputs = Inputs(reference.bins)
    _, means, _ = moments(inputs, reference.row)
    cells = inputs.layout.count(reference.row, "bins")
    for place, key in enumerate(reference.bins.numeric):
        found = profile.ranges.get(key)
        numbers = ("-", "-", "-")
        if found is not None:
            numbers = (_number(found.low), _number(float(means[place])), _number(found.high))
        used = int(np.count_nonzero(cells[place, :MISSING]))
        missing = float(cells[place, MISSING]) / profile.rows
        yield (_name(key), "numeric", f"{missing:.1%}", str(used), *numbers)


def _categorical(profile: Profile) -> Iterator[Sequence[str]]:
    reference = profile.reference
    bins, inputs = reference.bins, Inputs(reference.bins)
    cells = inputs.layout.count(reference.row, "categories")
    for place, key in enumerate(bins.categorical):
        missing = f"{float(cells[place, inputs.missing]) / profile.rows:.1%}"
        if key in bins.identifiers:
            yield (_name(key), "identifier", missing, "-", "-", "-", "-")
        else:
            folded = f" + {len(bins.folded[place])} as other" if bins.folded[place] else ""
            yield (
                _name(key),
                "categorical",
                missing,
                f"{len(bins.categories[place])}{folded}",
                "-",
                "-",
                "-",
            )


def _number(value: float) -> str:
    return f"{value:.6g}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    for row in rows:
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
