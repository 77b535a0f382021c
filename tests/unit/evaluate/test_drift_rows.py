"""Drift of one window: what moved, what is missing, and what can't be said."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Feature
from driftgauge.evaluate import evaluate
from driftgauge.sketches.learning import Learning
from driftgauge.snapshot import ReferenceState

N = 2_000


def columns(seed, n=N, *, shift=0.0):
    rng = np.random.default_rng(seed)
    numeric = {
        "normal": rng.normal(50 + shift, 10, n),
        "constant": np.full(n, 3.0),
        "missing": np.full(n, np.nan),
        "whole": rng.integers(0, 5, n).astype(float),
    }
    texts = {
        "colour": rng.choice(["red", "green"], n).tolist(),
        "gone": [None] * n,
        "id": [f"{i}-{seed}" for i in range(n)],
    }
    return numeric, texts


@pytest.fixture
def held(tmp_path):
    numeric, texts = columns(1)
    row = Learning(9).row(
        tuple("f:" + k for k in numeric),
        np.array(list(numeric.values())),
        {"f:" + k: v for k, v in texts.items()},
        N,
        {},
    )
    built = references.build(
        {0: row}, first=0.0, last=DAY, declared={"whole": Feature(min=0, max=3)}, category_limit=5
    )
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(built))
    return Driver(windows=(DAY,), reference=path)


def drift(held, numeric=None, texts=None, n=N):
    held.send(predictions([None] * n, np.full(n, WALL - 60), numeric=numeric or {}, categorical=texts or {}))
    snapshot = evaluate([held.view()], WALL, 0.0).versions[0]
    for row in snapshot.rows():
        for name in row.__struct_fields__:
            found = getattr(row, name)
            assert not isinstance(found, float) or math.isfinite(found), (row, name)
    return {d.feature: d for d in snapshot.drift}


def test_nothing_has_moved_where_the_same_comes_again(held):
    found = drift(held, *columns(1))
    for name, row in found.items():
        assert row.psi in (0.0, None), name
        assert row.samples == N
    assert found["normal"].ks == 0.0
    assert found["normal"].mean_shift_sd == pytest.approx(0.0, abs=1e-9)


def test_a_shift_is_seen_where_it_is(held):
    numeric, texts = columns(2, shift=10.0)
    found = drift(held, numeric, texts)
    exact = scipy_stats.ks_2samp(columns(1)[0]["normal"], numeric["normal"]).statistic
    assert found["normal"].ks <= exact <= found["normal"].ks + found["normal"].ks_bound
    assert found["normal"].mean_shift_sd == pytest.approx(1.0, abs=0.1)
    assert found["normal"].mean_shift_ratio == pytest.approx(0.2, abs=0.02)
    assert found["normal"].wasserstein == pytest.approx(1.0, abs=0.1)
    assert found["normal"].psi > 0.5
    assert found["whole"].psi < 0.1 > found["colour"].psi


def test_a_constant_has_no_shift_in_standard_deviations_and_is_seen_when_it_moves(held):
    row = drift(held, *columns(1))["constant"]
    assert (row.psi, row.mean_shift_sd, row.wasserstein, row.mean_shift_ratio) == (0.0, None, None, 0.0)
    twin = Driver(held.config)
    row = drift(twin, {"constant": np.full(N, 4.0)})["constant"]
    assert row.psi > 15
    assert (row.ks, row.mean_shift_ratio, row.out_of_range_ratio) == (1.0, pytest.approx(1 / 3), 1.0)
    assert row.mean_shift_sd is None


def test_a_feature_that_never_had_a_value_can_only_be_missing_until_it_comes(held):
    row = drift(held, *columns(1))["missing"]
    assert (row.missing_ratio, row.psi, row.ks, row.mean_shift_sd) == (1.0, 0.0, None, None)
    row = drift(Driver(held.config), {"missing": np.arange(float(N))})["missing"]
    assert row.missing_ratio == 0.0
    assert row.psi > 15, "all of it has left the missing"
    assert (row.ks, row.mean_shift_sd) == (None, None)


def test_a_feature_that_is_not_sent_is_missing_not_absent(held):
    found = drift(held)
    assert found["normal"].missing_ratio == found["colour"].missing_ratio == 1.0
    assert found["normal"].psi > 5
    assert found["normal"].ks is None
    assert found["colour"].psi > 5


def test_shares_of_every_kind_of_odd_value(held):
    numeric, texts = columns(3)
    numeric["normal"][:200] = np.nan
    numeric["normal"][200:300] = np.inf
    numeric["normal"][300:320] = 1e300
    texts["colour"][:100] = ["blue"] * 100
    texts["colour"][100:150] = [None] * 50
    found = drift(held, numeric, texts)
    assert found["normal"].missing_ratio == 0.1
    assert found["normal"].not_finite_ratio == 0.05
    assert found["normal"].out_of_range_ratio == pytest.approx(0.01, abs=0.005)
    assert found["whole"].out_of_range_ratio == pytest.approx(0.2, abs=0.03), "the declared range is 0 to 3"
    assert found["colour"].unseen_ratio == 0.05
    assert found["colour"].missing_ratio == 0.025


def test_distances_and_quantiles_are_those_of_the_values_themselves(held):
    numeric, texts = columns(6, shift=4.0)
    numeric["normal"] = (numeric["normal"] - 54.0) * 1.5 + 54.0
    texts["colour"] = ["red"] * 1500 + ["green"] * 400 + ["blue"] * 100
    found = drift(held, numeric, texts)
    was, now = columns(1)[0]["normal"], numeric["normal"]
    row, bins = found["normal"], held.view().inputs.reference.bins
    edges = bins.edges[bins.numeric.index("f:normal")]
    assert row.spread_ratio == pytest.approx(now.std() / was.std(), rel=1e-9)
    for share, shift in ((0.05, row.p05_shift_sd), (0.5, row.p50_shift_sd), (0.95, row.p95_shift_sd)):
        ends = np.quantile(now, share), np.quantile(was, share)
        width = sum(np.diff(edges)[np.searchsorted(edges, end) - 1] for end in ends)
        assert shift == pytest.approx((ends[0] - ends[1]) / was.std(), abs=width / was.std()), share
    colours = np.array([columns(1)[1]["colour"].count(c) for c in ("red", "green", "blue")]) / N
    current = np.array([1500, 400, 100]) / N
    row = found["colour"]
    assert row.total_variation == pytest.approx(np.abs(colours - current).sum() / 2)
    assert row.l_infinity == pytest.approx(np.abs(colours - current).max())
    assert row.hellinger == pytest.approx(np.sqrt(((np.sqrt(colours) - np.sqrt(current)) ** 2).sum() / 2))
    table = np.rint(np.array([colours, current]) * N)
    exact = scipy_stats.chi2_contingency(table, correction=False)
    assert row.chi_square_p == pytest.approx(exact.pvalue, rel=1e-9)
    assert row.spread_ratio is None
    assert found["constant"].spread_ratio is None
    assert found["id"].chi_square_p is None


def test_windows_are_judged_each_by_itself(held):
    (model,) = held.config.models.values()
    twin = Driver(windows=(HOUR, DAY), reference=model.reference)
    twin.send(predictions([None] * N, np.full(N, WALL - 7300), numeric=columns(1)[0]))
    twin.send(predictions([None] * 40, np.full(40, WALL - 60), numeric=columns(7, 40, shift=30.0)[0]))
    rows = evaluate([twin.view()], WALL, 0.0).versions[0].drift
    by_window = {d.window: d for d in rows if d.feature == "normal"}
    assert (by_window["1h"].samples, by_window["1d"].samples) == (40, N + 40)
    assert by_window["1h"].mean_shift_sd == pytest.approx(3.0, abs=0.6)
    assert by_window["1d"].mean_shift_sd == pytest.approx(3.0 * 40 / (N + 40), abs=0.02)


def test_an_identifier_is_watched_for_missing_alone(held):
    numeric, texts = columns(4)
    texts["id"][:500] = [None] * 500
    row = drift(held, numeric, texts)["id"]
    assert (row.kind, row.missing_ratio) == ("identifier", 0.25)
    assert (row.psi, row.js_distance, row.unseen_ratio) == (None, None, None)


@pytest.mark.parametrize(("n", "known"), [(29, False), (30, True)])
def test_below_30_records_there_is_a_count_and_no_number(held, n, known):
    found = drift(held, *columns(5, n), n=n)
    for row in found.values():
        assert row.samples == n
        assert (row.missing_ratio is not None) == known
    assert (found["normal"].psi is not None) == known


def test_bins_and_moments_of_a_fixed_reference_are_counted_from_0(held):
    drift(held, *columns(1))
    snapshot = evaluate([held.view()], WALL, 0.0).versions[0]
    assert snapshot.flags[-1].state == ReferenceState.GIVEN
    assert snapshot.flags[-1].holds == 1.0
    assert sum(f.holds for f in snapshot.flags) == 1.0
    for name in ("normal", "colour"):
        bins = [b for b in snapshot.bins if b.feature == name]
        assert sum(b.records for b in bins) == N
        assert sum(b.reference_ratio for b in bins) == pytest.approx(1.0)
        assert {b.reference for b in bins} == {snapshot.state.reference}
    assert not [b for b in snapshot.bins if b.feature == "id"], "an identifier has no bins"
    (moment,) = [m for m in snapshot.moments if m.feature == "normal"]
    values = columns(1)[0]["normal"]
    assert moment.values == N
    assert moment.above_floor_sum == pytest.approx((values - moment.floor).sum(), rel=1e-9)
    assert moment.reference_mean == pytest.approx(values.mean(), rel=1e-9)
    assert moment.deviation_squares_sum == pytest.approx(((values - values.mean()) ** 2).sum(), rel=1e-9)
    assert held.restarted().view().inputs.lifetime.counts.sum() == 0
