"""Commands that ask a running process: history, health."""

from __future__ import annotations

from pathlib import Path

import click

from driftgauge.cli.parameters import moment

URL = click.option(
    "--url",
    default="http://127.0.0.1:9877",
    show_default=True,
    envvar="DRIFTGAUGE_URL",
    show_envvar=True,
    help="The intake door of the running process; unix:/path for a socket.",
)
TOKEN = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file whose first line is the door's token.",
)
_MODEL = click.option("--model", required=True, help="Whose.")


@click.command()
@_MODEL
@click.option("--model-version", help="Only this version; all without the flag.")
@URL
@TOKEN
@click.option("--since", type=moment, metavar="TIME", help="Spans that end after this time.")
@click.option("--until", type=moment, metavar="TIME", help="Spans that begin before this time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "ndjson"]),
    default="csv",
    show_default=True,
    help="A table, or one JSON object a line.",
)
def history(
    model: str,
    model_version: str | None,
    url: str,
    token_file: Path | None,
    since: float | None,
    until: float | None,
    form: str,
) -> None:
    """Write a model's quality by hour, and by day before that.

    Each span has its predictions, joined outcomes and what could be computed from them.
    """
    from driftgauge.cli.client import Client
    from driftgauge.cli.tables import history_lines

    body = Client(url, token_file).ask(
        "GET", ("v1", "models", model, "history"), model_version, start=since, end=until
    )
    for line in history_lines(body, form):
        click.echo(line)


@click.command()
@click.option(
    "--url",
    default="http://127.0.0.1:9878",
    show_default=True,
    envvar="DRIFTGAUGE_HEALTH_URL",
    show_envvar=True,
    help="The observation door; the intake door answers too.",
)
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=3.0, show_default=True, help="Seconds to wait."
)
@click.option("--ready", is_flag=True, help="Ask whether state is restored and records are taken (/readyz).")
def healthcheck(url: str, timeout: float, *, ready: bool) -> None:
    """Exit with 0 where the process is healthy, else with 1.

    For containers: it needs neither a shell nor curl.
    """
    from driftgauge.cli.client import Client

    Client(url, None, timeout).ask("GET", ("readyz" if ready else "healthz",))
