"""Drift of every feature and output of a version in all of its windows at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.evaluate.known import LEVELS, QUANTILES, known
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.reference import Reference, moments, project
from driftgauge.sketches.inputs import MISSING, NOT_FINITE, NUMERIC_BINS, InputBins, Inputs
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import Drift, Value
from driftgauge.stats import divergence
from driftgauge.stats.binning import quantile_from_counts
from driftgauge.stats.moments import in_reference_sds, mean_shift_ratio
from driftgauge.view import Watched

# Below this a statistic is mostly noise: its series is absent.
LEAST_SAMPLES = 30
# The values of a `Drift`, in the order of its fields.
VALUES: Final = (
    "psi",
    "ks",
    "ks_bound",
    "js_distance",
    "wasserstein",
    "mean_shift_sd",
    "mean_shift_ratio",
    "missing_ratio",
    "not_finite_ratio",
    "unseen_ratio",
    "out_of_range_ratio",
    "hellinger",
    "total_variation",
    "l_infinity",
    "chi_square_p",
    "spread_ratio",
    "p05_shift_sd",
    "p50_shift_sd",
    "p95_shift_sd",
)
_NOTHING: Final[list[Value]] = [None] * len(VALUES)
_PLACE: Final = {name: place for place, name in enumerate(VALUES)}


def value(number: float | NDArray[np.float64]) -> Value:
    """A number as a snapshot holds it: None where there is none."""
    return float(number) if np.isfinite(number) else None


def listed(table: Floats) -> list[list[Value]]:
    """*table*, shape (values, names), as a list of values by name; None where one isn't finite."""
    found = table.astype(object)
    found[~np.isfinite(table)] = None
    rows: list[list[Value]] = found.T.tolist()
    return rows


def in_bins(inputs: Inputs, row: Row | LearningRow) -> Row:
    """A window's total in the reference's bins."""
    return project(inputs, row) if isinstance(row, LearningRow) else row


@dataclass(frozen=True, slots=True)
class Drifts:
    """What `drift` finds in one window.

    Attributes:
        records: in the window.
        values: by name (numeric ones first) those of `VALUES`; empty where records are few.
    """

    records: int
    values: list[list[Value]]


def drift(watched: Watched, totals: Sequence[Row | LearningRow]) -> list[Drifts]:
    """Every value of every name in each window, against the reference; empty without a reference.

    Args:
        totals: one a window, in any bins.

    Cost: about 0.3 / 2 / 10 ms a window for 25 / 200 / 1000 features.
    """
    inputs, reference = watched.inputs, watched.reference
    if inputs is None or reference is None or not totals:
        return []
    rows = [in_bins(inputs, total) for total in totals]
    chosen = [row for row in rows if inputs.records(row) >= LEAST_SAMPLES]
    found_in = iter(tables(inputs, reference, chosen) if chosen else ())
    found = []
    for row in rows:
        records = inputs.records(row)
        found.append(Drifts(records, listed(next(found_in)) if records >= LEAST_SAMPLES else []))
    return found


def drift_rows(watched: Watched, found: Drifts, model: str, version: str, window: str) -> Iterator[Drift]:
    """The rows of one window; without values where it had too few records."""
    if watched.inputs is None:
        return
    records = float(found.records)
    names = named(watched.inputs.bins)
    for name, values in zip(names, found.values or [_NOTHING] * len(names), strict=True):
        yield Drift(model, version, *name, window, records, *values)


def named(bins: InputBins) -> list[tuple[str, str, str]]:
    """Feature, output and kind of each name, numeric ones first."""
    kinds = ["numeric"] * len(bins.numeric)
    kinds += ["identifier" if key in bins.identifiers else "categorical" for key in bins.categorical]
    keys = (*bins.numeric, *bins.categorical)
    return [
        ("", key[2:], kind) if key[0] == "o" else (key[2:], "", kind)
        for key, kind in zip(keys, kinds, strict=True)
    ]


