"""Statistics and their text, in this process: no store, no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from time import process_time

from benchmarks.bench import Bench
from benchmarks.figures import Row
from benchmarks.setting import Setting
from benchmarks.typical import Form, Shape, templates

SHAPES = ((Shape(20, 5), 1.0), (Shape(160, 40), 4.0), (Shape(800, 200), 20.0))
VERSIONS = ("14", "15")
# More than enough for every statistic, few enough for bodies of 1000 features.
BODY = 100


def run(bench: Bench) -> None:
    """Evaluation and exposition at 25, 200 and 1000 features."""
    for shape, goal in SHAPES:
        versions = VERSIONS if shape.numeric == 800 else VERSIONS[:1]
        views = _views(bench.setting(shape), versions)
        _statistics(bench, views[:1], shape, goal)
        _text(bench, views, shape)


def _views(setting: Setting, versions: Sequence[str]):
    """What an evaluation is given after a few bodies of predictions and outcomes."""
    from driftgauge.app.restoring import open_kept
    from driftgauge.config import Limits
    from driftgauge.config_file import load
    from driftgauge.ingest import Decoder
    from driftgauge.records import Kind, Media, Request

    kept = open_kept(load(setting.file))
    decoder = Decoder(Limits(), {}, kept.models.schema_of, kept.models.only_model)
    now = time.time()
    for place, version in enumerate(versions):
        for number, template in enumerate(templates(Form.BASE64, setting.shape, BODY, version)):
            body = template.stamped(number, now)
            _take(kept, decoder.predictions([Request(Kind.PREDICTIONS, Media.JSON, body)]))
            if not place:
                told = templates(Form.OUTCOMES, n=BODY)[0].stamped(number, now)
                _take(kept, decoder.outcomes([Request(Kind.OUTCOMES, Media.JSON, told)]))
    views = kept.models.views(now)
    kept.store.close()
    return views


def _take(kept, decoded) -> None:
    from driftgauge.monitor.models import rounds
    from driftgauge.monitor.update import encode
    from driftgauge.store import Append, Batch

    for turn in rounds(decoded):
        prepared = kept.models.prepare(turn, 1, time.time())
        appends = tuple(Append(a.log, a.first_row, a.rows, a.times) for a in prepared.appended)
        kept.store.commit(Batch(encode(prepared.updates), appends))
        kept.models.apply(prepared)


def milliseconds(action: Callable[[], object], repeats: int, least: float = 0.02) -> list[float]:
    """CPU time of *action*, *repeats* times, each over at least *least* seconds; after one in vain."""
    action()
    runs = []
    for _ in range(repeats):
        began, times = process_time(), 0
        while times == 0 or process_time() - began < least:
            action()
            times += 1
        runs.append((process_time() - began) / times * 1e3)
    return runs


def _statistics(bench: Bench, views, shape: Shape, goal: float) -> None:
    from driftgauge.evaluate import evaluate
    from driftgauge.evaluate.drift import drift

    view = views[0]
    features = shape.numeric + shape.categorical
    repeats = bench.mode.repeats
    bench.add(
        Row(f"statistics of {features} features x 3 windows", "ms", goal),
        milliseconds(lambda: drift(view.inputs, [w.inputs for w in view.windows]), repeats),
        "every statistic of drift, as values by name",
    )
    bench.add(
        Row(f"whole evaluation of {features} features x 3 windows", "ms", goal),
        milliseconds(lambda: evaluate(views, time.time(), 0.0), repeats),
        "beside the statistics quality by segment, fleet counters, rows",
    )


def _text(bench: Bench, views, shape: Shape) -> None:
    from driftgauge.evaluate import evaluate
    from driftgauge.exposition.text import Exposition

    snapshot = evaluate(views, time.time(), 0.0)
    exposition = Exposition((), 10**6)
    series = sum(count.exported for count in exposition.render(snapshot).counts)
    rendered = exposition.render(snapshot)
    rendered.compressed(openmetrics=True)
    kind = f"{shape.numeric + shape.categorical} features, {len(views)} version{'s'[: len(views) > 1]}"
    bench.add(
        Row(f"exposition text of {kind}", "ms"),
        milliseconds(lambda: exposition.render(snapshot), bench.mode.repeats),
        f"{series} series, gzip included; once an evaluation",
    )
