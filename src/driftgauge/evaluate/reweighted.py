"""Quality of the matured cohort if all its predictions had outcomes, and how chosen those that do are.

Strata are the predicted class and, of a binary model, the coarse bin of its score; of a regression the
size of the prediction, four an octave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate import measures
from driftgauge.evaluate.drift import LEAST_SAMPLES
from driftgauge.evaluate.measures import Measures
from driftgauge.evaluate.segments import listed
from driftgauge.records import Floats
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, RegressionQuality
from driftgauge.sketches.scores import BinaryScores, MulticlassScores, RegressionScores
from driftgauge.snapshot import Cohort, Reweighted
from driftgauge.stats import classification, regression
from driftgauge.stats.divergence import psi
from driftgauge.stats.strata import post_stratified, post_stratified_mean, runs_of_equal_mass
from driftgauge.view import VersionView, WindowView

LEAST_SUPPORT: Final = 0.9
"""Below it too many predictions have no like with an outcome: there is no reweighted quality."""
_RUNS: Final = 10
_NAMES: Final = ("accuracy", "precision", "recall", "f1", "log_loss", "mae", "rmse", "bias", "r2")


@dataclass(frozen=True, slots=True)
class _Strata:
    """Labelled records by stratum and outcome, and all predictions.

    Attributes:
        labelled: shape (strata, ...), counts. everything: shape (strata,).
        score_bins: how many strata a predicted class has.
    """

    labelled: Floats
    everything: Floats
    score_bins: int


def reweighted(view: VersionView, window: WindowView) -> list[Reweighted]:
    """The row of one window; none before it is known when outcomes are complete."""
    strata = _strata(view, window)
    if strata is None:
        return []
    labelled, everything = strata.labelled, strata.everything
    in_stratum: Floats = labelled.reshape(len(labelled), -1).sum(axis=1)
    enough = in_stratum.sum() >= LEAST_SAMPLES and everything.sum() >= in_stratum.sum()
    if not enough:
        return [Reweighted(*_labels(view, window), *(None,) * 6)]
    weighted, supported = post_stratified(labelled, everything)
    found: Measures = {}
    if supported >= LEAST_SUPPORT:
        found = _numbers(view, window, weighted)
    numbers = [
        _selection(in_stratum, everything, strata.score_bins),
        supported,
        *(found.get(name, np.nan) for name in _NAMES),
    ]
    return [Reweighted(*_labels(view, window), *listed(np.array(numbers, np.float64)))]


def _numbers(view: VersionView, window: WindowView, weighted: Floats) -> Measures:
    if view.task is Task.REGRESSION:
        return _of_errors(view, window)
    found = _of_binary(weighted) if view.task is Task.BINARY else _of_classes(weighted)
    return {**found, "log_loss": _log_loss(view, window)}


def _labels(view: VersionView, window: WindowView) -> tuple[str, str, str, str]:
    return view.model, view.version, window.name, Cohort.MATURED


def _strata(view: VersionView, window: WindowView) -> _Strata | None:
    quality, scores = view.quality, view.scores
    row, everything = window.matured, window.matured_scores
    if row is None or everything is None:
        return None
    if isinstance(quality, BinaryQuality) and isinstance(scores, BinaryScores):
        # (predicted class, outcome, score bin) -> (stratum, outcome)
        counts = quality.count(row, "strata").astype(np.float64).transpose(0, 2, 1)
        bins = counts.shape[1]
        whole = scores.count(everything, "coarse")[0].astype(np.float64)
        return _Strata(counts.reshape(-1, 2), whole.reshape(-1), bins)
    if isinstance(quality, MulticlassQuality) and isinstance(scores, MulticlassScores):
        confusion = quality.count(row, "confusion").astype(np.float64)
        return _Strata(confusion.T, scores.by_class(everything)[0].astype(np.float64), 1)
    if isinstance(quality, RegressionQuality) and isinstance(scores, RegressionScores):
        labelled = quality.count(row, "strata").astype(np.float64)
        whole = scores.count(everything, "strata").astype(np.float64)
        return _Strata(labelled[:, None], whole, len(whole))
    return None


def _log_loss(view: VersionView, window: WindowView) -> Floats:
    """Of predictions with a score (multiclass: probabilities); NaN where too few of them have their like."""
    quality, scores = view.quality, view.scores
    row, everything = window.matured, window.matured_scores
    assert row is not None
    assert everything is not None
    if isinstance(quality, BinaryQuality) and isinstance(scores, BinaryScores):
        samples = quality.count(row, "strata")[:, :, :-1].sum(axis=1)
        whole = scores.coarse(everything)[0]
    else:
        assert isinstance(quality, MulticlassQuality)
        assert isinstance(scores, MulticlassScores)
        samples, whole = quality.count(row, "strata_scored"), scores.count(everything, "scored")
    losses = np.maximum(quality.sum(row, "strata_log_loss"), 0.0)
    found, supported = post_stratified_mean(samples.ravel(), losses.ravel(), whole.ravel())
    return found if supported >= LEAST_SUPPORT else np.array(np.nan)


def _of_errors(view: VersionView, window: WindowView) -> Measures:
    """A regression's: its sums if all had outcomes, by the size of the prediction."""
    quality, scores = view.quality, view.scores
    row, everything = window.matured, window.matured_scores
    assert row is not None
    assert everything is not None
    assert isinstance(quality, RegressionQuality)
    assert isinstance(scores, RegressionScores)
    whole = scores.count(everything, "strata")
    sums = quality.sum(row, "strata_errors")
    means, _ = post_stratified_mean(quality.count(row, "strata"), sums, whole)
    n = np.array(float(whole.sum()))
    error, absolute, square, about, about_square = n * means
    return {
        "mae": regression.mae(n, np.maximum(absolute, 0.0)),
        "rmse": regression.rmse(n, np.maximum(square, 0.0)),
        "bias": regression.bias(n, error),
        "r2": regression.r2(n, np.maximum(square, 0.0), about, np.maximum(about_square, 0.0)),
    }


def _selection(labelled: Floats, everything: Floats, score_bins: int) -> Floats:
    """PSI of the labelled against all, by score or prediction (in about ten runs of equal mass), else by
    class.
    """
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
