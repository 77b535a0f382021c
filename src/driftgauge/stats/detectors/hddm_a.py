"""HDDM-A: Hoeffding's bound on averages."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State


class HDDMA(Detector):
    """Drift detection by Hoeffding's bound, averages: the mean rises above that of an early part.

    The early part ends where the mean plus its bound sqrt(ln(1 / drift) / (2 n)) was least. A drift
    is detected where the mean of all n values lies above that of the first k by at least
    sqrt((n - k) / (2 k n) * ln(2 / drift)); a warning likewise with *warning*. A fall is not detected.

    Args:
        drift, warning: the chances of an error that are allowed a test.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 2 us a value. Memory: 100 bytes.
    Source: Frias-Blanco et al. 2015, "Online and non-parametric drift detection methods based on
    Hoeffding's bounds", theorem 1 and algorithm 1. Checked against River 0.23.0's detections, to the index
    (tests/golden/test_detectors.py).
    """

    bounded = True
    __slots__ = ("_cut", "_cut_sum", "_n", "_sum", "drift", "warning")

    def __init__(self, *, drift: float = 0.001, warning: float = 0.005) -> None:
        if not 0 < drift <= warning < 1:
            raise ValueError(
                f"drift, warning: expected 0 < drift <= warning < 1, found {drift} and {warning}"
            )
        self.drift, self.warning = drift, warning
        super().__init__()

    def _reset(self) -> None:
        self._n = 0
        self._sum = 0.0
        self._cut = 0
        self._cut_sum = 0.0

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:
        n, total, cut, cut_sum = self._n, self._sum, self._cut, self._cut_sum
        confidence = log(1.0 / self.drift) / 2.0
        drift, warning = log(2.0 / self.drift) / 2.0, log(2.0 / self.warning) / 2.0
        least = cut_sum / cut + sqrt(confidence / cut) if cut else 0.0
        for place, value in enumerate(values.tolist()):
            n += 1
            total += value
            mean = total / n
            level = mean + sqrt(confidence / n)
            if not cut or level <= least:
                cut, cut_sum, least = n, total, level
                self.state = State.STABLE
                continue
            part = (n - cut) / cut / n
            apart = mean - cut_sum / cut
            if apart >= sqrt(part * drift):
                self.state = State.DRIFT
                return place + 1
            if apart < sqrt(part * warning):
                self.state = State.STABLE
            elif self.state is not State.WARNING:
                self.state = State.WARNING
                warnings.append(at + place)
        self._n, self._sum, self._cut, self._cut_sum = n, total, cut, cut_sum
        return values.size

    def _numbers(self) -> Sequence[float]:
        return (self._n, self._sum, self._cut, self._cut_sum)

    def _take(self, numbers: Values) -> None:
        n, self._sum, cut, self._cut_sum = numbers.tolist()
        self._n, self._cut = int(n), int(cut)
