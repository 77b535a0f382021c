"""Pieces of lines -> chunks: all at once where every line is as expected, else line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct

from driftgauge.ingest.columns import Loose, Place, Spoilt
from driftgauge.ingest.forms import Form
from driftgauge.ingest.models import Models
from driftgauge.ingest.pieces import Piece, together
from driftgauge.ingest.plain import UNREADABLE, plain, structure
from driftgauge.ingest.structures import Pivot
from driftgauge.ingest.tally import Tally
from driftgauge.ingest.wording import Fault, RefusedError, kind
from driftgauge.records import Reason

Object: TypeAlias = Mapping[str, object]

LOT_BYTES: Final = 48 << 10
"""What is decoded and pivoted at once: so little that its objects fit the core's cache."""


def read_piece(piece: Piece, models: Models, tally: Tally) -> None:
    """Decodes *piece* into *tally*.

    The first line tells the model, and the whole piece is decoded as its records. Where that
    fails, or another model's record is among them, lines go by model; where a model's lines fail
    together, one by one; and a line that fails alone is read with care. So a bad line costs only
    itself, and a new name costs once.
    """
    first = piece.text[:end] if (end := piece.text.find(b"\n")) >= 0 else piece.text
    model = models.peek(first)
    if model is not None:
        form = models.form(model, tally, lambda: plain(first))
        loose = None
        if isinstance(form, Form) and piece.together:
            loose = bulk(form, piece.text, piece.place)
        if loose is not None and _all_of(model, loose, models):
            keep(model, loose, tally)
            return
    _by_model(piece, models, tally)


def bulk(form: Form, text: bytes, place: Place) -> Loose | None:
    """The columns of all lines of *text*, which are `together`; None unless *form* fits each."""
    if not readable(text):
        return None
    pivot, decode = Pivot(form), form.decoder.decode_lines
    try:
        for lot in _lots(text):
            pivot.take(decode(lot))
    except UNREADABLE:
        return None
    return pivot.loose(place, {}) if pivot.n == len(place) else None


def _lots(text: bytes) -> Iterator[memoryview]:
    """Lines of *text* in lots of about LOT_BYTES."""
    view, start, end = memoryview(text), 0, len(text)
    while start < end:
        stop = text.find(b"\n", start + LOT_BYTES)
        stop = end if stop < 0 else stop
        yield view[start:stop]
        start = stop + 1


def readable(text: bytes) -> bool:
    """Whether *text* is UTF-8 throughout; what is skipped is not looked at otherwise."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_of(model: str, loose: Loose, models: Models) -> bool:
    return all(models.name(given) == model for given in set(loose.fields["model"]))


def _by_model(piece: Piece, models: Models, tally: Tally) -> None:
    lines = piece.lines()
    rows: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        model = models.peek(line)
        if model is None:
            _refuse(line, piece.place, row, models, tally)
        else:
            rows.setdefault(model, []).append(row)
    for model, of in rows.items():
        place = piece.place.at(of)
        form = models.form(model, tally, lambda of=of: plain(lines[of[0]]))  # type: ignore[misc]  # mypy can't type a default of a lambda
        if isinstance(form, Fault):
            tally.reject_all(place, form)
        else:
            _of_model([lines[row] for row in of], place, model, form, models, tally)


def _refuse(line: bytes, place: Place, row: int, models: Models, tally: Tally) -> None:
    """Words what is wrong with a line of which not even the model could be read."""
    record = plain(line)
    if isinstance(record, Fault):
        tally.malformed(place, row, record)
    elif isinstance(record, dict):
        odd = Fault(Reason.MALFORMED, "expected a record, got another object")
        tally.reject(place, row, models.fault(record) or odd)
    else:
        tally.malformed(place, row, not_an_object(record))


def not_an_object(value: object) -> Fault:
    """A record that is no object."""
    return Fault(Reason.NOT_AN_OBJECT, f"expected an object, got {kind(value)}")


def _of_model(
    lines: Sequence[bytes], place: Place, model: str, form: Form, models: Models, tally: Tally
) -> None:
    text = b"\n".join(lines)
    loose = bulk(form, text, place) if together(text) else None
    if loose is not None:
        keep(model, loose, tally)
        return
    alone = [_alone(form, line) for line in lines]
    good = [row for row, record in enumerate(alone) if record is not None]
    if good:
        pivot = Pivot(form)
        pivot.take(r for r in alone if r is not None)
        keep(model, pivot.loose(place.at(good), {}), tally)
    objects: dict[int, Object] = {}
    for row in (row for row, record in enumerate(alone) if record is None):
        record = plain(lines[row])
        if isinstance(record, Fault):
            tally.malformed(place, row, record)
        elif isinstance(record, dict):
            objects[row] = record
    if objects:
        with_care(list(objects.values()), place.at(list(objects)), model, form, models, tally)


def _alone(form: Form, line: bytes) -> Struct | None:
    if not readable(line):
        return None
    try:
        record: Struct = form.decoder.decode(line)
    except UNREADABLE:
        return None
    return record


def with_care(
    objects: Sequence[Object], place: Place, model: str, form: Form, models: Models, tally: Tally
) -> None:
    """Takes what can be taken of *objects*; new names are learnt, so that they cost this once."""
    grown = form.grown(objects)
    if grown is not form:
        models.grew(model, grown)
    rows: list[int] = []
    records: list[Struct] = []
    spoilt: dict[int, Spoilt] = {}
    for row, each in enumerate(objects):
        lost = Spoilt()
        try:
            records.append(structure(grown, each, lost))
        except RefusedError as refused:
            tally.reject(place, row, refused.fault)
            continue
        if lost.invalid or lost.ignored:
            spoilt[len(rows)] = lost
        rows.append(row)
    if rows:
        pivot = Pivot(grown)
        pivot.take(records)
        keep(model, pivot.loose(place.at(rows), spoilt), tally)


def keep(model: str, loose: Loose, tally: Tally) -> None:
    """Gives the records of one model to *tally*, by version."""
    versions = loose.fields["model_version"]
    if len(given := set(versions)) == 1:
        take(model, given.pop(), loose, tally)
        return
    rows: dict[str | int | None, list[int]] = {}
    for row, version in enumerate(versions):
        rows.setdefault(version, []).append(row)
    for version, of in rows.items():
        take(model, version, loose.at(np.array(of)), tally)


def take(model: str, given: str | int | None, loose: Loose, tally: Tally) -> None:
    """Gives the records of one model version to *tally*."""
    version = tally.version(model, given)
    if isinstance(version, Fault):
        tally.reject_all(loose.place, version)
    else:
        tally.take(model, version, loose)
