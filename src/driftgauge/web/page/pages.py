"""Finished pages, kept while nothing that they show has changed."""

from __future__ import annotations

import gzip
from typing import Final

from driftgauge.web.page import View, render
from driftgauge.web.page.selection import Selection

# What so many readers look at, each at something else, is kept.
KEPT: Final = 32


class Pages:
    """Makes each page once an evaluation, however many read it. May be asked by several threads."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._made: dict[tuple[Selection, bool], bytes] = {}

    def body(self, view: View, selection: Selection, *, compressed: bool) -> bytes:
        """The page in UTF-8, as a gzip member if *compressed*."""
        if not _same(self._view, view):
            self._view, self._made = view, {}
        made = self._made
        key = selection, compressed
        found = made.get(key)
        if found is None:
            found = render(view, selection).encode()
            if compressed:
                found = gzip.compress(found, compresslevel=5, mtime=0)
            if len(made) < KEPT:
                made[key] = found
        return found


def _same(one: View | None, other: View) -> bool:
    """Whether both show the same; snapshot and notices are new ones where anything in them is."""
    return (
        one is not None
        and one.snapshot is other.snapshot
        and one.notices is other.notices
        and (one.components, one.readiness, one.progress, one.intake_address)
        == (other.components, other.readiness, other.progress, other.intake_address)
    )


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header Accept-Encoding names gzip, and not with a weight of 0."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0").rstrip(".") not in {"q=", "q=0"}
    return False
