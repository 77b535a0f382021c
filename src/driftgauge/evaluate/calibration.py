"""Whether scores are probabilities: slope and intercept, and what came in each tenth of the score."""

from __future__ import annotations

import numpy as np

from driftgauge.evaluate.quality import Measured
from driftgauge.evaluate.segments import Totals, listed
from driftgauge.records import Floats
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality
from driftgauge.snapshot import Calibration, CalibrationBin
from driftgauge.stats import classification
from driftgauge.stats.arrays import quotient


def calibration(totals: Totals, found: Measured) -> tuple[list[Calibration], list[CalibrationBin]]:
    """Rows of the whole model; none of a regression, nor where no scores were sent. O(totals)."""
    quality, row = totals.view.quality, totals.row
    if not isinstance(quality, BinaryQuality | MulticlassQuality):
        return [], []
    reliability, scores = quality.count(row, "reliability"), quality.sum(row, "scores")
    if isinstance(quality, BinaryQuality):
        reliability, scores = reliability[:, 0], scores[:, 0]
    records = reliability.sum(axis=-1).astype(np.float64)
    outcomes = reliability[..., 1].astype(np.float64)
    mce = classification.mce(records, scores, outcomes) + np.where(totals.enough[:, 0], 0.0, np.nan)
    none = np.full((len(records), 1), np.nan)
    slope, intercept = (found.groups.get(name, none)[:, 0] for name in ("slope", "intercept"))
    of_model, of_bins = [], []
    columns = [listed(values) for values in (records.sum(axis=1), slope, intercept, mce)]
    for place, values in enumerate(zip(*columns, strict=True)):
        if values[0]:
            of_model.append(Calibration(*totals.labels[place], *values))
            of_bins += _bins(totals.labels[place], records[place], scores[place], outcomes[place])
    return of_model, of_bins


def _bins(
    labels: tuple[str, str, str, str], records: Floats, scores: Floats, outcomes: Floats
) -> list[CalibrationBin]:
    columns = listed(records), listed(quotient(scores, records)), listed(quotient(outcomes, records))
    return [
        CalibrationBin(*labels, str(number), *values)
        for number, values in enumerate(zip(*columns, strict=True))
    ]
