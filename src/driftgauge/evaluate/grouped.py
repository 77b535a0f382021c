"""Numbers of quality with each group of panes left out: what the jackknife stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.evaluate import measures
from driftgauge.evaluate.measures import Measures
from driftgauge.layout import Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality import (
    COARSE_SCORE_LOG_ODDS,
    BinaryQuality,
    MulticlassQuality,
    RegressionQuality,
)
from driftgauge.stats import classification, jackknife
from driftgauge.stats.arrays import Counts


@dataclass(frozen=True, slots=True)
class Spread:
    """What groups of panes tell of some numbers.

    Attributes:
        values: by name, from all groups, shape (...).
        without: by name, with each group left out, shape (groups, ...).
        sizes: records that they stand on, shape (groups, ...).
    """

    values: Measures
    without: Measures
    sizes: Floats


def spread(found: Measures, sizes: Floats) -> Spread:
    """Of numbers whose first axis is that of `sums`."""
    return Spread({n: v[0] for n, v in found.items()}, {n: v[1:] for n, v in found.items()}, sizes)


def sums(each: Counts) -> Floats:
    """Of all groups of panes, then without each, from cells of shape (groups of panes, ...)."""
    return np.concatenate([each.sum(axis=0, dtype=np.float64)[None], jackknife.left_out(each)])


def of_binary(quality: BinaryQuality, digests: Row, places: Ints) -> tuple[Spread, Spread, Spread]:
    """The whole model's by confusion, by scores, shape (totals, 1); groups' accuracy, (totals, groups)."""
    layout = quality.digest_layout
    each = layout.count(digests, "confusion")[:, :, places]
    confusion = sums(each)
    by_score = layout.count(digests, "score")[:, :, None]
    scores = sums(by_score)
    of_scores = {
        **measures.of_scores(scores),
        **measures.of_log_odds(scores, COARSE_SCORE_LOG_ODDS),
        **_losses(layout, digests, scores.sum(axis=(-2, -1))),
        **_reliability(layout, digests),
    }
    cells = each.sum(axis=(-2, -1), dtype=np.float64)
    right = np.trace(confusion, axis1=-2, axis2=-1)
    accuracy = {"accuracy": measures.share(right, confusion.sum(axis=(-2, -1)))}
    return (
        spread(measures.of_confusion(confusion[:, :, :1]), cells[..., :1]),
        spread(of_scores, by_score.sum(axis=(-2, -1), dtype=np.float64)),
        spread(accuracy, cells),
    )


def of_multiclass(
    quality: MulticlassQuality, digests: Row, places: Ints, known: Ints
) -> tuple[Spread, Spread, Spread]:
    """Classes' by confusion and by scores, shape (totals, classes); groups' accuracy, (totals, groups)."""
    layout = quality.digest_layout
    classes = measures.of_classes(sums(layout.count(digests, "confusion")[:, :, known[:, None], known]))
    scores = layout.count(digests, "score")[:, :, known]
    of_scores = measures.of_scores(sums(scores))
    areas = {name: of_scores[name] for name in ("roc_auc", "average_precision")}
    each = layout.count(digests, "predicted")[:, :, places]
    accuracy = measures.share(sums(layout.count(digests, "right")[:, :, places]), sums(each))
    scored = scores.sum(axis=(-2, -1), dtype=np.float64)
    sizes = each.astype(np.float64)
    whole = np.broadcast_to(sizes[..., :1], scored.shape)
    return spread(classes, whole), spread(areas, scored), spread({"accuracy": accuracy}, sizes)


def of_matrix(quality: MulticlassQuality, digests: Row, known: Ints) -> Spread:
    """What the confusion of all classes tells of the whole model, shape (totals, 1)."""
    each = quality.digest_layout.count(digests, "confusion")[:, :, known[:, None], known]
    matrix = sums(each)
    found = {
        "mcc": classification.multiclass_mcc(matrix),
        "balanced_accuracy": classification.macro(measures.of_classes(matrix)["recall"]),
    }
    sizes = each.sum(axis=(-2, -1), dtype=np.float64)
    return spread({name: values[..., None] for name, values in found.items()}, sizes[..., None])


def of_losses(quality: MulticlassQuality, digests: Row) -> Spread:
    """Log loss, Brier score and calibration error of a multiclass model, shape (totals, 1)."""
    layout = quality.digest_layout
    # Every class counts each record with probabilities.
    sizes = layout.count(digests, "score")[:, :, :1].sum(axis=(-2, -1), dtype=np.float64)
    reliability = {name: values[..., None] for name, values in _reliability(layout, digests).items()}
    return spread({**_losses(layout, digests, sums(sizes)), **reliability}, sizes)


def _reliability(layout: Layout, digests: Row) -> Measures:
    # What is left of a sum may come out a little below 0.
    scores = np.maximum(sums(layout.sum(digests, "scores")), 0.0)
    return measures.of_reliability(sums(layout.count(digests, "reliability")), scores)


def _losses(layout: Layout, digests: Row, scored: Floats) -> Measures:
    # What is left of a sum may come out a little below 0.
    log_loss, brier = (np.maximum(sums(layout.sum(digests, name)), 0.0) for name in ("log_loss", "brier"))
    return measures.of_losses(log_loss, brier, scored)


def of_regression(quality: RegressionQuality, digests: Row, places: Ints) -> Spread:
    """By group, shape (totals, groups)."""
    layout = quality.digest_layout
    # Counts as floats: without a group they serve as sums do.
    every = Row(sums(digests.counts), sums(digests.sums))  # type: ignore[arg-type]
    found = measures.of_errors(layout, every, places)
    sizes = layout.count(digests, "errors")[:, :, places].astype(np.float64)
    return spread({name: found[name] for name in ("mae", "bias", "rmse", "r2", "mape")}, sizes)


def of_whole(found: Spread) -> Spread:
    """The whole model's, shape (totals, 1), of what is by group."""
    return Spread(
        {name: values[:, :1] for name, values in found.values.items()},
        {name: values[..., :1] for name, values in found.without.items()},
        found.sizes[..., :1],
    )


def of_means(found: Spread) -> Spread:
    """Of means over classes, shape (totals, 1), of what is by class."""
    return Spread(
        {name: classification.macro(values)[..., None] for name, values in found.values.items()},
        {name: classification.macro(values)[..., None] for name, values in found.without.items()},
        found.sizes[..., :1],
    )
