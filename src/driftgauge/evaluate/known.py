"""What drift reads of a reference: the same at every evaluation, so it is worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference, moments
from driftgauge.sketches.inputs import NUMERIC_BINS, Inputs
from driftgauge.stats.binning import quantile_from_counts

QUANTILES: Final = {"p05_shift_sd": 0.05, "p50_shift_sd": 0.5, "p95_shift_sd": 0.95}
LEVELS: Final[Floats] = np.array(list(QUANTILES.values()))


@dataclass(frozen=True, slots=True)
class Known:
    """A reference's own numbers, numeric names first.

    Attributes:
        coarse: coarse counts, shape (names, COARSE_CELLS); shares: the same as shares, by name.
        mean, sd: of the numeric names; quantiles: at `LEVELS`, shape (numeric names, levels).
    """

    coarse: Ints
    shares: list[list[float]]
    mean: Floats
    sd: Floats
    quantiles: Floats


def known(inputs: Inputs, reference: Reference) -> Known:
    """Those of *reference*, whose bins are those of *inputs*; kept with it."""
    found = reference.kept.get("known")
    if found is None:
        found = reference.kept["known"] = _known(inputs, reference)
    return cast("Known", found)


def _known(inputs: Inputs, reference: Reference) -> Known:
    row = reference.row
    coarse = inputs.coarse(row)
    shares = coarse / np.maximum(coarse.sum(axis=1, keepdims=True), 1)
    _, mean, sd = moments(inputs, row)
    counts = inputs.layout.count(row, "bins")[:, :NUMERIC_BINS]
    quantiles = quantile_from_counts(counts, inputs.outer_edges, LEVELS)
    return Known(coarse, shares.tolist(), mean, sd, quantiles)
