"""Steps of a version's reference from learning to frozen, taken when a coarse pane closes."""

from __future__ import annotations

from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.monitor.watch import (
    FROZEN_RECORDS,
    FROZEN_SPAN_SECONDS,
    PROVISIONAL_RECORDS,
    UNSTABLE_PSI,
)
from driftgauge.reference import Reference, halves_differ, to_json
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

# A provisional reference is made anew when this much has come since.
GROWTH = 1.2


def step(version: Version, now: float) -> Update | None:
    """Propose a provisional reference, or give the update that freezes one; None where nothing is due.

    Cost: reads every pane of the learning, at each coarse pane that closes with enough news.
    """
    for part in (Part.INPUTS, Part.OUTPUTS):
        watch = version.watch(part)
        began = version.learning_from(part)
        if watch is None or watch.binned or began is None:
            continue
        end = version.coarse.grid.index(now)
        if end <= version.stepped_at.get(part, version.coarse.grid.index(began)):
            continue
        version.stepped_at[part] = end
        update = _part_step(version, part, began, end)
        if update is not None:
            return update
    return None


def _part_step(version: Version, part: Part, began: float, end: int) -> Update | None:
    watch = version.watch(part)
    assert watch is not None
    last = version.coarse.grid.start(end)
    span = (last - began) * version.model.scale
    ripe = span >= FROZEN_SPAN_SECONDS and watch.learned >= FROZEN_RECORDS
    if not _due(version, part, end, ripe=ripe):
        return None
    days = version.learned_days(part, end)
    if not any(row.numeric or row.categorical for row in days.values()):
        return None
    growing = [key for key, value in version.growing.items() if value is not None]
    reference = watch.build(days, began, last, growing)
    version.tried_on[part] = version.day(end)
    if not ripe:
        version.propose_reference(part, reference, ReferenceState.PROVISIONAL)
        return None
    if halves_differ(reference, UNSTABLE_PSI):
        version.propose_reference(part, reference, ReferenceState.UNSTABLE)
        return None
    return freeze(version, part, reference)


def _due(version: Version, part: Part, end: int, *, ripe: bool) -> bool:
    """Whether there is news enough to read every pane of the learning."""
    watch = version.watch(part)
    assert watch is not None
    if ripe:
        return watch.state is not ReferenceState.UNSTABLE or version.tried_on.get(part) != version.day(end)
    known = 0 if watch.reference is None else _records(watch.reference)
    return watch.learned >= PROVISIONAL_RECORDS and watch.learned >= GROWTH * known


def freeze(version: Version, part: Part, reference: Reference) -> Update:
    """The update that fixes *reference*."""
    return Update(
        model_owner=version.model.owner,
        model=version.model.name,
        version_owner=version.owner,
        version=version.name,
        reference=to_json(reference),
        reference_part=part,
        reference_state=ReferenceState.FROZEN,
    )


def _records(reference: Reference) -> int:
    row = reference.row
    return int(row.counts[0])
