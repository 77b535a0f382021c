"""What a service beside the sidecars counts of itself: the trigger's and the injector's common part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from driftgauge import __version__
from driftgauge.exposition.live import Live
from driftgauge.exposition.page import compose
from driftgauge.exposition.rendered import Rendered
from driftgauge.metrics import Metric
from driftgauge.records import Reason


class OwnCounts:
    """Counts what happens; called on the event loop. Also the doors' `DoorCounts`.

    Args:
        table: the service's metrics, ``info`` and ``requests_rejected_total`` among them.
        prefix: of their names.
        timed: the histogram of its one path that is timed.
        closed: counters that start at 0 for each value of their one label.
        plain: counters without labels, which start at 0.
    """

    def __init__(
        self,
        table: tuple[Metric, ...],
        prefix: str,
        *,
        timed: str,
        closed: Mapping[str, Iterable[str]],
        plain: Iterable[str],
    ) -> None:
        self._live = Live(table)
        self._prefix, self._timed = prefix, timed
        self._live.gauge(prefix + "info", __version__).set(1)
        for name, values in {"requests_rejected_total": Reason, **closed}.items():
            for value in values:
                self._live.counter(prefix + name, value)
        for name in plain:
            self._live.counter(prefix + name)

    def metrics(
        self, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> tuple[bytes, str, str | None]:
        """The exposition, in the form that the client asks for."""
        return compose(Rendered(), self._live, accept=accept, accept_encoding=accept_encoding, names=names)

    def refused(self, reason: str) -> None:
        """A request that was not taken."""
        self._live.counter(self._prefix + "requests_rejected_total", reason).inc()

    def answered(self, path: str, seconds: float) -> None:  # noqa: ARG002 - one path is timed
        """A request to that path, *seconds* from its last byte to its answer."""
        self._live.histogram(self._prefix + self._timed).observe(seconds)
