"""The command `driftgauge` and how its failures are told."""

from __future__ import annotations

import click

from driftgauge import __version__
from driftgauge.cli.checking import check
from driftgauge.cli.demonstrating import demo
from driftgauge.cli.exporting import export, inspect
from driftgauge.cli.injecting import injector
from driftgauge.cli.manifesting import manifest
from driftgauge.cli.profiling import profile
from driftgauge.cli.referring import reference
from driftgauge.cli.requesting import healthcheck, history
from driftgauge.cli.ruling import rules
from driftgauge.cli.serving import serve
from driftgauge.cli.triggering import trigger
from driftgauge.errors import ConfigurationError, DriftgaugeError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


class _Commands(click.Group):
    """Tells failures that have words in one line each, and everything else with its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _tell(error.faults)
            ctx.exit(MISUSED)
        except DriftgaugeError as error:
            _tell(str(error).splitlines())
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def _tell(lines: tuple[str, ...] | list[str]) -> None:
    for line in lines:
        click.echo(f"driftgauge: {line}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="driftgauge")
def main() -> None:
    """Watches a model: how far its inputs, predictions and quality have moved, for Prometheus.

    `driftgauge serve` with no configuration is enough to begin with; `driftgauge demo` shows it.
    """


for command in (
    serve,
    demo,
    check,
    rules,
    profile,
    reference,
    history,
    export,
    inspect,
    healthcheck,
    trigger,
    manifest,
    injector,
):
    main.add_command(command)
