"""Every form of a body gives the same columns."""

import base64
import json
import math

import numpy as np
import pytest

from driftgauge.records import Media, Schema

RECORDS = [
    {
        "prediction_id": "a",
        "timestamp": "2026-03-01T12:00:00Z",
        "model": "churn",
        "model_version": "3",
        "features": {"age": 31, "income": 2.5, "plan": "pro"},
        "score": 0.25,
        "scores": {"stay": 0.75, "leave": 0.25},
        "prediction": "stay",
        "latency_seconds": 0.125,
        "error": None,
        "segments": {"region": "north"},
        "trace_id": "t-1",
        "outcome": "stay",
    },
    {
        "prediction_id": 7,
        "timestamp": 1_772_366_401.5,
        "model": "churn",
        "model_version": 3,
        "features": {"age": None, "income": -1, "plan": None},
        "score": 1,
        "scores": {"stay": 0, "leave": 1},
        "prediction": True,
        "latency_seconds": 0,
        "error": "out of memory",
        "segments": {"region": 5.0},
        "trace_id": 9,
        "outcome": 1,
    },
]
FIELDS = [name for name in RECORDS[0] if name not in ("model", "model_version")]


def columnar(records):
    columns = {}
    for name in FIELDS:
        values = [record[name] for record in records]
        if name in ("features", "scores", "segments"):
            columns[name] = {key: [value[key] for value in values] for key in values[0]}
        else:
            columns[name] = values
    return {"model": "churn", "model_version": "3", "columns": columns}


def packed(numbers):
    return {"float64": base64.b64encode(np.array(numbers, "<f8").tobytes()).decode()}


def lines(records, end="\n"):
    return end.join(map(json.dumps, records)).encode()


BODIES = {
    "array": (Media.JSON, [RECORDS]),
    "NDJSON": (Media.NDJSON, [lines(RECORDS)]),
    "NDJSON with CRLF": (Media.NDJSON, [lines(RECORDS, "\r\n")]),
    "NDJSON with blank lines": (Media.NDJSON, [b"\n \r\n" + lines(RECORDS, "\n\n\t\n") + b"\n\n"]),
    "columnar": (Media.JSON, [columnar(RECORDS)]),
    "single records": (Media.JSON, RECORDS),
    "single records over several lines": (
        Media.JSON,
        [json.dumps(each, indent=2).encode() + b"\n" for each in RECORDS],
    ),
    "an array over several lines": (Media.JSON, [json.dumps(RECORDS, indent=2).encode()]),
}


@pytest.mark.parametrize("known", [False, True], ids=["model unknown", "model known"])
@pytest.mark.parametrize("form", BODIES)
def test_each_form_gives_the_same_columns(door, form, known):
    schema = Schema(("income", "age"), ("plan",), segments=("region",)) if known else None
    media, bodies = BODIES[form]
    at = door(schema=schema)
    for _ in range(2):  # the second time with all names known
        result = at.predictions(*bodies, media=media)
        assert not result.rejections
        assert not result.failures
        (found,) = result.predictions
        assert (found.model, found.model_version) == ("churn", "3")
        assert list(found.ids) == ["a", "7"]
        assert found.timestamps.tolist() == [1_772_366_400.0, 1_772_366_401.5]
        assert found.numeric_names == (("income", "age") if known else ("age", "income"))
        rows = dict(zip(found.numeric_names, found.numeric.tolist(), strict=True))
        assert rows["income"] == [2.5, -1.0]
        assert rows["age"][0] == 31.0
        assert math.isnan(rows["age"][1])
        assert found.numeric.flags.c_contiguous
        assert found.categorical == {"plan": ["pro", None]}
        assert found.score.tolist() == [0.25, 1.0]
        assert {name: column.tolist() for name, column in found.scores.items()} == {
            "stay": [0.75, 0.0],
            "leave": [0.25, 1.0],
        }
        assert list(found.prediction) == ["stay", True]
        assert list(found.outcome) == ["stay", 1]
        assert found.latency_seconds.tolist() == [0.125, 0.0]
        assert found.failed.tolist() == [False, True]
        assert found.segments == {"region": ["north", "5"]}
        assert list(found.trace_ids) == ["t-1", "9"]
        assert found.invalid == {}
        assert not result.ignored


@pytest.mark.parametrize("form", BODIES)
def test_records_are_placed_and_counted(door, form):
    media, bodies = BODIES[form]
    result = door().predictions(*bodies, media=media)
    (found,) = result.predictions
    singles = len(bodies) == 2
    assert result.records.tolist() == ([1, 1] if singles else [2])
    assert found.request.tolist() == ([0, 1] if singles else [0, 0])
    assert found.index.tolist() == ([0, 0] if singles else [0, 1])


