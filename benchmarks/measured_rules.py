"""What a Prometheus spends on the shipped rules: ``python -m benchmarks.measured_rules``.

Writes docs/measured-rules.md. The series of three pods with 25 features, by the metric table, and a month of
the chain's recorded sums are written as blocks; a real Prometheus evaluates the shipped rules on them, with
the durations of production and an interval of a few seconds, and then those with a window of 30 days.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks.machine import about
from benchmarks.server import free_port
from driftgauge.artefacts.rules import POD_LABELS, Duration, RuleFile, prometheus_text
from driftgauge.artefacts.rules.shipped import WINDOWS, shipped_rules
from driftgauge.artefacts.rules.shipped.chain import BY_GROUP
from driftgauge.config import DAY, HOUR, MINUTE
from driftgauge.metrics import METRICS
from driftgauge.metrics.live import LATENCY_BUCKETS

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-rules.md"
PODS, SCRAPE, STEP = 3, 15, 300
# Raw samples: what the longest range of a raw series asks for.
RAW_SECONDS = 6 * HOUR + 10 * MINUTE
# Of the chain's own ranges on raw series, the rest is only needed for rates over 6 h of a few counters.
SHORT_SECONDS = 25 * MINUTE
INTERVAL, EVALUATIONS = 10, 4
# As Prometheus leaves them: three blocks become one, and three of those, once the newest has left the head.
BLOCKS, HEAD = (18 * HOUR, 6 * HOUR, 2 * HOUR), 3 * HOUR
MONTH = 30 * DAY
LONG = re.compile(r"driftgauge_outcomes_(orphaned|joined)_total")

MODEL = "churn"
BINS = (*map(str, range(10)), "missing", "unseen")
DOMAINS = {
    "model": (MODEL,),
    "feature": tuple(f"feature_{place}" for place in range(25)),
    "output": ("score", "prediction"),
    "window": ("1h", "1d", "7d"),
    "cohort": ("arrived", "matured"),
    "outcome": ("0", "1"),
    "prediction": ("0", "1"),
    "segment": ("",),
    "class": ("",),
    "le": (*(f"{bound:g}" for bound in LATENCY_BUCKETS), "+Inf"),
}

Sample = tuple[str, dict[str, str], float]


def exposition() -> list[Sample]:
    """Every series of the default family for a binary model with 25 features, by the metric table."""
    found = []
    for metric in METRICS:
        if metric.family != "default":
            continue
        names = [metric.name]
        if metric.type == "histogram":
            names = [f"{metric.name}_bucket", f"{metric.name}_count"]
        for name in names:
            labels = (*metric.labels, "le") if name.endswith("_bucket") else metric.labels
            for values in product(*(_values(label, metric.name) for label in labels)):
                found.append((name, dict(zip(labels, values, strict=True)), 1000.0))
    return found


def _values(label: str, name: str) -> tuple[str, ...]:
    """What a label takes; the quality of segments is of one column with three values."""
    if label == "bin":
        return tuple(map(str, range(20))) if "score" in name else BINS
    if label == "segment_value":
        return (
            ("",) if not name.startswith("driftgauge_quality_samples") else ("", "free", "pro", "enterprise")
        )
    return DOMAINS.get(label, ("1",))


def labelled(name: str, labels: dict[str, str]) -> str:
    inside = ",".join(f'{k}="{v}"' for k, v in labels.items() if v)
    return f"{name}{{{inside}}}"


def raw(found: list[Sample], now: int) -> Iterator[str]:
    """Lines of three pods' samples; counters grow by a thousandth a scrape."""
    for name, labels, value in found:
        counts = name.endswith(("_total", "_bucket", "_count"))
        seconds = RAW_SECONDS if LONG.match(name) else SHORT_SECONDS
        is_time = name.endswith("_timestamp_seconds")
        for pod in range(PODS):
            series = labelled(name, {**labels, "job": "driftgauge", "instance": f"10.0.0.{pod}:9878"})
            for at in range(int(now - seconds), int(time.time()), SCRAPE):
                grown = value * (1 + (at - now + RAW_SECONDS) / SCRAPE / 1000) if counts else value
                yield f"{series} {at if is_time else format(grown, '.6g')} {at}"


def recorded(found: list[Sample], now: int) -> Iterator[str]:
    """Lines of a month of the chain's hours, and of the steps that windows and burn rates are made of."""
    chained = {each.counter: each for group in BY_GROUP.values() for each in group}
    for name, labels, value in found:
        each = chained.get(name)
        if each is None:
            continue
        kept = {**{k: v for k, v in labels.items() if k not in POD_LABELS}, "job": "driftgauge"}
        steps = 3 * DAY if each in BY_GROUP["traffic"] else DAY + HOUR
        for operations, seconds, every in (
            ("increase1h", MONTH + HOUR, int(HOUR)),
            ("increase5m", steps, STEP),
        ):
            series = labelled(each.name(operations), kept)
            for at in range(int(now - seconds), now, every):
                yield f"{series} {value / 100:.6g} {at}"


def blocks(folder: Path, lines: Iterator[str], now: int) -> None:
    """Each block from a file of its own: promtool reads all of a file for each block."""
    files = {}
    for line in lines:
        length, place = _block(int(line.rpartition(" ")[2]), now)
        if (length, place) not in files:
            files[length, place] = (folder / f"samples-{length}-{place}.txt").open("w")
        files[length, place].write(f"{line}\n")
    for (length, _), file in files.items():
        file.write("# EOF\n")
        file.close()
        flags = (f"--max-block-duration={length // int(HOUR)}h",)
        command = ("tsdb", "create-blocks-from", *flags, "openmetrics", file.name, str(folder / "blocks"))
        subprocess.run([shutil.which("promtool"), *command], check=True, stdout=subprocess.DEVNULL)


