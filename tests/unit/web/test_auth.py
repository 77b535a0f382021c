"""Token files: who is let in, and what happens when the file changes."""

import os

import pytest

from driftgauge.config import Intake, Observation, Outside
from driftgauge.errors import RequestError
from driftgauge.web.auth import TokenFile

ASKED = "expected the header Authorization: Bearer <token>, got none"
OTHER = "expected the header Authorization: Bearer <token>, got another token"
SHUT = "the door is shut until its token file can be read; its log says why"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "token"
    file.write_text("secret\n")
    return file


def refused(token: TokenFile, header: str | None) -> tuple[int, str, str]:
    with pytest.raises(RequestError) as caught:
        token.check(header)
    return caught.value.status, caught.value.reason, caught.value.detail


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", "BEARER   secret "])
def test_the_token_lets_in(path, header):
    TokenFile(path).check(header)


@pytest.mark.parametrize("content", ["secret", "  secret  \r\n", "secret\nanother line\n"])
def test_the_token_is_the_first_line_without_white_space(path, content):
    path.write_bytes(content.encode())
    TokenFile(path).check("Bearer secret")


@pytest.mark.parametrize("header", [None, "", "secret", "Basic secret", "Bearersecret"])
def test_without_a_token_it_is_401(path, header):
    assert refused(TokenFile(path), header) == (401, "unauthorized", ASKED)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer Secret", "Bearer secret2", "Bearer \udcff"])
def test_with_another_token_it_is_401(path, header):
    assert refused(TokenFile(path), header) == (401, "unauthorized", OTHER)


def test_a_token_of_other_letters_works(path):
    path.write_bytes("geheimnis-ü".encode())
    TokenFile(path).check("Bearer geheimnis-ü")


def test_a_token_is_rotated_by_replacing_the_file(path):
    token = TokenFile(path)
    token.check("Bearer secret")
    fresh = path.with_name("fresh")
    fresh.write_text("second")
    fresh.replace(path)
    token.check("Bearer second")
    assert refused(token, "Bearer secret")[0] == 401


def test_a_token_is_rotated_by_writing_the_file(path):
    token = TokenFile(path)
    token.check("Bearer secret")
    path.write_text("longer secret")
    token.check("Bearer longer secret")


def test_a_change_that_leaves_times_and_size_is_seen_while_the_file_is_young(path):
    now = path.stat().st_mtime
    token = TokenFile(path, clock=lambda: now + 1)
    token.check("Bearer secret")
    stamp = path.stat()
    path.write_text("SECRET\n")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    token.check("Bearer SECRET")


def test_a_file_that_did_not_change_is_not_read_again(path, monkeypatch):
    now = path.stat().st_mtime
    token = TokenFile(path, clock=lambda: now + 100)
    token.check("Bearer secret")
    monkeypatch.setattr("driftgauge.web.auth._read", None)
    token.check("Bearer secret")


def test_a_link_is_followed_to_the_file_it_points_to_now(tmp_path, path):
    other = tmp_path / "other"
    other.write_text("second")
    link = tmp_path / "link"
    link.symlink_to(path)
    token = TokenFile(link)
    token.check("Bearer secret")
    link.unlink()
    link.symlink_to(other)
    token.check("Bearer second")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "no such file or directory"),
        (b"", "expected a token in the first line, got an empty one"),
        (b"\nsecret\n", "expected a token in the first line, got an empty one"),
        (b"x" * 4097, "expected at most 4096 bytes, got 4097"),
    ],
)
def test_a_file_that_gives_no_token_shuts_the_door(path, content, fault, caplog):
    token = TokenFile(path)
    token.check("Bearer secret")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert refused(token, "Bearer secret") == (503, "forbidden", SHUT)
    assert refused(token, "Bearer ") == (503, "forbidden", SHUT)
    assert token.fault() == f"{path}: {fault}"
    assert caplog.text.count(fault) == 1
    path.write_text("secret")
    token.check("Bearer secret")
    assert token.fault() is None


def test_a_pipe_is_no_token_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert TokenFile(tmp_path / "pipe").fault() == f"{tmp_path}/pipe: expected a regular file"


def test_no_secret_is_logged(path, caplog):
    caplog.set_level("DEBUG")
    token = TokenFile(path)
    refused(token, "Bearer guessed")
    path.unlink()
    refused(token, "Bearer guessed")
    path.write_text("secret")
    token.check("Bearer secret")
    assert "secret" not in caplog.text.replace(str(path), "")
    assert "guessed" not in caplog.text


def test_a_door_with_a_token_asks_for_it(serve, path):
    served = serve(intake=Intake(listen="127.0.0.1:0", token_file=path))
    reply = served.post()
    assert reply.problem() == (401, "unauthorized", ASKED)
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="driftgauge"'
    assert served.counts.reasons == ["unauthorized"]
    assert served.intake.requests == []
    assert served.post(Authorization="Bearer secret").status == 200
    assert served.get("/metrics").status == 401
    assert served.get("/metrics", Authorization="Bearer secret").status == 200


def test_the_other_door_is_not_touched_by_it(serve, path):
    served = serve(intake=Intake(listen="127.0.0.1:0", token_file=path))
    assert served.get("/metrics", door="observation").status == 200


def test_probes_need_no_token(serve, path):
    served = serve(observation=Observation(listen="127.0.0.1:00", token_file=path))
    assert served.get("/healthz", door="observation").status == 200
    assert served.get("/readyz", door="observation").status == 200
    assert served.get("/metrics", door="observation").status == 401


def test_a_shut_door_says_when_to_come_again(serve, path):
    served = serve(intake=Intake(listen="127.0.0.1:0", token_file=path))
    path.unlink()
    reply = served.post(Authorization="Bearer secret")
    assert reply.problem() == (503, "forbidden", SHUT)
    assert reply.headers["Retry-After"] == "30"
    assert served.doors.states()[0].fault == f"intake.token_file {path}: no such file or directory"


def test_a_header_that_is_no_text_is_401(serve, path):
    served = serve(outside=Outside(listen="127.0.0.1:0", token_file=path))
    reply = served.raw(
        b"POST /v1/outcomes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
        door="outside",
    )
    assert reply.startswith(b"HTTP/1.1 401 ")
