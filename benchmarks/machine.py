"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("driftgauge", "numpy", "msgspec", "aiohttp", "uvloop", "prometheus-client")


def about(mode: str) -> dict[str, str]:
    """Machine and versions, by what they are."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "run": mode,
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{_memory_gib():.1f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "load before": _load(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: _version(name) for name in PACKAGES},
    }


def busy() -> str:
    """A warning where other processes had work for a good part of the processors before the run."""
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    if load < cores / 4:
        return ""
    return (
        f"The machine was busy before the run began (load {load:.1f} on {cores} processors), and CPU time of "
        "shared cores is dearer then, up to twice: compare the ratios, and run again on an idle machine."
    )


def _load() -> str:
    return " ".join(f"{x:.2f}" for x in os.getloadavg()) + " (1, 5 and 15 minutes)"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return platform.system()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
