"""Texts that parsers stumble over: the JSON test suite, and the big list of naughty strings."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from driftgauge.config import Limits
from driftgauge.records import Media

DATA = Path(__file__).parents[2] / "data" / "robustness"


def cases(name):
    lines = gzip.decompress((DATA / f"{name}.jsonl.gz").read_bytes()).splitlines()
    for case in map(json.loads, lines):
        yield case["name"], case.get("expect", "either"), base64.b64decode(case["base64"])


TEXTS = [*cases("jsontestsuite"), *cases("jsontestsuite_transform")]
STRINGS = json.loads(gzip.decompress((DATA / "naughty_strings.json.gz").read_bytes()))
WIDE = Limits(models=10_000, classes=10_000, segment_columns=10_000, id_bytes=10_000, label_characters=10_000)


def test_all_texts_are_there():
    assert [
        sum(expect == each for _, expect, _ in cases("jsontestsuite"))
        for each in ("accept", "reject", "either")
    ] == [95, 188, 35]
    assert len(STRINGS) == 515


@pytest.mark.parametrize("kind", ["predictions", "outcomes"])
def test_as_whole_bodies(door, kind):
    at = door()
    for name, expect, text in TEXTS:
        result = getattr(at, kind)(text)
        refused = [str(each.reason) for each in (*result.rejections, *result.failures)]
        if expect == "reject":
            assert refused, name
            assert (result.predictions, result.outcomes) == ((), ()), name
        if expect == "accept":
            assert "malformed" not in refused, (name, result)


def test_as_values_of_a_feature(door):
    at = door()
    for name, expect, text in TEXTS:
        result = at.predictions(b'{"prediction_id": "a", "features": {"x": ' + text + b', "y": 2}}')
        if expect == "accept":
            assert not result.failures, name
            assert not result.rejections, name
            (found,) = result.predictions
            rows = dict(zip(found.numeric_names, found.numeric.tolist(), strict=True))
            assert rows["y"] == [2.0], name
        assert len(result.predictions) + len(result.failures) + len(result.rejections) == 1, name


@pytest.mark.parametrize("known", [False, True], ids=["model unknown", "model known"])
def test_as_lines_among_good_ones(door, known):
    good = b'{"prediction_id": "%d", "score": 1}'
    at = door()
    if known:
        at.predictions(good % 0)
    for name, expect, text in TEXTS:
        body = b"\n".join([good % 1, text, good % 2])
        result = at.predictions(body, media=Media.NDJSON)
        ids = [text for found in result.predictions for text in found.ids]
        assert {"1", "2"} <= {*ids}, name
        assert not result.failures, name
        taken = sum(map(len, result.predictions))
        assert (
            taken + len(result.rejections)
            == result.records[0]
            == sum(1 for line in body.split(b"\n") if line.strip(b" \t\r"))
        ), name
        if expect == "reject" and b"\n" not in text and text.strip(b" \t\r"):
            assert (taken, [each.index for each in result.rejections]) == (2, [1]), name


def test_as_bodies_among_good_ones(door):
    at = door()
    bodies = [text for _, expect, text in TEXTS if expect == "reject"]
    good = b'{"prediction_id": "a", "score": 1}'
    mixed = [body for text in bodies for body in (text, good)]
    result = at.predictions(*mixed)
    (found,) = result.predictions
    assert found.request.tolist() == list(range(1, len(mixed), 2))
    refused = {each.request for each in (*result.failures, *result.rejections)}
    assert refused == set(range(0, len(mixed), 2))


def test_as_columns(door):
    at = door()
    for name, expect, text in TEXTS:
        for body in (b'{"columns": ' + text + b"}", b'{"columns": {"score": ' + text + b"}}"):
            result = at.predictions(body)
            if expect == "accept":
                assert "malformed" not in [str(each.reason) for each in result.failures], name


def records():
    for text in STRINGS:
        yield {
            "prediction_id": text,
            "model": "m",
            "model_version": text,
            "features": {"c": text, "n": 1},
            "scores": {text: 0.5},
            "prediction": text,
            "segments": {"s": text},
            "trace_id": text,
            "outcome": text,
        }


@pytest.mark.parametrize("form", ["lines", "array", "columns"])
def test_naughty_strings_come_back_as_they_are(door, form):
    at = door(limits=WIDE)
    given = list(records())
    if form == "columns":
        flat = {
            name: [each[name] for each in given]
            for name in given[0]
            if name not in ("model", "features", "scores", "segments")
        }
        columns = flat | {"features": {"c": STRINGS}, "segments": {"s": STRINGS}}
        result = at.predictions({"model": "m", "columns": columns})
    else:
        result = at.lines(*given) if form == "lines" else at.predictions(given)
    assert not result.rejections
    back = {}
    for found in result.predictions:
        for row, index in enumerate(found.index.tolist()):
            back[index] = (
                found.ids[row],
                found.model_version,
                found.categorical["c"][row],
                found.segments["s"][row],
                found.prediction[row],
                found.trace_ids[row],
                found.outcome[row],
            )
    assert back == {index: (text,) * 7 for index, text in enumerate(STRINGS)}


def test_naughty_names_come_back_as_they_are(door):
    names = list(dict.fromkeys(STRINGS))
    record = {
        "features": dict.fromkeys(names, 1),
        "scores": dict.fromkeys(names, 0.5),
        "segments": dict.fromkeys(names, "x"),
    }
    columns = {part: {name: [value] for name, value in held.items()} for part, held in record.items()}
    at = door(limits=WIDE)
    for body in (record, [record, record], {"columns": columns}):
        (found,) = at.predictions(body).predictions
        assert set(found.numeric_names) == set(found.scores) == set(found.segments) == set(names)


def test_naughty_models_come_back_as_they_are(door):
    names = list(dict.fromkeys(STRINGS))
    result = door(limits=WIDE).lines(*({"model": name, "score": 1} for name in names))
    assert [found.model for found in result.predictions] == [name or "default" for name in names]


def test_naughty_keys_are_ignored_and_counted(door):
    record = {"score": 1} | dict.fromkeys(STRINGS, 1)
    at = door()
    for _ in range(2):
        result = at.predictions(record)
        assert result.ignored == {"unknown_key": len(record) - 1}
        assert len(result.predictions) == 1
