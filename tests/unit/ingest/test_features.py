"""Which feature and segment values are taken, discovered, dropped and counted."""

import math

import numpy as np
import pytest

from driftgauge.config import Limits
from driftgauge.records import Schema

KNOWN = Schema(("age", "income"), ("plan", "flag"), segments=("region",), discover=False)


def columnar(records):
    """The records' features and scores as columns."""
    names = dict.fromkeys(name for record in records for name in record["features"])
    features = {name: [record["features"].get(name) for record in records] for name in names}
    return {"columns": {"score": [record.get("score") for record in records], "features": features}}


def each_form(door, records, **settings):
    """Results of the records as lines, singles, array and columns, each twice at the same decoder."""
    for form in (lambda at: at.lines(*records), lambda at: at.predictions(*records),
                 lambda at: at.predictions(records), lambda at: at.predictions(columnar(records))):  # fmt: skip
        at = door(**settings)
        yield form(at)
        yield form(at)


def test_a_value_of_another_type_is_missing_and_counted(door):
    values = [
        {"age": "31", "plan": "pro"},
        {"age": True, "plan": ["pro"]},
        {"age": {}, "plan": {}},
        {"age": 5, "plan": 5},
    ]
    records = [{"score": 1, "features": each} for each in values]
    for result in each_form(door, records, schema=KNOWN):
        (found,) = result.predictions
        np.testing.assert_array_equal(found.numeric[0], [math.nan] * 3 + [5.0])
        assert found.categorical["plan"] == ["pro", None, None, "5"]
        assert found.invalid == {("age", "wrong_type"): 3, ("plan", "wrong_type"): 2}


def test_categories_are_texts_in_their_shortest_form(door):
    values = [1, 1.0, True, "1", False, 0.1, -0.0, 1e21, 12345678901234567890, "true", None, 1e16]
    texts = [
        "1",
        "1",
        "true",
        "1",
        "false",
        "0.1",
        "0",
        "1e+21",
        "12345678901234567890",
        "true",
        None,
        "10000000000000000",
    ]
    records = [{"score": 1, "features": {"plan": value}} for value in values]
    for result in each_form(door, records, schema=KNOWN):
        assert result.predictions[0].categorical["plan"] == texts


def test_a_number_beyond_float64_is_not_finite(door):
    numbers = [b"1e999", b"-1e999", b"1" + b"0" * 400, b"-1" + b"0" * 400, b"1e-999"]
    expected = [[math.inf, -math.inf, math.inf, -math.inf, 0.0]]
    lines = b"[" + b",".join(b'{"score":1,"features":{"age":%s}}' % each for each in numbers) + b"]"
    columns = b'{"columns":{"features":{"age":[%s]}}}' % b",".join(numbers)
    at = door(schema=Schema(("age",)))
    for body in (lines, columns):
        (found,) = at.predictions(body).predictions
        assert found.numeric.tolist() == expected
        assert found.invalid == {}


def test_a_score_beyond_float64_is_refused(door, refused):
    result = door().predictions(b'{"score": 1e999}')
    assert refused(result) == [(0, 0, "out_of_domain", "score: expected a finite number, got another")]
    result = door().predictions(b'{"prediction": 1' + b"0" * 400 + b"}")
    assert refused(result) == [(0, 0, "out_of_domain", "prediction: expected a finite number, got another")]


def test_a_label_of_many_digits_is_a_float(door):
    assert door().predictions({"prediction": 2**70}).predictions[0].prediction == [2.0**70]


def test_ids_keep_all_digits(door):
    assert door().predictions({"prediction_id": 2**70, "score": 1}).predictions[0].ids == [str(2**70)]


def test_undeclared_features_are_taken_up_where_that_is_wanted(door):
    values = [{"n": None, "c": "x"}, {"n": 1, "late": 5}, {"n": 2.5, "c": True, "b": False}]
    records = [{"score": 1, "features": each} for each in values]
    for result in each_form(door, records):
        (found,) = result.predictions
        assert found.numeric_names == ("n", "late")
        np.testing.assert_array_equal(found.numeric, [[math.nan, 1, 2.5], [math.nan, 5, math.nan]])
        assert found.categorical == {"c": ["x", None, "true"], "b": [None, None, "false"]}
        assert found.invalid == {}


def test_undeclared_features_are_counted_where_it_is_not(door):
    values = [{"age": 1, "new": 1}, {"age": 2, "new": None, "other": "x", "deep": [1]}]
    records = [{"score": 1, "features": each} for each in values]
    for result in each_form(door, records, schema=KNOWN):
        (found,) = result.predictions
        assert found.numeric_names == ("age", "income")
        assert found.numeric[0].tolist() == [1.0, 2.0]
        assert found.invalid == {("", "out_of_domain"): 3}


def test_the_first_value_decides_the_kind(door):
    records = [{"score": 1, "features": {"x": value}} for value in (None, [1], 1, "a", 2)]
    for result in each_form(door, records):
        (found,) = result.predictions
        np.testing.assert_array_equal(found.numeric, [[math.nan, math.nan, 1, math.nan, 2]])
        assert sum(found.invalid.values()) == 2  # the array came before there was a row for it


def test_a_feature_without_a_kind_waits_for_one(door):
    at = door()
    for _ in range(2):
        result = at.predictions({"features": {"x": None, "y": [1], "z": {"a": 1}}})
        assert result.predictions[0].numeric_names == ()
        assert result.predictions[0].invalid == {("", "wrong_type"): 2}
    (found,) = at.predictions({"features": {"x": 5, "y": "a", "z": None}}).predictions
    assert (found.numeric_names, found.categorical) == (("x",), {"y": ["a"]})
    (found,) = at.predictions(
        {"columns": {"features": {"x": [5, 6], "y": ["a", [1]], "z": [1, 2]}}}
    ).predictions
    assert found.numeric_names == ("x", "z")
    assert found.invalid == {("y", "wrong_type"): 1}


