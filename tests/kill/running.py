"""Sends a stream to a process that may die at any time, and to one that doesn't."""

from __future__ import annotations

import http.client
import mmap
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tests.e2e.harness import DEADLINE, STATES, Http, poll
from tests.kill.stream import BEGIN, PLANS, RIPE

from driftgauge import reference as references
from driftgauge.sketches.learning import Learning, LearningRow

CLIENTS = 4


def write_reference(path: Path):
    """Alpha's reference: ten days before the stream."""
    draw = np.random.default_rng(11)
    learning, days, n = Learning(10), {}, 400
    for day in range(10):
        numeric = np.array([draw.integers(18, 90, n), draw.lognormal(3, 1, n), draw.random(n)], np.float64)
        texts = {
            "f:plan": draw.choice(PLANS, n).tolist(),
            "o:prediction": [str(int(score >= 0.5)) for score in numeric[2]],
        }
        row = learning.row(("f:age", "f:amount", "o:score"), numeric, texts, n, {})
        days[int(BEGIN // 86_400) - 11 + day] = LearningRow()
        days[int(BEGIN // 86_400) - 11 + day].add(row)
    found = references.build(
        days, first=BEGIN - 11 * 86_400, last=BEGIN - 86_400, declared={}, category_limit=50
    )
    path.write_bytes(references.to_json(found))


def models(reference: Path):
    """The four models of the stream."""
    outcomes = {"horizon": "36h"}
    return {
        "alpha": {
            "task": "binary",
            "clock": "records",
            "reference": str(reference),
            "windows": ["2h", "1d", "11d"],
            "segments": ["plan"],
            "outcomes": {**outcomes, "at_horizon": "0", "matures_after": "12h"},
        },
        "beta": {
            "task": "regression",
            "clock": "records",
            "windows": ["1h", "2d", "11d"],
            "outcomes": outcomes,
        },
        "gamma": {"task": "multiclass", "clock": "records", "windows": ["1d", "11d"], "outcomes": outcomes},
        "delta": {
            "task": "binary",
            "clock": "records",
            "windows": ["2h", "11d"],
            "outcomes": {**outcomes, "revisions": True, "matures_after": "12h"},
        },
    }


class Runner:
    """One process after the other on one data directory, and the clients that talk to them."""

    def __init__(self, nursery, config: Path, folder: Path, *, slow: float):
        self.nursery, self.config, self.slow = nursery, config, slow
        self.marks_path = folder / "marks"
        self.marks_path.write_bytes(bytes(1))
        with self.marks_path.open("r+b") as file:
            self.marks = mmap.mmap(file.fileno(), 1)
        self.log = folder / "process.log"
        self.later_steps = 0
        self.kills: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.process = None
        self.random = random.Random(3)
        self._local = threading.local()

    def start(self, *, wait=True):
        self.process = self.nursery.start(
            self.config,
            wait=wait,
            log=str(self.log),
            marks=str(self.marks_path),
            slow=self.slow,
            upkeep_seconds=0.02 if self.slow else 0.1,
            store_retry_seconds=0.02,
            evaluate_after=0.7 if self.slow else 0.0,
            later_steps=self.later_steps,
        )
        if wait:
            self.address = self.process.addresses["intake"]

    # --- clients ---

    def acknowledged(self, sent):
        """Send until there is an answer that says what became of the records."""
        headers = {"Content-Type": "application/x-ndjson"}
        if sent.key is not None:
            headers["Idempotency-Key"] = sent.key
        answer = "no answer"
        deadline = time.monotonic() + DEADLINE
        while True:
            assert time.monotonic() < deadline, (answer, self.log.read_text()[-2000:])
            client = self._client()
            try:
                status, _, answer = client.post(sent.path, sent.body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                client.close()
                self._count("unanswered", 1)
                time.sleep(0.01)
                continue
            if status == 503:
                self._count("not yet", 1)
                time.sleep(0.01)
                continue
            assert status == 200, (status, answer, sent)
            assert answer["rejected"] == [], (answer, sent)
            assert answer["accepted"] + answer["duplicates"] == sent.records, (answer, sent)
            self._count("accepted", answer["accepted"])
            self._count("duplicates", answer["duplicates"])
            return answer

    def _count(self, name, n):
        self.answers[name] += n

    def _client(self):
        if getattr(self._local, "client", None) is None:
            self._local.client = Http(self.address)
        return self._local.client

    def all_of(self, requests, pool, meanwhile=lambda running: None):
        """Every request acknowledged, by several clients at once; *meanwhile* may kill."""
        running = [pool.submit(self.acknowledged, sent) for sent in requests]
        meanwhile(running)
        for each in running:
            each.result(timeout=2 * DEADLINE)

    # --- killing ---

    def state(self):
        return STATES[self.marks[0]]

    def kill_in(self, wanted, running, seconds=4.0):
        """kill -9 when the process is in the state *wanted*, or at some time; where it was."""
        began = time.monotonic()
        if wanted == "random":
            time.sleep(self.random.random() * 0.04)
        while wanted != "random" and self.state() != wanted:
            answered = wanted in ("committed", "commit") and all(each.done() for each in running)
            if time.monotonic() - began > seconds or answered:
                break
            time.sleep(0.0003)
        else:
            time.sleep(self.random.random() * self.slow)
        self.process.kill()
        self.kills[self.state()] += 1
        return self.state()

    def kill_while_migrating(self):
        """Start as a program with one step more, and kill it at that."""
        self.later_steps += 1
        self.marks[0] = STATES.index("start")
        self.start(wait=False)
        return self.kill_in("migrate", [])


def frozen(client):
    """Whether both of beta's references are frozen."""
    versions = client.json("/v1/models/beta")["versions"]
    return {bool(b["feature"]) for v in versions for b in v["bins"]} == {True, False}


def run(runner, stream, kill_plan):
    """The whole stream; *kill_plan* maps a round to the states to kill in."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        for number, requests in enumerate(stream.rounds):
            wanted = list(kill_plan.get(number, ()))

            def kill(running, wanted=wanted):
                for state in wanted:
                    if state == "migrate":
                        runner.kill_in("random", running)
                        runner.kill_while_migrating()
                    else:
                        runner.kill_in(state, running)
                    runner.start()

            if number == 0:
                for sent in requests:
                    runner.all_of([sent], pool)
            else:
                runner.all_of(requests, pool, kill)
            if number == RIPE:
                client = Http(runner.address)
                poll(lambda c=client: c.get("/v1/models/beta")[0] == 200, "not evaluated", runner.log)
                poll(lambda c=client: frozen(c), "beta's reference did not freeze", runner.log)
        runner.all_of(stream.last, pool)


def schema_version(directory: Path):
    with sqlite3.connect(f"file:{directory}/driftgauge.sqlite?mode=ro", uri=True) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def cpu_seconds():
    return time.process_time() + sum(os.times()[2:4])
