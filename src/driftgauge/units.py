"""What the trees of settings are written in: units, and a field that carries its documentation."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NewType

Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
Ratio = NewType("Ratio", float)

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0
MIB = 1 << 20


def described(doc: str, **keywords: Any) -> Any:
    """A dataclass field with the sentence that its documentation prints."""
    return field(metadata={"doc": doc}, **keywords)
