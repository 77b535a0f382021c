"""What a regression's predictions are worth, from the errors to expect of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.evaluate.value import cell_values
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.quality import OVER, UNDER, RegressionQuality
from driftgauge.sketches.scores import ABSOLUTE as EXPECTED
from driftgauge.sketches.scores import SQUARE, VARIANCE, RegressionScores
from driftgauge.stats.value import expected_error_total
from driftgauge.view import VersionView


@dataclass(frozen=True, slots=True)
class Split:
    """How much of all error is too much: a share of the sum of absolute errors."""

    over: float


def split(view: VersionView) -> Split | None:
    """That of the reference's outcomes; any where both kinds of error are worth the same; None where it is
    not known.
    """
    over, under = cell_values(view).tolist()
    if over == under:
        return Split(1.0)
    relation = None if view.related is None else view.related.reference
    if (
        relation is None
        or relation.quality_row is None
        or not isinstance(relation.quality, RegressionQuality)
    ):
        return None
    sums = relation.quality.sum(relation.quality_row, "sums")[0]
    whole = float(sums[OVER] + sums[UNDER])
    return Split(float(sums[OVER]) / whole) if whole > 0 else None


def error_amounts(
    sketch: RegressionScores, row: Row, known: Split, worth: Floats
) -> tuple[Floats, Floats, Floats]:
    """Predictions with an expected error, what they are worth and its standard error: shape (groups,)."""
    losses = np.maximum(sketch.sum(row, "loss"), 0.0)
    over, under = worth.tolist()
    made = expected_error_total(
        losses[:, EXPECTED], losses[:, SQUARE], losses[:, VARIANCE], known.over, (over, under)
    )
    return sketch.count(row, "estimated").astype(np.float64), made.value, made.error
