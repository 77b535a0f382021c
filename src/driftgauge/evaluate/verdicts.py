"""Verdicts as rows: what the monitor judged at the newest closed pane, and why it could not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import DAY
from driftgauge.evaluate.drift import listed
from driftgauge.judged import STATES, Judged
from driftgauge.snapshot import (
    FLAGGED_VERDICT_STATES,
    ReferenceState,
    Value,
    Verdict,
    VerdictFlag,
    VerdictState,
    VerdictSummary,
)
from driftgauge.stats.detectable import critical_psi, smallest_shift_sd
from driftgauge.stats.verdicts import RULES
from driftgauge.view import VersionView, Watched, WindowView

_UNFIXED: Final = {
    ReferenceState.LEARNING: VerdictState.LEARNING,
    ReferenceState.PROVISIONAL: VerdictState.PROVISIONAL,
    ReferenceState.UNSTABLE: VerdictState.UNSTABLE,
}

_NOTHING: Final[list[Value]] = [None] * 10


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Rows of every window of a version."""

    rows: tuple[Verdict, ...]
    summaries: tuple[VerdictSummary, ...]
    flags: tuple[VerdictFlag, ...]


def verdicts(view: VersionView) -> Verdicts:
    """What is known of every name in every window of a day and up, and one state a window.

    Cost: about 0.3 / 0.6 / 2 ms a window of 25 / 200 / 1000 features.
    """
    rows: list[Verdict] = []
    summaries: list[VerdictSummary] = []
    flags: list[VerdictFlag] = []
    for seconds, window in zip(view.config.windows, view.windows, strict=True):
        found = list(_window(view, window)) if seconds >= DAY else []
        rows += found
        summary = _summary(view, window, found, short=seconds < DAY)
        summaries.append(summary)
        if seconds >= DAY:
            flags += _flags(summary)
    return Verdicts(tuple(rows), tuple(summaries), tuple(flags))


def _flags(summary: VerdictSummary) -> Iterator[VerdictFlag]:
    unfixed = summary.state in set(_UNFIXED.values())
    state = VerdictState.UNSETTLED if unfixed else summary.state
    for each in FLAGGED_VERDICT_STATES:
        yield VerdictFlag(summary.model, summary.model_version, summary.window, each, float(each == state))


def _fixed(watched: Watched) -> bool:
    return watched.state not in _UNFIXED


def _id(watched: Watched) -> str:
    return watched.reference.id if _fixed(watched) and watched.reference is not None else ""


def _window(view: VersionView, window: WindowView) -> Iterator[Verdict]:
    """Outputs first, as drift stands."""
    judged = window.judged
    if judged is not None and judged.reference != (_id(view.inputs), _id(view.outputs)):
        judged = None
    columns = [] if judged is None else _columns(view, judged)
    inputs = _count(view.inputs) if _fixed(view.inputs) else 0
    for watched, places in (
        (view.outputs, slice(inputs, None)),
        (view.inputs, slice(0, inputs)),
    ):
        names = _names(watched)
        if columns and _fixed(watched):
            labels = (
                repeat(view.model),
                repeat(view.version),
                *zip(*names, strict=True),
                repeat(window.name),
            )
            yield from map(Verdict, *labels, *(column[places] for column in columns))
        else:
            state = _UNFIXED.get(watched.state, VerdictState.WAITING)
            yield from (
                Verdict(view.model, view.version, feature, output, window.name, state, *_NOTHING)
                for feature, output in names
            )


def _keys(watched: Watched) -> tuple[str, ...]:
    if watched.reference is None:
        return ()
    return (*watched.reference.bins.numeric, *watched.reference.bins.categorical)


def _count(watched: Watched) -> int:
    return len(_keys(watched))


def _names(watched: Watched) -> list[tuple[str, str]]:
    """Feature and output of each name, as `_keys` are."""
    return [("", key[2:]) if key[0] == "o" else (key[2:], "") for key in _keys(watched)]


def _numeric(view: VersionView) -> NDArray[np.bool_]:
    """Which of the names that are judged are numbers, in the order of a `Judged`."""
    found: list[bool] = []
    for watched in (view.inputs, view.outputs):
        if watched.reference is not None and _fixed(watched):
            bins = watched.reference.bins
            found += [True] * len(bins.numeric) + [False] * len(bins.categorical)
    return np.array(found, np.bool_)


def _columns(view: VersionView, judged: Judged) -> list[list[Any]]:
    """The state and the values of all names that are judged, in the order of a row's fields."""
    table, ks = judged.table, judged.critical_ks.astype(np.float64)
    shift = smallest_shift_sd(
        table["critical"], table["degrees"], table["phi"], table["samples"], floor=RULES.mean_shift_sd
    )
    numeric, state = _numeric(view), table["state"]
    given = state == STATES.index(VerdictState.JUDGED)
    known = table["windows"] >= 2
    columns = (
        np.where(given, table["drift"], np.nan),
        np.where(given | (state == STATES.index(VerdictState.PHI_UNKNOWN)), table["beyond"], np.nan),
        table["p"],
        table["adjusted"],
        np.where(known, table["phi"], np.nan),
        table["windows"].astype(np.float64),
        np.where(given, critical_psi(table["critical"], table["samples"]), np.nan),
        np.where(given & numeric, shift, np.nan),
        np.maximum(table["run"], table["beyond_run"]) / judged.hold,
        np.where(given & numeric, ks, np.nan),
    )
    values = listed(np.where(state == STATES.index(VerdictState.IDENTIFIER), np.nan, columns))
    return [[STATES[code] for code in state.tolist()], *values]


def _summary(view: VersionView, window: WindowView, rows: list[Verdict], *, short: bool) -> VerdictSummary:
    states = Counter(row.state for row in rows if row.feature)
    del states[VerdictState.IDENTIFIER]
    judged = [row for row in rows if row.feature and row.state is VerdictState.JUDGED]
    drifted: Value = None
    spread: Value = None
    if short:
        state: str = VerdictState.SHORT_WINDOW
    elif judged:
        state = VerdictState.JUDGED
        drifted = sum(row.drift or 0.0 for row in judged) / len(judged)
        spread = max(row.overdispersion or 1.0 for row in judged)
    elif states:
        state = states.most_common(1)[0][0]
    else:
        state = _UNFIXED.get(view.inputs.state, VerdictState.WAITING)
    return VerdictSummary(
        view.model, view.version, window.name, state, None if short else float(len(judged)), drifted, spread
    )
