"""What an owner may ask of a version's references: accept what was learned, learn anew.

Each gives updates to commit and changes nothing itself, so that a restart replays what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftgauge.errors import RequestError
from driftgauge.layout import Row
from driftgauge.monitor.learning import freeze
from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.monitor.watch import PROVISIONAL_RECORDS, UNSTABLE_PSI
from driftgauge.records import Ints, Reason
from driftgauge.reference import Reference, halves_differ, identified
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the reference of a version's inputs or outputs, and the update that does it."""

    part: Part
    state: ReferenceState
    reference: Reference | None
    note: str
    update: Update


def accept(version: Version) -> list[Change]:
    """Freeze the references that are provisional or unstable, as they are shown now.

    Raises:
        RequestError: 409, there is none.
    """
    found = [_accepted(version, part) for part, watch in version.watches.items() if _proposed(version, part)]
    if not found:
        raise RequestError(409, Reason.CONFLICT, f"there is nothing to accept: {_states(version)}")
    return found


def _proposed(version: Version, part: Part) -> bool:
    watch = version.watches[part]
    return not watch.binned and watch.reference is not None


def _accepted(version: Version, part: Part) -> Change:
    watch = version.watches[part]
    assert watch.reference is not None
    return _frozen(version, part, watch.reference, f"was {watch.state}")


def _frozen(version: Version, part: Part, reference: Reference, note: str) -> Change:
    differ = halves_differ(reference, UNSTABLE_PSI)
    if differ:
        shown = ", ".join(key[2:] for key in differ[:5]) + (", ..." if len(differ) > 5 else "")
        note += f"; alternate days differ in {shown}"
    return Change(part, ReferenceState.FROZEN, reference, note, freeze(version, part, reference))


def relearn(version: Version, now: float) -> list[Change]:
    """Begin to learn every reference that no file gives anew at *now*, on the model's clock.

    Until a reference is provisional again nothing is compared, and until it is frozen nothing judged.

    Raises:
        RequestError: 409, a file gives them all.
    """
    return [
        Change(
            part,
            ReferenceState.LEARNING,
            None,
            "windows of it begin anew; compared again from 1,000 records, frozen after 8 days and 5,000",
            _update(version, part, now),
        )
        for part in _own_parts(version)
    ]


def _update(version: Version, part: Part, now: float) -> Update:
    return Update(
        model_owner=version.model.owner,
        model=version.model.name,
        version_owner=version.owner,
        version=version.name,
        relearn_part=part,
        relearn_from=now,
    )


def rebuild(version: Version, now: float, since: float) -> list[Change]:
    """Freeze references of the records since *since*, from coarse panes: bins in force stay, and so
    does what windows hold; a part that is still learning gets bins of its own.

    Raises:
        RequestError: 409, a file gives them all, or too few records were kept since.
    """
    found = [_rebuilt(version, part, now, since) for part in _own_parts(version)]
    changes = [change for change in found if change is not None]
    if not changes:
        raise RequestError(
            409,
            Reason.CONFLICT,
            f"fewer than {PROVISIONAL_RECORDS:,} records are kept since then, too few for a reference",
        )
    return changes


def _rebuilt(version: Version, part: Part, now: float, since: float) -> Change | None:
    grid = version.coarse.grid
    began = version.first_time
    if began is None:
        return None
    since = max(since, began)
    panes = range(grid.index(since), grid.index(now) + 1)
    watch = version.watches[part]
    reference = _of_rows(version, part, panes) if watch.binned else _of_learned(version, part, panes)
    if reference is None or int(reference.row.counts[0]) < PROVISIONAL_RECORDS:
        return None
    return _frozen(version, part, reference, "the bins stay" if watch.binned else f"was {watch.state}")


def _of_learned(version: Version, part: Part, panes: range) -> Reference | None:
    learning_from = version.learning_from(part)
    assert learning_from is not None
    begin = max(panes.start, version.coarse.grid.index(learning_from))
    days = {day: row for day, row in version.learned_days(part, panes.stop, begin).items() if row.records}
    if not any(row.numeric or row.categorical for row in days.values()):
        return None
    growing = [key for key, last in version.growing.items() if last is not None]
    first, last = version.coarse.grid.start(begin), version.coarse.grid.start(panes.stop)
    return version.watches[part].build(days, first, last, growing)


def _of_rows(version: Version, part: Part, panes: range) -> Reference | None:
    """The reference of what panes hold in the bins in force. Reads every pane."""
    watch = version.watches[part]
    inputs, old = watch.inputs, watch.reference
    assert inputs is not None
    assert old is not None
    days: dict[int, Row] = {}
    seen: list[int] = []
    for index, row in _rows(version, part, panes):
        if inputs.records(row):
            seen.append(index)
            days.setdefault(version.day(index), _wide(inputs.zero())).add(row)
    if not seen:
        return None
    total = _wide(inputs.zero())
    for row in days.values():
        total.add(row)
    grid = version.coarse.grid
    coarse: tuple[tuple[int, Ints], ...] = tuple((d, inputs.coarse(row)) for d, row in sorted(days.items()))
    return identified(old.bins, _narrow(total), grid.start(seen[0]), grid.start(seen[-1] + 1), coarse)


def _rows(version: Version, part: Part, panes: range) -> Iterator[tuple[int, Row]]:
    for index in panes:
        row = version.coarse.peek(part, index)
        if isinstance(row, Row):
            yield index, row


def _wide(row: Row) -> Row:
    return Row(row.counts.astype(np.int64), row.sums)


def _narrow(row: Row) -> Row:
    """*row* in 32 bits, as a reference is saved; counts beyond them are scaled to fit."""
    top = int(row.counts.max(initial=0))
    factor = max(1, -(-top // (2**32 - 1)))
    return Row((row.counts // factor).astype(np.uint32), row.sums / factor)


def _own_parts(version: Version) -> list[Part]:
    given = version.model.config.reference is not None
    parts = [
        part for part, watch in version.watches.items() if not (given and watch.state is ReferenceState.GIVEN)
    ]
    if not parts:
        raise RequestError(
            409,
            Reason.CONFLICT,
            "the configuration gives this model's reference by a file: make another with "
            "`driftgauge profile`, or take `reference:` out",
        )
    return parts


def _states(version: Version) -> str:
    return "; ".join(_state(version, part) for part in version.watches)


def _state(version: Version, part: Part) -> str:
    watch = version.watches[part]
    if watch.binned:
        return f"{part} are {watch.state}"
    return f"{part} are learning, {watch.learned:,} of {PROVISIONAL_RECORDS:,} records"
