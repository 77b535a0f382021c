"""Records through HTTP into a real `serve`: what they cost, by form and by what is pending."""

from __future__ import annotations

from statistics import median
from time import perf_counter, sleep

from benchmarks import pending
from benchmarks.bench import MILLION, Bench, cpu_of, named
from benchmarks.figures import Row
from benchmarks.sections.decoding import Bare
from benchmarks.server import Empty, Served, Watch
from benchmarks.setting import Setting
from benchmarks.typical import IN_BODY, Form

SINGLE_CONNECTIONS = 64
WARM_UP = 10
SCRAPES = 100

PER_CORE = "records/s per core"
FORMS = (
    (Form.NDJSON, "NDJSON, bodies of 1000", 80_000, 60_000),
    (Form.COLUMNS, "columnar JSON, bodies of 1000", 110_000, 90_000),
    (Form.BASE64, "columnar base64, bodies of 1000", 220_000, None),
)


def run(bench: Bench, count: int) -> None:
    """Everything that is measured with *count* predictions pending."""
    setting = bench.setting()
    if count:
        bench.say(f"writing {named(count)} pending predictions")
        pending.fill(setting, count)
    _prepare(bench, setting)
    served = _started(bench, setting, count)
    try:
        with Watch.over(served) as watch:
            bench.history(served.port)
            _memory(bench, served, watch, count)
            costs = [_form(bench, served, count, *form) for form in FORMS]
            _growth(bench, count, costs[0])
            _scrape(bench, served, count)
            _outcomes(bench, served, count)
        _singles(bench, served, count)
    finally:
        served.stop()


def _prepare(bench: Bench, setting: Setting) -> None:
    """A server that has seen records, killed: what a start after a kill finds."""
    served = Served(setting)
    try:
        served.wait("/readyz")
        bench.history(served.port)
        bench.sender.send(served.port, Form.NDJSON, WARM_UP)
    finally:
        served.kill()


def _started(bench: Bench, setting: Setting, count: int) -> Served:
    """Start after kill -9, several times; the last one goes on."""
    goal = 7.0 if count > MILLION else 1.5
    row = Row(f"start after kill -9 to first accepted record, {named(count)} pending", "s", goal)
    runs: list[float] = []
    costs: list[float] = []
    while True:
        served = Served(setting)
        try:
            served.wait("/readyz")
            bench.sender.send(served.port, Form.SINGLE, 1)
        except BaseException:
            served.kill()
            raise
        runs.append(perf_counter() - served.began)
        costs.append(served.cpu_seconds())
        if len(runs) >= min(3, bench.mode.repeats):
            bench.add(row, runs, f"{median(costs):.2f} s of CPU time; page cache warm")
            return served
        bench.sender.send(served.port, Form.NDJSON, 2)
        served.kill()


def _memory(bench: Bench, served: Served, watch: Watch, count: int) -> None:
    """The greatest memory while all forms come as fast as they can, beside evaluation and scrapes."""
    for form, *_ in FORMS:
        bench.sender.send(served.port, form, WARM_UP)
    goal = 110.0 if count == MILLION else None
    row = Row(f"RSS, 25 features at full load, {named(count)} pending", "MiB", goal)
    bench.add(row, watch.peak_mib, "greatest seen")
    before = _found(bench, row.what.replace(named(count), named(0))) if count else None
    if before is not None and count == max(bench.mode.pending):
        more = (watch.peak_mib - before) / (count / MILLION)
        bench.add(Row("RSS, a million pending more", "MiB", 16.0), more, f"0 against {named(count)}")


def _found(bench: Bench, what: str) -> float | None:
    return next((f.value for f in bench.results.figures if f.row.what == what), None)


def _form(
    bench: Bench, served: Served, count: int, form: Form, what: str, goal: float, least: float | None
) -> float:
    """Throughput of a form; its microseconds a record."""
    bare, mode = Bare(), bench.mode
    costs, doors, alone = [], [], []
    for _ in range(mode.repeats):
        before = served.loop_seconds()
        seconds = cpu_of(served, lambda: bench.sender.send(served.port, form, mode.bodies))
        costs.append(seconds / (mode.bodies * IN_BODY) * 1e6)
        doors.append((served.loop_seconds() - before) / (mode.bodies * IN_BODY) * 1e6)
        if form is Form.NDJSON:
            alone.append(bare.microseconds())
    row = Row(f"{what}, {named(count)} pending", PER_CORE, goal, least, higher=True)
    note = f"{median(costs):.1f} us a record, of it HTTP {median(doors):.1f}"
    bench.add(row, [1e6 / cost for cost in costs], note)
    if alone:
        bench.add(
            Row(f"NDJSON against msgspec decoding alone, {named(count)} pending", "x", 4.0),
            [cost / decoding for cost, decoding in zip(costs, alone, strict=True)],
            f"same bytes, same run; alone it takes {median(alone):.1f} us a record",
        )
    return median(costs)


