"""`driftgauge manifest`: the sidecar for a pod, as a Kustomize component or in a user's own resource."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from driftgauge.artefacts.manifests import Sidecar


class _Minor(click.ParamType[tuple[int, int]]):
    """A version of Kubernetes: ``1.29``, ``v1.31.4``."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """The two first numbers."""
        if isinstance(value, tuple):
            return value
        match = re.match(r"v?(\d{1,3})\.(\d{1,3})(?:\.|$)", str(value))
        if match is None:
            self.fail(f"expected a version of Kubernetes such as 1.29, got {value!r}", param, ctx)
        return int(match[1]), int(match[2])


@click.command()
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="The sidecar's configuration."
)
@click.option(
    "--patch",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Resources to put the sidecar into; - for stdin. Without it a Kustomize component is written.",
)
@click.option(
    "--kubernetes", type=_Minor(), default="1.29", show_default=True, help="The oldest cluster that takes it."
)
@click.option("--image", help="The image; driftgauge and this version without it.")
@click.option(
    "--config-map", default="driftgauge", show_default=True, help="The ConfigMap of the configuration."
)
@click.option(
    "--claim", metavar="NAME", help="A PersistentVolumeClaim for the state, which then outlives the pod."
)
@click.option(
    "--volume-size", default="2Gi", show_default=True, help="The limit of an emptyDir without --claim."
)
@click.option(
    "--token-secret",
    metavar="NAME",
    help="A secret whose key `token` senders outside of the pod must show; needs `outside` configured.",
)
@click.option(
    "--version-label",
    metavar="LABEL",
    default="driftgauge.io/model-version",
    show_default=True,
    help="The pod's label that is the model's version where a record names none.",
)
@click.option(
    "--reference-map",
    "reference_maps",
    multiple=True,
    metavar="NAME",
    help="A ConfigMap with reference files, at /etc/driftgauge-references/NAME. Repeatable.",
)
def manifest(
    *,
    config: Path | None,
    patch: Path | None,
    kubernetes: tuple[int, int],
    image: str | None,
    config_map: str,
    claim: str | None,
    volume_size: str,
    token_secret: str | None,
    version_label: str,
    reference_maps: tuple[str, ...],
) -> None:
    """Put the sidecar into a pod.

    With --patch, the resources of FILE come back with the sidecar in each Deployment, StatefulSet, DaemonSet,
    Pod or InferenceService, and with its ConfigMap; putting them in again changes nothing. Without it, a
    Kustomize component does the same to every Deployment and StatefulSet of a kustomization.

    From Kubernetes 1.29 on it is a native sidecar, an init container that restarts: it starts before the
    model and stops after it.
    """
    from dataclasses import replace

    from driftgauge.artefacts.manifests import (
        NATIVE_SINCE,
        REFERENCE_NAMES,
        Sidecar,
        component,
        wrong_reference,
    )

    wrong = wrong_reference(reference_maps)
    if wrong is not None:
        raise click.BadParameter(f"expected {REFERENCE_NAMES}, got {wrong!r}", param_hint="--reference-map")
    text = None if config is None else _read(config, token_secret)
    sidecar = Sidecar(
        config_map=None if text is None else config_map,
        native=kubernetes >= NATIVE_SINCE,
        volume=claim,
        volume_bytes=volume_size,
        token_secret=token_secret,
        references=reference_maps,
        version_label=version_label or None,
    )
    sidecar = sidecar if image is None else replace(sidecar, image=image)
    if patch is None:
        click.echo(component(sidecar, text), nl=False)
    else:
        click.echo(_patched(patch, sidecar, text), nl=False)


def _read(config: Path, token_secret: str | None) -> str:
    """The configuration's text, once it has been understood."""
    from driftgauge.artefacts.manifests import OUTSIDE_PORT, REFERENCES, TOKEN_FILE
    from driftgauge.config_file import load
    from driftgauge.errors import DriftgaugeError

    found = load(config)
    door, listen = found.outside, f"0.0.0.0:{OUTSIDE_PORT}"
    if token_secret is not None and (door.listen, str(door.token_file)) != (listen, TOKEN_FILE):
        raise DriftgaugeError(
            f"{config} outside: expected {{listen: {listen}, token_file: {TOKEN_FILE}}}, for --token-secret, "
            f"got {{listen: {door.listen}, token_file: {door.token_file}}}"
        )
    for name, model in found.models.items():
        if model.reference is not None and not str(model.reference).startswith(f"{REFERENCES}/"):
            click.echo(
                f"driftgauge: {config} models.{name}.reference: {model.reference} is a path of this machine; "
                f"in the pod references are at {REFERENCES}/<ConfigMap>/<key>, see --reference-map",
                err=True,
            )
    return config.read_text(encoding="utf-8")


def _patched(file: Path, sidecar: Sidecar, text: str | None) -> str:
    import yaml

    from driftgauge.artefacts.manifests import KINDS, UnsuitableError, config_map, patched
    from driftgauge.artefacts.yaml_text import dumped
    from driftgauge.errors import DriftgaugeError

    where = "stdin" if str(file) == "-" else str(file)
    try:
        given = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        documents = [document for document in yaml.safe_load_all(given) if document is not None]
    except (OSError, UnicodeDecodeError) as error:
        raise DriftgaugeError(f"{where}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise DriftgaugeError(f"{where}: expected YAML: {' '.join(str(error).split())}") from error
    ours = None if text is None else config_map(str(sidecar.config_map), text)
    made: list[dict[str, Any]] = []
    taken: list[dict[str, Any]] = []
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict):
            raise DriftgaugeError(
                f"{where} document {number}: expected a resource, got {type(document).__name__}"
            )
        if ours is not None and _same(document, ours):
            continue
        try:
            taken.append(patched(document, sidecar))
            made.append(taken[-1])
        except UnsuitableError as error:
            if document.get("kind") in KINDS:
                raise DriftgaugeError(f"{where} document {number}: {error}") from error
            made.append(document)
    if not taken:
        raise DriftgaugeError(f"{where}: expected a {', '.join(KINDS)}, found none")
    return "---\n".join(dumped(each) for each in (*_beside(taken, ours), *made))


def _same(document: dict[str, Any], ours: dict[str, Any]) -> bool:
    metadata = document.get("metadata") or {}
    return document.get("kind") == "ConfigMap" and metadata.get("name") == ours["metadata"]["name"]


def _beside(taken: list[dict[str, Any]], ours: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The ConfigMap in the namespace of what uses it."""
    if ours is not None:
        namespaces = {str((each.get("metadata") or {}).get("namespace", "")) for each in taken}
        if len(namespaces) == 1 and (namespace := namespaces.pop()):
            ours["metadata"]["namespace"] = namespace
        yield ours
