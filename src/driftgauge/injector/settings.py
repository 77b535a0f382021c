"""What the command line chooses of an injector."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from driftgauge.artefacts.manifests import Sidecar


@dataclass(frozen=True, slots=True)
class Settings:
    """One injector.

    Attributes:
        certificate, key: PEM files that TLS shows; a chain begins with the server's own.
        listen: where the API server asks, host:port, TLS.
        metrics_listen: where Prometheus and probes ask, host:port, without TLS.
        sidecar: what a pod gets where its annotations don't choose.
        look_seconds: between looks at the files.
        linger_seconds: how long it answers on after a signal, while the cluster forgets its address.
    """

    certificate: Path
    key: Path
    listen: str = "127.0.0.1:9443"
    metrics_listen: str = "127.0.0.1:9878"
    # A pod must start though its ConfigMap isn't there.
    sidecar: Sidecar = field(default_factory=lambda: Sidecar(optional=True))
    look_seconds: float = 10.0
    linger_seconds: float = 5.0
