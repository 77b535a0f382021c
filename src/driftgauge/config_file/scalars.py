"""Single values: how each type is written, read and written again.

A parser takes the written text and raises `ValueError` whose message completes "expected ...".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import cast

from driftgauge.config import Bytes, Ratio, Seconds
from driftgauge.config_alerts import Bound, OfWindows, Unit
from driftgauge.config_file.fault import either
from driftgauge.config_file.nodes import ScalarNode

SECONDS_PER_UNIT: Mapping[str, float] = MappingProxyType(
    {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
)
BYTES_PER_UNIT: Mapping[str, int] = MappingProxyType({"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30})

# Bounded digits: never infinite, and no cost to speak of.
_DIGITS = r"([0-9]{1,18}(?:\.[0-9]{1,30})?)"
_DURATION = re.compile(_DIGITS + r"(ms|s|m|h|d|w)\Z")
_SIZE = re.compile(_DIGITS + r"(B|KiB|MiB|GiB)\Z")
_PERCENTAGE = re.compile(_DIGITS + r"%\Z")
_DEVIATIONS = re.compile(r"([-+]?[0-9]{1,18}(?:\.[0-9]{1,30})?) ?sd\Z")
_SHARE = re.compile(r"([-+]?[0-9]{1,18}(?:\.[0-9]{1,30})?)%\Z")
_OF_WINDOWS = re.compile(r"([0-9]{1,3}) of ([0-9]{1,3})\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,17})\Z")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
_BOOLEANS = MappingProxyType(
    {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
)


def parse_duration(text: str) -> Seconds:
    """Seconds of ``250ms``, ``30s``, ``15m``, ``1.5h``, ``7d`` or ``2w``; a bare ``60`` is refused."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError("a duration with its unit (ms, s, m, h, d or w) such as 30s")
    number, unit = float(match[1]), match[2]
    # Division is exact where multiplication by 0.001 is not.
    return Seconds(number / 1000 if unit == "ms" else number * SECONDS_PER_UNIT[unit])


def parse_size(text: str) -> Bytes:
    """Bytes of ``512B``, ``64KiB``, ``8MiB`` or ``1.5GiB``; powers of 1000 are refused."""
    match = _SIZE.match(text)
    if match is None:
        raise ValueError("a size with its unit (B, KiB, MiB or GiB) such as 8MiB")
    size = Decimal(match[1]) * BYTES_PER_UNIT[match[2]]
    if size != size.to_integral_value():
        raise ValueError("a whole number of bytes")
    return Bytes(int(size))


def parse_ratio(text: str) -> Ratio:
    """A share from 0 to 1, written ``10%`` or ``0.1``."""
    match = _PERCENTAGE.match(text)
    try:
        ratio = float(match[1]) / 100 if match else parse_number(text)
    except ValueError:
        ratio = math.nan
    if not 0 <= ratio <= 1:
        raise ValueError("a ratio from 0 to 1, or 0% to 100%, such as 10%")
    return Ratio(ratio)


def parse_bound(text: str) -> Bound:
    """A limit: ``70%``, ``0.25``, ``0.5 sd``, ``250ms``."""
    if match := _SHARE.match(text):
        # Of the decimals, so that 70% is the float that 0.7 is.
        return Bound(float(Decimal(match[1]) / 100), Unit.PERCENT)
    if match := _DEVIATIONS.match(text):
        return Bound(float(match[1]), Unit.DEVIATIONS)
    if _DURATION.match(text):
        return Bound(parse_duration(text), Unit.SECONDS)
    try:
        return Bound(parse_number(text))
    except ValueError:
        raise ValueError("a limit such as 10%, 0.25, 0.5 sd or 250ms") from None


def bound_text(bound: Bound) -> str:
    """A limit as a file has it."""
    if bound.unit is Unit.PERCENT:
        return f"{_decimal(Decimal(repr(bound.number)) * 100)}%"
    if bound.unit is Unit.DEVIATIONS:
        return f"{number_text(bound.number)} sd"
    return duration_text(bound.number) if bound.unit is Unit.SECONDS else number_text(bound.number)


def parse_of_windows(text: str) -> OfWindows:
    """``2 of 3``."""
    match = _OF_WINDOWS.match(text)
    if match is None:
        raise ValueError("windows such as 2 of 3")
    return OfWindows(int(match[1]), int(match[2]))


def parse_number(text: str) -> float:
    """A finite number; ``1e3`` is one, though YAML 1.1 takes it for text."""
    if not _NUMBER.match(text):
        raise ValueError("a number")
    number = float(text.replace("_", ""))
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def parse_integer(text: str) -> int:
    """A whole number; ``010`` is refused, which YAML 1.1 reads as 8."""
    if not _INTEGER.match(text):
        raise ValueError("a whole number")
    return int(text.replace("_", ""))


