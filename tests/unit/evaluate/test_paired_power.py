"""What docs/measured-paired.md promises, on fewer days of the same streams."""

import numpy as np
import pytest
from benchmarks import measured_paired
from benchmarks.measured_paired import STREAMS, answers, compared

from driftgauge.config import Task

DAYS = 40


def p_values(task, stream, own, measure):
    """Of the same cases and of two samples, shape (days, 2)."""
    rng = np.random.default_rng(measured_paired.SEED)
    return np.array(
        [
            [getattr(row, f"{measure}_difference_p") for row in rows]
            for rows in (
                compared(task, *answers(task, rng, STREAMS[stream](rng), (1.0, own))) for _ in range(DAYS)
            )
        ]
    )


@pytest.mark.parametrize(("task", "measure"), [(Task.BINARY, "roc_auc"), (Task.REGRESSION, "mae")])
def test_the_same_cases_tell_more_than_two_samples(task, measure):
    found = (p_values(task, "independent", 0.6, measure) < 0.05).mean(axis=0)
    assert found[0] >= found[1] + 0.3


@pytest.mark.parametrize("stream", ["independent", "AR(1), 20 minutes"])
def test_equal_versions_are_seldom_told_apart(stream):
    found = p_values(Task.REGRESSION, stream, 1.0, "mae")[:, 0]
    # 10% of 40 days, and what chance adds.
    assert (found < 0.05).sum() <= 8
    assert found.std() > 0.1
