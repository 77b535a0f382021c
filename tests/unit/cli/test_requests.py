"""Commands that ask a running process: what they ask, and what they make of its answers."""

from __future__ import annotations

import http.client
import json

import numpy as np
import pytest

from driftgauge import reference as references
from driftgauge.cli import client
from driftgauge.sketches.learning import LearningRow, NumericTally


class Connection:
    """Remembers the request and gives a prepared answer."""

    def __init__(self, asked, status, body, error):
        self.asked, self.status, self.body, self.error = asked, status, body, error
        self.reason = http.client.responses.get(status, "")

    def request(self, method, target, headers):
        if self.error:
            raise self.error
        self.asked.append((method, target, headers))

    def getresponse(self):
        return self

    def read(self, _most):
        return self.body

    def close(self):
        pass


@pytest.fixture
def asked(run, monkeypatch):
    """Runs a command against a process that answers as told; what was asked, and the result."""

    def ask(*arguments, status=200, body=b"{}", error=None):
        found = []
        monkeypatch.setattr(
            client.http.client, "HTTPConnection", lambda *_, **__: Connection(found, status, body, error)
        )
        return found, run(*arguments)

    return ask


def test_the_token_and_the_names_are_sent(asked, tmp_path):
    (tmp_path / "token").write_text(" secret \nmore\n")
    found, _ = asked(
        "history", "--model", "a/b c", "--model-version", "2026&x", "--token-file", "token",
        body=b'{"model": "a/b c", "rows": []}',
    )  # fmt: skip
    method, target, headers = found[0]
    assert (method, target) == ("GET", "/v1/models/a%2Fb%20c/history?model_version=2026%26x")
    assert headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            404,
            json.dumps({"title": "x", "detail": "no model\nof this name"}).encode(),
            "404 no model of this name",
        ),
        (409, json.dumps({"title": "nothing was learned"}).encode(), "409 nothing was learned"),
        (502, b"<html>", "502 Bad Gateway"),
        (500, b"[]", "500 Internal Server Error"),
    ],
)
def test_a_refusal_is_one_line(asked, status, body, message):
    _, result = asked("history", "--model", "m", status=status, body=body)
    assert result.exit_code == 1
    assert result.stderr == (f"driftgauge: http://127.0.0.1:9877: GET /v1/models/m/history: {message}\n")


def test_nobody_there(asked):
    refused = ConnectionRefusedError(111, "Connection refused")
    _, result = asked("history", "--model", "m", error=refused)
    assert (result.exit_code, result.stderr) == (
        1, "driftgauge: http://127.0.0.1:9877: expected a running driftgauge, got: Connection refused\n",
    )  # fmt: skip
    _, result = asked("healthcheck", error=TimeoutError("timed out"))
    assert (result.exit_code, result.stderr) == (
        1, "driftgauge: http://127.0.0.1:9878: expected a running driftgauge, got: timed out\n",
    )  # fmt: skip


def test_a_token_file_without_a_token(asked, tmp_path):
    (tmp_path / "token").write_text("\n")
    _, result = asked("history", "--model", "m", "--token-file", "token")
    assert result.stderr == "driftgauge: --token-file token: expected a token in the first line\n"


@pytest.mark.parametrize(("flags", "path"), [((), "/healthz"), (("--ready",), "/readyz")])
def test_health(asked, flags, path):
    found, result = asked("healthcheck", *flags)
    assert found[0][:2] == ("GET", path)
    assert (result.exit_code, result.output) == (0, "")
    assert asked("healthcheck", *flags, status=503, body=b"")[1].exit_code == 1


HISTORY = json.dumps(
    {
        "model": "m",
        "rows": [
            {"model_version": "1", "start": 1767225600.0, "seconds": 3600.0, "predictions": 10.0, "outcomes": 0.0},
            {"model_version": "1", "start": 1767229200.5, "seconds": 3600.0, "predictions": 20.0, "outcomes": 5.0,
             "quality": [{"name": "mae", "value": 1.5}]},
        ],
    }
).encode()  # fmt: skip


