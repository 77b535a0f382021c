"""The finished text of one Snapshot, by metric family."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from driftgauge.exposition.lines import sample_names
from driftgauge.metrics import Metric

# 1: a scrape's text shrinks about 20 times at this level already, and higher ones cost 2 to 5 times the CPU.
COMPRESSION_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family that has at least one series.

    Attributes:
        head: HELP and TYPE in text 0.0.4.
        openmetrics_head: the same in OpenMetrics.
        samples: the sample lines, the same in both.
    """

    metric: Metric
    head: bytes
    openmetrics_head: bytes
    samples: bytes


@dataclass(frozen=True, slots=True)
class SeriesCount:
    """How many series of one model version are in the text, and how many its limit kept out."""

    model: str
    model_version: str
    exported: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Compressed:
    """A text as raw deflate blocks that others may follow; its CRC-32 and its length."""

    blocks: bytes
    crc: int
    length: int


class Rendered:
    """The text of one Snapshot: immutable, but for compressed forms that are made when first wanted.

    Attributes:
        families: in the order of the table; each name once.
        counts: one for each model version of the Snapshot.
        invalid: values that were left out though they were there: NaN, an infinity, a negative
            counter, a series that came twice. Each is a bug elsewhere.
    """

    def __init__(
        self,
        families: tuple[Family, ...] = (),
        counts: tuple[SeriesCount, ...] = (),
        invalid: int = 0,
        wanted: set[bool] | None = None,
    ) -> None:
        self.families = families
        self.counts = counts
        self.invalid = invalid
        self._wanted = set() if wanted is None else wanted
        self._compressed: dict[bool, Compressed] = {}

    def text(self, *, openmetrics: bool, names: Collection[str] = ()) -> bytes:
        """The families, or those of them that *names* asks for; without ``# EOF``.

        Cost: a copy of the text, 0.2 ms at 10,000 series.
        """
        pieces: list[bytes] = []
        for family in self.select(names) if names else self.families:
            pieces += (family.openmetrics_head if openmetrics else family.head, family.samples)
        return b"".join(pieces)

    def select(self, names: Collection[str]) -> Iterator[Family]:
        """The families that ``name[]`` asks for by any of its *names*."""
        return (f for f in self.families if not sample_names(f.metric).isdisjoint(names))

    def compressed(self, *, openmetrics: bool) -> Compressed:
        """All families compressed; made once, and from then on with each later text's making.

        Cost: a look-up, or at the first call 5 ms for 10,000 series.
        """
        self._wanted.add(openmetrics)
        found = self._compressed.get(openmetrics)
        if found is None:
            found = self._compressed[openmetrics] = compress(self.text(openmetrics=openmetrics))
        return found

    def prepare(self) -> None:
        """Make now, off the event loop, the compressed forms that scrapes of earlier texts wanted."""
        for openmetrics in tuple(self._wanted):
            self.compressed(openmetrics=openmetrics)


def compress(text: bytes) -> Compressed:
    """*text* as raw deflate, ended at a byte's boundary so that more blocks may follow."""
    squeezer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    blocks = squeezer.compress(text) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return Compressed(blocks, zlib.crc32(text), len(text))


def gzip_member(first: Compressed, rest: bytes) -> bytes:
    """One gzip member that inflates to the text of *first* followed by *rest*.

    A single member, because not every client reads on after the first one's end.
    """
    squeezer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = squeezer.compress(rest) + squeezer.flush(zlib.Z_FINISH)
    crc = zlib.crc32(rest, first.crc)
    length = (first.length + len(rest)) & 0xFFFFFFFF
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return b"".join((header, first.blocks, tail, crc.to_bytes(4, "little"), length.to_bytes(4, "little")))


EMPTY = Rendered()
