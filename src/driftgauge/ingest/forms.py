"""Structures generated for one model's records, so that msgspec decodes them without dictionaries.

A structure knows every name it may meet: those that are taken, and those seen before that are not,
whose values are skipped and counted. Whatever else a record holds makes its decoding fail, and the
careful reading of that record tells what it was.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from driftgauge.config import Limits
from driftgauge.ingest.fields import Key, Shape
from driftgauge.ingest.names import REMEMBERED, Bounds, Names
from driftgauge.records import Kind, Schema

NULL: Final = Raw(b"null")

Column: TypeAlias = Sequence[Any]

_Number: TypeAlias = float | None
_Scalar: TypeAlias = str | int | float | bool | None
_Nested: TypeAlias = list[Any] | dict[str, Any] | None
# A larger integer is read with care: as a label it is a float, and only ids keep all its digits.
_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Identifier: TypeAlias = str | _Integer | None
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]
_Duration = Annotated[float, Meta(ge=0.0)]


class Packed(Struct, forbid_unknown_fields=True, gc=False):
    """A column of numbers as base64 of little-endian float64."""

    float64: bytes


class Part:
    """The generated structure of a nested object: features, or segments."""

    def __init__(self, names: Names, prefix: str) -> None:
        self.names = names
        self.attributes: Mapping[str, str] = {
            name: f"{prefix}{number}" for number, name in enumerate(names.all())
        }
        of = self.attributes.__getitem__
        self.numeric = tuple(map(of, names.numeric))
        self.categorical = tuple(map(of, names.categorical))
        self.numbers, self.silent = frozenset(names.numeric), frozenset(names.silent)
        self.taken = self.numbers | frozenset(names.categorical)
        self.known = self.taken | self.silent
        self.unsettled = tuple(map(of, names.unsettled))
        self.dropped = tuple((of(name), reason) for name, reason in names.dropped.items())
        self.position = {attribute: n for n, attribute in enumerate(self.attributes.values())}
        self.numeric_places = tuple(self.position[each] for each in self.numeric)
        self.other_places = tuple(sorted(set(self.position.values()) - set(self.numeric_places)))

    @cached_property
    def structure(self) -> type[Struct]:
        """One record's values; absent ones are NaN (numeric), None, or a raw null."""
        kinds = {
            "numeric": (_Number, math.nan),
            "other": (_Scalar, None),
            "unsettled": (_Nested, None),
        }
        return self._define(kinds, (Raw, NULL))

    @cached_property
    def columns(self) -> type[Struct]:
        """The same names, each holding a whole column or None."""
        kinds: dict[str, tuple[Any, Any]] = {
            "numeric": (list[_Number] | Packed | None, None),
            "other": (list[_Scalar] | None, None),
            "unsettled": (list[_Nested] | None, None),
        }
        return self._define(kinds, (list[Any] | Packed | None, None))

    @cached_property
    def empty(self) -> Struct:
        """What stands for a record without this part."""
        return self.structure()

    def _define(self, kinds: Mapping[str, tuple[Any, Any]], skipped: tuple[Any, Any]) -> type[Struct]:
        types: dict[str, tuple[Any, Any]] = dict.fromkeys(self.attributes.values(), skipped)
        types.update(dict.fromkeys(self.numeric, kinds["numeric"]))
        types.update(dict.fromkeys(self.categorical, kinds["other"]))
        types.update(dict.fromkeys(self.unsettled, kinds["unsettled"]))
        return defined(types, {attribute: name for name, attribute in self.attributes.items()})


def defined(
    types: Mapping[str, tuple[Any, Any]], names: Mapping[str, str], *, strict: bool = True
) -> type[Struct]:
    """A structure of attributes *types* (type, default), each called *names* in JSON.

    A *strict* one refuses other names.
    """
    return msgspec.defstruct(
        "Generated",
        [(attribute, kind, default) for attribute, (kind, default) in types.items()],
        rename={attribute: _spelled(name) for attribute, name in names.items()},
        forbid_unknown_fields=strict,
        gc=False,
    )


def _spelled(name: str) -> str:
    """*name*, or where msgspec can't match it a name that nobody sends: it is then read with care."""
    awkward = any(c in '"\\' or c < " " or "\ud800" <= c <= "\udfff" for c in name)
    return secrets.token_hex(16) if awkward else name


