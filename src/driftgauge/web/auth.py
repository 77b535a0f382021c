"""The bearer token of a door, read from a file that may change while the door is open."""

from __future__ import annotations

import hmac
import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from driftgauge.errors import RequestError
from driftgauge.records import Reason

log = logging.getLogger(__name__)

# A file's times may be this coarse: one that was written so shortly before it was read may have been
# written again since without a trace, and is read again at the next request.
COARSE_SECONDS = 2.0
LONGEST_FILE = 4096

_Stamp = tuple[int, int, int, int, int]


class TokenFile:
    """Lets through who shows the token in a file: its first line, without white space around it.

    The file is read again when its time, size or inode changes, so a token is rotated by replacing
    it. While it can't be read, or holds no token, the door is shut for everyone.

    Args:
        path: a regular file (or a link to one) of at most 4096 bytes.
        clock: wall time, epoch seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._stamp: _Stamp | None = None
        self._token = b""
        self._fault: str | None = None

    def fault(self) -> str | None:
        """Why the door is shut, in words without the token; None when it can be opened. Reads the file."""
        self._refresh()
        return self._fault

    def check(self, authorization: str | None) -> None:
        """Return if the header Authorization shows the token.

        The comparison takes the same time wherever two tokens begin to differ; their lengths are not
        kept secret. Cost: a stat of the file.

        Raises:
            RequestError: 401 without the right token, 503 while the file gives none.
        """
        self._refresh()
        if self._fault is not None:
            raise RequestError(
                503,
                Reason.FORBIDDEN,
                "the door is shut until its token file can be read; its log says why",
                retry_after_seconds=30,
            )
        scheme, _, shown = (authorization or "").partition(" ")
        token = shown.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token, self._token):
            found = "another token" if scheme.lower() == "bearer" else "none"
            raise RequestError(
                401, Reason.UNAUTHORIZED, f"expected the header Authorization: Bearer <token>, got {found}"
            )

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
            if stamp == self._stamp:
                return
            self._token = _read(self._path, found)
        except OSError as error:
            self._shut(f"{self._path}: {(error.strerror or 'unreadable').lower()}")
        except ValueError as error:
            self._shut(f"{self._path}: {error}")
        else:
            settled = self._clock() - max(found.st_mtime, found.st_ctime) > COARSE_SECONDS
            self._stamp = stamp if settled else None
            if self._fault is not None:
                log.info("token file %s can be read again", self._path)
            self._fault = None

    def _shut(self, fault: str) -> None:
        if fault != self._fault:
            log.error("a door is shut: token file %s", fault)
        self._fault = fault
        self._stamp = None
        self._token = b""


def _read(path: Path, found: os.stat_result) -> bytes:
    """The token in *path*.

    Raises:
        OSError: it can't be read.
        ValueError: it is no regular file, too long, or holds no token.
    """
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("expected a regular file")
    if found.st_size > LONGEST_FILE:
        raise ValueError(f"expected at most {LONGEST_FILE} bytes, got {found.st_size}")
    token = path.read_bytes().partition(b"\n")[0].strip()
    if not token:
        raise ValueError("expected a token in the first line, got an empty one")
    return token
