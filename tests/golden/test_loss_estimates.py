"""The error to expect without outcomes on the car price, beside nannyml 0.13.1's DLE and what came.

The whole way: `driftgauge profile` of the reference with its outcomes, its file given to a monitor, every
chunk of the analysis a window; and without its expected loss, which is then learned of live records.
"""

from dataclasses import replace

import numpy as np
import pytest
from tests.golden import feeding
from tests.golden.test_car_price import CHUNK, CHUNKS, COLUMNS, WIDTH
from tests.unit.monitor.driving import Driver

from driftgauge import reference as references
from driftgauge.config import Clock, Config, Model, Outcomes, Task
from driftgauge.evaluate import evaluate
from driftgauge.monitor import loss_learning
from driftgauge.profile import Roles, Settings, profile
from driftgauge.reference.loss import SWEEPS
from driftgauge.windows import Grid

pytestmark = pytest.mark.golden

SETTINGS = Settings(roles=Roles(time="timestamp", prediction="y_pred", outcome="y_true", ids=("id",)))


@pytest.fixture(scope="module")
def profiled(data):
    return profile(data / "car_price" / "reference.csv.gz", SETTINGS).reference


@pytest.fixture(scope="module")
def analysis(data):
    told = feeding.table(data / "car_price" / "analysis_targets.csv.gz")
    outcome = {row["id"]: row["y_true"] for row in told}
    rows = feeding.table(data / "car_price" / "analysis.csv.gz")
    return feeding.records([{**row, "y_true": outcome[row["id"]]} for row in rows], COLUMNS)


@pytest.fixture(scope="module")
def estimated(analysis, profiled, tmp_path_factory):
    """The row of each chunk of the analysis."""
    begin = analysis.times[0]
    cut = [(begin + i * WIDTH, WIDTH, analysis.at(slice(i * CHUNK, (i + 1) * CHUNK))) for i in CHUNKS]
    path = tmp_path_factory.mktemp("car_price") / "reference.json"
    chunks = feeding.fed(analysis, cut, path, reference=profiled)
    assert chunks[0].view.task is Task.REGRESSION
    return [chunk.snapshot.estimates[0] for chunk in chunks]


@pytest.fixture(scope="module")
def learned_live(data, analysis, profiled, tmp_path_factory):
    """As `estimated`, of a model that was sent the reference's records and learned its loss of them."""
    path = tmp_path_factory.mktemp("live") / "reference.json"
    path.write_bytes(references.to_json(replace(profiled, loss=None)))
    model = Model(
        task=Task.REGRESSION,
        clock=Clock.RECORDS,
        reference=path,
        windows=(WIDTH,),
        outcomes=Outcomes(matures_after=0.0),
    )
    begin = analysis.times[0]
    held = Driver(Config(models={"m": model}), grid_of=lambda _: Grid(WIDTH, begin))
    before = feeding.records(feeding.table(data / "car_price" / "reference.csv.gz"), COLUMNS)
    for batch in before.batches():
        held.send(batch.sent("m"))
        held.send(batch.told("m"))
    assert held.version().loss is None
    update = None
    for _ in range(loss_learning.RUNS + 2 * SWEEPS + 1):
        update = update or loss_learning.step(held.version(), begin)
    held.models.take((update,))
    assert held.version().loss.records == loss_learning.RUNS * loss_learning.RUN_ROWS
    found = []
    for i in CHUNKS:
        for batch in analysis.at(slice(i * CHUNK, (i + 1) * CHUNK)).batches():
            held.send(batch.sent("m"))
        view = held.view(now=begin + (i + 1) * WIDTH)
        found.append(evaluate([view], 0.0, 0.0).versions[0].estimates[0])
    return found


@pytest.mark.parametrize("how", ["estimated", "learned_live"])
@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_it_is_no_further_from_what_came_than_nannymls(request, data, name, how):
    realised = feeding.golden(data / "car_price" / "golden_performance_chunk6000.csv")
    theirs = feeding.golden(data / "car_price" / "golden_dle_chunk6000.csv")
    came = np.array([realised[i, name, ""] for i in CHUNKS])
    golden = np.array([theirs[i, name, ""] for i in CHUNKS])
    ours = np.array([getattr(row, name) for row in request.getfixturevalue(how)])
    print(f"{name}: realised, ours, nannyml's")  # the table is the measurement
    for row in zip(came, ours, golden, strict=True):
        print("  ".join(f"{number:8.2f}" for number in row))
    ours_off, theirs_off = np.abs(ours - came).mean(), np.abs(golden - came).mean()
    print(f"mean absolute gap {ours_off:.2f}, nannyml's {theirs_off:.2f}")
    assert ours_off <= theirs_off


def test_the_gap_is_the_estimate_less_what_came(estimated, data):
    realised = feeding.golden(data / "car_price" / "golden_performance_chunk6000.csv")
    for i, row in enumerate(estimated):
        assert (row.state, row.samples) == ("given", CHUNK)
        assert row.unsupported_ratio < 0.01
        for name in ("mae", "rmse"):
            expected = getattr(row, name) - realised[i, name, ""]
            assert getattr(row, f"{name}_gap") == pytest.approx(expected, rel=1e-6)


def test_the_error_is_of_the_size_of_nannymls(estimated):
    """Theirs, of the reference: 8.2 (MAE) and 10.3 (RMSE)."""
    assert 5 < min(row.mae_error for row in estimated) < max(row.mae_error for row in estimated) < 16
    assert all(row.rmse_error > row.mae_error for row in estimated)
