"""What the paths under /v1/models answer: rows of the Snapshot as they stand, and what frames them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from driftgauge.snapshot import (
    Distribution,
    Drift,
    DriftAgainst,
    Notice,
    RelationShift,
    SchemaViolation,
    SegmentDrift,
    Snapshot,
    Verdict,
    VersionDrift,
    VersionSnapshot,
    VersionState,
)
from driftgauge.web.ports import Component, HistoryRow, Progress

_Named = TypeVar(
    "_Named", Drift, Verdict, RelationShift, DriftAgainst, VersionDrift, SegmentDrift, SchemaViolation
)


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
class FeatureAnswer:
    """What ``GET /v1/models/{model}/features/{feature}`` answers, and the same of an output: its rows, and
    its records by bin, None where nothing is compared.
    """

    model: str
    model_version: str
    feature: str
    output: str
    evaluated_at: float
    distribution: Distribution | None
    drift: tuple[Drift, ...]
    verdicts: tuple[Verdict, ...]
    relation_shifts: tuple[RelationShift, ...]
    against: tuple[DriftAgainst, ...]
    version_drift: tuple[VersionDrift, ...]
    segment_drift: tuple[SegmentDrift, ...]
    schema: tuple[SchemaViolation, ...]


def feature_answer(
    snapshot: Snapshot, version: VersionSnapshot, feature: str, output: str
) -> FeatureAnswer | None:
    """All that is known of one name of *version*; None where nothing is. O(features)."""
    key = version.state.model, version.state.model_version
    found = snapshot.distributions.get(key)

    def of(rows: Iterable[_Named]) -> tuple[_Named, ...]:
        return tuple(row for row in rows if (row.feature, getattr(row, "output", "")) == (feature, output))

    answer = FeatureAnswer(
        *key,
        feature,
        output,
        snapshot.evaluated_at,
        None if found is None else found.find(feature, output),
        of(version.drift),
        of(version.verdicts),
        of(version.relation_shifts),
        of(version.against),
        of(version.version_drift),
        of(version.segment_drift),
        of(version.schema),
    )
    known = answer.distribution, *answer.drift, *answer.verdicts, *answer.relation_shifts
    return answer if any(each is not None for each in known) else None


@dataclass(frozen=True, slots=True)
class History:
    """What ``GET /v1/models/{model}/history`` answers: rows in order of their start."""

    model: str
    rows: tuple[HistoryRow, ...]


def encode(value: Model | FeatureAnswer) -> bytes:
    """*value* as JSON; the field ``class_`` of its rows is called ``class`` there."""
    # A name and a colon: in JSON only a key looks so, because a quote inside of a text is escaped.
    return msgspec.json.encode(value).replace(b'"class_":', b'"class":')
