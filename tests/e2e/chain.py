"""The whole chain on loopback: records through HTTP, the sidecar, Prometheus with the shipped rules,
Alertmanager with the shipped routes, a pager, and the trigger.

Everything runs under one time scale: 30 days of records pass in less than a minute and a half. What a model's
records say happened when is told by its own clock, which Prometheus scrapes like all else.
"""

from __future__ import annotations

import bisect
import dataclasses
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import numpy as np
from tests.e2e.harness import Http, free_port, poll

from driftgauge.demo.replay import Pace
from driftgauge.demo.requests import posts
from driftgauge.demo.tables import Table

SERVE = (sys.executable, "-m", "driftgauge", "serve")
TRIGGER = (sys.executable, "-m", "driftgauge", "trigger")
# A second is 8 hours here: other tests beside it must not take the machine for one.
FIRST = ("nice", "-n", "-10") if os.geteuid() == 0 else ()
PROMETHEUS = """\
global: {{scrape_interval: {scrape}s, evaluation_interval: {scrape}s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: driftgauge
    static_configs: [{{targets: ["{target}"], labels: {{namespace: models}}}}]
"""


def moment(text: str) -> float:
    """Epoch seconds of an ISO date and time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def part(table: Table, first: int, end: int) -> Table:
    """Some rows of a table."""
    cut = slice(first, end)
    return dataclasses.replace(
        table,
        ids=table.ids[cut],
        times=table.times[cut],
        numeric={name: values[cut] for name, values in table.numeric.items()},
        categorical={name: values[cut] for name, values in table.categorical.items()},
        score=None if table.score is None else table.score[cut],
        prediction=table.prediction[cut],
        outcome=table.outcome[cut],
    )


def joined(*tables: Table) -> Table:
    """Tables one after the other, as one."""
    first = tables[0]
    return dataclasses.replace(
        first,
        ids=[each for table in tables for each in table.ids],
        times=np.concatenate([table.times for table in tables]),
        numeric={name: np.concatenate([t.numeric[name] for t in tables]) for name in first.numeric},
        categorical={
            name: [value for t in tables for value in t.categorical[name]] for name in first.categorical
        },
        score=None if first.score is None else np.concatenate([t.score for t in tables]),
        prediction=np.concatenate([table.prediction for table in tables]),
        outcome=np.concatenate([table.outcome for table in tables]),
    )


def again(table: Table, start: float) -> Table:
    """The same records once more, from *start* on, under other ids."""
    return dataclasses.replace(
        table, ids=[f"again-{each}" for each in table.ids], times=table.times - table.times[0] + start
    )


class Sender(threading.Thread):
    """Sends a model's records through the door: at once, or each at its moment."""

    def __init__(self, address: str, model: str, table: Table, step: float, time_scale: float | None) -> None:
        super().__init__(daemon=True)
        self._address, self._step, self._time_scale = address, step, time_scale
        self.model, self.table = model, table
        self.failure: Exception | None = None
        self.late = 0.0

    def run(self) -> None:
        try:
            self._run()
        except Exception as failure:  # noqa: BLE001 - a thread's own; finish() raises it
            self.failure = failure

    def _run(self) -> None:
        client, pace = Http(self._address, timeout=120.0), Pace(self._time_scale or 1.0)
        start = float(self.table.times[0])
        for post in posts(self.model, self.table, self._step):
            if self._time_scale is not None:
                time.sleep(pace.wait_seconds(post.due - start))
                self.late = max(self.late, pace.passed() - (post.due - start))
            status, _, answer = client.post(post.path, post.body)
            while status in (429, 503):
                time.sleep(0.2)
                status, _, answer = client.post(post.path, post.body, again=True)
            assert status == 200, answer
            assert answer["accepted"] == post.records, answer

    def finish(self) -> None:
        self.join()
        if self.failure is not None:
            raise self.failure


@dataclass
class Pager:
    """Who is told: Alertmanager's webhooks as they came, with the wall time."""

    told: list[tuple[float, dict]] = field(default_factory=list)

    def of(self, receiver: str, model: str) -> list[tuple[float, dict]]:
        """What a receiver was told of a model, in order."""
        return [
            (at, body)
            for at, body in self.told
            if body["receiver"] == receiver and body["groupLabels"].get("model") == model
        ]


