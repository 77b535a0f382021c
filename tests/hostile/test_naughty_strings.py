"""515 naughty strings in every place that takes a text: nothing breaks, nothing is lost uncounted."""

from __future__ import annotations

import gzip
import json

import pytest
from tests.e2e.harness import total, value
from tests.hostile.serving import NDJSON, Told, counted, labels_of

# What the list lacks: every character that an exposition escapes, controls, line ends of other standards.
MORE = [
    "\n",
    "\r\n",
    '"',
    "\\",
    "\\n",
    "\x00",
    "a\x00b",
    "\x85",
    "\u2028",
    "\x7f",
    "\ufeff",
    '"} 1\nforged 1',
    "# EOF",
]
LONGEST = 128


@pytest.fixture(scope="module")
def strings(data):
    with gzip.open(data / "robustness" / "naughty_strings.json.gz") as file:
        found = json.load(file)
    assert len(found) == 515
    return list(dict.fromkeys([*found, *MORE]))


def fit(strings):
    """Those that may be a name or a label."""
    return [each for each in strings if len(each) <= LONGEST]


def cut(text):
    """A value that is too long is shortened, and ends with an ellipsis."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@pytest.mark.slow
def test_models_and_versions(started, strings, require_tool):
    # 600 models instead of 10, so that every name is seen; one window, so that they fit in a minute.
    told = Told(
        started(intake={"linger": "0ms"}, limits={"models": 600}, defaults={"windows": ["1h"]}, evaluate="1s")
    )
    records = [{"model": each, "model_version": each, "latency_seconds": 0.1} for each in strings]
    _, answer = told.post("predictions", records, ndjson=True)
    taken = fit(strings)
    assert answer["accepted"] == len(taken)
    assert told.records == {("predictions", "too_long"): len(strings) - len(taken)}
    models = {each or "default" for each in taken}
    told.until(lambda now: total(now, "series") > 0 and shown(now, "series") == models, "not all models")
    now = told.check(require_tool("promtool"))
    assert labels_of(now, "model") == models
    assert labels_of(now, "model_version") == set(taken)
    for each in taken:
        assert value(now, "predictions_total", model=each or "default", model_version=each) >= 1
    listed = told.http.json("/v1/models")
    assert models <= set(texts_in(listed))
    assert told.http.get("/")[0] == 200


def shown(now, name):
    return {dict(labels)["model"] for sample, labels in now if sample == "driftgauge_" + name}


def texts_in(tree):
    """Every text in an answer."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (list, dict)):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from texts_in(each)


def test_features(started, strings, require_tool):
    """All at once, in the columnar form; what is too long is counted, the others are features."""
    told = Told(started(intake={"linger": "0ms"}))
    rows = 50
    columns = {
        "score": [0.5] * rows,
        "features": {each: [(i + place) % 7 for i in range(rows)] for place, each in enumerate(strings)},
    }
    _, answer = told.post("predictions", {"model": "m", "columns": columns})
    assert answer["accepted"] == rows
    taken = fit(strings)
    of = {"model": "m", "model_version": ""}
    told.until(lambda now: value(now, "features", **of) == len(taken), "not all features")
    now = told.check(require_tool("promtool"))
    assert value(now, "values_invalid_total", reason="too_long") == (len(strings) - len(taken)) * rows


def test_categories_ids_and_traces(started, strings, require_tool):
    told = Told(started(intake={"linger": "0ms"}))
    records = [
        {
            "model": "m",
            "prediction_id": each,
            "trace_id": each,
            "latency_seconds": 0.1,
            "features": {"k": each},
        }
        for each in strings
    ]
    _, answer = told.post("predictions", records, ndjson=True)
    ids = [each for each in strings if len(each.encode()) <= 256]
    assert counted(answer) == len(strings)
    assert answer["accepted"] == len(ids)
    assert told.records == {("predictions", "too_long"): len(strings) - len(ids)}
    # An id of each kind is found again: sent twice, and by its outcome.
    _, answer = told.post("predictions", records, ndjson=True)
    assert (answer["accepted"], answer["duplicates"]) == (0, len(ids))
    outcomes = [{"model": "m", "prediction_id": each, "outcome": 1} for each in ids]
    assert told.post("outcomes", outcomes, ndjson=True)[1]["accepted"] == len(ids)
    now = told.check(require_tool("promtool"))
    assert value(now, "outcomes_joined_total", model="m", model_version="") == len(ids)
    # The second time around the traces were read, and dropped, once more.
    assert value(now, "values_invalid_total", reason="too_long") == 2 * (len(ids) - len(fit(ids)))


