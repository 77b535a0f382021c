"""Plain trees as YAML that people read: block style, long texts as blocks, keys in the order given."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Indents lists and writes no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dumped(tree: object, *, indent: int = 0) -> str:
    """*tree* (mappings, sequences, texts, numbers) as lines of YAML, each *indent* further in."""
    text = yaml.dump(_plain(tree), Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return textwrap.indent(text, " " * indent)


def comment(text: str, *, indent: int = 0) -> str:
    """*text* as lines of comment; nothing for an empty one."""
    return "".join(f"{' ' * indent}# {line}".rstrip() + "\n" for line in text.splitlines())


def _plain(node: Any) -> Any:
    """*node* of dictionaries and lists, which the dumper knows."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(value) for value in node]
    return node
