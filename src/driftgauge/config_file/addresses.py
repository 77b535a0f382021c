"""Addresses to listen on: ``host:port``, ``[::1]:port`` or ``unix:/path``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})\Z")
_UNIX_PATH_BYTES = 107  # sun_path of Linux, less its closing zero


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host name or IP address and a port; port 0 is any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: str


Address: TypeAlias = TcpAddress | UnixAddress


def parse_address(text: str) -> Address:
    """The address that *text* names.

    Raises:
        ValueError: *text* is none; the message completes "expected ...".
    """
    if text.startswith("unix:"):
        return UnixAddress(_socket_path(text.removeprefix("unix:")))
    match = _HOST_PORT.match(text)
    if match is None:
        raise ValueError("host:port, [ipv6]:port or unix:/path")
    port = int(match[3])
    if port > 65535:
        raise ValueError("a port from 0 to 65535")
    return TcpAddress(match[1] or match[2], port)


def _socket_path(path: str) -> str:
    if not PurePosixPath(path).is_absolute() or "\0" in path:
        raise ValueError("an absolute path after unix:")
    if len(path.encode("utf-8", "surrogatepass")) > _UNIX_PATH_BYTES:
        raise ValueError(f"a socket path of at most {_UNIX_PATH_BYTES} bytes")
    return path
