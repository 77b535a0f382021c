"""Records by bin of a version's windows and its reference, cut out when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from driftgauge.evaluate.drift import in_bins, value
from driftgauge.evaluate.known import named
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference, moments
from driftgauge.reference.relation import Relation
from driftgauge.sketches.concept import ERROR
from driftgauge.sketches.inputs import (
    COARSE_BINS,
    COARSE_CELLS,
    MISSING,
    NOT_FINITE,
    NUMERIC_BINS,
    Inputs,
    feature_key,
)
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import (
    BinnedRecords,
    Distribution,
    RelatedOutcomes,
    WindowOutcomes,
    WindowRecords,
)
from driftgauge.stats.arrays import quotient
from driftgauge.view import Related, VersionView, Watched

OTHER: Final = "other"
BINARY: Final = 2


class ViewDistributions:
    """Reads them from a view's totals, which are copies and stay as they are; see `Distributions`.

    Nothing is computed before somebody asks; the rest of the view is not kept.
    """

    def __init__(self, view: VersionView) -> None:
        self._watched, self._related, self._classes = (view.inputs, view.outputs), view.related, view.classes
        self._windows = tuple(window.name for window in view.windows)
        self._totals = (
            tuple(window.inputs for window in view.windows),
            tuple(window.outputs for window in view.windows),
        )
        self._concepts = tuple(window.concept for window in view.windows)

    def find(self, feature: str, output: str) -> Distribution | None:
        """See `Distributions`."""
        part = self._part(output)
        place = None if part is None else part.places.get((feature, output))
        if part is None or place is None:
            return None
        reference_outcomes, outcomes = (None, ()) if output else self._outcomes(feature)
        return part.distribution(place, (feature, output), reference_outcomes, outcomes)

    def coarse(self, feature: str, output: str, window: str) -> tuple[list[int], list[int]] | None:
        """See `Distributions`."""
        part = self._part(output)
        place = None if part is None else part.places.get((feature, output))
        if part is None or place is None or window not in part.windows:
            return None
        now = part.coarse[1 + part.windows.index(window)]
        return part.coarse[0][place].tolist(), now[place].tolist()

    def _part(self, output: str) -> _Part | None:
        return self._outputs if output else self._inputs

    @cached_property
    def _inputs(self) -> _Part | None:
        return _part(self._watched[0], self._windows, self._totals[0])

    @cached_property
    def _outputs(self) -> _Part | None:
        return _part(self._watched[1], self._windows, self._totals[1])

    def _outcomes(self, feature: str) -> tuple[RelatedOutcomes | None, tuple[WindowOutcomes, ...]]:
        related, key = self._related, feature_key(feature)
        if related is None or key not in related.codes.keys:
            return None, ()
        reference = None if related.reference is None else _of_reference(related.reference, key)
        return reference, tuple(self._by_window(related, related.codes.keys.index(key)))

    def _by_window(self, related: Related, place: int) -> Iterator[WindowOutcomes]:
        classes: tuple[str, ...] = ()
        if related.sketch.classes == BINARY:
            classes = ("0", "1")
        elif related.sketch.classes:
            classes = (*self._classes, OTHER)
        for window, concept in zip(self._windows, self._concepts, strict=True):
            if concept is not None:
                records = related.sketch.records(concept)[place]
                errors = None if classes else related.sketch.errors(concept)[place]
                yield WindowOutcomes(window, _outcomes(classes, records, errors))


def _part(watched: Watched, windows: tuple[str, ...], totals: tuple[Row | LearningRow, ...]) -> _Part | None:
    if watched.inputs is None or watched.reference is None:
        return None
    rows = (in_bins(watched.inputs, total) for total in totals)
    return _Part(watched.inputs, watched.reference, windows, (watched.reference.row, *rows))


@dataclass(eq=False)
class _Part:
    """The inputs or the outputs; `rows` are the reference's and each window's, all in the same bins."""

    inputs: Inputs
    reference: Reference
    windows: tuple[str, ...]
    rows: tuple[Row, ...]

    @cached_property
    def coarse(self) -> list[Ints]:
        return [self.inputs.coarse(row) for row in self.rows]

    @cached_property
    def moments(self) -> list[tuple[Ints, Floats, Floats]]:
        return [moments(self.inputs, row) for row in self.rows]

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        names = named(self.inputs.bins)
        return {(feature, output): place for place, (feature, output, _) in enumerate(names)}

    def distribution(
        self,
        place: int,
        name: tuple[str, str],
        reference_outcomes: RelatedOutcomes | None,
        outcomes: tuple[WindowOutcomes, ...],
    ) -> Distribution:
        bins, numeric = self.inputs.bins, len(self.inputs.bins.numeric)
        counts = [self._counts(place, number) for number in range(len(self.rows))]
        is_number = place < numeric
        edges = bins.edges[place] if is_number else np.zeros(0)
        return Distribution(
            *name,
            kind=named(bins)[place][2],
            reference=self.reference.id,
            edges=tuple(edges.tolist()),
            coarse_edges=_coarse_edges(edges, bins.coarse[place]) if is_number else (),
            low=value(bins.low[place]) if is_number else None,
            high=value(bins.high[place]) if is_number else None,
            categories=() if is_number else bins.categories[place - numeric],
            reference_counts=counts[0],
            windows=tuple(map(WindowRecords, self.windows, counts[1:])),
            reference_outcomes=reference_outcomes,
            outcomes=outcomes,
        )

    def _counts(self, place: int, number: int) -> BinnedRecords:
        inputs, row, numeric = self.inputs, self.rows[number], len(self.inputs.bins.numeric)
        coarse = tuple(self.coarse[number][place, :COARSE_BINS].tolist())
        records = inputs.records(row)
        if place < numeric:
            cells = inputs.layout.count(row, "bins")[place].tolist()
            outside = int(inputs.layout.count(row, "outside")[place])
            _, mean, sd = self.moments[number]
            moments_ = value(mean[place]), value(sd[place])
            fine = tuple(cells[:NUMERIC_BINS])
            return BinnedRecords(
                records, fine, coarse, cells[MISSING], cells[NOT_FINITE], 0, outside, *moments_
            )
        column = place - numeric
        cells = inputs.layout.count(row, "categories")[column].tolist()
        fine = (*cells[: len(inputs.bins.categories[column])], cells[inputs.other])
        return BinnedRecords(
            records, fine, coarse, cells[inputs.missing], 0, cells[inputs.unseen], 0, None, None
        )


def _coarse_edges(edges: Floats, coarse: Ints) -> tuple[float, ...]:
    """The edge at which each coarse bin ends and the next one begins."""
    ends = [place for place, (one, next_) in enumerate(pairwise(coarse.tolist())) if one != next_]
    return tuple(edges[ends].tolist())


def _of_reference(relation: Relation, key: str) -> RelatedOutcomes | None:
    if key not in relation.keys:
        return None
    place = relation.keys.index(key)
    errors = None if relation.errors is None else relation.errors[place]
    return _outcomes(relation.classes, relation.records[place], errors)


def _outcomes(classes: tuple[str, ...], records: Ints, errors: Floats | None) -> RelatedOutcomes:
    """From records of shape (COARSE_CELLS, classes), where `other` is the last, and sums of errors."""
    if len(classes) < records.shape[1] and classes:
        last = len(classes) - 1
        records = np.concatenate([records[:, :last], records[:, last:].sum(axis=1, keepdims=True)], axis=1)
    means: tuple[float | None, ...] = (None,) * COARSE_CELLS
    if errors is not None:
        means = tuple(value(mean) for mean in quotient(errors[:, ERROR], records[:, 0].astype(np.float64)))
    return RelatedOutcomes(classes, tuple(tuple(each) for each in records.tolist()), means)
