"""`driftgauge serve`."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftgauge.cli.log import begin_log, log_level_option
from driftgauge.cli.parameters import address, byte_size, tcp_address

if TYPE_CHECKING:
    from driftgauge.config import Config

log = logging.getLogger(__name__)

# numpy's libraries read these when they are loaded: one thread each, because a sidecar shares the
# model server's CPUs and its own arrays are small.
_POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# Where OpenSSL finds certificate authorities.
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
GARBAGE_OBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says over the configuration."""

    listen: str | None
    metrics_listen: str | None
    data: Path | None
    model_version: str | None = None
    volume_bytes: int | None = None

    def over(self, config: Config) -> Config:
        """*config* with these in force.

        Raises:
            ConfigurationError: they don't fit the rest of it.
        """
        from driftgauge.config_file import faults
        from driftgauge.errors import ConfigurationError

        changed = self._over(config)
        found = faults(changed)
        if found:
            where = "the command line" if config.source is None else f"{config.source}, with the command line"
            raise ConfigurationError(tuple(f"{where}:{fault.text()}" for fault in found))
        return changed

    def _over(self, config: Config) -> Config:
        from driftgauge.config import VOLUME_SHARE, Bytes

        if self.listen is not None:
            config = replace(config, intake=replace(config.intake, listen=self.listen))
        if self.metrics_listen is not None:
            config = replace(config, observation=replace(config.observation, listen=self.metrics_listen))
        if self.data is not None:
            config = replace(config, store=replace(config.store, directory=self.data))
        if self.volume_bytes is not None and config.store.max_bytes is None:
            kept = Bytes(int(self.volume_bytes * VOLUME_SHARE))
            config = replace(config, store=replace(config.store, max_bytes=kept))
        if self.model_version:
            config = replace(config, model_version=self.model_version)
        return config


@click.command()
@click.option(
    "--config",
    "-c",
    "file",
    type=click.Path(path_type=Path),
    envvar="DRIFTGAUGE_CONFIG",
    show_envvar=True,
    help="The configuration, YAML. Without it everything is discovered; SIGHUP reads it again.",
)
@click.option(
    "--listen",
    type=address,
    metavar="ADDRESS",
    help="Where records are taken: host:port or unix:/path. Over intake.listen.  [default: 127.0.0.1:9877]",
)
@click.option(
    "--metrics-listen",
    type=tcp_address,
    metavar="HOST:PORT",
    help="Where /metrics, health and the page are. Over observation.listen.  [default: 127.0.0.1:9878]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Where state is kept. Over store.directory.  [default: driftgauge-data]",
)
@click.option(
    "--volume-size",
    type=byte_size,
    envvar="DRIFTGAUGE_VOLUME_SIZE",
    show_envvar=True,
    metavar="SIZE",
    help="The limit of the volume of --data, as 2Gi, which the file system of an emptyDir doesn't tell: the "
    "store keeps to 70% of it. store.max_bytes is over it.",
)
@click.option(
    "--model-version",
    envvar="DRIFTGAUGE_MODEL_VERSION",
    show_envvar=True,
    metavar="TEXT",
    help="The version of predictions that name none, as a pod's label has it. Over model_version.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit where it would run degraded: a bad configuration (2), a taken port or a broken store (1).",
)
@log_level_option
@click.pass_context
def serve(
    ctx: click.Context,
    file: Path | None,
    listen: str | None,
    metrics_listen: str | None,
    data: Path | None,
    volume_size: int | None,
    model_version: str | None,
    *,
    strict: bool,
    log_level: str,
) -> None:
    """Take records, expose metrics, until SIGTERM or Ctrl-C.

    Without --strict it never exits by itself: a configuration that can't be used, a taken port or a
    broken store is a degraded state that /metrics and the log tell.
    """
    pin_threads()
    collect_rarely()
    begin_log(log_level)
    flags = Flags(listen, metrics_listen, data, model_version, volume_size)
    read = reader(file, flags)
    config, error = first(read, flags, strict=strict)
    with without_certificates():
        from driftgauge.app import run

    ctx.exit(run(config, strict=strict, reload=read, configuration_error=error))


def pin_threads() -> None:
    """Give each of numpy's thread pools one thread, unless the environment says otherwise."""
    for name in _POOLS:
        os.environ.setdefault(name, "1")


def collect_rarely() -> None:
    """Look for cycles after more objects than a body of records makes: there are hardly any, and a look
    at all that is imported, or at a batch on its way, costs milliseconds.
    """
    gc.set_threshold(GARBAGE_OBJECTS, 10, 10)


@contextmanager
def without_certificates() -> Iterator[None]:
    """While the block imports aiohttp, which reads all certificate authorities for requests that `serve`
    never makes: 0.1 s and 2 MiB.
    """
    unset = [name for name in _CERTIFICATES if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, os.devnull))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def reader(file: Path | None, flags: Flags) -> Callable[[], Config]:
    """What reads the configuration, now and at each SIGHUP; without a file it is the defaults."""

    def read() -> Config:
        from driftgauge.config import Config
        from driftgauge.config_file import load

        return flags.over(Config() if file is None else load(file))

    return read


def first(read: Callable[[], Config], flags: Flags, *, strict: bool) -> tuple[Config, str | None]:
    """The configuration to start with; defaults and what is wrong with the file's, unless *strict*.

    Raises:
        ConfigurationError: it can't be used and *strict*, or the flags alone can't.
    """
    from driftgauge.config import Config
    from driftgauge.errors import ConfigurationError

    fallback = flags.over(Config())
    found: ConfigurationError
    try:
        return read(), None
    except ConfigurationError as error:
        if strict:
            raise
        found = error
    for fault in found.faults:
        log.error("the configuration can't be used, so the defaults are: %s", fault)
    return fallback, str(found)
