"""What is refused, by which reason, and in which words."""

import json

import pytest

from driftgauge.config import Limits
from driftgauge.records import Media, Schema

GOOD = {"score": 0.5}


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({}, "missing_field", "nothing in it: expected one of features, prediction, score, scores, latency_seconds, error"),
        ({"prediction_id": "a", "outcome": 1}, "missing_field", "nothing in it: expected one of features, prediction, score, scores, latency_seconds, error"),
        ({"prediction_id": 1.5}, "wrong_type", "prediction_id: expected text or an integer, got a number"),
        ({"prediction_id": True}, "wrong_type", "prediction_id: expected text or an integer, got true or false"),
        ({"prediction_id": ["a"]}, "wrong_type", "prediction_id: expected text or an integer, got an array"),
        ({"prediction_id": "x" * 257}, "too_long", "prediction_id: expected at most 256 bytes of UTF-8, got more"),
        ({"prediction_id": "é" * 129}, "too_long", "prediction_id: expected at most 256 bytes of UTF-8, got more"),
        ({"timestamp": "soon"}, "bad_timestamp", "timestamp: expected RFC 3339 text or epoch seconds, got other text"),
        ({"timestamp": 1772366400000}, "bad_timestamp", "timestamp: expected RFC 3339 text or epoch seconds, got a number that looks like milliseconds or finer"),
        ({"timestamp": -5}, "bad_timestamp", "timestamp: expected RFC 3339 text or epoch seconds, got a moment outside 1970 to 5138"),
        ({"timestamp": {}}, "wrong_type", "timestamp: expected RFC 3339 text or epoch seconds, got an object"),
        ({"timestamp": False}, "wrong_type", "timestamp: expected RFC 3339 text or epoch seconds, got true or false"),
        ({"model": 5}, "wrong_type", "model: expected text, got a number"),
        ({"model": "m" * 129}, "too_long", "model: expected at most 128 characters, got more"),
        ({"model_version": 1.5}, "wrong_type", "model_version: expected text or an integer, got a number"),
        ({"model_version": "v" * 129}, "too_long", "model_version: expected at most 128 characters, got more"),
        ({"features": [1]}, "wrong_type", "features: expected an object, got an array"),
        ({"features": "age"}, "wrong_type", "features: expected an object, got text"),
        ({"prediction": [1]}, "wrong_type", "prediction: expected a number, text, or true or false, got an array"),
        ({"outcome": {}}, "wrong_type", "outcome: expected a number, text, or true or false, got an object"),
        ({"score": "0.5"}, "wrong_type", "score: expected a number, got text"),
        ({"score": True}, "wrong_type", "score: expected a number, got true or false"),
        ({"scores": [0.5]}, "wrong_type", "scores: expected an object, got an array"),
        ({"scores": {"a": "1"}}, "wrong_type", "scores: expected a number, got text"),
        ({"scores": {"a": 1.01}}, "out_of_domain", "scores: expected numbers in 0 to 1, got another"),
        ({"scores": {"a": -0.01}}, "out_of_domain", "scores: expected numbers in 0 to 1, got another"),
        ({"latency_seconds": -1}, "out_of_domain", "latency_seconds: expected a number of at least 0, got a negative one"),
        ({"latency_seconds": "1s"}, "wrong_type", "latency_seconds: expected a number, got text"),
        ({"error": 5}, "wrong_type", "error: expected text, an object, or true or false, got a number"),
        ({"segments": ["a"]}, "wrong_type", "segments: expected an object, got an array"),
        ({"trace_id": 1.5}, "wrong_type", "trace_id: expected text or an integer, got a number"),
    ],
)  # fmt: skip
def test_a_prediction_is_refused_alone_in_every_form(door, refused, record, reason, detail):
    bad = record if "outcome" in record or not record else {**GOOD, **record}
    at = door()
    for media, body in [
        (Media.JSON, [GOOD, bad, GOOD]),
        (Media.NDJSON, "\n".join(map(json.dumps, [GOOD, bad, GOOD])).encode()),
    ]:
        result = at.predictions(body, media=media)
        assert refused(result) == [(0, 1, reason, detail)]
        assert [found.index.tolist() for found in result.predictions] == [[0, 2]]
        assert result.records.tolist() == [3]
        assert not result.failures
    single = at.predictions(GOOD, bad, GOOD)
    assert refused(single) == [(1, 0, reason, detail)]
    assert single.predictions[0].request.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("name", "cells", "row", "reason"),
    [
        ("prediction_id", ["a", 1.5], 1, "wrong_type"),
        ("prediction_id", ["x" * 300, "a"], 0, "too_long"),
        ("timestamp", ["soon", 1], 0, "bad_timestamp"),
        ("timestamp", [1, True], 1, "wrong_type"),
        ("model_version", ["1", "v" * 129], 1, "too_long"),
        ("score", [0.5, "x"], 1, "wrong_type"),
        ("latency_seconds", [-1, 1], 0, "out_of_domain"),
        ("latency_seconds", {"float64": "AAAAAAAA8D8AAAAAAADwvw=="}, 1, "out_of_domain"),  # 1, -1
        ("score", {"float64": "AAAAAAAA8H8AAAAAAADwPw=="}, 0, "out_of_domain"),  # infinity, 1
        ("prediction", {"float64": "AAAAAAAA8H8AAAAAAADwPw=="}, 0, "out_of_domain"),
        ("scores", {"a": {"float64": "AAAAAAAA8D8AAAAAAADwvw=="}}, 1, "out_of_domain"),
        ("scores", {"a": [2, 1]}, 0, "out_of_domain"),
        ("error", [5, None], 0, "wrong_type"),
        ("model", [5, None], 0, "wrong_type"),
    ],
)
def test_a_cell_costs_only_its_record(door, refused, name, cells, row, reason):
    at = door()
    body = {"columns": {"features": {"age": [1, 2]}, name: cells}}
    for _ in range(2):
        result = at.predictions(body)
        assert [(i, r) for _, i, r, _ in refused(result)] == [(row, reason)]
        (found,) = result.predictions
        assert found.index.tolist() == [1 - row]
        assert found.numeric.tolist() == [[2.0 - row]]


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({"prediction_id": "a"}, "missing_field", "outcome: expected a value, got none"),
        ({"prediction_id": "a", "outcome": None}, "missing_field", "outcome: expected a value, got none"),
        ({"outcome": 1}, "missing_field", "prediction_id: expected one where neither score nor prediction is given, got none"),
        ({"outcome": 1, "prediction_id": None}, "missing_field", "prediction_id: expected one where neither score nor prediction is given, got none"),
        ({"outcome": [1], "prediction_id": "a"}, "wrong_type", "outcome: expected a number, text, or true or false, got an array"),
        ({"outcome": 1, "prediction_id": "a", "value": "5 EUR"}, "wrong_type", "value: expected a number, got text"),
        ({"outcome": 1, "prediction_id": "a", "prediction_timestamp": "x"}, "bad_timestamp", "prediction_timestamp: expected RFC 3339 text or epoch seconds, got other text"),
    ],
)  # fmt: skip
def test_an_outcome_is_refused(door, refused, record, reason, detail):
    good = {"prediction_id": "a", "outcome": 0}
    result = door().outcomes([good, record, good])
    assert refused(result) == [(0, 1, reason, detail)]
    assert result.outcomes[0].index.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"", "malformed", "expected a JSON object or array, got an empty body"),
        (b" \n", "malformed", "expected a JSON object or array, got an empty body"),
        (b"5", "not_an_object", "expected an object or an array, got a number"),
        (b'"a"', "not_an_object", "expected an object or an array, got text"),
        (b"null", "not_an_object", "expected an object or an array, got null"),
        (b"nul", "malformed", "expected JSON, got it cut short"),
        (b'{"score": 1', "malformed", "expected JSON, got it cut short"),
        (b'{"score": 1,}', "malformed", "expected JSON, got trailing comma in object (byte 12)"),
        (b'{"score": 1} {"score": 2}', "malformed", "expected JSON, got trailing characters (byte 14)"),
        (b'{"score": NaN}', "malformed", "expected JSON, got invalid character (byte 10)"),
        (b"[1, 2", "malformed", "expected JSON, got it cut short"),
        (b"[{}]]", "malformed", "expected JSON, got trailing characters (byte 5)"),
        (b"[" * 100_000, "malformed", "expected JSON, got it nested too deeply"),
        (b'{"features":' * 100_000, "malformed", "expected JSON, got it nested too deeply"),
        (b'{"columns":' + b"[" * 100_000, "malformed", "expected JSON, got it nested too deeply"),
        (b"\xef\xbb\xbf{}", "malformed", "expected UTF-8, got a byte order mark before it"),
        ('{"score": 1}'.encode("utf-16"), "malformed", "expected UTF-8, got UTF-16"),
        ('{"score": 1}'.encode("utf-16-le"), "malformed", "expected UTF-8, got UTF-16"),
        ('{"score": 1}'.encode("utf-16-be"), "malformed", "expected UTF-8, got UTF-16"),
        (b'{"model": "\xff"}', "malformed", "expected UTF-8, got an invalid byte (byte 11)"),
        (b'[{"model": "\xff"}]', "malformed", "expected UTF-8, got an invalid byte (byte 12)"),
        (b'{"x": "\xff", "columns": {}}', "malformed", "expected UTF-8, got an invalid byte (byte 7)"),
        (b'{"model": "\\ud800 lone"}', "malformed", "expected JSON, got unexpected end of escaped utf-16 surrogate pair (byte 17)"),
        (b'{"score": ' + b"1" * 5000 + b"}", "out_of_domain", "expected numbers of at most 4300 digits"),
        (b'{"columns": [1]}', "wrong_type", "columns: expected an object, got an array"),
        (b'{"columns": {"score": 5}}', "wrong_type", 'columns.score: expected an array or {"float64": base64}, got a number'),
        (b'{"columns": {"features": {"age": 1}}}', "wrong_type", 'columns.features.age: expected an array or {"float64": base64}, got a number'),
        (b'{"columns": {"features": [1]}}', "wrong_type", "columns.features: expected an object of columns, got an array"),
        (b'{"columns": {"score": {"float64": 5}}}', "wrong_type", "columns.score.float64: expected base64 of little-endian float64, got a number"),
        (b'{"columns": {"score": {"float64": "AAA!"}}}', "malformed", "columns.score.float64: expected base64 of little-endian float64, got other text"),
        (b'{"columns": {"score": {"float64": "AAAA"}}}', "malformed", "columns.score.float64: expected base64 of little-endian float64, got 3 bytes"),
        (b'{"columns": {"score": [1, 2], "features": {"age": [1]}}}', "columns_differ", "columns.features.age: expected 2 values, as many as columns.score has, got 1"),
        (b'{"model": 5, "columns": {}}', "wrong_type", "model: expected text, got a number"),
        (b'{"model_version": true, "columns": {}}', "wrong_type", "model_version: expected text or an integer, got true or false"),
    ],
)  # fmt: skip
def test_a_body_fails_whole(door, failed, body, reason, detail):
    result = door().predictions(b'{"score": 1}', body, b'{"score": 2}')
    assert failed(result) == [(1, 400, reason, detail)]
    assert result.records.tolist() == [1, 0, 1]
    assert result.predictions[0].request.tolist() == [0, 2]
    assert not result.rejections


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b"5", "not_an_object", "expected an object, got a number"),
        (b"[1]", "not_an_object", "expected an object, got an array"),
        (b'{"score": 1', "malformed", "expected JSON, got it cut short"),
        (b"}", "malformed", "expected JSON, got invalid character (byte 0)"),
        (b'{"score": 1} {"score": 1}', "malformed", "expected JSON, got trailing characters (byte 14)"),
        (b"\xef\xbb\xbf{}", "malformed", "expected UTF-8, got a byte order mark before it"),
        (b'{"a": "\xff"}', "malformed", "expected UTF-8, got an invalid byte (byte 7)"),
        (b'{"model": 5}', "wrong_type", "model: expected text, got a number"),
        (b"\x0c", "malformed", "expected JSON, got invalid character (byte 0)"),
    ],
)
def test_a_line_costs_only_itself(door, refused, line, reason, detail):
    at = door()
    good = b'{"score": 1}'
    for _ in range(2):
        result = at.predictions(b"\n".join([good, line, good]), media=Media.NDJSON)
        assert refused(result) == [(0, 1, reason, detail)]
        assert result.predictions[0].index.tolist() == [0, 2]
        assert result.records.tolist() == [3]


