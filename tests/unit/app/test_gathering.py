"""When a group of requests waits for company, and for how long."""

import threading
from time import monotonic, sleep

import pytest

from driftgauge.app import writer
from driftgauge.app.writer import GROUP_BYTES, Job, Writer, _Queue
from driftgauge.config import Config
from driftgauge.records import Kind, Media, Request

SECONDS = 30.0  # far beyond what a busy machine adds


def job(size=100_000):
    return Job(Request(Kind.PREDICTIONS, Media.NDJSON, bytes(size)), None, None)


def gathered(queue, group, likely=0, seconds=SECONDS):
    """Whether it waited in vain, and for how long."""
    began = monotonic()
    vain = queue.gather(group, seconds, likely)
    return vain, monotonic() - began


def later(seconds, action):
    threading.Timer(seconds, action).start()


def test_a_group_waits_for_nothing_where_nothing_is_coming():
    queue, group = _Queue(), [job()]
    vain, waited = gathered(queue, group)
    assert (vain, len(group)) == (False, 1)
    assert waited < SECONDS / 2


def test_what_waits_already_is_taken_too():
    queue, group = _Queue(), [job()]
    queue.put(job())
    assert gathered(queue, group)[0] is False
    assert len(group) == 2
    assert queue.waiting_bytes == 0


def test_a_body_that_is_coming_joins_the_group():
    queue, group = _Queue(coming=1), [job()]

    def arrive():
        queue.coming -= 1
        queue.put(job())

    later(0.05, arrive)
    vain, waited = gathered(queue, group)
    assert (vain, len(group)) == (False, 2)
    assert waited < SECONDS / 2


def test_a_body_that_does_not_come_is_waited_for_so_long_in_vain():
    vain, waited = gathered(_Queue(coming=1), [job()], seconds=0.1)
    assert vain is True
    assert waited >= 0.1


def test_senders_that_are_likely_to_send_again_are_given_a_moment(monkeypatch):
    monkeypatch.setattr(writer, "SOON_SECONDS", 0.1)
    vain, waited = gathered(_Queue(), [job()], likely=2)
    assert vain is True
    assert 0.1 <= waited < SECONDS / 2


def test_a_group_that_has_as_many_as_are_likely_does_not_wait(monkeypatch):
    monkeypatch.setattr(writer, "SOON_SECONDS", SECONDS)
    queue, group = _Queue(), [job()]
    later(0.05, lambda: queue.put(job()))
    vain, waited = gathered(queue, group, likely=2)
    assert (vain, len(group)) == (False, 2)
    assert waited < SECONDS / 2


def test_bodies_one_after_another_are_not_waited_for_forever(monkeypatch):
    queue, group = _Queue(coming=1), [job(1)]
    monkeypatch.setattr(_Queue, "_group", lambda *_: [job(1)])  # whenever it looks, one has come
    waits = []
    monkeypatch.setattr(queue.condition, "wait", lambda seconds: waits.append(seconds) or sleep(0.005))
    began = monotonic()
    assert queue.gather(group, 0.02, 0) is False
    assert monotonic() - began >= 4 * 0.02
    assert max(waits) <= 0.02


def test_a_full_group_does_not_wait():
    queue = _Queue(coming=1)
    queue.put(job())
    group = [job(GROUP_BYTES)]
    vain, waited = gathered(queue, group, likely=9)
    assert (vain, len(group)) == (False, 1)
    assert waited < SECONDS / 2


def test_a_queue_that_closes_ends_the_wait():
    queue = _Queue(coming=1)
    later(0.05, queue.close)
    vain, waited = gathered(queue, [job()])
    assert vain is False
    assert waited < SECONDS / 2


@pytest.mark.parametrize(("coming", "waits"), [(0, False), (1, True)])
def test_a_writer_that_waited_in_vain_waits_again_only_after_a_while(monkeypatch, coming, waits):
    monkeypatch.setattr(writer, "VAIN_SECONDS", 5.0)
    held = Writer(Config(), None, None, None)
    held.coming(coming)
    calls = []
    gather = held._queue.gather
    monkeypatch.setattr(_Queue, "gather", lambda self, *args: calls.append(1) or gather(*args))
    held._linger([job()])
    held._linger([job()])
    assert len(calls) == (1 if waits else 2)  # what did not wait may look each time
    held._gather_due = monotonic()
    held._linger([job()])
    assert len(calls) == (2 if waits else 3)
