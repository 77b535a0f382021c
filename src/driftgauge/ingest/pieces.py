"""Bodies cut into pieces: lines of one record each, many small bodies together, large ones apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec import Raw

from driftgauge.ingest.columns import Place

MOST_BYTES: Final = 1 << 20
SPACE: Final = b" \t\r\n"

_NEWLINE, _RETURN = ord("\n"), ord("\r")
_OPEN: Final = ord("{")
_CLOSE: Final = ord("}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Records as lines, none of them blank.

    Attributes:
        text: the lines, with newlines between them and nowhere else.
        together: whether each line is known to reach from ``{`` to ``}``; see `together`.
        place: where each line stood.
    """

    text: bytes
    place: Place
    together: bool

    def lines(self) -> list[bytes]:
        """Each record's own bytes."""
        return self.text.split(b"\n")


def together(text: bytes) -> int:
    """How many lines *text* is where each reaches from ``{`` to ``}``; 0 where one does not.

    Where they do, no object can reach over a line's end: within JSON a ``{`` never follows a ``}``.
    So as many objects as lines means one on each, and no body can complete another's.
    """
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return 0
    cells = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(cells == _NEWLINE)
    if (cells[ends + 1] != _OPEN).any():
        return 0
    odd = ends[cells[ends - 1] != _CLOSE]
    if odd.size and ((cells[odd - 1] != _RETURN) | (cells[odd - 2] != _CLOSE)).any():
        return 0
    return ends.size + 1


def single(body: bytes) -> bytes:
    """A body of one value as one line; a tab, like a newline, is space or wrong."""
    return body.replace(b"\n", b"\t") if b"\n" in body else body


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one body; *together* as in `Piece`."""

    text: bytes
    lines: int
    together: bool


def blocks(body: bytes) -> Iterator[Block]:
    """The lines of *body* that are not blank, in blocks of at most MOST_BYTES if no line is longer."""
    start, end = 0, len(body)
    while start < end:
        stop = end
        if end - start > MOST_BYTES:
            cut = body.rfind(b"\n", start, start + MOST_BYTES)
            cut = cut if cut >= 0 else body.find(b"\n", start)
            stop = cut if cut >= 0 else end
        block = unblank(body[start:stop])
        if block.lines:
            yield block
        start = stop + 1


def lined(values: Sequence[Raw]) -> Block:
    """JSON *values* as a line each."""
    text = b"\n".join(values)
    if together(text) == len(values):
        return Block(text, len(values), together=True)
    text = b"\n".join(single(bytes(each)) for each in values)
    return Block(text, len(values), together=together(text) > 0)


def unblank(text: bytes) -> Block:
    """The lines of *text* that are not blank."""
    text = text.strip(SPACE)
    if lines := together(text):
        return Block(text, lines, together=True)
    kept = [line for each in text.split(b"\n") if (line := each.strip(SPACE))]
    joined = b"\n".join(kept)
    return Block(joined, len(kept), together=together(joined) > 0)


class Pieces:
    """Gathers lines into pieces, in order."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._texts: list[bytes] = []
        self._requests: list[int] = []
        self._firsts: list[int] = []
        self._counts: list[int] = []
        self._bytes = 0
        self._together = True

    def has_room(self, text: bytes) -> bool:
        """Whether *text* still belongs to this piece."""
        return not self._texts or self._bytes + len(text) <= MOST_BYTES

    def add_single(self, text: bytes, request: int) -> None:
        """Takes *request*, whose body *text* is one value, perhaps over several lines."""
        self._add(text, 1, request, 0)
        self._together = False

    def add(self, block: Block, request: int, first: int) -> None:
        """Takes *block*, the lines *first* and following of *request*."""
        self._add(block.text, block.lines, request, first)
        self._together &= block.together

    def _add(self, text: bytes, lines: int, request: int, first: int) -> None:
        self._texts.append(text)
        self._requests.append(request)
        self._firsts.append(first)
        self._counts.append(lines)
        self._bytes += len(text)

    def taken(self) -> Piece | None:
        """What was gathered since the last time; None where that is nothing."""
        if not self._texts:
            return None
        text, known = b"\n".join(self._texts), self._together
        if not known and not (known := together(text) == sum(self._counts)):
            lined = zip(self._texts, self._counts, strict=True)
            text = b"\n".join(single(each) if lines == 1 else each for each, lines in lined)
            known = together(text) > 0
        piece = Piece(text, self._place(), known)
        self._clear()
        return piece

    def _place(self) -> Place:
        counts = np.array(self._counts)
        starts = np.repeat(np.cumsum(counts) - counts - np.array(self._firsts), counts)
        return Place(np.repeat(np.array(self._requests), counts), np.arange(len(starts)) - starts)
