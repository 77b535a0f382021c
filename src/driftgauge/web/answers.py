"""What the paths under /v1/models answer: rows of the Snapshot as they stand, and what frames them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from driftgauge.snapshot import Notice, VersionSnapshot, VersionState
from driftgauge.web.ports import Component, HistoryRow, Progress


@dataclass(frozen=True, slots=True)
class Models:
    """What ``GET /v1/models`` answers: each model version as a whole, and what happened."""

    evaluated_at: float
    evaluation_seconds: float
    versions: tuple[VersionState, ...]
    notices: tuple[Notice, ...]
    components: tuple[Component, ...]
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Model:
    """What ``GET /v1/models/{model}`` answers: every number of its versions, those without a metric too."""

    model: str
    evaluated_at: float
    versions: tuple[VersionSnapshot, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What ``GET /v1/models/{model}/history`` answers: rows in order of their start."""

    model: str
    rows: tuple[HistoryRow, ...]


def encode_model(model: Model) -> bytes:
    """*model* as JSON; the field ``class_`` of its rows is called ``class`` there."""
    # A name and a colon: in JSON only a key looks so, because a quote inside of a text is escaped.
    return msgspec.json.encode(model).replace(b'"class_":', b'"class":')
