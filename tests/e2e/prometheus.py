"""A real Prometheus on loopback: scrapes each second, evaluates rules, answers queries."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import DEADLINE, Http, free_port, poll


@dataclass
class Prometheus:
    """One that runs."""

    address: str
    log: Path

    def api(self, path, **query):
        """The data of an answer of the API."""
        _, _, body = Http(self.address).get(f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
        answer = json.loads(body)
        assert answer["status"] == "success", answer
        return answer["data"]

    def vector(self, expression):
        """What an expression gives now: a list of (labels without the name, value)."""
        found = self.api("query", query=expression)["result"]
        return [
            ({k: v for k, v in sample["metric"].items() if k != "__name__"}, float(sample["value"][1]))
            for sample in found
        ]

    def query(self, expression):
        """The only sample's value and labels, as soon as there is one."""
        found = poll(
            lambda: self.api("query", query=expression)["result"], f"nothing for {expression}", self.log
        )
        assert len(found) == 1, found
        return float(found[0]["value"][1]), found[0]["metric"]

    def wait(self, expression, seconds=DEADLINE):
        """Until *expression* has a result."""
        return poll(lambda: self.vector(expression), f"nothing for {expression}", self.log, seconds)


@contextmanager
def ready(command, address, log):
    """A server of Prometheus' family that runs and is ready, ended with the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        poll(lambda: Http(address).get("/-/ready")[0] == 200, f"{command[0]} is not ready", log)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


@contextmanager
def prometheus(folder, program, targets, rule_files, **config):
    """A Prometheus that scrapes *targets* (address by pod name), ended with the block.

    Args:
        program: its path.
        rule_files: paths.
        config: more of its configuration file.
    """
    jobs = [{"targets": [address], "labels": {"pod": pod} if pod else {}} for pod, address in targets.items()]
    tree = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": [{"job_name": "driftgauge", "static_configs": jobs}],
        **config,
    }
    file, log, address = folder / "prometheus.yml", folder / "prometheus.log", f"127.0.0.1:{free_port()}"
    file.write_text(json.dumps(tree))
    flags = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    )
    with ready([program, *flags], address, log):
        yield Prometheus(address, log)
