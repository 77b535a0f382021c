"""KSWIN: Kolmogorov-Smirnov windowing."""

from __future__ import annotations

from functools import cache
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

from driftgauge.stats.arrays import Values
from driftgauge.stats.detectors.detector import Detector, State

_AT_ONCE: Final = 256
_SAMPLES: Final = 1024
_SEED: Final = 20_200_801
_LEAST_DISTANCE: Final = 0.1

Places = npt.NDArray[np.int64]


class KSWIN(Detector):
    """Kolmogorov-Smirnov windowing: the newest values against a sample of those before them.

    Once 100 values have come since the last detection, each further value is followed by a two-sample
    Kolmogorov-Smirnov test of the newest 30 against 30 drawn without replacement from the 70 before
    them; a drift is detected where the exact p-value is at most *alpha* and the distance above 0.1.

    Each test draws anew, so one stream can be judged differently under another draw. Which values are
    drawn at the k-th test since a reset is the k-th row of *samples*, beginning again after the last:
    fixed, so that a replayed stream gives the same detections.

    Args:
        samples: shape (draws, newest), distinct places from 0 to window - newest - 1; 1,024 rows from
            numpy's default generator with a fixed seed when absent.

    Errors as `Detector` says; parameters that make no sense raise ``ValueError``.
    Cost: below 8 us a value. Memory: 1 kB, and the draws, which all share.
    Source: Raab, Heusinger and Schleif 2020, "Reactive soft prototype computing for concept drift
    streams"; the exact p-value of equal samples: Gnedenko and Korolyuk 1951. Checked against River
    0.23.0's detections with the draws of Python's generator, to the index (tests/golden/test_detectors.py);
    the p-value against scipy.stats.ks_2samp (tests/unit/stats).
    """

    __slots__ = ("_critical", "_held", "_tests", "newest", "samples", "window")

    def __init__(
        self, *, alpha: float = 0.005, window: int = 100, newest: int = 30, samples: Places | None = None
    ) -> None:
        if not 0 < alpha < 1 or not 0 < newest <= window - newest:
            raise ValueError(
                "alpha, window, newest: expected a share in (0, 1) and room for two samples in the window, "
                f"found {alpha}, {window} and {newest}"
            )
        self.window, self.newest = window, newest
        self.samples = _draws(window - newest, newest) if samples is None else np.asarray(samples, np.int64)
        if self.samples.ndim != 2 or self.samples.shape[1] != newest or not self.samples.size:
            raise ValueError(f"samples: expected shape (draws, {newest}), found {self.samples.shape}")
        if not 0 <= self.samples.min() <= self.samples.max() < window - newest:
            raise ValueError(f"samples: expected places from 0 to {window - newest - 1}, found others")
        self._critical = critical_steps(newest, alpha)
        super().__init__()

    def _reset(self) -> None:
        self._held = np.zeros(0)
        self._tests = 0

    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:  # noqa: ARG002  # it never warns
        values = values[:_AT_ONCE]
        held = np.concatenate([self._held, values])
        tests = held.size - self.window + 1
        if tests > 0:
            windows = np.lib.stride_tricks.sliding_window_view(held, self.window)
            drawn = (self._tests + np.arange(tests)) % len(self.samples)
            older = np.take_along_axis(windows, self.samples[drawn], axis=1)
            fired = _steps(older, windows[:, self.window - self.newest :]) >= self._critical
            if fired.any():
                self.state = State.DRIFT
                return int(fired.argmax()) + self.window - self._held.size
            self._tests = (self._tests + tests) % len(self.samples)
        self._held = held[-(self.window - 1) :]
        return values.size

    def _numbers(self) -> Values:
        return np.concatenate([[self._tests], self._held])

    def _take(self, numbers: Values) -> None:
        if not 1 <= numbers.size <= self.window:
            raise ValueError(f"a saved KSWIN of {numbers.size} numbers can't be read")
        self._tests, self._held = int(numbers[0]), numbers[1:].copy()


def _steps(first: Values, second: Values) -> Places:
    """The greatest distance of two empirical distributions a row, in steps of 1 / size."""
    size = first.shape[1]
    both = np.concatenate([first, second], axis=1)
    order = np.argsort(both, axis=1, kind="stable")
    ranked = np.take_along_axis(both, order, axis=1)
    apart = np.cumsum(np.where(order < size, 1, -1), axis=1)
    # Within equal values the distributions have not arrived yet.
    apart[:, :-1][ranked[:, :-1] == ranked[:, 1:]] = 0
    steps: Places = np.abs(apart).max(axis=1)
    return steps


def critical_steps(size: int, alpha: float) -> int:
    """The least distance, in steps of 1 / *size*, that two samples of *size* must have to differ.

    That whose exact p-value 2 * sum((-1)**(j-1) * C(2n, n - j h)) / C(2n, n) over j = 1, 2, ... is at
    most *alpha*, and above 0.1; size + 1 where none is.

    Raises:
        ValueError: a size below 1, or an alpha outside (0, 1).

    Cost: O(size) big integers, 0.1 ms for 30; once a detector. Source: Gnedenko and Korolyuk, 1951.
    Checked against the exact p-value of ``scipy.stats.ks_2samp``.
    """
    if size < 1 or not 0 < alpha < 1:
        raise ValueError(f"size, alpha: expected at least 1 and a share in (0, 1), found {size} and {alpha}")
    for steps in range(int(_LEAST_DISTANCE * size) + 1, size + 1):
        terms = ((-1) ** (j - 1) * comb(2 * size, size - j * steps) for j in range(1, size // steps + 1))
        if 2 * sum(terms) <= alpha * comb(2 * size, size):
            return steps
    return size + 1


@cache
def _draws(older: int, size: int) -> Places:
    rng = np.random.default_rng(_SEED)
    return np.stack([rng.permutation(older)[:size] for _ in range(_SAMPLES)])
