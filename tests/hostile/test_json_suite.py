"""The JSON test suite's texts through the doors of one process: all answered, all counted."""

from __future__ import annotations

import base64
import gzip
import json
import sys

import pytest
from tests.e2e.harness import total, value
from tests.hostile.serving import Told, counted


@pytest.fixture(scope="module")
def suite(data):
    """(name, accept/reject/either, bytes) of all 318 texts."""
    with gzip.open(data / "robustness" / "jsontestsuite.jsonl.gz") as file:
        texts = [json.loads(line) for line in file]
    assert len(texts) == 318
    return [(each["name"], each["expect"], base64.b64decode(each["base64"])) for each in texts]


def parsed(text):
    """What the standard library reads in *text*, in a tuple; None where that isn't JSON in UTF-8."""

    def refuse(constant):
        raise ValueError(constant)

    try:
        return (json.loads(text.decode(), parse_constant=refuse),)
    except (ValueError, RecursionError):
        return None


def good(name):
    return {"model": "good", "prediction_id": name, "score": 0.5}


def line_count(body):
    """Lines of an NDJSON body that hold something."""
    return sum(bool(line.strip(b" \t\r")) for line in body.split(b"\n"))


def test_all_texts_are_answered_and_counted(started, suite, require_tool):
    process = started(intake={"linger": "0ms"}, models={"held": {"features": {"x": {"kind": "numeric"}}}})
    told = Told(process)
    as_bodies(told, suite)
    invalid = as_feature_values(told, suite)
    as_lines(told, suite)
    neighbours_are_kept(told, suite)
    now = told.check(require_tool("promtool"))
    assert total(now, "values_invalid_total", reason="wrong_type") >= invalid
    assert process.resident() < 250 << 20
    assert process.stop() < 5.0


def as_bodies(told, suite):
    for kind in ("predictions", "outcomes"):
        for name, expect, text in suite:
            status, answer = told.post(kind, text)
            # None of the texts is a record, whether it is JSON or not.
            assert status in (400, 422) or counted(answer) == 0, (kind, name, status, answer)
            reasons = {answer.get("reason"), *(each["reason"] for each in answer.get("rejected", ()))}
            if expect == "reject":
                assert (status, reasons) == (400, {"malformed"}), (kind, name, answer)
            elif expect == "accept":
                assert "malformed" not in reasons, (kind, name, answer)


def as_feature_values(told, suite):
    """How many values that are no number the feature, which is one, was given."""
    invalid = 0
    for name, expect, text in suite:
        body = b'{"model":"held","score":0.5,"features":{"x":' + text + b"}}"
        status, answer = told.post("predictions", body)
        holds = parsed(body)
        if expect == "accept":
            assert (status, counted(answer)) == (200, 1), (name, answer)
            invalid += isinstance(holds[0]["features"]["x"], (str, list, dict))
        elif holds is None and expect == "reject":
            assert (status, answer["reason"]) == (400, "malformed"), (name, answer)
        else:
            assert status in (200, 400, 422), (name, answer)
            assert status == 400 or counted(answer) == 1, (name, answer)
    assert invalid > 40
    return invalid


def as_lines(told, suite):
    for kind in ("predictions", "outcomes"):
        for name, _, text in suite:
            ends = [good(f"{name} {end}") for end in "ab"]
            if kind == "outcomes":
                ends = [
                    {"model": "good", "prediction_id": each["prediction_id"], "outcome": 1} for each in ends
                ]
            first, last = (json.dumps(each).encode() for each in ends)
            body = first + b"\n" + text + b"\n" + last
            status, answer = told.post(kind, body, ndjson=True)
            assert status == 200, (kind, name, answer)
            assert counted(answer) == line_count(body), (kind, name, answer)
            assert answer["accepted"] == 2, (kind, name, answer)
            assert answer["duplicates"] == 0, (kind, name, answer)


def neighbours_are_kept(told, suite):
    again = [good(f"{name} {end}") for name, _, _ in suite for end in "ab"]
    _, answer = told.post("predictions", again, ndjson=True)
    assert (answer["accepted"], answer["duplicates"]) == (0, 2 * len(suite))
    assert value(told.samples(), "outcomes_joined_total", model="good", model_version="") == 2 * len(suite)


def test_deep_nesting_in_every_place(started, require_tool):
    told = Told(started(intake={"linger": "0ms"}))
    depth = 200_000
    assert depth > sys.getrecursionlimit()
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        for deep in (opening * depth, opening * depth + b"1" + closing * depth):
            for field in (b"features", b"segments", b"scores", b"error", b"prediction", b"model", b"extra"):
                record = b'{"model":"deep","score":0.5,"' + field + b'":' + deep + b"}"
                for kind in ("predictions", "outcomes"):
                    status, answer = told.post(kind, record)
                    assert status in (200, 400, 422), (kind, field, answer)
                _, answer = told.post("predictions", [good("a"), record, good("b")], ndjson=True)
                assert counted(answer) == 3, (field, answer)
                assert answer["accepted"] + answer["duplicates"] >= 2
    told.check(require_tool("promtool"))
