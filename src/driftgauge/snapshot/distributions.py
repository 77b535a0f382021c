"""Records by bin, now and in the reference: what a reader draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from driftgauge.snapshot.field import Value


@dataclass(frozen=True, slots=True)
class BinnedRecords:
    """The records of one window, or of the reference, by bin of one feature or output.

    Attributes:
        fine: by bin between `Distribution.edges`; of texts by `Distribution.categories`, then all others
            that the reference has.
        coarse: by the ten bins that PSI stands on, beside missing and unseen.
        not_finite, unseen: what has no bin, of numbers and of texts. outside: beyond the range.
        mean, sd: of numbers, clipped to the outermost edges.
    """

    records: int
    fine: tuple[int, ...]
    coarse: tuple[int, ...]
    missing: int
    not_finite: int
    unseen: int
    outside: int
    mean: Value
    sd: Value


@dataclass(frozen=True, slots=True)
class WindowRecords:
    """The records of one window by bin."""

    window: str
    counts: BinnedRecords


@dataclass(frozen=True, slots=True)
class RelatedOutcomes:
    """What came out by bin of a feature: its ten coarse bins, missing, then unseen or not finite.

    Attributes:
        classes: names of the classes; empty for a regression.
        outcomes: by bin and class; of a regression by bin alone.
        errors: of a regression, the mean error of a bin; None where nothing came.
    """

    classes: tuple[str, ...]
    outcomes: tuple[tuple[int, ...], ...]
    errors: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class WindowOutcomes:
    """What came out in one matured window."""

    window: str
    related: RelatedOutcomes


@dataclass(frozen=True, slots=True)
class Distribution:
    """How one feature or output is distributed in each window, and in the reference.

    Attributes:
        reference: its id.
        edges: between the 88 fine bins of a number; bin i holds ``edges[i-1] < x <= edges[i]``.
        coarse_edges: between its coarse bins; the outermost of those are open.
        low, high: the range that is in range.
        categories: of texts, most frequent in the reference first.
        reference_outcomes, outcomes: what came out; None and empty where it isn't watched.
    """

    feature: str
    output: str
    kind: str
    reference: str
    edges: tuple[float, ...]
    coarse_edges: tuple[float, ...]
    low: Value
    high: Value
    categories: tuple[str, ...]
    reference_counts: BinnedRecords
    windows: tuple[WindowRecords, ...]
    reference_outcomes: RelatedOutcomes | None
    outcomes: tuple[WindowOutcomes, ...]


class Distributions(Protocol):
    """Those of one model version at one evaluation; may be read by any thread."""

    def find(self, feature: str, output: str) -> Distribution | None:
        """That of a feature, or of an output (the other name is empty); None where nothing is compared."""

    def coarse(self, feature: str, output: str, window: str) -> tuple[list[int], list[int]] | None:
        """Records of the reference and of *window* by coarse bin, missing and unseen last; None likewise."""
