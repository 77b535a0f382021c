"""The fields of records: what each may hold, in whichever form it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from driftgauge.records import Kind


class Shape(Enum):
    """What a field may hold."""

    IDENTIFIER = auto()
    TIME = auto()
    MODEL = auto()
    VERSION = auto()
    FEATURES = auto()
    LABEL = auto()
    NUMBER = auto()
    DURATION = auto()
    SHARES = auto()
    ERROR = auto()
    SEGMENTS = auto()
    TRACE = auto()


NESTED: Final = (Shape.FEATURES, Shape.SEGMENTS, Shape.SHARES)
"""Fields that hold values by name."""

_PREDICTION: Final = {
    "prediction_id": Shape.IDENTIFIER,
    "timestamp": Shape.TIME,
    "model": Shape.MODEL,
    "model_version": Shape.VERSION,
    "features": Shape.FEATURES,
    "score": Shape.NUMBER,
    "scores": Shape.SHARES,
    "prediction": Shape.LABEL,
    "latency_seconds": Shape.DURATION,
    "segments": Shape.SEGMENTS,
    "error": Shape.ERROR,
    "trace_id": Shape.TRACE,
    "outcome": Shape.LABEL,
}
_OUTCOME: Final = {
    "prediction_id": Shape.IDENTIFIER,
    "timestamp": Shape.TIME,
    "model": Shape.MODEL,
    "model_version": Shape.VERSION,
    "outcome": Shape.LABEL,
    "value": Shape.NUMBER,
    "score": Shape.NUMBER,
    "prediction": Shape.LABEL,
    "prediction_timestamp": Shape.TIME,
    "segments": Shape.SEGMENTS,
}
SHAPES: Final[Mapping[Kind, Mapping[str, Shape]]] = {
    Kind.PREDICTIONS: _PREDICTION,
    Kind.OUTCOMES: _OUTCOME,
}


@dataclass(frozen=True, slots=True)
class Key:
    """One incoming top-level key and the field that it is.

    Attributes:
        incoming: as it stands in the record.
        field: our name of it.
        attribute: where the generated structures hold its value.
    """

    incoming: str
    field: str
    attribute: str
    shape: Shape


def keys_of(kind: Kind, renamed: Mapping[str, str]) -> tuple[Key, ...]:
    """All keys that records of *kind* may use; of two for one field the renamed one comes first.

    A key that ``fields:`` gives another meaning no longer has its own; a renaming to a field that
    records of this kind don't have leaves the key unknown.
    """
    shapes = SHAPES[kind]
    other = {incoming: name for incoming, name in renamed.items() if incoming != name}
    given = [Key(i, f, f"r{n}_{f}", shapes[f]) for n, (i, f) in enumerate(other.items()) if f in shapes]
    own = [Key(name, name, name, shape) for name, shape in shapes.items() if name not in other]
    return (*given, *own)
