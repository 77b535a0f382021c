"""A Prometheus beside the demo, with the shipped rules as the demo's time passes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_rules
from driftgauge.demo.processes import Ended, run_program

RULES: Final = "driftgauge.rules.yml"
PORT: Final = 9090
SCRAPE_SECONDS: Final = 1.0
_CONFIGURATION: Final = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: ["{rules}"]
scrape_configs:
  - job_name: driftgauge
    static_configs:
      - targets: ["{target}"]
"""


def rules_text(time_scale: float) -> str:
    """The shipped rules, their durations divided by *time_scale*, each long enough for a scrape."""
    return prometheus_text(shipped_rules(TimeScale(time_scale, SCRAPE_SECONDS)))


def free_port(wanted: int) -> int:
    """*wanted* on loopback where nobody listens there, else another one that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("127.0.0.1: expected a free port, found none")


async def run_prometheus(command: str, folder: Path, port: int, target: str, time_scale: float) -> Ended:
    """A Prometheus on loopback that scrapes *target* each second, with its data in *folder*, to its end.

    Cancelled, it ends Prometheus.
    """
    rules, configuration = folder / RULES, folder / "prometheus.yml"
    rules.write_text(rules_text(time_scale), encoding="utf-8")
    configuration.write_text(_CONFIGURATION.format(rules=rules, target=target), encoding="utf-8")
    return await run_program(
        command,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
