"""What the doors for records answer, status by status."""

import gzip
import json
import socket
import threading
import time
import zlib
from http.client import HTTPConnection

import pytest

from driftgauge.config import Bytes, Durability, Intake, Store
from driftgauge.errors import RequestError
from driftgauge.records import Answer, Kind, Media, Reason, Rejection, Request

LIMITS = Intake(listen="127.0.0.1:0", max_body=Bytes(100_000), max_inflated=Bytes(200_000))


def refused(n: int) -> tuple[Rejection, ...]:
    return tuple(Rejection(0, i, Reason.WRONG_TYPE, f"score: expected a number {i}") for i in range(n))


def test_what_was_committed_is_told(served):
    served.intake.answer = Answer(accepted=2, duplicates=1)
    reply = served.post(body=b'[{"score":0.5}]')
    assert (reply.status, reply.json()) == (
        200,
        {"accepted": 2, "duplicates": 1, "rejected": [], "rejected_total": 0},
    )
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Server"] == "driftgauge"
    assert served.intake.requests == [Request(Kind.PREDICTIONS, Media.JSON, b'[{"score":0.5}]')]
    assert served.counts.paths == ["/v1/predictions"]
    assert served.counts.reasons == []


def test_outcomes_go_their_own_way(served):
    assert served.post("/v1/outcomes").status == 200
    assert served.intake.requests[0].kind is Kind.OUTCOMES
    assert served.counts.paths == ["/v1/outcomes"]


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}])
def test_the_prebuilt_answer_is_the_ordinary_one(served, headers):
    served.intake.answer = Answer(accepted=12, duplicates=3)
    reply = served.post(**headers)
    assert reply.json() == {"accepted": 12, "duplicates": 3, "rejected": [], "rejected_total": 0}
    assert set(reply.headers.keys()) - {"Connection"} == {
        "Server",
        "Content-Type",
        "Cache-Control",
        "X-Content-Type-Options",
        "Date",
        "Content-Length",
    }


def test_one_connection_carries_many_requests(served):
    connection = HTTPConnection(*served.address(), timeout=60)
    for _ in range(3):
        connection.request("POST", "/v1/predictions", b"{}", {"Content-Type": "application/json"})
        assert connection.getresponse().read().startswith(b'{"accepted":1')
    connection.close()


def test_http_1_0_is_answered_and_closed(served):
    reply = served.raw(b"POST /v1/predictions HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    assert reply.startswith(b"HTTP/1.0 200 OK\r\n")
    assert reply.endswith(b'{"accepted":1,"duplicates":0,"rejected":[],"rejected_total":0}')


def test_memory_answers_202(serve):
    served = serve(store=Store(durability=Durability.MEMORY))
    assert served.post().status == 202
    served.intake.answer = Answer(accepted=1, rejected=refused(1))
    assert served.post().status == 202


def test_refused_records_stand_beside_the_accepted(served):
    served.intake.answer = Answer(accepted=1, duplicates=2, rejected=refused(2))
    reply = served.post()
    assert reply.status == 200
    assert reply.json() == {
        "accepted": 1,
        "duplicates": 2,
        "rejected": [
            {"index": 0, "reason": "wrong_type", "detail": "score: expected a number 0"},
            {"index": 1, "reason": "wrong_type", "detail": "score: expected a number 1"},
        ],
        "rejected_total": 2,
    }


@pytest.mark.parametrize(("count", "listed"), [(100, 100), (101, 100), (100_000, 100)])
def test_at_most_100_refused_records_are_listed(served, count, listed):
    served.intake.answer = Answer(accepted=1, rejected=refused(count))
    told = served.post().json()
    assert (len(told["rejected"]), told["rejected_total"]) == (listed, count)


def test_nothing_valid_is_422_with_the_same_list(served):
    served.intake.answer = Answer(rejected=refused(101))
    reply = served.post()
    assert reply.problem() == (422, "nothing_valid", "none of the 101 records was taken")
    assert (len(reply.json()["rejected"]), reply.json()["rejected_total"]) == (100, 101)
    assert served.counts.reasons == ["nothing_valid"]


def test_duplicates_beside_refused_records_are_no_error(served):
    served.intake.answer = Answer(duplicates=1, rejected=refused(1))
    assert served.post().status == 200


def test_an_empty_list_is_no_error(served):
    served.intake.answer = Answer()
    assert served.post(body=b"[]").json()["accepted"] == 0


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (RequestError(400, Reason.MALFORMED, "line 1: expected JSON"), None),
        (RequestError(429, Reason.OVERLOADED, "the queue is full", retry_after_seconds=0.2), "1"),
        (RequestError(503, Reason.STORE, "the store can't write", retry_after_seconds=4.2), "5"),
    ],
)
def test_what_the_port_refuses_is_told_and_counted(served, error, header):
    served.intake.error = error
    reply = served.post()
    assert reply.problem() == (error.status, error.reason, error.detail)
    assert reply.headers["Retry-After"] == header
    assert served.counts.reasons == [error.reason]
    assert served.counts.paths == ["/v1/predictions"]


