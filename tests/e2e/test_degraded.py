"""What is broken is told, by /metrics, /readyz and the log, while /metrics answers throughout."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from tests.e2e.harness import DEADLINE, Http, poll, total, value
from tests.e2e.processes import (
    NDJSON,
    detail,
    household,
    must_wait,
    predictions,
    up,
)

pytestmark = pytest.mark.e2e

MIB = 1 << 20
MEMORY_LIMIT = 128 * MIB
MODELS = {"churn": {"task": "binary", "positive_class": "1", "windows": ["1h"], "segments": ["plan"]}}
DATABASE = "driftgauge.sqlite"


@pytest.fixture
def made(tmp_path):
    with household(tmp_path) as found:
        yield found


class Watcher(threading.Thread):
    """Scrapes /metrics again and again over connections of its own, and notes each answer."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.done = address, threading.Event()
        self.seconds, self.failures = [], []

    def run(self):
        client = Http(self.address)
        while not self.done.wait(0.01):
            began = time.monotonic()
            try:
                status, _, body = client.get("/metrics")
            except OSError as error:
                self.failures.append(repr(error))
                continue
            self.seconds.append(time.monotonic() - began)
            if status != 200 or b"driftgauge_component_up{" not in body:
                self.failures.append((status, body[:200]))


@contextmanager
def answering(serving):
    """/metrics answers all the while."""
    watcher = Watcher(serving.address())
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.done.set()
        watcher.join(DEADLINE)
    assert not watcher.failures, watcher.failures[:3]
    assert watcher.seconds


class Sender:
    """Posts new predictions; knows how many were taken."""

    def __init__(self, serving, *, batch=100):
        self.client, self.batch = serving.http(), batch
        self.taken = self.next = 0

    def send(self):
        """One batch, sent again where it was refused before. The whole answer."""
        answer = self.client.post("/v1/predictions", predictions(self.next, self.batch), NDJSON)
        if answer[0] == 200:
            # what was refused while the disk failed may have reached it: then it is a duplicate
            assert answer[2]["accepted"] + answer[2]["duplicates"] == self.batch, answer
            self.taken += self.batch
            self.next += self.batch
        else:
            must_wait(*answer)
        return answer

    def until(self, wanted, *, seconds=DEADLINE):
        """Send until the answer is 200, or is not."""

        def found():
            answer = self.send()
            return answer if (answer[0] == 200) == (wanted == 200) else None

        return poll(found, f"never {wanted}", seconds=seconds)


def store_is_down(serving, why):
    """The store's fault stands everywhere."""
    now = serving.wait(lambda now: up(now, "store") == 0, "the store seems well")
    assert re.search(why, detail(serving.http(), "store"))
    serving.wait_logged(rf"ERROR .*store: .*{why}")
    return now


def store_is_up(serving):
    now = serving.wait(lambda now: up(now, "store") == 1, "the store is not well")
    assert detail(serving.http(), "store") == ""
    assert serving.http().get("/readyz")[0] == 200
    return now


def counts_after_a_restart(made, serving, count, **options):
    """What was acknowledged is there, and nothing else."""
    serving.predicted(count)
    serving.stop()
    made.serve(**options).wait_ready().predicted(count)


def test_a_bad_configuration(made):
    config = made.folder / "bad.yaml"
    config.write_text("models:\n  churn:\n    task: binary\n    windows: [1h, 60]\n")
    serving = made.serve(config=config)
    with answering(serving):
        serving.wait_ready()  # with the defaults
        now = serving.samples()
        assert up(now, "configuration") == 0
        assert value(now, "configuration_reload_success") == 0
        assert re.search(
            r"bad\.yaml:4 .*windows\[1\]: expected a duration .*got 60",
            detail(serving.http(), "configuration"),
        )
        serving.wait_logged(r"the configuration can't be used, so the defaults are: .*bad\.yaml:4 ")
        assert serving.http().post("/v1/predictions", predictions(0, 10), NDJSON)[0] == 200
        config.write_text("models:\n  churn:\n    task: binary\n    windows: [1h]\n")
        serving.hang_up()
        now = serving.wait(lambda now: up(now, "configuration") == 1, "not mended")
        assert value(now, "configuration_reload_success") == 1


