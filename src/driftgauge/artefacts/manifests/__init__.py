"""The sidecar in a pod: its container and volumes, and a user's own resource with them in it."""

from driftgauge.artefacts.manifests.component import component
from driftgauge.artefacts.manifests.patching import KINDS, UnsuitableError, patched
from driftgauge.artefacts.manifests.sidecar import (
    CONFIG_KEY,
    NAME,
    NATIVE_SINCE,
    OUTSIDE_PORT,
    REFERENCE_NAMES,
    REFERENCES,
    TOKEN_FILE,
    Sidecar,
    config_map,
    container,
    volumes,
    wrong_reference,
)

__all__ = [
    "CONFIG_KEY",
    "KINDS",
    "NAME",
    "NATIVE_SINCE",
    "OUTSIDE_PORT",
    "REFERENCES",
    "REFERENCE_NAMES",
    "TOKEN_FILE",
    "Sidecar",
    "UnsuitableError",
    "component",
    "config_map",
    "container",
    "patched",
    "volumes",
    "wrong_reference",
]
