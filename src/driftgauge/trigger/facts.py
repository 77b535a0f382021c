"""What must be known before a decision is judged: whom it is asked of, and what silence means."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from driftgauge.config_file import duration_text
from driftgauge.trigger.asking import Asker, Peer, Unanswered
from driftgauge.trigger.decision import Decision, Measure
from driftgauge.trigger.policy import Facts, Known, blocking
from driftgauge.trigger.sources import Observed, Source, Unknown
from driftgauge.trigger_config import Policy


class _AlertLabels(msgspec.Struct):
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Before:
    """The model when a run is decided; *fault* says why it isn't known."""

    versions: tuple[str, ...] = ()
    quality: Measure | None = None
    fault: str = ""


class FactFinder:
    """Asks the source for labels and versions, and Alertmanager for firing alerts, where configured.

    Args:
        source: None when nobody can be asked; then labels aren't known.
        alertmanager: its URL; None when only the webhooks received tell what fires.
    """

    def __init__(
        self, asker: Asker, source: Source | None, alertmanager: str | None, peer: Peer, time_scale: float
    ) -> None:
        self.source = source
        self._asker = asker
        self._alertmanager = alertmanager
        self._peer = peer
        self._time_scale = time_scale

    async def facts(
        self,
        policy: Policy,
        decision: Decision,
        now: float,
        runs: tuple[Decision, ...],
        remembered: tuple[tuple[str, str], ...],
    ) -> Facts:
        """All that `policy.judge` looks at; what can't be found out is a fault, which refuses.

        Args:
            remembered: name and model of alerts that fire by the webhooks received; not used where
                Alertmanager itself can be asked.
        """
        labels = await self._labels(policy, decision)
        fault = ""
        firing = remembered
        if self._alertmanager is not None:
            try:
                firing = await self._firing(self._alertmanager)
            except (Unanswered, Unknown) as error:
                fault = str(error)
        return Facts(
            now=now,
            time_scale=self._time_scale,
            labels=labels,
            blocking=blocking(policy, decision.model, decision.cause, firing),
            alerts_fault=fault,
            runs=runs,
        )

    async def _labels(self, policy: Policy, decision: Decision) -> Known | None:
        if not policy.matured_labels:
            return None
        if self.source is None:
            return Known(None, "neither trigger.sidecar nor trigger.prometheus has a url")
        try:
            return Known(await self.source.labels(decision.model, decision.change_began))
        except (Unanswered, Unknown) as error:
            return Known(None, str(error))

    async def _firing(self, url: str) -> tuple[tuple[str, str], ...]:
        """Silenced and inhibited alerts among them: what is broken stays broken."""
        reply = await self._asker.ask(self._peer, "GET", f"{url.rstrip('/')}/api/v2/alerts")
        if not reply.ok:
            raise Unknown(f"alertmanager: answered {reply.status}")
        try:
            alerts = msgspec.json.decode(reply.body, type=list[_AlertLabels])
        except msgspec.MsgspecError as error:
            raise Unknown(f"alertmanager: expected a list of alerts, got: {error}") from None
        found = {(a.labels.get("alertname", ""), a.labels.get("model", "")) for a in alerts}
        return tuple(sorted(found))

    async def before(self, policy: Policy, decision: Decision) -> Before:
        """The versions and the quality that the run's version will be compared with."""
        try:
            observed = await self.observed(policy, decision)
        except (Unanswered, Unknown) as error:
            return Before(fault=str(error))
        newest = observed.versions[-1] if observed.versions else ""
        return Before(observed.versions, observed.measures.get(newest))

    async def observed(self, policy: Policy, decision: Decision) -> Observed:
        """The model now; nothing where nobody can be asked.

        Raises:
            Unanswered, Unknown: as `Source.observed`.
        """
        if self.source is None:
            return Observed()
        return await self.source.observed(decision.model, duration_text(policy.judge.window))
