"""A decision: what an alert led to and why, from its first delivery to the judgement of its run."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec


class State(StrEnum):
    """Where a decision stands."""

    OPEN = "open"
    REFUSED = "refused"
    DRY_RUN = "dry_run"
    AWAITING_APPROVAL = "awaiting_approval"
    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


# What never becomes a run any more, nor is one.
OVER = frozenset({State.DRY_RUN, State.FAILED, State.EXPIRED})
# What is judged (again) when its alert is delivered.
JUDGED_AGAIN = frozenset({State.REFUSED})
# What ends with its cool-down, since it started nothing.
PATIENT = frozenset({State.OPEN, State.REFUSED, State.AWAITING_APPROVAL})


class Verdict(StrEnum):
    """What a run was worth."""

    IMPROVED = "improved"
    NOT_IMPROVED = "not_improved"
    UNDECIDED = "undecided"
    NO_VERSION = "no_version"


class Guard(StrEnum):
    """What can forbid a run; the closed set that labels the counter of refusals."""

    COOLDOWN = "cooldown"
    RUNS_PER_DAY = "runs_per_day"
    LABELS_FEW = "labels_few"
    LABELS_UNKNOWN = "labels_unknown"
    BLOCKING_ALERT = "blocking_alert"
    ALERTS_UNKNOWN = "alerts_unknown"
    UNJUDGED_RUN = "unjudged_run"
    UNKNOWN_RUN = "unknown_run"
    NO_IMPROVEMENT = "no_improvement"
    QUIET_HOURS = "quiet_hours"
    VERSIONS_UNKNOWN = "versions_unknown"
    EXPORT_FAILED = "export_failed"
    POLICY_GONE = "policy_gone"


class Refusal(msgspec.Struct, frozen=True):
    """One guard that forbade a run, and what it saw."""

    guard: Guard
    detail: str


class Measure(msgspec.Struct, frozen=True):
    """One number of quality with its 95% interval, and how many outcomes it stands on."""

    name: str
    value: float
    low: float
    high: float
    outcomes: float
    window: str


class Comparison(msgspec.Struct, frozen=True):
    """The new version against the old one: the difference, new minus old, with its 95% interval.

    Attributes:
        basis: ``same_window``, both by outcomes of the same window; ``before``, the new one's quality
            against what the old one's was when the run was started.
    """

    measure: str
    difference: float
    low: float
    high: float
    outcomes: float
    window: str
    basis: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What was started.

    Attributes:
        action: command, webhook, job, argo or kubeflow.
        name: made from the decision's id, so that a second one is refused.
        reference: what the other side calls it; empty until it has answered.
        attempts: how often it was tried to start it.
    """

    action: str
    name: str
    started_at: float
    reference: str = ""
    attempts: int = 0
    ended_at: float | None = None
    detail: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision; one for each model and cause in a cool-down. Times are epoch seconds, wall time.

    Attributes:
        cause: the alert's name.
        until: end of the cool-down; deliveries before belong to this decision.
        state_at: since when it is in its state.
        change_began: earliest startsAt of its alerts.
        window: the alert's label window; empty where it has none.
        reason: the alert's summary, for people.
        deliveries: alerts that belong to it.
        refusals: what forbade a run when it was judged last.
        known_versions: the model's versions when the run was started; another one is the run's.
        export: where the joined records for the run are; empty without.
    """

    id: str
    policy: str
    model: str
    cause: str
    opened_at: float
    until: float
    state: State
    state_at: float
    change_began: float
    window: str = ""
    reason: str = ""
    deliveries: int = 1
    refusals: tuple[Refusal, ...] = ()
    approved_at: float | None = None
    run: Run | None = None
    export: str = ""
    old_version: str = ""
    known_versions: tuple[str, ...] = ()
    old_quality: Measure | None = None
    new_version: str = ""
    version_seen_at: float | None = None
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    closed_at: float | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.closed_at is not None


def decision_id(model: str, cause: str, now: float, cooldown_seconds: float) -> str:
    """The id of a decision that opens *now*: 16 hexadecimal digits.

    Made from what is decided and from the number of the cool-down since 1970, so that two decisions of
    one cause (always a cool-down apart) differ, while a second trigger that hears the same alert names
    the same run, which the API server then refuses; unless a cool-down's edge lies just between them.
    """
    number = int(now // cooldown_seconds)
    text = "\0".join((model, cause, str(number)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def run_name(decision: str) -> str:
    """What the run of the decision with this id is called; a name that Kubernetes takes."""
    return f"driftgauge-{decision}"
