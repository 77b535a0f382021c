"""What a run is told, and how templates use it.

A template's text may hold ``$name`` or ``${name}``, and ``$$`` for a dollar sign. Documents (JSON, YAML)
are parsed first and their texts substituted after, so no value can break out of its quotes; arguments of
a command are passed without a shell. A value is always a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from driftgauge.trigger.decision import Decision, run_name

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "decision": "the decision's id",
        "run": "the run's name, made from it",
        "model": "the model",
        "model_version": "its newest version when the run was decided; empty when nobody was asked",
        "policy": "the policy's name",
        "cause": "the alert's name",
        "window": "the alert's label window; empty where it has none",
        "reason": "the alert's summary",
        "change_began": "when the alert began to fire, RFC 3339",
        "decided_at": "when the run was decided, RFC 3339",
        "export": "where the joined records are, a path or URL; empty without an export",
    }
)

_USED = re.compile(r"\$(?:(\$)|([a-zA-Z_][a-zA-Z0-9_]*)|\{([^}]*)\}|)")

Document = Any


def variables(decision: Decision) -> dict[str, str]:
    """The values of `NAMES` for a decision whose run is to be started."""
    decided_at = decision.run.started_at if decision.run is not None else decision.state_at
    return {
        "decision": decision.id,
        "run": run_name(decision.id),
        "model": decision.model,
        "model_version": decision.old_version,
        "policy": decision.policy,
        "cause": decision.cause,
        "window": decision.window,
        "reason": decision.reason,
        "change_began": moment(decision.change_began),
        "decided_at": moment(decided_at),
        "export": decision.export,
    }


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """The same as environment variables: ``DRIFTGAUGE_MODEL`` and so on."""
    # A program can't be handed a NUL.
    return {f"DRIFTGAUGE_{name.upper()}": value.replace("\0", "\ufffd") for name, value in values.items()}


def filled(text: str, values: Mapping[str, str]) -> str:
    """*text* with its variables replaced.

    Raises:
        ValueError: it names another one, or a dollar sign stands alone; `faults` tells beforehand.
    """
    for fault in faults(text):
        raise ValueError(fault)
    return _USED.sub(lambda found: "$" if found[1] else values[found[2] or found[3]], text)


def filled_document(node: Document, values: Mapping[str, str]) -> Document:
    """A parsed document with the variables in its texts replaced; keys stay as they are.

    Raises:
        ValueError: as `filled`.
    """
    if isinstance(node, str):
        return filled(node, values)
    if isinstance(node, list):
        return [filled_document(item, values) for item in node]
    if isinstance(node, dict):
        return {key: filled_document(value, values) for key, value in node.items()}
    return node


def faults(text: str) -> Iterator[str]:
    """What is wrong with a template's text: ``expected ..., got ...``."""
    for found in _USED.finditer(text):
        name = found[2] or found[3]
        if found[1] is None and name not in NAMES:
            what = f"the variable {name!r}" if name else "a single $"
            yield f"expected one of {', '.join(NAMES)} after a $, or $$, got {what}"


def document_faults(node: Document) -> Iterator[str]:
    """What is wrong with the texts of a parsed document."""
    if isinstance(node, str):
        yield from faults(node)
    elif isinstance(node, list):
        for item in node:
            yield from document_faults(item)
    elif isinstance(node, dict):
        for value in node.values():
            yield from document_faults(value)


def moment(seconds: float) -> str:
    """Epoch seconds as RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
