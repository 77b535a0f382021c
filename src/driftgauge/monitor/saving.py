"""Everything that a checkpoint saves, and state made again from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from driftgauge.errors import StoreError
from driftgauge.judged import Judged
from driftgauge.layout import Row
from driftgauge.monitor.detecting import Errors
from driftgauge.monitor.model import Model
from driftgauge.monitor.models import Models
from driftgauge.monitor.structure import Structure
from driftgauge.monitor.version import Version
from driftgauge.reference import from_json, to_json
from driftgauge.reference import relation as relations
from driftgauge.reference.verdicts import RelationJudged
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import PaneSeries, Part, Resolution, dirty_rows

REGISTRY: Final = "registry"
# Panes that one checkpoint folds away or deletes at most, so that none takes long.
RETIRED_AT_ONCE: Final = 240
HISTORY_DAYS: Final = 400
_KEPT_BY_DAY: Final = (Part.TRAFFIC, Part.ARRIVED, Part.MATURED)


@dataclass(frozen=True, slots=True)
class SavedPane:
    """A pane's part to write, or to delete where *row* is None."""

    owner: int
    resolution: str
    start: int
    part: str
    row: bytes | None


class _Version(msgspec.Struct, array_like=True):
    owner: int
    name: str
    first_time: float | None
    unjoined: int
    predicted_at: float | None
    outcome_at: float | None
    numeric: list[str]
    categorical: list[str]
    centres: dict[str, float]
    growing: dict[str, float | None]
    matures_after: float | None
    learned: dict[str, int]
    learning_since: dict[str, float]
    retired_before: dict[str, int]
    proposed: dict[str, str]
    related_from: int | None = None
    related: tuple[RelationJudged, ...] = ()
    errors: Errors = Errors()
    paired_with: int = 0
    busy: float = 0.0
    heard_at: float | None = None


class _Model(msgspec.Struct, array_like=True):
    owner: int
    name: str
    structure: Structure
    clock: float | None
    waiting: int
    sample_ratio: float
    form: str
    versions: list[_Version]


class _Registry(msgspec.Struct, array_like=True):
    retiring: list[int]
    next_owner: int
    models: list[_Model]


def registry(models: Models) -> bytes:
    """Names, numbers and scalars of every model and version."""
    return msgspec.msgpack.encode(
        _Registry(
            list(models.retiring()), models.next_owner, [_saved_model(m) for m in models.models.values()]
        )
    )


def _saved_model(model: Model) -> _Model:
    return _Model(
        model.owner,
        model.name,
        model.structure,
        model.clock,
        model.waiting,
        model.sample_ratio,
        model.form,
        [_saved_version(v) for v in model.versions.values()],
    )


def _saved_version(version: Version) -> _Version:
    return _Version(
        version.owner,
        version.name,
        version.first_time,
        version.unjoined,
        version.predicted_at,
        version.outcome_at,
        list(version.numeric),
        list(version.categorical),
        version.centres,
        version.growing,
        version.matures_after,
        {part: watch.learned for part, watch in version.watches.items()},
        {part: watch.since for part, watch in version.watches.items() if watch.since is not None},
        {str(k): v for k, v in _retired_before(version).items()},
        {part: version.part_state(part) for part in (Part.INPUTS, Part.OUTPUTS)},
        version.relating.begun,
        tuple(version.relating.judged.values()),
        version.errors,
        version.pairing.older,
        version.busy,
        version.heard_at,
    )


def states(models: Models) -> dict[str, bytes | None]:
    """States by key; references only where they were fixed since the last call."""
    found: dict[str, bytes | None] = {REGISTRY: registry(models)}
    for owner in models.retiring():
        found |= {_reference_key(owner, part): None for part in (Part.INPUTS, Part.OUTPUTS)}
        found[_relation_key(owner)] = None
        found[_loss_key(owner)] = None
        found[_judged_key(owner)] = None
    for version in models.versions():
        if version.judged:
            found[_judged_key(version.owner)] = msgspec.msgpack.encode(list(version.judged.values()))
        if version.relating.unsaved:
            found[_relation_key(version.owner)] = _saved_relation(version)
        if version.losses.unsaved:
            found[_loss_key(version.owner)] = version.losses.saved()
        for part in version.unsaved_references:
            watch = version.watch(part)
            if watch is None or watch.reference is None:
                found[_reference_key(version.owner, part)] = None
            else:
                mark = watch.state.encode() + b"\n"
                found[_reference_key(version.owner, part)] = mark + to_json(watch.reference)
    return found


