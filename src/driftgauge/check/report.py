"""A configuration file judged: faults, warnings, and what each model adds to a scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from driftgauge import reference as references
from driftgauge.artefacts.alerts import sentences
from driftgauge.check.alert_series import alert_warnings
from driftgauge.check.files import fault_of_reference, fault_of_token
from driftgauge.check.series import Weight, heads_bytes, live_weight, version_weight
from driftgauge.check.shape import shape_of
from driftgauge.check.warnings import warnings
from driftgauge.config import Config, Model
from driftgauge.config_file import Fault, load
from driftgauge.config_file.nodes import compose
from driftgauge.config_file.tree import TreeReader
from driftgauge.errors import ConfigurationError
from driftgauge.reference import Reference
from driftgauge.trigger.actions.building import template_faults
from driftgauge.trigger_config import Trigger

UNNAMED = "(any other)"


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What one version of a model adds to a scrape once all its labels are known.

    Attributes:
        model: its name; ``(any other)`` for models that have only the defaults.
        series, bytes: of one version, the limit applied; *dropped*: series beyond the limit.
        versions: how many versions are kept at most.
        assumed: what was assumed because neither configuration nor reference tells.
    """

    model: str
    series: int
    bytes: int
    dropped: int
    versions: int
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that `check` found.

    Attributes:
        faults: ``file:line path: expected ..., got ...``; the configuration can't be used as it stands.
        warnings: what works and may not be meant.
        process_series, process_bytes: of the process itself, before any model.
        series, bytes: of a scrape with one version of each named model.
        alerts: what `alerts` tells and when, a sentence a severity.
    """

    file: str
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    models: tuple[ModelEstimate, ...] = ()
    process_series: int = 0
    process_bytes: int = 0
    series: int = 0
    bytes: int = 0
    alerts: tuple[str, ...] = ()


def check(path: Path) -> Report:
    """Judge the file at *path*, the files that it names, and what a scrape will weigh.

    Cost: the configuration's reading, and about 1 us a series of each model.
    """
    try:
        config = load(path)
    except ConfigurationError as error:
        return Report(str(path), error.faults)
    found: dict[str, Reference] = {}
    faults = tuple(_file_faults(path, config, found))
    estimates = tuple(
        _estimate(name, model, config, found.get(name)) for name, model in _models(config).items()
    )
    process = live_weight(()) + Weight(0, heads_bytes(config.metrics))
    return Report(
        file=str(path),
        faults=faults,
        warnings=(
            *warnings(config, found, estimates_of(estimates)),
            *alert_warnings(config, found),
        ),
        models=estimates,
        process_series=process.series,
        process_bytes=process.bytes,
        series=process.series + sum(e.series for e in estimates),
        bytes=process.bytes + sum(e.bytes for e in estimates),
        alerts=tuple(sentences(config)),
    )


def estimates_of(estimates: tuple[ModelEstimate, ...]) -> Mapping[str, int]:
    """Series beyond the limit by model, of those that have any."""
    return {e.model: e.dropped for e in estimates if e.dropped}


def _models(config: Config) -> Mapping[str, Model]:
    return config.models or {UNNAMED: config.defaults}


def _file_faults(path: Path, config: Config, found: dict[str, Reference]) -> Iterator[str]:
    lines = _lines(path)
    for fault in _named_files(config, found):
        line = next((lines[p] for p in _upwards(fault.path) if p in lines), 1)
        yield f"{path}:{line}{fault.text()}"


def _named_files(config: Config, found: dict[str, Reference]) -> Iterator[Fault]:
    """Faults of the reference and token files; references that can be read are put into *found*."""
    for name, model in (*config.models.items(), ("", config.defaults)):
        if model.reference is None:
            continue
        where = ("models", name, "reference") if name else ("defaults", "reference")
        fault = fault_of_reference(model.reference, where)
        if fault is not None:
            yield fault
        else:
            found[name or UNNAMED] = references.load(model.reference)
    for door in ("intake", "observation", "outside"):
        token: Path | None = getattr(config, door).token_file
        fault = None if token is None else fault_of_token(token, (door, "token_file"))
        if fault is not None:
            yield fault
    yield from _trigger_files(config.trigger)


def _trigger_files(trigger: Trigger) -> Iterator[Fault]:
    """Faults of the templates and of the files with secrets; those of a pod's account are not looked for."""
    yield from template_faults(trigger)
    named: list[tuple[Path | None, tuple[str, ...]]] = [
        (trigger.token_file, ("trigger", "token_file")),
        (trigger.approval_token_file, ("trigger", "approval_token_file")),
    ]
    for name in ("sidecar", "prometheus", "alertmanager"):
        file: Path | None = getattr(trigger, name).token_file
        named.append((file, ("trigger", name, "token_file")))
    for name, policy in trigger.policies.items():
        path = ("trigger", "policies", name)
        if policy.webhook is not None:
            named.append((policy.webhook.secret_file, (*path, "webhook", "secret_file")))
            named.append((policy.webhook.token_file, (*path, "webhook", "token_file")))
        if policy.kubeflow is not None:
            named.append((policy.kubeflow.token_file, (*path, "kubeflow", "token_file")))
    for file, where in named:
        fault = None if file is None else fault_of_token(file, where)
        if fault is not None:
            yield fault


def _lines(path: Path) -> Mapping[tuple[str | int, ...], int]:
    """Where each setting of a file that loads stands."""
    node = compose(path.read_text(encoding="utf-8-sig"))
    if node is None:
        return {}
    reader = TreeReader(path.parent)
    reader.read(Config, node)
    return reader.lines


def _upwards(path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The path and the sections around it, the innermost first."""
    return (path[:length] for length in range(len(path), 0, -1))


def _estimate(name: str, model: Model, config: Config, reference: Reference | None) -> ModelEstimate:
    shape = shape_of(name, model, config, reference)
    weight = version_weight(shape, config.metrics)
    limit = config.limits.series
    kept = min(weight.series, limit)
    size = weight.bytes * kept // max(1, weight.series)
    live = live_weight(("model", "model_version")) + live_weight(("model",))
    return ModelEstimate(
        model=name,
        series=kept + live.series,
        bytes=size + live.bytes,
        dropped=weight.series - kept,
        versions=config.limits.versions,
        assumed=shape.assumed,
    )
