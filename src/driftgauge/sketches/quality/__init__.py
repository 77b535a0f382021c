"""Quality: joined predictions and outcomes, for the whole model and by segment.

Groups are numbered 0 for the whole model, then ``1 + column * (values + 1) + value`` for each value
of each segment column, the last value of a column being `other`.
"""

from __future__ import annotations

from driftgauge.sketches.quality.binary import BinaryQuality
from driftgauge.sketches.quality.joined import NO_SEGMENT, Groups, Joined
from driftgauge.sketches.quality.multiclass import MulticlassQuality
from driftgauge.sketches.quality.regression import (
    ABSOLUTE,
    ERROR,
    ERROR_2_OUTCOME,
    ERROR_2_OUTCOME_2,
    ERROR_4,
    OUTCOME,
    OUTCOME_3,
    OUTCOME_4,
    OUTCOME_OVER,
    OUTCOME_SQUARE,
    OUTCOME_UNDER,
    OVER,
    PERCENT,
    PERCENT_2,
    SQUARE,
    STRATA,
    UNDER,
    RegressionQuality,
    stratum,
)
from driftgauge.sketches.quality.score_bins import (
    CALIBRATION_BINS,
    COARSE_SCORE,
    COARSE_SCORE_BINS,
    COARSE_SCORE_LOG_ODDS,
    SCORE_BINS,
    SCORE_EDGES,
    SCORE_LOG_ODDS,
    coarse_scores,
)
from driftgauge.sketches.quality.task import DELAY_EDGES, Quality

__all__ = [
    "ABSOLUTE",
    "CALIBRATION_BINS",
    "COARSE_SCORE",
    "COARSE_SCORE_BINS",
    "COARSE_SCORE_LOG_ODDS",
    "DELAY_EDGES",
    "ERROR",
    "ERROR_2_OUTCOME",
    "ERROR_2_OUTCOME_2",
    "ERROR_4",
    "NO_SEGMENT",
    "OUTCOME",
    "OUTCOME_3",
    "OUTCOME_4",
    "OUTCOME_OVER",
    "OUTCOME_SQUARE",
    "OUTCOME_UNDER",
    "OVER",
    "PERCENT",
    "PERCENT_2",
    "SCORE_BINS",
    "SCORE_EDGES",
    "SCORE_LOG_ODDS",
    "SQUARE",
    "STRATA",
    "UNDER",
    "BinaryQuality",
    "Groups",
    "Joined",
    "MulticlassQuality",
    "Quality",
    "RegressionQuality",
    "coarse_scores",
    "stratum",
]