@contextmanager
def pager():
    """A pager and its address: POST /<anything>."""
    found = Pager()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.told.append((time.time(), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found, f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Series:
    """One series over the time of a test: wall times and values."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]


class Query:
    """Asks Prometheus."""

    def __init__(self, address: str) -> None:
        self._client = Http(address)

    def over(self, text: str, start: float, end: float, step: float = 1.0) -> list[Series]:
        """Every series of *text* between two wall times."""
        asked = urlencode({"query": text, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"})
        found = self._client.json(f"/api/v1/query_range?{asked}")["data"]["result"]
        return [
            Series(
                each["metric"],
                [float(at) for at, _ in each["values"]],
                [float(value) for _, value in each["values"]],
            )
            for each in found
        ]

    def now(self, text: str) -> list[dict]:
        return self._client.json(f"/api/v1/query?{urlencode({'query': text})}")["data"]["result"]

    def clock(self, model: str, start: float, end: float) -> Callable[[float], float]:
        """What a model's clock showed at a wall time."""
        [series] = self.over(
            f'max by (model) (driftgauge_clock_timestamp_seconds{{model="{model}"}})', start, end
        )

        def shown(at: float) -> float:
            place = max(0, bisect.bisect_right(series.times, at) - 1)
            return series.values[place]

        return shown


class Chain:
    """The processes of the chain, in one folder; all end with the `with` block."""

    def __init__(self, folder: Path, tools: dict[str, str], time_scale: float, scrape: float = 1.0) -> None:
        self.folder, self.time_scale, self.scrape = folder, time_scale, scrape
        self._tools = tools
        self._stack = ExitStack()
        self.prometheus, self.alertmanager = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str, *command: str) -> subprocess.Popen:
        """A process that ends with the chain."""
        with self.log(name).open("ab") as file:
            process = subprocess.Popen((*FIRST, *command), stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self._stack.callback(_end, process)
        return process

    def serve(self, config: Path) -> str:
        """The sidecar's address, once it is ready."""
        address = f"127.0.0.1:{free_port()}"
        data = str(self.folder / "data")
        flags = ("--listen", address, "--metrics-listen", "127.0.0.1:0", "--data", data)
        self.start("serve", *SERVE, "--config", str(config), *flags)
        client = Http(address)
        poll(lambda: client.get("/readyz")[0] == 200, "the sidecar", self.log("serve"))
        return address

    def scrape_and_judge(self, target: str, rules: list[Path]) -> Query:
        """Prometheus with rule files, sending alerts on."""
        file = self.folder / "prometheus.yml"
        text = PROMETHEUS.format(
            scrape=f"{self.scrape:g}",
            rules=", ".join(f'"{each}"' for each in rules),
            alertmanager=self.alertmanager,
            target=target,
        )
        file.write_text(text, encoding="utf-8")
        self.start(
            "prometheus",
            self._tools["prometheus"],
            f"--config.file={file}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address={self.prometheus}",
            "--log.level=warn",
        )
        self._ready(self.prometheus, "prometheus")
        return Query(self.prometheus)

    def trigger(self, config: Path) -> str:
        """The retraining service's address."""
        address = f"127.0.0.1:{free_port()}"
        self.start("trigger", *TRIGGER, "--config", str(config), "--listen", address)
        client = Http(address)
        poll(lambda: client.get("/readyz")[0] == 200, "the trigger", self.log("trigger"))
        return address

    def route(self, file: Path) -> None:
        """Alertmanager with that configuration."""
        self.start(
            "alertmanager",
            self._tools["prometheus-alertmanager"],
            f"--config.file={file}",
            f"--storage.path={self.folder / 'alertmanager'}",
            "--cluster.listen-address=",
            f"--web.listen-address={self.alertmanager}",
            "--log.level=warn",
        )
        self._ready(self.alertmanager, "alertmanager")

    def _ready(self, address: str, name: str) -> None:
        client = Http(address)
        poll(lambda: client.get("/-/ready")[0] == 200, name, self.log(name))


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
