"""The certificate that TLS shows, read again when its files change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from driftgauge.injector.validity import Validity, validity

log = logging.getLogger(__name__)

_LONGEST_FILE: Final = 1 << 20


class Certificate:
    """A certificate and its key in two files, which a Secret's update or a renewal replaces.

    Each handshake is given the newest pair that could be used, and one that can't be is refused whole: the
    old one stays, and `fault` says so once it has expired. Connections that stand are left.

    Args:
        clock: wall time, epoch seconds.
    """

    def __init__(self, certificate: Path, key: Path, clock: Callable[[], float]) -> None:
        self._files = (certificate, key)
        self._clock = clock
        self._seen: tuple[bytes, bytes] | None = None
        self._current: ssl.SSLContext | None = None
        self._problem: str | None = "it was not read yet"
        self.validity: Validity | None = None
        self.context = _empty()
        self.context.sni_callback = self._choose

    def refresh(self) -> bool | None:
        """Look at the files: True when another pair is in use now, False when one could not be, else None."""
        try:
            found = self._read()
            if found == self._seen and self._problem is None:
                return None
            context, found_validity = self._loaded(found)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            return self._keep(_words(error))
        self._seen, self._current, self.validity, self._problem = found, context, found_validity, None
        log.info("certificate %s is in use", self._files[0])
        return True

    def _loaded(self, found: tuple[bytes, bytes]) -> tuple[ssl.SSLContext, Validity]:
        context = _empty()
        # A key that asks for a password would otherwise have it asked for on the terminal.
        context.load_cert_chain(*self._files, password="")
        if self._read() != found:
            raise ValueError("the files changed while they were read")
        return context, validity(found[0].decode("ascii"))

    def fault(self) -> str | None:
        """Why the API server can't trust what is shown; None when it can."""
        if self.validity is None:
            return f"no certificate: {self._problem}"
        now = self._clock()
        if now >= self.validity.not_after:
            return "the certificate has expired"
        return "the certificate is not valid yet" if now < self.validity.not_before else None

    def _read(self) -> tuple[bytes, bytes]:
        certificate, key = self._files
        for file in self._files:
            if file.stat().st_size > _LONGEST_FILE:
                raise ValueError(f"{file}: expected at most {_LONGEST_FILE} bytes")
        return certificate.read_bytes(), key.read_bytes()

    def _keep(self, problem: str) -> bool:
        if problem != self._problem:
            log.error("certificate %s can't be used: %s", self._files[0], problem)
        self._problem = problem
        return False

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
        """Called in each handshake, whether or not the client names a server."""
        if self._current is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._current
        return None


def _empty() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _words(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"expected a certificate and its key in PEM form: {error.reason or 'unreadable'}"
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or 'unreadable').lower()}"
    return str(error)