def test_an_element_that_is_no_object_costs_only_itself(door, refused):
    result = door().predictions([{"score": 1}, [1], None, "x", {"score": 2}])
    assert refused(result) == [
        (0, 1, "not_an_object", "expected an object, got an array"),
        (0, 2, "not_an_object", "expected an object, got null"),
        (0, 3, "not_an_object", "expected an object, got text"),
    ]
    assert result.predictions[0].index.tolist() == [0, 4]


def test_no_line_completes_another(door):
    """As many objects as lines, but on other lines: none of them is taken for right."""
    lines = b'{"score": 1} {"score": 2}\n{"score":\n3}\n{"score": 4}'
    result = door().predictions(lines, media=Media.NDJSON)
    assert [found.score.tolist() for found in result.predictions] == [[4.0]]
    assert [each.index for each in result.rejections] == [0, 1, 2]


def test_no_body_completes_another(door):
    halves = [b'{"score": 1} {"score": 2}', b'{"features": {"a": {}', b'{"score": 3}}', b'{"score": 4}']
    result = door().predictions(*halves)
    assert [each.request for each in result.failures] == [0, 1, 2]
    assert result.predictions[0].score.tolist() == [4.0]


def test_a_raw_newline_in_a_text_is_not_healed(door, failed):
    result = door().predictions(b'{"prediction": "a\nb"}')
    assert failed(result) == [(0, 400, "malformed", "expected JSON, got invalid character (byte 17)")]


