"""The form of a body, and how it is cut, decide nothing about what is in it."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.config import Limits
from driftgauge.ingest import Decoder, pieces
from driftgauge.records import Kind, Media, Request, Schema

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
labels = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.one_of(labels, st.just([1]), st.just({"a": 1}))
moments = st.one_of(
    st.none(),
    st.floats(-1e10, 2e11),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(["", "soon", "2026-03-01 12:00:00", "2026-03-01T12:00:00.5+02:00"]),
)


def mostly(usual, other=anything):
    """Values that are as they should be, nine times in ten."""
    return st.integers(0, 9).flatmap(lambda draw: other if draw == 0 else usual)


RECORD = {
    "prediction_id": mostly(st.one_of(st.none(), texts, st.integers())),
    "timestamp": mostly(moments),
    "model": mostly(st.sampled_from([None, "", "m", "other"])),
    "model_version": mostly(st.sampled_from([None, "1", 1, "2"])),
    "score": mostly(st.one_of(st.none(), numbers)),
    "prediction": mostly(labels),
    "latency_seconds": mostly(st.one_of(st.none(), st.floats(0, 1e300))),
    "error": mostly(st.sampled_from([None, "", "x", True, False, {}])),
    "trace_id": mostly(st.one_of(st.none(), texts)),
    "outcome": mostly(labels),
    "unknown": st.one_of(st.none(), anything),
}
NUMBERS = st.one_of(st.none(), numbers)
SHARES = st.one_of(st.none(), st.floats(0, 1))
NESTED = {
    "features": {"n": mostly(NUMBERS), "c": mostly(texts), "x": anything, 'a"b': mostly(NUMBERS)},
    "segments": {"s": mostly(texts), "t": anything},
    "scores": {"yes": mostly(SHARES), "no": mostly(SHARES)},
}


def in_order(held):
    """Objects of one order of keys; columns have one too."""
    return st.fixed_dictionaries(held).map(lambda found: {name: found[name] for name in held})


records = st.lists(
    in_order(RECORD | {name: in_order(held) for name, held in NESTED.items()}), min_size=1, max_size=6
)
schemas = st.sampled_from(
    [
        Schema(),
        Schema(("n", 'a"b'), ("c", "x"), segments=("s", "t")),
        Schema(("n", "x"), discover=False),
        Schema(("absent",), ("c",), ignored=frozenset({"x", "n"})),
    ]
)


def column(values, *, packed=False):
    fit = all(v is None or type(v) is float for v in values)
    if not packed or not fit:
        return values
    numbers = np.array([math.nan if v is None else v for v in values], "<f8")
    return {"float64": base64.b64encode(numbers.tobytes()).decode()}


def as_columns(given_records, *, packed=False):
    first = given_records[0]
    columns = {}
    for name in first:
        if name in NESTED:
            columns[name] = {
                below: column([each[name][below] for each in given_records], packed=packed)
                for below in first[name]
            }
        else:
            columns[name] = column([each[name] for each in given_records], packed=packed)
    return [(Media.JSON, json.dumps({"columns": columns}))]


FORMS = {
    "NDJSON": lambda r: [(Media.NDJSON, "\n".join(map(json.dumps, r)))],
    "array": lambda r: [(Media.JSON, json.dumps(r, indent=1))],
    "singles": lambda r: [(Media.JSON, json.dumps(each)) for each in r],
    "pretty singles": lambda r: [(Media.JSON, json.dumps(each, indent=1)) for each in r],
    "columns": as_columns,
    "packed columns": lambda r: as_columns(r, packed=True),
}


def known(value):
    """A value that equals itself, and its own type only."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [known(each) for each in value]
    return repr(value)


def told(decoded, requests):
    """All that a result says, with records numbered through."""
    number = (lambda request, index: index) if requests == 1 else (lambda request, index: request)
    refused = sorted((number(r.request, r.index), r.reason, r.detail) for r in decoded.rejections)
    found = {}
    for each in decoded.predictions:
        invalid = Counter()
        for (_, reason), count in each.invalid.items():
            invalid[reason] += count
        found[each.model, each.model_version] = {
            "number": known([number(*place) for place in zip(each.request, each.index, strict=True)]),
            "ids": known(each.ids),
            "numbers": known([each.timestamps, each.score, each.latency_seconds]),
            "numeric": (each.numeric_names, known(each.numeric)),
            "categorical": known([*each.categorical.items()]),
            "scores": known([(name, column.tolist()) for name, column in each.scores.items()]),
            "labels": known([each.prediction, each.outcome]),
            "failed": known(each.failed),
            "segments": known([*each.segments.items()]),
            "traces": known(each.trace_ids),
            "invalid": invalid,
        }
    assert not decoded.failures
    return found, refused, dict(decoded.ignored), int(decoded.records.sum())


def decoder(schema):
    return Decoder(Limits(), {}, lambda _: schema, lambda: "m")


def decoded(at, bodies):
    requests = [Request(Kind.PREDICTIONS, media, body.encode()) for media, body in bodies]
    return told(at.predictions(requests), len(requests))


@given(records, schemas)
def test_every_form_tells_the_same(given_records, schema):
    expected = decoded(decoder(schema), FORMS["array"](given_records))
    assert expected[3] == len(given_records)
    for form, bodies in FORMS.items():
        at = decoder(schema)
        for _ in range(2):  # the second time by a decoder that has seen it all
            assert decoded(at, bodies(given_records)) == expected, form


@given(records, schemas, st.integers(1, 2000))
def test_how_a_body_is_cut_does_not_matter(given_records, schema, most_bytes):
    expected = {form: decoded(decoder(schema), FORMS[form](given_records)) for form in ("NDJSON", "array")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "MOST_BYTES", most_bytes)
        patch.setattr("driftgauge.ingest.decoder.MOST_BYTES", most_bytes)
        for form, whole in expected.items():
            assert decoded(decoder(schema), FORMS[form](given_records)) == whole, form


@given(
    st.lists(st.one_of(st.binary(max_size=40), records.map(lambda r: json.dumps(r[0]).encode())), max_size=4)
)
def test_any_bytes_are_taken_or_refused(bodies):
    at = decoder(Schema())
    for kind in Kind:
        read = at.predictions if kind is Kind.PREDICTIONS else at.outcomes
        for media in Media:
            result = read([Request(kind, media, body) for body in bodies])
            taken = sum(map(len, (*result.predictions, *result.outcomes)))
            assert taken + len(result.rejections) == result.records.sum()
            assert len(result.records) == len(bodies)