def test_a_full_door_refuses_before_it_reads_the_body(served):
    served.intake.closed = RequestError(429, Reason.OVERLOADED, "the queue is full", retry_after_seconds=2)
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\nConnection: close\r\n\r\n"
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(head)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"\r\nRetry-After: 2\r\n" in answer
    assert served.intake.requests == []


def test_a_bug_is_500_and_says_nothing_of_itself(served, caplog):
    served.intake.error = ValueError("secret payload")
    assert served.post().problem() == (
        500,
        "internal",
        "the request failed inside driftgauge; its log says where",
    )
    assert served.counts.reasons == ["internal"]
    assert "ValueError at " in caplog.text
    assert "secret" not in caplog.text
    served.intake.error = None
    assert served.post().status == 200


@pytest.mark.parametrize(
    ("given", "media"),
    [
        (None, Media.JSON),
        ("", Media.JSON),
        ("application/json", Media.JSON),
        ('Application/JSON ; Charset="UTF-8"', Media.JSON),
        ("application/json; charset=us-ascii; q=1", Media.JSON),
        ("application/x-ndjson", Media.NDJSON),
        ("application/ndjson; charset=utf8", Media.NDJSON),
        ("application/jsonl", Media.NDJSON),
    ],
)
def test_the_media_types_that_are_taken(served, given, media):
    headers = {} if given is None else {"Content-Type": given}
    assert served.ask("POST", "/v1/predictions", b"{}", headers).status == 200
    assert served.intake.requests[0].media is media


@pytest.mark.parametrize(
    "given", ["text/plain", "application/xml", "application/json,text/plain", "\xff", "json"]
)
def test_other_media_types_are_415(served, given):
    status, reason, detail = served.post(Content_Type=given).problem()
    assert (status, reason) == (415, "unsupported_media_type")
    assert detail == (
        "Content-Type: expected one of application/json, application/x-ndjson, application/ndjson, "
        "application/jsonl, got another one"
    )
    assert served.intake.requests == []


def test_what_curl_sends_by_itself_is_told_what_to_add(served):
    _, _, detail = served.post(Content_Type="application/x-www-form-urlencoded").problem()
    assert detail.endswith("with curl, add -H 'Content-Type: application/json'")


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", '""', "utf-8x"])
def test_other_charsets_are_415(served, charset):
    assert served.post(Content_Type=f"application/json; charset={charset}").problem() == (
        415,
        "unsupported_media_type",
        "Content-Type: expected charset utf-8, got another one",
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip_is_inflated(served, encoding):
    body = b'{"score":0.5}' * 1000
    assert served.post(body=gzip.compress(body), Content_Encoding=encoding).status == 200
    assert served.intake.requests[0].body == body


def test_identity_is_what_it_is(served):
    assert served.post(body=b"{}", Content_Encoding="identity").status == 200
    assert served.intake.requests[0].body == b"{}"


def test_gzip_of_several_members_is_one_body(served):
    body = gzip.compress(b"[1,") + gzip.compress(b"", mtime=0) + gzip.compress(b"2]")
    served.post(body=body, Content_Encoding="gzip")
    assert served.intake.requests[0].body == b"[1,2]"


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "compress", "\xff"])
def test_other_encodings_are_415(served, encoding):
    reply = served.post(body=b"{}", Content_Encoding=encoding)
    assert reply.problem() == (
        415,
        "unsupported_encoding",
        "Content-Encoding: expected gzip or identity, got another one",
    )
    assert reply.headers["Accept-Encoding"] == "gzip, identity"


