"""The writer's path stage by stage, in this process: where the time of a record goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from cProfile import Profile
from itertools import count
from pstats import SortKey, Stats
from statistics import mean
from time import process_time

from benchmarks.bench import Bench
from benchmarks.figures import Row
from benchmarks.typical import IN_BODY, Form, templates

STAGES = ("decode and pivot", "prepare", "commit", "apply")
SINGLES = 64
WARM_UP = 5
GROUPS = 20
PROFILED_ROWS = 45


def run(bench: Bench) -> None:
    """Every form of predictions."""
    for form in (Form.NDJSON, Form.COLUMNS, Form.BASE64, Form.SINGLE):
        path = _Path(bench, form)
        for _ in range(WARM_UP):
            path.group()
        runs = [[path.group() for _ in range(GROUPS)] for _ in range(bench.mode.repeats)]
        path.close()
        what = f"{form}, {SINGLES} a commit" if form is Form.SINGLE else str(form)
        for place, stage in enumerate(STAGES):
            costs = [mean(group[place] for group in groups) for groups in runs]
            row = Row(f"stages of {what}, without HTTP: {stage}", "us a record")
            bench.add(row, [cost / path.records * 1e6 for cost in costs])


def profiled(bench: Bench, form: Form) -> None:
    """Print the functions that take most of a form's time."""
    path = _Path(bench, form)
    for _ in range(WARM_UP):
        path.group()
    profiler = Profile()
    for _ in range(GROUPS * bench.mode.repeats):
        path.group(profiler)
    path.close()
    Stats(profiler).sort_stats(SortKey.TIME).print_stats(PROFILED_ROWS)


class _Path:
    """What the writer does with a group, step by step, each timed."""

    def __init__(self, bench: Bench, form: Form) -> None:
        from driftgauge.app.restoring import open_kept
        from driftgauge.config import Limits
        from driftgauge.config_file import load
        from driftgauge.ingest import Decoder

        self.kept = open_kept(load(bench.setting().file))
        models = self.kept.models
        self.decoder = Decoder(Limits(), {}, models.schema_of, models.only_model)
        self.form = form
        self.records = SINGLES if form is Form.SINGLE else IN_BODY
        self.bodies = self._bodies()

    def _bodies(self) -> Iterator[bytes]:
        found = templates(self.form)
        for number in count():
            yield found[number % len(found)].stamped(number, time.time())

    def group(self, profiler: Profile | None = None) -> list[float]:
        """CPU seconds of each stage."""
        from driftgauge.records import Kind, Media, Request

        media = Media.NDJSON if self.form is Form.NDJSON else Media.JSON
        number = SINGLES if self.form is Form.SINGLE else 1
        requests = [Request(Kind.PREDICTIONS, media, next(self.bodies)) for _ in range(number)]
        if profiler is not None:
            profiler.enable()
        decoded, decoding = _timed(lambda: self.decoder.predictions(requests))
        prepared, preparing = _timed(
            lambda: self.kept.models.prepare(decoded.predictions, number, time.time())
        )
        _, committing = _timed(lambda: self._commit(prepared))
        _, applying = _timed(lambda: self.kept.models.apply(prepared))
        if profiler is not None:
            profiler.disable()
        return [decoding, preparing, committing, applying]

    def _commit(self, prepared) -> None:
        from driftgauge.monitor.update import encode
        from driftgauge.store import Append, Batch

        appends = tuple(Append(a.log, a.first_row, a.rows, a.times) for a in prepared.appended)
        self.kept.store.commit(Batch(encode(prepared.updates), appends))

    def close(self) -> None:
        """Let the store go."""
        self.kept.store.close()


def _timed(action: Callable[[], object]):
    began = process_time()
    found = action()
    return found, process_time() - began
