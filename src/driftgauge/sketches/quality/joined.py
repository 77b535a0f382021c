"""Joined records, and how they fall into the whole model and its segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.records import Floats, Ints

NO_SEGMENT: Final = 255


@dataclass(frozen=True, slots=True)
class Joined:
    """n predictions with their outcomes.

    Attributes:
        outcome: shape (n,), the class's code, or the number.
        prediction: shape (n,), likewise; NaN where there is none.
        score: shape (n,), in [0, 1]; NaN where there is none (binary).
        scores: shape (n, classes), NaN rows where there are none (multiclass), else shape (n, 0).
        segments: shape (columns, n), codes; `NO_SEGMENT` where a record has none.
        delay: shape (n,), seconds from prediction to outcome.
        implied: whether silence at the horizon implied these outcomes.
        bins: shape (features, n), the coarse bin of each watched feature when it was predicted, rows
            and codes as `CoarseCodes` of the version's reference has them; None where none are known.
        value: shape (n,), what each outcome says that it was worth; NaN where it says nothing.
        weight: shape (n,), what the values of its cell are multiplied by; NaN where it isn't known.
    """

    outcome: Floats
    prediction: Floats
    score: Floats
    scores: Floats
    segments: NDArray[np.uint8]
    delay: Floats
    implied: bool = False
    bins: NDArray[np.uint8] | None = None
    value: Floats | None = None
    weight: Floats | None = None

    def __len__(self) -> int:
        return self.outcome.size

    def at(self, chosen: NDArray[np.bool_] | Ints) -> Joined:
        """The chosen records."""
        return Joined(
            self.outcome[chosen],
            self.prediction[chosen],
            self.score[chosen],
            self.scores[chosen],
            self.segments[:, chosen],
            self.delay[chosen],
            self.implied,
            None if self.bins is None else self.bins[:, chosen],
            None if self.value is None else self.value[chosen],
            None if self.weight is None else self.weight[chosen],
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """How records fall into the whole model and its segments."""

    columns: int
    values: int

    @property
    def count(self) -> int:
        """Groups in all."""
        return 1 + self.columns * (self.values + 1)

    def number(self, column: int, value: int) -> int:
        """The group of a value of a segment column."""
        return 1 + column * (self.values + 1) + value

    def spread(self, segments: NDArray[np.uint8]) -> tuple[Ints, Ints]:
        """Group and record number of every membership: the whole model first, then each column."""
        n = segments.shape[1]
        columns, records = np.nonzero(segments != NO_SEGMENT)
        groups = 1 + columns * (self.values + 1) + segments[columns, records]
        return (
            np.concatenate([np.zeros(n, np.int64), groups]),
            np.concatenate([np.arange(n), records]),
        )
