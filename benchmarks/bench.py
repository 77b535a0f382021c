"""What every section is given: how much to run, where to write, what to send with, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Figure, Results, Row
from benchmarks.sender import Sender
from benchmarks.server import Process, free_port
from benchmarks.setting import Setting
from benchmarks.typical import TYPICAL, Form, Shape

MILLION = 1_000_000
MINUTES = 120
HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class Mode:
    """How much is run.

    Attributes:
        repeats: runs of which the median counts.
        bodies: bodies of 1000 records a run.
        singles: single-record requests a run.
        pending: numbers of pending predictions to run with.
        wide: whether the rows that need hundreds of features in a real process are run.
    """

    name: str
    repeats: int
    bodies: int
    singles: int
    pending: tuple[int, ...]
    wide: bool


QUICK = Mode("quick", repeats=3, bodies=20, singles=2000, pending=(0,), wide=False)
DEFAULT = Mode("default", repeats=5, bodies=60, singles=5000, pending=(0, MILLION), wide=True)
FULL = replace(DEFAULT, name="full", pending=(0, MILLION, 10 * MILLION))


@dataclass(slots=True)
class Bench:
    """One run of the benchmark."""

    mode: Mode
    directory: Path
    sender: Sender
    results: Results
    say: Callable[[str], None]
    made: int = 0

    def setting(self, shape: Shape = TYPICAL, windows: str = "1h, 1d, 7d", series: int = 10_000) -> Setting:
        """A new, empty directory with a configuration in it."""
        self.made += 1
        setting = Setting(
            self.directory / f"server-{self.made}", free_port(), free_port(), shape, windows, series
        )
        setting.write(self.directory)
        return setting

    def add(self, row: Row, runs: list[float] | float, note: str = "") -> Figure:
        """Take a figure in."""
        return self.results.add(row, runs, note)

    def history(self, port: int, shape: Shape = TYPICAL, hours: int = HOURS, version: str = "14") -> None:
        """Fill the panes that a server has after running for long: 10 records in each."""
        ages = [3600.0 * h for h in range(hours, 2, -1)] + [60.0 * m for m in range(MINUTES, 0, -1)]
        self.sender.send(
            port,
            Form.BASE64,
            len(ages),
            size=10,
            connections=1,
            shape=shape,
            version=version,
            ages=ages,
        )


def cpu_of(process: Process, action: Callable[[], object]) -> float:
    """CPU seconds that *process* took while *action* ran."""
    before = process.cpu_seconds()
    action()
    return process.cpu_seconds() - before


def named(count: int) -> str:
    """A number of records in words of the table."""
    return f"{count // MILLION} million" if count else "0"
