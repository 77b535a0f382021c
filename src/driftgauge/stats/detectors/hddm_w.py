"""HDDM-W: McDiarmid's bound on weighted averages."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log, sqrt
from typing import ClassVar

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State


class HDDMW(Detector):
    """Drift detection by McDiarmid's bound: an exponentially weighted mean rises above an early one.

    The early mean (weight *rate* on the newest value) is the one at which the mean plus its bound was
    least; the other begins anew after it. With w the sum of squared weights, which begins at 1, a
    drift is detected where they differ by more than sqrt((w1 + w2) / 2 * ln(1 / drift)); a warning
    likewise. A fall is not detected.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 2 us a value. Memory: 120 bytes.
    Source: Frias-Blanco et al. 2015, "Online and non-parametric drift detection methods based on
    Hoeffding's bounds", theorem 3 and algorithm 2. Checked against River 0.23.0's detections, to the index
    where the mean begins at 0 as River's does; else as MOA's begins, with the first value
    (tests/golden/test_detectors.py).
    """

    bounded = True
    nothing: ClassVar[float] = -1.0
    """The mean before the first value. In River it is 0: there the first 1 after only 0 counts whole."""

    __slots__ = ("_numbers_held", "drift", "rate", "warning")

    def __init__(self, *, drift: float = 0.001, warning: float = 0.005, rate: float = 0.05) -> None:
        if not 0 < drift <= warning < 1 or not 0 < rate < 1:
            raise ValueError(
                "drift, warning, rate: expected 0 < drift <= warning < 1 and a share in (0, 1), "
                f"found {drift}, {warning} and {rate}"
            )
        self.drift, self.warning, self.rate = drift, warning, rate
        super().__init__()

    def _reset(self) -> None:
        # Mean and weight of all values, of the early ones, of those since; the least bound.
        self._numbers_held = (self.nothing, 1.0, 0.0, 1.0, self.nothing, 1.0, inf)

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:
        mean, weight, early, early_weight, since, since_weight, least = self._numbers_held
        rate, kept, nothing = self.rate, 1.0 - self.rate, self.nothing
        drift, warning = log(1.0 / self.drift) / 2.0, log(1.0 / self.warning) / 2.0
        for place, value in enumerate(values.tolist()):
            mean = value if mean == nothing else rate * value + kept * mean
            weight = rate * rate + kept * kept * weight
            level = mean + sqrt(weight * drift)
            if level < least:
                least, early, early_weight = level, mean, weight
                since, since_weight = nothing, 1.0
                self.state = State.STABLE
                continue
            since = value if since == nothing else rate * value + kept * since
            since_weight = rate * rate + kept * kept * since_weight
            both = early_weight + since_weight
            if since - early > sqrt(both * drift):
                self.state = State.DRIFT
                return place + 1
            if since - early <= sqrt(both * warning):
                self.state = State.STABLE
            elif self.state is not State.WARNING:
                self.state = State.WARNING
                warnings.append(at + place)
        self._numbers_held = (mean, weight, early, early_weight, since, since_weight, least)
        return values.size

    def _numbers(self) -> Sequence[float]:
        return self._numbers_held

    def _take(self, numbers: Values) -> None:
        mean, weight, early, early_weight, since, since_weight, least = numbers.tolist()
        self._numbers_held = (mean, weight, early, early_weight, since, since_weight, least)
