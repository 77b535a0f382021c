"""Groups of panes in a view: they add up to the windows, and a restart leaves them as they were."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Config, Model, Outcomes, Task

HOURS = 30


def fed(task, columns):
    model = Model(task=task, windows=(HOUR, DAY, 7 * DAY), outcomes=Outcomes(matures_after=2 * HOUR))
    driver = Driver(Config(models={"m": model}))
    rng = np.random.default_rng(3)
    for hour in range(HOURS):
        wall = WALL - (HOURS - hour) * HOUR
        n = 20
        ids = [f"{hour}-{i}" for i in range(n)]
        times = wall + rng.random(n) * HOUR
        segments = {"plan": rng.choice(["a", "b"], n).tolist()}
        sent, told = columns(rng, n)
        driver.send(predictions(ids, times, segments=segments, **sent), wall=wall + HOUR)
        driver.send(outcomes(ids, told, times + 60), wall=wall + HOUR)
        driver.view(wall=wall + HOUR)
    return driver


def binary(rng, n):
    return {"score": rng.random(n)}, rng.integers(0, 2, n).tolist()


def multiclass(rng, n):
    scores = rng.dirichlet([1, 1, 1], n).T
    return {"scores": dict(zip("xyz", scores, strict=True))}, rng.choice(list("xyz"), n).tolist()


def regression(rng, n):
    return {"prediction": rng.normal(size=n).tolist()}, rng.normal(size=n).tolist()


TASKS = [(Task.BINARY, binary), (Task.MULTICLASS, multiclass), (Task.REGRESSION, regression)]


@pytest.mark.parametrize(("task", "columns"), TASKS)
def test_groups_add_up_to_the_digest_of_the_window(task, columns):
    view = fed(task, columns).view()
    counts = []
    for window in view.windows:
        for row, groups in ((window.arrived, window.arrived_groups), (window.matured, window.matured_groups)):
            whole = view.quality.digest(row)
            if groups is None:
                assert not whole.counts.any()
                continue
            counts.append(len(groups.counts))
            np.testing.assert_array_equal(groups.counts.sum(axis=0), whole.counts)
            np.testing.assert_allclose(groups.sums.sum(axis=0), whole.sums, rtol=1e-9, atol=1e-9)
    assert max(counts) >= 24


@pytest.mark.parametrize(("task", "columns"), TASKS)
def test_a_restart_leaves_the_groups_as_they_were(task, columns):
    driver = fed(task, columns)
    before, after = driver.view(), driver.restarted().view()
    for old, new in zip(before.windows, after.windows, strict=True):
        for name in ("arrived_groups", "matured_groups"):
            first, second = getattr(old, name), getattr(new, name)
            assert (first is None) == (second is None)
            if first is not None:
                np.testing.assert_array_equal(first.counts, second.counts)
                np.testing.assert_allclose(first.sums, second.sums, rtol=1e-12, atol=1e-12)
