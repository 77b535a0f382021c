"""`driftgauge check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from driftgauge.check import ModelEstimate, Report


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object on stdout.")
@click.pass_context
def check(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Check a configuration, weigh its scrapes, say its alerts.

    Names every fault with its line, and reads the reference and token files that FILE names. Exits with
    0 when FILE can be used (warnings or not) and 1 when it can't.
    """
    from driftgauge.check import check as judge

    report = judge(file)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))
    else:
        for fault in report.faults:
            click.echo(fault, err=True)
        for warning in report.warnings:
            click.echo(f"{file}: warning: {warning}", err=True)
        for line in _estimates(report) if report.models else ():
            click.echo(line)
        for line in _alerts(report):
            click.echo(line)
        if not report.faults:
            click.echo(f"{file}: fine")
    ctx.exit(1 if report.faults else 0)


def _estimates(report: Report) -> Iterator[str]:
    yield "a scrape, once every label is known:"
    yield f"  the process: {report.process_series:,} series, {report.process_bytes:,} bytes"
    for model in report.models:
        yield f"  {_model(model)}"
    if len(report.models) > 1 or report.models[0].versions > 1:
        yield f"  with one version each: {report.series:,} series, {report.bytes:,} bytes"


def _alerts(report: Report) -> Iterator[str]:
    if report.alerts:
        yield "alerts, once `driftgauge rules` has made them rules:"
        yield from (f"  {sentence}" for sentence in report.alerts)


def _model(model: ModelEstimate) -> str:
    text = f"{model.model}: {model.series:,} series, {model.bytes:,} bytes a version (of {model.versions})"
    if model.dropped:
        text += f"; {model.dropped:,} more are beyond limits.series"
    if model.assumed:
        text += f" (assumed: {'; '.join(model.assumed)})"
    return text
