"""The injector's metrics; every label is of a closed set."""

from __future__ import annotations

from collections.abc import Sequence

from driftgauge import __version__
from driftgauge.exposition.live import Live
from driftgauge.exposition.page import compose
from driftgauge.exposition.rendered import Rendered
from driftgauge.injector.judging import Judgement, Result
from driftgauge.injector.refusing import Refusal
from driftgauge.metrics import INJECTOR_METRICS, PREFIX
from driftgauge.records import Reason

_P = PREFIX + "injector_"


class Counting:
    """Counts what happens; called on the event loop. Also the doors' `DoorCounts`."""

    def __init__(self) -> None:
        self._live = Live(INJECTOR_METRICS)
        self._live.gauge(_P + "info", __version__).set(1)
        for name, label in (
            ("requests_rejected_total", Reason),
            ("pods_total", Result),
            ("refusals_total", Refusal),
        ):
            for value in label:
                self._live.counter(_P + name, value)
        for name in ("certificate_loads_total", "certificate_errors_total"):
            self._live.counter(_P + name)

    def metrics(
        self, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> tuple[bytes, str, str | None]:
        """The exposition, in the form that the client asks for."""
        return compose(Rendered(), self._live, accept=accept, accept_encoding=accept_encoding, names=names)

    def refused(self, reason: str) -> None:
        """A request that was not taken."""
        self._live.counter(_P + "requests_rejected_total", reason).inc()

    def answered(self, path: str, seconds: float) -> None:  # noqa: ARG002 - one path is timed
        """A question, *seconds* from its last byte to its answer."""
        self._live.histogram(_P + "review_duration_seconds").observe(seconds)

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
