"""What works and may not be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftgauge.config import DAY, Config, Durability, FeatureKind, Model
from driftgauge.config_file import TcpAddress, duration_text, parse_address
from driftgauge.reference import Reference
from driftgauge.sketches.inputs import feature_key

_LOOPBACK = ("127.", "localhost", "::1")


def warnings(
    config: Config, references: Mapping[str, Reference], dropped: Mapping[str, int]
) -> Iterator[str]:
    """A line each: where, what it means, what can be done.

    Args:
        references: the reference files that could be read, by model.
        dropped: series beyond the limit, by model.
    """
    yield from _state(config)
    for name, model in config.models.items():
        reference = references.get(name)
        if reference is not None:
            yield from _undeclared(name, model, reference)
            yield from _weight(name, model, reference)
            yield from _segment_drift(name, model, reference)
    for name, count in dropped.items():
        yield (
            f"limits.series: {count} series of each version of {name} are beyond {config.limits.series}; "
            "the last features and segments are left out"
        )
    yield from _doors(config)
    if config.store.durability is Durability.MEMORY:
        yield "store.durability: memory: what was acknowledged is lost with the process"
    if config.export.keep is not None and not config.export.features:
        yield "export.features: none is named, so records are kept without any feature"
    yield from _trigger(config)
    if config.time_scale != 1:
        yield f"time_scale: {config.time_scale:g} divides durations; it is for demonstrations and tests"


def _state(config: Config) -> Iterator[str]:
    models = config.models or {"defaults": config.defaults}
    lasting = [
        f"{name} ({duration_text(max(*model.windows, model.outcomes.horizon))})"
        for name, model in models.items()
        if max(*model.windows, model.outcomes.horizon) > DAY
    ]
    if lasting and config.store.durability is not Durability.MEMORY:
        shown = ", ".join(lasting[:5]) + (", ..." if len(lasting) > 5 else "")
        yield (
            f"store.directory: windows or horizons of more than 1d ({shown}) outlive most pods: "
            f"{config.store.directory} must lie on a volume that is kept, or they never fill"
        )


def _trigger(config: Config) -> Iterator[str]:
    trigger = config.trigger
    if not trigger.policies:
        return
    if config.export.keep is None:
        yield "trigger: export.keep is off, so no joined records are kept that a run could learn from"
    elif trigger.export.data is None:
        yield "trigger.export.data: none, so runs are given no export of joined records"
    if trigger.sidecar.url is None and trigger.prometheus.url is None:
        yield (
            "trigger: neither sidecar.url nor prometheus.url, so no run is ever judged, and each model has "
            "one in judge.within"
        )
    address = parse_address(trigger.listen)
    outside = isinstance(address, TcpAddress) and not address.host.startswith(_LOOPBACK)
    if outside and trigger.token_file is None:
        door = f"trigger.listen: {trigger.listen} can be reached from outside the pod"
        yield f"{door} and asks for no token; use trigger.token_file"


def _weight(name: str, model: Model, reference: Reference) -> Iterator[str]:
    weight = model.value.weight if model.value else None
    if weight is not None and feature_key(weight) in reference.bins.categorical:
        yield (
            f"models.{name}.value.weight: the reference file has {weight} as "
            f"{_kind(reference, feature_key(weight))}, so no record has a value; profile again with "
            "--model-config"
        )


def _segment_drift(name: str, model: Model, reference: Reference) -> Iterator[str]:
    known = {*reference.bins.numeric, *reference.bins.categorical} - reference.bins.identifiers
    for feature in model.segment_drift:
        if feature_key(feature) not in known:
            yield (
                f"models.{name}.segment_drift: the reference file doesn't have {feature} as a numeric or "
                "categorical feature, so its drift is not told by segment"
            )


def _undeclared(name: str, model: Model, reference: Reference) -> Iterator[str]:
    bins = reference.bins
    for feature, declared in model.features.items():
        key = feature_key(feature)
        where = f"models.{name}.features.{feature}"
        if key not in bins.numeric and key not in bins.categorical:
            yield f"{where}: the reference file doesn't have it, so it is not watched"
        elif declared.kind is not None and declared.kind is not _kind(reference, key):
            yield (
                f"{where}.kind: declared {declared.kind}, but the reference file has it as "
                f"{_kind(reference, key)}, which counts; profile again with --model-config"
            )


def _kind(reference: Reference, key: str) -> FeatureKind:
    if key in reference.bins.identifiers:
        return FeatureKind.IDENTIFIER
    return FeatureKind.NUMERIC if key in reference.bins.numeric else FeatureKind.CATEGORICAL


def _doors(config: Config) -> Iterator[str]:
    address = parse_address(config.intake.listen)
    if isinstance(address, TcpAddress) and not address.host.startswith(_LOOPBACK):
        door = f"intake.listen: {config.intake.listen} can be reached from outside the pod"
        if config.intake.token_file is None:
            yield f"{door} and asks for no token; use 127.0.0.1, or intake.token_file"
