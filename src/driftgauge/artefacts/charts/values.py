"""A chart's values.yaml read as what documents it: keys, defaults and the sentence above each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import yaml

from driftgauge.artefacts.charts.schema import DRAFT, Schema, configuration_schema

_MARK: Final = "# -- "
_CLOSED: Final = {"type": "object", "additionalProperties": False}
# Values that Kubernetes gives their shape, or whose default doesn't tell their type.
_GIVEN: Mapping[str, Schema] = MappingProxyType(
    {
        "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
        "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
        "injector.native": {"enum": ["auto", "always", "never"]},
        "injector.replicas": {"type": "integer", "minimum": 1},
        # What the API server takes.
        "injector.timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 30},
        "injector.certificates.days": {"type": "integer", "minimum": 1},
        "injector.namespaceSelector": {
            **_CLOSED,
            "properties": {"matchLabels": {"type": "object"}, "matchExpressions": {"type": "array"}},
        },
        "podMonitor.sidecars.portNumber": {"type": ["integer", "null"], "minimum": 1, "maximum": 65535},
        "references": {"type": "array", "items": {"type": "string", "minLength": 1}},
    }
)
_FREE: Final = ("resources", "matchLabels")


@dataclass(frozen=True, slots=True)
class Documented:
    """One value: its path from the root with dots, its default, its sentence."""

    path: str
    default: object
    doc: str


def documented(text: str) -> tuple[Documented, ...]:
    """The values of a values.yaml in the order of the file, those whose line follows a ``# --`` comment.

    Raises:
        ValueError: *text* is no mapping.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        # What a caller gave is text of the right type.
        raise ValueError("expected a mapping of values")  # noqa: TRY004
    return tuple(_below(root, (), text.splitlines()))


def undocumented(text: str) -> tuple[str, ...]:
    """Paths of values without a sentence, their own or one above; empty in a chart that is well kept."""
    known = {value.path for value in documented(text)}
    leaves = _leaves(yaml.safe_load(text), ())
    return tuple(
        ".".join(path)
        for path in leaves
        if not any(".".join(path[: i + 1]) in known for i in range(len(path)))
    )


def schema_text(text: str) -> str:
    """values.schema.json of a chart with that values.yaml, `config` as the configuration's tree has it."""
    docs = {value.path: value.doc for value in documented(text)}
    schema: Schema = {"$schema": DRAFT, **_schema(yaml.safe_load(text), (), docs)}
    if "config" in schema["properties"]:
        schema["properties"]["config"] = {"description": docs["config"], **configuration_schema()}
    # What Helm itself lays among the values, of any chart.
    schema["properties"]["global"] = {"type": "object"}
    return json.dumps(schema, indent=1) + "\n"


def values_table(text: str) -> str:
    """The values as a table of Markdown."""
    rows = ["| value | default | meaning |", "| --- | --- | --- |"]
    for value in documented(text):
        default = json.dumps(value.default).replace("|", "\\|")
        rows.append(f"| `{value.path}` | `{default}` | {value.doc.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"


def _below(node: yaml.MappingNode, path: tuple[str, ...], lines: list[str]) -> Iterator[Documented]:
    for key, value in node.value:
        here = (*path, str(key.value))
        doc = _doc(lines, key.start_mark.line)
        if doc is not None:
            yield Documented(".".join(here), _plain(value), doc)
        elif isinstance(value, yaml.MappingNode):
            yield from _below(value, here, lines)


def _doc(lines: list[str], line: int) -> str | None:
    """The comment that stands right above a line, from its ``# --`` on."""
    found: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        text = lines[line].lstrip()
        if text.startswith(_MARK):
            return " ".join([text.removeprefix(_MARK), *found])
        found.insert(0, text.lstrip("# "))
    return None


def _plain(node: yaml.Node) -> object:
    return yaml.safe_load(yaml.serialize(node))


def _leaves(tree: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path


def _schema(value: Any, path: tuple[str, ...], docs: Mapping[str, str]) -> Schema:
    name = ".".join(path)
    doc: Schema = {"description": docs[name]} if name in docs else {}
    if name in _GIVEN:
        return {**doc, **_GIVEN[name]}
    if isinstance(value, dict):
        if not value or (path[-1:] and path[-1] in _FREE):
            return {**doc, "type": "object"}
        below = {key: _schema(child, (*path, key), docs) for key, child in value.items()}
        return {**doc, **_CLOSED, "properties": below}
    return {**doc, "type": _type(value)}


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "array" if isinstance(value, list) else "string"
