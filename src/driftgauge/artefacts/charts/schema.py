"""The configuration's tree as JSON Schema, so that a chart refuses a wrong value before a pod does.

It says of each key what the file's reader says: closed sections, units in durations and sizes. What needs two
keys at once (a window longer than the horizon) only `driftgauge check` and the process itself say.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from driftgauge.config import Bytes, Config, Ratio, Seconds
from driftgauge.config_alerts import Bound, OfWindows
from driftgauge.config_file.shape import Setting, items_of, section_of, settings, values_of, without_none

Schema = dict[str, Any]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_DIGITS: Final = r"[0-9]{1,18}(\.[0-9]{1,30})?"
_PERCENTAGE: Final = rf"^[-+]?{_DIGITS}%$"
# Of YAML's numbers and booleans the reader takes the text, so that a class may be called 1 or no.
_TEXT: Final = ("string", "number", "boolean")

_SINGLE: Mapping[object, Schema] = MappingProxyType(
    {
        Seconds: {"type": "string", "pattern": rf"^{_DIGITS}(ms|s|m|h|d|w)$"},
        Bytes: {"type": "string", "pattern": rf"^{_DIGITS}(B|KiB|MiB|GiB)$"},
        Ratio: {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^{_DIGITS}%$"},
            ]
        },
        Bound: {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "pattern": _PERCENTAGE},
                {"type": "string", "pattern": rf"^[-+]?{_DIGITS} ?sd$"},
                {"type": "string", "pattern": rf"^{_DIGITS}(ms|s|m|h|d|w)$"},
            ]
        },
        OfWindows: {"type": "string", "pattern": "^[0-9]{1,3} of [0-9]{1,3}$"},
        Path: {"type": "string", "minLength": 1},
        str: {"type": list(_TEXT)},
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
    }
)


def configuration_schema() -> Schema:
    """The whole configuration; every section closed, every key with its sentence."""
    return _section(Config)


def _section(tree: type[Any]) -> Schema:
    found = settings(tree)
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _setting(setting) for name, setting in found.items()},
    }
    required = [name for name, setting in found.items() if setting.required]
    return {**schema, "required": required} if required else schema


def _setting(setting: Setting) -> Schema:
    return {"description": setting.doc, **_value(setting.declared)}


def _value(declared: object) -> Schema:
    hint, optional = without_none(declared)
    schema = _present(hint)
    return _or_nothing(schema) if optional or section_of(hint) is not None else schema


def _present(hint: object) -> Schema:
    section = section_of(hint)
    if section is not None:
        return _section(section)
    if values_of(hint) is not None:
        return {"type": "object", "additionalProperties": _value(values_of(hint))}
    if items_of(hint) is not None:
        return {"type": "array", "items": _value(items_of(hint))}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    return dict(_SINGLE[hint])


def _or_nothing(schema: Schema) -> Schema:
    """The same, or null: a section whose keys are all commented out reads as that."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    kinds = schema["type"]
    return {**schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
