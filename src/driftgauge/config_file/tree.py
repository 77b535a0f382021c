"""Nodes to the typed tree, driven by the dataclasses' type hints; faults are gathered, not raised."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from driftgauge.config_file.fault import Fault, KeyPath, either, shown
from driftgauge.config_file.nodes import ListNode, MappingNode, Node, ScalarNode
from driftgauge.config_file.scalars import read_scalar
from driftgauge.config_file.shape import (
    items_of,
    section_of,
    sections_below,
    settings,
    values_of,
    without_none,
)

_MERGE = "<<"
_FEW = 6
_MOST_GUESSES = 100  # a likeness takes 50 us to find, and a file can hold 100,000 unknown keys


class _Unusable:
    """Stands for a value that had a fault; whoever holds it falls back for further checks."""


_UNUSABLE: Final = _Unusable()


@dataclass(slots=True)
class TreeReader:
    """Reads nodes as values of given types.

    Attributes:
        directory: what paths in the file are relative to.
        faults: all faults found so far, each with its line, in order.
        lines: where each setting of the file stands.
    """

    directory: Path
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def read(self, tree: type[Any], node: Node) -> object:
        """*node* as an instance of the dataclass *tree*.

        A setting with a fault has its default; None when a setting without a default has one.
        """
        value = self._value(tree, node, (), node.line)
        return None if value is _UNUSABLE else value

    def _value(self, hint: object, node: Node, path: KeyPath, line: int) -> object:
        self.lines[path] = line
        inner, optional = without_none(hint)
        if optional and isinstance(node, ScalarNode) and node.is_null:
            return None
        section = section_of(inner)
        if section is not None:
            return self._section(section, node, path, line)
        if values_of(inner) is not None:
            return self._mapping(values_of(inner), node, path, line)
        if items_of(inner) is not None:
            return self._list(items_of(inner), node, path, line)
        return self._scalar(inner, node, path, line)

    def _fault(self, line: int, path: KeyPath, expected: str, found: str) -> _Unusable:
        self.faults.append((line, Fault(path, expected, found)))
        return _UNUSABLE

    def _scalar(self, hint: object, node: Node, path: KeyPath, line: int) -> object:
        if not isinstance(node, ScalarNode):
            return self._fault(line, path, "a single value", node_text(node))
        try:
            return read_scalar(hint, node, self.directory)
        except ValueError as unfit:
            return self._fault(line, path, str(unfit), node_text(node))

    def _list(self, hint: object, node: Node, path: KeyPath, line: int) -> object:
        if not isinstance(node, ListNode):
            return self._fault(line, path, "a list", node_text(node))
        values = [self._value(hint, item, (*path, index), item.line) for index, item in enumerate(node.items)]
        # Without its unusable items the others would stand at other positions.
        return _UNUSABLE if _UNUSABLE in values else tuple(values)

    def _mapping(self, hint: object, node: Node, path: KeyPath, line: int) -> object:
        entries = self._entries(node, path, line, "a mapping by name")
        if entries is None:
            return _UNUSABLE
        values = {
            key: self._value(hint, value, (*path, key), key_line)
            for key, (key_line, value) in entries.items()
            if self._is_name(key, key_line, path)
        }
        return {key: value for key, value in values.items() if value is not _UNUSABLE}

    def _is_name(self, key: str, line: int, path: KeyPath) -> bool:
        try:
            key.encode()
        except UnicodeEncodeError:
            self._fault(line, (*path, key), "a name that UTF-8 can hold", shown(key))
            return False
        if not key:
            self._fault(line, path, "names that are not empty", "an empty one")
        return bool(key)

    def _section(self, tree: type[Any], node: Node, path: KeyPath, line: int) -> object:
        known = settings(tree)
        entries = self._entries(node, path, line, f"a mapping with {_keys_text(list(known))}")
        if entries is None:
            return _UNUSABLE
        values: dict[str, object] = {}
        for key, (key_line, child) in entries.items():
            if key not in known:
                self._unknown(tree, key, key_line, path)
                continue
            values[key] = self._value(known[key].declared, child, (*path, key), key_line)
        return self._instance(tree, values, path, line)

    def _instance(self, tree: type[Any], values: Mapping[str, object], path: KeyPath, line: int) -> object:
        missing = [s.name for s in settings(tree).values() if s.required and s.name not in values]
        for name in missing:
            self._fault(line, path, f"the key {name}", "none")
        usable = {name: value for name, value in values.items() if value is not _UNUSABLE}
        lost = [n for n in values if n not in usable and settings(tree)[n].required]
        if missing or lost:
            return _UNUSABLE
        instance: object = tree(**{settings(tree)[name].attribute: value for name, value in usable.items()})
        return instance

    def _entries(
        self, node: Node, path: KeyPath, line: int, expected: str
    ) -> dict[str, tuple[int, Node]] | None:
        """Key to its line and node, equal keys refused and merge keys followed; None for no mapping.

        A section whose keys are all commented out reads as null, and is empty.
        """
        if isinstance(node, ScalarNode) and node.is_null:
            return {}
        if not isinstance(node, MappingNode):
            self._fault(line, path, expected, node_text(node))
            return None
        entries: dict[str, tuple[int, Node]] = {}
        for key, value in node.pairs:
            if key.plain and key.text == _MERGE:
                continue
            if key.text in entries:
                first = entries[key.text][0]
                again = f"it again (first on line {first})"
                self._fault(key.line, (*path, key.text), "each key once", again)
            else:
                entries[key.text] = (key.line, value)
        for name, entry in self._merged(node, path).items():
            entries.setdefault(name, entry)
        return entries

    def _merged(self, node: MappingNode, path: KeyPath) -> dict[str, tuple[int, Node]]:
        """What the merge keys of *node* bring in; the first of several wins, as YAML says."""
        brought: dict[str, tuple[int, Node]] = {}
        for key, value in node.pairs:
            if not (key.plain and key.text == _MERGE):
                continue
            for part in value.items if isinstance(value, ListNode) else (value,):
                entries = self._entries(part, (*path, _MERGE), key.line, "a mapping to merge")
                for name, entry in (entries or {}).items():
                    brought.setdefault(name, entry)
        return brought

    def _unknown(self, tree: type[Any], key: str, line: int, path: KeyPath) -> None:
        known = list(settings(tree))
        near = _near(tree, key) if len(self.faults) < _MOST_GUESSES else None
        self._fault(
            line,
            (*path, key),
            "a known key" if near and len(known) > _FEW else _keys_text(known),
            f"{shown(key)} (did you mean {near}?)" if near else shown(key),
        )


def _keys_text(keys: list[str]) -> str:
    return f"{'one of ' if len(keys) > 1 else ''}{either(keys)}"


def _near(tree: type[Any], key: str) -> str | None:
    """The key that was probably meant: one alike, or the same one in a section below."""
    alike = difflib.get_close_matches(key[:100], settings(tree), n=1, cutoff=0.7)
    if alike:
        return alike[0]
    below = (name for name, section in sections_below(tree) if key in settings(section))
    section_name = next(below, None)
    return f"{section_name}.{key}" if section_name else None


def node_text(node: Node) -> str:
    """What a message says was found."""
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    if node.is_null:
        return "nothing"
    is_bare = node.plain and node.text.isascii() and node.text[:1] in "-+.0123456789"
    if is_bare and node.text.isprintable() and len(node.text) < 40 and not node.text.isspace():
        return node.text
    return shown(node.text)
