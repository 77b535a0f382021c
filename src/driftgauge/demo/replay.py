"""Sends a model's requests through the HTTP door, evenly paced, each at its moment."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from time import monotonic
from typing import Final

import aiohttp

from driftgauge.config import DAY
from driftgauge.demo.models import CHURN
from driftgauge.demo.processes import run_program
from driftgauge.demo.requests import Post, end_of, posts, step_seconds
from driftgauge.demo.tables import Table
from driftgauge.errors import DriftgaugeError

TRIES: Final = 20
TIMEOUT_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 1.0

# 200 a day: enough to learn a reference in the first weeks.
CHURN_RECORDS: Final = 60_000
CHURN_DAYS: Final = 300
CHURN_START: Final = "2024-01-01"


class ReplayError(DriftgaugeError):
    """The replay can't go on; says what was sent, and what was answered."""


class Pace:
    """Turns the records' time into wall time, from the moment that it is made.

    Args:
        time_scale: seconds of the records' time that pass in a second.
    """

    def __init__(self, time_scale: float, clock: Callable[[], float] = monotonic) -> None:
        self.time_scale = time_scale
        self._clock = clock
        self._began = clock()

    def passed(self) -> float:
        """The records' time that has passed, in seconds."""
        return (self._clock() - self._began) * self.time_scale

    def wait_seconds(self, after: float) -> float:
        """How long to wait until *after* seconds of the records' time have passed; 0 when late."""
        return max(0.0, (after - self.passed()) / self.time_scale)


class Replay:
    """One model's records on their way. `run` it once.

    Attributes:
        seconds: the length of the records' time.
        done: the share of it that was sent, 0 to 1.
        accepted, rejected: records, as the door counted them.
    """

    def __init__(self, model: str, table: Table) -> None:
        self.model = model
        self.table = table
        self.accepted = 0
        self.rejected = 0
        self.seconds = end_of(table) - float(table.times[0])
        self.done = 0.0

    async def run(self, url: str, pace: Pace) -> None:
        """Send everything, the next request when it is due and the last was answered.

        Raises:
            ReplayError: the door refused a request or can't be reached.
        """
        start = float(self.table.times[0])
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for post in self._posts(pace.time_scale):
                await asyncio.sleep(pace.wait_seconds(post.due - start))
                await self._send(session, url, post)
                self.done = min(1.0, (post.due - start) / self.seconds)
        self.done = 1.0

    def result(self) -> str:
        """What became of the records, in words."""
        return f"{self.accepted:,} predictions and outcomes accepted, {self.rejected:,} rejected"

    def _posts(self, time_scale: float) -> Iterator[Post]:
        return posts(self.model, self.table, step_seconds(time_scale))

    async def _send(self, session: aiohttp.ClientSession, url: str, post: Post) -> None:
        headers = {"Content-Type": "application/json"}
        unanswered = False
        for _ in range(TRIES):
            wait = RETRY_SECONDS
            try:
                async with session.post(url + post.path, data=post.body, headers=headers) as answer:
                    if answer.status == 200:
                        self._count(await answer.json(), post.records, unanswered=unanswered)
                        return
                    wait = float(answer.headers.get("Retry-After", wait))
                    if answer.status not in (429, 503):
                        text = await answer.text()
                        raise ReplayError(f"{url}{post.path}: {answer.status} for {self.model}: {text}")
            except TimeoutError:
                # A busy machine's. Every record has an id, so that another try counts none twice.
                unanswered = True
            except aiohttp.ClientError as error:
                raise ReplayError(f"{url}{post.path}: no answer for {self.model}: {error}") from error
            await asyncio.sleep(wait)
        raise ReplayError(f"{url}{post.path}: too busy for {self.model}, or no answer, {TRIES} times")

    def _count(self, answer: dict[str, int], sent: int, *, unanswered: bool) -> None:
        # What an earlier try brought is a duplicate in the answer that came.
        self.accepted += answer["accepted"] + (answer["duplicates"] if unanswered else 0)
        self.rejected += sent - answer["accepted"] - answer["duplicates"]


class ChurnScript:
    """examples/churn.py as it is, in a process of its own. `run` it once.

    Attributes:
        model, seconds: as of `Replay`.
    """

    def __init__(self) -> None:
        self.model = CHURN
        self.seconds = CHURN_DAYS * DAY
        self._pace: Pace | None = None
        self._ended = False
        self._said = ""

    @property
    def done(self) -> float:
        """The share of the records' time that is over, 0 to 1; by the clock until the script ends."""
        if self._ended or self._pace is None:
            return float(self._ended)
        return min(0.99, self._pace.passed() / self.seconds)

    async def run(self, url: str, pace: Pace) -> None:
        """Run the script to its end; it ends with this task.

        Raises:
            ReplayError: the script failed.
        """
        self._pace = pace
        with resources.as_file(resources.files(__package__) / "data" / "churn.py.txt") as script:
            ended = await run_program(
                sys.executable,
                str(script),
                f"--url={url}",
                f"--records={CHURN_RECORDS}",
                f"--days={CHURN_DAYS}",
                f"--start={CHURN_START}",
                f"--time-scale={pace.time_scale}",
            )
        if ended.code:
            raise ReplayError(f"churn.py ended with {ended.code}: {ended.said}")
        self._said = ended.said
        self._ended = True

    def result(self) -> str:
        """What became of the records, in the script's own words."""
        return self._said


AnyReplay = Replay | ChurnScript


def share_done(replays: Sequence[AnyReplay]) -> float:
    """The share of all the records' time that is over, 0 to 1."""
    return sum(r.done * r.seconds for r in replays) / sum(r.seconds for r in replays)
