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
# They are within 0.1% of 100 on the data that this is shown on.
SWEEPS: Final = 20
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


class Fitting:
    """An expected loss that is being learned, in turns, for those who can't wait for all at once.

    50,000 records of 32 features take 7 MB.

    Attributes:
        turns: left to do.
    """

    def __init__(self, keys: Sequence[str], codes: Codes, prediction: Floats, error: Floats) -> None:
        self.turns = 2 * SWEEPS
        self._keys, self._error = tuple(keys), error
        self._edges = np.unique(np.quantile(prediction, np.arange(1, PREDICTION_BINS) / PREDICTION_BINS))
        self._bins = self._edges.searchsorted(prediction).astype(np.int16)
        size = self._edges.size + 1
        self._cells = np.minimum(codes, UNSEEN_CODE).astype(np.int16)
        self._groups = np.concatenate(
            [self._bins[None], self._cells, self._bins * COARSE_CELLS + self._cells]
        ).astype(np.int16)
        features = len(self._keys)
        self._widths = [size, *[COARSE_CELLS] * features, *[size * COARSE_CELLS] * features]
        self._effects: list[list[Floats] | None] = [None, None]

    def turn(self) -> None:
        """One sweep over the groups, of one of the two losses: 35 ms for 50,000 records of 7 features,
        130 ms of 32.
        """
        self.turns -= 1
        self._sweep(self.turns % 2, 1)

    def finish(self) -> None:
        """All turns at once."""
        self.turns = 0
        for column in (ABSOLUTE, SQUARE):
            self._sweep(column, SWEEPS)

    def _sweep(self, column: int, times: int) -> None:
        loss = np.abs(self._error) if column == ABSOLUTE else self._error**2
        self._effects[column] = log_linear(
            self._groups, self._widths, loss, sweeps=times, begin=self._effects[column]
        )

    def found(self) -> ExpectedLoss:
        """What was learned; after the last turn."""
        size, features = self._edges.size + 1, len(self._keys)
        own, tables = np.empty((2, size)), np.empty((2, features, size, COARSE_CELLS))
        for column, effects in enumerate(self._effects):
            assert effects is not None
            own[column] = effects[0]
            for row in range(features):
                pairs = effects[1 + features + row].reshape(size, COARSE_CELLS)
                tables[column, row] = effects[1 + row] + pairs
        held = np.array([np.bincount(row, minlength=COARSE_CELLS) for row in self._cells], np.int64)
        return ExpectedLoss(
            self._keys,
            self._edges,
            own,
            tables,
            np.bincount(self._bins, minlength=size),
            held.reshape(features, COARSE_CELLS),
            self._kurtosis(),
            self._error.size,
        )

    def _kurtosis(self) -> float:
        effects = self._effects[SQUARE]
        assert effects is not None
        eta = np.zeros(self._error.size)
        for group, effect in zip(self._groups, effects, strict=True):
            eta += effect[group]
        return max(1.0, float((self._error**4).mean() / np.exp(2 * eta).mean()))


def learnable(error: Floats) -> bool:
    """Whether records with these errors teach anything: there are 1,000, and not all are 0."""
    return error.size >= LEAST_RECORDS and bool(error.any())


def learn(keys: Sequence[str], codes: Codes, prediction: Floats, error: Floats) -> ExpectedLoss | None:
    """The expected loss that n records show; None of fewer than 1,000, or where none errs.

    Args:
        codes: shape (features, n), coarse bins. prediction, error: shape (n,), finite.

    Cost: 1 s for 50,000 records of 7 features.
    """
    if not learnable(error):
        return None
    fitting = Fitting(keys, codes, prediction, error)
    fitting.finish()
    return fitting.found()


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


def to_json(loss: ExpectedLoss) -> bytes:
    """The expected loss as JSON; every float is written so that it reads back equal."""
    return msgspec.json.encode(saved(loss))


def from_json(data: bytes, source: str) -> ExpectedLoss:
    """The expected loss that `to_json` wrote; *source* names it in errors.

    Raises:
        ReferenceFileError: it isn't such JSON, or contradicts itself.
    """
    try:
        file = msgspec.json.decode(data, type=LossFile)
    except msgspec.MsgspecError as error:
        raise ReferenceFileError(f"{source}: expected a loss, got: {error}") from error
    return loaded(file, source)


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
