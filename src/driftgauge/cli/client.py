"""Requests to a running process, over TCP or a Unix socket, with one-line errors."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from driftgauge.errors import DriftgaugeError

_LARGEST_ANSWER = 256 << 20


def request_error(text: str) -> DriftgaugeError:
    """A failed request in one line."""
    return DriftgaugeError(text)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Asks the process at *url*: ``http://host:port``, with a path before ours if need be, or
    ``unix:/path``.

    Args:
        token_file: its first line is sent as the bearer token.
    """

    def __init__(self, url: str, token_file: Path | None, timeout: float = 30.0) -> None:
        self._url = url
        self._token_file = token_file
        self._timeout = timeout

    def ask(
        self,
        method: str,
        path: tuple[str, ...],
        model_version: str | None = None,
        **query: str | float | None,
    ) -> bytes:
        """The body of a 2xx answer.

        Raises:
            DriftgaugeError: nobody answers, or the answer is another one; its detail in the message.
        """
        connection, prefix = self._connection()
        given = {"model_version": model_version, **query}
        text = urlencode({name: value for name, value in given.items() if value is not None})
        target = prefix + "/" + "/".join(quote(part, safe="") for part in path) + (f"?{text}" if text else "")
        headers = {"Accept": "application/json", **self._authorization()}
        try:
            connection.request(method, target, headers=headers)
            answer = connection.getresponse()
            body = answer.read(_LARGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            found = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise request_error(f"{self._url}: expected a running driftgauge, got: {found}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise request_error(
                f"{self._url}: {method} {target}: {answer.status} {_detail(body, answer.reason)}"
            )
        return body

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        if self._url.startswith("unix:"):
            return _SocketConnection(self._url.removeprefix("unix:"), self._timeout), ""
        try:
            parts = urlsplit(self._url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in {"http", "https"} or host is None:
            raise request_error(f"--url: expected http://host:port or unix:/path, got {self._url!r}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(host, port, timeout=self._timeout), parts.path.rstrip("/")

    def _authorization(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = self._token_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            found = getattr(error, "strerror", None) or "bytes that are not UTF-8"
            raise request_error(f"--token-file {self._token_file}: can't be read: {found}") from error
        if not token:
            raise request_error(f"--token-file {self._token_file}: expected a token in the first line")
        return {"Authorization": f"Bearer {token}"}


def _detail(body: bytes, reason: str) -> str:
    """What a problem document says, on one line."""
    try:
        problem = json.loads(body)
    except ValueError:
        return reason
    found = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else None
    return " ".join(str(found).split()) if found else reason
