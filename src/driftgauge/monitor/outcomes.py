"""Preparing a batch of outcomes: duplicates and conflicts, joins, and what is kept to wait."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Task
from driftgauge.monitor import binned, exports, keeping, pairing, revising
from driftgauge.monitor.batch import Piece, in_time, known_ids, pick
from driftgauge.monitor.detecting import Errors, fed
from driftgauge.monitor.joining import join_deltas
from driftgauge.monitor.log import (
    ANY_VERSION,
    Hashes,
    Met,
    Rows,
    first_and_last,
    outcome_rows,
    weights,
)
from driftgauge.monitor.model import Model
from driftgauge.monitor.structure import Coder, Structure
from driftgauge.monitor.update import Appended, PaneDelta, Tally, Update
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Ints, Outcomes, Reason, Rejection
from driftgauge.sketches.quality import Joined, Quality


def prepare(
    model: Model,
    carrier: Version | None,
    batch: Outcomes,
    coder: Coder,
    wall: float,
    key: bytes,
) -> tuple[list[Update], Piece]:
    """What *batch* changes in the model's versions. Reads logs; changes nothing.

    Args:
        carrier: the version that the batch names, or that its outcomes which need no join belong
            to; None where it names none and all need one.

    Returns:
        the updates of versions other than the carrier, and the carrier's piece.

    Cost: about 5 us an outcome in batches of 1,000.
    """
    work = _Work(model, carrier, batch, coder, wall, key)
    return work.done()


class _Work:
    """One batch of outcomes being prepared."""

    def __init__(
        self,
        model: Model,
        carrier: Version | None,
        batch: Outcomes,
        coder: Coder,
        wall: float,
        key: bytes,
    ) -> None:
        self.model, self.carrier, self.batch, self.coder = model, carrier, batch, coder
        self.wall, self.key = wall, key
        now = model.now(wall)
        self.now = now
        self.times = np.where(np.isnan(batch.timestamps), now, batch.timestamps)
        good, self.rejections = in_time(model, self.times, now, batch.request, batch.index)
        predictions = batch.prediction
        coder.settle_task(
            predictions,
            batch.outcome,
            scored=bool((~np.isnan(batch.score)).any()),
            classes=False,
        )
        self.outcome = coder.labels(batch.outcome)
        self._refuse_unknown(good)
        coder.centre_on(self.outcome[good])
        self.good = good
        self.tally = Tally(model.name, carrier.name if carrier else None, joined_by={}, invalid={}, folded={})
        self.deltas: dict[Version, list[PaneDelta]] = {}
        self.unjoined: dict[Version, int] = {}
        self.joined: dict[Version, list[tuple[Ints, Joined]]] = {}
        self.waited: dict[Version, list[pairing.Told]] = {}
        self.appended: list[Appended] = []
        self.complete = 0
        self.duplicate = np.zeros(len(batch), np.bool_)
        self.latest = self.times.copy()
        self.fan_out = model.config.outcomes.fan_out
        # What every replica is sent would be counted by each, were its own score enough.
        self.needs_join = batch.needs_join | self.fan_out
        self.met = np.where(self.needs_join, Met.NOT, Met.COMPLETE)
        self.waiting = 0
        self.exports: tuple[exports.Kept, ...] = ()
        self.value = batch.value
        self.revised = np.zeros(len(batch), np.bool_)
        self.said = np.arange(len(batch))

    def _refuse_unknown(self, good: NDArray[np.bool_]) -> None:
        task = self.coder.structure.task
        unknown = good & np.isnan(self.outcome)
        expected = {
            Task.BINARY: "0, 1, true, false or the positive class",
            Task.REGRESSION: "a finite number",
            Task.MULTICLASS: "a class",
            None: "a class or a number",
        }[task]
        for i in np.flatnonzero(unknown):
            self.rejections.append(
                Rejection(
                    int(self.batch.request[i]),
                    int(self.batch.index[i]),
                    Reason.UNKNOWN_CLASS,
                    f"outcome: expected {expected}",
                )
            )
        good &= ~unknown

    def done(self) -> tuple[list[Update], Piece]:
        quality = self.model.quality_for(self.coder.structure)
        self._drop_duplicates()
        accepted = self.good & ~self.duplicate
        clock = self.model.clock_after(self.times[accepted], self.times)
        self.now = self.now if clock is None else clock
        if quality is not None:
            self._count_complete(accepted & ~self.needs_join, quality)
            self._join_waiting(accepted & self.needs_join, quality)
            self._pair()
            if self.model.config.outcomes.revisions:
                self._revise(quality)
        elsewhere = self._elsewhere(accepted)
        self._keep(accepted & ~elsewhere)
        self.tally.elsewhere = int(elsewhere.sum())
        self.tally.outcomes = int(accepted.sum()) - self.tally.elsewhere
        self.tally.duplicate_outcomes = int((self.duplicate & ~self.revised).sum())
        self.tally.folded, self.coder.folded = self.coder.folded, {}
        return self._updates(accepted)

    # --- duplicates -------------------------------------------------------------------------

    def _drop_duplicates(self) -> None:
        places, hashes, repeats = known_ids(self.batch.ids, self.key, self.good)
        self.places, self.hashes = places, hashes
        scope = self._named_version()
        if self.model.config.outcomes.revisions:
            self._take_last(repeats)
        first = np.where(repeats >= 0, self.outcome[repeats], np.nan)
        positions, rows = self.model.outcomes.find(hashes)
        if positions.size:
            mine = (rows["version"] == ANY_VERSION) | (rows["version"] == scope)
            known, firsts, lasts = first_and_last(positions[mine], rows[mine])
            counts = lasts if self.model.config.outcomes.revisions else firsts
            first[places[known]] = counts["outcome"]
        self.duplicate = self.good & ~np.isnan(first)
        self.tally.conflicts += int((self.outcome != first)[self.duplicate].sum())

    def _take_last(self, repeats: Ints) -> None:
        """Of several outcomes of an id in one batch the last one is the first's."""
        self.value = self.value.copy()
        for place in np.flatnonzero(self.good & (repeats >= 0)).tolist():
            first = repeats[place]
            if self.outcome[first] != self.outcome[place]:
                self.outcome[first], self.value[first] = self.outcome[place], self.value[place]
                self.said[first] = place
                self.tally.revised += 1

    def _revise(self, quality: Quality) -> None:
        """Another outcome of an id that was counted, in each version that it is for."""
        mine = (self.good & self.needs_join)[self.places] & ~self._repeated()
        places, hashes = self.places[mine], self.hashes[mine]
        anew = np.zeros(places.size, np.bool_)
        first = self.times[places].copy()
        counted: dict[Version, NDArray[np.bool_]] = {}
        for version in self._scope():
            found = revising.revised(
                version, quality, hashes, self.outcome[places], self.value[places], self.now
            )
            if found.deltas:
                self.deltas.setdefault(version, []).extend(found.deltas)
            counted[version] = np.zeros(places.size, np.bool_)
            counted[version][found.places] = True
            anew[found.places] = True
            first[found.places] = found.first
            np.maximum.at(self.latest, places[found.places], found.predicted)
        if anew.any():
            self._pair_anew(hashes, counted, self.outcome[places])
        self._settle_revisions(places, hashes, anew, first)

    def _pair_anew(self, hashes: Hashes, counted: dict[Version, NDArray[np.bool_]], outcome: Floats) -> None:
        """Cases of outcomes that were told again, out of their panes and in as they are now."""
        pair, sketch = pairing.Pair.of(self.model), self.model.paired
        if pair is not None and sketch is not None:
            found = revising.paired(pair, sketch, hashes, counted, outcome, self.now)
            self.deltas.setdefault(pair.newer, []).extend(found)

    def _settle_revisions(self, places: Ints, hashes: Hashes, anew: NDArray[np.bool_], first: Floats) -> None:
        """Keep later words: those that were counted anew, and those whose prediction hasn't come."""
        positions, rows = self.model.outcomes.find(hashes)
        scope = self._named_version()
        mine = (rows["version"] == ANY_VERSION) | (rows["version"] == scope)
        known, firsts, lasts = first_and_last(positions[mine], rows[mine])
        waits = revising.waiting(firsts) & (lasts["outcome"] != self.outcome[places[known]])
        anew[known[waits]] = True
        first[known[waits]] = firsts["time"][waits]
        self.tally.revised += int(anew.sum())
        # One that named no version may be the first word elsewhere: that is kept as it came.
        again = anew & self.duplicate[places]
        later, first = places[again], first[again]
        self.tally.conflicts -= later.size
        self.revised[later] = True
        self.met[later] = Met.REVISED
        self.times[later] = first
        self.latest[later] = np.maximum(self.latest[later], first)

    def _repeated(self) -> NDArray[np.bool_]:
        """Of the records with an id, those that repeat one of the batch."""
        order = np.unique(self.hashes, axis=0, return_index=True)[1]
        repeated = np.ones(len(self.places), np.bool_)
        repeated[order] = False
        return repeated

    def _named_version(self) -> int:
        named = self.batch.model_version is not None and self.carrier is not None
        return self.carrier.owner if named and self.carrier else ANY_VERSION

    # --- joins ------------------------------------------------------------------------------

    def _count_complete(self, chosen: NDArray[np.bool_], quality: Quality) -> None:
        """Outcomes that carry their own prediction or score."""
        where = np.flatnonzero(chosen)
        if not where.size or self.carrier is None:
            return
        batch, listed = self.batch, where.tolist()
        score = batch.score[where]
        prediction = self.coder.labels([batch.prediction[i] for i in listed])
        if self.coder.structure.task is Task.BINARY:
            absent = np.isnan(prediction) & ~np.isnan(score)
            prediction[absent] = score[absent] >= self.model.config.threshold
        columns: dict[str, Sequence[str | None]] = {
            name: pick(texts, where, whole=False) for name, texts in batch.segments.items()
        }
        told = batch.prediction_timestamps[where]
        # None is later than its outcome, whatever the sender's clock says.
        predicted = np.fmin(np.where(np.isnan(told), self.times[where], told), self.times[where])
        records = Joined(
            self.outcome[where],
            prediction,
            np.where((score >= 0) & (score <= 1), score, np.nan),
            np.zeros((where.size, 0)),
            self.coder.segments(columns, where.size),
            np.maximum(self.times[where] - predicted, 0.0),
            value=self.value[where],
        )
        self._add(self.carrier, quality, records, where, predicted)
        self.complete = where.size
        self._settle_kept(chosen)

    def _settle_kept(self, chosen: NDArray[np.bool_]) -> None:
        """Predictions that are kept and whose outcome needed none wait no longer."""
        mine = chosen[self.places]
        places, hashes = self.places[mine], self.hashes[mine]
        for version in self._scope():
            for log in version.logs:
                positions, rows = log.find(hashes)
                told = places[positions]
                in_time = self.times[told] <= rows["time"] + self.model.horizon_seconds
                waited = (rows["joined"] == 0) & in_time & ~self._told_by_version(version, told)
                self.unjoined[version] = self.unjoined.get(version, 0) - int(waited.sum())

    def _join_waiting(self, chosen: NDArray[np.bool_], quality: Quality) -> None:
        """Outcomes whose prediction is kept, in each version that they are for."""
        mine = chosen[self.places]
        places, hashes = self.places[mine], self.hashes[mine]
        found = np.zeros(places.size, np.bool_)
        for version in self._scope():
            for log in version.logs:
                positions, rows = log.find(hashes)
                if positions.size:
                    found[positions] = True
                    self._join_rows(version, quality, places[positions], rows)
        self.met[places[found]] = Met.JOINED
        if not self.fan_out:
            self.waiting = exports.sampled(hashes[~found], self.model.sample_ratio).size

    def _elsewhere(self, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Outcomes of which another replica has the prediction; shape (n,)."""
        none_here: NDArray[np.bool_] = self.met == Met.NOT
        return accepted & none_here & self.fan_out

    def _scope(self) -> list[Version]:
        if self.batch.model_version is not None and self.carrier is not None:
            return [self.carrier]
        return list(self.model.versions.values())

    def _join_rows(self, version: Version, quality: Quality, places: Ints, rows: Rows) -> None:
        times = self.times[places]
        np.maximum.at(self.latest, places, rows["time"])
        in_time = times <= rows["time"] + self.model.horizon_seconds
        taken = self._told_by_version(version, places)
        self.tally.orphaned += int((~in_time).sum())
        usable = in_time & ~taken
        places, rows, times = places[usable], rows[usable], times[usable]
        if not places.size:
            return
        score = rows["score"]
        records = Joined(
            self.outcome[places],
            rows["prediction"].copy(),
            np.where((score >= 0) & (score <= 1), score, np.nan),
            rows["scores"].copy()
            if rows.dtype.names is not None and "scores" in rows.dtype.names
            else np.zeros((places.size, 0)),
            np.ascontiguousarray(rows["segments"].T),
            np.maximum(times - rows["time"], 0.0),
            bins=binned.read(version, rows),
            value=self.value[places],
            weight=weights(rows),
        )
        self._add(version, quality, records, places, rows["time"].copy())
        self.waited.setdefault(version, []).append(pairing.Told(places, records, times))
        self.unjoined[version] = self.unjoined.get(version, 0) - places.size

    def _pair(self) -> None:
        """Cases of which the batch joins the second of two versions' predictions, or both."""
        pair, sketch = pairing.Pair.of(self.model), self.model.paired_for(self.coder.structure)
        if pair is None or sketch is None or not self.waited:
            return
        now = {version: pairing.merged(parts) for version, parts in self.waited.items()}
        hashes = np.zeros((len(self.batch), 2), np.uint64)
        hashes[self.places] = self.hashes
        cases = pairing.joined_here(pair, {v: told for v, told in now.items() if told is not None}, hashes)
        self.deltas.setdefault(pair.newer, []).extend(pairing.deltas(pair, sketch, cases, self.now))

    def _told_by_version(self, version: Version, places: Ints) -> NDArray[np.bool_]:
        """Predictions that an earlier outcome naming their version has joined already."""
        taken = np.zeros(places.size, np.bool_)
        if self.batch.model_version is None and len(self.model.outcomes):
            place_of = {place: i for i, place in enumerate(self.places.tolist())}
            hashes = self.hashes[[place_of[p] for p in places.tolist()]]
            positions, rows = self.model.outcomes.find(hashes)
            taken[positions[rows["version"] == version.owner]] = True
        return taken

    def _add(
        self, version: Version, quality: Quality, records: Joined, places: Ints, predicted: Floats
    ) -> None:
        self.deltas.setdefault(version, []).extend(
            join_deltas(version, quality, records, self.times[places], predicted, self.now)
        )
        self.joined.setdefault(version, []).append((places, records))
        self.tally.join(version.name, len(records))

    # --- keeping ----------------------------------------------------------------------------

    def _keep(self, accepted: NDArray[np.bool_]) -> None:
        """Every accepted outcome with an id is kept: to be known again, and for late predictions."""
        mine = (accepted | self.revised)[self.places]
        places, hashes = self.places[mine], self.hashes[mine]
        self.exports = exports.outcomes(
            self.model.export,
            self.batch,
            places.tolist(),
            hashes,
            self.times,
            self.said,
            revisions=self.model.config.outcomes.revisions,
        )
        if self.model.sample_ratio < 1.0:
            sample = exports.sampled(hashes, self.model.sample_ratio)
            places, hashes = places[sample], hashes[sample]
        if not places.size:
            return
        log = self.model.outcomes
        rows = outcome_rows(
            hashes,
            self.times[places],
            self.outcome[places],
            self._named_version(),
            self.met[places],
        )
        rows["value"] = self.value[places]
        until = self.latest[places] + keeping.outcome_kept_seconds(self.model)
        self.appended += keeping.appends(log, rows, until, keeping.span_seconds(self.model))

    def _updates(self, accepted: NDArray[np.bool_]) -> tuple[list[Update], Piece]:
        model, structure = self.model, self.coder.structure
        clock = model.clock_after(self.times[accepted], self.times)
        others = [v for v in self.deltas | self.unjoined if v is not self.carrier]
        updates = [self._update(version, None, None) for version in others]
        own = msgspec.structs.replace(
            self._update(self.carrier, None if structure == model.structure else structure, clock),
            waiting=self.waiting,
        )
        piece = Piece(
            own,
            self.appended,
            self.tally,
            accepted | self.revised,
            self.duplicate & ~self.revised,
            self.rejections,
            self.exports,
        )
        return updates, piece

    def _update(self, version: Version | None, structure: Structure | None, clock: float | None) -> Update:
        return Update(
            model_owner=self.model.owner,
            model=self.model.name,
            version_owner=0 if version is None else version.owner,
            version="" if version is None else version.name,
            panes=() if version is None else tuple(self.deltas.get(version, ())),
            structure=structure,
            clock=clock,
            unjoined=0 if version is None else self.unjoined.get(version, 0),
            outcome_at=self.wall,
            first_time=self._first_time(version),
            errors=self._errors(version),
            brought=self.complete if version is not None and version is self.carrier else 0,
        )

    def _errors(self, version: Version | None) -> Errors | None:
        """The version's detectors after what the batch joined, in the order in which it was sent."""
        joined = self.joined.get(version) if version is not None else None
        if version is None or not joined:
            return None
        places = np.concatenate([at for at, _ in joined])
        order = np.argsort(places, kind="stable")
        outcome = np.concatenate([records.outcome for _, records in joined])[order]
        prediction = np.concatenate([records.prediction for _, records in joined])[order]
        task = self.coder.structure.task
        return fed(version.errors, task, outcome, prediction, self.times[places[order]])

    def _first_time(self, version: Version | None) -> float | None:
        """When what was counted began, for a version that is sent complete outcomes alone."""
        joined = self.joined.get(version) if version is not None else None
        if not joined:
            return None
        # Its own alone: an older outcome of another version says nothing of how far back this one reaches.
        began = min(float(self.times[places].min()) for places, _ in joined)
        return max(began, self.now - self.model.longest_seconds)