def saved(models: Models) -> None:
    """Take note that a checkpoint holds everything that was dirty."""
    for version in models.versions():
        version.unsaved_references.clear()
        version.relating.unsaved = version.losses.unsaved = False
        for series in (version.fine, version.coarse):
            if series is not None:
                series.dirty.clear()
        for resolution, span in version.retiring.items():
            version.retired_before[resolution] = span.stop
            _let_go(version.series(resolution), span)
        version.retiring.clear()


def _retired_before(version: Version) -> dict[Resolution, int]:
    """Before which pane each resolution has none, once the checkpoint under way is kept."""
    return version.retired_before | {r: span.stop for r, span in version.retiring.items()}


def _let_go(series: PaneSeries | None, span: range) -> None:
    if series is None:
        return
    for index in span:
        for part in Part:
            series.hot.pop((part, index), None)
            if series.shelved is not None:
                series.shelved.discard((part, index))


def _judged_key(owner: int) -> str:
    return f"judged/{owner}"


def _loss_key(owner: int) -> str:
    return f"loss/{owner}"


def _relation_key(owner: int) -> str:
    return f"relation/{owner}"


def _saved_relation(version: Version) -> bytes | None:
    relation = version.relating.reference
    return None if relation is None else version.relating.state.encode() + b"\n" + relations.to_json(relation)


def _reference_key(owner: int, part: Part) -> str:
    return f"reference/{owner}/{part}"


def dirty_panes(version: Version) -> Iterator[SavedPane]:
    """Panes changed since the last checkpoint."""
    for resolution, series in (
        (Resolution.FINE, version.fine),
        (Resolution.COARSE, version.coarse),
    ):
        if series is not None:
            for part, index, row in dirty_rows(series):
                yield SavedPane(version.owner, resolution, index, part, version.encode(part, row))


def retired_panes(version: Version, now: float) -> Iterator[SavedPane]:
    """Panes that no window or cohort needs any more: deleted, traffic and quality folded by day.

    Nothing is let go of before `saved` is told that the checkpoint holds it.
    """
    version.retiring.clear()
    if version.fine is not None:
        oldest = version.fine.grid.index(now) - version.retained_minutes
        yield from _deleted(version, Resolution.FINE, version.fine, oldest)
    oldest = version.coarse.grid.index(now - version.retained_seconds)
    yield from _folded(version, oldest)
    yield from _deleted(version, Resolution.COARSE, version.coarse, oldest)
    yield from _old_days(version, now)


def _span(version: Version, resolution: Resolution, series: PaneSeries, oldest: int) -> range:
    if version.first_time is None:
        return range(0)
    begin = version.retired_before.get(resolution, series.grid.index(version.first_time))
    return range(begin, min(oldest, begin + RETIRED_AT_ONCE))


def _deleted(
    version: Version, resolution: Resolution, series: PaneSeries, oldest: int
) -> Iterator[SavedPane]:
    span = _span(version, resolution, series, oldest)
    for index in span:
        for part in Part:
            # Where the clock jumps, most of the panes that it passes never were.
            if series.shelved is None or (part, index) in series.shelved or (part, index) in series.hot:
                yield SavedPane(version.owner, resolution, index, part, None)
    if span:
        version.retiring[resolution] = span


def _folded(version: Version, oldest: int) -> Iterator[SavedPane]:
    days: dict[tuple[Part, int], Row] = {}
    for index in _span(version, Resolution.COARSE, version.coarse, oldest):
        for part in _KEPT_BY_DAY:
            row = version.coarse.row(part, index)
            if isinstance(row, Row):
                key = (part, version.day(index))
                if key not in days:
                    days[key] = _day_row(version, *key)
                days[key].add(row)
    for (part, day), row in days.items():
        yield SavedPane(version.owner, Resolution.DAY, day, part, version.encode(part, row))


