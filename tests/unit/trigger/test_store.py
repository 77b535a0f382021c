"""What is remembered, and that it is remembered."""

from __future__ import annotations

import gzip
import json
import sqlite3
import time

import pytest
from msgspec.structs import replace
from tests.unit.trigger.running import DAY, NOW

from driftgauge.errors import StoreError
from driftgauge.trigger import store as module
from driftgauge.trigger.decision import Run, State
from driftgauge.trigger.payload import Alert, AlertResult
from driftgauge.trigger.schema import STEPS
from driftgauge.trigger.store import DATABASE_NAME, Decisions, Wanted


def heard(name="ModelDrift", model="m", *, firing=True, starts_at=NOW, fingerprint=""):
    return Alert(fingerprint or f"{name}/{model}", name, model, "warning", "7d", firing, starts_at, "why")


@pytest.fixture
def store(tmp_path):
    found = Decisions(tmp_path / "trigger", models=3)
    found.open()
    yield found
    found.close()


def take(store, *alerts, now=NOW, cooldown=7 * DAY):
    wanted = [Wanted("p", alert, cooldown) for alert in alerts if alert.firing]
    return store.take(alerts, wanted, now)


def again(store):
    """The same directory, opened by another process."""
    store.close()
    found = Decisions(store.path.parent, models=3)
    found.open()
    return found


def test_a_decision_survives(store):
    [name] = take(store, heard()).decisions
    before = store.decision(name)
    reopened = again(store)
    assert reopened.decision(name) == before
    assert [event.detail for event in reopened.events(name)] == ["why"]
    assert reopened.firing() == (("ModelDrift", "m"),)
    reopened.close()


def test_one_decision_a_model_and_cause_and_cooldown(store):
    first = take(store, heard(), heard(model="n"), heard("Other"))
    assert first.results == {AlertResult.OPENED: 3}
    assert len(set(first.decisions)) == 3
    second = take(store, heard(starts_at=NOW + 5), heard(fingerprint="x"), now=NOW + 7 * DAY - 1)
    assert second.results == {AlertResult.ATTACHED: 2}
    assert second.decisions == first.decisions[:1]
    assert store.decision(first.decisions[0]).deliveries == 3
    third = take(store, heard(), now=NOW + 7 * DAY)
    assert third.results == {AlertResult.OPENED: 1}
    assert third.decisions != first.decisions[:1]


def test_the_change_began_with_the_earliest_alert(store):
    [name] = take(store, heard(starts_at=NOW - 10)).decisions
    take(store, heard(starts_at=NOW - 500), heard(starts_at=NOW - 20))
    assert store.decision(name).change_began == NOW - 500


def test_a_refused_decision_is_judged_again_and_a_started_one_is_not(store):
    [name] = take(store, heard()).decisions
    for state, expected in (
        (State.REFUSED, State.OPEN),
        (State.AWAITING_APPROVAL, State.AWAITING_APPROVAL),
        (State.RUNNING, State.RUNNING),
        (State.FAILED, State.FAILED),
        (State.DRY_RUN, State.DRY_RUN),
    ):
        store.change(name, lambda d, state=state: replace(d, state=state), NOW)
        take(store, heard())
        assert store.decision(name).state is expected


def test_hostile_names_are_kept_as_they_are(tmp_path, data):
    """515 strings: markup, shell, SQL, control characters; and a file that is whole after them."""
    with gzip.open(data / "robustness" / "naughty_strings.json.gz", "rt") as file:
        strings = [text for text in json.load(file) if text]
    store = Decisions(tmp_path / "hostile", models=len(strings))
    store.open()
    names = take(store, *[heard(text, text) for text in strings]).decisions
    found = [store.decision(name) for name in names]
    assert [(d.cause, d.model) for d in found] == [(text, text) for text in dict.fromkeys(strings)]
    assert {name for name, _ in store.firing()} == set(strings)
    again(store).close()


def test_a_large_delivery_is_taken_at_once(tmp_path):
    """1,000 alerts of 1,000 models, twice: each in a fraction of the second that Alertmanager is promised."""
    store = Decisions(tmp_path / "large", models=1000)
    store.open()
    alerts = [heard(model=f"m{n}") for n in range(1000)]
    for expected in (AlertResult.OPENED, AlertResult.ATTACHED):
        began = time.process_time()  # not what a busy machine adds
        assert take(store, *alerts).results == {expected: 1000}
        assert time.process_time() - began < 0.9
    store.close()


