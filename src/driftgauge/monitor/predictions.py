"""Preparing a batch of predictions: what it will change, computed before the commit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftgauge.monitor import binned, exports, keeping, pairing, schema
from driftgauge.monitor.accepted import Accepted
from driftgauge.monitor.batch import Piece, in_time, known_ids
from driftgauge.monitor.columns import BatchColumns
from driftgauge.monitor.counting import Counting
from driftgauge.monitor.detecting import Errors, fed
from driftgauge.monitor.joining import join_deltas
from driftgauge.monitor.log import ANY_VERSION, Hashes, Met, Rows, first_and_last, outcome_rows
from driftgauge.monitor.model import Model
from driftgauge.monitor.structure import Coder
from driftgauge.monitor.update import Appended, PaneDelta, Tally, Update
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Ints, Predictions, Reason
from driftgauge.sketches.quality import Joined


def prepare(
    model: Model, version: Version, batch: Predictions, coder: Coder, wall: float, key: bytes
) -> Piece:
    """What *batch* changes in *version*. Reads panes and logs; changes nothing.

    Cost: about 4 us a record of 25 features in batches of 1,000.
    """
    now = model.now(wall)
    times = np.where(np.isnan(batch.timestamps), now, batch.timestamps)
    good, rejections = in_time(model, times, now, batch.request, batch.index)
    places, hashes, repeats = known_ids(batch.ids, key, good)
    duplicate = repeats >= 0
    for log in version.logs:
        duplicate[places[log.find(hashes)[0]]] = True
    duplicate &= good
    accepted = good & ~duplicate
    known = accepted[places]
    records = Accepted.of(model, batch, times, accepted, coder)
    clock = model.clock_after(times[accepted], times)
    builder = _Builder(version, records, coder, now if clock is None else clock)
    tally = builder.tally
    tally.duplicate_predictions = int(duplicate.sum())
    for (_, reason), count in batch.invalid.items():
        tally.invalid[reason] = tally.invalid.get(reason, 0) + count
    builder.counting.count()
    tally.violations = schema.violations(version, batch, accepted, builder.counting.counted)
    appended = builder.keep_and_join(places[known], hashes[known])
    tally.folded, coder.folded = coder.folded, {}  # once, though versions share the coder
    update = builder.update(clock, wall)
    kept_records = exports.predictions(model.export, batch, places[known], hashes[known], times)
    return Piece(update, appended, tally, accepted, duplicate, rejections, kept_records)


class _Builder:
    """What one batch is counted into, joined with and kept as, and the tally of it."""

    def __init__(self, version: Version, accepted: Accepted, coder: Coder, now: float) -> None:
        self.now = now
        self.model = version.model
        self.version = version
        self.accepted = accepted
        self.coder = coder
        self.deltas: list[PaneDelta] = []
        self.tally = Tally(self.model.name, version.name, joined_by={}, invalid={}, folded={})
        self.unjoined = 0
        self.waiting = 0
        self.outcomes = 0
        self.errors: Errors | None = None
        self.values: Floats = np.zeros(0)
        task = coder.structure.task
        unread = accepted.settle_predictions(task, self.model.config.threshold)
        if task is not None and unread:
            self.tally.invalid[Reason.UNKNOWN_CLASS] = unread
        self.columns = BatchColumns(version, accepted, coder)
        self.counting = Counting(version, accepted, self.columns, coder, self.tally, now)

    def keep_and_join(self, places: Ints, hashes: Hashes) -> list[Appended]:
        """Keep the predictions that have an id; join those whose outcome is here."""
        accepted = self.accepted
        model, version = self.model, self.version
        if model.sample_ratio < 1.0:
            sample = exports.sampled(hashes, model.sample_ratio)
            places, hashes = places[sample], hashes[sample]
        at = accepted.place_of[places]
        outcome, came, fresh, counted = self._found_outcomes(at, hashes)
        self._join(np.flatnonzero(~np.isnan(outcome)), outcome, came)
        self._pair(at, hashes, outcome, came)
        joined = counted | ~np.isnan(outcome)
        self.unjoined = int((~joined[at]).sum())
        appended = []
        span = keeping.span_seconds(model)
        if at.size:
            log = version.scored if accepted.scores.shape[1] else version.plain
            rows = self._rows(log.dtype, at, hashes, joined)
            # A prediction whose outcome came first stays longer than that outcome: it tells that the
            # outcome was not an orphan.
            witness = came[at] + keeping.witness_seconds(model)
            times = np.where(joined[at] & ~fresh, np.maximum(accepted.times[at], witness), accepted.times[at])
            appended += keeping.appends(log, rows, times + model.horizon_seconds, span)
        if fresh.any():
            rows = outcome_rows(
                hashes[fresh],
                came[at[fresh]],
                outcome[at[fresh]],
                version.owner,
                np.full(int(fresh.sum()), Met.JOINED),
            )
            until = rows["time"] + keeping.outcome_kept_seconds(model)
            appended += keeping.appends(model.outcomes, rows, until, span)
        return appended

    def _found_outcomes(
        self, at: Ints, hashes: Hashes
    ) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
        """Outcome and time of each record; which records with an id brought their own; and which
        have been counted already, by an outcome that carried its own score or prediction.
        """
        accepted, model = self.accepted, self.model
        outcome, came = accepted.outcome.copy(), np.maximum(accepted.times, 0.0)
        self.values = np.full(outcome.size, np.nan)
        self.outcomes = int(np.count_nonzero(~np.isnan(outcome)))
        fresh = ~np.isnan(outcome[at])
        counted = np.zeros(outcome.size, np.bool_)
        positions, rows = model.outcomes.find(hashes)
        if positions.size:
            mine = (rows["version"] == ANY_VERSION) | (rows["version"] == self.version.owner)
            positions, rows, last = first_and_last(positions[mine], rows[mine])
            if not model.config.outcomes.revisions:
                last = rows
            target = at[positions]
            late = rows["time"] > accepted.times[target] + model.horizon_seconds
            self.tally.orphaned += int(late.sum())
            self.waiting = -self._met_first(hashes[positions[rows["met"] == Met.NOT]])
            told = fresh[positions]
            self.tally.conflicts += int((told & (outcome[target] != last["outcome"])).sum())
            self.tally.duplicate_outcomes += int(told.sum())
            fresh[positions] = False
            counted[target] = rows["met"] == Met.COMPLETE
            outcome[target] = np.where(late | counted[target], np.nan, last["outcome"])
            came[target] = rows["time"]
            self.values[target] = last["value"]
        return outcome, came, fresh, counted

    def _met_first(self, hashes: Hashes) -> int:
        """How many outcomes meet their first prediction now, and not one of another version before."""
        met = np.zeros(len(hashes), np.bool_)
        for version in self.model.versions.values():
            for log in version.logs if version is not self.version else ():
                met[log.find(hashes)[0]] = True
        fresh = {each.tobytes() for each in hashes[~met]} - self.coder.met
        self.coder.met |= fresh
        return len(fresh)

    def _join(self, joined: Ints, outcome: Floats, came: Floats) -> None:
        accepted = self.accepted
        quality = self.model.quality_for(self.coder.structure)
        if quality is None or not joined.size:
            return
        score = accepted.score[joined]
        records = Joined(
            outcome[joined],
            accepted.prediction[joined],
            np.where((score >= 0) & (score <= 1), score, np.nan),
            accepted.scores[joined],
            accepted.segments[:, joined],
            np.maximum(came[joined] - accepted.times[joined], 0.0),
            bins=None if self.columns.codes is None else self.columns.codes[:, joined],
            value=self.values[joined],
            weight=None if accepted.weight is None else accepted.weight[joined],
        )
        self.deltas += join_deltas(
            self.version, quality, records, came[joined], accepted.times[joined], self.now
        )
        self.tally.join(self.version.name, joined.size)
        task = self.coder.structure.task
        self.errors = fed(self.version.errors, task, records.outcome, records.prediction, came[joined])

    def _pair(self, at: Ints, hashes: Hashes, outcome: Floats, came: Floats) -> None:
        """Cases that the other version of a pair has answered, and that this batch completes."""
        pair = pairing.Pair.of(self.model)
        sketch = self.model.paired_for(self.coder.structure)
        other = None if pair is None else pair.other(self.version)
        mine = np.flatnonzero(~np.isnan(outcome[at]))
        if pair is None or other is None or sketch is None or not mine.size:
            return
        accepted, places = self.accepted, at[mine]
        told = pairing.Told(np.arange(mine.size), pairing.accepted(accepted, places, outcome), came[places])
        brought = self.coder.brought
        for theirs in (
            pairing.told(other, hashes[mine]),
            pairing.brought_before(brought.get(other.owner, ()), hashes[mine]),
        ):
            if theirs is not None:
                matched = told.at(theirs.places)
                case = (theirs, matched) if other is pair.older else (matched, theirs)
                self.deltas += pairing.deltas(pair, sketch, [case], self.now)
        held = pairing.Brought(hashes[mine], told.answers, told.came)
        brought.setdefault(self.version.owner, []).append(held)

    def _rows(self, dtype: np.dtype[np.void], at: Ints, hashes: Hashes, joined: NDArray[np.bool_]) -> Rows:
        accepted = self.accepted
        rows = np.zeros(at.size, dtype)
        rows["low"], rows["high"] = hashes[:, 0], hashes[:, 1]
        rows["time"] = accepted.times[at]
        rows["score"] = accepted.score[at]
        rows["prediction"] = accepted.prediction[at]
        rows["segments"] = accepted.segments[:, at].T
        rows["joined"] = joined[at]
        if accepted.scores.shape[1]:
            rows["scores"] = accepted.scores[at]
        if self.columns.codes is not None:
            binned.write(self.version, rows, self.columns.codes[:, at])
        if accepted.weight is not None:
            rows["weight"] = accepted.weight[at]
        return rows

    def update(self, clock: float | None, wall: float) -> Update:
        """All of it, as it is committed."""
        model, version, structure = self.model, self.version, self.coder.structure
        self.tally.outcomes = self.outcomes
        return Update(
            model_owner=model.owner,
            model=model.name,
            version_owner=version.owner,
            version=version.name,
            panes=(*self.counting.deltas, *self.deltas),
            structure=None if structure == model.structure else structure,
            clock=clock,
            first_time=self.counting.first_time,
            unjoined=self.unjoined,
            waiting=self.waiting,
            predicted_at=wall if self.tally.predictions else None,
            outcome_at=wall if self.outcomes else None,
            numeric=self.columns.fresh_numeric,
            categorical=self.columns.fresh_texts,
            centres=self.columns.centres,
            growing=self.columns.growing,
            errors=self.errors,
            brought=self.tally.predictions,
        )
