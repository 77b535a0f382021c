"""What a file held that was not taken, each kind counted once with the place of its first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Finding:
    count: int
    first: str


class Findings:
    """Counts by kind; a kind is a sentence with ``{}`` for ``1 row`` or ``12 rows``.

    Memory: one entry a kind; kinds come from code and from column names, not from rows.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Finding] = {}

    def add(self, count: int, noun: str, sentence: str, first: str) -> None:
        """Count *count* of *noun*; *first* says where the first of these stands."""
        if count:
            known = self._found.setdefault((noun, sentence), _Finding(0, first))
            known.count += count

    def count(self, noun: str) -> int:
        """How many of *noun* were found, of all kinds."""
        return sum(found.count for (each, _), found in self._found.items() if each == noun)

    def lines(self) -> Iterator[str]:
        """A line a kind, in the order in which they were first met."""
        for (noun, sentence), found in self._found.items():
            plural = "" if found.count == 1 else "s"
            yield f"{found.count} {noun}{plural} {sentence} (first: {found.first})"
