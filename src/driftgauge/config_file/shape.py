"""The shape of the configuration tree, read from its dataclasses' type hints."""

from __future__ import annotations

import types
import typing
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that a file may set.

    Attributes:
        name: its key; *attribute*: the field, which ends in an underscore where the key is a word of Python.
        declared: its type as it is declared.
        hint: the same without the None of an optional one.
        optional: whether it may be absent or ``null``.
        required: whether it has no default.
        default: its default; None where it is required.
        doc: the sentence that documents it.
        secret: whether its value is never printed.
    """

    name: str
    attribute: str
    declared: object
    hint: object
    optional: bool
    required: bool
    default: object
    doc: str
    secret: bool


def settings(tree: type[Any]) -> Mapping[str, Setting]:
    """The settings of a dataclass by name, in order; a field without a documentation is none."""
    return _settings(cast("Hashable", tree))


@cache
def _settings(hashable: Hashable) -> Mapping[str, Setting]:
    tree = cast("type[Any]", hashable)
    hints = typing.get_type_hints(tree)
    found = (_setting(f, hints[f.name]) for f in fields(tree) if "doc" in f.metadata)
    return {setting.name: setting for setting in found}


def _setting(field: Field[Any], hint: object) -> Setting:
    inner, optional = without_none(hint)
    has_factory = field.default_factory is not MISSING
    required = field.default is MISSING and not has_factory
    default: object = None
    if has_factory:
        default = cast("typing.Callable[[], object]", field.default_factory)()
    elif not required:
        default = field.default
    return Setting(
        name=field.name.removesuffix("_"),
        attribute=field.name,
        declared=hint,
        hint=inner,
        optional=optional,
        required=required,
        default=default,
        doc=str(field.metadata["doc"]),
        secret=bool(field.metadata.get("secret", False)),
    )


def without_none(hint: object) -> tuple[object, bool]:
    """``T`` and True for ``T | None``; the hint itself and False for all others."""
    if typing.get_origin(hint) not in {types.UnionType, typing.Union}:
        return hint, False
    kept = [choice for choice in typing.get_args(hint) if choice is not types.NoneType]
    if len(kept) != 1:
        raise TypeError(f"a setting has one type, or one type and None; not {hint}")
    return kept[0], True


def section_of(hint: object) -> type[Any] | None:
    """The dataclass that *hint* is; None for all else."""
    return hint if isinstance(hint, type) and is_dataclass(hint) else None


def values_of(hint: object) -> object | None:
    """``T`` for ``Mapping[str, T]``; None for all else."""
    return typing.get_args(hint)[1] if typing.get_origin(hint) is Mapping else None


def items_of(hint: object) -> object | None:
    """``T`` for ``tuple[T, ...]``; None for all else."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def sections_below(tree: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    """Names and classes of the sections that stand directly in *tree*."""
    for setting in settings(tree).values():
        section = section_of(setting.hint)
        if section is not None:
            yield setting.name, section