def test_an_encoding_said_twice_is_415(served):
    reply = served.raw(
        b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    assert reply.startswith(b"HTTP/1.1 415 ")


PACKED = gzip.compress(b'{"score":0.5}' * 100, mtime=0)
CUT_OFF = "gzip: the body ends before its stream does"
NO_GZIP = "gzip: the body is not a gzip stream"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (PACKED[:-1], CUT_OFF),
        (PACKED[:12], CUT_OFF),
        (PACKED[:2], CUT_OFF),
        (b"{}", NO_GZIP),
        (PACKED + b"tail", NO_GZIP),
        (PACKED[:-8] + b"\0" * 8, NO_GZIP),
        (zlib.compress(b"{}"), NO_GZIP),
        (gzip.compress(b"", mtime=0) * 1000, "gzip: expected at most 100 members"),
    ],
)
def test_broken_gzip_is_400(served, body, detail):
    assert served.post(body=body, Content_Encoding="gzip").problem() == (400, "malformed", detail)
    assert served.intake.requests == []


@pytest.mark.parametrize("length", [0, None])
def test_an_empty_body_is_400(served, length):
    body = b"" if length == 0 else None
    assert served.post(body=body).problem() == (400, "malformed", "expected a body, got none")
    assert served.post(body=gzip.compress(b"", mtime=0), Content_Encoding="gzip").status == 400


TOO_LARGE = (413, "too_large", "expected a body of at most 100000 bytes, got more")