def _growth(bench: Bench, count: int, cost: float) -> None:
    first = _found(bench, f"{FORMS[0][1]}, 0 pending")
    if count and first:
        row = Row(f"growth: NDJSON cost with {named(count)} pending against 0", "x", 1.2)
        bench.add(row, cost * first / 1e6)


def _scrape(bench: Bench, served: Served, count: int) -> None:
    """GET /metrics of 25 features; what is measured before outcomes come."""
    if count:
        return
    series = served.series()
    served.scrape()
    seconds = cpu_of(served, lambda: [served.scrape() for _ in range(SCRAPES)])
    bench.add(Row("scrape, CPU, 25 features", "ms"), seconds / SCRAPES * 1e3, f"{series} series, gzip")


def _outcomes(bench: Bench, served: Served, count: int) -> None:
    if not count:
        _joined(bench, served, "in order, joined, lists of 1000", count, 1)
        return
    _joined(bench, served, "in order, joined, lists of 1000", count, pending.ORDERED_FIRST)
    _joined(bench, served, "from all over a day, joined, lists of 1000", count, pending.SCATTERED_FIRST)


def _joined(bench: Bench, served: Served, what: str, count: int, first: int) -> None:
    """Outcomes of predictions that are there: bodies are numbered as those of the predictions were."""
    bodies = min(bench.mode.bodies, (pending.BODIES - 2) // bench.mode.repeats)
    if not count:
        first = _loaded(bench, bodies * bench.mode.repeats + 2, served)
    before = sum(served.samples("driftgauge_outcomes_joined_total"))
    bench.sender.send(served.port, Form.OUTCOMES, 2, first=first)
    runs = []
    for i in range(bench.mode.repeats):
        at = first + 2 + i * bodies
        seconds = cpu_of(served, lambda n=at: bench.sender.send(served.port, Form.OUTCOMES, bodies, first=n))
        runs.append(bodies * IN_BODY / seconds)
    joined = sum(served.samples("driftgauge_outcomes_joined_total")) - before
    share = joined / ((bodies * bench.mode.repeats + 2) * IN_BODY)
    row = Row(f"outcomes {what}, {named(count)} pending", PER_CORE, 80_000, higher=True)
    bench.add(row, runs, f"{1e6 / median(runs):.1f} us an outcome, {share:.0%} joined")


def _loaded(bench: Bench, bodies: int, served: Served) -> int:
    """The number of the first of so many bodies of predictions, sent now."""
    first = bench.sender.next_body
    bench.sender.send(served.port, Form.BASE64, bodies)
    return first


def _singles(bench: Bench, served: Served, count: int) -> None:
    """Single-record requests, beside an empty handler that is sent the same."""
    mode, costs, ratios = bench.mode, [], []
    with Empty.started(bench.directory) as empty:
        for process in (served, empty):
            _singly(bench, process, mode.singles // 4)
        for _ in range(mode.repeats):
            costs.append(_singly(bench, served, mode.singles))
            ratios.append(costs[-1] / _singly(bench, empty, mode.singles))
    note = f"{median(costs):.0f} us a record, {SINGLE_CONNECTIONS} connections"
    what = f"single-record POSTs, {named(count)} pending"
    bench.add(Row(what, PER_CORE, higher=True), [1e6 / cost for cost in costs], note)
    empty_cost = median(costs) / median(ratios)
    row = Row(f"single-record POSTs against an empty aiohttp handler, {named(count)} pending", "x", 1.3)
    bench.add(row, ratios, f"the handler takes {empty_cost:.0f} us")


def _singly(bench: Bench, process: Served | Empty, requests: int) -> float:
    """Microseconds a request."""

    def send() -> None:
        bench.sender.send(process.port, Form.SINGLE, requests, connections=SINGLE_CONNECTIONS)

    return cpu_of(process, send) / requests * 1e6


def idle(bench: Bench) -> None:
    """Memory of a `serve` that nobody sends anything, scraped."""
    setting = bench.setting()
    setting.file.write_text(
        f'intake: {{listen: "127.0.0.1:{setting.port}"}}\n'
        f'observation: {{listen: "127.0.0.1:{setting.metrics_port}"}}\n'
        f"store: {{directory: {setting.data}}}\n"
    )
    with Served.started(setting):
        pass  # compiles what it imports, and keeps that
    with Served.started(setting) as served:
        served.scrape()
        sleep(2.0)
        served.scrape()
        bench.add(Row("RSS, idle", "MiB", 75.0, 80.0), served.resident_mib(), "no configuration of models")


def disk(bench: Bench) -> None:
    """Bytes that remain on disk of predictions that wait, after a stop in order."""
    setting = bench.setting()
    bodies = bench.mode.bodies * 2
    with Served.started(setting) as served:
        bench.sender.send(served.port, Form.BASE64, 1)
    before = pending.size_bytes(setting.data)
    with Served.started(setting) as served:
        bench.sender.send(served.port, Form.NDJSON, bodies)
    grown = pending.size_bytes(setting.data) - before
    bench.add(
        Row("disk, a pending prediction", "bytes"), grown / (bodies * IN_BODY), "panes and pages included"
    )
