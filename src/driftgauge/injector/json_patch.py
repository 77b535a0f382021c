"""What makes one JSON document of another, as RFC 6902 writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Operation = dict[str, Any]


def json_patch(before: Any, after: Any, path: str = "") -> Iterator[Operation]:
    """The operations that make *after* of *before*, both of JSON's types, *before* a mapping.

    What is added to a list is added as items, not as a new list, so that the patch says nothing of what
    others put there. Cost: the size of both. Checked against the library jsonpatch.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in after.items():
            here = f"{path}/{_escaped(key)}"
            if key in before:
                yield from json_patch(before[key], value, here)
            else:
                yield {"op": "add", "path": here, "value": value}
        for key in before.keys() - after.keys():
            yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(before, after, path)
    elif before != after:
        yield {"op": "replace", "path": path, "value": after}


def _items(before: list[Any], after: list[Any], path: str) -> Iterator[Operation]:
    for offset in range(len(after) - len(before) + 1):
        end = offset + len(before)
        if after[offset:end] == before:
            for number, value in enumerate(after[:offset]):
                yield {"op": "add", "path": f"{path}/{number}", "value": value}
            for value in after[end:]:
                yield {"op": "add", "path": f"{path}/-", "value": value}
            return
    yield {"op": "replace", "path": path, "value": after}


def _escaped(key: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