@pytest.mark.parametrize(("size", "status"), [(100_000, 200), (100_001, 413), (5_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_at_the_limit_one_over_and_far_over(serve, size, status, chunked):
    served = serve(intake=LIMITS)
    body = b"x" * size
    pieces = (body[i : i + 60_000] for i in range(0, size, 60_000))
    reply = served.post(body=pieces if chunked else body)
    assert reply.status == status
    if status == 413:
        assert reply.problem() == TOO_LARGE
    else:
        assert served.intake.requests[0].body == body


def test_a_chunked_body_that_comes_at_once_is_held_to_the_limit(serve):
    served = serve(intake=Intake(listen="127.0.0.1:0", max_body=Bytes(10)))
    reply = served.raw(
        b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"b\r\n01234567890\r\n0\r\n\r\n"
    )
    assert reply.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(("size", "status"), [(200_000, 200), (200_001, 413), (50_000_000, 413)])
def test_what_gzip_holds_at_the_limit_one_over_and_far_over(serve, size, status):
    served = serve(intake=LIMITS)
    reply = served.post(body=gzip.compress(b" " * size), Content_Encoding="gzip")
    assert reply.status == status
    if status == 413:
        told = (413, "too_large", "expected a body of at most 200000 bytes after gzip, got more")
        assert reply.problem() == told


def test_bodies_that_come_at_once_hold_no_more_than_the_queue(serve):
    served = serve(intake=Intake(listen="127.0.0.1:0", max_body=Bytes(150_000), queue=Bytes(200_000)))
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\n\r\n"
    connections = [socket.create_connection(served.address(), timeout=60) for _ in range(2)]
    try:
        for connection in connections:
            connection.sendall(head + b"x" * 149_999)
        # Whichever came second finds no room; the other one may end.
        answers = []
        for connection in connections:
            connection.settimeout(0.5)
            try:
                answers.append(connection.recv(65536))
            except TimeoutError:
                connection.settimeout(60)
                connection.sendall(b"x")
                answers.append(connection.recv(65536))
        assert sorted(answer[:12] for answer in answers) == [b"HTTP/1.1 200", b"HTTP/1.1 429"]
    finally:
        for connection in connections:
            connection.close()


def test_a_slow_body_is_408(served):
    bodies = next(r.handler.__self__ for r in served.doors._doors[0].routes if r.method == "POST")._bodies
    bodies._seconds = 0.05
    reply = served.raw(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come within 0.05 s" in reply
    assert bodies._held == 0


def test_a_client_that_goes_away_in_its_body_is_counted_and_forgotten(served):
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    deadline = time.monotonic() + 60
    while not served.counts.reasons and time.monotonic() < deadline:
        served.get("/healthz")
    assert served.counts.reasons == ["malformed"]
    assert served.intake.requests == []


def test_the_port_is_told_of_bodies_on_their_way_and_of_each_one_s_end(served):
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
    assert served.raw(head + b"0123456789").startswith(b"HTTP/1.1 200 ")
    assert served.intake.bodies_coming == []  # it was there with its head
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(head + b"01234")
        wait_until(lambda: served.intake.bodies_coming == [1])
        connection.sendall(b"56789")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert served.intake.bodies_coming == [1, -1]
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(head + b"01234")
        wait_until(lambda: served.intake.bodies_coming == [1, -1, 1])
    wait_until(lambda: served.intake.bodies_coming == [1, -1, 1, -1])


def wait_until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_client_that_goes_away_does_not_stop_its_commit(served):
    served.intake.gate = threading.Event()
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert served.intake.entered.wait(10)
    served.intake.gate.set()
    deadline = time.monotonic() + 60
    while not served.counts.paths and time.monotonic() < deadline:
        served.get("/healthz")
    assert served.counts.paths == ["/v1/predictions"]
    assert served.counts.reasons == []


def test_a_client_that_asks_first_is_told_to_go_on(served):
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_asks_first_is_refused_before_it_sends(serve):
    served = serve(intake=LIMITS)
    head = (
        b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_another_expectation_is_417(served):
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n"
    assert served.raw(head).startswith(b"HTTP/1.1 417 ")


@pytest.mark.parametrize("key", ["abc", '"abc"', "x" * 255])
def test_an_idempotency_key_is_passed_on(served, key):
    served.post(Idempotency_Key=key)
    assert served.intake.requests[0].idempotency_key == key


@pytest.mark.parametrize(
    ("key", "reason", "detail"),
    [
        ("x" * 256, "too_long", "Idempotency-Key: expected at most 255 characters, got 256"),
        ("x" * 8000, "too_long", "Idempotency-Key: expected at most 255 characters, got 8000"),
        ("", "out_of_domain", "Idempotency-Key: expected 1 to 255 printable characters"),
        ("a\tb", "out_of_domain", "Idempotency-Key: expected 1 to 255 printable characters"),
        ("\xff", "out_of_domain", "Idempotency-Key: expected 1 to 255 printable characters"),
    ],
)
def test_a_key_that_is_none_is_400(served, key, reason, detail):
    assert served.post(Idempotency_Key=key).problem() == (400, reason, detail)


def test_a_web_page_of_another_origin_is_403(served):
    host, port = served.address()
    for origin in ("http://evil.example", "null", f"http://{host}:{port}.evil.example"):
        assert served.post(Origin=origin).problem() == (
            403,
            "forbidden",
            "Origin: expected none, got a web page's",
        )
    assert served.post(Origin=f"http://{host}:{port}").status == 200


def test_every_naughty_string_in_a_body_reaches_the_port_as_it_is(served, data):
    strings = json.loads(gzip.decompress((data / "robustness" / "naughty_strings.json.gz").read_bytes()))
    connection = HTTPConnection(*served.address(), timeout=60)
    for text in strings:
        body = text.encode() or b" "
        connection.request("POST", "/v1/predictions", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert (response.status, response.read()[:13]) == (200, b'{"accepted":1')
        assert served.intake.requests[-1].body == body
    connection.close()
