"""Verdicts on relations: a change worth having, more than chance, held for half a window."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.reference.comparing import LEAST_PERIODS, Compared
from driftgauge.stats.significance import benjamini_hochberg
from driftgauge.stats.verdicts import RULES, held

SPREAD_FLOOR: Final = 0.1
"""Of `Compared.spread`. Where only inputs move by up to 2 standard deviations it stays below 0.07."""
COVERED: Final = 0.8

JUDGED: Final = np.dtype(
    [("state", "u1"), ("verdict", "u1"), ("run", "<u2"), ("p", "<f8"), ("adjusted", "<f8"), ("spread", "<f8")]
)


class RelationVerdictState(StrEnum):
    """Whether a feature's relation was judged, or why not."""

    JUDGED = "judged"
    LEARNING = "learning"
    NOT_COVERED = "not_covered"
    FEW_OUTCOMES = "few_outcomes"
    FEW_DAYS = "few_days"
    FEW_BINS = "few_bins"


STATES: Final = tuple(RelationVerdictState)


class RelationJudged(msgspec.Struct, array_like=True, frozen=True):
    """One window's relations when a pane of its matured cohort closed: kept, saved, replayed.

    Attributes:
        window: its label.
        edge: the first pane after the cohort.
        relation: id of the reference.
        rows: a `JUDGED` row for each watched feature.
    """

    window: str
    edge: int
    relation: str
    rows: bytes

    @property
    def table(self) -> NDArray[np.void]:
        """The rows, not to be written to."""
        return np.frombuffer(self.rows, JUDGED)


def judge(found: Compared, covered: float, last: RelationJudged | None, hold: int) -> NDArray[np.void]:
    """One edge: a `JUDGED` row for each feature.

    Args:
        covered: share of the window since outcomes are counted by bin.
        last: the edge before; None where there is none.
        hold: edges in a row that make a verdict; a p-value below `RULES.at_once` makes one alone.
    """
    table = np.zeros(len(found.keys), JUDGED)
    state = np.full(len(table), STATES.index(RelationVerdictState.JUDGED), np.uint8)
    state[np.isnan(found.p)] = STATES.index(RelationVerdictState.FEW_BINS)
    state[found.periods < LEAST_PERIODS] = STATES.index(RelationVerdictState.FEW_DAYS)
    state[found.samples < RULES.samples] = STATES.index(RelationVerdictState.FEW_OUTCOMES)
    if covered < COVERED:
        state[:] = STATES.index(RelationVerdictState.NOT_COVERED)
    judged = state == STATES.index(RelationVerdictState.JUDGED)
    p = np.where(judged, found.p, np.nan)
    adjusted = benjamini_hochberg(p) if len(table) else p
    with np.errstate(invalid="ignore"):
        moved = judged & (adjusted <= RULES.rate) & (found.spread >= SPREAD_FLOOR)
        at_once = moved & (p < RULES.at_once)
    runs = np.zeros(len(table), np.uint16) if last is None else last.table["run"].astype(np.uint16)
    table["run"] = held(runs, moved, hold)
    table["verdict"] = (table["run"] >= hold) | at_once
    table["state"], table["p"], table["adjusted"], table["spread"] = state, p, adjusted, found.spread
    return table
