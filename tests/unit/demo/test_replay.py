"""Records' time on the wall, and how far a replay is."""

from __future__ import annotations

import asyncio

import pytest

from driftgauge.demo import replay as replay_module
from driftgauge.demo.replay import ChurnScript, Pace, Replay, ReplayError, share_done

DAY = 86_400.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_time_scale_divides_the_wait(clock):
    pace = Pace(12 * DAY, clock)
    assert pace.wait_seconds(6 * DAY) == pytest.approx(0.5)
    clock.now += 0.25
    assert pace.passed() == pytest.approx(3 * DAY)
    assert pace.wait_seconds(6 * DAY) == pytest.approx(0.25)


def test_what_is_late_does_not_wait(clock):
    pace = Pace(12 * DAY, clock)
    clock.now += 10
    assert pace.wait_seconds(6 * DAY) == 0.0


def test_a_replay_lasts_until_its_last_outcome(table):
    replay = Replay("loan", table)
    assert replay.seconds == 9 * 6 * 3600.0 + DAY
    assert replay.done == 0.0


def test_the_share_is_that_of_all_the_time(table):
    long, short = Replay("a", table), Replay("b", table)
    long.seconds, short.seconds = 3 * DAY, DAY
    short.done = 1.0
    assert share_done([long, short]) == 0.25


def test_a_script_that_has_not_begun_has_done_nothing():
    assert ChurnScript().done == 0.0


def test_what_became_of_the_records_is_said(table):
    replay = Replay("loan", table)
    replay.accepted, replay.rejected = 12_345, 6
    assert replay.result() == "12,345 predictions and outcomes accepted, 6 rejected"


def test_a_request_without_an_answer_is_sent_again_and_its_records_count_once(table, monkeypatch):
    monkeypatch.setattr(replay_module, "RETRY_SECONDS", 0.0)
    replay = Replay("loan", table)
    [post, *_] = replay._posts(DAY)
    session = Session(TimeoutError(), Answer(200, {"accepted": 0, "duplicates": post.records}))
    asyncio.run(replay._send(session, "http://door", post))
    assert (replay.accepted, replay.rejected, session.sent) == (post.records, 0, [post.body] * 2)
    with pytest.raises(ReplayError, match="or no answer, 20 times"):
        asyncio.run(replay._send(Session(*[TimeoutError()] * 20), "http://door", post))


class Answer:
    def __init__(self, status, body):
        self.status, self.body, self.headers = status, body, {}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def json(self):
        return self.body


class Session:
    """Gives the answers, or raises them, one a request."""

    def __init__(self, *answers):
        self.answers, self.sent = list(answers), []

    def post(self, _, *, data, headers):
        self.sent.append(data)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
