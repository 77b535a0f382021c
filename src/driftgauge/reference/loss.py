"""What error to expect of a regression's prediction, given the bins of its inputs: values and their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from driftgauge.errors import ReferenceFileError
from driftgauge.records import Floats, Ints
from driftgauge.sketches.coarse import UNSEEN_CODE, Codes
from driftgauge.sketches.inputs import COARSE_CELLS
from driftgauge.sketches.scores import ABSOLUTE, FOURTH, LOSSES, SQUARE, UNSUPPORTED, VARIANCE
from driftgauge.stats.loss import log_linear

LEAST_RECORDS: Final = 1_000
# Fewer records than this in a bin tell nothing of it.
LEAST_IN_BIN: Final = 20
# Bins of the prediction: where the error grows with it, fewer blur the ends.
PREDICTION_BINS: Final = 32
# The exponent is bounded, so that no table of a damaged file can overflow.
_FURTHEST: Final = 300.0


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """The expected absolute and squared error, log-linear in bins and their pairs with the prediction's.

    Attributes:
        keys: features, F of them.
        edges: inner edges of the prediction's P bins; bin i holds edges[i-1] < x <= edges[i].
        prediction: shape (2, P), logarithms: of the absolute and of the squared error.
        features: shape (2, F, P, COARSE_CELLS), what a feature's bin adds to them.
        prediction_records, feature_records: shapes (P,) and (F, COARSE_CELLS), what each stands on.
        kurtosis: mean fourth power of the error over the mean square of its expected square.
        records: that it was learned on.
    """

    keys: tuple[str, ...]
    edges: Floats
    prediction: Floats
    features: Floats
    prediction_records: Ints
    feature_records: Ints
    kurtosis: float
    records: int

    def of(self, keys: Sequence[str], codes: Codes, prediction: Floats) -> Floats:
        """What to expect of n predictions, shape (n, LOSSES); NaN rows where there is no prediction.

        Columns: absolute error, squared error, variance of the absolute one, fourth power, and 1 where
        a bin of the record has fewer than 20 of the records that this was learned on.

        Args:
            keys: features of the rows of *codes*, shape (features, n); one that is absent is unseen.

        Cost: about 0.01 us a record and feature.
        """
        n = prediction.size
        place = {key: row for row, key in enumerate(keys)}
        cells = np.full((len(self.keys), n), UNSEEN_CODE, np.int64)
        for row, key in enumerate(self.keys):
            if key in place:
                cells[row] = np.minimum(codes[place[key]], UNSEEN_CODE)
        bins = self.edges.searchsorted(prediction)
        rows = np.arange(len(self.keys))[:, None]
        size = self.prediction.shape[1] * COARSE_CELLS
        flat = cells + bins * COARSE_CELLS + rows * size
        out = np.empty((n, LOSSES))
        for column in (ABSOLUTE, SQUARE):
            eta = self.prediction[column][bins] + self.features[column].take(flat).sum(axis=0)
            out[:, column] = np.exp(np.clip(eta, -_FURTHEST, _FURTHEST))
        out[:, VARIANCE] = np.maximum(out[:, SQUARE] - out[:, ABSOLUTE] ** 2, 0.0)
        out[:, FOURTH] = self.kurtosis * out[:, SQUARE] ** 2
        rare = (self.feature_records < LEAST_IN_BIN).take(cells + rows * COARSE_CELLS).any(axis=0)
        out[:, UNSUPPORTED] = rare | (self.prediction_records[bins] < LEAST_IN_BIN)
        out[np.isnan(prediction)] = np.nan
        return out


def learn(keys: Sequence[str], codes: Codes, prediction: Floats, error: Floats) -> ExpectedLoss | None:
    """The expected loss that n records show; None of fewer than 1,000, or where none errs.

    Args:
        codes: shape (features, n), coarse bins. prediction, error: shape (n,), finite.

    Cost: 1 s for 50,000 records of 7 features.
    """
    if error.size < LEAST_RECORDS or not error.any():
        return None
    edges = np.unique(np.quantile(prediction, np.arange(1, PREDICTION_BINS) / PREDICTION_BINS))
    bins = edges.searchsorted(prediction)
    size = edges.size + 1
    cells = np.minimum(codes, UNSEEN_CODE).astype(np.int64)
    groups = np.concatenate([bins[None], cells, bins * COARSE_CELLS + cells])
    features = len(keys)
    widths = [size, *[COARSE_CELLS] * features, *[size * COARSE_CELLS] * features]
    own, tables = np.empty((2, size)), np.empty((2, features, size, COARSE_CELLS))
    for column, loss in ((ABSOLUTE, np.abs(error)), (SQUARE, error**2)):
        effects = log_linear(groups, widths, loss)
        own[column] = effects[0]
        for row in range(features):
            tables[column, row] = effects[1 + row] + effects[1 + features + row].reshape(size, COARSE_CELLS)
    held = np.array([np.bincount(row, minlength=COARSE_CELLS) for row in cells], np.int64)
    counts = np.bincount(bins, minlength=size)
    made = ExpectedLoss(
        tuple(keys), edges, own, tables, counts, held.reshape(features, COARSE_CELLS), 1.0, error.size
    )
    told = made.of(keys, codes, prediction)[:, SQUARE]
    kurtosis = max(1.0, float((error**4).mean() / (told**2).mean()))
    return ExpectedLoss(made.keys, edges, own, tables, counts, made.feature_records, kurtosis, made.records)


# --- JSON -------------------------------------------------------------------------------------


class _Effects(msgspec.Struct, forbid_unknown_fields=True):
    absolute: list[list[float]]
    square: list[list[float]]
    records: list[int]


class LossFile(msgspec.Struct, forbid_unknown_fields=True):
    """An expected loss as JSON: logarithms by bin of the prediction and coarse bin of the feature."""

    records: int
    kurtosis: float
    edges: list[float]
    prediction: _Effects
    features: dict[str, _Effects]


def saved(loss: ExpectedLoss) -> LossFile:
    """The expected loss as it is written."""
    own = [row[:, None].tolist() for row in loss.prediction]
    return LossFile(
        loss.records,
        loss.kurtosis,
        loss.edges.tolist(),
        _Effects(own[0], own[1], loss.prediction_records.tolist()),
        {
            key: _Effects(
                loss.features[0, row].tolist(),
                loss.features[1, row].tolist(),
                loss.feature_records[row].tolist(),
            )
            for row, key in enumerate(loss.keys)
        },
    )


def loaded(file: LossFile, source: str) -> ExpectedLoss:
    """The expected loss that was written.

    Raises:
        ReferenceFileError: it contradicts itself.
    """
    bins, features = len(file.edges) + 1, len(file.features)
    try:
        edges = np.array(file.edges, np.float64)
        own = np.array([file.prediction.absolute, file.prediction.square], np.float64).reshape(2, bins)
        effects = [
            [each.absolute for each in file.features.values()],
            [e.square for e in file.features.values()],
        ]
        tables = np.array(effects, np.float64).reshape(2, features, bins, COARSE_CELLS)
        counts = np.array(file.prediction.records, np.int64).reshape(bins)
        held = np.array([each.records for each in file.features.values()], np.int64)
        held = held.reshape(features, COARSE_CELLS)
    except (ValueError, OverflowError) as error:
        raise ReferenceFileError(f"{source} loss: expected {bins} bins of the prediction: {error}") from error
    numbers = (edges, own, tables, np.array(file.kurtosis))
    if not all(np.isfinite(each).all() for each in numbers) or (np.diff(edges) <= 0).any():
        raise ReferenceFileError(f"{source} loss: expected finite numbers, and edges that ascend")
    return ExpectedLoss(tuple(file.features), edges, own, tables, counts, held, file.kurtosis, file.records)
