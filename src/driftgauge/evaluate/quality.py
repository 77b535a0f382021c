"""Quality of joined records in one window: the whole model, its classes, its segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftgauge.config import Task
from driftgauge.evaluate.drift import LEAST_SAMPLES, value
from driftgauge.layout import Row
from driftgauge.sketches import quality as sketch
from driftgauge.sketches.quality import Quality as QualitySketch
from driftgauge.snapshot import ClassQuality, Quality, Value
from driftgauge.stats import classification, regression
from driftgauge.view import VersionView


@dataclass(frozen=True, slots=True)
class Group:
    """A place in the sketch's groups and the labels of its rows."""

    number: int
    segment: str
    segment_value: str


def groups(view: VersionView) -> tuple[Group, ...]:
    """The whole model, then each known value of each segment column, then its `other`."""
    found = [Group(0, "", "")]
    if view.quality is not None:
        places = view.quality.groups
        for column, name in enumerate(view.columns):
            values = [*enumerate(view.values[column]), (places.values, "other")]
            found += [Group(places.number(column, i), name, text) for i, text in values]
    return tuple(found)


def quality(
    view: VersionView, row: Row, window: str, cohort: str
) -> tuple[list[Quality], list[ClassQuality], list[ClassQuality]]:
    """Rows of the whole model and of segments that have outcomes.

    Returns:
        quality by group, classes of the whole model, classes by segment.
    """
    assert view.quality is not None
    reader = _Reader(view, view.quality, row, window, cohort)
    present = [g for g in groups(view) if g.number == 0 or view.quality.outcomes(row)[g.number] > 0]
    found = [reader.quality(group) for group in present]
    whole = list(reader.classes(present[0]))
    by_segment = [c for group in present[1:] for c in reader.classes(group)]
    return found, whole, by_segment


class _Reader:
    """Numbers of one total, by group."""

    def __init__(self, view: VersionView, quality: QualitySketch, row: Row, window: str, cohort: str) -> None:
        self.view, self.sketch, self.row = view, quality, row
        self.window, self.cohort = window, cohort

    def quality(self, group: Group) -> Quality:
        """The numbers that need no class."""
        samples = int(self.sketch.outcomes(self.row)[group.number])
        values: dict[str, Value] = {}
        if samples >= LEAST_SAMPLES:
            values = {
                Task.BINARY: self._binary,
                Task.MULTICLASS: self._multiclass,
                Task.REGRESSION: self._regression,
            }[self.view.task or Task.BINARY](group.number)
        return Quality(
            self.view.model,
            self.view.version,
            self.window,
            self.cohort,
            group.segment,
            group.segment_value,
            float(samples),
            **values,
        )

    def _binary(self, g: int) -> dict[str, Value]:
        confusion = self.sketch.count(self.row, "confusion")[g].astype(np.float64)
        reliability = self.sketch.count(self.row, "reliability")[g].astype(np.float64)
        scores = self.sketch.sum(self.row, "scores")[g]
        n = reliability.sum()
        return {
            "accuracy": value(classification.multiclass_accuracy(confusion)),
            "log_loss": value(classification.log_loss(self.sketch.sum(self.row, "log_loss")[g], n)),
            "brier": value(classification.brier(self.sketch.sum(self.row, "brier")[g], n)),
            "ece": value(classification.ece(reliability.sum(axis=1), scores, reliability[:, 1])),
        }

    def _multiclass(self, g: int) -> dict[str, Value]:
        predicted = float(self.sketch.count(self.row, "predicted")[g])
        right = float(self.sketch.count(self.row, "right")[g])
        values: dict[str, Value] = {"accuracy": right / predicted if predicted else None}
        if g == 0:
            reliability = self.sketch.count(self.row, "reliability").astype(np.float64)
            n = reliability.sum()
            scores = self.sketch.sum(self.row, "scores")
            values |= {
                "log_loss": value(classification.log_loss(self.sketch.sum(self.row, "log_loss")[0], n)),
                "brier": value(classification.brier(self.sketch.sum(self.row, "brier")[0], n)),
                "ece": value(classification.ece(reliability.sum(axis=1), scores, reliability[:, 1])),
            }
        return values

    def _regression(self, g: int) -> dict[str, Value]:
        n = float(self.sketch.count(self.row, "errors")[g])
        sums = self.sketch.sum(self.row, "sums")[g]
        return {
            "rmse": value(regression.rmse(n, sums[sketch.SQUARE])),
            "mae": value(regression.mae(n, sums[sketch.ABSOLUTE])),
            "bias": value(regression.bias(n, sums[sketch.ERROR])),
            "r2": value(
                regression.r2(n, sums[sketch.SQUARE], sums[sketch.OUTCOME], sums[sketch.OUTCOME_SQUARE])
            ),
        }

    def classes(self, group: Group) -> Iterator[ClassQuality]:
        """Precision, recall, F1 and ROC AUC by class; of segments of binary models too."""
        samples = int(self.sketch.outcomes(self.row)[group.number])
        if self.view.task is Task.BINARY:
            yield self._positive(group, samples)
        elif self.view.task is Task.MULTICLASS and group.number == 0:
            yield from self._each_class(group, samples)

    def _row(self, group: Group, name: str, samples: int, **values: Value) -> ClassQuality:
        return ClassQuality(
            self.view.model,
            self.view.version,
            self.window,
            self.cohort,
            group.segment,
            group.segment_value,
            name,
            float(samples),
            **values,
        )

    def _positive(self, group: Group, samples: int) -> ClassQuality:
        if samples < LEAST_SAMPLES:
            return self._row(group, "", samples)
        (tn, fp), (fn, tp) = self.sketch.count(self.row, "confusion")[group.number].astype(float)
        cells = (tp, fp, fn, tn)
        block = (
            self.sketch.count(self.row, "score")
            if group.number == 0
            else self.sketch.count(self.row, "coarse")[group.number]
        )
        auc, half_width = classification.roc_auc(block[1], block[0])
        return self._row(
            group,
            "",
            samples,
            precision=value(classification.precision(*cells)),
            recall=value(classification.recall(*cells)),
            f1=value(classification.f1(*cells)),
            roc_auc=value(auc),
            roc_auc_half_width=value(half_width),
        )

    def _each_class(self, group: Group, samples: int) -> Iterator[ClassQuality]:
        confusion = self.sketch.count(self.row, "confusion").astype(np.float64)
        cells = classification.per_class_counts(confusion)
        known = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1) > 0)
        precision = classification.precision(*cells)
        recall = classification.recall(*cells)
        f1 = classification.f1(*cells)
        block = self.sketch.count(self.row, "score")
        auc, half_width = classification.roc_auc(block[:, 1], block[:, 0])
        enough = samples >= LEAST_SAMPLES
        rows = (("precision", precision), ("recall", recall), ("f1", f1), ("roc_auc", auc))
        means = {
            name: value(classification.macro(np.asarray(v)[known])) if enough else None for name, v in rows
        }
        yield self._row(group, "", samples, **means)
        names = (*self.view.classes, "other")
        for code in known:
            support = int(confusion[code].sum())
            name = names[code] if code < len(self.view.classes) else "other"
            values = {n: value(np.asarray(v)[code]) if enough else None for n, v in rows}
            values["roc_auc_half_width"] = value(half_width[code]) if enough else None
            yield self._row(group, name, support, **values)
