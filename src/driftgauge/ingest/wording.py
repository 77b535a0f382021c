"""Words for what was refused; they name the place and the kind of value, never the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from driftgauge.records import Reason

SHOWN_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record or a request was refused, without saying which."""

    reason: Reason
    detail: str


class RefusedError(Exception):
    """A record that can't be taken; carries its `Fault`."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(reason, detail)


def shown(name: str) -> str:
    """*name* fit for a message: one line of printable characters, at most 64 of them."""
    cut = name if len(name) <= SHOWN_CHARACTERS else name[: SHOWN_CHARACTERS - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def kind(value: object) -> str:
    """What JSON calls *value*, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "an array"
        case _:
            return "an object"


def wrong_type(place: str, expected: str, value: object) -> RefusedError:
    """A value of another kind than the field's."""
    return RefusedError(Reason.WRONG_TYPE, f"{place}: expected {expected}, got {kind(value)}")


def too_long(field: str, characters: int) -> Fault:
    """A name that exceeds its limit."""
    return Fault(Reason.TOO_LONG, f"{field}: expected at most {characters} characters, got more")


def unreadable(text: bytes, error: Exception) -> Fault:
    """Why *text* isn't JSON; *error* is what the decoder made of it."""
    fault = _encoding_fault(text)
    if fault is not None:
        return fault
    if isinstance(error, RecursionError):
        return Fault(Reason.MALFORMED, "expected JSON, got it nested too deeply")
    words = str(error)
    if "out of range" in words:
        return Fault(Reason.OUT_OF_DOMAIN, "expected numbers of at most 4300 digits")
    if words == "Input data was truncated":
        return Fault(Reason.MALFORMED, "expected JSON, got it cut short")
    return Fault(Reason.MALFORMED, f"expected JSON, got {words.removeprefix('JSON is malformed: ')}")


def _encoding_fault(text: bytes) -> Fault | None:
    if text.startswith(b"\xef\xbb\xbf"):
        found = "a byte order mark before it"
    elif text.startswith((b"\xff\xfe", b"\xfe\xff")) or text[:2].count(0) == 1:
        found = "UTF-16"
    else:
        try:
            text.decode()
        except UnicodeDecodeError as invalid:
            found = f"an invalid byte (byte {invalid.start})"
        else:
            return None
    return Fault(Reason.MALFORMED, f"expected UTF-8, got {found}")
