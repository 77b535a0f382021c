"""The log of a command that serves: one line an event, on stderr."""

from __future__ import annotations

import logging
from typing import Final

import click

_LEVELS: Final = ("debug", "info", "warning", "error")

log_level_option = click.option(
    "--log-level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="info",
    show_default=True,
    help="The least that is written to stderr.",
)


def begin_log(level: str) -> None:
    """Write what is at least as grave as *level*, one of the option's, from now on."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
