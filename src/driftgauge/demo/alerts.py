"""A Prometheus beside the demo, with the shipped rules, and which of those have time to fire."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from driftgauge.demo.processes import Ended, run_program

RULES: Final = "driftgauge.rules.yml"
PORT: Final = 9090
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
# `time() - some_timestamp > 3600`: such a rule waits that long before it begins to hold.
_AGE: Final = re.compile(r"time\(\)\s*-\s*[a-zA-Z_:][\w:]*(?:\{[^}]*\})?\s*>=?\s*(\d+(?:\.\d+)?)")
_CONFIGURATION: Final = """\
global:
  scrape_interval: 1s
  evaluation_interval: 5s
rule_files: ["{rules}"]
scrape_configs:
  - job_name: driftgauge
    static_configs:
      - targets: ["{target}"]
"""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule, and the least wall time that it takes from the first cause to firing."""

    name: str
    seconds: float


def shipped_rules() -> str:
    """The rules file that the package carries."""
    return (resources.files(__package__) / "data" / RULES).read_text(encoding="utf-8")


def alerts(rules: str) -> tuple[Alert, ...]:
    """The alerting rules of a rules file of Prometheus, in its order."""
    return tuple(
        Alert(rule["alert"], _seconds(rule.get("for", "0s")) + _age(rule["expr"]))
        for group in yaml.safe_load(rules)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    )


def _age(expression: str) -> float:
    return max((float(found) for found in _AGE.findall(expression)), default=0.0)


def _seconds(duration: str) -> float:
    """Seconds of a duration as Prometheus writes it: ``1h30m``."""
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdw])", duration))


def out_of_time(found: Sequence[Alert], wall_seconds: float, time_scale: float) -> str:
    """In words which alerts can't fire in *wall_seconds*: rules run on wall time, not on the records'."""
    late = [alert for alert in found if alert.seconds > wall_seconds]
    if not late:
        return f"All {len(found)} shipped alerts have the time to fire."
    many = f"none of the {len(found)}" if len(late) == len(found) else f"not all of the {len(found)}"
    listed = ", ".join(f"{alert.name} (after {_words(alert.seconds)})" for alert in late)
    return (
        f"Alerts wait on wall time, which time_scale {time_scale:,.0f} does not shorten: in "
        f"{_words(wall_seconds)} {many} shipped ones can fire. Those that can't: {listed}."
    )


def _words(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size or seconds == size:
            return f"{seconds / size:g} {unit}" if seconds % size == 0 else f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


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


async def run_prometheus(command: str, folder: Path, port: int, target: str) -> Ended:
    """A Prometheus on loopback that scrapes *target* each second, with its data in *folder*, to its end.

    Cancelled, it ends Prometheus.
    """
    rules, configuration = folder / RULES, folder / "prometheus.yml"
    rules.write_text(shipped_rules(), encoding="utf-8")
    configuration.write_text(_CONFIGURATION.format(rules=rules, target=target), encoding="utf-8")
    return await run_program(
        command,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
