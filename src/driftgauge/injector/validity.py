"""From when until when a certificate holds, from its DER: the standard library tells only of a peer's."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


@dataclass(frozen=True, slots=True)
class Validity:
    """Both in epoch seconds."""

    not_before: float
    not_after: float


def validity(pem: str) -> Validity:
    """Of the first certificate in a PEM text, the server's own.

    Raises:
        ValueError: there is none, or it is broken.

    Source: RFC 5280, 4.1. Checked against the library cryptography.
    """
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("expected a certificate in PEM form, got none")
    der = ssl.PEM_cert_to_DER_cert(found[0])
    try:
        return _read(der)
    except IndexError:
        raise ValueError("expected a certificate, got something shorter") from None


def _read(der: bytes) -> Validity:
    _, certificate, _ = _element(der)
    _, signed, _ = _element(certificate)
    tag, _, rest = _element(signed)
    # serialNumber, signature and issuer stand before validity; an explicit version before them.
    for _ in range(3 if tag == _VERSION else 2):
        _, _, rest = _element(rest)
    tag, both, _ = _element(rest)
    if tag != _SEQUENCE:
        raise ValueError("expected a certificate's validity, got something else")
    tag, begin, rest = _element(both)
    end_tag, end, _ = _element(rest)
    return Validity(_time(tag, begin), _time(end_tag, end))


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """The tag, the content and what follows of the first element."""
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if len(der) < start + length:
        raise IndexError("an element is longer than what is there")
    return der[0], der[start : start + length], der[start + length :]


def _time(tag: int, content: bytes) -> float:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of a year: 50 to 99 are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("expected a time, got something else")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
