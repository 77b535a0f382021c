"""A whole driftgauge in a process of its own, to be killed, scraped, stuffed and starved.

Run as a script this is the *nursery*: it imports everything once and forks a process for each line
of JSON that it reads, so that a start costs milliseconds. What a child runs is the real
`Application` behind real sockets. It can look in on the store for tests: each phase and statement
of a transaction is written to a byte of a mapped file, and may be made longer.
"""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import importlib
import json
import mmap
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

# What a process was doing, as it stands in its mapped byte.
STATES = ("start", "idle", "commit", "checkpoint", "expire", "migrate", "committed")
# Statements before which a process that is told to be slow waits, beside each 64th.
SLOW = (
    "COMMIT",
    "INSERT INTO batches",
    "DELETE FROM batches",
    "CREATE TABLE later",
    "INSERT OR REPLACE INTO meta",
)
# Far beyond what a busy machine takes: an answer that comes ends the wait.
DEADLINE = 120.0


# --- the child ----------------------------------------------------------------------------------


def child(order):  # noqa: C901 - one scenario, told from the top
    """Serve until SIGTERM, as `driftgauge serve` does."""
    import logging

    from driftgauge.app import application, upkeep, writer
    from driftgauge.app.run import loop_factory
    from driftgauge.config import Config
    from driftgauge.config_file import load
    from driftgauge.errors import ConfigurationError
    from driftgauge.store import schema

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    if order.get("niceness"):
        os.nice(order["niceness"])
    if order.get("file_limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if "upkeep_seconds" in order:
        upkeep.EVERY_SECONDS = order["upkeep_seconds"]
        writer.UPKEEP_SECONDS = order["upkeep_seconds"]
    if "door_retry_seconds" in order:
        application.DOOR_RETRY_SECONDS = order["door_retry_seconds"]
    if "store_retry_seconds" in order:
        writer.RETRY_SECONDS = order["store_retry_seconds"]
    if "evaluate_after" in order:
        # A process that is about to be killed need not sum up all of its windows first.
        forever = application.Application._evaluate_forever

        async def later(app):
            await asyncio.sleep(order["evaluate_after"])
            await forever(app)

        application.Application._evaluate_forever = later
    # Steps that a later version would add: each copies all rows, so that it takes a while.
    schema.STEPS += tuple(
        f"CREATE TABLE later_{n} AS SELECT * FROM rows; DROP TABLE IF EXISTS later_{n - 1};"
        f"INSERT OR REPLACE INTO meta VALUES ('later', {n});"
        for n in range(1, 1 + order.get("later_steps", 0))
    )
    error = None
    try:
        config = load(Path(order["config"]))
    except ConfigurationError as found:
        if not order.get("degraded"):
            raise
        config, error = Config(), str(found)
    options = {}
    if order.get("marks"):
        options["opener"] = Watch(order).open_kept
    app = application.Application(
        config, configuration_error=error, memory_limit=order.get("memory_limit"), **options
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(app, Path(order["ready"])))


async def _serve(app, ready):
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    states = await app.start()
    told = {state.name: state.address for state in states}
    whole = ready.with_suffix(".part")
    whole.write_text(json.dumps(told))
    whole.rename(ready)
    await stopped.wait()
    await app.stop()


class Watch:
    """Writes what the store does to a mapped byte, and takes its time over it."""

    def __init__(self, order):
        with Path(order["marks"]).open("r+b") as file:
            self.marks = mmap.mmap(file.fileno(), 1)
        self.seconds = order.get("slow", 0.0)
        self.statements = 0
        self.last = "start"
        self.marks[0] = STATES.index("start")

    def open_kept(self, config):
        from driftgauge.app.restoring import open_kept
        from driftgauge.store import connection

        def connected(*args):
            opened = connect(*args)
            if self.seconds:
                # called before each statement runs: between two of them the transaction is half done
                opened.set_trace_callback(self.statement)
            return opened

        connect, connection.connect = connection.connect, connected
        try:
            return open_kept(config, on_phase=self.phase)
        finally:
            connection.connect = connect

    def phase(self, phase):
        after = "committed" if phase == "idle" and self.last in ("commit", "expire") else str(phase)
        self.marks[0] = STATES.index(after)
        self.last = str(phase)
        if after == "committed":
            # the transaction is whole, and nobody has been told yet
            time.sleep(self.seconds)
            self.marks[0] = STATES.index("idle")

    def statement(self, text):
        if self.last == "idle" or text.startswith(("SELECT", "PRAGMA")):
            return
        self.statements += 1
        if self.statements % 64 == 0 or text.startswith(SLOW):
            time.sleep(self.seconds / 2)


def nursery():
    """Fork a child for each order; tell its number, and how it ended when asked."""
    import driftgauge.app.application
    import driftgauge.app.run
    import driftgauge.config_file  # noqa: F401

    importlib.import_module("scipy.special")  # what each child would import at its first statistic

    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        else:
            answer = {"pid": _forked(order)}
        print(json.dumps(answer), flush=True)


def _forked(order):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: none outlives the tests
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        child(order)
        code = 0
    except BaseException:  # noqa: BLE001 - told in the log, whatever it is
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


# --- the parent ---------------------------------------------------------------------------------


class Nursery:
    """Starts processes; ends those that are left when it is closed."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.count = 0
        self.alive: set[int] = set()
        pinned = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | pinned,
        )

    def ask(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the nursery died"
        return json.loads(answer)

    def start(self, config: Path, *, wait=True, **order):
        """A process on the configuration file *config*; with *wait* its doors are open."""
        self.count += 1
        ready = self.folder / f"ready-{self.count}.json"
        log = Path(order.pop("log", self.folder / f"process-{self.count}.log"))
        pid = self.ask({"config": str(config), "ready": str(ready), "log": str(log), **order})["pid"]
        self.alive.add(pid)
        process = Process(self, pid, log, ready, Path(config))
        if wait:
            process.wait_open()
        return process

    def close(self):
        for pid in list(self.alive):
            os.kill(pid, signal.SIGKILL)
            self.ended(pid)
        self.process.stdin.close()
        self.process.wait(DEADLINE)

    def ended(self, pid):
        code = self.ask({"wait": pid})["code"]
        self.alive.discard(pid)
        return code


class Http:
    """Asks one address, ``host:port`` or ``unix:/path``, over one connection that is kept."""

    def __init__(self, address: str, timeout=DEADLINE, headers=None):
        self.address, self.timeout, self.headers = address, timeout, headers or {}
        self.connection = None

    def __call__(self, method, path, body=None, headers=None, *, again=True):
        """Status, headers and body."""
        given = {**self.headers, **(headers or {})}
        fresh = self.connection is None
        try:
            if self.connection is None:
                self.connection = _connection(self.address, self.timeout)
            self.connection.request(method, path, body, given)
            answer = self.connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            if again and not fresh:  # a kept connection may have been closed since
                return self(method, path, body, headers, again=False)
            raise
        if answer.will_close:
            self.close()
        return found

    def get(self, path, **headers):
        return self("GET", path, headers=headers)

    def text(self, path, **headers):
        status, _, body = self.get(path, **headers)
        assert status == 200, (path, status, body)
        return body.decode()

    def json(self, path):
        return json.loads(self.text(path))

    def post(self, path, records, headers=None, *, again=False):
        body = records if isinstance(records, bytes) else json.dumps(records).encode()
        kind = {"Content-Type": "application/json", **(headers or {})}
        status, found, answer = self("POST", path, body, kind, again=again)
        return status, found, json.loads(answer)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def _connection(address, timeout):
    if address.startswith("unix:"):
        return _UnixConnection(address.removeprefix("unix:"), timeout)
    host, _, port = address.rpartition(":")
    return http.client.HTTPConnection(host, int(port), timeout=timeout)


@dataclass
class Process:
    """One running driftgauge."""

    nursery: Nursery
    pid: int
    log: Path
    ready: Path
    config: Path
    addresses: dict = field(default_factory=dict)
    code: int | None = None

    def wait_open(self):
        poll(lambda: self.ready.exists() or self.gone(), "the doors did not open", self.log)
        assert self.ready.exists(), self.log.read_text()
        self.addresses = json.loads(self.ready.read_text())

    def gone(self):
        """Whether it ended by itself."""
        return gone(self.pid)

    @property
    def http(self):
        """A new client of the intake door."""
        return Http(self.addresses["intake"])

    def wait_ready(self):
        client = self.http
        poll(lambda: client.get("/readyz")[0] == 200, "not ready", self.log)

    def kill(self):
        """kill -9; returns once it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self.code = self.nursery.ended(self.pid)
        assert self.code == -signal.SIGKILL, (self.code, self.log.read_text())

    def stop(self):
        """SIGTERM; how long it took to end, seconds, as `end` tells it."""
        seconds = end(self.pid, signal.SIGTERM)
        self.code = self.nursery.ended(self.pid)
        assert self.code == 0, (self.code, self.log.read_text())
        return seconds

    def resident(self):
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096

    def peak(self):
        """The most that was ever resident, bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")


def poll(found, otherwise, log=None, seconds=DEADLINE):
    """What *found* returns once it is true; asked again and again until a deadline."""
    began = time.monotonic()
    while True:
        try:
            result = found()
        except (OSError, http.client.HTTPException) as error:
            result, otherwise = (
                None,
                f"{otherwise} ({error!r})" if repr(error) not in otherwise else otherwise,
            )
        if result:
            return result
        elapsed = time.monotonic() - began
        if elapsed > seconds:
            tail = log.read_text()[-3000:] if log is not None and log.exists() else ""
            raise AssertionError(f"{otherwise} within {seconds} s\n{tail}")
        # What is long in coming is asked for less often: asking costs what is waited for its processor.
        time.sleep(min(max(0.005, elapsed / 10), 0.2))


def gone(pid):
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def end(pid, number):
    """Send a signal, and how long the process took to end, seconds; whoever started it reaps it.

    Without what its threads stood in line for a processor, which is the machine's doing and which the
    kernel counts. What it waits for of its own accord counts in full, as does what it computes.
    """
    before = in_line(pid)
    stood, began = before, time.monotonic()
    os.kill(pid, number)
    while not gone(pid):
        assert time.monotonic() - began < DEADLINE, (
            f"process {pid} lives on {DEADLINE} s after signal {number}"
        )
        stood = stood | in_line(pid)
        time.sleep(0.005)
    took = time.monotonic() - began
    return took - sum(seconds - before.get(thread, 0.0) for thread, seconds in stood.items())


def in_line(pid):
    """Seconds for which each thread of a process was ready to run and had no processor."""
    found = {}
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has just ended
            found[file.parent.name] = int(file.read_text().split()[1]) / 1e9
    return found


def free_port():
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def samples(text):
    """Exposition text (0.0.4) as {(name, labels as a sorted tuple): value}; fails on what can't be parsed.

    The tests read it thousands of times, of which prometheus_client's parser would make half of their
    work; tests/hostile holds the two against each other.
    """
    found = {}
    for line in text.split("\n"):
        if not line or line[0] == "#":
            continue
        parts = SAMPLE.fullmatch(line)
        assert parts, line
        key = parts[1], labels_in(parts[2] or "")
        assert key not in found, f"{key} came twice"
        found[key] = float(parts[3])
    return found


SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", re.DOTALL)
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|\Z)', re.DOTALL)
ESCAPED = re.compile(r"\\(.)")


@lru_cache(1 << 16)
def labels_in(text):
    """What stands in a sample's braces as a sorted tuple of (name, value)."""
    found, at = [], 0
    while at < len(text):
        label = LABEL.match(text, at)
        assert label, text
        unescaped = (
            ESCAPED.sub(lambda c: "\n" if c[1] == "n" else c[1], label[2]) if "\\" in label[2] else label[2]
        )
        found.append((label[1], unescaped))
        at = label.end()
    return tuple(sorted(found))


def value(found, name, **labels):
    """One sample's value, 0 where it isn't there."""
    return found.get(("driftgauge_" + name, tuple(sorted(labels.items()))), 0.0)


def total(found, name, **labels):
    """The sum of all samples of *name* that have these labels."""
    wanted = labels.items()
    return sum(
        v for (n, have), v in found.items() if n == "driftgauge_" + name and wanted <= dict(have).items()
    )


if __name__ == "__main__":
    nursery()
