"""The relation between inputs and outcome against its reference, in each matured window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.evaluate.known import COARSE_CELL_NAMES
from driftgauge.evaluate.segments import listed
from driftgauge.reference.comparing import Compared, compared
from driftgauge.reference.relation import Relation
from driftgauge.reference.verdicts import STATES, RelationVerdictState
from driftgauge.snapshot import RelationShift, RelationState, RelationVerdicts, Value
from driftgauge.view import Related, VersionView

# A bin is named as changed from so many standard errors on: one in 370 by chance.
_NAMED_FROM: Final = 3.0


def relation_state(view: VersionView) -> Iterator[RelationState]:
    """What the relation is compared with, where features are watched."""
    related = view.related
    if related is not None and related.codes.keys:
        outcomes = None if related.reference is None else float(related.reference.outcomes)
        yield RelationState(view.model, view.version, related.state, outcomes)


def relation_shifts(view: VersionView) -> Iterator[RelationShift]:
    """Every watched feature in every window; without values where there is nothing to compare."""
    related = view.related
    if related is None:
        return
    for window in view.windows:
        judged = _judged(related, window.name)
        found = None
        if window.concept is not None and related.reference is not None:
            found = compared(related.reference, related.sketch, window.concept, related.codes, view.classes)
        keys = related.codes.keys
        told: list[_Told] = [_UNTOLD] * len(keys)
        if found is not None and related.reference is not None:
            told = _told(related.reference, found)
        states = judged.states or [judged.state] * len(keys)
        verdicts = judged.verdicts or [None] * len(keys)
        for key, state, verdict, found_of in zip(keys, states, verdicts, told, strict=True):
            class_, bins, values, by_bin = found_of
            labels = (view.model, view.version, key[2:], window.name)
            samples, shift, shared, p, adjusted, phi = values
            judgement = (samples, shift, shared, p, adjusted, phi, verdict)
            yield RelationShift(*labels, class_, bins, state, *judgement, by_bin)


def relation_verdicts(view: VersionView) -> Iterator[RelationVerdicts]:
    """Counts of every window that is judged."""
    related = view.related
    if related is None:
        return
    for window in view.windows:
        verdicts = _judged(related, window.name).verdicts
        if verdicts:
            known = [verdict for verdict in verdicts if verdict is not None]
            yield RelationVerdicts(
                view.model, view.version, window.name, float(len(known)), sum(known) if known else None
            )


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """By feature; empty where nothing was judged, and why not."""

    state: str
    states: tuple[str, ...] = ()
    verdicts: tuple[Value, ...] = ()


def _judged(related: Related, window: str) -> _Verdicts:
    if related.reference is None:
        return _Verdicts(RelationVerdictState.LEARNING)
    found = related.judged.get(window)
    if found is None:
        return _Verdicts("")
    states = tuple(str(STATES[state]) for state in found.table["state"].tolist())
    verdicts = tuple(
        float(verdict) if state == RelationVerdictState.JUDGED else None
        for verdict, state in zip(found.table["verdict"].tolist(), states, strict=True)
    )
    return _Verdicts("", states, verdicts)


# Class, bins and values of a row, from its samples up to its overdispersion; the shift of each bin.
_Told = tuple[str, tuple[str, ...], tuple[Value, ...], tuple[Value, ...]]
_UNTOLD: Final[_Told] = ("", (), (None,) * 6, ())


def _told(relation: Relation, found: Compared) -> list[_Told]:
    """Of each feature; only the samples of one that has few."""
    several = len(relation.classes) > 2  # a class and its absence
    with np.errstate(invalid="ignore"):
        moved = np.abs(found.score) >= _NAMED_FROM
    phi = np.where(found.periods > 1, found.phi, np.nan)
    columns = (
        found.samples.astype(np.float64).tolist(),
        *(listed(numbers) for numbers in (found.spread, found.shift, found.p, found.adjusted, phi)),
    )
    shifts = [listed(of_feature) for of_feature in found.residual]
    told: list[_Told] = []
    rows = zip(found.kind.tolist(), moved, zip(*columns, strict=True), shifts, strict=True)
    for kind, cells, values, by_bin in rows:
        if values[0] < LEAST_SAMPLES:
            told.append(("", (), (values[0], *_UNTOLD[2][1:]), ()))
        else:
            bins = tuple(COARSE_CELL_NAMES[cell] for cell in np.flatnonzero(cells).tolist())
            told.append((relation.classes[kind] if several else "", bins, values, tuple(by_bin)))
    return told
