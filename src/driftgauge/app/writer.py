"""The one writer: a thread that decodes, prepares, commits and applies, and keeps the store in order.

Requests that wait are taken together: decoded as one group, committed in one transaction, answered
together. So a single record costs little, and every answer is sent after its commit.
"""

from __future__ import annotations

import logging
import threading
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from time import monotonic, perf_counter
from typing import Final, TypeVar

import msgspec

from driftgauge.app.counting import Counting
from driftgauge.app.memory import SHRINK_SHARE, resident_bytes
from driftgauge.app.restoring import Kept
from driftgauge.app.upkeep import Upkeep
from driftgauge.config import Config
from driftgauge.errors import DriftgaugeError, RequestError, StoreError, StoreFullError
from driftgauge.ingest import Decoder
from driftgauge.monitor.models import rounds
from driftgauge.monitor.update import Prepared, encode
from driftgauge.records import Answer, Decoded, Failure, Kind, Reason, Rejection, Request
from driftgauge.store import Append, Batch
from driftgauge.view import VersionView

log = logging.getLogger(__name__)

Found = TypeVar("Found")

GROUP_BYTES: Final = 2 << 20
GROUP_REQUESTS: Final = 512
# A group smaller than this waits `linger` for company: its commit costs more than its records.
SMALL_GROUP_BYTES: Final = 32 << 10
# How many times `linger` a group waits at most, though one body comes after another.
MOST_LINGERS: Final = 4
# How soon senders that were answered send again, if they have more.
SOON_SECONDS: Final = 0.002
# How long no group waits for bodies that are coming after one has waited in vain.
VAIN_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 5.0
UPKEEP_SECONDS: Final = 1.0
SHRINK_EVERY_SECONDS: Final = 5.0
# Rejections that an answer kept for its Idempotency-Key lists.
KEPT_REJECTIONS: Final = 100


@dataclass(slots=True)
class Job:
    """A request and the future that waits for its answer."""

    request: Request
    future: Future[Answer]
    loop: AbstractEventLoop


@dataclass(slots=True)
class _Queue:
    """Jobs that wait, counted in bytes; calls to run between groups beside them.

    Attributes:
        coming: bodies that have begun to come, counted by the event loop's thread.
    """

    condition: threading.Condition = field(default_factory=threading.Condition)
    jobs: deque[Job] = field(default_factory=deque)
    calls: deque[Callable[[], None]] = field(default_factory=deque)
    waiting_bytes: int = 0
    coming: int = 0
    closed: bool = False

    def put(self, job: Job) -> None:
        with self.condition:
            self.jobs.append(job)
            self.waiting_bytes += len(job.request.body)
            if len(self.jobs) == 1:
                self.condition.notify()

    def call(self, function: Callable[[], None]) -> None:
        with self.condition:
            self.calls.append(function)
            self.condition.notify()

    def close(self) -> None:
        with self.condition:
            self.closed = True
            self.condition.notify()

    def take(self, timeout: float) -> tuple[list[Job], list[Callable[[], None]], bool]:
        with self.condition:
            if not self.jobs and not self.calls and not self.closed:
                self.condition.wait(timeout)
            return self._group(), self._calls(), self.closed and not self.jobs

    def more(self, group: list[Job]) -> None:
        with self.condition:
            taken = sum(len(job.request.body) for job in group)
            group += self._group(GROUP_BYTES - taken, GROUP_REQUESTS - len(group))

    def gather(self, group: list[Job], seconds: float, likely: int) -> bool:
        """Add to *group* the bodies that are coming, while it has room and one comes within *seconds* of
        the one before; whether it waited so long without any. For a moment also while it has fewer than
        *likely*. `MOST_LINGERS` times *seconds* in all at most.
        """
        had, newest = len(group), monotonic()
        end = newest + MOST_LINGERS * seconds
        with self.condition:
            while not self.closed:
                room = GROUP_BYTES - sum(len(job.request.body) for job in group)
                if room <= 0 or len(group) >= GROUP_REQUESTS:
                    break
                more = self._group(room, GROUP_REQUESTS - len(group))
                group += more
                newest = monotonic() if more else newest
                soon = len(group) < likely and not self.coming
                until = newest + (min(seconds, SOON_SECONDS) if soon else seconds)
                left = min(until, end) - monotonic()
                if left <= 0 or not (soon or self.coming):
                    return left <= 0 and len(group) == had
                self.condition.wait(left)
        return False

    def _calls(self) -> list[Callable[[], None]]:
        calls = list(self.calls)
        self.calls.clear()
        return calls

    def _group(self, room: int = GROUP_BYTES, most: int = GROUP_REQUESTS) -> list[Job]:
        group: list[Job] = []
        while self.jobs and len(group) < most and (room > 0 or not group):
            job = self.jobs.popleft()
            room -= len(job.request.body)
            self.waiting_bytes -= len(job.request.body)
            group.append(job)
        return group


