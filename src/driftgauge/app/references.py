"""A version's reference as it is asked for and changed from a door; all in the writer's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from driftgauge.app.restoring import Kept
from driftgauge.errors import RequestError
from driftgauge.monitor import relearning
from driftgauge.monitor.relearning import Change
from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.records import Reason
from driftgauge.reference import Reference, merged
from driftgauge.web.ports import (
    ReferenceAction,
    ReferenceChange,
    ReferencePart,
    ReferenceQuery,
    ReferenceRequest,
)
from driftgauge.windows import Part


def found(kept: Kept, query: ReferenceQuery) -> Reference | None:
    """What a version is compared with: the inputs' and the outputs' reference in one, and what they bring
    of outcomes; None for a version that isn't known.

    Raises:
        RequestError: 404, it has none yet.
    """
    version = _version(kept, query.model, query.model_version)
    if version is None:
        return None
    known = [w.reference for w in version.watches.values() if w.reference is not None]
    if not known:
        learned = version.watches[Part.INPUTS].learned
        raise RequestError(
            404, Reason.NOT_FOUND, f"there is no reference yet: {learned:,} records were learned from"
        )
    whole = known[0] if len(known) == 1 else merged(*known)
    return replace(whole, relation=version.relating.reference, loss=version.loss)


def changed(
    kept: Kept, commit: Callable[[tuple[Update, ...]], None], request: ReferenceRequest, wall: float
) -> ReferenceChange | None:
    """Do what is asked, in one transaction; None for a version that isn't known.

    Raises:
        RequestError: 409, it can't be done, and why.
        StoreError: it could not be kept; nothing has changed.
    """
    version = _version(kept, request.model, request.model_version)
    if version is None:
        return None
    changes = _changes(version, request, version.model.now(wall))
    commit(tuple(change.update for change in changes))
    return ReferenceChange(request.model, version.name, tuple(_part(change) for change in changes))


def _version(kept: Kept, name: str, version: str | None) -> Version | None:
    """The version that is named, or the newest."""
    model = kept.models.models.get(name)
    if model is None:
        return None
    if version is None:
        return next(reversed(model.versions.values()), None)
    return model.versions.get(version)


def _changes(version: Version, request: ReferenceRequest, now: float) -> list[Change]:
    if request.action is ReferenceAction.ACCEPT:
        return relearning.accept(version)
    if request.action is ReferenceAction.RELEARN:
        since = request.since
        if request.window is not None:
            since = now - request.window / version.model.scale
        return relearning.relearn(version, now) if since is None else relearning.rebuild(version, now, since)
    assert_never(request.action)


def _part(change: Change) -> ReferencePart:
    reference = change.reference
    if reference is None:
        return ReferencePart(change.part, change.state, "", 0, 0.0, change.note)
    records, span = int(reference.row.counts[0]), reference.span_seconds
    return ReferencePart(change.part, change.state, reference.id, records, span, change.note)
