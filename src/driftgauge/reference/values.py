"""What a reference is: bins, the counts in them, and the coarse counts of each day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.reference.loss import ExpectedLoss
from driftgauge.reference.relation import Relation
from driftgauge.sketches.inputs import COARSE_CELLS, NUMERIC_BINS, InputBins, Inputs
from driftgauge.stats.divergence import psi

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Reference:
    """Bins, the counts in them, and the coarse counts of each day.

    Attributes:
        id: hash of the edges, categories and counts; the label `reference` of bin series.
        bins: where values fall.
        row: the reference's own counts and moments, a row of `Inputs`.
        first, last: epoch seconds of its first and last record; NaN where it has no times.
        relation: what came out in those bins, where the reference was made with outcomes.
        loss: the error to expect of a regression's predictions, likewise.
        days: number of the day (epoch) and its coarse counts, shape (names, COARSE_CELLS).
        kept: what readers worked out of it, by their name for it: the same at every look, gone with it.
    """

    id: str
    bins: InputBins
    row: Row
    first: float
    last: float
    days: tuple[tuple[int, Ints], ...]
    relation: Relation | None = None
    loss: ExpectedLoss | None = None
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def span_seconds(self) -> float:
        """Time from the first to the last record; 0 where it has no times."""
        return 0.0 if np.isnan(self.first) else self.last - self.first

    def only(self, prefix: str) -> Reference | None:
        """The part of it whose keys begin with *prefix*; None where there is none. O(cells)."""
        numeric = [i for i, k in enumerate(self.bins.numeric) if k.startswith(prefix)]
        texts = [i for i, k in enumerate(self.bins.categorical) if k.startswith(prefix)]
        if not numeric and not texts:
            return None
        bins = InputBins(
            tuple(self.bins.numeric[i] for i in numeric),
            tuple(self.bins.categorical[i] for i in texts),
            frozenset(k for k in self.bins.identifiers if k.startswith(prefix)),
            self.bins.edges[numeric],
            self.bins.centre[numeric],
            self.bins.low[numeric],
            self.bins.high[numeric],
            self.bins.coarse[numeric],
            tuple(self.bins.categories[i] for i in texts),
            tuple(self.bins.folded[i] for i in texts),
            self.bins.limit,
        )
        places = [*numeric, *(len(self.bins.numeric) + i for i in texts)]
        days = tuple((day, counts[places]) for day, counts in self.days)
        row = _chosen(Inputs(self.bins), self.row, Inputs(bins), numeric, texts)
        return identified(bins, row, self.first, self.last, days)


def _chosen(whole: Inputs, row: Row, part: Inputs, numeric: Sequence[int], texts: Sequence[int]) -> Row:
    chosen = part.zero()
    part.layout.count(chosen, "records")[:] = whole.layout.count(row, "records")
    for name in ("bins", "clipped", "outside"):
        part.layout.count(chosen, name)[:] = whole.layout.count(row, name)[list(numeric)]
    part.layout.count(chosen, "categories")[:] = whole.layout.count(row, "categories")[list(texts)]
    for name in ("deviation", "square"):
        part.layout.sum(chosen, name)[:] = whole.layout.sum(row, name)[list(numeric)]
    return chosen


def merged(inputs: Reference, outputs: Reference) -> Reference:
    """One reference of the inputs' and the outputs': what `only` takes apart again.

    Exact, ids included, where both stand on the same records. Else the number of records is the
    greater of both, the time spans both, and a name has no counts on days of the other alone.
    """
    parts = (inputs.bins, outputs.bins)
    limit = max(bins.limit for bins in parts)
    bins = InputBins(
        numeric=(*parts[0].numeric, *parts[1].numeric),
        categorical=(*parts[0].categorical, *parts[1].categorical),
        identifiers=parts[0].identifiers | parts[1].identifiers,
        edges=np.concatenate([b.edges for b in parts]),
        centre=np.concatenate([b.centre for b in parts]),
        low=np.concatenate([b.low for b in parts]),
        high=np.concatenate([b.high for b in parts]),
        coarse=np.concatenate([b.coarse for b in parts]),
        categories=(*parts[0].categories, *parts[1].categories),
        folded=(*parts[0].folded, *parts[1].folded),
        limit=limit,
    )
    first, last = np.fmin(inputs.first, outputs.first), np.fmax(inputs.last, outputs.last)
    row = _joined_rows(Inputs(bins), inputs, outputs)
    return identified(bins, row, float(first), float(last), _joined_days(inputs, outputs))


def _joined_rows(whole: Inputs, *parts: Reference) -> Row:
    row, layout = whole.zero(), whole.layout
    numeric, texts = 0, 0
    for part in parts:
        own, bins = Inputs(part.bins), part.bins
        records = own.layout.count(part.row, "records")
        np.maximum(layout.count(row, "records"), records, out=layout.count(row, "records"))
        place = slice(numeric, numeric + len(bins.numeric))
        for name in ("bins", "clipped", "outside"):
            layout.count(row, name)[place] = own.layout.count(part.row, name)
        for name in ("deviation", "square"):
            layout.sum(row, name)[place] = own.layout.sum(part.row, name)
        cells = layout.count(row, "categories")[texts : texts + len(bins.categorical)]
        block = own.layout.count(part.row, "categories")
        cells[:, : bins.limit], cells[:, whole.other :] = block[:, : bins.limit], block[:, own.other :]
        numeric, texts = place.stop, texts + len(bins.categorical)
    return row


def _joined_days(inputs: Reference, outputs: Reference) -> tuple[tuple[int, Ints], ...]:
    """Coarse counts by day, numeric names of both before categorical names of both."""
    parts = (inputs, outputs)
    by_day = [dict(part.days) for part in parts]
    found = []
    for day in sorted({*by_day[0], *by_day[1]}):
        blocks = [
            days.get(day, np.zeros((len(p.bins.numeric) + len(p.bins.categorical), COARSE_CELLS), np.int64))
            for days, p in zip(by_day, parts, strict=True)
        ]
        numeric = [block[: len(p.bins.numeric)] for block, p in zip(blocks, parts, strict=True)]
        texts = [block[len(p.bins.numeric) :] for block, p in zip(blocks, parts, strict=True)]
        found.append((day, np.concatenate([*numeric, *texts])))
    return tuple(found)


def bins_mark(bins: InputBins) -> bytes:
    """Six bytes that tell bins apart: rows of the same mark may be added."""
    more = (bins.centre.astype("<f8").tobytes(), bins.coarse.astype("<i8").tobytes(), b"%d" % bins.limit)
    return _bins_digest(bins, b"".join(more)).digest()


def _bins_digest(bins: InputBins, more: bytes) -> hashlib.blake2b:
    digest = hashlib.blake2b(digest_size=6)
    digest.update(repr((bins.numeric, bins.categorical, bins.categories)).encode())
    digest.update(bins.edges.astype("<f8").tobytes())
    digest.update(more)
    return digest


def identified(
    bins: InputBins, row: Row, first: float, last: float, days: tuple[tuple[int, Ints], ...]
) -> Reference:
    """The reference of these parts, with the id that its edges, categories and counts give it."""
    digest = _bins_digest(bins, row.counts.astype("<u4").tobytes())
    return Reference(digest.hexdigest(), bins, row, first, last, days)


def moments(inputs: Inputs, row: Row) -> tuple[Ints, Floats, Floats]:
    """Finite values, mean and standard deviation (ddof 0) of every numeric name; NaN when empty."""
    n = inputs.layout.count(row, "bins")[:, :NUMERIC_BINS].sum(axis=1, dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = inputs.layout.sum(row, "deviation") / n
        square = inputs.layout.sum(row, "square") / n
    return n, inputs.bins.centre + deviation, np.sqrt(np.maximum(square - deviation**2, 0.0))


def halves_differ(reference: Reference, floor: float) -> tuple[str, ...]:
    """Keys whose alternate days differ by a PSI of at least *floor*: an unstable reference."""
    if len(reference.days) < 2:
        return ()
    stack = np.array([counts for _, counts in reference.days])
    even, odd = stack[::2].sum(axis=0), stack[1::2].sum(axis=0)
    usable = (even.sum(axis=1) > 0) & (odd.sum(axis=1) > 0)
    names = np.array((*reference.bins.numeric, *reference.bins.categorical), object)[usable]
    values = psi(even[usable], odd[usable])
    return tuple(names[values >= floor])


def stacked(rows: Sequence[Floats | Ints], width: int) -> Floats:
    """*rows* as one array, of shape (0, width) where there is none."""
    return np.array(rows, np.float64).reshape(len(rows), width)
