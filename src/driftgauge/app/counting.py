"""Counters of this process: what a committed batch, a request or a commit adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from driftgauge.exposition.live import Live, observe_many
from driftgauge.metrics import PREFIX
from driftgauge.monitor.update import Tally
from driftgauge.records import Answer, Kind, Reason
from driftgauge.store import StoreStatistics

# OpenMetrics allows an exemplar 128 characters, its label's name among them.
TRACE_CHARACTERS: Final = 100


class Counting:
    """Counts into the live metrics; may be called from any thread."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def _add(self, name: str, count: int, *labels: str) -> None:
        if count:
            self._live.counter(PREFIX + name, *labels).inc(count)

    # --- the doors --------------------------------------------------------------------------

    def refused(self, reason: str) -> None:
        """A request that was not taken."""
        self._add("requests_rejected_total", 1, reason)

    def answered(self, path: str, seconds: float) -> None:
        """A request that was answered."""
        self._live.histogram(PREFIX + "request_duration_seconds", path).observe(seconds)

    # --- the writer -------------------------------------------------------------------------

    def answers(self, kind: Kind, answers: Iterable[Answer]) -> None:
        """Records of a group that were not taken."""
        for answer in answers:
            for rejection in answer.rejected:
                self._add("records_rejected_total", 1, kind, rejection.reason)

    def ignored(self, counts: Mapping[Reason, int]) -> None:
        """Values that were dropped outside of features."""
        for reason, count in counts.items():
            self._add("values_invalid_total", count, reason)

    def tally(self, tally: Tally) -> None:
        """A committed batch."""
        model = tally.model
        self._add("duplicates_total", tally.duplicate_predictions, model, Kind.PREDICTIONS)
        self._add("duplicates_total", tally.duplicate_outcomes, model, Kind.OUTCOMES)
        self._add("outcome_conflicts_total", tally.conflicts, model)
        self._add("outcome_revisions_total", tally.revised, model)
        self._add("outcomes_orphaned_total", tally.orphaned, model)
        self._add("outcomes_elsewhere_total", tally.elsewhere, model)
        for reason, count in tally.invalid.items():
            self._add("values_invalid_total", count, reason)
        for bound, count in tally.folded.items():
            self._add("values_folded_total", count, bound)
        for violation, count in tally.broken.items():
            self._add("schema_violations_total", count, model, tally.version or "", violation)
        version = tally.version or ""
        self._add("outcomes_total", tally.outcomes, model, version)
        for name, count in tally.joined_by.items():
            self._add("outcomes_joined_total", count, model, name)
        self._add("outcomes_implied_total", tally.implied, model, version)
        if tally.version is not None:
            self._add("predictions_total", tally.predictions, model, version)
            self._add("prediction_errors_total", tally.failed, model, version)
            self._add("predictions_late_total", tally.late, model, version)
            if tally.latencies.size:
                slowest, trace = tally.exemplar or (None, "")
                histogram = self._live.histogram(PREFIX + "prediction_latency_seconds", model, version)
                latencies = tally.latencies
                if slowest is not None:
                    latencies = np.delete(latencies, np.argmax(latencies == slowest))
                    histogram.observe(slowest, {"trace_id": trace[:TRACE_CHARACTERS]})
                observe_many(histogram, latencies)

    def version(self, model: str, version: str) -> None:
        """A model version begins: its counters stand at 0 before its first event."""
        self._live.begin(model, version)

    def evicted(self, model: str, version: str) -> None:
        """A model version was dropped."""
        self._live.forget(model, version)
        self._add("versions_evicted_total", 1, model)

    def waiting(self, model: str, count: int) -> None:
        """Outcomes whose prediction hasn't come."""
        self._live.gauge(PREFIX + "outcomes_waiting", model).set(count)

    def queue(self, count: int) -> None:
        """Bytes that wait for the writer."""
        self._live.gauge(PREFIX + "queue_bytes").set(count)

    # --- the store --------------------------------------------------------------------------

    def committed(self, seconds: float) -> None:
        """A group commit."""
        self._live.histogram(PREFIX + "commit_seconds").observe(seconds)

    def checkpointed(self, seconds: float) -> None:
        """A checkpoint."""
        self._live.histogram(PREFIX + "checkpoint_seconds").observe(seconds)

    def store_failed(self) -> None:
        """A transaction that was rolled back."""
        self._add("store_errors_total", 1)

    def restored(self, result: str) -> None:
        """How the state was found at start."""
        for each in ("restored", "empty", "damaged"):
            self._live.gauge(PREFIX + "store_restored", each).set(each == result)

    def store(self, found: StoreStatistics) -> None:
        """Sizes of the store."""
        for name, size in (
            ("store_bytes", found.database_bytes),
            ("store_wal_bytes", found.wal_bytes),
            ("store_pending_bytes", found.pending_bytes),
            ("store_batch_bytes", found.batch_bytes),
            ("store_limit_bytes", found.limit_bytes),
        ):
            if size is not None:
                self._live.gauge(PREFIX + name).set(size)

    # --- the process ------------------------------------------------------------------------

    def component(self, name: str, *, up: bool) -> None:
        """Whether a part of the process works."""
        self._live.gauge(PREFIX + "component_up", name).set(up)

    def built(self, version: str, python: str, sqlite: str) -> None:
        """What runs."""
        self._live.gauge(PREFIX + "build_info", version, python, sqlite).set(1)

    def evaluated(self, seconds: float) -> None:
        """An evaluation that finished."""
        self._live.gauge(PREFIX + "evaluation_seconds").set(seconds)

    def evaluation_failed(self) -> None:
        """An evaluation that didn't finish."""
        self._add("evaluations_failed_total", 1)

    def reloaded(self, wall: float, *, success: bool) -> None:
        """A load of the configuration."""
        self._live.gauge(PREFIX + "configuration_reload_success").set(success)
        if success:
            self._live.gauge(PREFIX + "configuration_reload_timestamp_seconds").set(wall)

    def memory_limit(self, limit: int | None) -> None:
        """The cgroup's memory limit."""
        if limit is not None:
            self._live.gauge(PREFIX + "memory_limit_bytes").set(limit)