class Form:
    """How records of one model are decoded.

    Attributes:
        schema: what was known of the model when the form was made.
        features, segments: the nested structures.
        unknown: top-level keys seen before that mean nothing to us.
        keys: incoming keys by name; attributes: per field where its values may be.
    """

    def __init__(
        self,
        kind: Kind,
        schema: Schema,
        limits: Limits,
        keys: tuple[Key, ...],
        features: Names,
        segments: Names,
        unknown: tuple[str, ...] = (),
    ) -> None:
        self.kind, self.schema, self.limits = kind, schema, limits
        self.features, self.segments = Part(features, "f"), Part(segments, "s")
        self.unknown = unknown
        self.keys = {key.incoming: key for key in keys}
        self.attributes: dict[str, tuple[str, ...]] = {}
        for key in keys:
            self.attributes[key.field] = (*self.attributes.get(key.field, ()), key.attribute)
        self.ignored = tuple(f"u{number}" for number in range(len(unknown)))

    @cached_property
    def structure(self) -> type[Struct]:
        """One record."""
        types = {key.attribute: self._types[key.shape] for key in self.keys.values()}
        types.update(dict.fromkeys(self.ignored, (Raw, NULL)))
        return defined(types, self._incoming)

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """Per field where its values may be in a structure's tuple."""
        place_of = {attribute: n for n, attribute in enumerate(self.structure.__struct_fields__)}
        return {name: [place_of[each] for each in of] for name, of in self.attributes.items()}

    @cached_property
    def ignored_places(self) -> Sequence[int]:
        """Where a structure's tuple holds what means nothing to us."""
        fields = self.structure.__struct_fields__
        return [fields.index(each) for each in self.ignored]

    @cached_property
    def columns(self) -> type[Struct]:
        """The object under "columns" of the columnar form."""
        types = {key.attribute: (self._column(key.shape), None) for key in self.keys.values()}
        types.update(dict.fromkeys(self.ignored, (list[Any] | Packed | None, None)))
        return defined(types, self._incoming)

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Any]:
        """Of one record, or of lines of them."""
        return msgspec.json.Decoder(self.structure)

    @cached_property
    def column_decoder(self) -> msgspec.json.Decoder[Any]:
        """Of the object under "columns"."""
        return msgspec.json.Decoder(self.columns)

    @property
    def _incoming(self) -> dict[str, str]:
        names = {key.attribute: key.incoming for key in self.keys.values()}
        return names | dict(zip(self.ignored, self.unknown, strict=True))

    @property
    def label(self) -> Any:
        """The type of a label: a text within its limit, a number, true or false, or null."""
        text = Annotated[str, Meta(max_length=self.limits.label_characters)]
        return bool | _Integer | float | text | None

    @cached_property
    def _types(self) -> Mapping[Shape, tuple[Any, Any]]:
        """Type and default of one record's value, by shape."""
        return {
            Shape.IDENTIFIER: (_Identifier, None),
            Shape.TIME: (float | str | None, None),
            Shape.MODEL: (str | None, None),
            Shape.VERSION: (_Identifier, None),
            Shape.FEATURES: (self.features.structure | None, None),
            Shape.LABEL: (self.label, None),
            Shape.NUMBER: (_Number, math.nan),
            Shape.DURATION: (_Duration | None, math.nan),
            Shape.SHARES: (dict[str, _Share | None] | None, None),
            Shape.ERROR: (str | bool | dict[str, Any] | None, None),
            Shape.SEGMENTS: (self.segments.structure | None, None),
            Shape.TRACE: (_Identifier, None),
        }

    def _column(self, shape: Shape) -> Any:
        """Type of a whole column."""
        match shape:
            case Shape.FEATURES:
                return self.features.columns | None
            case Shape.SEGMENTS:
                return self.segments.columns | None
            case Shape.SHARES:
                return dict[str, list[_Share | None] | Packed] | None
            case Shape.TIME | Shape.LABEL | Shape.NUMBER | Shape.DURATION:
                return list[self._types[shape][0]] | Packed | None  # type: ignore[misc]  # made at run time
            case _:
                return list[self._types[shape][0]] | None  # type: ignore[misc]  # likewise

    def grown(self, objects: Sequence[Mapping[str, object]]) -> Form:
        """This form and the names that *objects*, records as sent, bring; itself where none is new."""
        features = self.features.names.grown(self.under("features", objects), self.feature_bounds)
        segments = self.segments.names.grown(self.under("segments", objects), self.segment_bounds)
        unknown = self._unknown(objects)
        old = (self.features.names, self.segments.names, self.unknown)
        if features is old[0] and segments is old[1] and unknown is old[2]:
            return self
        keys = tuple(self.keys.values())
        return Form(self.kind, self.schema, self.limits, keys, features, segments, unknown)

    def under(self, field: str, objects: Iterable[Mapping[str, object]]) -> Iterable[object]:
        """What *objects* hold under *field*, by whichever key."""
        incoming = [key.incoming for key in self.keys.values() if key.field == field]
        return (each[name] for each in objects for name in incoming if name in each)

    @property
    def feature_bounds(self) -> Bounds:
        """Which new features may be taken up."""
        limits = self.limits
        return Bounds(self.schema.discover, limits.features, limits.label_characters, numbers=True)

    @property
    def segment_bounds(self) -> Bounds:
        """Which new segment columns may be taken up."""
        limits = self.limits
        most, longest = limits.segment_columns, limits.label_characters
        return Bounds(self.schema.discover, most, longest, numbers=False)

    def _unknown(self, objects: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
        known = {*self.keys, *self.unknown}
        found: dict[str, None] = {}
        for each in objects:
            found.update((name, None) for name in each if name not in known)
        room = REMEMBERED - len(self.unknown)
        return (*self.unknown, *list(found)[:room]) if found and room else self.unknown


def first_form(
    kind: Kind,
    schema: Schema,
    limits: Limits,
    keys: tuple[Key, ...],
    sample: Mapping[str, object] | None,
) -> Form:
    """The form of a model of which *schema* is known, with the names that *sample* brings.

    Its structures are laid out in the sample's order: msgspec looks for a key beginning at the
    place after the last one, so that 1000 names in another order would cost a thousandfold.
    """
    bare = Form(
        kind,
        schema,
        limits,
        keys,
        Names(schema.numeric, schema.categorical, tuple(schema.ignored)),
        Names(categorical=schema.segments),
    )
    if sample is None:
        return bare
    form = bare.grown([sample])
    features, segments = (
        replace(part.names, order=_ordered(form.under(field, [sample]), part))
        for field, part in (("features", form.features), ("segments", form.segments))
    )
    return Form(kind, schema, limits, keys, features, segments, form.unknown)


def _ordered(objects: Iterable[object], part: Part) -> tuple[str, ...]:
    return tuple(
        name for each in objects if isinstance(each, dict) for name in each if name in part.attributes
    )