class Writer:
    """Owns the store and the models; everything that changes them runs in its thread.

    Args:
        open_kept: opens the store and restores the models; called in the thread, and again while it
            fails.
        clock: wall time, epoch seconds.
        memory_limit: bytes that the process may take; None for no limit.
    """

    def __init__(
        self,
        config: Config,
        open_kept: Callable[[Config], Kept],
        counting: Counting,
        clock: Callable[[], float],
        memory_limit: int | None = None,
    ) -> None:
        self.config = config
        self._open_kept = open_kept
        self._counting = counting
        self._clock = clock
        self._queue = _Queue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._kept: Kept | None = None
        self._upkeep: Upkeep | None = None
        self._decoder: Decoder | None = None
        self._versions: set[tuple[str, str]] = set()
        self.store_fault: str | None = "not opened yet"
        self.restored = False
        self.tried = threading.Event()
        self._memory_limit = memory_limit
        self._shrunk = 0.0
        self._open_due = 0.0
        self._gather_due = 0.0
        self._answered, self._answered_at = 0, 0.0
        self.beat = monotonic()

    # --- called by others -------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; it opens the store."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Answer what waits, save, close the store. Blocks; at most *timeout* seconds."""
        self._queue.close()
        self._thread.join(timeout)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of requests that wait."""
        return self._queue.waiting_bytes

    def coming(self, bodies: int) -> None:
        """So many bodies more (or less) are on their way; a group may wait for them. In the loop's thread."""
        self._queue.coming += bodies

    def submit(self, request: Request, loop: AbstractEventLoop) -> Future[Answer]:
        """A future of the answer to *request*, resolved in *loop* after the commit."""
        future: Future[Answer] = loop.create_future()
        self._queue.put(Job(request, future, loop))
        return future

    def views(self, loop: AbstractEventLoop) -> Future[tuple[VersionView, ...]]:
        """A future of copies for an evaluation; of none before the store is open."""
        return self._soon(self._views, loop)

    def _views(self) -> tuple[VersionView, ...]:
        if self._kept is None or self._upkeep is None:
            return ()
        found = self._kept.models.views(self._clock())
        try:
            self._upkeep.keep_maturity()
        except StoreError as error:
            self._store_failed(error)
        return found

    def ask(self, question: Callable[[Kept], Found], loop: AbstractEventLoop) -> Future[Found]:
        """A future of the answer to *question*, put in the thread.

        The future fails with RequestError 503 while the store isn't open.
        """

        def put() -> Found:
            if self._kept is None:
                raise _unavailable(self.store_fault)
            return question(self._kept)

        return self._soon(put, loop)

    def order(self, change: Callable[[Kept, Upkeep], Found], loop: AbstractEventLoop) -> Future[Found]:
        """A future of what *change*, made in the thread, gives.

        The future fails with RequestError 503 while the store isn't open or doesn't take it.
        """

        def put(kept: Kept) -> Found:
            assert self._upkeep is not None
            try:
                return change(kept, self._upkeep)
            except StoreError as error:
                self._store_failed(error)
                raise _unavailable(str(error)) from error

        return self.ask(put, loop)

    def reload(self, config: Config, loop: AbstractEventLoop) -> Future[None]:
        """A future of the new configuration in force: state saved, models made again."""
        return self._soon(lambda: self._reload(config), loop)

    def _soon(self, function: Callable[[], Found], loop: AbstractEventLoop) -> Future[Found]:
        future: Future[Found] = loop.create_future()

        def put() -> None:
            try:
                found = function()
            except Exception as error:  # noqa: BLE001 - told to whoever waits; the writer goes on
                loop.call_soon_threadsafe(_fail, future, error)
            else:
                loop.call_soon_threadsafe(_resolve, future, found)

        self._queue.call(put)
        return future

    def faults(self) -> dict[str, str]:
        """Models whose reference can't be used, and why."""
        kept = self._kept
        return {} if kept is None else dict(kept.models.faults)

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            self.beat = monotonic()
            if self._kept is None and monotonic() >= self._open_due:
                self._open()
                self._open_due = monotonic() + RETRY_SECONDS
            jobs, calls, closing = self._queue.take(UPKEEP_SECONDS / 4)
            self._linger(jobs)
            for kind in Kind:
                group = [job for job in jobs if job.request.kind is kind]
                if group:
                    self._group(kind, group)
            if jobs:
                self._answered, self._answered_at = len(jobs), monotonic()
            for call in calls:
                call()
            self._maintain()
        self._close()

    def _linger(self, jobs: list[Job]) -> None:
        """Wait a little for company: a group costs as much as its records do, or more."""
        taken, seconds = sum(len(job.request.body) for job in jobs), self.config.intake.linger
        if not taken or seconds <= 0 or self._queue.closed:
            return
        if taken < SMALL_GROUP_BYTES:
            # An event that nobody sets: sleeping, but in a way that ends with the process.
            threading.Event().wait(seconds)
            self._queue.more(jobs)
            return
        now = monotonic()
        # Whoever waits for the answers that have just gone out is likely to send again.
        likely = len(jobs) + self._answered if now - self._answered_at < SOON_SECONDS else 0
        if now >= self._gather_due and self._queue.gather(jobs, seconds, likely):
            # Whoever sends a byte at a time makes no group wait for him, but one in a while.
            self._gather_due = monotonic() + VAIN_SECONDS

    def _open(self) -> None:
        try:
            kept = self._open_kept(self.config)
        except Exception as error:
            worded = str(error) if isinstance(error, DriftgaugeError) else repr(error)
            if self.store_fault != worded:
                log.error("store: %s", worded, exc_info=not isinstance(error, DriftgaugeError))  # noqa: TRY400 - a worded error needs no trace
            self.store_fault = worded
            self._counting.component("store", up=False)
            self.tried.set()
            return
        self._adopt(kept)
        self.store_fault, self.restored = None, True
        self._counting.component("store", up=True)
        self._counting.restored(kept.opened.outcome)
        if kept.opened.moved_to is not None:
            log.error(
                "store: damaged (%s), moved to %s; an empty one was begun",
                kept.opened.damage,
                kept.opened.moved_to,
            )
        self.tried.set()
        self._tell_versions()
        self._catch_up(kept)

    def _catch_up(self, kept: Kept) -> None:
        """Judge what a batch closed before the process died, before the next one is counted."""
        if self._upkeep is None:
            return
        try:
            self._upkeep.learn(list(kept.models.models))
        except StoreError as error:
            self._store_failed(error)
        except Exception:
            log.exception("what was closed before the start could not be judged")

    def _adopt(self, kept: Kept) -> None:
        self._kept = kept
        self._upkeep = Upkeep(self.config, kept, self._counting, self._clock)
        models = kept.models
        self._decoder = Decoder(
            self.config.limits,
            self.config.fields,
            models.schema_of,
            models.only_model,
            self.config.model_version,
        )

    def _reload(self, config: Config) -> None:
        """Swap whole: state is saved, models are made again from it with the new settings."""
        if self._kept is None or self._upkeep is None:
            self.config = config
            return
        if not self._upkeep.checkpoint():
            raise StoreError("the state could not be saved, so the configuration was not changed")
        self._kept.store.close()
        old, self.config = self.config, config
        try:
            self._adopt(self._open_kept(config))
        except Exception:
            self.config = old
            self._adopt(self._open_kept(old))
            raise

    def _maintain(self) -> None:
        if self._upkeep is None:
            return
        try:
            self._upkeep.run()
            if self._memory_limit and resident_bytes() > SHRINK_SHARE * self._memory_limit:
                self._shrink_soon()
        except StoreError as error:
            self._store_failed(error)
        except Exception:
            log.exception("upkeep failed")

    def _shrink_soon(self) -> None:
        """Give back memory, at most every few seconds: it costs a checkpoint."""
        if self._upkeep is not None and monotonic() - self._shrunk > SHRINK_EVERY_SECONDS:
            self._shrunk = monotonic()
            self._upkeep.shrink()

    def _close(self) -> None:
        if self._kept is None or self._upkeep is None:
            return
        try:
            self._upkeep.checkpoint()
            self._kept.store.close()
        except StoreError:
            log.exception("the store could not be closed in order; the next start replays")

    # --- a group ----------------------------------------------------------------------------

    def _group(self, kind: Kind, jobs: list[Job]) -> None:
        try:
            jobs = self._answer_known(jobs)
            if jobs:
                self._take(kind, jobs)
        except StoreError as error:
            self._store_failed(error)
            _answer(jobs, [_unavailable(str(error))] * len(jobs))
        except Exception:
            log.exception("a group of %d requests failed", len(jobs))
            if self._kept is not None:
                self._kept.models.abandon()
            refusal = RequestError(500, Reason.INTERNAL, "the records could not be counted")
            _answer(jobs, [refusal] * len(jobs))

    def _store_failed(self, error: StoreError) -> None:
        if self._kept is not None:
            self._kept.models.abandon()
            if not isinstance(error, StoreFullError):
                self._give_up_connection(self._kept)
        if self.store_fault is None:
            log.error("store: %s", error)
        self.store_fault = str(error)
        self._counting.store_failed()
        self._counting.component("store", up=False)

    def _give_up_connection(self, kept: Kept) -> None:
        """State is made again from the file: a commit that failed while the disk did may be in it."""
        kept.store.close()
        self._kept = self._upkeep = None
        self._open_due = monotonic() + RETRY_SECONDS

    def _take(self, kind: Kind, jobs: list[Job]) -> None:
        kept, decoder = self._kept, self._decoder
        if kept is None or decoder is None:
            raise StoreError(self.store_fault or "not opened yet")
        requests = [job.request for job in jobs]
        decoded = decoder.predictions(requests) if kind is Kind.PREDICTIONS else decoder.outcomes(requests)
        results = self._commit_rounds(kept, decoded, jobs)
        self._counting.answers(kind, results)
        self._counting.ignored(decoded.ignored)
        _answer(jobs, _with_failures(results, decoded.failures))

    def _commit_rounds(self, kept: Kept, decoded: Decoded, jobs: Sequence[Job]) -> list[Answer]:
        found = rounds(decoded)
        results = [Answer() for _ in jobs]
        refused = decoded.rejections
        for place, turn in enumerate(found):
            prepared = kept.models.prepare(turn, len(jobs), self._clock())
            results = _added(results, prepared.answers(len(jobs), refused))
            refused = ()
            last = place == len(found) - 1
            self._commit(kept, prepared, _keys(jobs, results, self._clock()) if last else ())
        if not found:
            results = _only_refused(len(jobs), refused)
        return results

    def _commit(
        self,
        kept: Kept,
        prepared: Prepared,
        keys: tuple[tuple[bytes, bytes, float], ...],
    ) -> None:
        began = perf_counter()
        kept.sequence = kept.store.commit(
            Batch(
                encode(prepared.updates),
                tuple(Append(a.log, a.first_row, a.rows, a.times) for a in prepared.appended),
                keys=keys,
                exports=prepared.exports,
            )
        )
        self._counting.committed(perf_counter() - began)
        if self.store_fault is not None:
            self.store_fault = None
            self._counting.component("store", up=True)
        try:
            kept.models.apply(prepared)
        except Exception:
            # It is committed: what memory lacks of it, the file gives back.
            self._give_up_connection(kept)
            raise
        # A version evicted by the batch that made it counts too; its counters go last.
        for tally in prepared.tallies:
            self._counting.tally(tally)
        self._tell_versions({(t.model, t.version) for t in prepared.tallies if t.version is not None})
        if self._upkeep is not None:
            self._upkeep.learn({update.model for update in prepared.updates})

    def _tell_versions(self, counted: set[tuple[str, str]] | None = None) -> None:
        """Begin the counters of new versions, drop those of versions that are gone, *counted* among them."""
        if self._kept is None:
            return
        known = {(v.model.name, v.name) for v in self._kept.models.versions()}
        gone = (self._versions | (counted or set())) - known
        for model, version in known - self._versions:
            self._counting.version(model, version)
        for model, version in gone:
            self._counting.evicted(model, version)
        self._versions = known

    def _answer_known(self, jobs: list[Job]) -> list[Job]:
        """Answer requests whose Idempotency-Key was answered before; the others are left."""
        if self._kept is None or all(job.request.idempotency_key is None for job in jobs):
            return jobs
        left: list[Job] = []
        taken: set[bytes] = set()
        for job in jobs:
            key = _key(job.request)
            known = None if key is None else self._kept.store.answer(key)
            if known is not None:
                _answer([job], [_stored_answer(known)])
            elif key is not None and key in taken:
                # Twice in one group: the second asks again once the first is committed.
                self._queue.put(job)
            else:
                left.append(job)
                if key is not None:
                    taken.add(key)
        return left


