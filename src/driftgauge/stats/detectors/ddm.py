"""DDM: drift detection method."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State


class DDM(Detector):
    """Drift detection method: the error rate rises above the least one that it has had.

    With p the error rate of the n values since the last detection and s = sqrt(p (1 - p) / n), p_min
    and s_min are those where p + s was least. A warning is given where p + s > p_min + 2 s_min, a
    drift detected where p + s > p_min + 3 s_min, after more than 30 values. A fall is not detected.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 1 us a value. Memory: 100 bytes.
    Source: Gama, Medas, Castillo and Rodrigues 2004, "Learning with drift detection". Checked against River
    0.23.0's detections, to the index (tests/golden/test_detectors.py).
    """

    bounded = True
    counts_errors = True
    __slots__ = ("_least_rate", "_least_spread", "_n", "_sum", "drift", "least", "warning")

    def __init__(self, *, least: int = 30, warning: float = 2.0, drift: float = 3.0) -> None:
        if not 0 < warning <= drift:
            raise ValueError(f"warning, drift: expected 0 < warning <= drift, found {warning} and {drift}")
        self.least, self.warning, self.drift = least, warning, drift
        super().__init__()

    def _reset(self) -> None:
        self._n = 0
        self._sum = 0.0
        self._least_rate = self._least_spread = inf

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:
        n, total = self._n, self._sum
        for place, value in enumerate(values.tolist()):
            n += 1
            total += value
            if n <= self.least:
                continue
            rate = total / n
            spread = sqrt(max(rate * (1.0 - rate), 0.0) / n)
            level = rate + spread
            if level <= self._least_rate + self._least_spread:
                self._least_rate, self._least_spread = rate, spread
            if level > self._least_rate + self.drift * self._least_spread:
                self.state = State.DRIFT
                return place + 1
            if level <= self._least_rate + self.warning * self._least_spread:
                self.state = State.STABLE
            elif self.state is not State.WARNING:
                self.state = State.WARNING
                warnings.append(at + place)
        self._n, self._sum = n, total
        return values.size

    def _numbers(self) -> Sequence[float]:
        return (self._n, self._sum, self._least_rate, self._least_spread)

    def _take(self, numbers: Values) -> None:
        n, self._sum, self._least_rate, self._least_spread = numbers.tolist()
        self._n = int(n)
