"""Records of a regression kept for learning its expected loss: a bounded sample, by lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from driftgauge.records import Floats, Ints
from driftgauge.reference.loss import ExpectedLoss, learn
from driftgauge.sketches.coarse import Codes
from driftgauge.sketches.quality import Joined

KEPT_ROWS: Final = 50_000
# The first features, as `serve` codes by default; pairs with the prediction take 3 kB each.
FEATURES: Final = 32
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    lots: Floats
    codes: Codes
    prediction: Floats
    error: Floats

    def at(self, kept: Ints) -> _Piece:
        return _Piece(self.lots[kept], self.codes[:, kept], self.prediction[kept], self.error[kept])


class LossRows:
    """A sample of at most 50,000 records with a prediction and an outcome, as bins: 56 bytes each.

    Each record draws a lot and the lowest are kept: any record is as likely to be, wherever it stood.
    """

    def __init__(self) -> None:
        self._rng = np.random.default_rng(_SEED)
        self._pieces: list[_Piece] = []

    def add(self, joined: Joined) -> None:
        """Take joined records of a regression that have bins."""
        assert joined.bins is not None
        error = joined.prediction - joined.outcome
        piece = _Piece(self._rng.random(len(joined)), joined.bins[:FEATURES], joined.prediction, error)
        self._pieces.append(piece.at(np.flatnonzero(np.isfinite(error))))
        if sum(each.lots.size for each in self._pieces) > 1.5 * KEPT_ROWS:
            self._keep()

    def _keep(self) -> None:
        lots = np.concatenate([piece.lots for piece in self._pieces])
        if lots.size > KEPT_ROWS:
            limit = np.partition(lots, KEPT_ROWS)[KEPT_ROWS]
            self._pieces = [piece.at(np.flatnonzero(piece.lots < limit)) for piece in self._pieces]

    def learned(self, keys: tuple[str, ...]) -> ExpectedLoss | None:
        """The expected loss by the bins of the features *keys*; None of too few records."""
        if not self._pieces:
            return None
        self._keep()
        return learn(
            keys[:FEATURES],
            np.concatenate([piece.codes for piece in self._pieces], axis=1),
            np.concatenate([piece.prediction for piece in self._pieces]),
            np.concatenate([piece.error for piece in self._pieces]),
        )