def test_models_beyond_the_limit_get_no_decision(store):
    taken = take(store, *[heard(model=str(n)) for n in range(5)])
    assert taken.results == {AlertResult.OPENED: 3, AlertResult.MODEL_LIMIT: 2}
    assert len(store.listed(model=None, state=None, limit=10)) == 3


def test_alerts_are_bounded_and_firing_ones_are_kept_longest(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_ALERTS", 4)
    take(store, *[heard(f"A{n}", firing=False) for n in range(4)])
    take(store, heard("B", firing=False), now=NOW + 1)
    store.take([heard(f"C{n}") for n in range(3)], [], NOW + 2)
    store.take([heard("D", firing=False)], [], NOW + 3)
    assert store.firing() == (("C0", "m"), ("C1", "m"), ("C2", "m"))


def test_a_resolved_alert_fires_no_more(store):
    take(store, heard())
    take(store, heard(firing=False))
    assert store.firing() == ()


def test_what_waited_ends_with_its_cooldown(store):
    [waiting, started] = take(store, heard(), heard("Other")).decisions
    run = Run(action="command", name="x", started_at=NOW)
    store.change(started, lambda d: replace(d, state=State.RUNNING, run=run), NOW)
    assert store.expire(NOW + 7 * DAY - 1, DAY) == 0
    assert store.expire(NOW + 7 * DAY, DAY) == 1
    assert store.decision(waiting).state is State.EXPIRED
    assert store.decision(started).state is State.RUNNING
    assert [d.id for d in store.unfinished()] == [started]


def test_closed_decisions_are_forgotten_with_their_events(store):
    [name] = take(store, heard()).decisions
    store.change(name, lambda d: replace(d, state=State.FAILED, closed_at=NOW), NOW, "no")
    store.expire(NOW + DAY, DAY)
    assert store.decision(name) is not None
    store.expire(NOW + DAY + 1, DAY)
    assert store.decision(name) is None
    assert store.events(name) == ()


def test_a_change_that_fails_changes_nothing(store):
    [name] = take(store, heard()).decisions
    before = store.decision(name)

    def fails(decision):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.change(name, fails, NOW)
    with pytest.raises(KeyError):
        store.change("none", lambda d: d, NOW)
    assert store.decision(name) == before
    assert take(store, heard()).results == {AlertResult.ATTACHED: 1}


def test_a_delivery_that_can_not_be_written_is_not_kept_in_part(store, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(module, "_tell", full)
    with pytest.raises(StoreError, match="take alerts"):
        take(store, heard())
    monkeypatch.undo()
    assert store.listed(model=None, state=None, limit=10) == ()
    assert store.firing() == ()


def test_one_process_holds_the_directory(store):
    with pytest.raises(StoreError, match="no other writer"):
        Decisions(store.path.parent, models=3).open()


def test_a_damaged_file_is_left_and_told(tmp_path):
    (tmp_path / DATABASE_NAME).write_bytes(b"not a database, but long enough to look at" * 300)
    with pytest.raises(StoreError, match=r"expected a sound database.*look first at what runs"):
        Decisions(tmp_path, models=3).open()
    assert (tmp_path / DATABASE_NAME).read_bytes().startswith(b"not a database")


def test_a_newer_file_is_refused(store):
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version={len(STEPS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="a newer driftgauge wrote it"):
        Decisions(store.path.parent, models=3).open()


def test_a_commit_survives_power_loss(store):
    assert store._open.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._open.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_listing_takes_a_model_and_a_state(store):
    first = take(store, heard()).decisions
    second = take(store, heard(model="n"), now=NOW + 1).decisions
    store.change(second[0], lambda d: replace(d, state=State.REFUSED), NOW)

    def listed(**asked):
        return [d.id for d in store.listed(**{"model": None, "state": None, "limit": 9, **asked})]

    assert listed() == [*second, *first]
    assert listed(model="m") == [*first]
    assert listed(state="refused") == [*second]
    assert listed(limit=1) == [*second]


def test_events_of_a_decision_are_bounded(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_EVENTS", 5)
    [name] = take(store, heard()).decisions
    for n in range(20):
        store.change(name, lambda d: d, NOW, str(n))
    assert [event.detail for event in store.events(name)] == ["15", "16", "17", "18", "19"]
