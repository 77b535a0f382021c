"""The relation between inputs and outcome against its reference, in each matured window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.reference.comparing import Compared, compared
from driftgauge.reference.relation import Relation
from driftgauge.reference.verdicts import STATES, RelationVerdictState
from driftgauge.sketches.inputs import COARSE_BINS
from driftgauge.snapshot import RelationShift, RelationState, RelationVerdicts, Value
from driftgauge.view import Related, VersionView

# A bin is named as changed from so many standard errors on: one in 370 by chance.
_NAMED_FROM: Final = 3.0
_BINS: Final = (*(str(number) for number in range(COARSE_BINS)), "missing", "unseen")


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
        for place, key in enumerate(related.codes.keys):
            state = judged.states[place] if judged.states else judged.state
            made = RelationShift(view.model, view.version, key[2:], window.name, "", (), state, None)
            if found is not None and related.reference is not None:
                made = _shift(made, related.reference, found, place)
            yield replace(made, verdict=judged.verdicts[place] if judged.verdicts else None)


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


def _shift(made: RelationShift, relation: Relation, found: Compared, place: int) -> RelationShift:
    samples = float(found.samples[place])
    if samples < LEAST_SAMPLES:
        return replace(made, samples=samples)
    several = len(relation.classes) > 2  # a class and its absence
    with np.errstate(invalid="ignore"):
        moved = np.flatnonzero(np.abs(found.score[place]) >= _NAMED_FROM).tolist()
    return replace(
        made,
        class_=relation.classes[int(found.kind[place])] if several else "",
        bins=tuple(_BINS[cell] for cell in moved),
        samples=samples,
        shift=value(found.spread[place]),
        outcome_shift=value(found.shift[place]),
        p=value(found.p[place]),
        adjusted_p=value(found.adjusted[place]),
        overdispersion=value(found.phi[place]) if found.periods[place] > 1 else None,
    )
