"""Quality of the matured cohort if all its predictions had outcomes, and how chosen those that do are.

Strata are the predicted class and, of a binary model, the coarse bin of its score. A regression has
none: its predictions aren't counted in bins that no reference decides.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate import measures
from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.evaluate.measures import Measures
from driftgauge.evaluate.segments import listed
from driftgauge.records import Floats
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality
from driftgauge.sketches.scores import BinaryScores, MulticlassScores
from driftgauge.snapshot import Cohort, Reweighted
from driftgauge.stats import classification
from driftgauge.stats.divergence import psi
from driftgauge.stats.strata import post_stratified, runs_of_equal_mass
from driftgauge.view import VersionView, WindowView

LEAST_SUPPORT: Final = 0.9
"""Below it too many predictions have no like with an outcome: there is no reweighted quality."""
_RUNS: Final = 10


def reweighted(view: VersionView, window: WindowView) -> list[Reweighted]:
    """The row of one window; none for a regression, or before it is known when outcomes are complete."""
    strata = _strata(view, window)
    if strata is None:
        return []
    labelled, everything, score_bins = strata
    in_stratum: Floats = labelled.reshape(len(labelled), -1).sum(axis=1)
    enough = in_stratum.sum() >= LEAST_SAMPLES and everything.sum() >= in_stratum.sum()
    if not enough:
        return [Reweighted(*_labels(view, window), *(None,) * 6)]
    weighted, supported = post_stratified(labelled, everything)
    found: Measures = {}
    if supported >= LEAST_SUPPORT:
        found = _of_binary(weighted) if view.task is Task.BINARY else _of_classes(weighted)
    numbers = [
        _selection(in_stratum, everything, score_bins),
        supported,
        *(found.get(name, np.nan) for name in ("accuracy", "precision", "recall", "f1")),
    ]
    return [Reweighted(*_labels(view, window), *listed(np.array(numbers, np.float64)))]


def _labels(view: VersionView, window: WindowView) -> tuple[str, str, str, str]:
    return view.model, view.version, window.name, Cohort.MATURED


def _strata(view: VersionView, window: WindowView) -> tuple[Floats, Floats, int] | None:
    """Labelled by stratum and outcome, all predictions by stratum, and how many strata a class has."""
    quality, scores = view.quality, view.scores
    row, everything = window.matured, window.matured_scores
    if row is None or everything is None:
        return None
    if isinstance(quality, BinaryQuality) and isinstance(scores, BinaryScores):
        # (predicted class, outcome, score bin) -> (stratum, outcome)
        counts = quality.count(row, "strata").astype(np.float64).transpose(0, 2, 1)
        bins = counts.shape[1]
        whole = scores.count(everything, "coarse")[0].astype(np.float64)
        return counts.reshape(-1, 2), whole.reshape(-1), bins
    if isinstance(quality, MulticlassQuality) and isinstance(scores, MulticlassScores):
        confusion = quality.count(row, "confusion").astype(np.float64)
        return confusion.T, scores.by_class(everything)[0].astype(np.float64), 1
    return None


def _selection(labelled: Floats, everything: Floats, score_bins: int) -> Floats:
    """PSI of the labelled against all, by score (in about ten runs of equal mass), else by class."""
    if score_bins > 1:
        known, whole = (counts.reshape(-1, score_bins).sum(axis=0) for counts in (labelled, everything))
        run = runs_of_equal_mass(whole, _RUNS).astype(np.int64)
        known, whole = (np.bincount(run, weights=counts, minlength=_RUNS) for counts in (known, whole))
    else:
        known, whole = labelled, everything
    there = whole + known > 0
    return psi(whole[there], known[there])


def _of_binary(weighted: Floats) -> Measures:
    """From (stratum, outcome), the strata of the predicted class 0 first."""
    by_class: Floats = weighted.reshape(2, -1, 2).sum(axis=1)
    return measures.of_confusion(by_class.T)


def _of_classes(weighted: Floats) -> Measures:
    """From (predicted class, outcome)."""
    confusion = weighted.T
    known = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1) > 0)
    confusion = confusion[np.ix_(known, known)]
    found = {name: classification.macro(v) for name, v in measures.of_classes(confusion).items()}
    return {**found, "accuracy": classification.multiclass_accuracy(confusion)}
