"""``python -m benchmarks``: run the sections, print the table, write it down."""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine, report
from benchmarks.bench import DEFAULT, FULL, QUICK, Bench, Mode, named
from benchmarks.figures import Failure, Results
from benchmarks.sections import detectors, growth, intake, stages, statistics, wide
from benchmarks.sender import Sender
from benchmarks.typical import Form

PAGE = Path(__file__).parent.parent / "docs" / "benchmark.md"

Section = tuple[str, Callable[[Bench], None]]


def sections(mode: Mode) -> list[Section]:
    """What is run, in order."""
    found: list[Section] = [("idle", intake.idle)]
    found += [(f"pending {named(n)}", lambda bench, n=n: intake.run(bench, n)) for n in mode.pending]
    found += [("statistics", statistics.run), ("detectors", detectors.run)]
    if mode.wide:
        found += [("scrapes", wide.scrapes), ("memory", wide.memory)]
        found += [("disk", intake.disk), ("growth", growth.run)]
    return [*found, ("stages", stages.run)]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="under a minute: fewer repeats, no million pending"
    )
    size.add_argument("--full", action="store_true", help="with 10 million pending too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    parser.add_argument("--only", default="", metavar="TEXT", help="sections whose name contains this")
    parser.add_argument(
        "--profile", choices=["ndjson", "columns", "base64", "single"], help="print functions by time"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run; 1 where a section failed."""
    chosen = arguments(argv)
    mode = QUICK if chosen.quick else FULL if chosen.full else DEFAULT
    directory = Path(tempfile.mkdtemp(prefix="driftgauge-bench-"))
    results = Results(heard=lambda figure: print(report.line(figure), flush=True))
    about = machine.about(f"{mode.name}; pending {', '.join(named(n) for n in mode.pending)}")
    warning = machine.busy()
    began = time.monotonic()
    try:
        with Sender.started() as sender:
            bench = Bench(
                mode, directory, sender, results, lambda text: print(f"... {text}", file=sys.stderr)
            )
            if chosen.profile:
                stages.profiled(bench, Form(chosen.profile))
                return 0
            for name, section in sections(mode):
                if chosen.only in name:
                    _run(bench, name, section)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    about["took"] = f"{time.monotonic() - began:.0f} s"
    print("; ".join(f"{name} {value}" for name, value in about.items()))
    print(report.closing(results))
    print(warning)
    if chosen.json:
        chosen.json.write_text(results.as_json(about))
    if not chosen.only and mode is not QUICK:
        PAGE.write_text(report.markdown(results, about, warning))
    return 1 if results.failures else 0


def _run(bench: Bench, name: str, section: Callable[[Bench], None]) -> None:
    try:
        section(bench)
    except Exception as error:  # noqa: BLE001  # one section's failure is told; the others go on
        traceback.print_exc()
        for log in sorted(bench.directory.glob("server-*/serve.log")):
            print(*log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
        bench.results.failures.append(Failure(name, f"{type(error).__name__}: {error}"[:200]))
        print(f"{name}: not measured: {error}", flush=True)
    for made in bench.directory.glob("server-*"):
        shutil.rmtree(made, ignore_errors=True)
    gc.collect()


if __name__ == "__main__":
    sys.exit(main())
