"""Real records through the monitor, chunk by chunk, a pane's edge at each chunk's.

The same code as in the process: a reference from the reference rows, saved as JSON and given by the
configuration; predictions and outcomes prepared, committed and applied in requests of some 1,000;
every chunk evaluated as a window of one closed pane.
"""

import csv
import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from tests.unit.monitor.driving import Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import Clock, Config, Limits, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.evaluate import evaluate
from driftgauge.evaluate.verdicts import verdicts
from driftgauge.monitor import judging
from driftgauge.sketches.learning import Learning, LearningRow
from driftgauge.snapshot import Cohort, VersionSnapshot
from driftgauge.view import VersionView
from driftgauge.windows import Grid

REQUEST = 2_000


@dataclass(frozen=True)
class Columns:
    """A table's columns by what they are to the monitor."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    task: Task
    prediction: str
    outcome: str
    score: str | None = None


@dataclass(frozen=True)
class Records:
    """Rows of one table, as arrays and texts by column."""

    columns: Columns
    ids: list
    times: np.ndarray
    values: dict

    def __len__(self):
        return len(self.ids)

    def at(self, chosen):
        places = np.arange(len(self))[chosen]
        return Records(
            self.columns,
            [self.ids[i] for i in places],
            self.times[places],
            {name: _taken(values, places) for name, values in self.values.items()},
        )

    def batches(self):
        return [self.at(slice(at, at + REQUEST)) for at in range(0, len(self), REQUEST)]

    def sent(self, model):
        """As decoded predictions."""
        columns = self.columns
        return predictions(
            self.ids,
            self.times,
            model=model,
            numeric={name: self.values[name] for name in columns.numeric},
            categorical={name: self.values[name] for name in columns.categorical},
            score=self.values[columns.score] if columns.score else None,
            prediction=[label(columns.task, text) for text in self.values[columns.prediction].tolist()],
        )

    def told(self, model):
        """As decoded outcomes, which come when the predictions were made."""
        found = [label(self.columns.task, value) for value in self.values[self.columns.outcome].tolist()]
        return outcomes(self.ids, found, self.times, model=model)


def label(task, value):
    return float(value) if task is Task.REGRESSION else int(value)


def _taken(values, places):
    return values[places] if isinstance(values, np.ndarray) else [values[i] for i in places]


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@cache
def table(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def records(rows, columns):
    numbers = {*columns.numeric, columns.prediction, columns.outcome, columns.score} - {None}
    values = {name: np.array([float(row[name]) for row in rows]) for name in numbers}
    values |= {name: [row[name] for row in rows] for name in columns.categorical}
    times = np.array([seconds(row["timestamp"]) for row in rows])
    return Records(columns, [row["id"] for row in rows], times, values)


def golden(path: Path):
    """A golden table as (chunk, column, metric) -> value, whichever of the two forms it has."""
    found = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "chunk_key" in row:
                if row["period"] == "analysis" and row["field"] == "value":
                    found[int(row["chunk_index"]), row["name"], row["method"]] = float(row["value"])
            elif row["chunk"].isdigit() and row["value"]:  # undefined where it is empty
                name = (row["column"], row["metric"]) if "column" in row else (row["metric"], "")
                found[int(row["chunk"]), *name] = float(row["value"])
    return found


def learned(given: Records):
    """The reference of these records, as `driftgauge profile` counts them: one pass, by day."""
    columns = given.columns
    learning = Learning(1000)
    days = defaultdict(LearningRow)
    day = (given.times // 86_400).astype(np.int64)
    numeric = {"f:" + name: given.values[name] for name in columns.numeric}
    texts = {"f:" + name: given.values[name] for name in columns.categorical}
    if columns.score:
        numeric["o:score"] = given.values[columns.score]
    if columns.task is Task.REGRESSION:
        numeric["o:prediction"] = given.values[columns.prediction]
    else:
        texts["o:prediction"] = [str(int(v)) for v in given.values[columns.prediction].tolist()]
    stack = np.array(list(numeric.values()))
    for number in np.unique(day).tolist():
        places = np.flatnonzero(day == number)
        chosen = {key: [values[i] for i in places.tolist()] for key, values in texts.items()}
        row = learning.row(tuple(numeric), stack[:, places], chosen, places.size, {})
        days[int(number)].add(row)
    return references.build(
        days, first=float(given.times[0]), last=float(given.times[-1]), declared={}, category_limit=50
    )


@dataclass(frozen=True)
class Chunk:
    """A chunk's records, what the monitor held of it, and what the evaluation said."""

    number: int
    records: Records
    view: VersionView
    snapshot: VersionSnapshot

    @property
    def window(self):
        return self.view.windows[0]

    def drift(self, name):
        """The row of a feature; of an output where *name* is score or prediction."""
        kind = "output" if name in ("score", "prediction") else "feature"
        return next(d for d in self.snapshot.drift if getattr(d, kind) == name)

    def verdicts(self):
        """Verdict rows by name."""
        return {v.feature or v.output: v for v in self.snapshot.verdicts}

    def quality(self, cohort=Cohort.ARRIVED):
        return next(q for q in self.snapshot.quality if q.cohort == cohort and not q.segment)

    def classes(self, cohort=Cohort.ARRIVED):
        return next(c for c in self.snapshot.classes if c.cohort == cohort and not c.class_)

    def count(self, name):
        return self.view.quality.count(self.window.arrived, name)

    def sum(self, name):
        return self.view.quality.sum(self.window.arrived, name)


