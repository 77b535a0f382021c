"""A reference made from learning rows, one a day, whose bins no data decide.

Fine edges are snapped to the edges of those bins, so that one pass over the data counts exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from driftgauge.config import Feature, FeatureKind
from driftgauge.errors import ReferenceFileError
from driftgauge.layout import SUMMED_LIMIT
from driftgauge.records import Floats, Ints
from driftgauge.reference.projection import project
from driftgauge.reference.values import Reference, identified, stacked
from driftgauge.sketches.inputs import (
    COARSE_BINS,
    FINE_BINS,
    NUMERIC_BINS,
    TAIL_BINS,
    InputBins,
    Inputs,
    feature_key,
)
from driftgauge.sketches.learning import LearningRow, NumericTally, bin_bounds
from driftgauge.stats.binning import coarse_groups, quantile_edges, tail_edges, tail_width

# Text is an identifier when more than half of at least this many values differ.
IDENTIFIER_SAMPLES = 100
KEPT_FOLDED = 1024


@dataclass(frozen=True, slots=True)
class _Binned:
    edges: Floats
    coarse: Ints
    centre: float
    low: float
    high: float


def build(
    days: Mapping[int, LearningRow],
    *,
    first: float,
    last: float,
    declared: Mapping[str, Feature],
    category_limit: int,
    growing: Collection[str] = (),
) -> Reference:
    """The reference of the records in *days* (key: number of the day, or 0 without times).

    Args:
        declared: what the configuration says of features: kind and range.
        category_limit: categories a feature; the rest is other.
        growing: keys of numbers that never fell in order of arrival: identifiers.

    Raises:
        ReferenceFileError: there is no record.
    """
    total = LearningRow()
    for row in days.values():
        total.add(row)
    if not total.records:
        raise ReferenceFileError("a reference needs at least one record, got none")
    kinds = guess_kinds(total, declared, growing)
    numeric = [key for key, kind in kinds.items() if kind is FeatureKind.NUMERIC]
    texts = [key for key, kind in kinds.items() if kind is not FeatureKind.NUMERIC]
    binned = [_bin(total.numeric[key], _declared(declared, key)) for key in numeric]
    ranked = [_ranked(total, key, kinds[key]) for key in texts]
    bins = InputBins(
        numeric=tuple(numeric),
        categorical=tuple(texts),
        identifiers=frozenset(k for k in texts if kinds[k] is FeatureKind.IDENTIFIER),
        edges=stacked([b.edges for b in binned], NUMERIC_BINS - 1),
        centre=np.array([b.centre for b in binned], np.float64),
        low=np.array([b.low for b in binned], np.float64),
        high=np.array([b.high for b in binned], np.float64),
        coarse=stacked([b.coarse for b in binned], NUMERIC_BINS).astype(np.int64),
        categories=tuple(tuple(r[:category_limit]) for r in ranked),
        folded=tuple(frozenset(r[category_limit : category_limit + KEPT_FOLDED]) for r in ranked),
        limit=category_limit,
    )
    inputs = Inputs(bins)
    coarse = tuple((day, inputs.coarse(project(inputs, row))) for day, row in sorted(days.items()))
    return identified(bins, project(inputs, total), first, last, coarse)


def _declared(declared: Mapping[str, Feature], key: str) -> Feature:
    return declared.get(key[2:], Feature()) if key.startswith("f:") else Feature()


def guess_kinds(
    total: LearningRow, declared: Mapping[str, Feature], growing: Collection[str] = ()
) -> dict[str, FeatureKind]:
    """The kind of every key: as declared; else text and booleans are categorical, numbers numeric,
    text that mostly differs and numbers that only grow identifiers.

    Declared features come first, in the order of their declaration, then the others as they came.
    """
    seen = [*total.numeric, *(k for k in total.categorical if k not in total.numeric)]
    first = [feature_key(name) for name in declared if feature_key(name) in seen]
    return {
        key: _kind(total, key, _declared(declared, key).kind, growing)
        for key in [*first, *(k for k in seen if k not in first)]
    }


def _kind(
    total: LearningRow, key: str, declared: FeatureKind | None, growing: Collection[str]
) -> FeatureKind:
    numbers, texts = total.numeric.get(key), total.categorical.get(key)
    if declared is FeatureKind.IDENTIFIER:
        return FeatureKind.IDENTIFIER
    if numbers is not None and (texts is None or numbers.values >= texts.values):
        if key in growing and not key.startswith("o:") and numbers.values >= IDENTIFIER_SAMPLES:
            return FeatureKind.IDENTIFIER
        return FeatureKind.NUMERIC
    assert texts is not None
    different = len(texts.counts) + texts.other
    if texts.values >= IDENTIFIER_SAMPLES and different > texts.values / 2:
        return FeatureKind.IDENTIFIER
    return FeatureKind.CATEGORICAL


def _ranked(total: LearningRow, key: str, kind: FeatureKind) -> list[str]:
    texts = total.categorical.get(key)
    if texts is None or kind is FeatureKind.IDENTIFIER:
        return []
    return [text for text, _ in sorted(texts.counts.items(), key=lambda kv: (-kv[1], kv[0]))]


def _bin(tally: NumericTally, declared: Feature) -> _Binned:
    """The edges of one numeric feature, snapped to its learning bins, none beyond `SUMMED_LIMIT`."""
    if not tally.codes.size:
        low_edges, high_edges = tail_edges(0.0, 0.0, 1.0, TAIL_BINS)
        edges = np.concatenate([low_edges, np.zeros(FINE_BINS - 1), high_edges])
        return _Binned(edges, _coarse(np.zeros(FINE_BINS, np.int64)), 0.0, -np.inf, np.inf)
    low, high = bin_bounds(tally.codes, tally.level)
    lower, upper = _summable(low), _summable(high)
    ranks = quantile_edges(np.arange(tally.codes.size, dtype=np.float64), tally.counts, FINE_BINS)
    place = np.ceil(ranks).astype(np.int64)
    under = np.nextafter(np.maximum(low, -2 * SUMMED_LIMIT), -np.inf)
    fine = _summable(np.where(ranks == place, high[place], under[place]))
    mean = tally.centre + tally.deviation / tally.values
    sd = np.sqrt(tally.about(mean)[1] / tally.values)
    cumulative = np.cumsum(tally.counts) / tally.values
    quartiles = upper[np.searchsorted(cumulative, [0.25, 0.75])]
    width = tail_width(float(quartiles[1] - quartiles[0]), float(sd))
    low_edges, high_edges = tail_edges(float(lower[0]), float(upper[-1]), width, TAIL_BINS)
    edges = np.concatenate([low_edges, fine, high_edges])
    placed = np.searchsorted(edges, upper) - TAIL_BINS
    counts = np.bincount(placed, weights=tally.counts, minlength=FINE_BINS).astype(np.int64)
    return _Binned(
        edges,
        _coarse(counts),
        mean,
        float(low[0]) if declared.min is None else declared.min,
        float(high[-1]) if declared.max is None else declared.max,
    )


def _summable(values: Floats) -> Floats:
    return np.clip(values, -SUMMED_LIMIT, SUMMED_LIMIT)


def _coarse(fine_counts: Ints) -> Ints:
    """The coarse bin of every bin; the tails get their own where there is room for them.

    A reference of a single value would otherwise put a moved feature into the bin it left.
    """
    groups = coarse_groups(fine_counts, COARSE_BINS).astype(np.int64)
    used = int(groups[np.flatnonzero(fine_counts)].max(initial=0)) + 1
    groups = np.minimum(groups, used - 1)
    apart = used + 2 <= COARSE_BINS
    low, middle, high = (0, groups + 1, used + 1) if apart else (0, groups, used - 1)
    return np.concatenate([np.full(TAIL_BINS, low), middle, np.full(TAIL_BINS, high)])
