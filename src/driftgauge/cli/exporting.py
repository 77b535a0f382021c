"""`driftgauge export` and `driftgauge inspect`: what a data directory holds, read beside the writer."""

from __future__ import annotations

from pathlib import Path

import click

from driftgauge.cli.parameters import moment

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("driftgauge-data"),
    show_default=True,
    help="The data directory of `serve`; it may run meanwhile.",
)


@click.command()
@_DATA
@click.option("--model", required=True, help="Whose records.")
@click.option("--model-version", help="Only this version's.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "ndjson", "parquet"]),
    default="csv",
    show_default=True,
    help="parquet needs the extra driftgauge[parquet], and --output.",
)
@click.option("--since", type=moment, metavar="TIME", help="Records predicted at or after this time.")
@click.option("--until", type=moment, metavar="TIME", help="Records predicted before this time.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where they go; stdout without it.",
)
def export(
    data: Path,
    model: str,
    model_version: str | None,
    form: str,
    since: float | None,
    until: float | None,
    output: Path | None,
) -> None:
    """Write the joined records kept for retraining.

    Only what the configuration's `export:` opted in to is there: a sample, and the features it names.
    Times are RFC 3339 (2026-01-31T00:00:00Z), a date, or epoch seconds.
    """
    from driftgauge.export import ExportFormat, Wanted, write

    count = write(data, Wanted(model, model_version, since, until), ExportFormat(form), output)
    place = "" if output is None else f" to {output}"
    click.echo(f"{count} record{'' if count == 1 else 's'}{place}", err=True)
    if not count:
        click.echo("driftgauge: nothing was kept for these; is export.keep configured?", err=True)


@click.command()
@_DATA
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def inspect(data: Path, *, as_json: bool) -> None:
    """Show what a data directory holds. Reads only."""
    from driftgauge.export import inspected

    found = inspected(data)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    click.echo(f"{found.path}: schema version {found.schema_version}, SQLite {found.sqlite_version}")
    click.echo(f"database {found.database_bytes:,} bytes, write-ahead log {found.wal_bytes:,} bytes")
    width = max((len(table.name) for table in found.tables), default=0)
    for table in found.tables:
        size = "" if table.bytes is None else f"  {table.bytes:>14,} bytes"
        click.echo(f"  {table.name.ljust(width)}  {table.rows:>12,} rows{size}")
