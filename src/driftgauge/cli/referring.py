"""`driftgauge reference`: what a running process compares with, written out, accepted, learned anew."""

from __future__ import annotations

from pathlib import Path

import click

from driftgauge.cli.parameters import duration, moment
from driftgauge.cli.requesting import TOKEN, URL

_MODEL = click.argument("model")
_VERSION = click.option("--version", "model_version", help="This version's; the newest one's without it.")


@click.group()
def reference() -> None:
    """What a running process compares a model with."""


@reference.command()
@_MODEL
@_VERSION
@URL
@TOKEN
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where it goes; stdout without it.",
)
def export(
    model: str, model_version: str | None, url: str, token_file: Path | None, output: Path | None
) -> None:
    """Write the reference in force as `driftgauge profile` would.

    A model's `reference:` takes the file, so that all replicas, or the next deployment, compare with the
    same.
    """
    from driftgauge.cli.client import Client
    from driftgauge.errors import DriftgaugeError
    from driftgauge.reference import from_json

    body = Client(url, token_file).ask("GET", ("v1", "models", model, "reference"), model_version)
    found = from_json(body, url)
    if output is None:
        click.echo(body, nl=False)
    else:
        try:
            output.write_bytes(body)
        except OSError as error:
            raise DriftgaugeError(f"{output}: can't be written: {error.strerror}") from error
    names = len(found.bins.numeric) + len(found.bins.categorical)
    standing = _standing(int(found.row.counts[0]), found.span_seconds)
    click.echo(f"reference {found.id}: {names} features and outputs, {standing}", err=True)


@reference.command()
@_MODEL
@_VERSION
@URL
@TOKEN
def accept(model: str, model_version: str | None, url: str, token_file: Path | None) -> None:
    """Freeze what is provisional or unstable.

    It says what that stands on: records, their time, and which alternate days differ.
    """
    _order(url, token_file, ("v1", "models", model, "reference", "accept"), model_version)


@reference.command()
@_MODEL
@_VERSION
@URL
@TOKEN
@click.option("--window", type=duration, metavar="DURATION", help="Take the kept records of so long: 30d.")
@click.option("--since", type=moment, metavar="TIME", help="Take the kept records since then.")
def relearn(
    model: str,
    model_version: str | None,
    url: str,
    token_file: Path | None,
    window: float | None,
    since: float | None,
) -> None:
    """Learn the reference anew, or take it from kept records.

    With --window or --since the reference is what the kept hours hold, at once, in the bins that are
    in force; windows go on. Without them learning begins with nothing, and so do the windows of inputs
    and outputs.
    """
    if window is not None and since is not None:
        raise click.UsageError("expected --window or --since, got both")
    path = ("v1", "models", model, "reference", "relearn")
    _order(
        url, token_file, path, model_version, window=None if window is None else f"{window:.3f}s", since=since
    )


def _order(
    url: str,
    token_file: Path | None,
    path: tuple[str, ...],
    model_version: str | None,
    **query: str | float | None,
) -> None:
    import json

    from driftgauge.cli.client import Client

    told = json.loads(Client(url, token_file).ask("POST", path, model_version, **query))
    for part in told["parts"]:
        standing = f"{part['reference']}, {_standing(part['records'], part['span_seconds'])}; "
        click.echo(
            f"{told['model']} {told['model_version']} {part['part']}: {part['state']}, "
            f"{standing if part['reference'] else ''}{part['note']}"
        )


def _standing(records: int, span_seconds: float) -> str:
    return f"{records:,} records over {span_seconds / 86_400:.1f} days"
