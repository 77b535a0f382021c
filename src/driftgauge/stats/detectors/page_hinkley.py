"""The two-sided Page-Hinkley test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State

_BLOCK: Final = 1024


class PageHinkley(Detector):
    """Page-Hinkley test for a rise or a fall of the mean.

    The deviations from the running mean, less *delta*, are summed with the forgetting factor *alpha*;
    a drift is detected where the sum lies more than *threshold* above its least value so far. The
    other side likewise: the sum of deviations plus *delta*, below its greatest value (which begins at
    -1, as in River).

    Args:
        delta: the change of the mean that is tolerated, in the values' unit.
        threshold: how far the sum must move, in the values' unit times values: for errors in [0, 1]
            a change of the rate by d is found after about threshold / d of them.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 0.5 us a value. Memory: 100 bytes.
    Source: Page 1954, "Continuous inspection schemes"; with forgetting as in Gama et al. 2013, "On
    evaluating stream learning algorithms". Checked against River 0.23.0's detections, to the index
    (tests/golden/test_detectors.py). Sums are anchored at every 1,024th value, so that how a stream is
    cut into batches changes no bit of them.
    """

    __slots__ = (
        "_down",
        "_highest",
        "_lowest",
        "_n",
        "_powers",
        "_sum",
        "_up",
        "delta",
        "least",
        "threshold",
    )

    def __init__(
        self, *, least: int = 30, delta: float = 0.005, threshold: float = 50.0, alpha: float = 0.9999
    ) -> None:
        if not (0.9 <= alpha <= 1 and threshold > 0 and delta >= 0):
            raise ValueError(
                "alpha, threshold, delta: expected 0.9 to 1, above 0 and at least 0, "
                f"found {alpha}, {threshold} and {delta}"
            )
        self.least, self.delta, self.threshold = least, delta, threshold
        self._powers = _powers(alpha)
        super().__init__()

    def _reset(self) -> None:
        self._n = 0
        self._sum = 0.0
        # Both sums, divided by alpha to the number of values since the last anchor.
        self._up = 0.0
        self._down = 0.0
        self._lowest = np.inf
        self._highest = -1.0

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:  # noqa: ARG002  # it never warns
        anchored = self._n % _BLOCK
        values = values[: _BLOCK - anchored]
        powers = self._powers[anchored + 1 : anchored + values.size + 1]
        n = np.arange(self._n + 1, self._n + values.size + 1)
        sums = np.cumsum(np.concatenate([[self._sum], values]))[1:]
        deviations = values - sums / n
        steps = np.empty((2, values.size + 1))
        steps[:, 0] = self._up, self._down
        steps[0, 1:] = (deviations - self.delta) / powers
        steps[1, 1:] = (deviations + self.delta) / powers
        scaled = np.cumsum(steps, axis=1)[:, 1:]
        up, down = moved = scaled * powers
        lowest = np.minimum(np.minimum.accumulate(up), self._lowest)
        highest = np.maximum(np.maximum.accumulate(down), self._highest)
        fired = (np.maximum(up - lowest, highest - down) > self.threshold) & (n >= self.least)
        if fired.any():
            self.state = State.DRIFT
            return int(fired.argmax()) + 1
        ended = anchored + values.size == _BLOCK
        self._n, self._sum = int(n[-1]), float(sums[-1])
        self._up, self._down = (moved if ended else scaled)[:, -1].tolist()
        self._lowest, self._highest = float(lowest[-1]), float(highest[-1])
        return values.size

    def _numbers(self) -> Sequence[float]:
        return (self._n, self._sum, self._up, self._down, self._lowest, self._highest)

    def _take(self, numbers: Values) -> None:
        n, self._sum, self._up, self._down, self._lowest, self._highest = numbers.tolist()
        self._n = int(n)


@cache
def _powers(alpha: float) -> Values:
    powers: Values = np.power(alpha, np.arange(_BLOCK + 1), dtype=np.float64)
    return powers
