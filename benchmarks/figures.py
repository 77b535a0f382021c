"""Rows of the benchmark's table, and what was measured for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        goal: None where the row only informs.
        least: what is asked for now, on the way to the goal; None where that is the goal.
        higher: whether more is better.
    """

    what: str
    unit: str
    goal: float | None = None
    least: float | None = None
    higher: bool = False

    def meets(self, value: float, bound: float | None) -> bool:
        """Whether *value* is on the good side of *bound*; True without one."""
        return bound is None or (value >= bound if self.higher else value <= bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """What this build showed for a row: the median of *runs* counts."""

    row: Row
    runs: tuple[float, ...]
    note: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return median(self.runs)

    @property
    def reached(self) -> bool:
        """Whether the goal is met; True without one."""
        return self.row.meets(self.value, self.row.goal)

    @property
    def enough(self) -> bool:
        """Whether what is asked for now is met."""
        return self.row.meets(self.value, self.row.least if self.row.least is not None else self.row.goal)


@dataclass(frozen=True, slots=True)
class Failure:
    """A section, or a part of one, that gave no figures."""

    section: str
    why: str


@dataclass(slots=True)
class Results:
    """All that a run found, in the order in which it was found."""

    figures: list[Figure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    heard: Callable[[Figure], None] = lambda _: None

    def add(self, row: Row, runs: Sequence[float] | float, note: str = "") -> Figure:
        """Take a figure in; *runs* is one number, or one a run."""
        found = (float(runs),) if isinstance(runs, int | float) else tuple(map(float, runs))
        figure = Figure(row, found, note)
        self.figures.append(figure)
        self.heard(figure)
        return figure

    def missed(self) -> list[Figure]:
        """Figures that miss their goal."""
        return [figure for figure in self.figures if not figure.reached]

    def as_json(self, about: dict[str, str]) -> str:
        """Everything, for other programs."""
        rows = [
            {**asdict(f.row), "value": f.value, "runs": f.runs, "note": f.note, "reached": f.reached}
            for f in self.figures
        ]
        failures = [asdict(failure) for failure in self.failures]
        return json.dumps({"about": about, "figures": rows, "failures": failures}, indent=1)
