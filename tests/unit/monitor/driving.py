"""Drives the monitor as the writer does: prepare, commit to a shelf in memory, apply."""

from dataclasses import dataclass

import numpy as np

from driftgauge.config import Config
from driftgauge.config import Model as ModelConfig
from driftgauge.monitor.maturity import learn_maturity
from driftgauge.monitor.models import Models
from driftgauge.monitor.update import decode, encode
from driftgauge.monitor.viewing import view
from driftgauge.records import Outcomes, Predictions

KEY = b"k" * 32
WALL = 1_700_000_000.0


@dataclass(frozen=True)
class Piece:
    """Rows of a log and their numbers."""

    numbers: np.ndarray
    rows: np.ndarray


class Shelf:
    """The store's part in memory: logs of rows that expire from the front, and saved panes."""

    def __init__(self):
        self.logs = {}
        self.dropped = {}
        self.panes = {}

    def append(self, appended):
        held = self.logs.setdefault(appended.log, [])
        assert appended.first_row == len(held), "rows are numbered in the order in which they are committed"
        held += [row.tobytes() for row in appended.rows]

    def drop(self, log, before):
        self.dropped[log] = before

    def rows(self, log, numbers):
        held, before = self.logs[log], self.dropped.get(log, 0)
        there = np.array([before <= number < len(held) for number in numbers.tolist()], np.bool_)
        width = len(held[0])
        found = [held[n] if ok else bytes(width) for n, ok in zip(numbers.tolist(), there, strict=True)]
        return np.frombuffer(b"".join(found), np.uint8).reshape(-1, width), there

    def scan(self, log):
        held, before = self.logs.get(log, []), self.dropped.get(log, 0)
        if held[before:]:
            rows = np.frombuffer(b"".join(held[before:]), np.uint8).reshape(-1, len(held[0]))
            yield Piece(np.arange(before, len(held), dtype=np.uint64), rows)

    def count(self, log):
        return sum(len(piece.rows) for piece in self.scan(log))

    def end(self, log):
        return len(self.logs.get(log, []))

    def pane(self, owner, resolution, start, part):
        return self.panes.get((owner, resolution, start, part))


class Driver:
    """A monitor with its shelf; remembers the committed updates as the store would keep them."""

    def __init__(self, config=None, *, grid_of=lambda _: None, shelf=None, **model):
        self.config = config or Config(models={"m": ModelConfig(**model)})
        self.shelf = shelf or Shelf()
        self.grid_of = grid_of
        self.models = Models(self.config, self.shelf, KEY, grid_of=grid_of)
        self.committed = []

    def send(self, *batches, wall=WALL, requests=1):
        """One committed round; what was prepared."""
        prepared = self.models.prepare(batches, requests, wall)
        for appended in prepared.appended:
            self.shelf.append(appended)
        self.committed.append(encode(prepared.updates))
        self.models.apply(prepared)
        return prepared

    def model(self, name="m"):
        return self.models.models[name]

    def version(self, name="m", version="1"):
        return self.model(name).versions[version]

    def view(self, version="1", *, now=None, wall=WALL, name="m"):
        held = self.version(name, version)
        learn_maturity(held)
        return view(held, self.model(name).now(wall) if now is None else now)

    def quality(self, version="1", *, now=None, wall=WALL, window=0):
        """Quality sketch and the row of outcomes by arrival of a window."""
        view = self.view(version, now=now, wall=wall)
        return view.quality, view.windows[window].arrived

    def counted(self, version="1", *, wall=WALL):
        """Joined outcomes in the first window, by arrival."""
        sketch, row = self.quality(version, wall=wall)
        return 0 if row is None else int(sketch.outcomes(row)[0])

    def restarted(self):
        """A monitor made from what was committed, nothing from memory."""
        twin = Driver(self.config, grid_of=self.grid_of, shelf=self.shelf)
        for payload in self.committed:
            twin.models.replay(decode(payload))
        for model in twin.models.models.values():
            model.outcomes.restore()
            for version in model.versions.values():
                for log in version.logs:
                    log.restore()
        twin.committed = list(self.committed)
        return twin


def _filled(values, n, default):
    if values is None:
        return [default] * n
    return list(values)


def _floats(values, n):
    return np.full(n, np.nan) if values is None else np.asarray(values, np.float64)


def predictions(
    ids,
    times=None,
    *,
    model="m",
    version="1",
    numeric=None,
    categorical=None,
    score=None,
    scores=None,
    prediction=None,
    outcome=None,
    latency=None,
    failed=None,
    segments=None,
):
    """Decoded predictions; *ids* gives their number."""
    ids = list(ids)
    n = len(ids)
    numeric = numeric or {}
    return Predictions(
        model=model,
        model_version=version,
        request=np.zeros(n, np.int64),
        index=np.arange(n),
        ids=ids,
        timestamps=_floats(times, n),
        numeric_names=tuple(numeric),
        numeric=np.array([np.asarray(v, np.float64) for v in numeric.values()]).reshape(len(numeric), n),
        categorical=categorical or {},
        score=_floats(score, n),
        scores={name: np.asarray(v, np.float64) for name, v in (scores or {}).items()},
        prediction=_filled(prediction, n, None),
        outcome=_filled(outcome, n, None),
        latency_seconds=_floats(latency, n),
        failed=np.zeros(n, np.bool_) if failed is None else np.asarray(failed, np.bool_),
        segments=segments or {},
        trace_ids=[None] * n,
    )


def outcomes(
    ids,
    outcome,
    times=None,
    *,
    model="m",
    version=None,
    value=None,
    score=None,
    prediction=None,
    predicted=None,
    segments=None,
):
    """Decoded outcomes; those with a score or a prediction need no join."""
    ids = list(ids)
    n = len(ids)
    score, prediction = _floats(score, n), _filled(prediction, n, None)
    return Outcomes(
        model=model,
        model_version=version,
        request=np.zeros(n, np.int64),
        index=np.arange(n),
        ids=ids,
        timestamps=_floats(times, n),
        outcome=list(outcome),
        value=_floats(value, n),
        needs_join=np.isnan(score) & np.array([p is None for p in prediction], np.bool_),
        score=score,
        prediction=prediction,
        prediction_timestamps=_floats(predicted, n),
        segments=segments or {},
    )
