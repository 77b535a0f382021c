"""Reading PromQL in tests: which metrics and labels a query asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import promql_parser as promql


def walk(node: Any) -> Iterator[Any]:
    """A query's nodes, itself first."""
    yield node
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None:
            yield from walk(child)
    for child in getattr(node, "args", ()):
        yield from walk(child)


def selectors(query: str) -> list[Any]:
    return [node for node in walk(promql.parse(query)) if isinstance(node, promql.VectorSelector)]


def metrics_of(query: str) -> set[str]:
    return {selector.name for selector in selectors(query)}


def grouped_labels(query: str) -> set[str]:
    """Labels named in by, without, on, ignoring and group_left."""
    found: set[str] = set()
    for node in walk(promql.parse(query)):
        modifier = getattr(node, "modifier", None)
        matching = getattr(modifier, "matching", None)
        found.update(getattr(modifier, "labels", None) or ())
        found.update(getattr(matching, "labels", None) or ())
        found.update(getattr(modifier, "group_labels", None) or ())
    return found
