"""Rows in the bins of another reference: exact for categories and moments, interpolated for numbers."""

from __future__ import annotations

import numpy as np

from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.inputs import NUMERIC_BINS, Inputs


def rebinned(target: Inputs, source: Inputs, row: Row) -> Row:
    """*row*, counted in the bins of *source*, as if it had been counted in those of *target*.

    Values of a bin are taken to lie evenly in it, so a count is off by at most the records of the
    source's bins that hold an edge of the target's (about 1/64 of all each; an atom's bin is a point and
    exact). Names that the source doesn't have are missing in every record. O(features * bins).
    """
    found = target.zero()
    found.counts = found.counts.astype(np.int64)
    records = source.records(row)
    target.layout.count(found, "records")[0] = records
    numeric = {key: place for place, key in enumerate(source.bins.numeric)}
    texts = {key: place for place, key in enumerate(source.bins.categorical)}
    cells = target.layout.count(found, "bins")
    for place, key in enumerate(target.bins.numeric):
        if key in numeric:
            _number(target, source, found, row, place, numeric[key])
        else:
            cells[place, NUMERIC_BINS] = records
    block = target.layout.count(found, "categories")
    for place, key in enumerate(target.bins.categorical):
        if key in texts:
            block[place] = _categories(target, source, row, place, texts[key])
        else:
            block[place, target.missing] = records
    return found


def _number(target: Inputs, source: Inputs, found: Row, row: Row, place: int, at: int) -> None:
    before = source.layout.count(row, "bins")[at].astype(np.int64)
    cells = target.layout.count(found, "bins")[place]
    counts = before[:NUMERIC_BINS]
    cells[:NUMERIC_BINS] = _moved(source.bins.edges[at], counts, target.bins.edges[place])
    cells[NUMERIC_BINS:] = before[NUMERIC_BINS:]
    n, apart = int(counts.sum()), float(source.bins.centre[at] - target.bins.centre[place])
    deviation = float(source.layout.sum(row, "deviation")[at])
    square = float(source.layout.sum(row, "square")[at])
    target.layout.sum(found, "deviation")[place] = deviation + n * apart
    target.layout.sum(found, "square")[place] = square + 2 * apart * deviation + n * apart * apart


def _moved(edges: Floats, counts: Ints, wanted: Floats) -> Ints:
    """Counts between *wanted* edges of counts between *edges*; what lies beyond the outermost edges is
    taken to lie at them.
    """
    upto = np.cumsum(counts)[:-1]
    last = np.flatnonzero(np.append(np.diff(edges) > 0, True))
    total = int(counts.sum())
    cumulated = np.interp(wanted, edges[last], upto[last], left=0.0, right=float(total))
    cumulated[wanted >= edges[-1]] = total
    upto = np.concatenate([[0], np.rint(cumulated).astype(np.int64), [total]])
    return upto[1:] - upto[:-1]


def _categories(target: Inputs, source: Inputs, row: Row, place: int, at: int) -> Ints:
    before = source.layout.count(row, "categories")[at].astype(np.int64)
    cells = np.zeros(target.category_cells, np.int64)
    names = source.bins.categories[at]
    np.add.at(cells, target.codes(place, list(names)), before[: len(names)])
    cells[[target.other, target.unseen, target.missing]] += before[
        [source.other, source.unseen, source.missing]
    ]
    return cells