def parse_boolean(text: str) -> bool:
    """``true`` or ``false``; ``yes`` and ``no`` are texts."""
    if text not in _BOOLEANS:
        raise ValueError("true or false")
    return _BOOLEANS[text]


def label_text(text: str) -> str:
    """The text that a record's label gets where it is a JSON boolean or number.

    ``positive_class: 1`` and ``1.0`` are "1", ``True`` is "true"; ``no``, ``012`` and all else are
    what was written.
    """
    if text in _BOOLEANS:
        return str(_BOOLEANS[text]).lower()
    if not _JSON_NUMBER.match(text):
        return text
    number = float(text)
    if not math.isfinite(number) or abs(number) >= 2**53:
        return text
    return str(int(number)) if number.is_integer() else repr(number)


def _text(node: ScalarNode, _directory: Path) -> str:
    if node.is_null:
        raise ValueError("a text (in quotes if it is to be 'null')")
    text = label_text(node.text) if node.plain else node.text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text that UTF-8 can hold") from None
    return text


def _path(node: ScalarNode, directory: Path) -> Path:
    if node.is_null or not node.text or "\0" in node.text:
        raise ValueError("a path")
    _text(node, directory)
    return directory / node.text


def _unquoted(parse: Callable[[str], object]) -> Callable[[ScalarNode, Path], object]:
    """A parser for values that quotes turn into text: numbers and booleans."""

    def parse_node(node: ScalarNode, _directory: Path) -> object:
        value = parse(node.text)
        if not node.plain:
            expected = "no quotes around a number or boolean"
            raise ValueError(expected)
        return value

    return parse_node


def _either_way(parse: Callable[[str], object]) -> Callable[[ScalarNode, Path], object]:
    """A parser for values that mean the same in quotes."""
    return lambda node, _directory: parse(node.text)


_PARSERS: Mapping[object, Callable[[ScalarNode, Path], object]] = MappingProxyType(
    {
        Seconds: _either_way(parse_duration),
        Bytes: _either_way(parse_size),
        Ratio: _either_way(parse_ratio),
        Path: _path,
        str: _text,
        bool: _unquoted(parse_boolean),
        int: _unquoted(parse_integer),
        float: _unquoted(parse_number),
        Bound: _either_way(parse_bound),
        OfWindows: _either_way(parse_of_windows),
    }
)


def read_scalar(hint: object, node: ScalarNode, directory: Path) -> object:
    """The value of *node* as the type *hint*; paths are relative to *directory*.

    Raises:
        ValueError: it is none; the message completes "expected ...".
        TypeError: *hint* is no type of a single value.
    """
    if hint in _PARSERS:
        return _PARSERS[hint](node, directory)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(hint, node)
    raise TypeError(f"no way to read a {hint}")


def _member(words: type[StrEnum], node: ScalarNode) -> StrEnum:
    values = [member.value for member in words]
    if node.text not in values:
        raise ValueError(either(values))
    return words(node.text)


def duration_text(seconds: float) -> str:
    """The shortest exact text of a duration: 3600.0 is ``1h``, 604800.0 ``7d``, 0.005 ``5ms``."""
    for unit in ("d", "h", "m", "s"):
        size = SECONDS_PER_UNIT[unit]
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    milliseconds = round(seconds * 1000)
    if milliseconds > 0 and milliseconds / 1000 == seconds:
        return f"{milliseconds}ms"
    return f"{_decimal_text(seconds)}s"


def size_text(size: int) -> str:
    """The shortest exact text of a size: 8388608 is ``8MiB``."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % BYTES_PER_UNIT[unit] == 0:
            return f"{size // BYTES_PER_UNIT[unit]}{unit}"
    return f"{size}B"


def ratio_text(ratio: float) -> str:
    """A ratio as a percentage where that is exact: 0.1 is ``10%``."""
    percent = round(ratio * 100)
    return f"{percent}%" if percent / 100 == ratio else _decimal_text(ratio)


def number_text(number: float) -> str:
    """A number without a needless ``.0``."""
    return _decimal_text(number)


def _decimal_text(number: float) -> str:
    return _decimal(Decimal(repr(number)))


def _decimal(number: Decimal) -> str:
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


_TEXTS: Mapping[object, Callable[[object], str]] = MappingProxyType(
    {
        Seconds: lambda value: duration_text(cast("float", value)),
        Bytes: lambda value: size_text(cast("int", value)),
        Ratio: lambda value: ratio_text(cast("float", value)),
        float: lambda value: number_text(cast("float", value)),
        bool: lambda value: str(value).lower(),
        Bound: lambda value: bound_text(cast("Bound", value)),
        OfWindows: lambda value: "{} of {}".format(*cast("OfWindows", value)),
    }
)


def scalar_text(hint: object, value: object) -> str:
    """*value* of the type *hint* as a file has it, texts unquoted."""
    text = _TEXTS.get(hint, str)
    return text(value)
