"""Preparing a batch of predictions: what it will change, computed before the commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Clock, Task
from driftgauge.joins import id_hashes
from driftgauge.layout import Row
from driftgauge.monitor import binned, exports, keeping, schema
from driftgauge.monitor.detecting import Errors, fed
from driftgauge.monitor.exports import Kept
from driftgauge.monitor.grouping import panes
from driftgauge.monitor.joining import join_deltas
from driftgauge.monitor.log import ANY_VERSION, OUTCOME, Hashes, Met, Rows
from driftgauge.monitor.model import Model
from driftgauge.monitor.segmenting import REFERENCE_PANE
from driftgauge.monitor.structure import OTHER, Coder
from driftgauge.monitor.update import Appended, PaneDelta, Tally, Update
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Ints, Predictions, Reason, Rejection
from driftgauge.sketches.coarse import Codes
from driftgauge.sketches.inputs import Column, feature_key, output_key
from driftgauge.sketches.learning import LearningRow
from driftgauge.sketches.quality import Joined
from driftgauge.sketches.scores import Scored
from driftgauge.windows import Part

FUTURE_SECONDS: Final = 300.0
Item = TypeVar("Item")


@dataclass(slots=True)
class Piece:
    """One version's share of a group: what to commit and what to tell.

    Attributes:
        accepted, duplicate: shape (n,), of the batch's records.
    """

    update: Update
    appended: list[Appended]
    tally: Tally
    accepted: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    rejections: list[Rejection] = field(default_factory=list)
    exports: tuple[Kept, ...] = ()


def in_time(
    model: Model, times: Floats, now: float, request: Ints, index: Ints
) -> tuple[NDArray[np.bool_], list[Rejection]]:
    """Which times the model's clock accepts, and a worded rejection for each other."""
    if model.config.clock is Clock.WALL:
        limit, words = now + FUTURE_SECONDS, "more than 5 minutes in the future"
    elif model.clock is None:
        # Whatever begins the clock holds it there, so it may not begin far in the future.
        limit, words = now + model.longest_seconds, "more than the longest window in the future"
    else:
        limit = model.clock + model.longest_seconds
        words = "more than the longest window ahead of the model's clock"
    good = times <= limit
    return good, [
        Rejection(int(request[i]), int(index[i]), Reason.FUTURE, f"timestamp: {words}")
        for i in np.flatnonzero(~good)
    ]