def test_history_is_a_table(asked):
    found, result = asked(
        "history", "--model", "m", "--since", "2026-01-01", "--until", "1767312000", body=HISTORY
    )
    assert found[0][1] == "/v1/models/m/history?start=1767225600.0&end=1767312000.0"
    assert result.stdout.splitlines() == [
        "model_version,start,seconds,predictions,outcomes,mae",
        "1,2026-01-01T00:00:00Z,3600.0,10.0,0.0,",
        "1,2026-01-01T01:00:00.500000Z,3600.0,20.0,5.0,1.5",
    ]


def test_history_as_json_lines(asked):
    _, result = asked("history", "--model", "m", "--format", "ndjson", body=HISTORY)
    assert json.loads(result.stdout.splitlines()[1]) == {
        "model_version": "1", "start": "2026-01-01T01:00:00.500000Z", "seconds": 3600.0,
        "predictions": 20.0, "outcomes": 5.0, "mae": 1.5,
    }  # fmt: skip


def test_an_answer_that_is_no_history(asked):
    _, result = asked("history", "--model", "m", body=b"[]")
    assert result.exit_code == 1
    assert result.stderr == "driftgauge: expected a history, got: Expected `object`, got `array`\n"


def test_a_socket_can_be_named(run):
    result = run("healthcheck", "--url", "unix:/nowhere.sock")
    assert result.stderr == (
        "driftgauge: unix:/nowhere.sock: expected a running driftgauge, got: No such file or directory\n"
    )


CHANGED = json.dumps(
    {"model": "a/b", "model_version": "2", "parts": [
        {"part": "inputs", "state": "frozen", "reference": "ab12", "records": 12345, "span_seconds": 172800.0,
         "note": "was unstable; alternate days differ in age"},
        {"part": "outputs", "state": "learning", "reference": "", "records": 0, "span_seconds": 0.0, "note": "begins"},
    ]}
).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (("accept", "a/b"), "/v1/models/a%2Fb/reference/accept"),
        (("accept", "a/b", "--version", "2"), "/v1/models/a%2Fb/reference/accept?model_version=2"),
        (("relearn", "a/b"), "/v1/models/a%2Fb/reference/relearn"),
        (("relearn", "a/b", "--window", "30d"), "/v1/models/a%2Fb/reference/relearn?window=2592000.000s"),
        (("relearn", "a/b", "--since", "1970-01-02"), "/v1/models/a%2Fb/reference/relearn?since=86400.0"),
    ],
)
def test_an_order_is_posted_and_its_answer_told(asked, words, target):
    found, result = asked("reference", *words, body=CHANGED)
    assert found[0][:2] == ("POST", target)
    assert result.stdout.splitlines() == [
        "a/b 2 inputs: frozen, ab12, 12,345 records over 2.0 days; was unstable; alternate days differ in age",
        "a/b 2 outputs: learning, begins",
    ]


def test_a_window_and_a_time_are_too_much(asked):
    found, result = asked("reference", "relearn", "m", "--window", "1d", "--since", "5")
    assert (result.exit_code, found) == (2, [])
    assert "expected --window or --since, got both" in result.stderr


def test_a_reference_is_exported_as_it_came(asked, tmp_path):
    row = LearningRow(3, {"f:x": NumericTally.of(np.array([1.0, 2.0, 3.0]), 1.0)})
    built = references.build({0: row}, first=0.0, last=43200.0, declared={}, category_limit=5)
    body = references.to_json(built)
    told = f"reference {built.id}: 1 features and outputs, 3 records over 0.5 days\n"
    found, result = asked("reference", "export", "m", body=body)
    assert found[0][:2] == ("GET", "/v1/models/m/reference")
    assert (result.stdout_bytes, result.stderr) == (body, told)
    _, result = asked("reference", "export", "m", "-o", "r.json", body=body)
    assert (result.stdout, result.stderr) == ("", told)
    assert (tmp_path / "r.json").read_bytes() == body
    _, result = asked("reference", "export", "m", "-o", "absent/r.json", body=body)
    assert result.stderr == "driftgauge: absent/r.json: can't be written: No such file or directory\n"
    _, result = asked("reference", "export", "m", body=b"[]")
    assert result.stderr.startswith("driftgauge: http://127.0.0.1:9877: expected a reference file, got: ")
