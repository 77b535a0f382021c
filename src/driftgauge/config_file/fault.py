"""One fault of a configuration: where it stands, what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

KeyPath: TypeAlias = tuple[str | int, ...]
Value = TypeVar("Value", bound=Hashable)

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one setting.

    Attributes:
        path: keys and list positions from the root; empty for the file as a whole.
        expected: completes "expected ...".
        found: completes "got ...".
        also: other settings that the rule read; when one of them is at fault itself, this fault
            may be its echo.
    """

    path: KeyPath
    expected: str
    found: str
    also: tuple[KeyPath, ...] = ()

    def text(self) -> str:
        """The fault without its file and line: ``path: expected ..., got ...``."""
        where = f" {path_text(self.path)}" if self.path else ""
        return f"{where}: expected {self.expected}, got {self.found}"


def path_text(path: KeyPath) -> str:
    """A path as it is written: ``models.churn.windows[1]``; unusual keys in quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        key = step if _PLAIN_KEY.match(step) and len(step) <= _LONGEST_SHOWN else shown(step)
        text += f".{key}" if text else key
    return text


def shown(text: str) -> str:
    """*text* in quotes on one line: unprintable characters escaped, the middle of a long one cut."""
    if len(text) > _LONGEST_SHOWN:
        text = f"{text[:40]}...{text[-15:]}"
    return repr(text)


def either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def repeated(values: Iterable[Value]) -> Iterator[tuple[int, Value]]:
    """Position and value of each one that stood earlier already."""
    seen: set[Value] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index, value
        seen.add(value)
