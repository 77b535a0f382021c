"""A store in a temporary folder, and small batches for it."""

import numpy as np
import pytest

from driftgauge.config import Durability
from driftgauge.store import Append, Batch, Store


@pytest.fixture
def make(tmp_path):
    """Open stores on one folder; whatever is left open is closed at the end."""
    opened = []

    def make(directory=None, durability=Durability.NORMAL, **settings):
        store = Store(directory or tmp_path / "data", durability, **settings)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(make):
    made = make()
    made.open()
    return made


@pytest.fixture
def cells():
    """n rows of 16 bytes, no two alike: their number in the first 8 bytes."""

    def cells(first, count, itemsize=16):
        rows = np.zeros((count, itemsize), np.uint8)
        rows[:, :8] = np.arange(first, first + count, dtype="<u8").view(np.uint8).reshape(-1, 8)
        return rows

    return cells


@pytest.fixture
def batch_of(cells):
    def batch_of(first, count, *, log=1, time=0.0, payload=b"p", itemsize=16, **more):
        rows = Append(log, first, cells(first, count, itemsize), np.full(count, float(time)))
        return Batch(payload, appends=(rows,), **more)

    return batch_of
