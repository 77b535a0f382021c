"""History as lines: a CSV table with a column for each statistic that any row has, or NDJSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from driftgauge.errors import DriftgaugeError


class _Statistic(msgspec.Struct):
    name: str
    value: float


class _Row(msgspec.Struct):
    model_version: str
    start: float
    seconds: float
    predictions: float
    outcomes: float
    quality: list[_Statistic] = []


class _History(msgspec.Struct):
    model: str
    rows: list[_Row]


_FIXED = ("model_version", "start", "seconds", "predictions", "outcomes")


def history_lines(body: bytes, form: str) -> Iterator[str]:
    """The lines of what ``GET /v1/models/{model}/history`` answered.

    Raises:
        DriftgaugeError: it is no such answer.
    """
    try:
        rows = msgspec.json.decode(body, type=_History).rows
    except msgspec.MsgspecError as error:
        raise DriftgaugeError(f"expected a history, got: {error}") from error
    names = list(dict.fromkeys(s.name for row in rows for s in row.quality))
    if form == "csv":
        yield _csv((*_FIXED, *names))
    for row in rows:
        quality = {s.name: s.value for s in row.quality}
        start = datetime.fromtimestamp(row.start, UTC).isoformat().replace("+00:00", "Z")
        fixed = (row.model_version, start, row.seconds, row.predictions, row.outcomes)
        if form == "csv":
            yield _csv((*fixed, *(quality.get(name, "") for name in names)))
        else:
            yield json.dumps({**dict(zip(_FIXED, fixed, strict=True)), **quality})


def _csv(cells: tuple[object, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