def _block(at: int, now: int) -> tuple[int, int]:
    """The length of the block that a sample lies in, and its number among those of the length."""
    places = ((int(length), at // int(length)) for length in BLOCKS)
    whole = (each for each in places if (each[1] + 1) * each[0] <= now - HEAD)
    return next(whole, (int(BLOCKS[-1]), at // int(BLOCKS[-1])))


@contextmanager
def prometheus(folder: Path, rules: RuleFile) -> Iterator[tuple[int, int]]:
    """One that evaluates *rules* on the blocks in *folder*: its port and its process id."""
    (folder / "rules.yml").write_text(prometheus_text(rules))
    config = {"rule_files": [str(folder / "rules.yml")], "global": {"evaluation_interval": f"{INTERVAL}s"}}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    flags = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'blocks'}",
        "--storage.tsdb.retention.time=60d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    process = subprocess.Popen([shutil.which("prometheus"), *flags])
    try:
        yield port, process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def asked(port: int, path: str) -> dict:
    return json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}").read())["data"]


def evaluations(port: int, pid: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of each group's evaluations, and CPU seconds of the process for one of all."""
    taken: dict[str, dict[str, float]] = {}
    time.sleep(2 * INTERVAL)
    began, cpu = time.monotonic(), _cpu(pid)
    while time.monotonic() < began + EVALUATIONS * INTERVAL:
        for group in asked(port, "rules")["groups"]:
            taken.setdefault(group["name"], {})[group["lastEvaluation"]] = group["evaluationTime"]
        time.sleep(INTERVAL / 4)
    spent = (_cpu(pid) - cpu) / ((time.monotonic() - began) / INTERVAL)
    return {name: [*found.values()] for name, found in taken.items()}, spent


def _cpu(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def series_of(port: int, name: str) -> int:
    query = urllib.parse.urlencode({"query": f"count({name})"})
    found = asked(port, f"query?{query}")["result"]
    return int(found[0]["value"][1]) if found else 0


@dataclass(frozen=True)
class Measured:
    """What one Prometheus spent: seconds of each group's evaluations, and CPU seconds for one of all."""

    times: dict[str, list[float]]
    cpu: float
    chained: int

    @property
    def each(self) -> dict[str, float]:
        return {name: median(times) for name, times in self.times.items()}


def measured(folder: Path, windows: Sequence[float]) -> Measured:
    """The rules with those windows on the blocks in *folder*, by a Prometheus that has recorded nothing yet."""
    for made in ("wal", "chunks_head"):
        shutil.rmtree(folder / "blocks" / made, ignore_errors=True)
    rules = shipped_rules(windows=windows)
    hurried = RuleFile(tuple(replace(g, interval=Duration(1000 * INTERVAL)) for g in rules.groups))
    with prometheus(folder, hurried) as (port, pid):
        time.sleep(5)
        times, cpu = evaluations(port, pid)
        chained = series_of(port, 'last_over_time({__name__=~".*:increase1h"}[2h])')
        fleet = [
            f'feature:driftgauge_feature_psi:fleet{{model="{MODEL}",window="{Duration(round(window * 1000))}"}}'
            for window in windows
        ]
        # Verdicts are of pods that were evaluated just now, so that the raw samples must be fresh.
        for name in (*fleet, "feature:driftgauge_feature_drift_verdict:majority == 1"):
            if not series_of(port, name):
                raise SystemExit(f"the rules computed no {name}: the figures would be of empty series")
    return Measured(times, cpu, chained)


def document(week: Measured, month: Measured, raw_series: int) -> str:
    machine = about("one run")

    def row(name: str, *seconds: float) -> str:
        return f"| {name} | {' | '.join(f'{1000 * each:,.0f}' for each in seconds)} |"

    def both(name: str, group: str) -> str:
        return row(name, *(sum(v for k, v in found.each.items() if group in k) for found in (week, month)))

    return "\n".join(
        (
            "# The shipped rules, measured",
            "",
            "Made by `python -m benchmarks.measured_rules`; not edited by hand.",
            "",
            f"{PODS} replicas of a binary model with 25 features ({raw_series:,} series each), a month of "
            f"history, {week.chained:,} series of hourly sums; durations as in production, the median of "
            f"{EVALUATIONS} evaluations. The chain's groups are evaluated each 5 minutes, the others each "
            "minute. The last column is of `driftgauge rules --shipped --window 30d`: a window is a sum of "
            "hours, 720 samples a series where a week is 168.",
            "",
            "| milliseconds an evaluation | windows of 1h, 1d and 7d | and of 30d |",
            "| --- | --- | --- |",
            *(row(f"`{name}`", seconds, month.each[name]) for name, seconds in week.each.items()),
            both("all of the chain", "chain"),
            both("everything once", ""),
            row("everything once, CPU time of the whole Prometheus", week.cpu, month.cpu),
            "",
            "The goal is under a second for everything, with the windows that are shipped.",
            "",
            f"Measured on {machine['processor']}, load before {machine['load before']}; Prometheus "
            f"{_version()}.",
            "",
        )
    )


def _version() -> str:
    done = subprocess.run(
        [shutil.which("prometheus"), "--version"], capture_output=True, text=True, check=True
    )
    return re.search(r"version (\S+)", done.stdout + done.stderr)[1]


def main() -> None:
    """Write the document; about six minutes."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        found = exposition()
        now = int(time.time() // STEP * STEP)
        blocks(folder, recorded(found, now), now)
        # Last, for they must be fresh when the rules ask for them.
        blocks(folder, raw(found, int(time.time())), now)
        week, month = measured(folder, WINDOWS), measured(folder, (*WINDOWS, MONTH))
        DOCUMENT.write_text(document(week, month, len(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