def test_ignored_features_are_skipped_unread(door):
    records = [{"score": 1, "features": {"age": 1, "id": value}} for value in (1, "a", None, [[1]])]
    for result in each_form(door, records, schema=Schema(("age",), ignored=frozenset({"id"}))):
        (found,) = result.predictions
        assert found.numeric_names == ("age",)
        assert found.categorical == found.invalid == {}


def test_a_discovered_feature_without_a_value_is_no_row(door):
    at = door()
    assert at.predictions({"features": {"a": 1, "b": "x"}}).predictions[0].numeric_names == ("a",)
    (found,) = at.predictions({"features": {"c": 1}}).predictions
    assert (found.numeric_names, found.categorical) == (("c",), {})


def test_declared_features_are_rows_whether_they_come_or_not(door):
    (found,) = door(schema=KNOWN).predictions({"score": 1}).predictions
    assert found.numeric_names == ("age", "income")
    assert np.isnan(found.numeric).all()
    assert found.categorical == {"plan": [None], "flag": [None]}
    assert found.segments == {"region": [None]}


def test_the_schema_may_change_between_groups(door):
    schemas = [Schema()]
    at = door(schema=lambda _: schemas[-1])
    assert at.predictions({"features": {"a": 1}}).predictions[0].numeric_names == ("a",)
    schemas.append(Schema(categorical=("a",)))
    assert at.predictions({"features": {"a": 1}}).predictions[0].categorical == {"a": ["1"]}


@pytest.mark.parametrize(
    "name", ["", "__init__", "a.b", 'quo"te', "back\\slash", "nul\x00", "new\nline", "f0", "é", "名"]
)
def test_hostile_names_are_names(door, name):
    records = [
        {"score": 1, "features": {name: 1.5, "z": "c"}, "segments": {name: "s"}, "scores": {name: 0.5}}
    ] * 2
    at = door()
    for result in (at.lines(*records), at.lines(*records), at.predictions(records)):
        (found,) = result.predictions
        assert found.numeric_names == (name,)
        assert found.numeric.tolist() == [[1.5, 1.5]]
        assert found.segments == {name: ["s", "s"]}
        assert found.scores[name].tolist() == [0.5, 0.5]


def test_unknown_fields_are_counted(door):
    records = [{"score": 1, "new": 5}, {"score": 1, "new": None, "tags": ["a"], "__proto__": {}}]
    columns = {"score": [1, 1], "new": [5, None], "tags": [None, ["a"]], "__proto__": [None, {}]}
    at = door()
    for result in (
        at.lines(*records),
        at.lines(*records),
        at.predictions({"columns": columns}),
        at.predictions({"columns": columns}),
    ):
        assert result.ignored == {"unknown_key": 3}
        assert len(result.predictions[0]) == 2
        assert not result.rejections


def test_unknown_keys_beside_columns_are_counted(door):
    result = door().predictions({"source": "x", "columns": {"score": [1]}})
    assert result.ignored == {"unknown_key": 1}


def test_steady_senders_of_what_is_dropped_stay_on_the_fast_path(door, monkeypatch):
    at = door(schema=KNOWN)
    record = {"score": 1, "extra": [1], "features": {"age": 1, "gone": {"a": 1}}, "segments": {"who": "x"}}
    first = at.lines(record, record)
    monkeypatch.setattr("driftgauge.ingest.lines.with_care", None)
    for result in (first, at.lines(record, record)):
        assert result.predictions[0].invalid == {("", "out_of_domain"): 2}
        assert result.ignored == {"unknown_key": 2, "out_of_domain": 2}


def test_no_more_than_a_thousand_dropped_names_are_remembered(door):
    at = door(schema=KNOWN, limits=Limits(features=5))
    for start in (0, 900, 1800):
        record = {f"u{n}": 1 for n in range(start, start + 900)} | {"score": 1}
        record["features"] = {f"x{n}": 1 for n in range(start, start + 900)}
        result = at.predictions(record)
        assert result.ignored == {"unknown_key": 900}
        assert result.predictions[0].invalid == {("", "out_of_domain"): 900}
    form = at.decoder._models["predictions"]._forms["default"]
    assert len(form.unknown) == len(form.features.dropped) == 1000


def test_segments_are_discovered_up_to_their_limit_and_are_texts(door):
    at = door()
    (found,) = at.predictions({"score": 1, "segments": {"a": 5, "b": True, "c": None}}).predictions
    assert found.segments == {"a": ["5"], "b": ["true"]}
    result = at.predictions({"score": 1, "segments": {"a": ["x"], "c": "y"}})
    assert result.predictions[0].segments == {"c": ["y"]}
    assert result.ignored == {"wrong_type": 1}


def test_what_a_refused_record_lost_is_not_counted(door):
    bad = {"timestamp": "soon", "extra": 1, "features": {"age": "x", "new": 1}}
    at = door(schema=KNOWN)
    for body in (
        bad,
        bad,
        [bad],
        {"columns": {"timestamp": ["soon"], "extra": [1], "features": {"age": ["x"]}}},
    ):
        result = at.predictions(body)
        assert (result.predictions, result.ignored, len(result.rejections)) == ((), {}, 1)