def fed(given: Records, chunks, path: Path, reference=None):
    """Every chunk of *chunks* ((begin, width, records), ...) through a monitor of its own kind.

    *reference*: what is written to *path*; what is learned of *given* where it is absent.

    Chunks of equal width share one model, whose panes they are; a chunk whose width differs (a
    month) has a model of its own.
    """
    path.write_bytes(references.to_json(reference or learned(given)))
    width = chunks[0][1]
    alone = any(w != width for _, w, _ in chunks)
    names = [f"m{i}" if alone else "m0" for i in range(len(chunks))]
    model = {
        name: ModelConfig(
            task=given.columns.task,
            clock=Clock.RECORDS,
            reference=path,
            windows=(w,),
            outcomes=OutcomesConfig(matures_after=0.0),
        )
        for name, (_, w, _) in zip(names, chunks, strict=True)
    }
    grids = {name: Grid(w, begin) for name, (begin, w, _) in reversed(list(zip(names, chunks, strict=True)))}
    driver = Driver(Config(models=model, limits=Limits(models=len(chunks))), grid_of=grids.__getitem__)
    return tuple(
        _chunk(driver, name, grids[name], i, each)
        for i, (name, each) in enumerate(zip(names, chunks, strict=True))
    )


def _chunk(driver, name, grid, number, each):
    begin, width, rows = each
    for batch in rows.batches():
        taken = driver.send(batch.sent(name))
        assert taken.accepted.tolist() == [len(batch)]
    for batch in rows.batches():
        taken = driver.send(batch.told(name))
        assert taken.accepted.tolist() == [len(batch)]
    judged = judging.step(driver.version(name), begin + width)
    driver.models.take(() if judged is None else (judged,))
    view = driver.view(name=name, now=begin + width)
    assert grid.index(begin + width) == grid.index(begin) + 1
    return Chunk(number, rows, view, evaluate([view], begin + width, 0.0).versions[0])


def inner_edges(path: Path):
    """A golden table's edges by column."""
    edges = json.loads(path.read_text("utf-8"))["inner_edges"]
    return {name: np.array(values) for name, values in edges.items()}


def verdicts_of_a_replay(given: Records, path: Path, windows, pane=21_600.0):
    """Every verdict row while the reference's own records come as current traffic, judged at each pane."""
    path.write_bytes(references.to_json(learned(given)))
    model = ModelConfig(task=given.columns.task, clock=Clock.RECORDS, reference=path, windows=windows)
    driver = Driver(Config(models={"m": model}), grid_of=lambda _: Grid(pane))
    panes = (given.times // pane).astype(np.int64)
    found = []
    for number in np.unique(panes).tolist():
        driver.send(given.at(panes == number).sent("m"))
        judged = judging.step(driver.version(), (number + 1) * pane)
        if judged is not None:
            driver.models.take((judged,))
            found += verdicts(driver.view()).rows
    return found
