"""Pieces of lines -> chunks: all at once where every line is as expected, else line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from driftgauge.ingest.columns import Place, Spoilt
from driftgauge.ingest.forms import Form
from driftgauge.ingest.models import Models
from driftgauge.ingest.pieces import Piece, together
from driftgauge.ingest.plain import UNREADABLE, plain, structure
from driftgauge.ingest.structures import field_column, loose
from driftgauge.ingest.tally import Tally
from driftgauge.ingest.wording import Fault, RefusedError, kind
from driftgauge.records import Reason

Object: TypeAlias = Mapping[str, object]


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
        records = None
        if isinstance(form, Form) and piece.together:
            records = bulk(form, piece.text, len(piece.place))
        if isinstance(form, Form) and records and _all_of(model, form, records, models):
            keep(form, model, piece.place, records, {}, tally)
            return
    _by_model(piece, models, tally)


def bulk(form: Form, text: bytes, lines: int) -> Sequence[Struct] | None:
    """The records of all *lines* of *text*, which are `together`; None unless *form* fits each."""
    if not readable(text):
        return None
    try:
        records: list[Struct] = form.decoder.decode_lines(text)
    except UNREADABLE:
        return None
    return records if len(records) == lines else None


def readable(text: bytes) -> bool:
    """Whether *text* is UTF-8 throughout; what is skipped is not looked at otherwise."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_of(model: str, form: Form, records: Sequence[Struct], models: Models) -> bool:
    return all(models.name(given) == model for given in set(field_column(form, "model", records)))


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
    records = bulk(form, text, len(lines)) if together(text) else None
    if records is not None:
        keep(form, model, place, records, {}, tally)
        return
    alone = [_alone(form, line) for line in lines]
    good = [row for row, record in enumerate(alone) if record is not None]
    if good:
        keep(form, model, place.at(good), [r for r in alone if r is not None], {}, tally)
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
        keep(grown, model, place.at(rows), records, spoilt, tally)


def keep(
    form: Form,
    model: str,
    place: Place,
    records: Sequence[Struct],
    spoilt: Mapping[int, Spoilt],
    tally: Tally,
) -> None:
    """Gives *records* of one model to *tally*, by version."""
    versions = field_column(form, "model_version", records)
    rows: dict[str | int | None, list[int]] = {}
    if len(given := set(versions)) == 1:
        take(form, model, given.pop(), place, records, spoilt, tally)
        return
    for row, version in enumerate(versions):
        rows.setdefault(version, []).append(row)
    for version, of in rows.items():
        lost = {new: spoilt[row] for new, row in enumerate(of) if row in spoilt}
        take(form, model, version, place.at(of), [records[row] for row in of], lost, tally)


def take(
    form: Form,
    model: str,
    given: str | int | None,
    place: Place,
    records: Sequence[Struct],
    spoilt: Mapping[int, Spoilt],
    tally: Tally,
) -> None:
    """Gives *records* of one model version to *tally*."""
    version = tally.version(model, given)
    if isinstance(version, Fault):
        tally.reject_all(place, version)
    else:
        tally.take(model, version, loose(form, place, records, spoilt))
