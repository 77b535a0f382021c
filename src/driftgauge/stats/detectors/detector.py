"""What every detector shares: reading batches, beginning anew after a detection, saving."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from driftgauge.stats.arrays import Values

_HEAD: Final = struct.Struct("<Bqqq")
# What is computed in vain after a detection is bounded by this.
_AT_ONCE: Final = 4096


class State(IntEnum):
    """What a detector says after a value."""

    STABLE = 0
    WARNING = 1
    DRIFT = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What a batch gave.

    Attributes:
        detections: places in the batch at which a drift was detected, ascending.
        warnings: places at which a warning began.
    """

    detections: tuple[int, ...]
    warnings: tuple[int, ...]


class Detector(ABC):
    """A detector of changes in a stream of values.

    How a stream is cut into batches makes no difference to what is found. Owned by whoever made it;
    not for two threads at once.

    Attributes:
        seen: values read since it was made.
        detections: drifts detected since it was made.
        last: 0-based number of the value at which drift was last detected; None before the first.
        state: after the last value; DRIFT at the very value of a detection only.

    Errors: `update` and `load` raise ``ValueError`` as they say. Cost and source: each detector's own.
    Checked on every detector: batches of any size and a saved state change no detection.
    """

    bounded: ClassVar[bool] = False
    """Whether values must lie in [0, 1]."""

    counts_errors: ClassVar[bool] = False
    """Whether it is made for values that are 0 or 1."""

    __slots__ = ("detections", "last", "seen", "state")

    def __init__(self) -> None:
        self.seen = 0
        self.detections = 0
        self.last: int | None = None
        self.state = State.STABLE
        self._reset()

    def update(self, values: npt.ArrayLike) -> Found:
        """Read a batch, shape (n,), in order.

        An empty batch changes nothing.

        Raises:
            ValueError: not one-dimensional, a value that is not finite, or one outside of [0, 1]
                where the detector needs that; the state is as before.

        Cost: O(n), see each detector. Checked against River's detections, each detector as it says.
        """
        batch = self._checked(values)
        drifts: list[int] = []
        warnings: list[int] = []
        at = 0
        while at < batch.size:
            if self.state is State.DRIFT:
                self._reset()
                self.state = State.STABLE
            read = self._advance(batch[at : at + _AT_ONCE], at, warnings)
            at += read
            self.seen += read
            if self.state is State.DRIFT:
                self.detections += 1
                self.last = self.seen - 1
                drifts.append(at - 1)
        return Found(tuple(drifts), tuple(warnings))

    def _checked(self, values: npt.ArrayLike) -> Values:
        batch = np.asarray(values, dtype=np.float64)
        if batch.ndim != 1:
            raise ValueError(f"values: expected one axis, found shape {batch.shape}")
        if batch.size and not np.isfinite(batch).all():
            raise ValueError("values: expected finite numbers, found NaN or infinity")
        if self.bounded and batch.size and not 0 <= batch.min() <= batch.max() <= 1:
            raise ValueError("values: expected numbers from 0 to 1, found one outside")
        return batch

    @abstractmethod
    def _reset(self) -> None:
        """Forget all values."""

    @abstractmethod
    def _advance(self, values: Values, at: int, warnings: list[int]) -> int:
        """Read some of *values*, at least 1, at most up to the next detection; how many.

        Sets `state`, and appends to *warnings* the places of values at which one began, where the
        first value's place is *at*.
        """

    @abstractmethod
    def _numbers(self) -> Sequence[float] | Values:
        """Everything since the last reset, as numbers."""

    @abstractmethod
    def _take(self, numbers: Values) -> None:
        """Take up what `_numbers` gave."""

    def to_bytes(self) -> bytes:
        """The state as it is saved: at most 2 kB, at the cost of a copy.

        Raises: nothing. Checked: a detector saved anywhere goes on as if nothing had been.
        """
        last = -1 if self.last is None else self.last
        head = _HEAD.pack(self.state, self.seen, self.detections, last)
        return head + np.asarray(self._numbers(), "<f8").tobytes()

    def load(self, data: bytes) -> None:
        """Take up what `to_bytes` of a detector with the same parameters saved.

        Raises:
            ValueError: the bytes are not such a state.

        Cost: a copy. Checked as `to_bytes` is.
        """
        if len(data) < _HEAD.size or (len(data) - _HEAD.size) % 8:
            raise ValueError(f"a saved detector of {len(data)} bytes can't be read")
        state, seen, detections, last = _HEAD.unpack_from(data)
        self._reset()
        self._take(np.frombuffer(data, "<f8", offset=_HEAD.size).astype(np.float64))
        self.state, self.seen, self.detections = State(state), seen, detections
        self.last = None if last < 0 else last
