"""The relation between inputs and outcome against its reference, in each matured window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.reference.comparing import Compared, compared
from driftgauge.reference.relation import Relation
from driftgauge.sketches.inputs import COARSE_BINS
from driftgauge.snapshot import RelationShift, RelationState
from driftgauge.view import VersionView

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
        if window.concept is None or related.reference is None:
            for key in related.codes.keys:
                yield RelationShift(view.model, view.version, key[2:], window.name, "", (), None)
            continue
        found = compared(related.reference, related.sketch, window.concept, related.codes, view.classes)
        for place, key in enumerate(found.keys):
            yield _shift(view, related.reference, found, place, key, window.name)


def _shift(
    view: VersionView, relation: Relation, found: Compared, place: int, key: str, window: str
) -> RelationShift:
    labels = (view.model, view.version, key[2:], window)
    samples = float(found.samples[place])
    if samples < LEAST_SAMPLES:
        return RelationShift(*labels, "", (), samples)
    several = len(relation.classes) > 2  # a class and its absence
    with np.errstate(invalid="ignore"):
        moved = np.flatnonzero(np.abs(found.score[place]) >= _NAMED_FROM).tolist()
    return RelationShift(
        *labels,
        relation.classes[int(found.kind[place])] if several else "",
        tuple(_BINS[cell] for cell in moved),
        samples,
        shift=value(found.spread[place]),
        outcome_shift=value(found.shift[place]),
        p=value(found.p[place]),
        adjusted_p=value(found.adjusted[place]),
        overdispersion=value(found.phi[place]) if found.periods[place] > 1 else None,
    )
