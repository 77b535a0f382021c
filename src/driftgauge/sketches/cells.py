"""Parallel numbers of cells, one of each record, into counts and sums by cell."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from driftgauge.records import Floats, Ints


def _flat(shape: tuple[int, ...], places: tuple[Ints, ...]) -> Ints:
    """The number of the cell of *shape* that the parallel *places* name, row-major."""
    flat = places[0]
    for size, place in zip(shape[1:], places[1:], strict=True):
        flat = flat * size + place
    return flat


def counted(shape: tuple[int, ...], *places: Ints) -> NDArray[np.int64]:
    """How many times each cell of *shape* is named by the parallel *places*."""
    return np.bincount(_flat(shape, places), minlength=prod(shape)).reshape(shape)


def summed(shape: tuple[int, ...], values: Floats, *places: Ints) -> Floats:
    """Sums of *values* in each cell of *shape*."""
    flat = np.bincount(_flat(shape, places), weights=values, minlength=prod(shape))
    return flat.astype(np.float64, copy=False).reshape(shape)