def _unavailable(fault: str | None) -> RequestError:
    return RequestError(503, Reason.STORE, f"the store: {fault}", retry_after_seconds=RETRY_SECONDS)


def _stored_answer(data: bytes) -> Answer:
    return msgspec.json.decode(data, type=Answer)


def _key(request: Request) -> bytes | None:
    if request.idempotency_key is None:
        return None
    digest = blake2b(request.kind.encode(), digest_size=16)
    digest.update(request.idempotency_key.encode("utf-8", "surrogatepass"))
    return digest.digest()


def _keys(
    jobs: Sequence[Job], results: Sequence[Answer], wall: float
) -> tuple[tuple[bytes, bytes, float], ...]:
    found = []
    for job, answer in zip(jobs, results, strict=True):
        key = _key(job.request)
        if key is not None and answer.accepted + answer.duplicates:
            told = replace(answer, rejected=answer.rejected[:KEPT_REJECTIONS])
            found.append((key, msgspec.json.encode(told), wall))
    return tuple(found)


def _added(results: list[Answer], more: list[Answer]) -> list[Answer]:
    return [
        Answer(a.accepted + b.accepted, a.duplicates + b.duplicates, (*a.rejected, *b.rejected))
        for a, b in zip(results, more, strict=True)
    ]


def _only_refused(requests: int, refused: Sequence[Rejection]) -> list[Answer]:
    by_request: list[list[Rejection]] = [[] for _ in range(requests)]
    for rejection in refused:
        by_request[rejection.request].append(rejection)
    return [Answer(0, 0, tuple(found)) for found in by_request]


def _with_failures(results: Sequence[Answer], failures: Sequence[Failure]) -> list[Answer | RequestError]:
    found: list[Answer | RequestError] = list(results)
    for failure in failures:
        found[failure.request] = RequestError(failure.status, failure.reason, failure.detail)
    return found


def _answer(jobs: Sequence[Job], results: Sequence[Answer | RequestError]) -> None:
    """Resolve futures in their loop, all in one call."""
    if not jobs:
        return
    pairs = list(zip(jobs, results, strict=True))
    try:
        jobs[0].loop.call_soon_threadsafe(_resolve_all, pairs)
    except RuntimeError:
        log.warning("%d requests were committed after the loop had closed", len(jobs))


def _resolve_all(pairs: Sequence[tuple[Job, Answer | RequestError]]) -> None:
    for job, result in pairs:
        if isinstance(result, RequestError):
            _fail(job.future, result)
        else:
            _resolve(job.future, result)


def _resolve(future: Future[Found], value: Found) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: Future[Found], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
