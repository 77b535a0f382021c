"""The policy alone: state, alert and time in, a decision with its reasons out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml
from tests.conftest import REPOSITORY
from tests.unit.trigger.running import DAY, NOW, policy

from driftgauge.trigger.decision import Decision, Guard, Run, State, Verdict, decision_id
from driftgauge.trigger.payload import Alert
from driftgauge.trigger.policy import Facts, Known, blocking, is_quiet, judge, matches, policy_for
from driftgauge.trigger_config import BLOCKING, Quiet

HOUR = 3600.0


def decision(name="d", model="m", **changes):
    found = Decision(
        id=name, policy="retrain", model=model, cause="ModelDrift", opened_at=NOW, until=NOW + 7 * DAY,
        state=State.OPEN, state_at=NOW, change_began=NOW - DAY,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


def earlier(name, ago, state=State.FINISHED, verdict=Verdict.IMPROVED, model="m", of="retrain"):
    """A run that was started *ago*; closed where it has a verdict, or failed."""
    closed = NOW if verdict is not None or state is State.FAILED else None
    run = Run(action="command", name=name, started_at=NOW - ago)
    return decision(name, model, state=state, verdict=verdict, closed_at=closed, run=run, policy=of)


def guards(found):
    return [refusal.guard for refusal in found.refusals]


def test_nothing_against_it_starts():
    assert judge(policy(), decision(), Facts(NOW)).state is State.STARTING


@pytest.mark.parametrize(
    ("ago", "state"), [(7 * DAY - 1, State.REFUSED), (7 * DAY, State.STARTING), (8 * DAY, State.STARTING)]
)
def test_cooldown_between_runs_of_a_model(ago, state):
    found = judge(policy(), decision(), Facts(NOW, runs=(earlier("a", ago),)))
    assert found.state is state
    assert guards(found) == ([Guard.COOLDOWN] if state is State.REFUSED else [])


def test_cooldown_is_a_models_own():
    facts = Facts(NOW, runs=(earlier("a", HOUR, model="other"),))
    assert judge(policy(), decision(), facts).state is State.STARTING


def test_time_scale_divides_the_cooldown():
    facts = Facts(NOW, time_scale=7 * 24.0, runs=(earlier("a", HOUR),))
    assert judge(policy(), decision(), facts).state is State.STARTING
    assert guards(judge(policy(), decision(), replace(facts, time_scale=7 * 23.0))) == [Guard.COOLDOWN]


def test_runs_a_day_count_all_models_of_the_policy():
    runs = tuple(earlier(str(n), n * HOUR, model=f"m{n}") for n in (1, 2, 3))
    assert guards(judge(policy(runs_per_day=3), decision(), Facts(NOW, runs=runs))) == [Guard.RUNS_PER_DAY]
    assert judge(policy(runs_per_day=4), decision(), Facts(NOW, runs=runs)).state is State.STARTING
    others = tuple(msgspec.structs.replace(run, policy="other") for run in runs)
    assert judge(policy(runs_per_day=3), decision(), Facts(NOW, runs=others)).state is State.STARTING
    yesterday = (*runs[:2], earlier("y", DAY, model="m4"))
    assert judge(policy(runs_per_day=3), decision(), Facts(NOW, runs=yesterday)).state is State.STARTING


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (Known(500), []),
        (Known(499), [Guard.LABELS_FEW]),
        (Known(0), [Guard.LABELS_FEW]),
        (Known(None, "sidecar: no answer within 5 s"), [Guard.LABELS_UNKNOWN]),
        (None, [Guard.LABELS_UNKNOWN]),
    ],
)
def test_enough_labels_must_have_matured(labels, expected):
    found = judge(policy(matured_labels=500), decision(), Facts(NOW, labels=labels))
    assert guards(found) == expected
    if labels is not None and labels.fault:
        assert found.refusals[0].detail == labels.fault


def test_no_labels_are_asked_for_at_0():
    assert judge(policy(matured_labels=0), decision(), Facts(NOW)).state is State.STARTING


def test_firing_alerts_forbid_and_so_does_not_knowing():
    found = judge(policy(), decision(), Facts(NOW, blocking=("A", "B")))
    assert guards(found) == [Guard.BLOCKING_ALERT]
    assert "A, B" in found.refusals[0].detail
    found = judge(policy(), decision(), Facts(NOW, alerts_fault="alertmanager: answered 500"))
    assert guards(found) == [Guard.ALERTS_UNKNOWN]


def test_an_alert_blocks_its_model_or_every_model():
    firing = (("DriftgaugeDown", ""), ("DriftgaugeOld", "other"), ("ModelDrift", "m"), ("Else", "m"))
    assert blocking(policy(), "m", "ModelDrift", firing) == ("DriftgaugeDown",)
    assert blocking(policy(blocked_by=("Model*", "Else")), "m", "ModelDrift", firing) == ("Else",)
    assert blocking(policy(blocked_by=("Model*",)), "m", "Other", firing) == ("ModelDrift",)


@pytest.mark.parametrize(
    ("state", "guard"),
    [
        (State.STARTING, Guard.UNJUDGED_RUN),
        (State.RUNNING, Guard.UNJUDGED_RUN),
        (State.FINISHED, Guard.UNJUDGED_RUN),
        (State.UNKNOWN, Guard.UNKNOWN_RUN),
    ],
)
def test_no_second_run_until_the_first_is_judged(state, guard):
    runs = (earlier("a", 30 * DAY, state, verdict=None),)
    found = judge(policy(), decision(), Facts(NOW, runs=runs))
    assert guards(found) == [guard]
    assert "run a" in found.refusals[0].detail


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ((Verdict.NOT_IMPROVED, Verdict.NOT_IMPROVED), State.AWAITING_APPROVAL),
        ((Verdict.NO_VERSION, Verdict.UNDECIDED), State.AWAITING_APPROVAL),
        ((Verdict.NOT_IMPROVED, Verdict.IMPROVED), State.STARTING),
        ((Verdict.IMPROVED, Verdict.NOT_IMPROVED, Verdict.NOT_IMPROVED), State.STARTING),
        ((Verdict.NOT_IMPROVED,), State.STARTING),
    ],
)
def test_runs_that_improve_nothing_stop(verdicts, state):
    """The newest first."""
    runs = tuple(earlier(str(n), (n + 8) * DAY, verdict=verdict) for n, verdict in enumerate(verdicts))
    found = judge(policy(), decision(), Facts(NOW, runs=runs))
    assert found.state is state
    assert guards(found) == ([Guard.NO_IMPROVEMENT] if state is State.AWAITING_APPROVAL else [])
    approved = judge(policy(), decision(approved_at=NOW), Facts(NOW, runs=runs))
    assert approved.state is State.STARTING


def test_a_run_that_failed_has_improved_nothing():
    runs = tuple(earlier(str(n), n * DAY, State.FAILED, verdict=None) for n in (8, 16))
    assert judge(policy(), decision(), Facts(NOW, runs=runs)).state is State.AWAITING_APPROVAL
    assert (
        judge(policy(runs_without_improvement=3), decision(), Facts(NOW, runs=runs)).state is State.STARTING
    )


def test_approval_is_waited_for_and_does_not_open_other_guards():
    assert judge(policy(approval=True), decision(), Facts(NOW)).state is State.AWAITING_APPROVAL
    assert judge(policy(approval=True), decision(approved_at=NOW), Facts(NOW)).state is State.STARTING
    blocked = judge(policy(approval=True), decision(approved_at=NOW), Facts(NOW, blocking=("A",)))
    assert blocked.state is State.REFUSED


def test_a_dry_run_is_told_apart_from_a_refusal():
    assert judge(policy(dry_run=True), decision(), Facts(NOW)).state is State.DRY_RUN
    assert judge(policy(dry_run=True, approval=True), decision(), Facts(NOW)).state is State.DRY_RUN
    assert judge(policy(dry_run=True), decision(), Facts(NOW, blocking=("A",))).state is State.REFUSED


def test_all_reasons_are_told_at_once():
    quiet = Quiet("00:00", "23:59")
    facts = Facts(
        NOW, labels=Known(1), blocking=("A",), alerts_fault="?", runs=(earlier("a", 1, verdict=None),)
    )
    found = judge(policy(runs_per_day=1, matured_labels=5, quiet=quiet), decision(), facts)
    assert guards(found) == [
        Guard.COOLDOWN, Guard.RUNS_PER_DAY, Guard.UNJUDGED_RUN, Guard.LABELS_FEW, Guard.ALERTS_UNKNOWN,
        Guard.BLOCKING_ALERT, Guard.QUIET_HOURS,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "clock", "expected"),
    [
        ("22:00", "06:00", "21:59", False),
        ("22:00", "06:00", "22:00", True),
        ("22:00", "06:00", "02:30", True),
        ("22:00", "06:00", "05:59", True),
        ("22:00", "06:00", "06:00", False),
        ("09:00", "17:00", "12:00", True),
        ("09:00", "17:00", "17:00", False),
        ("09:00", "17:00", "08:59", False),
    ],
)
@pytest.mark.parametrize("day", ["2026-01-15", "2026-07-15"])  # winter and summer time
def test_quiet_hours_are_local(start, end, clock, expected, day):
    zone = ZoneInfo("Europe/Berlin")
    now = datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=zone).timestamp()
    assert is_quiet(Quiet(start, end, "Europe/Berlin"), now) is expected


def heard(name="ModelDrift", model="m", severity="warning", *, firing=True):
    return Alert("f", name, model, severity, "7d", firing, NOW)


def test_the_first_policy_that_fits_decides():
    policies = {
        "a": policy(alerts=("ModelDrift",), models=("x",)),
        "b": policy(alerts=("ModelDrift",), severities=("critical",)),
        "c": policy(alerts=("Model*",)),
        "d": policy(alerts=("ModelDrift",)),
    }
    chosen = {
        alert: found[0] if (found := policy_for(policies, alert)) else None
        for alert in (heard(), heard(model="x"), heard(severity="critical"), heard("Modem"))
    }
    assert list(chosen.values()) == ["c", "a", "b", None]
    assert policy_for(policies, heard(firing=False)) is None
    assert policy_for(policies, heard(model="")) is None


def test_an_asterisk_ends_a_name():
    assert matches(("Drift*",), "DriftgaugeAbsent")
    assert not matches(("Drift",), "DriftgaugeAbsent")
    assert not matches(("*Absent",), "DriftgaugeAbsent")
    assert matches(("*",), "Anything")


def test_what_blocks_by_default_is_among_the_shipped_alerts():
    groups = yaml.safe_load((REPOSITORY / "prometheus" / "driftgauge.rules.yml").read_text())["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert [pattern for pattern in BLOCKING if not any(matches((pattern,), name) for name in names)] == []


def test_every_alert_on_the_sidecar_or_on_broken_data_blocks_by_default():
    """By the groups of the shipped rules; a new alert there blocks too, or says here why not."""
    groups = yaml.safe_load((REPOSITORY / "prometheus" / "driftgauge.rules.yml").read_text())["groups"]
    data = {f"driftgauge-{name}" for name in ("sidecar", "bounds", "traffic", "inputs")}
    names = {rule["alert"] for group in groups if group["name"] in data for rule in group["rules"]}
    # What retraining is for: the world has moved.
    moved = {"ModelFeatureDrifted", "ModelManyFeaturesDrifted", "ModelPredictionsDrifted"}
    # Also the world's own, as often as a changed unit.
    moved |= {"ModelValuesBeyondReference"}
    # `matured_labels` waits for late labels by itself.
    assert {name for name in names if not matches(BLOCKING, name)} == {*moved, "ModelLabelDelayGrew"}


def test_two_decisions_of_a_cause_have_two_ids_and_two_triggers_one():
    """By hand: the number of the cool-down since 1970 tells them apart."""
    first = decision_id("m", "a", 10 * DAY, DAY)
    assert first == decision_id("m", "a", 10.9 * DAY, DAY)
    later = {decision_id("m", "a", (10 + n) * DAY + 5, DAY) for n in range(100)}
    assert len(later) == 100
    assert decision_id("ma", "", 0, DAY) != decision_id("m", "a", 0, DAY)
    assert len(first) == 16
    assert int(first, 16) >= 0
