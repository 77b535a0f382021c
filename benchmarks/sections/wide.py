"""Real processes with hundreds of features: memory, and scrapes of thousands of series."""

from __future__ import annotations

from benchmarks.bench import Bench, cpu_of
from benchmarks.figures import Row
from benchmarks.server import Served, Watch
from benchmarks.typical import Form, Shape

SIZE = 200
BODIES = 30
SCRAPES = 40
EVALUATED = "driftgauge_window_samples"


def memory(bench: Bench) -> None:
    """1000 features, one version and two, after two hours and seven days of panes."""
    shape = Shape(800, 200)
    setting = bench.setting(shape)
    with Served.started(setting) as served, Watch.over(served) as watch:
        for version, goal, name in (("14", 250.0, "one version"), ("15", 450.0, "two versions")):
            bench.history(served.port, shape, version=version)
            bench.sender.send(served.port, Form.BASE64, BODIES, size=SIZE, shape=shape, version=version)
            served.wait_for(EVALUATED, BODIES * SIZE)
            served.scrape()
            bench.sender.send(served.port, Form.BASE64, BODIES, size=SIZE, shape=shape, version=version)
            row = Row(f"RSS, 1000 features x 3 windows, {name}", "MiB", goal)
            bench.add(row, watch.peak_mib, "greatest seen at full load")


def scrapes(bench: Bench) -> None:
    """GET /metrics at 10,000 and 100,000 series."""
    _scrape(bench, Shape(200, 45), ("14",), 20.0, "245 features")
    _scrape(bench, Shape(800, 200), ("14", "15"), None, "1000 features, two versions, series limit raised")


def _scrape(bench: Bench, shape: Shape, versions: tuple[str, ...], goal: float | None, what: str) -> None:
    setting = bench.setting(shape, series=100_000)
    with Served.started(setting) as served:
        for version in versions:
            bench.sender.send(served.port, Form.BASE64, 5, size=SIZE, shape=shape, version=version)
        served.wait_for(EVALUATED, 5 * SIZE)
        series = served.series()
        served.scrape()
        seconds = cpu_of(served, lambda: [served.scrape() for _ in range(SCRAPES)])
        bench.add(Row(f"scrape, CPU, {what}", "ms", goal), seconds / SCRAPES * 1e3, f"{series} series, gzip")
