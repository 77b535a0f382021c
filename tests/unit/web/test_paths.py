"""Paths, methods, and what is not HTTP: every error is problem+json."""

import gzip
import json
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

NOWHERE = (404, "not_found", "there is nothing at this path; /openapi.json lists all")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v1",
        "/v1/",
        "/v2/models",
        "/metrics/",
        "//metrics",
        "/v1/models/",
        "/v1/models//history",
        "/v1/models/a/b/c",
        "/..%2f..%2fetc/passwd",
        "/%ff%fe",
        "/v1/predictions;x=1",
    ],
)
def test_a_path_that_is_not_there_is_404(served, path):
    assert served.get(path).problem() == NOWHERE
    assert served.counts.reasons == ["not_found"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/predictions", "POST"),
        ("PUT", "/v1/outcomes", "POST"),
        ("POST", "/metrics", "GET, HEAD"),
        ("DELETE", "/v1/models/churn", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("PATCH", "/", "GET, HEAD"),
    ],
)
def test_another_method_is_405_with_those_that_are_there(served, method, path, allowed):
    reply = served.ask(method, path)
    assert reply.problem() == (405, "method_not_allowed", f"expected one of {allowed}, got {method}")
    assert reply.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "message",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
        b"what is this\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/predictions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
)
def test_what_is_not_http_is_400_and_closed(served, message):
    reply = served.raw(message)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"400"
    assert b"application/problem+json" in head
    assert json.loads(body) == {
        "type": "urn:driftgauge:problem:malformed",
        "title": "Bad Request",
        "status": 400,
        "detail": "expected a request of HTTP/1.1, got something else",
        "reason": "malformed",
    }
    assert served.counts.reasons == ["malformed"]


@pytest.mark.parametrize(
    "message",
    [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
def test_a_line_that_is_too_long_is_400(served, message):
    reply = served.raw(message)
    assert b" 400 Bad Request\r\n" in reply
    assert b"expected a request line and headers of at most 8190 bytes each" in reply


def test_broken_chunks_are_400(served):
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunks in (b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}X\r\n0\r\n\r\n"):
        reply = served.raw(head + chunks)
        assert b" 400 Bad Request\r\n" in reply
        assert b"application/problem+json" in reply
    assert served.intake.requests == []


def test_every_naughty_string_in_a_path_a_query_or_a_header_is_no_5xx(served, data):
    strings = json.loads(gzip.decompress((data / "robustness" / "naughty_strings.json.gz").read_bytes()))
    connection = HTTPConnection(*served.address(), timeout=60)

    def status(path: str, **headers: str) -> int:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status

    for text in strings:
        hostile = quote(text, safe="")
        assert status(f"/v1/models/{hostile}") == 404
        assert status(f"/v1/models/a?model_version={hostile}") == 404
        assert status(f"/v1/models/a/history?start={hostile}") in {200, 400}
        header = "".join(c for c in text if c.isprintable()).encode().decode("latin-1")
        assert status(
            "/metrics", **{"Authorization": header, "Accept": header, "Accept-Encoding": header}
        ) in {200, 400}
    connection.close()
    assert "internal" not in served.counts.reasons


def test_a_name_with_a_slash_reaches_its_model(served):
    served.observation.rows = ()
    assert served.get("/v1/models/a%2Fb%20%C3%BC%25/history").json() == {"model": "a/b ü%", "rows": []}
    assert served.observation.asked[0].model == "a/b ü%"
