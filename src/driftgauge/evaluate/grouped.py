"""Numbers of quality with each group of panes left out: what the jackknife stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftgauge.evaluate import measures
from driftgauge.evaluate.measures import Measures
from driftgauge.layout import Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.quality import BinaryQuality, MulticlassQuality, RegressionQuality
from driftgauge.stats import classification, jackknife


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


@dataclass(frozen=True, slots=True)
class Digests:
    """Groups of panes, arrays of shape (groups, ..., cells), and sums: of all, then without each."""

    each: Row
    sums: Row

    @classmethod
    def of(cls, each: Row) -> Digests:
        """Those of *each* group."""
        counts, sums = (
            np.concatenate([cells.sum(axis=0, dtype=np.float64)[None], jackknife.left_out(cells)])
            for cells in (each.counts, each.sums)
        )
        # Counts as floats once, not in each statistic.
        return cls(each, Row(counts, sums))


def spread(found: Measures, sizes: Floats) -> Spread:
    """Of numbers whose first axis is that of `Digests.sums`."""
    return Spread({n: v[0] for n, v in found.items()}, {n: v[1:] for n, v in found.items()}, sizes)


def of_binary(quality: BinaryQuality, digests: Digests, places: Ints) -> tuple[Spread, Spread, Spread]:
    """The whole model's by confusion, by scores, shape (totals, 1); groups' accuracy, (totals, groups)."""
    layout = quality.digest_layout
    confusion = layout.count(digests.sums, "confusion")
    of_whole = measures.of_confusion(confusion[:, :, :1])
    scores = layout.count(digests.sums, "score")[:, :, None]
    of_scores = measures.of_scores(scores) | _losses(layout, digests.sums, scores.sum(axis=(-2, -1)))
    cells = layout.count(digests.each, "confusion")[:, :, places].sum(axis=(-2, -1)).astype(np.float64)
    scored = layout.count(digests.each, "score").sum(axis=(-2, -1), dtype=np.float64)[..., None]
    of_groups = confusion[:, :, places]
    right = np.trace(of_groups, axis1=-2, axis2=-1)
    accuracy = {"accuracy": measures.share(right, of_groups.sum(axis=(-2, -1)))}
    return spread(of_whole, cells[..., :1]), spread(of_scores, scored), spread(accuracy, cells)


def of_multiclass(
    quality: MulticlassQuality, digests: Digests, places: Ints, known: Ints
) -> tuple[Spread, Spread, Spread]:
    """Classes' by confusion and by scores, shape (totals, classes); groups' accuracy, (totals, groups)."""
    layout = quality.digest_layout
    confusion = layout.count(digests.sums, "confusion")[:, :, known[:, None], known]
    classes = measures.of_classes(confusion)
    scores = layout.count(digests.sums, "score")[:, :, known]
    area = measures.of_scores(scores)["roc_auc"]
    each = layout.count(digests.each, "predicted")[:, :, places].astype(np.float64)
    right = layout.count(digests.sums, "right")[:, :, places]
    accuracy = measures.share(right, layout.count(digests.sums, "predicted")[:, :, places])
    scored = layout.count(digests.each, "score")[:, :, known].sum(axis=(-2, -1), dtype=np.float64)
    whole = np.broadcast_to(each[..., :1], scored.shape)
    return spread(classes, whole), spread({"roc_auc": area}, scored), spread({"accuracy": accuracy}, each)


def of_losses(quality: MulticlassQuality, digests: Digests) -> Spread:
    """Log loss and Brier score of a multiclass model, shape (totals, 1)."""
    layout = quality.digest_layout
    # Every class counts each record with probabilities.
    scored = layout.count(digests.sums, "score")[:, :, :1].sum(axis=(-2, -1))
    sizes = layout.count(digests.each, "score")[:, :, :1].sum(axis=(-2, -1), dtype=np.float64)
    return spread(_losses(layout, digests.sums, scored), sizes)


def _losses(layout: Layout, sums: Row, scored: Floats) -> Measures:
    # What is left of a sum may come out a little below 0.
    log_loss, brier = (np.maximum(layout.sum(sums, name), 0.0) for name in ("log_loss", "brier"))
    return measures.of_losses(log_loss, brier, scored)


def of_regression(quality: RegressionQuality, digests: Digests, places: Ints) -> Spread:
    """By group, shape (totals, groups)."""
    found = measures.of_errors(quality.digest_layout, digests.sums, places)
    sizes = quality.digest_layout.count(digests.each, "errors")[:, :, places].astype(np.float64)
    return spread({name: found[name] for name in ("mae", "bias", "rmse", "r2")}, sizes)


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
