"""The careful reading of one record, decoded to plain objects, into the form's structure.

It is slower than the structure's own decoder by a factor of five and is asked only where that one
fails: it says what is wrong, takes what can be taken, and counts what can't.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from driftgauge.ingest.columns import UNNAMED, Spoilt
from driftgauge.ingest.fields import Key, Shape
from driftgauge.ingest.forms import Form, Part
from driftgauge.ingest.names import Bounds
from driftgauge.ingest.texts import cut
from driftgauge.ingest.wording import Fault, RefusedError, unreadable, wrong_type
from driftgauge.records import Label, Reason

# float() makes an infinity of 1e999, where msgspec's own reading gives up the whole text.
_DECODER: Final = msgspec.json.Decoder(float_hook=float)

UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)


def plain(text: bytes) -> object | Fault:
    """What *text* holds, or why it isn't JSON."""
    try:
        value: object = _DECODER.decode(text)
    except UNREADABLE as error:
        return unreadable(text, error)
    return value


def structure(form: Form, record: Mapping[str, object], spoilt: Spoilt) -> Struct:
    """*record* as *form* has it; what of it is not taken is counted in *spoilt*.

    Raises:
        RefusedError: a field other than a feature holds what it can't.
    """
    # In the fields' own order, so that of several faults each form of a body words the same one.
    values = {
        key.attribute: _READ[key.shape](record[name], key, form, spoilt)
        for name, key in form.keys.items()
        if name in record
    }
    unknown = sum(value is not None and name not in form.keys for name, value in record.items())
    if unknown:
        spoilt.ignored[Reason.UNKNOWN_KEY] += unknown
    return form.structure(**values)


def number(value: object) -> float | None:
    """*value* as a float, an infinity where it is too large; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _identifier(value: object, key: Key, _form: Form, _spoilt: Spoilt) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise wrong_type(key.field, "text or an integer", value)


def _time(value: object, key: Key, _form: Form, _spoilt: Spoilt) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    seconds = number(value)
    if seconds is None:
        raise wrong_type(key.field, "RFC 3339 text or epoch seconds", value)
    return seconds


def _model(value: object, key: Key, _form: Form, _spoilt: Spoilt) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(key.field, "text", value)


def _number(value: object, key: Key, _form: Form, _spoilt: Spoilt) -> float:
    if value is None:
        return math.nan
    found = number(value)
    if found is None:
        raise wrong_type(key.field, "a number", value)
    if math.isinf(found):
        raise RefusedError(Reason.OUT_OF_DOMAIN, f"{key.field}: expected a finite number, got another")
    return found


def _duration(value: object, key: Key, form: Form, spoilt: Spoilt) -> float:
    seconds = _number(value, key, form, spoilt)
    if seconds < 0.0:
        raise RefusedError(
            Reason.OUT_OF_DOMAIN,
            f"{key.field}: expected a number of at least 0, got a negative one",
        )
    return seconds


def _label(value: object, key: Key, form: Form, spoilt: Spoilt) -> Label:
    if isinstance(value, str):
        return cut(value, form.limits.label_characters)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, int | float):
        return _number(value, key, form, spoilt)
    raise wrong_type(key.field, "a number, text, or true or false", value)


def _shares(value: object, key: Key, form: Form, spoilt: Spoilt) -> dict[str, float | None] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wrong_type(key.field, "an object", value)
    return {name: None if each is None else _share(each, key, form, spoilt) for name, each in value.items()}


def _share(value: object, key: Key, form: Form, spoilt: Spoilt) -> float:
    found = _number(value, key, form, spoilt)
    if not 0.0 <= found <= 1.0:
        raise RefusedError(Reason.OUT_OF_DOMAIN, f"{key.field}: expected numbers in 0 to 1, got another")
    return found


def _error(value: object, key: Key, _form: Form, _spoilt: Spoilt) -> bool | str | dict[str, Any] | None:
    if value is None or isinstance(value, bool | str | dict):
        return value
    raise wrong_type(key.field, "text, an object, or true or false", value)


def _features(value: object, key: Key, form: Form, spoilt: Spoilt) -> Struct | None:
    def spoil(name: str, reason: Reason, values: int) -> None:
        spoilt.invalid[name, reason] += values

    return _nested(value, key, form.features, form.feature_bounds, spoil)


def _segments(value: object, key: Key, form: Form, spoilt: Spoilt) -> Struct | None:
    def spoil(_name: str, reason: Reason, values: int) -> None:
        spoilt.ignored[reason] += values

    return _nested(value, key, form.segments, form.segment_bounds, spoil)


def _nested(
    value: object, key: Key, part: Part, bounds: Bounds, spoil: Callable[[str, Reason, int], None]
) -> Struct | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wrong_type(key.field, "an object", value)
    strange = {k: v for k, v in value.items() if v is not None and k not in part.known}
    for reason, values in part.names.reasons(strange, bounds).items():
        spoil(UNNAMED, reason, values)
    taken: dict[str, Any] = {}
    for name in value.keys() & part.taken:
        each = value[name]
        if each is None:
            continue
        fit = number(each) if name in part.numbers else _scalar(each)
        if fit is None:
            spoil(name, Reason.WRONG_TYPE, 1)
        else:
            taken[part.attributes[name]] = fit
    return part.structure(**taken)


def _scalar(value: object) -> Label:
    return value if isinstance(value, bool | int | float | str) else None


_READ: Final[Mapping[Shape, Callable[[object, Key, Form, Spoilt], Any]]] = {
    Shape.IDENTIFIER: _identifier,
    Shape.TIME: _time,
    Shape.MODEL: _model,
    Shape.VERSION: _identifier,
    Shape.FEATURES: _features,
    Shape.LABEL: _label,
    Shape.NUMBER: _number,
    Shape.DURATION: _duration,
    Shape.SHARES: _shares,
    Shape.ERROR: _error,
    Shape.SEGMENTS: _segments,
    Shape.TRACE: _identifier,
}