def test_numbers_may_be_packed_as_base64(door):
    body = {
        "model": "m",
        "columns": {
            "prediction_id": ["a", "b", "c"],
            "timestamp": packed([1.0, 2.0, math.nan]),
            "score": packed([0.5, math.nan, 1.0]),
            "scores": {"x": packed([0.0, 1.0, math.nan])},
            "latency_seconds": packed([1.0, 2.0, 3.0]),
            "prediction": packed([1.5, 2.5, math.nan]),
            "features": {"age": packed([1.0, math.nan, math.inf])},
        },
    }
    at = door()
    for _ in range(2):
        (found,) = at.predictions(body).predictions
        np.testing.assert_array_equal(found.timestamps, [1.0, 2.0, math.nan])
        np.testing.assert_array_equal(found.score, [0.5, math.nan, 1.0])
        np.testing.assert_array_equal(found.scores["x"], [0.0, 1.0, math.nan])
        np.testing.assert_array_equal(found.numeric, [[1.0, math.nan, math.inf]])
        assert list(found.prediction) == [1.5, 2.5, None]


def test_absent_columns_and_fields_are_missing(door):
    at = door()
    for result in (at.predictions({"score": 1}), at.predictions({"columns": {"score": [1]}})):
        (found,) = result.predictions
        assert (found.model, found.model_version) == ("default", "")
        assert list(found.ids) == [None]
        assert np.isnan([found.timestamps[0], found.latency_seconds[0]]).all()
        assert found.numeric.shape == (0, 1)
        assert found.categorical == found.segments == found.scores == {}
        assert (list(found.prediction), list(found.outcome)) == ([None], [None])
        assert list(found.trace_ids) == [None]


SEVERAL_COLUMNS = {
    "in order": (b'{"model": "a", "columns": {"score": [2]}}', [("a", 2.0)]),
    "a key after": (b'{"columns": {"score": [2]}, "model": "a"}', [("a", 2.0)]),
    "an object after": (b'{"columns": {"score": [2]}, "model": "a", "x": {}}', [("a", 2.0)]),
    "the last of two": (
        b'{"columns": {"score": [1]}, "model": "a", "columns": {"score": [2]}}',
        [("a", 2.0)],
    ),
    "in a text": (b'{"model": "\\"columns\\":", "columns": {"score": [2]}}', [('"columns":', 2.0)]),
    "in a key": (b'{"model": "a", "x\\"columns": {"score": [1]}, "columns": {"score": [2]}}', [("a", 2.0)]),
    "of a record": (b'{"model": "a", "score": 2, "features": {"columns": 5}}', [("a", 2.0)]),
    "below an unknown key": (b'{"x":{"columns":{"score":[1]}}}', [("default", None)]),
    "broken": (b'{"model": "a", "columns": {"score": [2]}}}', []),
}


@pytest.mark.parametrize("case", SEVERAL_COLUMNS)
def test_columns_are_those_of_the_body_wherever_they_stand(door, case):
    body, wanted = SEVERAL_COLUMNS[case]
    at = door()
    at.predictions({"model": "a", "score": 1}, {"score": 1})  # a model that is known is read otherwise
    for _ in range(2):
        found = at.predictions(body).predictions
        scores = [(each.model, score) for each in found for score in each.score.tolist()]
        assert scores == [each for each in wanted if each[1] is not None]


def test_a_record_without_a_model_belongs_to_the_only_one(door):
    result = door(only="churn").predictions(
        {"score": 1}, {"model": "", "score": 2}, {"model": None, "score": 3}
    )
    assert [(found.model, len(found)) for found in result.predictions] == [("churn", 3)]


def test_models_and_versions_are_kept_apart_in_order_of_arrival(door):
    given = [("a", "1"), ("b", "1"), ("a", 2), ("a", None), ("b", 1), ("a", "1")]
    records = [{"model": m, "model_version": v, "score": n} for n, (m, v) in enumerate(given)]
    expected = {("a", "1"): [0, 5], ("a", "2"): [2], ("a", ""): [3], ("b", "1"): [1, 4]}
    at = door()
    for result in (at.lines(*records), at.predictions(records), at.lines(*records)):
        found = {(each.model, each.model_version): each.score.tolist() for each in result.predictions}
        assert found == expected
        assert all(each.index.tolist() == each.score.tolist() for each in result.predictions)


def test_columns_may_name_model_and_version_of_each_record(door):
    body = {
        "model": "a",
        "model_version": "1",
        "columns": {"model": ["b", None, "a"], "model_version": [None, "2", 2], "score": [0, 1, 2]},
    }
    at = door()
    for _ in range(2):
        result = at.predictions(body)
        found = {(each.model, each.model_version): each.score.tolist() for each in result.predictions}
        assert found == {("b", "1"): [0.0], ("a", "2"): [1.0, 2.0]}
        assert result.records.tolist() == [3]


def test_a_group_mixes_forms_and_keeps_the_order_of_arrival(door):
    record = {"features": {"age": 1}}
    result = door().predictions([record] * 3, record, {"columns": {"features": {"age": [1, 1]}}}, record, [])
    (found,) = result.predictions
    assert result.records.tolist() == [3, 1, 2, 1, 0]
    assert found.request.tolist() == [0, 0, 0, 1, 2, 2, 3]
    assert found.index.tolist() == [0, 1, 2, 0, 0, 1, 0]
    assert found.numeric.tolist() == [[1.0] * 7]


