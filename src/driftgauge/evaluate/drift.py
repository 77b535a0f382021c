"""Drift of every feature and output of a version in one window, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Counts, Row
from driftgauge.records import Floats
from driftgauge.reference import moments, project
from driftgauge.sketches.inputs import MISSING, NOT_FINITE, NUMERIC_BINS, Inputs
from driftgauge.sketches.learning import LearningRow
from driftgauge.snapshot import Drift, Value
from driftgauge.stats.divergence import distances, js_distance, psi
from driftgauge.stats.moments import mean_shift_ratio, mean_shift_sd
from driftgauge.view import Watched

# Below this a statistic is mostly noise: its series is absent.
LEAST_SAMPLES = 30


def value(number: float | NDArray[np.float64]) -> Value:
    """A number as a snapshot holds it: None where there is none."""
    return float(number) if np.isfinite(number) else None


def in_bins(inputs: Inputs, row: Row | LearningRow) -> Row:
    """A window's total in the reference's bins."""
    return project(inputs, row) if isinstance(row, LearningRow) else row


def drift(
    watched: Watched, total: Row | LearningRow, model: str, version: str, window: str
) -> Iterator[Drift]:
    """Every feature (output) of *watched* in one window; without values where samples are few."""
    if watched.inputs is None or watched.reference is None:
        return
    inputs = watched.inputs
    current = in_bins(inputs, total)
    records = inputs.records(current)
    enough = records >= LEAST_SAMPLES
    table = _Table(inputs, watched.reference.row, current) if enough else None
    for place, key in enumerate(inputs.bins.numeric):
        yield _numeric(table, place, key, model, version, window, records)
    for place, key in enumerate(inputs.bins.categorical):
        yield _categorical(table, place, key, inputs, model, version, window, records)


class _Table:
    """Statistics of all names of one window. O(names * bins)."""

    def __init__(self, inputs: Inputs, reference: Row, current: Row) -> None:
        layout, bins = inputs.layout, inputs.bins
        self.psi = psi(inputs.coarse(reference), inputs.coarse(current))
        self.records = inputs.records(current)
        cells = layout.count(current, "bins")
        binned = layout.count(reference, "bins")[:, :NUMERIC_BINS], cells[:, :NUMERIC_BINS]
        # The open tail bins count as atoms at the outermost edges, where values are clipped.
        edges = np.concatenate([bins.edges[:, :1], bins.edges, bins.edges[:, -1:]], axis=1)
        self.distances = distances(*binned, edges) if len(cells) else None
        _, means, sds = moments(inputs, reference)
        self.present, current_means, _ = moments(inputs, current)
        self.mean_shift_sd = mean_shift_sd(means, sds, current_means)
        self.mean_shift_ratio = mean_shift_ratio(means, current_means)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.wasserstein: Floats = self.distances.wasserstein / sds if self.distances else np.zeros(0)
        self.missing = cells[:, MISSING] / self.records
        self.not_finite = cells[:, NOT_FINITE] / self.records
        self.outside = layout.count(current, "outside") / self.records
        texts = layout.count(current, "categories")
        self.text_missing = texts[:, inputs.missing] / self.records
        self.unseen = texts[:, inputs.unseen] / self.records
        self.text_js = (
            js_distance(_present(layout.count(reference, "categories")), _present(texts))
            if len(texts)
            else np.zeros(0)
        )


def _present(categories: Counts) -> Counts:
    """Category counts without the missing ones, the last cell."""
    return categories[:, :-1]


def _empty(
    key: str, kind: str, model: str, version: str, window: str, records: int, **values: Value
) -> Drift:
    feature, output = (key[2:], "") if key.startswith("f:") else ("", key[2:])
    names = (
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
    )
    filled = {name: values.get(name) for name in names}
    return Drift(model, version, feature, output, kind, window, float(records), **filled)


def _numeric(
    table: _Table | None, i: int, key: str, model: str, version: str, window: str, records: int
) -> Drift:
    if table is None or table.distances is None:
        return _empty(key, "numeric", model, version, window, records)
    shares = {
        "psi": value(table.psi[i]),
        "missing_ratio": value(table.missing[i]),
        "not_finite_ratio": value(table.not_finite[i]),
        "out_of_range_ratio": value(table.outside[i]),
    }
    if table.present[i] < LEAST_SAMPLES:
        return _empty(key, "numeric", model, version, window, records, **shares)
    return _empty(
        key,
        "numeric",
        model,
        version,
        window,
        records,
        **shares,
        ks=value(table.distances.ks[i]),
        ks_bound=value(table.distances.ks_bound[i]),
        js_distance=value(table.distances.js[i]),
        wasserstein=value(table.wasserstein[i]),
        mean_shift_sd=value(table.mean_shift_sd[i]),
        mean_shift_ratio=value(table.mean_shift_ratio[i]),
    )


def _categorical(
    table: _Table | None,
    i: int,
    key: str,
    inputs: Inputs,
    model: str,
    version: str,
    window: str,
    records: int,
) -> Drift:
    kind = "identifier" if key in inputs.bins.identifiers else "categorical"
    if table is None:
        return _empty(key, kind, model, version, window, records)
    if kind == "identifier":
        missing = value(table.text_missing[i])
        return _empty(key, kind, model, version, window, records, missing_ratio=missing)
    return _empty(
        key,
        kind,
        model,
        version,
        window,
        records,
        psi=value(table.psi[len(inputs.bins.numeric) + i]),
        js_distance=value(table.text_js[i]),
        missing_ratio=value(table.text_missing[i]),
        unseen_ratio=value(table.unseen[i]),
    )
