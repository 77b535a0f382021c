"""`driftgauge injector`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from driftgauge.cli.log import begin_log, log_level_option
from driftgauge.cli.parameters import duration, tcp_address


@click.command()
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    required=True,
    help="The certificate that TLS shows, PEM; read again when it changes.",
)
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Its key, PEM, without password.")
@click.option(
    "--listen",
    type=tcp_address,
    default="127.0.0.1:9443",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the API server asks, with TLS.",
)
@click.option(
    "--metrics-listen",
    type=tcp_address,
    default="127.0.0.1:9878",
    show_default=True,
    metavar="HOST:PORT",
    help="Where /metrics, /healthz and /readyz are.",
)
@click.option("--image", help="The sidecar's image; driftgauge and this version without it.")
@click.option(
    "--native/--plain",
    default=True,
    show_default=True,
    help="An init container that restarts (Kubernetes 1.29 and newer), or a plain container.",
)
@click.option(
    "--linger",
    type=duration,
    default="5s",
    show_default=True,
    help="How long it answers on after SIGTERM, while the cluster forgets its address.",
)
@log_level_option
@click.pass_context
def injector(
    ctx: click.Context,
    *,
    certificate: Path,
    key: Path,
    listen: str,
    metrics_listen: str,
    image: str | None,
    native: bool,
    linger: float,
    log_level: str,
) -> None:
    """Put the sidecar into pods that ask by annotation.

    A mutating admission webhook: POST /mutate answers the API server's AdmissionReview (v1) for new pods
    with `driftgauge.io/inject: "true"`. Every pod is allowed; one that can't take the sidecar starts
    without it, with a warning that says why. Runs until SIGTERM or Ctrl-C.
    """
    from driftgauge.artefacts.manifests import Sidecar
    from driftgauge.injector import Settings, run

    begin_log(log_level)
    sidecar = Sidecar(native=native, optional=True)
    settings = Settings(
        certificate,
        key,
        listen,
        metrics_listen,
        sidecar if image is None else replace(sidecar, image=image),
        linger_seconds=linger,
    )
    ctx.exit(run(settings))
