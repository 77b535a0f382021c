"""What scores meant when the model was right, and whether that may be believed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from driftgauge.records import Floats
from driftgauge.reference.relation import Relation
from driftgauge.sketches.quality import (
    COARSE_SCORE,
    COARSE_SCORE_BINS,
    BinaryQuality,
    MulticlassQuality,
)
from driftgauge.snapshot import EstimateState
from driftgauge.stats.isotonic import Isotonic, held_out_error, isotonic
from driftgauge.view import VersionView

LEAST_OUTCOMES: Final = 1_000
LEAST_OF_CLASS: Final = 50
MOST_ERROR: Final = 0.05
# What deals the calibration's records into halves: the same each time, so that a restart says the same.
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class OfClass:
    """The calibration of one class's score.

    Attributes:
        code: the class's; 1 of a binary model.
        fine: by score bin; None where only coarse bins are kept (multiclass).
        coarse, records: by coarse score bin, and the records in each.
    """

    code: int
    fine: Isotonic | None
    coarse: Isotonic
    records: Floats


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The calibration of a version's scores.

    Attributes:
        state: given, or why there is none that may be used.
        classes: those with enough outcomes: one of a binary model.
        error: held-out expected calibration error, the greatest of the classes; NaN where there is none.
    """

    state: EstimateState
    classes: tuple[OfClass, ...] = ()
    error: float = float("nan")


def calibrated(view: VersionView) -> Calibrated:
    """The calibration that the reference's outcomes give, kept with it.

    O(classes * score bins), once for a reference and the classes that are known: 1 ms for binary.
    """
    relation = None if view.related is None else view.related.reference
    if relation is None:
        return Calibrated(EstimateState.NO_REFERENCE)
    classes, found = relation.kept.get("calibrated", ((), None))
    if found is None or classes != view.classes:
        found = _calibrated(relation, view.classes)
        relation.kept["calibrated"] = view.classes, found
    return cast("Calibrated", found)


def _calibrated(relation: Relation, classes: tuple[str, ...]) -> Calibrated:
    if relation.quality is None or relation.quality_row is None:
        return Calibrated(EstimateState.NO_REFERENCE)
    if not isinstance(relation.quality, BinaryQuality | MulticlassQuality):
        return Calibrated(EstimateState.NO_REFERENCE)
    counts = relation.quality.count(relation.quality_row, "score").astype(np.float64)
    if isinstance(relation.quality, BinaryQuality):
        given = [(1, counts[1], counts[0])]
    else:
        names = relation.classes
        codes = {name: code for code, name in enumerate((*classes, "other"))}
        known = [(codes[n], i) for i, n in enumerate(names) if n in codes and i < len(counts)]
        given = [(code, counts[i, 1], counts[i, 0]) for code, i in sorted(known)]
    return _judged(given, fine=isinstance(relation.quality, BinaryQuality))


def _judged(given: list[tuple[int, Floats, Floats]], *, fine: bool) -> Calibrated:
    enough = [
        each
        for each in given
        if min(each[1].sum(), each[2].sum()) >= LEAST_OF_CLASS
        and each[1].sum() + each[2].sum() >= LEAST_OUTCOMES
    ]
    if not enough:
        return Calibrated(EstimateState.FEW_OUTCOMES)
    made = [_of_class(code, ones, zeros, fine=fine) for code, ones, zeros in enough]
    error = max(error for _, error in made)
    state = EstimateState.GIVEN if error < MOST_ERROR else EstimateState.MISCALIBRATED
    return Calibrated(state, tuple(each for each, _ in made), error)


def _of_class(code: int, ones: Floats, zeros: Floats, *, fine: bool) -> tuple[OfClass, float]:
    coarse = _coarse(ones), _coarse(zeros)
    used = (ones, zeros) if fine else coarse
    error = held_out_error(*used, np.random.default_rng(_SEED))
    found = isotonic(ones, zeros) if fine else None
    return OfClass(code, found, isotonic(*coarse), coarse[0] + coarse[1]), error


def _coarse(counts: Floats) -> Floats:
    return np.asarray(np.bincount(COARSE_SCORE, weights=counts, minlength=COARSE_SCORE_BINS), np.float64)