def test_names_in_messages_are_cut_and_printable(door, failed):
    name = "\n\x00" + "n" * 100
    (failure,) = failed(door().predictions({"columns": {name: 5}}))
    shown = r"columns.\n\x00" + "n" * 61 + "…"
    assert failure[3] == f'{shown}: expected an array or {{"float64": base64}}, got a number'


def test_values_are_never_echoed(door):
    secret = "S3CRET"
    bad = [{"score": secret}, {"timestamp": secret, "score": 1}, {"model": [secret]}, {"features": secret}]
    result = door().predictions(bad, secret.encode(), {"columns": {"score": {"float64": secret}}})
    told = [each.detail for each in (*result.rejections, *result.failures)]
    assert len(told) == 6
    assert not any(secret in detail for detail in told)


@pytest.mark.parametrize("over", [0, 1, 1_000_000])
def test_the_limits_of_texts(door, refused, over):
    """At the limit, one over, and a million over."""
    wide, long = "i" * (256 + over), "m" * (128 + over)
    records = [
        {"prediction_id": wide, "score": 1},
        {"model": long, "score": 1},
        {"model_version": long, "score": 1},
        {"features": {"plan": long}, "segments": {"region": long}, "prediction": long, "scores": {long: 1}},
        {"features": {long: 1}, "segments": {long: "a"}},
        {"trace_id": long, "score": 1},
    ]
    at = door(schema=Schema(categorical=("plan",), segments=("region",)))
    result = at.predictions(records)
    assert [(i, r) for _, i, r, _ in refused(result)] == ([(n, "too_long") for n in range(3)] if over else [])
    found = result.predictions[0]
    row = found.index.tolist().index(3)
    kept = long if not over else "m" * 127 + "…"
    assert found.categorical["plan"][row] == found.segments["region"][row] == found.prediction[row] == kept
    assert list(found.scores) == [kept]
    assert found.trace_ids[found.index.tolist().index(5)] == (None if over else long)
    assert (long in found.numeric_names) == (not over)
    assert found.invalid == ({("", "too_long"): 1} if over else {})
    assert result.ignored == ({"too_long": 2} if over else {})