def test_a_large_body_is_decoded_in_pieces_with_the_same_result(door):
    records = [{"prediction_id": n, "features": {"x": n, "c": "y" * 60}} for n in range(20_000)]
    result = door().lines(*records)
    (found,) = result.predictions
    assert found.index.tolist() == list(range(20_000))
    assert found.numeric[0].tolist() == list(map(float, range(20_000)))
    assert found.ids[19_999] == "19999"


def test_fields_are_renamed_before_anything_else(door):
    fields = {"prediction_score": "score", "actual": "outcome", "id": "prediction_id", "outcome": "nothing"}
    at = door(fields=fields)
    record = {"id": "a", "prediction_score": 0.5, "actual": 1, "features": {"x": 1}}
    columns = {"id": ["a"], "prediction_score": [0.5], "actual": [1], "features": {"x": [1]}}
    for result in (at.predictions(record), at.predictions(record), at.predictions({"columns": columns})):
        (found,) = result.predictions
        assert (found.ids[0], found.score[0], found.outcome[0]) == ("a", 0.5, 1)
        assert not result.ignored


def test_the_own_name_of_a_renamed_field_still_serves_and_gives_way(door):
    at = door(fields={"prediction_score": "score"})
    records = [{"score": 1}, {"prediction_score": 2}, {"score": 3, "prediction_score": 4}]
    columns = {"score": [1, None, 3], "prediction_score": [None, 2, 4]}
    for result in (at.lines(*records), at.lines(*records), at.predictions({"columns": columns})):
        assert result.predictions[0].score.tolist() == [1.0, 2.0, 4.0]


def test_the_last_of_equal_keys_wins(door):
    body = b'{"score": 1, "score": 2, "features": {"a": 1, "a": 3}}'
    at = door()
    for _ in range(2):
        (found,) = at.predictions(body).predictions
        assert (found.score[0], found.numeric[0, 0]) == (2.0, 3.0)


def test_an_error_is_text_an_object_or_true(door):
    errors = ["boom", {"code": 5}, {}, True, False, None, ""]
    (found,) = door().lines(*({"score": 1, "error": error} for error in errors)).predictions
    assert found.failed.tolist() == [True, True, True, True, False, False, False]


def test_outcomes_in_every_form(door):
    records = [
        {"prediction_id": "a", "outcome": True, "timestamp": 5, "model": "m", "model_version": "1"},
        {
            "prediction_id": None,
            "outcome": 2.5,
            "score": 0.5,
            "prediction_timestamp": "1970-01-01T00:00:03Z",
            "segments": {"plan": "pro"},
            "value": -40,
            "model": "m",
            "model_version": "1",
        },
        {"prediction_id": 3, "outcome": "no", "prediction": "yes", "model": "m", "model_version": "1"},
    ]
    names = ["prediction_id", "outcome", "timestamp", "score", "prediction", "prediction_timestamp", "value"]
    columns = {name: [record.get(name) for record in records] for name in names}
    columns["segments"] = {"plan": [None, "pro", None]}
    at = door()
    body = {"model": "m", "model_version": "1", "columns": columns}
    for bodies in ([records], [body], records, [records], [body]):
        result = at.outcomes(*bodies)
        assert not result.rejections
        (found,) = result.outcomes
        assert (found.model, found.model_version) == ("m", "1")
        assert list(found.ids) == ["a", None, "3"]
        assert list(found.outcome) == [True, 2.5, "no"]
        assert found.needs_join.tolist() == [True, False, False]
        np.testing.assert_array_equal(found.timestamps, [5, math.nan, math.nan])
        np.testing.assert_array_equal(found.value, [math.nan, -40, math.nan])
        np.testing.assert_array_equal(found.score, [math.nan, 0.5, math.nan])
        np.testing.assert_array_equal(found.prediction_timestamps, [math.nan, 3, math.nan])
        assert list(found.prediction) == [None, None, "yes"]
        assert found.segments == {"plan": [None, "pro", None]}


def test_the_pods_version_is_that_of_predictions_that_name_none(door):
    opened = door(version="1.4.0")
    bodies = ({"score": 0.5}, {"score": 0.5, "model_version": "2"}, {"columns": {"score": [0.5]}})
    found = [each.model_version for body in bodies for each in opened.predictions(body).predictions]
    assert found == ["1.4.0", "2", "1.4.0"]
    # Whichever version has the id: the pod's own may be younger than the prediction.
    [told] = opened.outcomes({"prediction_id": "a", "outcome": 1}).outcomes
    assert told.model_version is None


def test_an_outcome_without_a_version_joins_all(door):
    at = door()
    (found,) = at.outcomes({"prediction_id": "a", "outcome": 1}).outcomes
    assert found.model_version is None
    (found,) = at.outcomes({"columns": {"prediction_id": ["a"], "outcome": [1]}}).outcomes
    assert found.model_version is None
