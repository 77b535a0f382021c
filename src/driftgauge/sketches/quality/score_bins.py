"""The fixed bins of a score, uniform in log-odds, and the coarse ones that are unions of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.records import Floats, Ints
from driftgauge.stats.binning import log_odds_edges


def _middles(edges: Floats) -> Floats:
    """The middle of each bin in log-odds; of the two open ones the edge."""
    log_odds = np.log(edges) - np.log1p(-edges)
    ends = np.concatenate([log_odds[:1], log_odds, log_odds[-1:]])
    return np.asarray((ends[1:] + ends[:-1]) / 2)


SCORE_EDGES: Final[Floats] = log_odds_edges()
SCORE_BINS: Final = SCORE_EDGES.size + 1
# The log-odds that stand for each score bin: its middle, and the outermost edges beyond them.
SCORE_LOG_ODDS: Final[Floats] = _middles(SCORE_EDGES)
CALIBRATION_BINS: Final = 10


def _coarse_scores() -> Ints:
    """The coarse bin of each score bin: finer near 0 and 1, where rare classes are decided."""
    tail = np.array([0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075])
    wanted = np.concatenate([tail, np.linspace(0.1, 0.9, 17), 1 - tail[::-1]])
    places = np.unique(np.abs(SCORE_EDGES[:, None] - wanted[None, :]).argmin(axis=0))
    return np.searchsorted(places, np.arange(SCORE_BINS), side="left").astype(np.int64)


COARSE_SCORE: Final[Ints] = _coarse_scores()
COARSE_SCORE_BINS: Final = int(COARSE_SCORE.max()) + 1
_COARSE_STARTS: Final[Ints] = np.searchsorted(COARSE_SCORE, np.arange(COARSE_SCORE_BINS))
# Likewise for each coarse bin: the mean of those of its score bins.
COARSE_SCORE_LOG_ODDS: Final[Floats] = np.asarray(
    np.bincount(COARSE_SCORE, weights=SCORE_LOG_ODDS) / np.bincount(COARSE_SCORE), np.float64
)


def coarse_scores(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Counts by score bin, on the last axis, by coarse score bin."""
    return np.add.reduceat(counts, _COARSE_STARTS, axis=-1, dtype=np.int64)
