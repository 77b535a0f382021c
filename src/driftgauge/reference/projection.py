"""Learning rows in the bins of a reference."""

from __future__ import annotations

import numpy as np

from driftgauge.layout import Row
from driftgauge.records import Ints
from driftgauge.sketches.inputs import MISSING, NOT_FINITE, NUMERIC_BINS, Inputs
from driftgauge.sketches.learning import CategoryTally, LearningRow, NumericTally, bin_bounds


def project(inputs: Inputs, learned: LearningRow) -> Row:
    """The row of `Inputs` that *learned* is: exact where its bins are unions of learning bins.

    They are for every row that went into the reference. Sums are exact too, unless a value lies beyond
    the outermost edges and is clipped: then they are of the middles of bins, within 0.1% of a value.
    """
    row = inputs.zero()
    layout, bins = inputs.layout, inputs.bins
    layout.count(row, "records")[0] = learned.records
    block = layout.count(row, "bins")
    for column, key in enumerate(bins.numeric):
        tally = learned.numeric.get(key)
        if tally is None:
            block[column, MISSING] = learned.records
            continue
        _project_numeric(inputs, row, column, tally)
    cells = layout.count(row, "categories")
    for column, key in enumerate(bins.categorical):
        cells[column] = _project_texts(inputs, column, key, learned)
    return row


def _project_numeric(inputs: Inputs, row: Row, column: int, tally: NumericTally) -> None:
    layout, bins = inputs.layout, inputs.bins
    lower, upper = bin_bounds(tally.codes, tally.level)
    edges = bins.edges[column]
    cells = layout.count(row, "bins")[column]
    cells[:NUMERIC_BINS] = np.bincount(
        np.searchsorted(edges, upper), weights=tally.counts, minlength=NUMERIC_BINS
    )
    cells[MISSING], cells[NOT_FINITE] = tally.missing, tally.not_finite
    # A bin's end next to zero is the number as it was written, for numbers of few digits.
    near = np.where(np.abs(lower) < np.abs(upper), lower, upper)
    clipped = (upper < edges[0]) | (lower > edges[-1])
    outside = (near < bins.low[column]) | (near > bins.high[column])
    layout.count(row, "clipped")[column] = tally.counts[clipped].sum()
    layout.count(row, "outside")[column] = tally.counts[outside].sum()
    centre = float(bins.centre[column])
    deviation, square = tally.about(centre)
    if clipped.any():
        apart = np.clip(lower / 2 + upper / 2, edges[0], edges[-1]) - centre
        deviation, square = float(tally.counts @ apart), float(tally.counts @ apart**2)
    layout.sum(row, "deviation")[column] = deviation
    layout.sum(row, "square")[column] = square


def _project_texts(inputs: Inputs, column: int, key: str, learned: LearningRow) -> Ints:
    cells = np.zeros(inputs.category_cells, np.int64)
    texts = learned.categorical.get(key)
    numbers = learned.numeric.get(key)
    if texts is not None:
        _add_texts(inputs, column, texts, cells)
    elif numbers is not None:
        cells[inputs.other] = numbers.values + numbers.not_finite
        cells[inputs.missing] = numbers.missing
    else:
        cells[inputs.missing] = learned.records
    return cells


def _add_texts(inputs: Inputs, column: int, texts: CategoryTally, cells: Ints) -> None:
    if texts.counts:
        np.add.at(cells, inputs.codes(column, list(texts.counts)), list(texts.counts.values()))
    cells[inputs.other] += texts.other
    cells[inputs.missing] = texts.missing
