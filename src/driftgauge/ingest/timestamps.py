"""Times as senders write them -> epoch seconds, a whole column at once where it is uniform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from datetime import date as day_of
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftgauge.ingest.wording import Fault
from driftgauge.records import Floats, Reason

Moment: TypeAlias = float | str | None

GREATEST_SECONDS: Final = 1e11
UNIFORM_AT_LEAST: Final = 24
"""Shorter columns are read faster one by one."""

_FORM: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED: Final = "expected RFC 3339 text or epoch seconds"
_ZERO: Final = ord("0")
_DIGITS: Final = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_DATE_WEIGHTS: Final = 10.0 ** np.arange(7, -1, -1)
_LAST: Final = np.array([[23], [59], [59]], np.uint8)
# Microseconds that a digit after the date counts.
_MICROS: Final = np.concatenate([[3.6e10, 3.6e9, 6e8, 6e7, 1e7, 1e6], 10.0 ** np.arange(5, -1, -1)])


def epoch_seconds(column: Sequence[Moment] | Floats, field: str) -> tuple[Floats, Mapping[int, Fault]]:
    """Epoch seconds of each moment of *column*, NaN where there is none, and the faults by row.

    A number is epoch seconds in 0 to 1e11; a text is RFC 3339, with a space for the ``T`` and
    without the offset (then UTC) if need be. Fractions beyond microseconds are cut.

    Cost: 0.1 us a moment in uniform columns of text, else 0.5.
    """
    if isinstance(column, np.ndarray):
        return _ranged(column.astype(np.float64), field)
    kinds: set[type] = set(map(type, column))
    if kinds == {str}:
        return _texts(column, field)  # type: ignore[arg-type]  # the set of types has just said so
    if kinds == {float}:
        return _ranged(np.array(column, np.float64), field)
    if kinds == {type(None)}:
        return np.full(len(column), np.nan), {}
    return _one_by_one(column, field)


def _ranged(seconds: Floats, field: str) -> tuple[Floats, Mapping[int, Fault]]:
    if len(seconds) and seconds.min() >= 0.0 and seconds.max() <= GREATEST_SECONDS:
        return seconds, {}
    bad = (seconds < 0.0) | (seconds > GREATEST_SECONDS)
    return seconds, {int(row): _out_of_range(float(seconds[row]), field) for row in np.flatnonzero(bad)}


def _out_of_range(seconds: float, field: str) -> Fault:
    if GREATEST_SECONDS < seconds <= GREATEST_SECONDS * 1e9:
        found = "a number that looks like milliseconds or finer"
    else:
        found = "a moment outside 1970 to 5138"
    return Fault(Reason.BAD_TIMESTAMP, f"{field}: {_EXPECTED}, got {found}")


def _texts(column: Sequence[str], field: str) -> tuple[Floats, Mapping[int, Fault]]:
    if len(column) >= UNIFORM_AT_LEAST:
        seconds = _uniform(column)
        if seconds is not None:
            return _ranged(seconds, field)
    return _one_by_one(column, field)


def _one_by_one(column: Sequence[Moment], field: str) -> tuple[Floats, Mapping[int, Fault]]:
    seconds = np.empty(len(column))
    faults = {}
    for row, moment in enumerate(column):
        if isinstance(moment, str):
            value = _text_seconds(moment)
            if value is None:
                faults[row] = Fault(Reason.BAD_TIMESTAMP, f"{field}: {_EXPECTED}, got other text")
        else:
            value = moment
        seconds[row] = np.nan if value is None else value
    ranged, more = _ranged(seconds, field)
    return ranged, {**more, **faults}


def _text_seconds(text: str) -> float | None:
    if _FORM.fullmatch(text) is None:
        return None
    if text[-1] == "z" or text[10] == "t":
        text = text.upper()
    try:
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, OverflowError):
        return None


def _uniform(column: Sequence[str]) -> Floats | None:
    """Seconds of texts of one length and one offset; None where they are not, or one is wrong."""
    zone = _zone(column[0])
    length = len(column[0])
    text = "".join(column)
    if zone is None or not text.isascii() or len(text) != length * len(column):
        return None
    # A row for each place in the texts, for whole rows are read at once.
    cells = np.ascontiguousarray(np.frombuffer(text.encode(), np.uint8).reshape(len(column), length).T)
    digits, marks = _places(length, length - len(zone))
    # Only the first text's own marks and zone are taken; whatever differs is read one by one.
    values = cells[digits] - _ZERO
    if (cells[marks] != cells[marks, :1]).any() or (values > 9).any():
        return None
    clock = values[8:14:2] * np.uint8(10) + values[9:14:2]
    days = None if (clock > _LAST).any() else _days(values[:8])
    if days is None:
        return None
    micros = _MICROS[: len(digits) - 8] @ values[8:20].astype(np.float64)
    return np.asarray((micros + (days * 86400.0 - _zone_seconds(zone)) * 1e6) / 1e6, np.float64)


@lru_cache(maxsize=64)
def _places(length: int, zone: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where a moment of *length* has digits, and where the marks and the *zone*."""
    digits = np.concatenate([_DIGITS, np.arange(20, zone)])
    return digits, np.setdiff1d(np.arange(length), digits)


def _zone(text: str) -> str | None:
    """How *text* ends after its seconds: "", "Z", "+02:00"; None where it isn't a moment."""
    if _text_seconds(text) is None:
        return None
    return text[19:].lstrip(".0123456789")


def _zone_seconds(zone: str) -> int:
    if len(zone) < 5:
        return 0
    return (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def _days(digits: NDArray[np.uint8]) -> Floats | float | None:
    """Days since 1970-01-01 of dates, a row for each of their 8 digits; None where one is no date from
    1971 to 2199.
    """
    if not (digits != digits[:, :1]).any():
        return _days_of([int(_DATE_WEIGHTS @ digits[:, 0])])[0]
    dates = _DATE_WEIGHTS @ digits.astype(np.float64)
    distinct, inverse = np.unique(dates, return_inverse=True)
    days = _days_of([int(each) for each in distinct])
    return None if None in days else np.array(days, np.float64)[inverse]


def _days_of(dates: Sequence[int]) -> list[float | None]:
    # From 2200 on microseconds don't fit a float64 exactly, and both ways of reading would differ.
    return [_day(each) if 19710000 <= each < 22000000 else None for each in dates]


def _day(yyyymmdd: int) -> float | None:
    year, rest = divmod(yyyymmdd, 10000)
    try:
        return float(day_of(year, *divmod(rest, 100)).toordinal() - _EPOCH.toordinal())
    except ValueError:
        return None
