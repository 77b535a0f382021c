"""Processes under measurement: a real `driftgauge serve`, and an empty aiohttp handler beside it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.setting import Setting

START_SECONDS = 120.0
POLL_SECONDS = 0.005
SCRAPE_SECONDS = 15.0
SAMPLE_SECONDS = 0.02
PYCACHE = "pycache"
# What a Prometheus asks for.
SCRAPE_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
TICK = os.sysconf("SC_CLK_TCK")


class DeadError(Exception):
    """A process ended, or did not answer, when it should have."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(pycache: Path) -> dict[str, str]:
    """This environment, with compiled modules kept in *pycache*: as after any first start, and as pip
    leaves what it installs, whatever the machine is set to.
    """
    found = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return found | {"PYTHONPYCACHEPREFIX": str(pycache)}


class Process:
    """A process, its CPU time and its memory, from /proc."""

    def __init__(self, command: list[str], port: int, log: Path, pycache: Path) -> None:
        self.port = port
        self.log = log
        self.began = time.perf_counter()
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_environment(pycache)
            )

    def cpu_seconds(self) -> float:
        """User and system time of all threads: to the nanosecond, or where the kernel doesn't tell to 10 ms."""
        try:
            tasks = Path(f"/proc/{self.popen.pid}/task").glob("*/schedstat")
            return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        except OSError:
            return self._ticks()

    def loop_seconds(self) -> float:
        """CPU time of the main thread, which is the event loop's: HTTP."""
        return (
            int(Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/schedstat").read_text().split()[0]) / 1e9
        )

    def _ticks(self) -> float:
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _status_mib(self, name: str) -> float:
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise DeadError(f"no {name} of process {self.popen.pid}")

    def resident_mib(self) -> float:
        """Resident memory now."""
        return self._status_mib("VmRSS")

    def most_mib(self) -> float:
        """The most resident memory that it ever had."""
        return self._status_mib("VmHWM")

    def get(self, path: str, timeout: float = 30.0) -> tuple[int, bytes]:
        """GET on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=SCRAPE_HEADERS)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answers(self, path: str) -> bool:
        """Whether GET *path* is answered with 200 now."""
        if self.popen.poll() is not None:
            raise DeadError(f"the process ended with {self.popen.returncode}: {self.tail()}")
        try:
            return self.get(path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait(self, path: str) -> None:
        """Until GET *path* gives 200."""
        end = time.monotonic() + START_SECONDS
        while not self.answers(path):
            if time.monotonic() > end:
                raise DeadError(f"{path} was not answered within {START_SECONDS:.0f} s: {self.tail()}")
            time.sleep(POLL_SECONDS)

    def tail(self) -> str:
        """The end of its log, on one line."""
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])

    def kill(self) -> None:
        """kill -9."""
        with suppress(ProcessLookupError):
            self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> None:
        """SIGTERM; kill -9 after 10 s."""
        with suppress(ProcessLookupError):
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


class Served(Process):
    """`driftgauge serve`."""

    def __init__(self, setting: Setting) -> None:
        command = [sys.executable, "-m", "driftgauge", "serve", "--config", str(setting.file)]
        directory = setting.directory
        super().__init__(command, setting.port, directory / "serve.log", directory.parent / PYCACHE)

    @classmethod
    @contextmanager
    def started(cls, setting: Setting) -> Iterator[Served]:
        """A server that is ready; stopped at the end."""
        served = cls(setting)
        try:
            served.wait("/readyz")
            yield served
        finally:
            served.stop()

    def scrape(self) -> bytes:
        """GET /metrics as a Prometheus does."""
        status, body = self.get("/metrics")
        if status != 200:
            raise DeadError(f"/metrics answered {status}")
        return body

    def samples(self, name: str) -> list[float]:
        """Values of the series of the metric *name*, from /metrics in plain text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        finally:
            connection.close()
        return [
            float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} "))
        ]

    def series(self) -> int:
        """How many series /metrics has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().splitlines()
        finally:
            connection.close()
        return sum(not line.startswith(b"#") for line in lines)

    def wait_for(self, name: str, least: float, seconds: float = 40.0) -> None:
        """Until a series of *name* is at least *least*: what was sent has been evaluated."""
        end = time.monotonic() + seconds
        while not any(value >= least for value in self.samples(name)):
            if time.monotonic() > end:
                raise DeadError(f"{name} did not reach {least} within {seconds:.0f} s")
            time.sleep(0.25)


class Empty(Process):
    """An aiohttp handler on uvloop that reads the body and answers, nothing else."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.empty", str(port)]
        super().__init__(command, port, directory / "empty.log", directory / PYCACHE)

    @classmethod
    @contextmanager
    def started(cls, directory: Path) -> Iterator[Empty]:
        """A handler that answers; stopped at the end."""
        empty = cls(directory)
        try:
            empty.wait("/readyz")
            yield empty
        finally:
            empty.stop()


@dataclass(slots=True)
class Watch:
    """A scrape each 15 s, and the greatest memory seen."""

    peak_mib: float = 0.0

    @classmethod
    @contextmanager
    def over(cls, served: Served) -> Iterator[Watch]:
        """While the block runs; the first scrape comes at once."""
        watch, done = cls(), threading.Event()

        def look() -> None:
            due = 0.0
            while not done.wait(SAMPLE_SECONDS):
                with suppress(OSError, DeadError, http.client.HTTPException):
                    watch.peak_mib = max(watch.peak_mib, served.resident_mib())
                    if time.monotonic() >= due:
                        due = time.monotonic() + SCRAPE_SECONDS
                        served.scrape()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield watch
        finally:
            done.set()
            thread.join()
