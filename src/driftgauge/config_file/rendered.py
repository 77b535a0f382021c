"""A configuration as the text of a file that loads as the same configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from driftgauge.config import Config
from driftgauge.config_file.scalars import scalar_text
from driftgauge.config_file.shape import items_of, section_of, settings, values_of

_HIDDEN = "<hidden>"
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_YAML_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def format_config(config: Config) -> str:
    """*config* as YAML, all settings in order, defaults included; secrets read ``<hidden>``.

    It loads as the same configuration, but for the secrets and for relative paths, which are
    written as they are and read as relative to the file.
    """
    return "\n".join(_section_lines(config, "")) + "\n"


def _section_lines(section: object, indent: str) -> Iterator[str]:
    for setting in settings(type(section)).values():
        value: object = getattr(section, setting.attribute)
        if setting.secret and value is not None:
            yield f"{indent}{setting.name}: {quoted(_HIDDEN)}"
        else:
            yield from _entry_lines(setting.name, setting.hint, value, indent)


def _entry_lines(key: str, hint: object, value: object, indent: str) -> Iterator[str]:
    start = f"{indent}{quoted(key)}:"
    below = indent + "  "
    values, items = values_of(hint), items_of(hint)
    if value is not None and section_of(hint) is not None:
        yield start
        yield from _section_lines(value, below)
    elif value is not None and values is not None:
        entries = cast("Mapping[str, object]", value)
        yield start if entries else f"{start} {{}}"
        for name, entry in entries.items():
            yield from _entry_lines(name, values, entry, below)
    elif value and section_of(items) is not None:
        yield start
        for entry in cast("tuple[object, ...]", value):
            yield f"{below}-"
            yield from _section_lines(entry, below + "  ")
    else:
        yield f"{start} {value_text(hint, value)}"


def value_text(hint: object, value: object) -> str:
    """A single value or a list of them on one line, as a file has it."""
    if value is None:
        return "null"
    items = items_of(hint)
    if items is not None:
        listed = cast("tuple[object, ...]", value)
        return f"[{', '.join(value_text(items, item) for item in listed)}]"
    text = scalar_text(hint, value)
    return quoted(text) if hint is str or hint is Path else text


def quoted(text: str) -> str:
    """*text* as YAML that reads as this text: bare where that is safe, else in double quotes."""
    if _BARE.match(text) and text.lower() not in _YAML_WORDS:
        return text
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in escaped)


def _escape(character: str) -> str:
    return f"\\U{ord(character):08X}"
