"""Kept records on their way to the store: rows that expire together lie together.

A blob of rows expires as a whole, when its youngest row has. So rows are appended by the time at
which they expire, in pieces of at most `span_seconds`; and halves of a join are kept so much longer
than the other half that this can't change which of them goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from driftgauge.monitor.log import RecordLog, Rows
from driftgauge.monitor.update import Appended
from driftgauge.records import Floats

if TYPE_CHECKING:
    from driftgauge.monitor.model import Model

# The store lets appends of one minute share a blob.
LEAST_SPAN: Final = 60.0


def span_seconds(model: Model) -> float:
    """How far apart the times may lie at which the rows of one blob expire.

    A hundredth of the horizon, so that records far apart in time (a replay's) don't make a blob each.
    """
    return max(model.coarse_grid.width_seconds, LEAST_SPAN, model.horizon_seconds / 100)


def outcome_kept_seconds(model: Model) -> float:
    """How long after its time (or its prediction's, if that is later) an outcome is kept.

    Longer than the prediction, which asks for it when it expires: without it silence is implied.
    """
    return model.horizon_seconds + 2 * span_seconds(model)


def witness_seconds(model: Model) -> float:
    """How long after an outcome that came first its prediction is kept, beside the horizon.

    Longer than the outcome, which asks for it when it expires: without it the outcome is an orphan.
    """
    return 4 * span_seconds(model)


def appends(log: RecordLog, rows: Rows, until: Floats, span: float) -> list[Appended]:
    """*rows* for the end of *log*, each to be kept *until* then, shape (n,), by pieces of *span* seconds."""
    piece = np.floor(until / span)
    if rows.size and piece.min() == piece.max():
        return [Appended(log.log, log.reserve(rows.size), rows, until)]
    order = np.argsort(piece, kind="stable")
    edges = np.flatnonzero(np.diff(piece[order])) + 1
    return [
        Appended(log.log, log.reserve(places.size), rows[places], until[places])
        for places in np.split(order, edges)
        if places.size
    ]