@pytest.mark.slow
def test_classes(started, strings, require_tool):
    """20 classes a model, in as many models as it takes."""
    texts = [each for each in strings if each != "other"]
    groups = [texts[i : i + 20] for i in range(0, len(texts), 20)]
    told = Told(
        started(
            intake={"linger": "0ms"},
            limits={"models": len(groups)},
            defaults={"windows": ["1h"]},
            metrics=["classes"],
        )
    )
    for place, group in enumerate(groups):
        for text in group:
            record = {
                "model": f"m{place}", "prediction": text, "outcome": text, "score": 0.5, "scores": {text: 1.0}
            }  # fmt: skip
            assert told.post("predictions", record)[1]["accepted"] == 1, text
    expected = {cut(each) for each in texts}
    # Scores by class want more samples; the confusion shows a class from its first record on.
    told.until(lambda now: expected <= labels_of(now, "outcome"), "not all classes")
    now = told.check(require_tool("promtool"))
    assert labels_of(now, "outcome") == labels_of(now, "prediction") == expected | {"other"}
    assert total(now, "values_folded_total") == 0


@pytest.mark.slow
def test_segments(started, strings, require_tool):
    """Three columns of ten values a model, columns and values both naughty."""
    columns = fit(strings)
    groups = [(columns[i : i + 3], strings[i : i + 3]) for i in range(0, len(columns), 3)]
    told = Told(
        started(
            intake={"linger": "0ms"},
            limits={"models": len(groups)},
            defaults={"windows": ["1h"], "task": "binary"},
            evaluate="1s",
        )
    )
    records = [
        {"model": f"m{place}", "score": 0.5, "outcome": 1, "segments": dict(zip(names, values, strict=False))}
        for place, (names, values) in enumerate(groups)
    ]
    _, answer = told.post("predictions", records, ndjson=True)
    assert answer["accepted"] == len(groups)
    values = {cut(each) for _, group in groups for each in group}
    everything = set(columns)
    told.until(lambda now: everything <= labels_of(now, "segment"), "not all segments")
    now = told.check(require_tool("promtool"))
    assert labels_of(now, "segment") == everything | {""}
    assert values <= labels_of(now, "segment_value")
    assert total(now, "values_folded_total") == 0


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udfff", rb"\ud800\ud800", b"\xff", b"\xed\xa0\x80"])
def test_half_characters(started, escape, require_tool):
    """Half a surrogate pair and bytes that aren't UTF-8 cost their record, in whichever place."""
    told = Told(started(intake={"linger": "0ms"}))
    record = (
        b'{"model":"m","model_version":"v","prediction_id":"i","trace_id":"t","prediction":"p",'
        b'"features":{"n":1,"k":"c"},"segments":{"s":"z"}}'
    )
    for name in (b"m", b"v", b"i", b"t", b"p", b"n", b"c", b"s", b"z"):
        hostile = record.replace(b'"' + name + b'"', b'"' + escape + b'"')
        assert hostile != record
        status, answer = told.post("predictions", hostile)
        assert (status, answer["reason"]) == (400, "malformed"), (name, answer)
        good = [b'{"model":"m","score":1}', hostile, b'{"model":"m","score":0}']
        _, answer = told.post("predictions", good, ndjson=True)
        assert (answer["accepted"], answer["rejected_total"]) == (2, 1), (name, answer)
    told.check(require_tool("promtool"))


def test_as_headers(started, strings):
    """What can stand in a header at all: as content type, encoding, key, credentials, and asked names."""
    told = Told(started(intake={"linger": "0ms"}))
    sendable = [each for each in strings if each.isascii() and each.isprintable()]
    for each in sendable[::3]:
        for header in ("Content-Type", "Content-Encoding", "Idempotency-Key", "Authorization", "Origin"):
            given = {"Content-Type": NDJSON, header: each}
            status, _, body = told.http("POST", "/v1/predictions", b'{"score":1}', given, again=False)
            assert status < 500, (header, each, body)
        assert told.http.get("/metrics", Accept=each)[0] < 500
    told.samples()
