"""The trigger's metrics; the label model is bounded, the others come from closed sets."""

from __future__ import annotations

from collections.abc import Iterable

from driftgauge.exposition.own import OwnCounts
from driftgauge.metrics import PREFIX, TRIGGER_METRICS
from driftgauge.trigger.decision import Decision, Guard, State, Verdict
from driftgauge.trigger.payload import AlertResult, Delivery
from driftgauge.trigger.store import Taken

_P = PREFIX + "trigger_"
PEERS = ("sidecar", "prometheus", "alertmanager", "kubernetes", "kubeflow", "webhook")
OTHER = "other"


class Counting(OwnCounts):
    """Counts what happens; called on the event loop.

    Args:
        models: how many models have series of their own; later ones share ``other``.
    """

    def __init__(self, models: int) -> None:
        super().__init__(
            TRIGGER_METRICS,
            _P,
            timed="delivery_duration_seconds",
            closed={"alerts_total": AlertResult, "refusals_total": Guard, "requests_failed_total": PEERS},
            plain=("deliveries_total", "alerts_truncated_total", "store_errors_total"),
        )
        self._most = models
        self._models: set[str] = set()

    def know(self, models: Iterable[str]) -> None:
        """Start the series of *models* at 0, so that their first event is an increase."""
        for model in models:
            self._model(model)

    def delivered(self, delivery: Delivery, taken: Taken) -> None:
        """A webhook that was committed."""
        self._live.counter(_P + "deliveries_total").inc()
        self._live.counter(_P + "alerts_truncated_total").inc(delivery.truncated)
        for results in (delivery.dropped, taken.results):
            for result, count in results.items():
                self._live.counter(_P + "alerts_total", result).inc(count)
        for decision in taken.opened:
            self.came_to(decision)

    def came_to(self, decision: Decision) -> None:
        """A decision came to the state that it is in."""
        model = self._model(decision.model)
        self._live.counter(_P + "decisions_total", model, decision.state).inc()
        if decision.state is State.STARTING and decision.run is not None:
            self.started(decision)
        for refusal in decision.refusals if decision.state is State.REFUSED else ():
            self._live.counter(_P + "refusals_total", refusal.guard).inc()

    def started(self, decision: Decision) -> None:
        """When the model's last run was started; the newest counts."""
        if decision.run is not None:
            gauge = self._live.gauge(_P + "last_run_timestamp_seconds", self._model(decision.model))
            gauge.set(decision.run.started_at)

    def judged(self, decision: Decision) -> None:
        """A run was closed with a verdict."""
        if decision.verdict is not None:
            name = _P + "runs_judged_total"
            self._live.counter(name, self._model(decision.model), decision.verdict).inc()

    def standing(self, decisions: Iterable[Decision]) -> None:
        """How many decisions something is still to be done about, by state."""
        counts = dict.fromkeys(State, 0)
        for decision in decisions:
            counts[decision.state] += 1
        for state, count in counts.items():
            self._live.gauge(_P + "open_decisions", state).set(count)

    def request_failed(self, peer: str) -> None:
        """A request to another service failed for good."""
        self._live.counter(_P + "requests_failed_total", peer).inc()

    def store_failed(self) -> None:
        """A transaction failed."""
        self._live.counter(_P + "store_errors_total").inc()

    def _model(self, model: str) -> str:
        if model not in self._models:
            if len(self._models) >= self._most:
                return OTHER
            self._models.add(model)
            for state in State:
                self._live.counter(_P + "decisions_total", model, state)
            for verdict in Verdict:
                self._live.counter(_P + "runs_judged_total", model, verdict)
        return model