def known_ids(ids: Sequence[str | None], key: bytes, good: NDArray[np.bool_]) -> tuple[Ints, Hashes, Ints]:
    """Places of records with an id, their hashes, and which good record's id each repeats, or -1."""
    if all(ids):
        places, given = np.arange(len(ids)), cast("Sequence[str]", ids)
    else:
        places = np.array([i for i, text in enumerate(ids) if text is not None], np.int64)
        given = [text for text in ids if text is not None]
    repeats = np.full(len(ids), -1)
    # Most batches repeat no id, which a set tells for a tenth of what sorting hashes costs.
    if len(set(given)) < len(given):
        seen: dict[str, int] = {}
        for place, text in zip(places.tolist(), given, strict=True):
            repeats[place] = seen.get(text, -1)
            if good[place]:
                seen.setdefault(text, place)
    return places, id_hashes(given, key), repeats


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
    kept = _Kept.of(model, batch, times, accepted, coder)
    clock = model.clock_after(times[accepted], times)
    builder = _Builder(model, version, kept, coder, now if clock is None else clock)
    tally = builder.tally
    tally.duplicate_predictions = int(duplicate.sum())
    for (_, reason), count in batch.invalid.items():
        tally.invalid[reason] = tally.invalid.get(reason, 0) + count
    builder.count_inputs()
    tally.violations = schema.violations(version, batch, accepted, builder.counted)
    appended = builder.keep_and_join(places[known], hashes[known])
    tally.folded, coder.folded = coder.folded, {}  # once, though versions share the coder
    update = builder.update(clock, wall)
    kept_records = exports.predictions(model.export, batch, places[known], hashes[known], times)
    return Piece(update, appended, tally, accepted, duplicate, rejections, kept_records)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The accepted records of a batch, coded. Places number the accepted records."""

    batch: Predictions
    chosen: Ints
    place_of: Ints
    times: Floats
    prediction: Floats
    outcome: Floats
    score: Floats
    scores: Floats
    segments: NDArray[np.uint8]
    weight: Floats | None
    whole: bool

    @classmethod
    def of(
        cls,
        model: Model,
        batch: Predictions,
        times: Floats,
        accepted: NDArray[np.bool_],
        coder: Coder,
    ) -> _Kept:
        chosen = np.flatnonzero(accepted)
        whole = chosen.size == len(batch)
        predictions = pick(batch.prediction, chosen, whole=whole)
        outcomes = pick(batch.outcome, chosen, whole=whole)
        score = batch.score[chosen]
        coder.settle_task(
            predictions,
            outcomes,
            scored=bool((~np.isnan(score)).any()),
            classes=bool(batch.scores),
        )
        scores = class_scores(batch, chosen, coder)
        prediction = coder.labels(predictions)
        outcome = coder.labels(outcomes)
        coder.centre_on(outcome)
        place_of = np.full(len(batch), -1, np.int64)
        place_of[chosen] = np.arange(chosen.size)
        columns = {
            name: pick(texts, chosen, whole=whole) for name, texts in segment_texts(model, batch).items()
        }
        return cls(
            batch,
            chosen,
            place_of,
            times[chosen],
            prediction,
            outcome,
            score,
            scores,
            coder.segments(columns, chosen.size),
            value_weight(model, batch, chosen),
            whole,
        )


def pick(values: Sequence[Item], chosen: Ints, *, whole: bool) -> Sequence[Item]:
    """The chosen values of a list."""
    return values if whole else [values[i] for i in chosen.tolist()]


def segment_texts(model: Model, batch: Predictions) -> dict[str, Sequence[str | None]]:
    """Segment columns of a batch: as sent, or a categorical feature of the same name."""
    columns = dict(batch.segments)
    for name in model.config.segments or ():
        if name not in columns and name in batch.categorical:
            columns[name] = batch.categorical[name]
    return columns


def value_weight(model: Model, batch: Predictions, chosen: Ints) -> Floats | None:
    """What the value of each record is multiplied by; NaN where it has no such number, None where no
    weight is configured.
    """
    name = model.value_weight
    if name is None:
        return None
    if name not in batch.numeric_names:
        return np.full(chosen.size, np.nan)
    weight: Floats = batch.numeric[batch.numeric_names.index(name)][chosen]
    return weight


def class_scores(batch: Predictions, chosen: Ints, coder: Coder) -> Floats:
    """Probabilities by class code, shape (n, classes + 1); NaN rows where a record gave none."""
    if not batch.scores or coder.structure.task is not Task.MULTICLASS:
        return np.zeros((chosen.size, 0))
    out = np.zeros((chosen.size, coder.limits.classes + 1))
    absent = np.ones(chosen.size, np.bool_)
    for name, column in batch.scores.items():
        values = column[chosen]
        given = ~np.isnan(values)
        absent &= ~given
        out[given, coder.class_code(name)] += values[given]
    out[absent] = np.nan
    return out


class _Builder:
    """Rows, appended records and the tally of one batch."""

    def __init__(self, model: Model, version: Version, kept: _Kept, coder: Coder, now: float) -> None:
        self.now = now
        self.model = model
        self.version = version
        self.kept = kept
        self.coder = coder
        self.deltas: list[PaneDelta] = []
        self.tally = Tally(model.name, version.name, joined_by={}, invalid={}, folded={})
        self.unjoined = 0
        self.waiting = 0
        self.outcomes = 0
        self.first_time: float | None = None
        self.errors: Errors | None = None
        self.fresh_numeric: tuple[str, ...] = ()
        self.fresh_texts: tuple[str, ...] = ()
        self.centres: dict[str, float] = {}
        self.growing: dict[str, float | None] = {}
        self.values: Floats = np.zeros(0)
        self.counted: list[Row] = []
        self._settle_scores()

    def _settle_scores(self) -> None:
        """Predicted classes where only scores were sent; scores no probability serves drop out."""
        kept, task = self.kept, self.coder.structure.task
        absent = np.isnan(kept.prediction)
        if task is Task.BINARY:
            scored = ~np.isnan(kept.score)
            filled = absent & scored
            kept.prediction[filled] = kept.score[filled] >= self.model.config.threshold
        elif task is Task.MULTICLASS and kept.scores.shape[1]:
            filled = absent & ~np.isnan(kept.scores).any(axis=1)
            kept.prediction[filled] = kept.scores[filled].argmax(axis=1)
        labels = pick(kept.batch.prediction, kept.chosen, whole=kept.whole)
        unread = int(np.count_nonzero(absent)) - labels.count(None)
        if task is not None and unread:
            self.tally.invalid[Reason.UNKNOWN_CLASS] = unread

    # --- inputs -----------------------------------------------------------------------------

    def count_inputs(self) -> None:
        """Rows of traffic, inputs, outputs and scores, a pane at a time."""
        kept, batch = self.kept, self.kept.batch
        n = kept.chosen.size
        if not n:
            return
        latencies, failed = batch.latency_seconds[kept.chosen], batch.failed[kept.chosen]
        self.tally.predictions = n
        self.tally.failed = int(failed.sum())
        self.tally.latencies = latencies[~np.isnan(latencies)]
        self._find_exemplar(latencies)
        oldest = self.now - self.model.longest_seconds - self.version.coarse.grid.width_seconds
        current = np.flatnonzero(kept.times >= oldest)
        self.tally.late = n - current.size
        if not current.size:
            return
        self.first_time = float(kept.times[current].min())
        features = self.features
        outputs = self._outputs()
        scored = Scored(kept.prediction, kept.score, kept.scores, kept.segments, self._expected_loss())
        scores = self.model.scores_for(self.coder.structure)
        for fine, coarse, places in panes(self.version, kept.times, current, self.now):
            for part, row in (
                (Part.TRAFFIC, self.version.traffic.row(latencies[places], failed[places])),
                (Part.INPUTS, self._watched(Part.INPUTS, features, places, n)),
                (Part.OUTPUTS, self._watched(Part.OUTPUTS, outputs, places, n)),
            ):
                if part is Part.INPUTS and isinstance(row, Row):
                    self._count_folded(row)
                    self.counted.append(row)
                # Learning rows are large, and a reference is not learned from minutes.
                minute = None if isinstance(row, LearningRow) else fine
                self._delta(part, minute, coarse, self.version.encode(part, row))
            self._count_segments(fine, coarse, places)
            self._count_weights(fine, coarse, scored, places)
            if scores is not None:
                row = scores.row(scored if places.size == n else scored.at(places))
                self._delta(Part.PREDICTED, fine, coarse, row.to_bytes())

    def _expected_loss(self) -> Floats | None:
        loss, coded = self.version.loss, self.version.inputs.codes
        if loss is None or coded is None or self.codes is None:
            return None
        return loss.of(coded.keys, self.codes, self.kept.prediction)

    def _count_segments(self, fine: int | None, coarse: int, places: Ints) -> None:
        version = self.version
        segmenting = version.segmenting
        if segmenting.sketch is None or segmenting.codes is None:
            return
        columns = self.features if places.size == self.kept.chosen.size else self.features.at(places)
        codes = segmenting.codes.codes(columns.names, columns.numeric, columns.texts, places.size)
        row = segmenting.sketch.row(codes, self.kept.segments[:, places], version.day(coarse))
        data = segmenting.encode(row)
        self._delta(Part.SEGMENTS, fine, coarse, data)
        if segmenting.gathering(version.segment_reference):
            self._delta(Part.SEGMENT_REFERENCE, None, REFERENCE_PANE, data)

    def _count_weights(self, fine: int | None, coarse: int, scored: Scored, places: Ints) -> None:
        sketch, weight = self.model.weighted_scores, self.kept.weight
        if sketch is not None and weight is not None:
            row = sketch.row(scored.at(places), weight[places])
            self._delta(Part.VALUE_PREDICTED, fine, coarse, sketch.encode(row))

    def _find_exemplar(self, latencies: Floats) -> None:
        """The slowest traced record: the one that somebody will want to look at."""
        traces = self.kept.batch.trace_ids
        if self.tally.latencies.size and traces.count(None) < len(traces):
            traced = np.array([traces[i] is not None for i in self.kept.chosen.tolist()])
            slowest = int(np.argmax(np.where(traced & ~np.isnan(latencies), latencies, -1.0)))
            if traced[slowest] and not np.isnan(latencies[slowest]):
                trace = traces[int(self.kept.chosen[slowest])]
                self.tally.exemplar = (float(latencies[slowest]), str(trace))

    def _count_folded(self, row: Row) -> None:
        inputs = self.version.inputs.inputs
        folded = 0 if inputs is None else inputs.folded(row)
        if folded:
            self.coder.folded["categories"] = self.coder.folded.get("categories", 0) + folded

    def _delta(self, part: Part, fine: int | None, coarse: int | None, row: bytes) -> None:
        self.deltas.append(PaneDelta(part, fine, coarse, row))

    @cached_property
    def features(self) -> _Columns:
        """The accepted records' features by key."""
        batch, watch = self.kept.batch, self.version.inputs
        self._discover(batch)
        return _Columns(
            tuple(map(feature_key, batch.numeric_names)),
            batch.numeric[:, self.kept.chosen] if not self.kept.whole else batch.numeric,
            {
                key: watch.column(key, pick(texts, self.kept.chosen, whole=self.kept.whole))
                for key, texts in zip(
                    map(feature_key, batch.categorical), batch.categorical.values(), strict=True
                )
            },
        )

    def _discover(self, batch: Predictions) -> None:
        if self.version.inputs.binned:
            return
        version = self.version
        self.fresh_numeric = tuple(n for n in batch.numeric_names if n not in version.numeric)
        self.fresh_texts = tuple(n for n in batch.categorical if n not in version.categorical)
        for name, values in zip(batch.numeric_names, batch.numeric, strict=True):
            key = feature_key(name)
            finite = values[np.isfinite(values)]
            if finite.size:
                if key not in version.centres:
                    self.centres[key] = float(finite[0])
                self._watch_growth(key, finite)

    def _watch_growth(self, key: str, finite: Floats) -> None:
        last = self.version.growing.get(key, -np.inf)
        if last is None:
            return
        grows = bool(finite[0] > last and (np.diff(finite) > 0).all())
        self.growing[key] = float(finite[-1]) if grows else None

    def _outputs(self) -> _Columns:
        kept, task = self.kept, self.coder.structure.task
        names: list[str] = []
        rows: list[Floats] = []
        score = kept.score
        if task is Task.MULTICLASS and kept.scores.shape[1]:
            score = kept.scores.max(axis=1)
        if not np.isnan(score).all() or output_key("score") in self.version.centres:
            names.append(output_key("score"))
            rows.append(score)
        texts: dict[str, Column] = {}
        if task is Task.REGRESSION:
            names.append(output_key("prediction"))
            rows.append(kept.prediction)
        elif task is not None:
            texts[output_key("prediction")] = self._classes(output_key("prediction"))
        numeric = np.array(rows).reshape(len(names), kept.chosen.size)
        for name, values in zip(names, numeric, strict=True):
            finite = values[np.isfinite(values)]
            if finite.size and name not in self.version.centres:
                self.centres[name] = float(finite[0])
        return _Columns(tuple(names), numeric, texts)

    def _classes(self, key: str) -> Column:
        """The predicted classes, as a column of texts called *key*."""
        structure = self.coder.structure
        names: tuple[str | None, ...] = ("0", "1")
        if structure.task is Task.MULTICLASS:
            room = 1 + self.coder.limits.classes - len(structure.classes)
            names = (*structure.classes, *(OTHER,) * room)
        codes = np.where(np.isnan(self.kept.prediction), len(names), self.kept.prediction).astype(np.int64)
        found = self.version.outputs.column(key, (*names, None))
        if isinstance(found, np.ndarray):
            return found[codes]
        texts: list[str | None] = np.array(found, object)[codes].tolist()
        return texts

    def _watched(self, part: Part, columns: _Columns, places: Ints, n: int) -> Row | LearningRow:
        watch = self.version.watch(part)
        assert watch is not None
        chosen = columns if places.size == n else columns.at(places)
        centres = {**self.version.centres, **self.centres}
        return watch.row(chosen.names, chosen.numeric, chosen.texts, places.size, centres)

    @cached_property
    def codes(self) -> Codes | None:
        """The coarse bins of every accepted record, shape (features, n); None before a reference is."""
        coded = self.version.inputs.codes
        if coded is None:
            return None
        columns = self.features
        return coded.codes(columns.names, columns.numeric, columns.texts, self.kept.chosen.size)

    # --- joins ------------------------------------------------------------------------------

    def keep_and_join(self, places: Ints, hashes: Hashes) -> list[Appended]:
        """Keep the predictions that have an id; join those whose outcome is here."""
        kept = self.kept
        model, version = self.model, self.version
        if model.sample_ratio < 1.0:
            sample = exports.sampled(hashes, model.sample_ratio)
            places, hashes = places[sample], hashes[sample]
        at = kept.place_of[places]
        outcome, came, fresh, counted = self._found_outcomes(at, hashes)
        self._join(np.flatnonzero(~np.isnan(outcome)), outcome, came)
        joined = counted | ~np.isnan(outcome)
        self.unjoined = int((~joined[at]).sum())
        appended = []
        span = keeping.span_seconds(model)
        if at.size:
            log = version.scored if kept.scores.shape[1] else version.plain
            rows = self._rows(log.dtype, at, hashes, joined)
            # A prediction whose outcome came first stays longer than that outcome: it tells that the
            # outcome was not an orphan.
            witness = came[at] + keeping.witness_seconds(model)
            times = np.where(joined[at] & ~fresh, np.maximum(kept.times[at], witness), kept.times[at])
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
        kept, model = self.kept, self.model
        outcome, came = kept.outcome.copy(), np.maximum(kept.times, 0.0)
        self.values = np.full(outcome.size, np.nan)
        self.outcomes = int(np.count_nonzero(~np.isnan(outcome)))
        fresh = ~np.isnan(outcome[at])
        counted = np.zeros(outcome.size, np.bool_)
        positions, rows = model.outcomes.find(hashes)
        if positions.size:
            mine = (rows["version"] == ANY_VERSION) | (rows["version"] == self.version.owner)
            positions, rows = positions[mine], rows[mine]
            first = np.unique(positions, return_index=True)[1]
            positions, rows = positions[first], rows[first]
            target = at[positions]
            late = rows["time"] > kept.times[target] + model.horizon_seconds
            self.tally.orphaned += int(late.sum())
            self.waiting = -self._met_first(hashes[positions[rows["met"] == Met.NOT]])
            told = fresh[positions]
            self.tally.conflicts += int((told & (outcome[target] != rows["outcome"])).sum())
            self.tally.duplicate_outcomes += int(told.sum())
            fresh[positions] = False
            counted[target] = rows["met"] == Met.COMPLETE
            outcome[target] = np.where(late | counted[target], np.nan, rows["outcome"])
            came[target] = rows["time"]
            self.values[target] = rows["value"]
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
        kept = self.kept
        quality = self.model.quality_for(self.coder.structure)
        if quality is None or not joined.size:
            return
        score = kept.score[joined]
        records = Joined(
            outcome[joined],
            kept.prediction[joined],
            np.where((score >= 0) & (score <= 1), score, np.nan),
            kept.scores[joined],
            kept.segments[:, joined],
            np.maximum(came[joined] - kept.times[joined], 0.0),
            bins=None if self.codes is None else self.codes[:, joined],
            value=self.values[joined],
            weight=None if kept.weight is None else kept.weight[joined],
        )
        self.deltas += join_deltas(self.version, quality, records, came[joined], kept.times[joined], self.now)
        self.tally.join(self.version.name, joined.size)
        task = self.coder.structure.task
        self.errors = fed(self.version.errors, task, records.outcome, records.prediction, came[joined])

    def _rows(self, dtype: np.dtype[np.void], at: Ints, hashes: Hashes, joined: NDArray[np.bool_]) -> Rows:
        kept = self.kept
        rows = np.zeros(at.size, dtype)
        rows["low"], rows["high"] = hashes[:, 0], hashes[:, 1]
        rows["time"] = kept.times[at]
        rows["score"] = kept.score[at]
        rows["prediction"] = kept.prediction[at]
        rows["segments"] = kept.segments[:, at].T
        rows["joined"] = joined[at]
        if kept.scores.shape[1]:
            rows["scores"] = kept.scores[at]
        if self.codes is not None:
            binned.write(self.version, rows, self.codes[:, at])
        if kept.weight is not None:
            rows["weight"] = kept.weight[at]
        return rows

    # --- the update -------------------------------------------------------------------------

    def update(self, clock: float | None, wall: float) -> Update:
        """All of it, as it is committed."""
        model, version, structure = self.model, self.version, self.coder.structure
        self.tally.outcomes = self.outcomes
        return Update(
            model_owner=model.owner,
            model=model.name,
            version_owner=version.owner,
            version=version.name,
            panes=tuple(self.deltas),
            structure=None if structure == model.structure else structure,
            clock=clock,
            first_time=self.first_time,
            unjoined=self.unjoined,
            waiting=self.waiting,
            predicted_at=wall if self.tally.predictions else None,
            outcome_at=wall if self.outcomes else None,
            numeric=self.fresh_numeric,
            categorical=self.fresh_texts,
            centres=self.centres,
            growing=self.growing,
            errors=self.errors,
        )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Numeric and categorical columns by key."""

    names: tuple[str, ...]
    numeric: Floats
    texts: dict[str, Column]

    def at(self, places: Ints) -> _Columns:
        return _Columns(
            self.names,
            self.numeric[:, places],
            {
                key: column[places]
                if isinstance(column, np.ndarray)
                else [column[i] for i in places.tolist()]
                for key, column in self.texts.items()
            },
        )


def outcome_rows(
    hashes: Hashes,
    times: Floats,
    outcomes: Floats,
    version: int,
    met: Ints,
) -> Rows:
    """Rows of the outcomes' log, for one version or `ANY_VERSION`; *met* of shape (n,), see `Met`."""
    rows = np.zeros(len(hashes), OUTCOME)
    rows["low"], rows["high"] = hashes[:, 0], hashes[:, 1]
    rows["time"], rows["outcome"], rows["value"] = times, outcomes, np.nan
    rows["version"], rows["met"] = version, met
    return rows
