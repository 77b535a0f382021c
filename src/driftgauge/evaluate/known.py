"""What drift reads of a reference: the same at every evaluation, so it is worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference, moments
from driftgauge.sketches.inputs import COARSE_BINS, NUMERIC_BINS, InputBins, Inputs
from driftgauge.stats.arrays import Edges, Sample
from driftgauge.stats.binning import quantile_from_counts
from driftgauge.stats.moments import reference_spread

QUANTILES: Final = {"p05_shift_sd": 0.05, "p50_shift_sd": 0.5, "p95_shift_sd": 0.95}
# A name's coarse cells as series and rows name them.
COARSE_CELL_NAMES: Final = (*(str(number) for number in range(COARSE_BINS)), "missing", "unseen")
LEVELS: Final[Floats] = np.array(list(QUANTILES.values()))
# Numeric names that are compared at once: each further block costs a fifth of a millisecond, and a step from
# their counts to their distances takes less than a megabyte.
_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class Block:
    """Some numeric names next to each other: their fine bins, and the quantiles at `LEVELS`."""

    names: slice
    bins: Sample
    edges: Edges
    quantiles: Floats


@dataclass(frozen=True, slots=True)
class CoarseBins:
    """Every coarse bin of every name but the identifiers, name by name.

    Attributes:
        watched: places of these names.
        labels: feature, output and bin of each; shares: the reference's.
    """

    watched: tuple[int, ...]
    labels: tuple[list[str], list[str], list[str]]
    shares: list[float]


@dataclass(frozen=True, slots=True)
class Known:
    """A reference's own numbers, numeric names first.

    Attributes:
        names: feature, output and kind of each name.
        coarse: coarse counts, shape (names, COARSE_CELLS); bins: the same as series.
        blocks: of the numeric names; mean, sd: of all of them; spread: sd, NaN of a constant.
        categories: of the categorical names, without the missing ones.
        identifiers: places of the identifiers among the categorical names.
    """

    names: tuple[tuple[str, str, str], ...]
    coarse: Sample
    bins: CoarseBins
    blocks: tuple[Block, ...]
    mean: Floats
    sd: Floats
    spread: Floats
    categories: Sample
    identifiers: tuple[int, ...]


def known(inputs: Inputs, reference: Reference) -> Known:
    """Those of *reference*, whose bins are those of *inputs*; kept with it."""
    found = reference.kept.get("known")
    if found is None:
        found = reference.kept["known"] = _known(inputs, reference)
    return cast("Known", found)


def _known(inputs: Inputs, reference: Reference) -> Known:
    row, bins = reference.row, inputs.bins
    names, coarse = named(bins), inputs.coarse(row)
    _, mean, sd = moments(inputs, row)
    starts = range(0, len(bins.numeric), _AT_ONCE)
    return Known(
        names=names,
        coarse=Sample.of(coarse),
        bins=_coarse_bins(names, coarse),
        blocks=tuple(_block(inputs, reference, slice(at, at + _AT_ONCE)) for at in starts),
        mean=mean,
        sd=sd,
        spread=reference_spread(mean, sd),
        # The last cell is the missing ones.
        categories=Sample.of(inputs.layout.count(row, "categories")[:, :-1]),
        identifiers=tuple(place for place, key in enumerate(bins.categorical) if key in bins.identifiers),
    )


def _coarse_bins(names: tuple[tuple[str, str, str], ...], coarse: Ints) -> CoarseBins:
    watched = tuple(place for place, (_, _, kind) in enumerate(names) if kind != "identifier")
    shares = coarse / np.maximum(coarse.sum(axis=1, keepdims=True), 1)
    labels = [(*names[place][:2], cell) for place in watched for cell in COARSE_CELL_NAMES]
    features, outputs, cells = ([label[part] for label in labels] for part in range(3))
    return CoarseBins(watched, (features, outputs, cells), shares[watched, :].ravel().tolist())


def _block(inputs: Inputs, reference: Reference, names: slice) -> Block:
    counts = Sample.of(inputs.layout.count(reference.row, "bins")[names, :NUMERIC_BINS], ordered=True)
    edges = Edges.of(inputs.outer_edges[names])
    return Block(names, counts, edges, quantile_from_counts(counts, edges, LEVELS))


def named(bins: InputBins) -> tuple[tuple[str, str, str], ...]:
    """Feature, output and kind of each name, numeric ones first."""
    kinds = ["numeric"] * len(bins.numeric)
    kinds += ["identifier" if key in bins.identifiers else "categorical" for key in bins.categorical]
    keys = (*bins.numeric, *bins.categorical)
    return tuple(
        ("", key[2:], kind) if key[0] == "o" else (key[2:], "", kind)
        for key, kind in zip(keys, kinds, strict=True)
    )