def test_a_file_in_the_data_directorys_place(made):
    made.data.write_text("no directory")
    serving = made.serve(config=made.write(models=MODELS))
    with answering(serving):
        store_is_down(serving, "/data.*(exists|directory)")
        client = serving.http()
        assert client.get("/healthz")[0] == 200
        status, _, body = client.get("/readyz")
        assert status == 503
        assert b"the store: " in body
        sender = Sender(serving)
        sender.send()
        assert sender.taken == 0
        made.data.unlink()
        serving.wait_ready()
        sender.until(200)
        store_is_up(serving)
    serving.predicted(sender.taken)


def test_a_full_store_and_more_room_by_sighup(made):
    config = made.write(models=MODELS, store={"max_bytes": "1MiB"})
    serving = made.serve(config=config).wait_ready()
    sender = Sender(serving, batch=500)
    with answering(serving):
        refused = sender.until(503)
        assert refused[2]["reason"] == "store_unavailable"
        assert sender.taken > 0
        now = store_is_down(serving, "expected at most [0-9]+ bytes with its WAL")
        assert value(now, "store_errors_total") > 0
        made.write(models=MODELS, store={"max_bytes": "64MiB"})
        serving.hang_up()
        serving.wait_logged("the configuration was loaded again")
        sender.until(200)
        store_is_up(serving)
    assert sum(path.stat().st_size for path in made.data.iterdir()) < 64 * MIB
    counts_after_a_restart(made, serving, sender.taken, config=config)


def test_a_full_volume_and_room_again(made):
    volume = made.folder / "volume"
    volume.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(volume)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"mount -t tmpfs is not permitted here: {mounted.stderr.strip()}")
    try:
        made.data = volume / "data"
        config = made.write(models=MODELS)
        serving = made.serve(config=config).wait_ready()
        sender = Sender(serving, batch=500)
        sender.until(200)
        with answering(serving):
            filler = volume / "filler"
            fill(filler)
            sender.until(503)
            store_is_down(serving, "full")
            assert sender.taken > 0
            filler.unlink()
            sender.until(200)
            store_is_up(serving)
        counts_after_a_restart(made, serving, sender.taken, config=config)
    finally:
        made.close()
        subprocess.run(["umount", str(volume)], check=True)


