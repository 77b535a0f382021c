"""Leads each decision from one state to the next, after its delivery was acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from msgspec.structs import replace

from driftgauge.config import Config
from driftgauge.errors import StoreError
from driftgauge.trigger.actions import Action, ActionFailed
from driftgauge.trigger.asking import Unanswered
from driftgauge.trigger.counting import Counting
from driftgauge.trigger.decision import Decision, Guard, Refusal, Run, State, Verdict, run_name
from driftgauge.trigger.exporting import Exporter
from driftgauge.trigger.facts import Before, FactFinder
from driftgauge.trigger.judging import compared, new_version, verdict
from driftgauge.trigger.policy import Judgement, judge
from driftgauge.trigger.remembering import Memory
from driftgauge.trigger.sources import Observed, Unknown
from driftgauge.trigger.variables import variables
from driftgauge.trigger_config import Policy
from driftgauge.units import HOUR

log = logging.getLogger(__name__)

LEAST_LOOK_SECONDS: Final = 0.05
# A start that nobody has answered for so long is a person's case.
GIVE_UP_SECONDS: Final = HOUR
STOP_SECONDS: Final = 5.0

_LOST = (
    "the trigger ended while the command ran or was about to; it is not started again. "
    "POST /v1/decisions/{id}/settle?ended=finished or failed says how it ended"
)


@dataclass(frozen=True, slots=True)
class Means:
    """What the worker works with.

    Attributes:
        actions: by the policy's name.
        clock: wall time, epoch seconds.
    """

    memory: Memory
    facts: FactFinder
    actions: Mapping[str, Action]
    exporter: Exporter
    counting: Counting
    clock: Callable[[], float]


class Worker:
    """One task that judges and looks, and one for each start that is under way.

    Judging is one after the other, so that each decision sees the runs that those before it started.

    Attributes:
        beat: when it moved last, on the monotonic clock.
    """

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._policies = config.trigger.policies
        self._means = means
        self._memory = means.memory
        self._scale = config.time_scale
        self.beat = monotonic()
        self._woken = asyncio.Event()
        self._stopping = False
        self._starts: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier process left, and begin to work."""
        for decision in await self._memory(self._memory.decisions.unfinished):
            run = decision.run
            if run and run.action == "command" and decision.state in {State.STARTING, State.RUNNING}:
                await self._change(decision.id, lambda d: replace(d, state=State.UNKNOWN), _LOST)
        for decision in reversed(await self._memory(self._memory.decisions.runs)):
            self._means.counting.started(decision)
        self._task = asyncio.create_task(self._forever())

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def stop(self) -> None:
        """Finish the step under way and what it records; runs go on by themselves."""
        self._stopping = True
        self.wake()
        tasks = [*self._starts.values(), *((self._task,) if self._task else ())]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for action in self._means.actions.values():
            await action.close()

    async def _forever(self) -> None:
        pause = max(LEAST_LOOK_SECONDS, self._config.trigger.look / self._scale)
        while not self._stopping:
            self._woken.clear()
            try:
                await self.work()
            except StoreError as error:
                log.error("the store: %s", error)  # noqa: TRY400 - worded
            except Exception:
                log.exception("a look failed; it is tried again")
            try:
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue

    # --- one look ---------------------------------------------------------------------------

    async def work(self) -> None:
        """Do what can be done now for every decision that isn't closed."""
        now, self.beat = self._means.clock(), monotonic()
        await self._memory(self._memory.decisions.expire, now, self._config.trigger.keep)
        for decision in await self._memory(self._memory.decisions.unfinished):
            if self._stopping:
                return
            self.beat = monotonic()
            await self._advance(decision)
        self._means.counting.standing(await self._memory(self._memory.decisions.unfinished))

    async def _advance(self, decision: Decision) -> None:
        if decision.state is State.OPEN:
            await self._judge(decision)
        elif decision.state is State.STARTING:
            self._start_soon(decision)
        elif decision.state is State.RUNNING:
            await self._look_at_run(decision)
            await self._look_at_version(decision)
        elif decision.state is State.FINISHED:
            await self._look_at_version(decision)

    # --- judging ----------------------------------------------------------------------------

    async def _judge(self, decision: Decision) -> None:
        policy = self._policies.get(decision.policy)
        if policy is None:
            gone = Refusal(Guard.POLICY_GONE, f"there is no policy {decision.policy} any more")
            await self._refuse(decision, (gone,))
            return
        store = self._memory.decisions
        facts = await self._means.facts.facts(
            policy,
            decision,
            self._means.clock(),
            await self._memory(store.runs),
            await self._memory(store.firing),
        )
        judgement = judge(policy, decision, facts)
        if judgement.state is State.STARTING:
            await self._decide(policy, decision)
        elif judgement.state is State.REFUSED:
            await self._refuse(decision, judgement.refusals)
        else:
            await self._wait(decision, judgement)

    async def _refuse(self, decision: Decision, refusals: tuple[Refusal, ...]) -> None:
        await self._change(
            decision.id,
            lambda d: replace(d, state=State.REFUSED, refusals=refusals),
            "; ".join(f"{refusal.guard}: {refusal.detail}" for refusal in refusals),
        )

    async def _wait(self, decision: Decision, judgement: Judgement) -> None:
        now = self._means.clock()
        closed = now if judgement.state is State.DRY_RUN else None
        detail = "; ".join(f"{refusal.guard}: {refusal.detail}" for refusal in judgement.refusals)
        await self._change(
            decision.id,
            lambda d: replace(d, state=judgement.state, refusals=judgement.refusals, closed_at=closed),
            detail,
        )

    async def _decide(self, policy: Policy, decision: Decision) -> None:
        """Record that the run starts, before it does; with all that its judgement will need."""
        before = await self._means.facts.before(policy, decision)
        if before.fault:
            await self._refuse(decision, (Refusal(Guard.VERSIONS_UNKNOWN, before.fault),))
            return
        export, fault = await self._means.exporter.export(decision)
        if fault:
            await self._refuse(decision, (Refusal(Guard.EXPORT_FAILED, fault),))
            return
        action = self._means.actions[decision.policy]
        run = Run(action=action.kind, name=run_name(decision.id), started_at=self._means.clock())
        changed = await self._change(
            decision.id, lambda d: _decided(d, run, before, export), f"{action.kind} {run.name}"
        )
        if changed.run == run:
            self._start_soon(changed)

    # --- starting ---------------------------------------------------------------------------

    def _start_soon(self, decision: Decision) -> None:
        if decision.id not in self._starts:
            task = asyncio.create_task(self._start(decision))
            self._starts[decision.id] = task
            task.add_done_callback(lambda _: self._starts.pop(decision.id, None))

    async def _start(self, decision: Decision) -> None:
        try:
            await self._try_start(decision)
        except StoreError as error:
            log.error("the store: %s", error)  # noqa: TRY400 - worded
        except Exception:
            log.exception("a start failed")

    async def _try_start(self, decision: Decision) -> None:
        action, run = self._means.actions.get(decision.policy), decision.run
        if action is None or run is None or action.kind != run.action:
            await self._failed(decision.id, "its policy has another action now, or is gone")
            return
        try:
            started = await action.start(decision, variables(decision))
        except ActionFailed as error:
            await self._failed(decision.id, str(error))
        except Unanswered as error:
            await self._not_answered(decision, run, str(error))
        else:
            await self._change(
                decision.id,
                lambda d: replace(
                    d, state=State.RUNNING, run=_run(d, reference=started.reference, detail=started.detail)
                ),
                started.detail or started.reference,
            )
            self.wake()

    async def _not_answered(self, decision: Decision, run: Run, fault: str) -> None:
        late = self._means.clock() - run.started_at > GIVE_UP_SECONDS / self._scale
        state = State.UNKNOWN if late else State.STARTING
        await self._change(
            decision.id,
            lambda d: replace(
                d,
                state=state,
                run=_run(d, attempts=0 if d.run is None else d.run.attempts + 1, detail=fault),
            ),
            fault,
        )

    async def _failed(self, name: str, detail: str) -> None:
        now = self._means.clock()
        await self._change(
            name,
            lambda d: replace(d, state=State.FAILED, closed_at=now, run=_run(d, ended_at=now, detail=detail)),
            detail,
        )

    # --- runs and their versions ------------------------------------------------------------

    async def _look_at_run(self, decision: Decision) -> None:
        action, run = self._means.actions.get(decision.policy), decision.run
        if action is None or run is None or action.kind != run.action:
            return
        try:
            ended = await action.ended(decision)
        except Unanswered as error:
            log.warning("run %s: %s", decision.id, _line(str(error)))
            return
        if ended is None:
            return
        if not ended.well:
            await self._failed(decision.id, ended.detail)
            return
        now = self._means.clock()
        await self._change(
            decision.id,
            lambda d: replace(d, state=State.FINISHED, run=_run(d, ended_at=now, detail=ended.detail)),
            ended.detail,
        )

    async def _look_at_version(self, decision: Decision) -> None:
        policy, run = self._policies.get(decision.policy), decision.run
        if run is None:
            return
        within = (policy or Policy(alerts=())).judge.within / self._scale
        late = self._means.clock() - run.started_at > within
        observed = Observed()
        if policy is not None:
            try:
                observed = await self._means.facts.observed(policy, decision)
            except (Unanswered, Unknown) as error:
                log.warning("run %s: %s", decision.id, _line(str(error)))
                if not late:
                    return
        await self._judge_version(decision, policy, observed, late=late)

    async def _judge_version(
        self, decision: Decision, policy: Policy | None, observed: Observed, *, late: bool
    ) -> None:
        version = decision.new_version or new_version(decision, observed)
        if version and not decision.new_version:
            now = self._means.clock()
            decision = await self._change(
                decision.id,
                lambda d: replace(d, new_version=version, version_seen_at=now),
                f"version {version} has traffic",
            )
        if not version:
            if late:
                await self._close(decision.id, Verdict.NO_VERSION, "no new version had traffic in time")
            return
        found = compared(decision, observed)
        enough = found is not None and policy is not None and found.outcomes >= policy.judge.outcomes
        if found is not None and (enough or late):
            text = f"{found.measure} {found.difference:+.4g} ({found.low:+.4g} to {found.high:+.4g})"
            await self._change(decision.id, lambda d: replace(d, comparison=found))
            await self._close(decision.id, verdict(found), text)
        elif late:
            await self._close(decision.id, Verdict.UNDECIDED, "too few outcomes in time")

    async def _close(self, name: str, found: Verdict, detail: str) -> None:
        now = self._means.clock()
        decision = await self._change(
            name,
            lambda d: replace(d, state=State.FINISHED, verdict=found, closed_at=now),
            f"{found}: {detail}",
        )
        self._means.counting.judged(decision)

    # --- recording --------------------------------------------------------------------------

    async def _change(self, name: str, change: Callable[[Decision], Decision], detail: str = "") -> Decision:
        before: list[State] = []

        def noted(decision: Decision) -> Decision:
            before.append(decision.state)
            return change(decision)

        store = self._memory.decisions
        after = await self._memory(store.change, name, noted, self._means.clock(), detail)
        if after.state is not before[0]:
            self._means.counting.came_to(after)
            log.info("decision %s of %s: %s %s", after.id, _line(after.model), after.state, _line(detail))
        return after


def _line(text: str) -> str:
    """A sender's text as part of one line of the log."""
    return "".join(character if character.isprintable() else " " for character in text)


def _run(decision: Decision, **changes: object) -> Run | None:
    return None if decision.run is None else replace(decision.run, **changes)


def _decided(decision: Decision, run: Run, before: Before, export: str) -> Decision:
    """The decision with its run about to start; as it stands where it is open no more."""
    if decision.state is not State.OPEN:
        return decision
    return replace(
        decision,
        state=State.STARTING,
        refusals=(),
        run=run,
        export=export,
        known_versions=before.versions,
        old_version=before.versions[-1] if before.versions else "",
        old_quality=before.quality,
    )
