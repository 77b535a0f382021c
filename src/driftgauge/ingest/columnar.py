"""The columnar form -> loose columns, without a record in between.

A body that is not quite as its model's form has it is turned into records, which are then read
with care, as in every other form: so what is refused, and in which words, is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from msgspec import Raw, Struct

from driftgauge.ingest.columns import Column, Loose, Place
from driftgauge.ingest.fields import NESTED, SHAPES
from driftgauge.ingest.finish import floats, pack_into
from driftgauge.ingest.forms import Form, Packed, Part
from driftgauge.ingest.lines import readable, with_care
from driftgauge.ingest.models import Models
from driftgauge.ingest.plain import UNREADABLE, plain
from driftgauge.ingest.tally import Tally
from driftgauge.ingest.texts import nullable
from driftgauge.ingest.turning import MisshapenError, Object, Turning, turning, unpacked
from driftgauge.ingest.wording import Fault, kind, unreadable
from driftgauge.records import Floats, Label, Reason

Version: TypeAlias = str | int | None

AT_ONCE: Final = 2000
"""Records that columns are turned into at once."""


@dataclass(frozen=True, slots=True)
class Document:
    """A columnar body: what holds for all its records, and its columns still as JSON."""

    number: int
    model: str | None
    version: Version
    columns: Raw | memoryview


def head_of(body: bytes) -> Mapping[str, Raw] | Fault:
    """The top-level keys of *body* with their values as JSON."""
    if not readable(body):
        return unreadable(body, ValueError("other text"))
    try:
        return _HEAD.decode(body)
    except UNREADABLE as error:
        return unreadable(body, error)


_HEAD: Final = msgspec.json.Decoder(dict[str, Raw])


def read_quickly(number: int, body: bytes, models: Models, tally: Tally) -> bool:
    """Decodes request *number* into *tally* if its *body* ends with columns that are as its model's form
    has them; else leaves all as it was. Most bodies are so, and are read once rather than twice.
    """
    start = body.find(_COLUMNS) + len(_COLUMNS)
    if start < len(_COLUMNS) or not body.endswith(b"}}") or not readable(body):
        return False
    try:
        # As what stands in for the columns is a value here, any other would make a whole body too.
        head = _BRIEF.decode(body[:start] + b"0}")
    except UNREADABLE:
        return False
    if head.keys() - {"model", "model_version", "columns"} or head.get("columns") != 0:
        return False
    given, version = head.get("model"), head.get("model_version")
    if not isinstance(given, str | None) or isinstance(version, float):
        return False
    model = models.name(given)
    form = models.known(model)
    document = Document(number, given, version, memoryview(body)[start:-1])
    loose = _strict(form, document) if form is not None else None
    if loose is None:
        return False
    _give(model, loose, document, tally)
    return True


_COLUMNS: Final = b'"columns":'
_BRIEF: Final = msgspec.json.Decoder(dict[str, str | int | float | None])


def read_columns(number: int, head: Mapping[str, Raw], models: Models, tally: Tally) -> None:
    """Decodes request *number*, which has "columns" in its *head*, into *tally*."""
    try:
        document = _document(number, head, models, tally)
        _read(document, models, tally)
    except MisshapenError as misshapen:
        tally.fail(number, misshapen.fault)


def _document(number: int, head: Mapping[str, Raw], models: Models, tally: Tally) -> Document:
    model: str | None = None
    version: Version = None
    fields = {key.incoming: key.field for key in models.keys}
    for name, raw in head.items():
        if name == "columns":
            continue
        value = plain(bytes(raw))
        match fields.get(name):
            case "model":
                model = _of_type(value, str, "model: expected text")
            case "model_version":
                version = _of_type(value, str | int, "model_version: expected text or an integer")
            case _ if value is not None:
                tally.ignored[Reason.UNKNOWN_KEY] += 1
    return Document(number, model, version, head["columns"])


def _of_type(value: object, types: Any, words: str) -> Any:
    if isinstance(value, Fault):
        raise MisshapenError(value.reason, value.detail)
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        raise MisshapenError(Reason.WRONG_TYPE, f"{words}, got {kind(value)}")
    return value


def _read(document: Document, models: Models, tally: Tally) -> None:
    model = models.name(document.model)
    form = models.form(
        model, tally, lambda: _sample(model, _turning(document, models).records(0, AT_ONCE), models)
    )
    loose = _strict(form, document) if isinstance(form, Form) else None
    if isinstance(form, Fault) or loose is None:
        _carefully(document, models, tally)
    else:
        _give(model, loose, document, tally)


def _give(model: str, loose: Loose, document: Document, tally: Tally) -> None:
    if not tally.counts(document.number, len(loose.place)):
        return
    version = tally.version(model, loose.fields["model_version"][0])
    if isinstance(version, Fault):
        tally.reject_all(loose.place, version)
    else:
        tally.take(model, version, loose)


def _sample(model: str, first: Sequence[Object], models: Models) -> Object | None:
    """The first record of *model* among the *first* ones."""
    mine = (each for each in first if models.fault(each) is None and models.named(each) == model)
    return next(mine, None)


def _turning(document: Document, models: Models) -> Turning:
    columns = plain(bytes(document.columns))
    if isinstance(columns, Fault):
        raise MisshapenError(columns.reason, columns.detail)
    return turning(columns, models.keys, document.model, document.version)


def _carefully(document: Document, models: Models, tally: Tally) -> None:
    """Reads the columns as records, not all of them at once, for they take tenfold the room."""
    columns = _turning(document, models)
    if not tally.counts(document.number, columns.n):
        return
    place = _place(document.number, columns.n)
    for start in range(0, columns.n, AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, columns.n))
        _some(columns.records(start, start + AT_ONCE), place.at(rows), models, tally)


def _some(records: Sequence[Object], place: Place, models: Models, tally: Tally) -> None:
    rows: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        if (fault := models.fault(record)) is not None:
            tally.reject(place, row, fault)
        else:
            rows.setdefault(models.named(record), []).append(row)
    for model, of in rows.items():
        form = models.form(model, tally, lambda first=of[0]: records[first])  # type: ignore[misc]  # mypy can't type a default of a lambda
        if isinstance(form, Fault):
            tally.reject_all(place.at(of), form)
        else:
            with_care([records[row] for row in of], place.at(of), model, form, models, tally)


def _place(number: int, n: int) -> Place:
    return Place(np.full(n, number, np.int64), np.arange(n))


def _strict(form: Form, document: Document) -> Loose | None:
    """The columns as *form* has them; None where anything is otherwise."""
    try:
        held = form.column_decoder.decode(document.columns)
        return _loose(form, held, document)
    except (*UNREADABLE, _OtherwiseError):
        return None


class _OtherwiseError(Exception):
    """Something that only the careful reading can treat, or word."""


class _Columns:
    """Gives columns by attribute, all of one length or not at all."""

    def __init__(self) -> None:
        self.n: int | None = None

    def of(self, column: Any) -> Any:
        """*column* as a list or an array; None where it is absent."""
        if column is None:
            return None
        if isinstance(column, Packed):
            column = unpacked(column.float64)
            if column is None:
                raise _OtherwiseError
        if self.n is None:
            self.n = len(column)
        elif self.n != len(column):
            raise _OtherwiseError
        return column


def _loose(form: Form, held: Struct, document: Document) -> Loose:
    columns = _Columns()
    features, segments, shares = (_only(form, held, name) for name in ("features", "segments", "scores"))
    plain_fields = [name for name in form.attributes if SHAPES[form.kind][name] not in NESTED]
    fields = {name: columns.of(_only(form, held, name)) for name in plain_fields}
    numeric = _held(columns, features, form.features.numeric)
    categorical = _held(columns, features, form.features.categorical)
    parted = _held(columns, segments, form.segments.categorical)
    if shares and len(shares) > 4 * form.limits.classes:
        raise _OtherwiseError
    scores = {name: floats(columns.of(column)) for name, column in (shares or {}).items()}
    dropped = _skipped(columns, form.features, features)
    ignored = _skipped(columns, form.segments, segments)
    unknown = (columns.of(getattr(held, each)) for each in form.ignored)
    ignored += [(Reason.UNKNOWN_KEY, _cells(each)) for each in unknown if each is not None]
    n = columns.n or 0
    _check(fields, scores, n)
    nothing = [None] * n
    whole = {name: nothing if column is None else column for name, column in fields.items()}
    if fields["model_version"] is None:
        whole["model_version"] = [document.version] * n
    return Loose(
        place=_place(document.number, n),
        fields=whole,
        numeric_names=form.features.names.numeric,
        numeric=_matrix(numeric, n),
        categorical=_named(form.features, categorical),
        segments=_named(form.segments, parted),
        scores=scores,
        given=np.zeros(n, np.bool_) if features is None else None,
        dropped=dropped,
        ignored=ignored,
    )


def _check(fields: Mapping[str, Any], scores: Mapping[str, Floats], n: int) -> None:
    """Leaves to careful reading: several models or versions, no record, shares out of 0 to 1."""
    versions = fields["model_version"]
    if n == 0 or fields["model"] is not None or (versions is not None and len(set(versions)) > 1):
        raise _OtherwiseError
    for column in scores.values():
        if bool(((column < 0.0) | (column > 1.0)).any()):
            raise _OtherwiseError


def _only(form: Form, held: Struct, field: str) -> Any:
    """The column of *field*, by whichever key; several need merging, which is not done here."""
    attributes = form.attributes.get(field, ())
    given = [column for each in attributes if (column := getattr(held, each)) is not None]
    if len(given) > 1:
        raise _OtherwiseError
    return given[0] if given else None


def _held(columns: _Columns, held: Struct | None, attributes: Sequence[str]) -> list[Any]:
    if held is None:
        return [None] * len(attributes)
    return [columns.of(getattr(held, each)) for each in attributes]


def _named(part: Part, columns: Sequence[Sequence[Label] | None]) -> dict[str, Sequence[Label]]:
    named = zip(part.names.categorical, columns, strict=True)
    return {name: column for name, column in named if column is not None}


def _matrix(columns: Sequence[Column | None], n: int) -> Floats:
    """Shape (features, n)."""
    matrix = np.empty((len(columns), n))
    for row, column in zip(matrix, columns, strict=True):
        if isinstance(column, list):
            pack_into(row, column)
        else:
            row[:] = np.nan if column is None else column
    return matrix


def _skipped(columns: _Columns, part: Part, held: Struct | None) -> list[tuple[Reason, Column]]:
    if held is None:
        return []
    reasons = [*((each, Reason.WRONG_TYPE) for each in part.unsettled), *part.dropped]
    found = ((columns.of(getattr(held, each)), reason) for each, reason in reasons)
    return [(reason, _cells(column)) for column, reason in found if column is not None]


def _cells(column: Any) -> list[Any]:
    return nullable(column) if isinstance(column, np.ndarray) else column
