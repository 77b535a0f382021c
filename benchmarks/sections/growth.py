"""Whether a record costs the same when windows are long."""

from __future__ import annotations

from benchmarks.bench import Bench, cpu_of
from benchmarks.figures import Row
from benchmarks.server import Served
from benchmarks.typical import IN_BODY, Form

SHORT, LONG = ("1h", 1), ("30d", 30 * 24)


def run(bench: Bench) -> None:
    """NDJSON into a window of 1h and into one of 30d that has seen 30 days."""
    costs: dict[str, list[float]] = {SHORT[0]: [], LONG[0]: []}
    settings = {name: bench.setting(windows=name) for name in costs}
    with Served.started(settings["1h"]) as short, Served.started(settings["30d"]) as long:
        both = ((*SHORT, short), (*LONG, long))
        for _, hours, served in both:
            bench.history(served.port, hours=hours)
            bench.sender.send(served.port, Form.NDJSON, 5)
        for _ in range(bench.mode.repeats):
            for name, _, served in both:
                costs[name].append(_cost(bench, served))
    ratios = [b / a for a, b in zip(costs["1h"], costs["30d"], strict=True)]
    bench.add(Row("growth: NDJSON cost with a window of 30d against 1h", "x", 1.2), ratios)


def _cost(bench: Bench, served: Served) -> float:
    bodies = bench.mode.bodies
    return (
        cpu_of(served, lambda: bench.sender.send(served.port, Form.NDJSON, bodies)) / (bodies * IN_BODY) * 1e6
    )
