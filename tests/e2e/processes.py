"""`driftgauge serve` as whoever installs it runs it: a command, flags, a file, signals, a log on stderr."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import DEADLINE, Http, end, poll, samples, total, value

SERVE = (sys.executable, "-m", "driftgauge", "serve")
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass
class Serving:
    """One `driftgauge serve` and the file that its stderr goes to."""

    process: subprocess.Popen
    log: Path

    @property
    def text(self):
        """What it has logged so far."""
        return self.log.read_text(encoding="utf-8")

    def address(self, door="intake"):
        """Where *door* listens, by the log."""
        return poll(lambda: self._listening(door), f"{door} does not listen", self.log)

    def _listening(self, door):
        assert self.process.poll() is None, self.text
        found = re.search(rf"{door}: listening on (\S+)$", self.text, re.MULTILINE)
        return found and found[1]

    def http(self, door="intake", **options):
        """A new client of *door*."""
        return Http(self.address(door), **options)

    def wait_ready(self):
        client = self.http()
        poll(lambda: client.get("/readyz")[0] == 200, "not ready", self.log)
        return self

    def samples(self):
        """/metrics, which must answer."""
        return samples(self.http().text("/metrics"))

    def wait(self, told, otherwise, seconds=DEADLINE):
        """The first samples of which *told* is true."""

        def found():
            now = self.samples()
            return now if told(now) else None

        return poll(found, otherwise, self.log, seconds)

    def wait_logged(self, pattern):
        return poll(lambda: re.search(pattern, self.text), f"no {pattern!r} in the log", self.log)

    def predicted(self, count, model="churn", window="1h"):
        """Wait for a window with *count* predictions."""
        labels = {"model": model, "window": window, "cohort": "predicted"}
        return self.wait(
            lambda now: total(now, "window_samples", **labels) == count, f"no {count} predictions"
        )

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """SIGTERM; how long it took to end, seconds, as `harness.end` tells it."""
        seconds = end(self.process.pid, signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        assert code == 0, (code, self.text)
        return seconds

    def peak(self):
        """The most that was ever resident, bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


class Household:
    """Starts processes in a folder: configuration, data and logs lie there."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.running = []

    def write(self, name="driftgauge.yaml", **trees):
        """A configuration file; JSON is YAML."""
        path = self.folder / name
        path.write_text(json.dumps({"evaluate": "250ms", **trees}, indent=1), encoding="utf-8")
        return path

    def serve(self, *flags, config=None, listen="127.0.0.1:0", metrics="127.0.0.1:0", command=SERVE):
        """`driftgauge serve` on this folder's data; at once one door for all, on a free port."""
        log = self.folder / f"serve-{len(self.running)}.log"
        given = ["--listen", listen, "--metrics-listen", metrics, "--data", str(self.data)]
        if config is not None:
            given += ["--config", str(config)]
        environment = {key: text for key, text in os.environ.items() if not key.startswith("DRIFTGAUGE_")}
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, *given, *flags],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=environment,
            )
        self.running.append(process)
        return Serving(process, log)

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(DEADLINE)


@contextmanager
def household(folder):
    """A household whose processes all end with it."""
    made = Household(folder)
    try:
        yield made
    finally:
        made.close()


def up(now, component):
    """Whether the exposition says that *component* works: 1 or 0."""
    return value(now, "component_up", component=component)


def detail(client, component):
    """What GET /v1/models says of a part that is degraded; empty where it is well."""
    return next(c["detail"] for c in client.json("/v1/models")["components"] if c["name"] == component)


def lines(records):
    """Records as NDJSON."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def prediction(number, **fields):
    """A churn model's prediction."""
    return {
        "model": "churn",
        "model_version": "1",
        "prediction_id": f"p{number}",
        "score": (number % 100) / 100,
        "features": {"age": 20 + number % 50, "plan": ("basic", "pro")[number % 2]},
        "segments": {"plan": ("basic", "pro")[number % 2]},
        **fields,
    }


def predictions(first, count, **fields):
    return lines(prediction(first + n, **fields) for n in range(count))


def must_wait(status, headers, answer):
    """A refusal that asks to come back, and says why."""
    assert status in {429, 503}, (status, answer)
    assert int(headers["Retry-After"]) >= 1
    assert headers["Content-Type"] == "application/problem+json"
    assert answer["detail"]