@pytest.mark.parametrize("over", [0, 1, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_the_limit_of_features(door, over):
    record = {"features": {f"f{n}": 1 for n in range(1000 + over)}}
    at = door()
    for result in [at.predictions(record) for _ in range(1 if over > 1 else 2)]:
        (found,) = result.predictions
        assert found.numeric_names == tuple(f"f{n}" for n in range(1000))
        assert found.numeric.tolist() == [[1.0]] * 1000
        assert found.invalid == ({("", "too_many"): over} if over else {})


@pytest.mark.parametrize("over", [0, 1, 30_000])
def test_the_limit_of_classes(door, over):
    shares = {f"c{n}": 0.5 for n in range(20 + over)}
    columns = {name: [share] for name, share in shares.items()}
    for body in ({"scores": shares}, {"columns": {"scores": columns}}):
        result = door().predictions(body)
        assert list(result.predictions[0].scores) == [f"c{n}" for n in range(20)]
        assert result.ignored == ({"too_many": over} if over else {})


def test_the_limit_of_classes_holds_over_pieces(door):
    pad = "x" * 300_000
    records = [{"scores": {f"c{n}": 0.5}, "trace_id": None, "prediction": pad} for n in range(22)]
    result = door().lines(*records)
    assert list(result.predictions[0].scores) == [f"c{n}" for n in range(20)]
    assert result.ignored == {"too_many": 2}


@pytest.mark.parametrize("over", [0, 1, 1000])
def test_the_limit_of_segment_columns(door, over):
    record = {"score": 1, "segments": {f"s{n}": "a" for n in range(3 + over)}}
    result = door().predictions(record)
    assert result.predictions[0].segments == {f"s{n}": ["a"] for n in range(3)}
    assert result.ignored == ({"too_many": over} if over else {})


@pytest.mark.parametrize("over", [0, 1, 10_000])
def test_the_limit_of_new_models_in_a_group(door, refused, over):
    at = door()
    records = [{"model": f"m{n}", "score": 1} for n in range(10 + over)]
    result = at.predictions(records)
    assert [found.model for found in result.predictions] == [f"m{n}" for n in range(10)]
    detail = "model: expected at most 10 new ones at once, got more"
    assert refused(result) == [(0, n, "model_limit", detail) for n in range(10, 10 + over)]
    assert len(at.decoder._models["predictions"]._forms) <= 40


def test_known_models_are_not_counted_as_new(door):
    known = Schema(("age",))
    at = door(schema=lambda model: known if model.startswith("k") else Schema(), limits=Limits(models=1))
    records = [{"model": name, "score": 1} for name in ("n1", "n2", "k1", "k2", "k3")]
    assert [found.model for found in at.predictions(records).predictions] == ["n1", "k1", "k2", "k3"]


@pytest.mark.parametrize("over", [0, 1, 1000])
def test_the_limit_of_versions_in_a_group(door, refused, over):
    records = [{"model_version": n, "score": 1} for n in range(1000 + over)]
    result = door().predictions(records)
    assert [found.model_version for found in result.predictions] == [str(n) for n in range(1000)]
    detail = "model_version: expected at most 1000 of a model at once, got more"
    assert refused(result) == [(0, n, "too_many", detail) for n in range(1000, 1000 + over)]


def test_a_version_of_a_whole_columnar_body_may_be_too_long(door, refused):
    at = door()
    for _ in range(2):
        result = at.predictions({"model_version": "v" * 129, "columns": {"score": [1, 2]}})
        detail = "model_version: expected at most 128 characters, got more"
        assert refused(result) == [(0, 0, "too_long", detail), (0, 1, "too_long", detail)]


@pytest.mark.parametrize("over", [0, 1, 1000])
def test_the_limit_of_records_in_a_body(door, failed, monkeypatch, over):
    monkeypatch.setattr("driftgauge.ingest.tally.RECORDS_A_REQUEST", 1000)
    n = 1000 + over
    at = door()
    for media, body in [
        (Media.NDJSON, b'{"score": 1}\n' * n),
        (Media.JSON, [{"score": 1}] * n),
        (Media.JSON, [5] * n),
        (Media.JSON, {"columns": {"score": [1] * n}}),
        (Media.JSON, {"columns": {"score": ["x"] * n}}),
    ]:
        result = at.predictions(body, media=media)
        taken = sum(map(len, result.predictions)) + len(result.rejections)
        assert taken == result.records[0] == (0 if over else n)
        words = (0, 413, "too_many", "expected at most 1000 records in a body, got more")
        assert failed(result) == ([words] if over else [])


def test_columns_with_a_fault_are_turned_to_records_in_parts(door, refused):
    n = 5000
    columns = {"prediction_id": list(range(n)), "score": [0.5] * n}
    columns["score"][4321] = "x"
    result = door().predictions({"columns": columns})
    assert refused(result) == [(0, 4321, "wrong_type", "score: expected a number, got text")]
    (found,) = result.predictions
    assert found.index.tolist() == [row for row in range(n) if row != 4321]
