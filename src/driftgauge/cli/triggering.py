"""`driftgauge trigger`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from driftgauge.cli.log import begin_log, log_level_option
from driftgauge.cli.parameters import tcp_address


@click.command()
@click.option(
    "--config",
    "-c",
    "file",
    type=click.Path(path_type=Path),
    envvar="DRIFTGAUGE_CONFIG",
    show_envvar=True,
    required=True,
    help="The configuration, YAML; its section `trigger` says what starts what.",
)
@click.option(
    "--listen",
    type=tcp_address,
    metavar="HOST:PORT",
    help="Where webhooks are taken, and decisions told. Over trigger.listen.  [default: 127.0.0.1:9879]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Where decisions are kept. Over trigger.directory.  [default: driftgauge-trigger]",
)
@log_level_option
@click.pass_context
def trigger(ctx: click.Context, file: Path, listen: str | None, data: Path | None, log_level: str) -> None:
    """Start guarded retraining runs from Alertmanager's webhooks.

    Runs until SIGTERM or Ctrl-C, apart from the sidecars, one for a whole installation. POST /v1/alerts
    is where Alertmanager sends; GET /v1/decisions tells what was decided, and why.
    """
    from driftgauge.config_file import load
    from driftgauge.errors import ConfigurationError

    config = load(file)
    settings = config.trigger
    settings = settings if listen is None else replace(settings, listen=listen)
    settings = settings if data is None else replace(settings, directory=data)
    if not settings.policies:
        raise ConfigurationError((f"{file} trigger.policies: expected a policy, got none",))
    begin_log(log_level)
    from driftgauge.trigger import run
    from driftgauge.trigger.actions.building import template_faults

    faults = tuple(f"{file}{fault.text()}" for fault in template_faults(settings))
    if faults:
        raise ConfigurationError(faults)

    ctx.exit(run(replace(config, trigger=settings)))