def fill(path):
    """Write until the volume is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_damaged_database_is_moved_aside(made):
    config = made.write(models=MODELS)
    first = made.serve(config=config).wait_ready()
    Sender(first, batch=2_000).send()
    first.predicted(2_000)
    first.stop()
    with (made.data / DATABASE).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xde\xad\xbe\xef" * 16_384)

    second = made.serve(config=config)
    with answering(second):
        second.wait_ready()
        now = second.samples()
        assert value(now, "store_restored", result="damaged") == 1
        assert value(now, "store_restored", result="restored") == 0
        aside = [path.name for path in made.data.glob(f"{DATABASE}.damaged-*Z")]
        assert len(aside) == 1
        second.wait_logged(re.escape(aside[0]))
        sender = Sender(second)
        sender.send()
        store_is_up(second)
    counts_after_a_restart(made, second, sender.taken, config=config)


@pytest.mark.slow
def test_a_disk_that_fails_for_a_while(made, require_tool):
    """Each sync that reaches the disk fails, from the 12th to the 15th of a thread."""
    strace = require_tool("strace")
    config = made.write(models=MODELS, store={"durability": "full"})
    inject = "fdatasync:error=EIO:when=12..15"
    tracing = (
        strace,
        "-D",
        "-f",
        "-qq",
        "-o",
        str(made.folder / "trace"),
        "-e",
        "trace=fdatasync",
        "-e",
        f"inject={inject}",
    )
    serving = made.serve(config=config, command=(*tracing, sys.executable, "-m", "driftgauge", "serve"))
    serving.wait_ready()
    sender = Sender(serving, batch=20)
    with answering(serving):
        refused = sender.until(503)
        assert refused[2]["reason"] == "store_unavailable"
        assert sender.taken > 0
        serving.wait_logged(r"ERROR .*store: .*(IOERR|I/O error)")
        assert total(serving.samples(), "store_errors_total") > 0
        sender.until(200)
        store_is_up(serving)
    assert "INJECTED" in (made.folder / "trace").read_text()
    counts_after_a_restart(made, serving, sender.taken, config=config)


LIMITED = f"""
import sys
from functools import partial
from driftgauge.cli.serving import pin_threads
pin_threads()
from driftgauge.app import application
import driftgauge.app.run
sys.modules["driftgauge.app.run"].Application = partial(application.Application, memory_limit={MEMORY_LIMIT})
from driftgauge.cli import main
sys.argv[0] = "driftgauge"
main()
"""


class Flood(threading.Thread):
    """Posts the largest bodies that are taken, one after the other, and notes the answers."""

    def __init__(self, address, body, headers, until):
        super().__init__(daemon=True)
        self.address, self.body, self.headers, self.until = address, body, headers, until
        self.answers = []

    def run(self):
        client = Http(self.address)
        while time.monotonic() < self.until:
            try:
                self.answers.append(client.post("/v1/predictions", self.body, self.headers))
            except OSError:  # an answer to a body that was not read to its end may be lost
                client.close()
                self.answers.append(None)


def test_the_memory_limit_holds_under_overload(made):
    """128 MiB and the default settings: bodies are taken up to 1 MiB, and eight senders flood it."""
    plainly, zipped = 6_500, 11_000
    launcher = made.folder / "limited.py"
    launcher.write_text(LIMITED)
    config = made.write(models=MODELS)
    serving = made.serve(config=config, command=(sys.executable, str(launcher), "serve")).wait_ready()
    assert value(serving.samples(), "memory_limit_bytes") == MEMORY_LIMIT
    plain = predictions(0, plainly)
    zipped = gzip.compress(predictions(plainly, zipped), 1)
    assert serving.http().post("/v1/predictions", b" " * (2 * MIB), NDJSON)[0] == 413
    with answering(serving) as watcher:
        until = time.monotonic() + 4
        kinds = [(plain, NDJSON), (zipped, {**NDJSON, "Content-Encoding": "gzip"})] * 4
        floods = [Flood(serving.address(), body, headers, until) for body, headers in kinds]
        for flood in floods:
            flood.start()
        for flood in floods:
            flood.join(DEADLINE)
            assert not flood.is_alive()
        peak = serving.peak()
    answers = [answer for flood in floods for answer in flood.answers if answer is not None]
    lost = sum(flood.answers.count(None) for flood in floods)
    statuses = {status: sum(a[0] == status for a in answers) for status in sorted({a[0] for a in answers})}
    print(
        f"\nanswers {statuses}, {lost} lost; slowest /metrics {max(watcher.seconds):.3f} s of {len(watcher.seconds)}; "
        f"peak {peak / MIB:.1f} MiB of {MEMORY_LIMIT / MIB:.0f}"
    )
    refused = [answer for answer in answers if answer[0] != 200]
    assert refused
    for answer in refused:
        must_wait(*answer)
    assert peak < MEMORY_LIMIT
    assert total(serving.samples(), "requests_rejected_total", reason="overloaded") >= len(refused)
    # afterwards it takes records again, and has those that it acknowledged
    whole = sum(answer[2]["accepted"] for answer in answers if answer[0] == 200)
    poll(
        lambda: serving.http().post("/v1/predictions", predictions(900_000, 10), NDJSON)[0] == 200,
        "still shed",
    )
    if not lost:
        serving.predicted(whole + 10)
