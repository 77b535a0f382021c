"""A later word on outcomes that were counted: the old contribution out of its panes, the new one in.

A kept prediction and its kept outcome tell all that the old contribution was made of, so it is computed
again and taken away; both go into the panes of the first outcome's time. What is no longer there (a pane
that has expired, a part that was begun anew since) is neither taken away nor put.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Row
from driftgauge.monitor import binned, pairing
from driftgauge.monitor.joining import join_deltas
from driftgauge.monitor.log import ANY_VERSION, Hashes, Met, Rows, first_and_last, weights
from driftgauge.monitor.update import PaneDelta, Revision
from driftgauge.records import Floats, Ints
from driftgauge.sketches.paired import Paired
from driftgauge.sketches.quality import Joined, Quality
from driftgauge.windows import Part, Resolution

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version


@dataclass(frozen=True, slots=True)
class Revised:
    """What later words on n outcomes change in one version.

    Attributes:
        places: which of them had been counted there, and are counted anew.
        first: time of the first outcome of each of those, shape (places,).
        predicted: time of its prediction, likewise.
    """

    places: Ints
    first: Floats
    predicted: Floats
    deltas: tuple[PaneDelta, ...]


def revised(
    version: Version, quality: Quality, hashes: Hashes, outcome: Floats, value: Floats, now: float
) -> Revised:
    """What *outcome* and *value*, shape (n,), make of what was counted of the ids *hashes*.

    Reads logs and panes; changes nothing. Cost: that of two joins.
    """
    known, first, last = _told(version, hashes)
    differ = (last["outcome"] != outcome[known]) & (first["met"] != Met.COMPLETE)
    known, first, last = known[differ], first[differ], last[differ]
    places: list[Ints] = []
    times: list[Floats] = []
    made: list[Floats] = []
    deltas: list[PaneDelta] = []
    for log in version.logs:
        at, rows = log.find(hashes[known])
        in_time = first["time"][at] <= rows["time"] + version.model.horizon_seconds
        at, rows = at[in_time], rows[in_time]
        if not at.size:
            continue
        came = first["time"][at].copy()
        new = _joined(version, rows, outcome[known[at]], value[known[at]], came)
        old = replace(new, outcome=last["outcome"][at].copy(), value=last["value"][at].copy())
        deltas += _exchanged(version, quality, (old, new), came, now)
        places.append(known[at])
        times.append(came)
        made.append(rows["time"].copy())
    if not places:
        none = np.zeros(0)
        return Revised(np.zeros(0, np.int64), none, none, ())
    return Revised(np.concatenate(places), np.concatenate(times), np.concatenate(made), tuple(deltas))


def paired(
    pair: pairing.Pair,
    sketch: Paired,
    hashes: Hashes,
    counted: dict[Version, NDArray[np.bool_]],
    outcome: Floats,
    now: float,
) -> list[PaneDelta]:
    """What later words make of cases of two versions: *counted* tells which ids each version counts anew."""
    found: list[PaneDelta] = []
    for before, after in pairing.exchanged(pair, hashes, counted, outcome):
        taken = pairing.deltas(pair, sketch, [before], now)
        if all(_holds(pair.newer, each) for each in taken):
            found += [msgspec.structs.replace(each, revision=Revision.TAKEN) for each in taken]
            put = pairing.deltas(pair, sketch, [after], now)
            found += [msgspec.structs.replace(each, revision=Revision.PUT) for each in put]
    return found


def _told(version: Version, hashes: Hashes) -> tuple[Ints, Rows, Rows]:
    """Which ids have outcomes that are the version's, with the first and the last of each."""
    positions, rows = version.model.outcomes.find(hashes)
    mine = (rows["version"] == ANY_VERSION) | (rows["version"] == version.owner)
    return first_and_last(positions[mine], rows[mine])


def _joined(version: Version, rows: Rows, outcome: Floats, value: Floats, came: Floats) -> Joined:
    score, names = rows["score"], rows.dtype.names or ()
    return Joined(
        outcome,
        rows["prediction"].copy(),
        np.where((score >= 0) & (score <= 1), score, np.nan),
        rows["scores"].copy() if "scores" in names else np.zeros((rows.size, 0)),
        np.ascontiguousarray(rows["segments"].T),
        np.maximum(came - rows["time"], 0.0),
        bins=binned.read(version, rows),
        value=value,
        weight=weights(rows),
    )


def _exchanged(
    version: Version, quality: Quality, records: tuple[Joined, Joined], came: Floats, now: float
) -> list[PaneDelta]:
    """Rows to take away, and to put in their place."""
    predicted = came - records[0].delay
    old, new = (join_deltas(version, quality, each, came, predicted, now) for each in records)
    found: list[PaneDelta] = []
    for taken, put in zip(old, new, strict=True):
        if _holds(version, taken):
            found.append(msgspec.structs.replace(taken, revision=Revision.TAKEN))
            found.append(msgspec.structs.replace(put, revision=Revision.PUT))
    return found


def _holds(version: Version, delta: PaneDelta) -> bool:
    """Whether the panes of *delta* hold what it would take away."""
    part = Part(delta.part)
    row = version.decode(part, delta.row)
    for resolution, index in ((Resolution.FINE, delta.fine), (Resolution.COARSE, delta.coarse)):
        series = version.series(resolution)
        if series is None or index is None:
            continue
        held = series.row(part, index)
        if not isinstance(held, Row) or not isinstance(row, Row) or held.counts.shape != row.counts.shape:
            return False
        if (held.counts < row.counts).any():
            return False
    return True


def waiting(found: Rows) -> NDArray[np.bool_]:
    """Which first outcomes still wait for their prediction: another word replaces them at once."""
    return np.asarray(found["met"] == Met.NOT)
