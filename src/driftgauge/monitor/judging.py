"""Verdicts: what the closed panes of a window are against the reference, judged when a pane closes.

All that a later edge or a restart needs of earlier ones is in the `Judged` that an update commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import DAY
from driftgauge.judged import JUDGED, STATES, Judged
from driftgauge.layout import Row
from driftgauge.monitor.totals import WindowTotals
from driftgauge.monitor.update import Update
from driftgauge.monitor.version import Version
from driftgauge.monitor.watch import Watch
from driftgauge.records import Floats, Ints
from driftgauge.reference import DAY_SECONDS, Reference, moments
from driftgauge.sketches.inputs import NUMERIC_BINS, Inputs
from driftgauge.snapshot import VerdictState
from driftgauge.stats.detectable import critical_chi_square, critical_ks
from driftgauge.stats.divergence import ks_statistic
from driftgauge.stats.moments import mean_shift_sd
from driftgauge.stats.significance import Overdispersion, overdispersion
from driftgauge.stats.verdicts import LEAST_WINDOWS, RULES, beyond_reference, drifted, held
from driftgauge.windows import Part, Resolution

# Shorter windows are shown only: a day's cycle would be drift to them.
SHORTEST: Final = DAY
# A part of a day or a week differs from whole ones in every feature that follows the clock or the
# calendar; less than 1 by what rounding may take.
COVERED: Final = 1.0 - 1e-9
# A day at an end of the reference that is less than this part of a day long is left out of phi.
_WHOLE_DAY: Final = 0.8


@dataclass(frozen=True, slots=True)
class Known:
    """What judging needs of one part's reference, for windows of one length. All by name."""

    inputs: Inputs
    coarse: Ints
    fine: Ints
    means: Floats
    sds: Floats
    over: Overdispersion
    identifiers: NDArray[np.bool_]

    @classmethod
    def of(cls, watch: Watch, window_seconds: float) -> Known:
        """Of a fixed reference. O(days * names); kept by the caller."""
        inputs, reference = watch.inputs, watch.reference
        assert inputs is not None
        assert reference is not None
        _, means, sds = moments(inputs, reference.row)
        bins = inputs.bins
        return cls(
            inputs,
            inputs.coarse(reference.row),
            inputs.layout.count(reference.row, "bins")[:, :NUMERIC_BINS].astype(np.int64),
            means,
            sds,
            overdispersion(window_counts(reference, max(1, round(window_seconds / DAY_SECONDS)))),
            np.array([k in bins.identifiers for k in (*bins.numeric, *bins.categorical)], np.bool_),
        )