def _old_days(version: Version, now: float) -> Iterator[SavedPane]:
    """Days beyond the history's end."""
    if version.first_time is None:
        return
    grid = version.coarse.grid
    begin = version.retired_before.get(Resolution.DAY, version.day(grid.index(version.first_time)))
    span = range(begin, min(version.day(grid.index(now)) - HISTORY_DAYS, begin + RETIRED_AT_ONCE))
    for day in span:
        for part in _KEPT_BY_DAY:
            yield SavedPane(version.owner, Resolution.DAY, day, part, None)
    if span:
        version.retiring[Resolution.DAY] = span


def _day_row(version: Version, part: Part, day: int) -> Row:
    data = version.shelf.pane(version.owner, Resolution.DAY, day, part)
    row = version.zero(part) if data is None else version.decode(part, data)
    assert isinstance(row, Row)
    return row


def restore(models: Models, found: Mapping[str, bytes]) -> None:
    """Models and versions as the last checkpoint left them; panes come when they are asked for.

    Raises:
        StoreError: the registry can't be read.
    """
    data = found.get(REGISTRY)
    if data is None:
        return
    try:
        registry_ = msgspec.msgpack.decode(data, type=_Registry)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the saved registry can't be read: {error}") from error
    for saved_model in registry_.models:
        _restore_model(models, saved_model, found)
    models.retire(registry_.retiring)
    models.next_owner = max(models.next_owner, registry_.next_owner)


def _restore_model(models: Models, state: _Model, found: Mapping[str, bytes]) -> None:
    model = models.restored_model(state.owner, state.name)
    model.restore(state.structure, state.clock, state.waiting, state.sample_ratio)
    model.reformed = state.form != model.form
    if model.reformed:
        model.waiting = 0
    for v in state.versions:
        version = Version(model, v.owner, v.name, models.shelf, restored=True)
        model.versions[v.name] = version
        version.first_time = v.first_time
        version.unjoined = 0 if model.reformed else v.unjoined
        version.predicted_at, version.outcome_at = v.predicted_at, v.outcome_at
        version.busy, version.heard_at = v.busy, v.heard_at
        version.pairing.older = v.paired_with
        version.numeric = dict.fromkeys(v.numeric)
        version.categorical = dict.fromkeys(v.categorical)
        version.centres, version.growing = v.centres, v.growing
        for part, watch in version.watches.items():
            watch.learned, watch.since = v.learned.get(part, 0), v.learning_since.get(part)
        version.errors = Errors.of(model.config.detectors, None if model.reformed else v.errors)
        if model.config.outcomes.matures_after is None:
            version.matures_after = version.kept_maturity = v.matures_after
        version.retired_before = {Resolution(k): i for k, i in v.retired_before.items()}
        _restore_references(version, found)
        _restore_relation(version, v.related_from, found)
        version.losses.restore(found.get(_loss_key(v.owner)))
        _restore_judged(version, found.get(_judged_key(v.owner)))
        version.relating.take(v.related)
        models.give(version)


def _restore_judged(version: Version, data: bytes | None) -> None:
    if data is None:
        return
    try:
        found = msgspec.msgpack.decode(data, type=list[Judged])
    except msgspec.MsgspecError as error:
        raise StoreError(f"saved verdicts can't be read: {error}") from error
    version.judged = {judged.window: judged for judged in found}


def _restore_relation(version: Version, begun: int | None, found: Mapping[str, bytes]) -> None:
    relating = version.relating
    relating.begun = begun
    data = found.get(_relation_key(version.owner))
    if data is not None:
        mark, _, document = data.partition(b"\n")
        relation = relations.from_json(document, f"the store, {version.model.name}")
        relating.fix(relation, ReferenceState(mark.decode()))
    relating.unsaved = False


def _restore_references(version: Version, found: Mapping[str, bytes]) -> None:
    for part in (Part.INPUTS, Part.OUTPUTS):
        data = found.get(_reference_key(version.owner, part))
        if data is not None:
            mark, _, document = data.partition(b"\n")
            reference = from_json(document, f"the store, {version.model.name} {part}")
            state = ReferenceState(mark.decode())
            if state in (ReferenceState.FROZEN, ReferenceState.GIVEN):
                version.fix_reference(part, reference, state)
            else:
                version.propose_reference(part, reference, state)
            version.unsaved_references.discard(part)
