"""What the writer does between groups: expiry, learning, checkpoints, retirement of old panes."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Sequence
from time import monotonic, perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.app.counting import Counting
from driftgauge.app.restoring import Kept
from driftgauge.config import Clock, Config
from driftgauge.errors import StoreError
from driftgauge.monitor import (
    expiry,
    judging,
    judging_relation,
    keeping,
    learning,
    loss_learning,
    relating,
    saving,
)
from driftgauge.monitor.exports import sampled
from driftgauge.monitor.log import RecordLog, prediction_logs
from driftgauge.monitor.model import Model
from driftgauge.monitor.update import Tally, Update, encode
from driftgauge.store import Batch, Held, PaneWrite

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
BLOBS_AT_ONCE: Final = 64
# How long one run may expire records of a model.
EXPIRY_SECONDS: Final = 0.1
# Share of the pending limit below which more ids are kept again.
ROOM_AGAIN: Final = 0.25

# What is due of a version when a pane closes, each standing on the one before.
_STEPS: Final = (learning.step, relating.step, loss_learning.step, judging.step, judging_relation.step)


class Upkeep:
    """Runs in the writer's thread; each run takes milliseconds, a checkpoint tens of them."""

    def __init__(self, config: Config, kept: Kept, counting: Counting, clock: Callable[[], float]) -> None:
        self._config = config
        self._kept = kept
        self._counting = counting
        self._clock = clock
        self._due = 0.0
        self._thinning: dict[int, int] = {}
        self._checkpoint_due = monotonic() + config.store.checkpoint

    def run(self) -> None:
        """Do what is due.

        Raises:
            StoreError: a transaction failed; nothing of it was kept.
        """
        now = monotonic()
        if now < self._due:
            return
        self._due = now + EVERY_SECONDS
        wall = self._clock()
        models = self._kept.models
        for model in list(models.models.values()):
            self._tend(model, model.now(wall))
            self._counting.waiting(model.name, model.waiting)
        self._retire()
        self._bound_pending()
        self._trim_exports(wall)
        statistics = self._kept.store.statistics()
        self._counting.store(statistics)
        if now >= self._checkpoint_due or statistics.batch_bytes > self._config.store.batches / 2:
            self.checkpoint()

    def _tend(self, model: Model, now: float) -> None:
        """Expiry and learning of one model; a fault in one must not keep the others from being saved."""
        try:
            self._expire(model, now)
            self._learn(model, now)
        except StoreError:
            raise
        except Exception:
            log.exception("upkeep of %s failed", model.name)

    def learn(self, names: Iterable[str]) -> None:
        """Step the references and verdicts of models on a records clock, whose panes close with their
        records.

        Raises:
            StoreError: a reference could not be kept.
        """
        for name in names:
            model = self._kept.models.models.get(name)
            if model is not None and model.config.clock is Clock.RECORDS:
                self._learn(model, model.now(self._clock()))

    def keep_maturity(self) -> None:
        """Commit what an evaluation has learned of when outcomes are complete, before it is shown.

        Raises:
            StoreError: it could not be kept.
        """
        updates = tuple(
            Update(
                version.model.owner,
                version.model.name,
                version.owner,
                version.name,
                matures_after=version.matures_after,
            )
            for version in self._kept.models.versions()
            if version.matures_after != version.kept_maturity
        )
        if updates:
            self.commit(updates)

    def _learn(self, model: Model, now: float) -> None:
        for version in list(model.versions.values()):
            for due in _STEPS:
                update = due(version, now)
                if update is not None:
                    self.commit((update,))

    def checkpoint(self) -> bool:
        """Save what changed since the last one; whether it was saved.

        Raises:
            StoreError: it could not be saved.
        """
        began = perf_counter()
        self._checkpoint_due = monotonic() + self._config.store.checkpoint
        models = self._kept.models
        wall = self._clock()
        if self._kept.sequence == self._kept.position and not self._changed():
            return True
        panes = [
            PaneWrite(p.owner, p.resolution, p.start, p.part, p.row)
            for version in models.versions()
            for p in (
                *saving.dirty_panes(version),
                *saving.retired_panes(version, version.model.now(wall)),
            )
        ]
        self._kept.store.checkpoint(self._kept.sequence, panes, saving.states(models))
        self._kept.position = self._kept.sequence
        saving.saved(models)
        for version in models.versions():
            version.forget_clean(version.model.now(wall))
        self._counting.checkpointed(perf_counter() - began)
        return True

    def _bound_pending(self) -> None:
        """Where kept records take too much, keep a sample of ids by their hash, and thin the logs.

        The horizon holds, and what is joined is a fair sample; never silently the newest only.
        """
        store, models = self._kept.store, self._kept.models
        limit = self._config.store.pending
        pending = store.statistics().pending_bytes
        if pending > limit and not self._thinning:
            for model in models.models.values():
                model.sample_ratio /= 2
                log.warning(
                    "%s: kept records take more than %d bytes; 1 id in %d is kept from now on",
                    model.name,
                    limit,
                    round(1 / model.sample_ratio),
                )
            self._thinning = dict.fromkeys(models.logs(), 0)
        elif pending < limit * ROOM_AGAIN and not self._thinning:
            for model in models.models.values():
                model.sample_ratio = min(1.0, 2 * model.sample_ratio)
        self._thin()

    def _thin(self) -> None:
        """One bounded step of taking out of the logs what is not in the sample."""
        if not self._thinning:
            return
        number, start = next(iter(self._thinning.items()))
        found = self._kept.models.owner_of(number)
        if found is None or number not in self._kept.store.logs():
            del self._thinning[number]
            return
        model, version, kept_log = found

        def keep(cells: NDArray[np.uint8]) -> NDArray[np.bool_]:
            rows = np.ascontiguousarray(cells).view(kept_log.dtype).reshape(-1)
            kept = np.zeros(rows.size, np.bool_)
            kept[sampled(expiry.hashes(rows), model.sample_ratio)] = True
            return kept

        thinned = self._kept.store.thin(number, keep, BLOBS_AT_ONCE, start)
        if len(thinned.rows):
            self._kept.models.take(expiry.thinned(model, version, kept_log, thinned.rows))
            kept_log.discard(thinned.rows, thinned.numbers)
        if thinned.next_row is None:
            del self._thinning[number]
        else:
            self._thinning[number] = thinned.next_row

    def _trim_exports(self, wall: float) -> None:
        """Kept records that are too old or too many go."""
        config = self._config.export
        if config.keep is not None:
            self._kept.store.trim_exports(wall - config.keep, config.max_bytes)

    def shrink(self) -> None:
        """Give back memory: save, and let go of every pane that no window's end touches."""
        self.checkpoint()
        wall = self._clock()
        for version in self._kept.models.versions():
            now = version.model.now(wall)
            for series in (version.fine, version.coarse):
                if series is not None:
                    series.forget(series.grid.index(now))
        gc.collect()

    def _retire(self) -> None:
        """Drop what evicted versions left in the store, a bounded step at a time."""
        store, models = self._kept.store, self._kept.models
        for owner in models.retiring():
            left = store.forget_owner(owner)
            for log_number in prediction_logs(owner):
                left += store.drop_log(log_number)
            if not left:
                models.released(owner)

    def _changed(self) -> bool:
        return any(
            version.unsaved_references
            or version.relating.unsaved
            or version.losses.unsaved
            or version.coarse.dirty
            or (version.fine is not None and version.fine.dirty)
            for version in self._kept.models.versions()
        )

    # --- expiry -----------------------------------------------------------------------------

    def _expire(self, model: Model, now: float) -> None:
        """Drop kept records past their horizon, in the order in which they expire.

        An expired prediction asks for its outcome and an expired outcome for its prediction, so
        neither may go before its time, also where the clock has jumped over many horizons.
        """
        end = perf_counter() + EXPIRY_SECONDS
        before = now - expiry.grace_seconds(model)
        step = keeping.span_seconds(model) / 2
        while (at := self._first_expiry(model, before, step)) is not None:
            self._expire_before(model, at, now)
            if perf_counter() > end:
                return

    def _first_expiry(self, model: Model, before: float, step: float) -> float | None:
        """The earliest time, to a *step*, at which a blob has expired; None where none has *before*."""
        logs = [model.outcomes.log, *(kept.log for v in model.versions.values() for kept in v.logs)]

        def expired(at: float) -> bool:
            return any(self._kept.store.expired(number, at) for number in logs)

        if not expired(before):
            return None
        width = step
        while expired(before - width):
            before, width = before - width, 2 * width
        none = before - width
        while before - none > step:
            middle = (none + before) / 2
            none, before = (none, middle) if expired(middle) else (middle, before)
        return before

    def _expire_before(self, model: Model, before: float, now: float) -> None:
        blobs = self._kept.store.oldest(model.outcomes.log, before, BLOBS_AT_ONCE)
        if blobs:
            update, tally = expiry.expired_outcomes(model, [b.rows for b in blobs])
            self._drop(model.outcomes, blobs, update, tally)
        for version in list(model.versions.values()):
            for kept_log in version.logs:
                blobs = self._kept.store.oldest(kept_log.log, before, BLOBS_AT_ONCE)
                if blobs:
                    rows = [b.rows for b in blobs]
                    update, tally = expiry.expired_predictions(model, version, kept_log, now, rows)
                    self._drop(kept_log, blobs, update, tally)

    def _drop(self, kept_log: RecordLog, blobs: Sequence[Held], update: Update, tally: Tally) -> None:
        drops = tuple((kept_log.log, blob.first) for blob in blobs)
        self.commit((update,), drops)
        kept_log.forget(self._kept.store.first(kept_log.log))
        self._counting.tally(tally)

    def commit(self, updates: tuple[Update, ...], drops: tuple[tuple[int, int], ...] = ()) -> None:
        """Keep updates that no records made, and take them in.

        Raises:
            StoreError: they could not be kept.
        """
        self._kept.sequence = self._kept.store.commit(Batch(encode(updates), drops=drops))
        self._kept.models.take(updates)
