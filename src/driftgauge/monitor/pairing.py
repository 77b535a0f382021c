"""Cases that two versions answered (shadow traffic): the newest version of a model and the one before it.

A case counts once, when the second of the two predictions is joined, if both were told the same outcome. It
lies in the newer version's panes by the time the outcome came, whichever version's record completed it, and
is saved with the numbers of both versions: where another one takes the older one's place it counts nothing.
An outcome that carries its own prediction makes no case, for no prediction of its id is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import MINUTE
from driftgauge.errors import StoreError
from driftgauge.layout import Row
from driftgauge.monitor.grouping import grouped, panes
from driftgauge.monitor.log import ANY_VERSION, Hashes, Met, Rows, first_and_last
from driftgauge.monitor.update import PaneDelta
from driftgauge.records import Floats, Ints
from driftgauge.sketches.paired import Paired
from driftgauge.sketches.quality import Joined
from driftgauge.windows import Part

if TYPE_CHECKING:
    from driftgauge.monitor.accepted import Accepted
    from driftgauge.monitor.model import Model
    from driftgauge.monitor.version import Version

_MARK: Final = np.dtype("<i8")
_MARK_BYTES: Final = 2 * _MARK.itemsize


@dataclass(frozen=True, slots=True)
class Pair:
    """The two versions that are compared."""

    older: Version
    newer: Version

    @classmethod
    def of(cls, model: Model) -> Pair | None:
        """The newest version and the one before it; None while there is one alone."""
        last = list(model.versions.values())[-2:]
        return cls(*last) if len(last) == 2 else None

    def other(self, version: Version) -> Version | None:
        """The one that *version* is compared with; None where it isn't of the pair."""
        return {self.older: self.newer, self.newer: self.older}.get(version)


@dataclass(frozen=True, slots=True)
class Told:
    """Predictions of one version with their outcomes, by the place of what was asked for or sent.

    Attributes:
        places: shape (n,), distinct.
        came: shape (n,), when the first outcome of each came.
    """

    places: Ints
    answers: Joined
    came: Floats

    def at(self, chosen: Ints) -> Told:
        """The chosen ones."""
        return Told(self.places[chosen], self.answers.at(chosen), self.came[chosen])


Case = tuple[Told, Told]
"""The older version's and the newer one's, the same cases in the same order."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Joined predictions of a round that is being prepared: no log has them yet."""

    hashes: Hashes
    answers: Joined
    came: Floats


class Pairing:
    """How one version's pairs are counted and saved. Owned by the version.

    Attributes:
        older: the number of the version whose cases are paired with its own; 0 before the first pair.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.older = 0

    @property
    def sketch(self) -> Paired:
        """The task's."""
        sketch = self._model.paired
        if sketch is None:
            raise RuntimeError(f"{self._model.name}: pairs were asked for before the task is known")
        return sketch

    def zero(self) -> Row:
        """The state of no cases."""
        return self.sketch.zero()

    def encode(self, row: Row) -> bytes:
        """The row behind the numbers of the two versions, of which the newer one's is not needed here."""
        return marked(self.older, 0, row)

    def decode(self, data: bytes) -> Row:
        """A saved row; one against another version, or of another task, counts nothing here."""
        older, _ = owners(data)
        try:
            return self.sketch.load(data[_MARK_BYTES:]) if older == self.older else self.zero()
        except StoreError:
            return self.zero()


def marked(older: int, newer: int, row: Row) -> bytes:
    """A row of pairs with the numbers of the versions."""
    return np.array([older, newer], _MARK).tobytes() + row.to_bytes()


def owners(data: bytes) -> tuple[int, int]:
    """The numbers of the older and the newer version of a marked row."""
    older, newer = np.frombuffer(data[:_MARK_BYTES], _MARK).tolist()
    return older, newer


def kept(version: Version, hashes: Hashes) -> list[tuple[Ints, Rows]]:
    """Kept predictions of *version* with their places in *hashes*; of few logs none where there are none."""
    found = [log.find(hashes) for log in version.logs]
    return [(places, rows) for places, rows in found if places.size]


def told(version: Version, hashes: Hashes) -> Told | None:
    """Predictions by the ids *hashes* that *version* has joined, with the outcome that counts now.

    Cost: an index look-up an id; rows are read where there are any.
    """
    there = kept(version, hashes)
    if not there:
        return None
    model = version.model
    positions, words = model.outcomes.find(hashes)
    mine = (words["version"] == ANY_VERSION) | (words["version"] == version.owner)
    known, first, last = first_and_last(positions[mine], words[mine])
    counts = last if model.config.outcomes.revisions else first
    parts: list[Told] = []
    for places, rows in there:
        _, at, of = np.intersect1d(places, known, assume_unique=True, return_indices=True)
        in_time = first["time"][of] <= rows["time"][at] + model.horizon_seconds
        good = in_time & (first["met"][of] != Met.COMPLETE)
        at, of = at[good], of[good]
        parts.append(
            Told(places[at], answers(rows[at], counts["outcome"][of].copy()), first["time"][of].copy())
        )
    return merged(parts)


def answers(rows: Rows, outcome: Floats) -> Joined:
    """What kept *rows* say, for pairs: without segments, bins, amounts and delay."""
    score, names = rows["score"], rows.dtype.names or ()
    return Joined(
        outcome,
        rows["prediction"].copy(),
        np.where((score >= 0) & (score <= 1), score, np.nan),
        rows["scores"].copy() if "scores" in names else np.zeros((rows.size, 0)),
        np.zeros((0, rows.size), np.uint8),
        np.full(rows.size, np.nan),
    )


