"""YAML text to a tree of nodes that know their lines; nothing is given a type here.

PyYAML's constructor keeps the last of two equal keys, reads ``no`` as false, ``1:30`` as 90 and
``012`` as 10, and follows aliases without a bound. So its events are composed here instead: a
scalar keeps the text that was written, and the type of the setting decides how it is read.

Bounds: a file of `MAX_BYTES`, nesting of `MAX_DEPTH`, and `MAX_NODES` nodes with every alias
counted as often as it is used; each node knows that count when it is made, so that nine lines which
stand for a billion nodes are refused before anything walks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from driftgauge.config_file.fault import shown

MAX_BYTES = 4 << 20
MAX_DEPTH = 32
MAX_NODES = 200_000

_LIBYAML: type[yaml.CSafeLoader] | None = getattr(yaml, "CSafeLoader", None)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


class NotYamlError(Exception):
    """The text can't be composed; *expected* and *found* complete a message at *line* (from 1)."""

    def __init__(self, line: int, expected: str, found: str) -> None:
        super().__init__(f"line {line}: expected {expected}, got {found}")
        self.line = line
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value as it was written.

    Attributes:
        plain: neither quoted nor a block, so that ``60`` may be a number.
    """

    line: int
    text: str
    plain: bool = True
    weight: int = 1
    depth: int = 0

    @property
    def is_null(self) -> bool:
        """Whether nothing was written, or ``null`` or ``~``."""
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list; *weight* counts its nodes with aliases followed."""

    line: int
    items: tuple[Node, ...]
    weight: int
    depth: int


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping, pairs in order, equal keys and merge keys still in it."""

    line: int
    pairs: tuple[tuple[ScalarNode, Node], ...]
    weight: int
    depth: int


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def compose(text: str) -> Node | None:
    """The only document of *text*; None when there is nothing in it.

    Raises:
        NotYamlError: a syntax error, a bound, a tag, an unknown alias or a second document.

    Cost: linear; 1,000 features of one line each take about 0.1 s with libyaml, 0.7 s without.
    libyaml reads what is sound; what it refuses is read again without it, so that messages don't
    depend on its presence.
    """
    if _LIBYAML is not None:
        with suppress(NotYamlError):
            return _Composer(text, _LIBYAML).document()
    return _Composer(text, yaml.SafeLoader).document()


class _Composer:
    def __init__(self, text: str, loader: type[yaml.SafeLoader | yaml.CSafeLoader]) -> None:
        self._text = text
        self._events = yaml.parse(text, Loader=loader)
        self._anchors: dict[str, Node] = {}
        self._line = 1

    def document(self) -> Node | None:
        root: Node | None = None
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise NotYamlError(self._line, "one document", "a second one")
                root = self._node(self._next(), 0)
        if isinstance(root, ScalarNode) and root.is_null:
            return None
        return root

    def _next(self) -> yaml.Event:
        try:
            event = next(self._events)
        except yaml.MarkedYAMLError as error:
            raise self._syntax_error(error) from error
        except yaml.reader.ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            found = f"the character U+{int(error.character):04X}"
            raise NotYamlError(line, "printable text", found) from error
        except (ValueError, OverflowError, StopIteration) as error:
            # PyYAML lets escapes beyond Unicode ("\UFFFFFFFF") fail as Python errors.
            raise NotYamlError(self._line, "YAML", "an escape that is no character") from error
        if event.start_mark is not None:
            self._line = event.start_mark.line + 1
        return event

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> NotYamlError:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else self._line
        problem = " ".join(str(error.problem or error.context).split())
        if "'\\t'" in problem:
            return NotYamlError(line, "spaces as indentation", "a tab")
        column = f" (column {mark.column + 1})" if mark is not None else ""
        return NotYamlError(line, "YAML", f"a syntax error: {problem}{column}")

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        if depth > MAX_DEPTH:
            raise NotYamlError(self._line, f"nesting of at most {MAX_DEPTH} levels", "more")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise NotYamlError(self._line, "no tags", f"the tag {shown(str(tag))}")
        node = self._untagged(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _untagged(self, event: yaml.Event, depth: int) -> Node:
        line = self._line
        if isinstance(event, yaml.ScalarEvent):
            return ScalarNode(line, event.value, plain=not event.style)
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(self._children(depth))
            return ListNode(line, items, *self._measure(items))
        children = tuple(self._children(depth))
        keys = tuple(self._key(child) for child in children[::2])
        pairs = tuple(zip(keys, children[1::2], strict=True))
        return MappingNode(line, pairs, *self._measure(children))

    def _children(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent | yaml.MappingEndEvent):
            yield self._node(event, depth + 1)

    def _measure(self, children: tuple[Node, ...]) -> tuple[int, int]:
        """Weight and depth of a collection with these children."""
        weight = 1 + sum(child.weight for child in children)
        depth = 1 + max((child.depth for child in children), default=0)
        if weight > MAX_NODES:
            raise NotYamlError(self._line, f"at most {MAX_NODES} values, aliases followed", str(weight))
        if depth > MAX_DEPTH:
            raise NotYamlError(self._line, f"nesting of at most {MAX_DEPTH} levels", "more")
        return weight, depth

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        # An anchor is known when its node is finished: a node can't hold itself.
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise NotYamlError(
                self._line, "an alias of an anchor that is complete above it", f"*{event.anchor}"
            )
        return node

    def _key(self, node: Node) -> ScalarNode:
        if not isinstance(node, ScalarNode):
            kind = "a list" if isinstance(node, ListNode) else "a mapping"
            raise NotYamlError(node.line, "a text as key", kind)
        return node
