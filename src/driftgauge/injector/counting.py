"""The injector's metrics; every label is of a closed set."""

from __future__ import annotations

from driftgauge.exposition.own import OwnCounts
from driftgauge.injector.judging import Judgement, Result
from driftgauge.injector.refusing import Refusal
from driftgauge.metrics import INJECTOR_METRICS, PREFIX

_P = PREFIX + "injector_"


class Counting(OwnCounts):
    """Counts what happens; called on the event loop."""

    def __init__(self) -> None:
        super().__init__(
            INJECTOR_METRICS,
            _P,
            timed="review_duration_seconds",
            closed={"pods_total": Result, "refusals_total": Refusal},
            plain=("certificate_loads_total", "certificate_errors_total"),
        )

    def judged(self, judgement: Judgement) -> None:
        """What became of a pod."""
        self._live.counter(_P + "pods_total", judgement.result).inc()
        if judgement.reason is not None:
            self._live.counter(_P + "refusals_total", judgement.reason).inc()

    def looked(self, *, loaded: bool, not_after: float | None) -> None:
        """The certificate's files held another pair: put in use, or not usable."""
        name = "certificate_loads_total" if loaded else "certificate_errors_total"
        self._live.counter(_P + name).inc()
        if not_after is not None:
            self._live.gauge(_P + "certificate_expiry_timestamp_seconds").set(not_after)
