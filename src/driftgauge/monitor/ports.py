"""What a monitor asks of the store; the store's own class fits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Piece(Protocol):
    """Rows of a log: their numbers, and the rows, shape (n, row bytes)."""

    @property
    def numbers(self) -> NDArray[np.uint64]:
        """Rising."""

    @property
    def rows(self) -> NDArray[np.uint8]:
        """Parallel to the numbers."""


class Shelf(Protocol):
    """Saved panes and logs of rows, read by the writer's thread alone."""

    def rows(self, log: int, numbers: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Rows by number, shape (n, row bytes), and which of them are still there.

        An unknown log's rows have 0 bytes.
        """

    def scan(self, log: int) -> Iterator[Piece]:
        """Every row of a log, piece by piece."""

    def count(self, log: int) -> int:
        """How many rows a log has."""

    def end(self, log: int) -> int:
        """The number after a log's last row; 0 where nothing is left of it."""

    def pane(self, owner: int, resolution: str, start: int, part: str) -> bytes | None:
        """A pane's part as it was saved; None where there is none."""
