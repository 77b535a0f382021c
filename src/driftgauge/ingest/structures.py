"""Decoded structures -> loose columns: the pivot."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple

from driftgauge.ingest.columns import Loose, Place, Spoilt
from driftgauge.ingest.finish import floats
from driftgauge.ingest.forms import NULL, Form, Part
from driftgauge.records import Floats, Label, Reason


def loose(form: Form, place: Place, records: Sequence[Struct], spoilt: Mapping[int, Spoilt]) -> Loose:
    """The columns of *records*, at least one, which have the structure of *form*."""
    fields = {name: field_column(form, name, records) for name in form.attributes}
    features = fields.pop("features", ())
    given = None if None not in features else np.array([each is not None for each in features])
    valued = _rows(features, form.features)
    parted = _rows(fields.pop("segments"), form.segments)
    ignored = _skipped(parted, form.segments)
    ignored += [(Reason.OUT_OF_DOMAIN, _counted(_of(records, each))) for each in form.ignored]
    return Loose(
        place=place,
        fields=fields,
        numeric_names=form.features.names.numeric,
        numeric=_matrix(valued, form.features, len(place)),
        categorical=_columns(valued, form.features),
        segments=_columns(parted, form.segments),
        scores=fields.pop("scores", ()),
        given=given,
        dropped=_skipped(valued, form.features),
        ignored=ignored,
        spoilt=spoilt,
    )


def field_column(form: Form, field: str, records: Sequence[Any]) -> Sequence[Any]:
    """The values of *field*, which may stand under several keys."""
    attributes = form.attributes[field]
    if attributes == (field,):
        return READ[field](records)
    return merged([_of(records, each) for each in attributes])


# Python reads an attribute that is written out three times as fast as one that is named at run time.
READ: Final[Mapping[str, Callable[[Sequence[Any]], list[Any]]]] = {
    "prediction_id": lambda records: [each.prediction_id for each in records],
    "timestamp": lambda records: [each.timestamp for each in records],
    "model": lambda records: [each.model for each in records],
    "model_version": lambda records: [each.model_version for each in records],
    "features": lambda records: [each.features for each in records],
    "score": lambda records: [each.score for each in records],
    "scores": lambda records: [each.scores for each in records],
    "prediction": lambda records: [each.prediction for each in records],
    "latency_seconds": lambda records: [each.latency_seconds for each in records],
    "segments": lambda records: [each.segments for each in records],
    "error": lambda records: [each.error for each in records],
    "trace_id": lambda records: [each.trace_id for each in records],
    "outcome": lambda records: [each.outcome for each in records],
    "value": lambda records: [each.value for each in records],
    "prediction_timestamp": lambda records: [each.prediction_timestamp for each in records],
}


def merged(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The first of *columns* with the others' values where it has none."""
    first = columns[0]
    for other in columns[1:]:
        first = [b if a is None or a != a else a for a, b in zip(first, other, strict=True)]  # noqa: PLR0124  # NaN
    return first


def _rows(column: Sequence[Any], part: Part) -> Sequence[tuple[Any, ...]]:
    """The values of each record's structure, in the part's order."""
    if None in column:
        empty = part.empty
        column = [empty if each is None else each for each in column]
    return list(map(astuple, column))


def _matrix(rows: Sequence[tuple[Any, ...]], part: Part, n: int) -> Floats:
    """Shape (n, numeric features).

    Packing each row's bytes is twice as fast as numpy's reading of the numbers one after another.
    """
    shape = n, len(part.numeric)
    if not part.numeric or not rows:
        return np.empty(shape)
    pack, pick = part.pack_numeric, part.pick_numeric
    try:
        packed = b"".join([pack(*pick(row)) for row in rows])
    except struct.error:
        return floats(list(chain.from_iterable(map(pick, rows)))).reshape(shape)
    return np.frombuffer(packed).reshape(shape)


def _columns(rows: Sequence[tuple[Any, ...]], part: Part) -> dict[str, Sequence[Label]]:
    if not rows:
        return {}
    columns = (_column(rows, part, each) for each in part.categorical)
    return dict(zip(part.names.categorical, columns, strict=True))


def _column(rows: Sequence[tuple[Any, ...]], part: Part, attribute: str) -> list[Any]:
    return list(map(itemgetter(part.position[attribute]), rows))


def _skipped(rows: Sequence[tuple[Any, ...]], part: Part) -> list[tuple[Reason, Sequence[Any]]]:
    """Columns of the names that are not taken, None where there was no value."""
    if not rows:
        return []
    unsettled: list[tuple[Reason, Sequence[Any]]] = [
        (Reason.WRONG_TYPE, _column(rows, part, each)) for each in part.unsettled
    ]
    dropped = [(reason, _counted(_column(rows, part, each))) for each, reason in part.dropped]
    return [*unsettled, *dropped]


def _of(structures: Sequence[Any], attribute: str) -> list[Any]:
    return [getattr(each, attribute) for each in structures]


def _counted(raw: Sequence[Any]) -> list[Any]:
    return [None if each == NULL else each for each in raw]
