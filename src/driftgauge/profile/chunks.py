"""What a file's reader hands on: typed columns of some thousand rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from driftgauge.profile.cells import Column, Where


@dataclass(frozen=True, slots=True)
class Chunk:
    """*rows* records, columns by name in the file's order.

    Attributes:
        columns: those that were wanted and have had a value by now; an absent one is missing in
            every row.
        where: in words, where a row stands: ``line 17``.
    """

    rows: int
    columns: Mapping[str, Column]
    where: Where


class Records(Protocol):
    """A file that is read once, in chunks."""

    def names(self) -> tuple[str, ...] | None:
        """Its columns; None where only reading tells."""

    def chunks(self) -> Iterator[Chunk]:
        """All records in order.

        Raises:
            ProfileError: the file can't be read on.
        """

    def position(self) -> int:
        """Bytes of the file that have been read."""
