"""Whether scores are probabilities: slope and intercept, and what came in each tenth of the score."""

from __future__ import annotations

import numpy as np

from driftgauge.evaluate.segments import Total, listed
from driftgauge.records import Floats
from driftgauge.sketches.quality import (
    CALIBRATION_BINS,
    SCORE_LOG_ODDS,
    BinaryQuality,
    MulticlassQuality,
)
from driftgauge.snapshot import Calibration, CalibrationBin
from driftgauge.stats import classification
from driftgauge.stats.arrays import quotient
from driftgauge.stats.calibration import recalibration


def calibration(total: Total) -> tuple[list[Calibration], list[CalibrationBin]]:
    """Rows of the whole model; none of a regression, nor where no scores were sent. O(score bins)."""
    quality, row = total.view.quality, total.row
    if not isinstance(quality, BinaryQuality | MulticlassQuality):
        return [], []
    reliability, scores = quality.count(row, "reliability"), quality.sum(row, "scores")
    if isinstance(quality, BinaryQuality):
        reliability, scores = reliability[0], scores[0]
    records, outcomes = reliability.sum(axis=1).astype(np.float64), reliability[:, 1].astype(np.float64)
    if not records.sum():
        return [], []
    intercept = slope = mce = np.array(np.nan)
    if total.enough[0]:
        mce = classification.mce(records, scores, outcomes)
        if isinstance(quality, BinaryQuality):
            negative, positive = quality.count(row, "score")
            intercept, slope = recalibration(positive, negative, SCORE_LOG_ODDS)
    found = Calibration(
        *total.labels, float(records.sum()), *listed(np.array([slope, intercept, mce], np.float64))
    )
    return [found], _bins(total, records, scores, outcomes)


def _bins(total: Total, records: Floats, scores: Floats, outcomes: Floats) -> list[CalibrationBin]:
    columns = (
        listed(records),
        listed(quotient(scores, records)),
        listed(quotient(outcomes, records)),
    )
    numbers = range(CALIBRATION_BINS)
    return [
        CalibrationBin(*total.labels, str(number), *values)
        for number, values in zip(numbers, zip(*columns, strict=True), strict=True)
    ]
