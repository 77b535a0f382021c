"""Rules that a configuration keeps beyond its types: ranges, and settings that fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from driftgauge.config import Config, Export, Intake, Limits, Store
from driftgauge.config_file.addresses import TcpAddress, UnixAddress, parse_address
from driftgauge.config_file.alert_rules import alert_faults
from driftgauge.config_file.fault import Fault, either, repeated, shown
from driftgauge.config_file.model_rules import model_faults
from driftgauge.config_file.scalars import duration_text, number_text, size_text
from driftgauge.config_file.trigger_rules import trigger_faults

# Top-level fields of a record that `fields` may rename an incoming key to.
RECORD_FIELDS = (
    "prediction_id",
    "timestamp",
    "model",
    "model_version",
    "features",
    "prediction",
    "score",
    "scores",
    "latency_seconds",
    "error",
    "segments",
    "trace_id",
    "outcome",
    "value",
    "prediction_timestamp",
    "columns",
)


def faults(config: Config) -> tuple[Fault, ...]:
    """All rules that *config* breaks, in the order of the tree; empty when it can be used."""
    return tuple(_faults(config))


def _faults(config: Config) -> Iterator[Fault]:
    if len(config.models) > config.limits.models:
        expected = f"at most {config.limits.models} models (limits.models)"
        yield Fault(("models",), expected, str(len(config.models)), (("limits", "models"),))
    for name, model in config.models.items():
        yield from model_faults(("models", name), model, config.limits)
    yield from model_faults(("defaults",), config.defaults, config.limits)
    yield from alert_faults(config)
    yield from _field_faults(config)
    yield from _address_faults(config)
    yield from _intake_faults(config.intake)
    yield from _limit_faults(config.limits)
    yield from _store_faults(config.store)
    yield from _export_faults(config.export)
    yield from trigger_faults(config.trigger)
    yield from _other_faults(config)


def _field_faults(config: Config) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for incoming, target in config.fields.items():
        path = ("fields", incoming)
        if target not in RECORD_FIELDS:
            yield Fault(path, either(RECORD_FIELDS), shown(target))
        elif target in first:
            expected = f"a field that {shown(first[target])} is not renamed to already"
            yield Fault(path, expected, shown(target), (("fields", first[target]),))
        else:
            first[target] = incoming


def _address_faults(config: Config) -> Iterator[Fault]:
    doors = (
        ("intake", config.intake.listen, True),
        ("observation", config.observation.listen, False),
        ("outside", config.outside.listen, False),
    )
    taken: dict[TcpAddress | UnixAddress, str] = {}
    for door, listen, unix in doors:
        if listen is None:
            continue
        path = (door, "listen")
        try:
            address = parse_address(listen)
        except ValueError as unfit:
            yield Fault(path, str(unfit), shown(listen))
            continue
        if isinstance(address, UnixAddress) and not unix:
            yield Fault(path, "host:port", shown(listen))
        elif address in taken and not (isinstance(address, TcpAddress) and address.port == 0):
            other = taken[address]
            expected = f"another address than {other}.listen"
            yield Fault(path, expected, shown(listen), ((other, "listen"),))
        taken.setdefault(address, door)
    if config.outside.listen is not None and config.outside.token_file is None:
        path, token = ("outside", "listen"), ("outside", "token_file")
        yield Fault(path, "outside.token_file beside it", "none", (token,))


def _intake_faults(intake: Intake) -> Iterator[Fault]:
    for name in ("max_body", "max_inflated", "queue"):
        size: int = getattr(intake, name)
        if size <= 0:
            yield Fault(("intake", name), "a size above 0", size_text(size))
    for larger, smaller in (("max_inflated", "max_body"), ("queue", "max_inflated")):
        size, least = getattr(intake, larger), getattr(intake, smaller)
        if 0 < size < least:
            # Such a body could be sent again forever and never be taken.
            expected = f"at least intake.{smaller}, {size_text(least)}"
            yield Fault(("intake", larger), expected, size_text(size), (("intake", smaller),))
    if intake.linger > 1:
        yield Fault(("intake", "linger"), "at most 1s", duration_text(intake.linger))


def _limit_faults(limits: Limits) -> Iterator[Fault]:
    for limit in fields(limits):
        value: int = getattr(limits, limit.name)
        least = 2 if limit.name == "classes" else 1
        if value < least:
            yield Fault(("limits", limit.name), f"at least {least}", str(value))


def _store_faults(store: Store) -> Iterator[Fault]:
    for name in ("max_bytes", "pending", "batches"):
        size: int | None = getattr(store, name)
        if size is not None and size <= 0:
            yield Fault(("store", name), "a size above 0", size_text(size))
    if store.checkpoint <= 0:
        yield _not_above_0(("store", "checkpoint"), store.checkpoint)


def _export_faults(export: Export) -> Iterator[Fault]:
    if export.keep is not None and export.keep <= 0:
        yield _not_above_0(("export", "keep"), export.keep)
    if export.sample <= 0:
        yield Fault(("export", "sample"), "a ratio above 0", number_text(export.sample))
    if export.max_bytes <= 0:
        yield Fault(("export", "max_bytes"), "a size above 0", size_text(export.max_bytes))
    for index, name in repeated(export.features):
        yield Fault(("export", "features", index), "each feature once", f"{shown(name)} again")


def _other_faults(config: Config) -> Iterator[Fault]:
    for index, family in repeated(config.metrics):
        yield Fault(("metrics", index), "each family once", f"{family} again")
    longest = config.limits.label_characters
    if len(config.model_version) > longest:
        expected = f"at most {longest} characters (limits.label_characters)"
        yield Fault(("model_version",), expected, str(len(config.model_version)))
    if config.evaluate <= 0:
        yield _not_above_0(("evaluate",), config.evaluate)
    if config.time_scale <= 0:
        yield Fault(("time_scale",), "a number above 0", number_text(config.time_scale))


def _not_above_0(path: tuple[str, ...], seconds: float) -> Fault:
    return Fault(path, "a duration above 0", duration_text(seconds))
