"""kill -9 upon the n-th write to the files: in the midst of a transaction's pages, or of a checkpoint's."""

import http.client
import json
import subprocess

import pytest
from tests.e2e.harness import DEADLINE, Http, poll, samples, value

pytestmark = pytest.mark.kill

BATCH = 40
VERSION = {"model": "m", "model_version": "1"}
WHOLE = {**VERSION, "window": "1d", "cohort": "predicted"}


class Traced:
    """A process that dies upon its n-th write from now on."""

    def __init__(self, strace, process, number, folder):
        self.process = process
        log = folder / f"strace-{number}.log"
        self.tracer = subprocess.Popen(
            [
                strace, "-f", "-o", str(folder / f"writes-{number}"), "-p", str(process.pid),
                "-e", "trace=pwrite64", "-e", f"inject=pwrite64:signal=SIGKILL:when={number}",
            ],
            stdin=subprocess.DEVNULL,
            stderr=log.open("wb"),
        )  # fmt: skip
        poll(lambda: "attached" in log.read_text(), "strace did not attach", log)

    def end(self):
        poll(self.process.gone, "it lives on", self.process.log)
        self.process.code = self.process.nursery.ended(self.process.pid)
        self.tracer.wait(DEADLINE)
        assert self.process.code == -9


def records(number):
    return [
        {
            **VERSION,
            "prediction_id": f"p{number}-{i}",
            "score": i / BATCH,
            "outcome": i % 2,
            "features": {"a": i},
        }
        for i in range(BATCH)
    ]


def test_a_death_in_the_midst_of_a_write_loses_and_doubles_nothing(started, nursery, require_tool, tmp_path):
    strace = require_tool("strace")
    process = started(
        models={"m": {"task": "binary", "windows": ["1d"]}},
        intake={"listen": "127.0.0.1:0", "linger": "0s"},
        store={"checkpoint": "50ms"},
        order={"upkeep_seconds": 0.05},
    )
    config, sent, kills = process.config, 0, 0
    # A batch takes some 10 to 20 writes of a frame's head and its page; checkpoints come in between.
    for number in (*range(1, 14), 17, 24, 31, 45, 60):
        traced = Traced(strace, process, number, tmp_path)
        client = Http(process.addresses["intake"])
        waiting = None
        try:
            while True:
                waiting = sent
                status, _, answer = client.post("/v1/predictions", records(sent))
                assert (status, answer["accepted"]) == (200, BATCH), answer
                sent, waiting = sent + 1, None
        except (OSError, http.client.HTTPException):
            traced.end()
            kills += 1
        process = nursery.start(config, upkeep_seconds=0.05)
        process.wait_ready()
        client = Http(process.addresses["intake"])
        assert value(samples(client.text("/metrics")), "store_restored", result="restored") == 1.0
        status, _, answer = client.post("/v1/predictions", records(waiting))
        assert status == 200
        assert answer["accepted"] + answer["duplicates"] == BATCH
        assert answer["accepted"] in (0, BATCH), "a transaction was kept in part"
        sent += 1
    found = poll(lambda: counted(client, sent * BATCH), "the count is wrong", process.log)
    assert value(found, "window_samples", **{**WHOLE, "cohort": "arrived"}) == sent * BATCH
    for number in range(sent):
        _, _, answer = client.post("/v1/predictions", json.dumps(records(number)).encode())
        assert answer["duplicates"] == BATCH
    print(f"\n{kills} deaths upon a write, {sent} batches of {BATCH}: each counted once")
    process.kill()


def counted(client, count):
    found = samples(client.text("/metrics"))
    return found if value(found, "window_samples", **WHOLE) == count else None
