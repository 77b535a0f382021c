"""May this decision start a run? Pure: a policy, a decision and the facts in, a state with reasons out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from driftgauge.trigger.decision import Decision, Guard, Refusal, State, Verdict
from driftgauge.trigger.payload import Alert
from driftgauge.trigger_config import Policy, Quiet
from driftgauge.units import DAY


@dataclass(frozen=True, slots=True)
class Known:
    """A number that was asked for, or in words why it isn't known."""

    number: float | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a decision is judged.

    Attributes:
        now: wall time, epoch seconds.
        time_scale: divides cool-downs and days.
        labels: outcomes that matured since the change began; None where the policy asks for none.
        blocking: names of firing alerts that forbid a run of the model.
        alerts_fault: why it isn't known which alerts fire; empty when it is.
        runs: earlier decisions whose run was started, of all models, the newest first.
    """

    now: float
    time_scale: float = 1.0
    labels: Known | None = None
    blocking: tuple[str, ...] = ()
    alerts_fault: str = ""
    runs: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state that a decision comes to, and each guard that forbade a run."""

    state: State
    refusals: tuple[Refusal, ...] = ()


def policy_for(policies: Mapping[str, Policy], alert: Alert) -> tuple[str, Policy] | None:
    """The first policy that a firing alert of a model fits; None when none asks for it."""
    if not alert.firing or not alert.model:
        return None
    for name, policy in policies.items():
        if (
            matches(policy.alerts, alert.name)
            and (not policy.models or alert.model in policy.models)
            and (not policy.severities or alert.severity in policy.severities)
        ):
            return name, policy
    return None


def matches(patterns: Sequence[str], name: str) -> bool:
    """Whether one of *patterns* is *name*, or with an asterisk at its end begins it."""
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in patterns
    )


def blocking(policy: Policy, model: str, cause: str, firing: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Names of *firing* alerts (name, model) that forbid a run; the cause itself never does."""
    found = {
        name
        for name, of_model in firing
        if of_model in {model, ""} and name != cause and matches(policy.blocked_by, name)
    }
    return tuple(sorted(found))


def judge(policy: Policy, decision: Decision, facts: Facts) -> Judgement:
    """What becomes of a decision that is open.

    Every guard is looked at, so that all reasons are told. A run that needs a person's approval (the
    policy says so, or the last runs improved nothing) waits for it once nothing else forbids it.
    """
    refusals = tuple(_refusals(policy, decision, facts))
    if refusals:
        return Judgement(State.REFUSED, refusals)
    if policy.dry_run:
        return Judgement(State.DRY_RUN)
    if decision.approved_at is not None:
        return Judgement(State.STARTING)
    fruitless = _fruitless(policy, decision, facts)
    if fruitless is not None:
        return Judgement(State.AWAITING_APPROVAL, (fruitless,))
    return Judgement(State.AWAITING_APPROVAL if policy.approval else State.STARTING)


def _refusals(policy: Policy, decision: Decision, facts: Facts) -> Iterator[Refusal]:
    yield from _of_runs(policy, decision, facts)
    yield from _of_labels(policy, facts)
    if facts.alerts_fault:
        yield Refusal(Guard.ALERTS_UNKNOWN, facts.alerts_fault)
    if facts.blocking:
        yield Refusal(Guard.BLOCKING_ALERT, f"firing: {', '.join(facts.blocking)}")
    if policy.quiet is not None and is_quiet(policy.quiet, facts.now):
        detail = f"no run from {policy.quiet.start} to {policy.quiet.end} {policy.quiet.zone}"
        yield Refusal(Guard.QUIET_HOURS, detail)


def _of_runs(policy: Policy, decision: Decision, facts: Facts) -> Iterator[Refusal]:
    of_model = [run for run in facts.runs if run.model == decision.model and run.id != decision.id]
    since = facts.now - policy.cooldown / facts.time_scale
    recent = next((d for d in of_model if d.run and d.run.started_at > since), None)
    if recent is not None:
        yield Refusal(Guard.COOLDOWN, f"run {recent.id} was started within the cool-down")
    day = facts.now - DAY / facts.time_scale
    count = sum(1 for d in facts.runs if d.policy == decision.policy and d.run and d.run.started_at > day)
    if count >= policy.runs_per_day:
        yield Refusal(
            Guard.RUNS_PER_DAY, f"expected fewer than {policy.runs_per_day} runs in 24h, had {count}"
        )
    for earlier in of_model:
        if earlier.closed:
            continue
        if earlier.state is State.UNKNOWN:
            yield Refusal(Guard.UNKNOWN_RUN, f"a person must say how run {earlier.id} ended")
        else:
            yield Refusal(Guard.UNJUDGED_RUN, f"run {earlier.id} is not judged yet")
        return


def _of_labels(policy: Policy, facts: Facts) -> Iterator[Refusal]:
    if not policy.matured_labels:
        return
    labels = facts.labels or Known(None, "nobody was asked")
    if labels.number is None:
        yield Refusal(Guard.LABELS_UNKNOWN, labels.fault)
    elif labels.number < policy.matured_labels:
        detail = (
            f"expected at least {policy.matured_labels} matured since the change began, "
            f"got {labels.number:.0f}"
        )
        yield Refusal(Guard.LABELS_FEW, detail)


def _fruitless(policy: Policy, decision: Decision, facts: Facts) -> Refusal | None:
    """The refusal of runs that go on improving nothing; what failed has improved nothing either."""
    streak = 0
    for run in facts.runs:
        if run.model == decision.model and run.id != decision.id and run.closed:
            if run.verdict is Verdict.IMPROVED:
                break
            streak += 1
    if streak < policy.runs_without_improvement:
        return None
    return Refusal(Guard.NO_IMPROVEMENT, f"the last {streak} runs improved nothing")


def is_quiet(quiet: Quiet, now: float) -> bool:
    """Whether *now* is within the hours; the start belongs to them, the end does not.

    Raises:
        ValueError: a time or the zone can't be read.
    """
    local = datetime.fromtimestamp(now, ZoneInfo(quiet.zone)).time()
    start, end = hour(quiet.start), hour(quiet.end)
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def hour(text: str) -> time:
    """The time of ``HH:MM``.

    Raises:
        ValueError: it is none.
    """
    if len(text) != 5 or text[2] != ":" or not (text[:2] + text[3:]).isdecimal() or not text.isascii():
        raise ValueError("expected HH:MM")
    return time(int(text[:2]), int(text[3:]))
