"""EDDM: early drift detection method."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State


class EDDM(Detector):
    """Early drift detection method: errors come closer together than they ever did on average.

    With m and s the mean and standard deviation (n - 1 below the line) of the numbers of values
    between two errors (value 1), a drift is detected where m + 2 s falls below *drift* times its
    greatest value so far, a warning given below *warning* times it; looked at after each error, after
    more than 30 of them.

    With its published levels (0.95 and 0.9) it fires in vain some 20 times in 10,000 independent errors
    at a rate of 0.2.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 1 us a value. Memory: 100 bytes.
    Source: Baena-Garcia et al. 2006, "Early drift detection method". Checked against River 0.23.0's
    detections, to the index (tests/golden/test_detectors.py).
    """

    bounded = True
    counts_errors = True
    __slots__ = ("_errors", "_last_error", "_n", "_squares", "_widest", "drift", "least", "warning")

    def __init__(self, *, least: int = 30, warning: float = 0.95, drift: float = 0.9) -> None:
        if not 0 < drift <= warning <= 1:
            raise ValueError(
                f"drift, warning: expected 0 < drift <= warning <= 1, found {drift} and {warning}"
            )
        self.least, self.warning, self.drift = least, warning, drift
        super().__init__()

    def _reset(self) -> None:
        self._n = 0
        self._errors = 0
        self._last_error = 0
        self._squares = 0
        self._widest = -1.0

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:
        for place in (values == 1.0).nonzero()[0].tolist():
            state = self._error(self._n + place + 1)
            if state is State.WARNING and self.state is not State.WARNING:
                warnings.append(at + place)
            self.state = state
            if state is State.DRIFT:
                return int(place) + 1
        self._n += values.size
        return values.size

    def _error(self, n: int) -> State:
        """The state after an error at the n-th value."""
        self._errors += 1
        self._squares += (n - self._last_error) ** 2
        self._last_error = n
        if n <= self.least:
            return self.state
        # Distances add up to the last error's number, and all are whole: nothing is rounded.
        errors = self._errors
        mean = n / errors
        variance = (self._squares - n * n / errors) / (errors - 1) if errors > 1 else 0.0
        width = mean + 2.0 * sqrt(max(variance, 0.0))
        if width > self._widest:
            self._widest = width
            return self.state
        if errors <= self.least:
            return self.state
        if width < self.drift * self._widest:
            return State.DRIFT
        return State.WARNING if width < self.warning * self._widest else State.STABLE

    def _numbers(self) -> Sequence[float]:
        return (self._n, self._errors, self._last_error, self._squares, self._widest)

    def _take(self, numbers: Values) -> None:
        n, errors, last_error, squares, self._widest = numbers.tolist()
        self._n, self._errors, self._last_error, self._squares = (
            int(n),
            int(errors),
            int(last_error),
            int(squares),
        )