def window_counts(reference: Reference, days: int) -> Ints:
    """Coarse counts of consecutive windows of the reference, shape (windows, names, cells).

    Windows of *days* whole days where there are at least 8, else of the most days that leave 8: the
    shares of a shorter window move at least as much, so that what they tell is on the careful side.
    Days that the reference holds only a part of, its first and its last, are left out.
    """
    table = dict(reference.days)
    if np.isnan(reference.first) or not table:
        return np.zeros((0, *next(iter(table.values()), np.zeros((0, 1))).shape), np.int64)
    first, last = min(table), max(table)
    first += reference.first > (first + 1 - _WHOLE_DAY) * DAY_SECONDS
    last -= reference.last < (last + _WHOLE_DAY) * DAY_SECONDS
    whole = last - first + 1
    width = min(days, max(1, whole // LEAST_WINDOWS))
    empty = np.zeros_like(next(iter(table.values())))
    return np.array(
        [
            sum((table.get(day, empty) for day in range(begin, begin + width)), empty)
            for begin in range(first, last + 2 - width, width)
        ]
    ).reshape(-1, *empty.shape)


def step(version: Version, now: float) -> Update | None:
    """Judge every edge that has closed since the last one; the update that keeps what was found.

    Where the clock has jumped, edges that no hold can reach back to are passed over: a run is as
    long without them.

    Cost: nothing until a pane closes; then about 3 / 9 / 25 ms a window of 25 / 200 / 1000 features, most
    of it the limits of the newest edge: each edge before it takes about 1 / 3 / 8 ms.
    """
    found = tuple(judged for window in version.windows for judged in _window(version, window, now))
    if not found:
        return None
    model = version.model
    return Update(model.owner, model.name, version.owner, version.name, judged=found)


def judges(version: Version, window: WindowTotals) -> bool:
    """Whether verdicts are taken on a window at all: not on short ones."""
    return window.resolution is Resolution.COARSE and window.seconds * version.model.scale >= SHORTEST


def _window(version: Version, window: WindowTotals, now: float) -> Iterator[Judged]:
    fixed = version.inputs.binned or version.outputs.binned
    if version.first_time is None or not fixed or not judges(version, window):
        return
    grid = version.coarse.grid
    end = grid.index(now)
    panes = grid.closed_panes(window.seconds)
    hold = max(1, ceil(panes / 2))
    last = version.judged.get(window.name)
    reached = grid.index(version.first_time) if last is None else last.edge
    if last is not None and last.reference != references(version):
        last = None
    edges = range(max(reached + 1, end + 1 - hold), end + 1)
    for edge in edges:
        if edge != reached + 1:
            last = None
        last, reached = _edge(version, window, edge, panes, hold, last, newest=edge == end), edge
    if edges and last is not None:
        yield last


def references(version: Version) -> tuple[str, str]:
    """Ids of the fixed references of inputs and outputs."""
    inputs, outputs = (
        w.reference.id if w.binned and w.reference else "" for w in (version.inputs, version.outputs)
    )
    return inputs, outputs


@dataclass(frozen=True, slots=True)
class _Current:
    """A part's closed panes, by name."""

    known: Known
    coarse: Ints
    outside: Ints
    records: int
    ks: Floats
    mean_shift: Floats

    @classmethod
    def of(cls, known: Known, row: Row) -> _Current:
        inputs = known.inputs
        layout, names = inputs.layout, len(known.identifiers)
        numeric = len(inputs.bins.numeric)
        ks, shift = np.full(names, np.nan), np.full(names, np.nan)
        if numeric:
            ks[:numeric] = ks_statistic(known.fine, layout.count(row, "bins")[:, :NUMERIC_BINS])
            shift[:numeric] = mean_shift_sd(known.means, known.sds, moments(inputs, row)[1])
        outside = np.zeros(names, np.int64)
        outside[:numeric] = layout.count(row, "outside")
        outside[numeric:] = layout.count(row, "categories")[:, inputs.unseen]
        return cls(known, inputs.coarse(row), outside, inputs.records(row), ks, shift)


def _edge(
    version: Version,
    window: WindowTotals,
    edge: int,
    panes: int,
    hold: int,
    last: Judged | None,
    *,
    newest: bool,
) -> Judged:
    """What is found at *edge*; the newest is the one that is kept, so it alone has its limits."""
    parts = [
        _current(version, window, part, edge, panes)
        for part in (Part.INPUTS, Part.OUTPUTS)
        if version.watches[part].binned
    ]
    whole = _joined(parts)
    # Of inputs and outputs nothing is left from before their reference was learned anew.
    anew = [w.since for w in version.watches.values() if w.binned and w.since is not None]
    end = version.coarse.grid.start(edge)
    reach = min([window.seconds, *(end - since for since in anew)])
    covered = version.covered_seconds(end, max(0.0, reach)) / window.seconds
    records = max(part.records for part in parts)
    state = None
    if covered < COVERED:
        state = VerdictState.NOT_COVERED
    elif records < RULES.samples:
        state = VerdictState.FEW_SAMPLES
    runs = _runs(last, len(whole.outside))
    table = _judge(whole, state, runs, hold)
    ks = b""
    if newest:
        windows = whole.over.independent_windows()
        _add_critical(table, windows)
        ks = _critical_ks(table, windows).tobytes()
    return Judged(window.name, edge, hold, references(version), records, table.tobytes(), ks)


def _current(version: Version, window: WindowTotals, part: Part, edge: int, panes: int) -> _Current:
    total = window.current[part]
    total.move(edge - panes, edge)
    watch = version.watches[part]
    assert watch.reference is not None
    key = (watch.reference.id, window.name)
    if key not in version.known:
        version.known[key] = Known.of(watch, window.seconds * version.model.scale)
    known = version.known[key]
    row = total.row
    return _Current.of(known, row if isinstance(row, Row) else known.inputs.zero())


@dataclass(frozen=True, slots=True)
class _Names:
    """Inputs and outputs one after the other: they are one family of tests."""

    reference: Ints
    coarse: Ints
    outside: Ints
    records: Ints
    ks: Floats
    mean_shift: Floats
    identifiers: NDArray[np.bool_]
    over: Overdispersion


def _joined(parts: Sequence[_Current]) -> _Names:
    def whole(values: Sequence[Floats]) -> Floats:
        return np.concatenate(values)

    overs = [part.known.over for part in parts]
    return _Names(
        np.concatenate([part.known.coarse for part in parts]),
        np.concatenate([part.coarse for part in parts]),
        np.concatenate([part.outside for part in parts]),
        np.concatenate([np.full(len(part.outside), part.records) for part in parts]),
        whole([part.ks for part in parts]),
        whole([part.mean_shift for part in parts]),
        np.concatenate([part.known.identifiers for part in parts]),
        Overdispersion(
            whole([o.windows for o in overs]),
            whole([o.excess for o in overs]),
            whole([o.samples for o in overs]),
            whole([o.persistence for o in overs]),
        ),
    )


def _runs(last: Judged | None, names: int) -> NDArray[np.void]:
    return np.zeros(names, JUDGED) if last is None else last.table


def _judge(names: _Names, state: VerdictState | None, last: NDArray[np.void], hold: int) -> NDArray[np.void]:
    """One edge: a `JUDGED` row for each name; *state* is why nothing at all can be judged."""
    allowed = ~names.identifiers & (state is None)
    found = drifted(
        names.reference,
        names.coarse,
        names.over,
        ks=names.ks,
        mean_shift_sd=names.mean_shift,
        judged=allowed,
    )
    table = np.zeros(len(allowed), JUDGED)
    table["p"], table["adjusted"], table["phi"] = found.p, found.adjusted, found.phi
    table["windows"], table["degrees"], table["samples"] = names.over.windows, found.degrees, found.samples
    table["state"] = _states(table, names, state)
    judged = table["state"] == STATES.index(VerdictState.JUDGED)
    table["run"] = held(last["run"].astype(np.uint16), found.drifted & judged, hold)
    table["drift"] = (table["run"] >= hold) | (found.at_once & judged)
    beyond = beyond_reference(np.minimum(names.outside, names.records), names.records) & allowed
    table["beyond_run"] = held(last["beyond_run"].astype(np.uint16), beyond, hold)
    table["beyond"] = table["beyond_run"] >= hold
    return table


def _add_critical(table: NDArray[np.void], windows: Floats) -> None:
    degrees, phi = np.nan_to_num(table["degrees"]), np.maximum(table["phi"], 1.0)
    table["critical"] = critical_chi_square(_strictest(table), degrees, phi, windows)


def _strictest(table: NDArray[np.void]) -> float:
    """The level of a test where it is the only one of all that shows something."""
    return RULES.rate / max(1, int(np.count_nonzero(~np.isnan(table["p"]))))


def _critical_ks(table: NDArray[np.void], windows: Floats) -> NDArray[np.float32]:
    degrees, phi = np.nan_to_num(table["degrees"]), np.maximum(table["phi"], 1.0)
    return critical_ks(_strictest(table), degrees, phi, table["samples"], windows).astype("<f4")


def _states(table: NDArray[np.void], names: _Names, state: VerdictState | None) -> NDArray[np.uint8]:
    """Why a name can't be judged; the first reason that holds."""
    found = np.full(len(table), STATES.index(VerdictState.JUDGED), np.uint8)
    found[names.over.windows < LEAST_WINDOWS] = STATES.index(VerdictState.PHI_UNKNOWN)
    found[names.coarse.sum(axis=1) < RULES.samples] = STATES.index(VerdictState.FEW_SAMPLES)
    if state is not None:
        found[:] = STATES.index(state)
    found[names.identifiers] = STATES.index(VerdictState.IDENTIFIER)
    return found
