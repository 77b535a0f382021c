"""The decoder of a group: bodies to pieces or columns, pieces to chunks, chunks to records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Raw

from driftgauge.config import Limits
from driftgauge.ingest.columnar import head_of, read_columns, read_quickly
from driftgauge.ingest.gather import outcomes, predictions
from driftgauge.ingest.lines import read_piece, readable
from driftgauge.ingest.models import Models
from driftgauge.ingest.pieces import MOST_BYTES, SPACE, Block, Pieces, blocks, lined
from driftgauge.ingest.plain import UNREADABLE, plain
from driftgauge.ingest.tally import Tally
from driftgauge.ingest.wording import Fault, kind
from driftgauge.records import (
    Decoded,
    Kind,
    Media,
    Outcomes,
    Predictions,
    Reason,
    Request,
    Schema,
)


class Decoder:
    """Decodes groups of requests; remembers, per model, how its records look.

    Not for use by two threads at once. What it gives is the caller's own.

    Args:
        limits: how many features, classes and segments there may be, how long texts.
        fields: incoming top-level keys and the field that each is.
        schema_of: what is known of a model now; asked once or twice a piece of some 300 KiB.
        only_model: the name of the only configured model, to which a record without one belongs.
        unnamed_version: the version of predictions that name none.

    Cost: PERFORMANCE's typical record of 737 bytes takes some 5 us of CPU in bodies of 1000 lines.
    """

    def __init__(
        self,
        limits: Limits,
        fields: Mapping[str, str],
        schema_of: Callable[[str], Schema],
        only_model: Callable[[], str | None],
        unnamed_version: str = "",
    ) -> None:
        self._limits = limits
        self._unnamed_version = unnamed_version
        self._schema_of = schema_of
        self._models = {kind: Models(kind, limits, fields, schema_of, only_model) for kind in Kind}

    def predictions(self, requests: Sequence[Request]) -> Decoded:
        """The predictions that *requests* hold, and all that was refused; never raises for a body."""
        tally = self._read(Kind.PREDICTIONS, requests)
        found = tuple(
            predictions(model, version or "", chunks, self._schema_of(model), tally)
            for (model, version), chunks in tally.chunks.items()
        )
        return _decoded(tally, found, ())

    def outcomes(self, requests: Sequence[Request]) -> Decoded:
        """The outcomes that *requests* hold, and all that was refused; never raises for a body."""
        tally = self._read(Kind.OUTCOMES, requests)
        found = tuple(
            outcomes(model, version, chunks, self._schema_of(model))
            for (model, version), chunks in tally.chunks.items()
        )
        return _decoded(tally, (), found)

    def _read(self, kind: Kind, requests: Sequence[Request]) -> Tally:
        tally = Tally(kind, self._limits, [0] * len(requests), self._unnamed_version)
        reading = _Reading(self._models[kind], tally)
        for number, request in enumerate(requests):
            reading.take(number, request)
        reading.flush()
        return reading.tally


class _Reading:
    """One group on its way: whatever stands in lines is gathered, the rest is decoded at once."""

    def __init__(self, models: Models, tally: Tally) -> None:
        self.models, self.tally = models, tally
        self.pieces = Pieces()

    def take(self, number: int, request: Request) -> None:
        """Gathers request *number*, or decodes it if it doesn't come in lines."""
        if request.media is Media.NDJSON:
            self._lines(number, request.body)
            return
        body = request.body.strip(SPACE)
        if body.startswith(b"["):
            self._array(number, body)
        elif not body.startswith(b"{"):
            self.tally.fail(number, _no_record(body))
        elif b'"columns"' not in body or not self._columnar(number, body):
            self.tally.records[number] = 1
            self.tally.singles.add(number)
            if not self.pieces.has_room(body):
                self.flush()
            self.pieces.add_single(body, number)

    def flush(self) -> None:
        """Decodes what was gathered."""
        piece = self.pieces.taken()
        if piece is not None:
            read_piece(piece, self.models, self.tally)

    def _add(self, block: Block, number: int, first: int) -> None:
        if not self.pieces.has_room(block.text):
            self.flush()
        self.pieces.add(block, number, first)

    def _lines(self, number: int, body: bytes) -> None:
        cut = list(blocks(body))
        if not self.tally.counts(number, sum(block.lines for block in cut)):
            return
        first = 0
        for block in cut:
            self._add(block, number, first)
            first += block.lines

    def _array(self, number: int, body: bytes) -> None:
        # Before the elements are told apart: each of them would take some 70 bytes.
        if not self.tally.counts(number, body.count(b"}") // BRACES_A_RECORD):
            return
        try:
            elements = _ELEMENTS.decode(body) if readable(body) else None
        except UNREADABLE:
            elements = None
        if elements is None:
            self.tally.fail(number, _unreadable(body))
            return
        if not self.tally.counts(number, len(elements)):
            return
        step = max(1, len(elements) * MOST_BYTES // len(body))
        for first in range(0, len(elements), step):
            self._add(lined(elements[first : first + step]), number, first)

    def _columnar(self, number: int, body: bytes) -> bool:
        """Takes *body* if it is in the columnar form."""
        self.flush()
        if read_quickly(number, body, self.models, self.tally):
            return True
        head = head_of(body)
        if isinstance(head, Fault):
            self.tally.fail(number, head)
            return True
        if "columns" not in head:
            return False
        read_columns(number, head, self.models, self.tally)
        return True


BRACES_A_RECORD: Final = 5
"""A record and its features, scores, segments and error."""

_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])


def _no_record(body: bytes) -> Fault:
    """What is wrong with a body that begins neither an object nor an array."""
    if not body:
        return Fault(Reason.MALFORMED, "expected a JSON object or array, got an empty body")
    value = plain(body)
    if isinstance(value, Fault):
        return value
    return Fault(Reason.NOT_AN_OBJECT, f"expected an object or an array, got {kind(value)}")


def _unreadable(body: bytes) -> Fault:
    value = plain(body)
    return value if isinstance(value, Fault) else Fault(Reason.MALFORMED, "expected JSON")


def _decoded(tally: Tally, found: tuple[Predictions, ...], outcomes: tuple[Outcomes, ...]) -> Decoded:
    return Decoded(
        predictions=found,
        outcomes=outcomes,
        rejections=tuple(sorted(tally.rejections, key=lambda each: (each.request, each.index))),
        failures=tuple(sorted(tally.failures, key=lambda each: each.request)),
        records=np.array(tally.records, np.int64),
        ignored=dict(+tally.ignored),
    )