def accepted(records: Accepted, places: Ints, outcome: Floats) -> Joined:
    """As `answers`, of a batch's records; *outcome* is of all of them."""
    score = records.score[places]
    return Joined(
        outcome[places],
        records.prediction[places],
        np.where((score >= 0) & (score <= 1), score, np.nan),
        records.scores[places],
        np.zeros((0, places.size), np.uint8),
        np.full(places.size, np.nan),
    )


def merged(parts: Sequence[Told]) -> Told | None:
    """All of them; None where there are none. Probabilities that one part lacks are NaN."""
    parts = [part for part in parts if part.places.size]
    if not parts:
        return None
    sides = [part.answers for part in parts]
    width = max(side.scores.shape[1] for side in sides)
    n = sum(map(len, sides))
    return Told(
        np.concatenate([part.places for part in parts]),
        Joined(
            np.concatenate([side.outcome for side in sides]),
            np.concatenate([side.prediction for side in sides]),
            np.concatenate([side.score for side in sides]),
            np.concatenate([_padded(side.scores, width) for side in sides]),
            np.zeros((0, n), np.uint8),
            np.full(n, np.nan),
        ),
        np.concatenate([part.came for part in parts]),
    )


def _padded(scores: Floats, width: int) -> Floats:
    missing = width - scores.shape[1]
    return scores if not missing else np.pad(scores, ((0, 0), (0, missing)), constant_values=np.nan)


def joined_here(pair: Pair, now: Mapping[Version, Told], hashes: Hashes) -> list[Case]:
    """Cases that a batch of outcomes completes.

    Args:
        now: what the batch joins in each version, places those of the batch's ids.
        hashes: of the batch's ids, by place.

    Returns:
        (older, newer), the same cases in the same order.
    """
    found: list[Case] = []
    older, newer = now.get(pair.older), now.get(pair.newer)
    if older is not None and newer is not None:
        _, left, right = np.intersect1d(older.places, newer.places, assume_unique=True, return_indices=True)
        found.append((older.at(left), newer.at(right)))
    for mine, others, version in ((older, newer, pair.newer), (newer, older, pair.older)):
        if mine is None:
            continue
        alone = mine if others is None else mine.at(np.flatnonzero(~np.isin(mine.places, others.places)))
        before = told(version, hashes[alone.places])
        if before is not None:
            matched = alone.at(before.places)
            found.append((matched, before) if version is pair.newer else (before, matched))
    return found


def brought_before(brought: Sequence[Brought], hashes: Hashes) -> Told | None:
    """What the other version's batches of this round joined by the ids *hashes*."""
    places = {each.tobytes(): place for place, each in enumerate(hashes)} if brought else {}
    parts: list[Told] = []
    for each in brought:
        at = [(i, places[h.tobytes()]) for i, h in enumerate(each.hashes) if h.tobytes() in places]
        chosen = np.array([i for i, _ in at], np.int64)
        parts.append(Told(np.array([p for _, p in at], np.int64), each.answers.at(chosen), each.came[chosen]))
    return merged(parts)


def deltas(pair: Pair, sketch: Paired, cases: Sequence[Case], now: float) -> list[PaneDelta]:
    """The rows that *cases* (older, newer) add, of those whose two outcomes are the same."""
    found: list[PaneDelta] = []
    grid = pair.newer.coarse.grid
    oldest = grid.index(now - pair.newer.retained_seconds)
    for older, newer in cases:
        hours = np.floor((newer.came - grid.origin) / grid.width_seconds)
        same = np.flatnonzero((older.answers.outcome == newer.answers.outcome) & (hours >= oldest))
        for fine, coarse, places in panes(pair.newer, newer.came, same, now):
            row = sketch.row(older.answers.at(places), newer.answers.at(places))
            data = marked(pair.older.owner, pair.newer.owner, row)
            found.append(PaneDelta(Part.PAIRED, fine, coarse, data))
    return found


def exchanged(
    pair: Pair, hashes: Hashes, counted: Mapping[Version, NDArray[np.bool_]], outcome: Floats
) -> Iterator[tuple[Case, Case]]:
    """Cases as they were and as they are after later words on the ids *hashes*, by the minute.

    Args:
        counted: which of them each version counts anew; outcome: as which, shape (n,).
    """
    sides = [told(version, hashes) for version in (pair.older, pair.newer)]
    older, newer = sides
    if older is None or newer is None:
        return
    _, left, right = np.intersect1d(older.places, newer.places, assume_unique=True, return_indices=True)
    before = older.at(left), newer.at(right)
    none = np.zeros(len(hashes), np.bool_)
    changed = [counted.get(version, none)[before[0].places] for version in (pair.older, pair.newer)]
    after = [_retold(side, mine, outcome) for side, mine in zip(before, changed, strict=True)]
    moved = np.flatnonzero(changed[0] | changed[1])
    minutes = np.floor(before[1].came[moved] * pair.newer.model.scale / MINUTE)
    for _, places in grouped(minutes):
        chosen = moved[places]
        yield (before[0].at(chosen), before[1].at(chosen)), (after[0].at(chosen), after[1].at(chosen))


def _retold(side: Told, changed: NDArray[np.bool_], outcome: Floats) -> Told:
    words = np.where(changed, outcome[side.places], side.answers.outcome)
    return replace(side, answers=replace(side.answers, outcome=words))
