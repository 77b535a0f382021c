"""A table small enough to look at."""

from __future__ import annotations

import numpy as np
import pytest

from driftgauge.demo.tables import Table

DAY = 86_400.0


@pytest.fixture
def table():
    """Ten loans, six hours apart from the begin of a day on, whose outcomes come a day later."""
    return Table(
        ids=[f"l{i}" for i in range(10)],
        times=100 * DAY + 6 * 3600.0 * np.arange(10),
        numeric={"age": np.arange(20.0, 30.0)},
        categorical={"plan": ["a", "b"] * 5},
        score=np.linspace(0.05, 0.95, 10),
        prediction=np.repeat([0.0, 1.0], 5),
        outcome=np.tile([0.0, 1.0], 5),
        delay_seconds=DAY,
    )


@pytest.fixture
def rentals(table):
    """The same as a regression."""
    from dataclasses import replace

    return replace(table, score=None, prediction=np.arange(10.0) + 0.25, outcome=np.arange(10.0))