def tables(inputs: Inputs, reference: Reference, rows: Sequence[Row]) -> Floats:
    """`VALUES` of each of *rows* against *reference*, all in the bins of *inputs*.

    Shape (windows, values, names), numeric names first: NaN where a name has no such value.
    """
    count = len(inputs.bins.numeric)
    table = np.full((len(rows), len(VALUES), count + len(inputs.bins.categorical)), np.nan)

    def fill(found: Mapping[str, Floats], names: slice) -> None:
        for name, values in found.items():
            table[:, _PLACE[name], names] = values

    coarse = np.stack([inputs.coarse(row) for row in rows])
    of_reference = known(inputs, reference).coarse
    statistic, degrees = divergence.chi_square(of_reference, coarse)
    of_all = {
        "psi": divergence.psi(of_reference, coarse),
        "chi_square_p": divergence.chi_square_p(statistic, degrees),
    }
    for place, key in enumerate(inputs.bins.categorical):
        if key in inputs.bins.identifiers:
            for values in of_all.values():
                values[:, count + place] = np.nan
    fill(of_all, slice(None))
    records = np.array([[inputs.records(row)] for row in rows])
    if count:
        fill(_numeric(inputs, reference, rows, records), slice(0, count))
    if inputs.bins.categorical:
        fill(_categorical(inputs, reference.row, rows, records), slice(count, None))
    return table


def _numeric(inputs: Inputs, reference: Reference, rows: Sequence[Row], records: Ints) -> dict[str, Floats]:
    """Values of the numeric names, each of shape (windows, names)."""
    layout, edges = inputs.layout, inputs.outer_edges
    cells = np.stack([layout.count(row, "bins") for row in rows])
    counts, of_reference = cells[..., :NUMERIC_BINS], layout.count(reference.row, "bins")[:, :NUMERIC_BINS]
    apart = divergence.distances(of_reference, counts, edges)
    own = known(inputs, reference)
    mean, sd = own.mean, own.sd
    present, means, sds = (
        np.stack(each) for each in zip(*(moments(inputs, row) for row in rows), strict=True)
    )
    quantiles = quantile_from_counts(counts, edges, LEVELS) - own.quantiles
    in_sds = {
        "wasserstein": apart.wasserstein,
        "mean_shift_sd": means - mean,
        "spread_ratio": sds,
        **{name: quantiles[..., i] for i, name in enumerate(QUANTILES)},
    }
    found = {
        "ks": apart.ks,
        "ks_bound": apart.ks_bound,
        "js_distance": apart.js,
        "hellinger": apart.hellinger,
        "total_variation": apart.total_variation,
        "l_infinity": apart.l_infinity,
        "mean_shift_ratio": mean_shift_ratio(mean, means),
        **{name: in_reference_sds(values, mean, sd) for name, values in in_sds.items()},
    }
    few = present < LEAST_SAMPLES
    for values in found.values():
        values[few] = np.nan
    return found | {
        "missing_ratio": cells[..., MISSING] / records,
        "not_finite_ratio": cells[..., NOT_FINITE] / records,
        "out_of_range_ratio": np.stack([layout.count(row, "outside") for row in rows]) / records,
    }


def _categorical(inputs: Inputs, known: Row, rows: Sequence[Row], records: Ints) -> dict[str, Floats]:
    """Values of the categorical names, each of shape (windows, names); identifiers have one."""
    cells = np.stack([inputs.layout.count(row, "categories") for row in rows])
    # The last cell is the missing ones.
    pair = inputs.layout.count(known, "categories")[:, :-1], cells[..., :-1]
    apart = divergence.unordered_distances(*pair)
    found = {
        "js_distance": apart.js,
        "hellinger": apart.hellinger,
        "total_variation": apart.total_variation,
        "l_infinity": apart.l_infinity,
        "unseen_ratio": cells[..., inputs.unseen] / records,
    }
    identifiers = [key in inputs.bins.identifiers for key in inputs.bins.categorical]
    for values in found.values():
        values[:, identifiers] = np.nan
    return found | {"missing_ratio": cells[..., inputs.missing] / records}
