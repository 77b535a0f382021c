"""A table as the requests that a model server would have sent, each at its moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np

from driftgauge.config import DAY, HOUR
from driftgauge.demo.tables import Table
from driftgauge.records import Floats

VERSION: Final = "1"
WALL_SECONDS_A_REQUEST: Final = 0.25
_Values: TypeAlias = Sequence[float] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Post:
    """One request: when it is due (epoch seconds, on the records' clock), where to, what, how many."""

    due: float
    path: str
    body: bytes
    records: int


def step_seconds(time_scale: float) -> float:
    """How much of the records' time goes into one request: an hour to a week.

    About four requests a second, so that neither requests nor jumps of the clock become large.
    """
    return min(7 * DAY, max(HOUR, WALL_SECONDS_A_REQUEST * time_scale))


def end_of(table: Table) -> float:
    """When the last outcome comes, epoch seconds."""
    return float(table.times[-1]) + table.delay_seconds


def posts(model: str, table: Table, step: float) -> Iterator[Post]:
    """Predictions and, later, their outcomes by id, in the order in which they are due.

    A request holds what happened in *step* seconds and is due at their end; none is empty.
    """
    came = table.times + table.delay_seconds
    start = float(table.times[0])
    for number in range(1, int((end_of(table) - start) // step) + 2):
        due = start + number * step
        if chosen := _within(table.times, due - step, due):
            body = _body(model, _predictions(table, chosen))
            yield Post(due, "/v1/predictions", body, len(chosen))
        if chosen := _within(came, due - step, due):
            body = _body(model, _outcomes(table, came, chosen))
            yield Post(due, "/v1/outcomes", body, len(chosen))


def _within(times: Floats, first: float, end: float) -> range:
    """Places of *times* at or after *first* and before *end*."""
    return range(*np.searchsorted(times, [first, end]).tolist())


def _body(model: str, columns: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"model": model, "model_version": VERSION, "columns": columns})


def _predictions(table: Table, chosen: range) -> dict[str, object]:
    cut = slice(chosen.start, chosen.stop)
    features: dict[str, _Values] = {name: values[cut].tolist() for name, values in table.numeric.items()}
    features |= {name: values[cut] for name, values in table.categorical.items()}
    score = {} if table.score is None else {"score": table.score[cut].tolist()}
    return {
        "prediction_id": table.ids[cut],
        "timestamp": table.times[cut].tolist(),
        "prediction": _labels(table, table.prediction[cut]),
        **score,
        "features": features,
    }


def _outcomes(table: Table, came: Floats, chosen: range) -> dict[str, object]:
    cut = slice(chosen.start, chosen.stop)
    return {
        "prediction_id": table.ids[cut],
        "timestamp": came[cut].tolist(),
        "outcome": _labels(table, table.outcome[cut]),
    }


def _labels(table: Table, values: Floats) -> list[float] | list[int]:
    """Numbers for a regression, whole ones for classes."""
    if table.score is None:
        numbers: list[float] = values.tolist()
        return numbers
    return [int(value) for value in values]
