"""The newest version against the one before it: drift and quality, beside numpy's and scipy's own."""

import numpy as np
import pytest
from scipy import stats
from tests.unit.evaluate.test_against import psi, shares
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.check.series import version_weight
from driftgauge.check.shape import shape_of
from driftgauge.config import DAY, HOUR, Clock, Config, Family, Model, Task
from driftgauge.evaluate import evaluate
from driftgauge.exposition.text import Exposition
from driftgauge.monitor import learning
from driftgauge.monitor.update import Prepared

RNG = np.random.default_rng


def settle(held, version):
    while (update := learning.step(held.version(version=version), held.model().now(WALL))) is not None:
        held.models.apply(Prepared((update,), (), (), np.zeros(1, int), np.zeros(1, int), ()))


def compare(held):
    """Rows of the newest version and of the other one."""
    snapshot = evaluate(held.models.views(WALL), WALL, 0.0)
    return {v.state.model_version: v for v in snapshot.versions}


def feed(held, version, begin, hours, each, rng, *, shift=0.0, skill=1.0):
    """Binary traffic with outcomes at once; what was sent, in columns."""
    kept = []
    for hour in range(begin, begin + hours):
        ids = [f"{version}-{hour}-{i}" for i in range(each)]
        times = hour * HOUR + np.sort(rng.uniform(0, HOUR, each))
        x = rng.normal(shift, 1, each)
        score = 1 / (1 + np.exp(-(skill * x + rng.normal(0, 1, each))))
        came = rng.uniform(0, 1, each) < 1 / (1 + np.exp(-2 * x))
        numeric, texts = (
            {"x": x},
            {"c": rng.choice(["a", "b"], each, p=[0.5 + shift / 4, 0.5 - shift / 4]).tolist()},
        )
        held.send(predictions(ids, times, version=version, numeric=numeric, categorical=texts, score=score))
        held.send(outcomes(ids, came.astype(int).tolist(), times + 1, version=version))
        kept.append((times, x, score, came))
    return [np.concatenate(column) for column in zip(*kept, strict=True)]


@pytest.fixture(scope="module")
def canary():
    """Eight days of version 1; then a day of both, 2 with other inputs and a worse score."""
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY, 7 * DAY))
    rng = RNG(11)
    feed(held, "1", 0, 8 * 24 + 2, 30, rng)
    settle(held, "1")
    one = feed(held, "1", 8 * 24 + 2, 25, 60, rng)
    two = feed(held, "2", 8 * 24 + 2, 25, 50, rng, shift=0.5, skill=0.2)
    return held, one, two


def test_drift_between_versions_is_that_of_their_values(canary):
    held, one, two = canary
    held.version().move_to(held.model().now(WALL))
    versions = compare(held)
    assert versions["1"].comparisons == versions["1"].version_drift == ()
    rows = {r.feature or r.output: r for r in versions["2"].version_drift if r.window == "1d"}
    assert rows.keys() == {"x", "c", "score", "prediction"}
    reference = held.version().inputs.reference
    # Version 1's window is the last 24 closed hours and the open one: it began with these records.
    x_1, x_2 = one[1], two[1]
    row = rows["x"]
    assert (row.against_version, row.against_samples, row.samples) == ("1", x_1.size, x_2.size)
    edges, coarse = reference.bins.edges[0], reference.bins.coarse[0]
    assert row.psi == pytest.approx(psi(shares(x_1, edges, coarse), shares(x_2, edges, coarse)), rel=1e-9)
    assert row.ks == pytest.approx(stats.ks_2samp(x_1, x_2).statistic, abs=0.02)
    assert row.mean_shift_sd == pytest.approx((x_2.mean() - x_1.mean()) / x_1.std(), rel=1e-6)
    # Version 2 is still learning its score: its learning bins are put into those of version 1.
    assert held.view("2").outputs.reference is None or held.view("2").outputs.state == "provisional"
    bins = held.version().outputs.reference.bins
    place = bins.numeric.index("o:score")
    score = psi(*(shares(v, bins.edges[place], bins.coarse[place]) for v in (one[2], two[2])))
    assert rows["score"].psi == pytest.approx(score, rel=0.05)
    classes = [np.array([np.mean(v < 0.5), np.mean(v >= 0.5)]) for v in (one[2], two[2])]
    assert rows["prediction"].psi == pytest.approx(psi(*classes), rel=1e-9)


def test_the_difference_of_quality_is_that_of_scipys_tests(canary):
    held, one, two = canary
    row = next(r for r in compare(held)["2"].comparisons if r.window == "1d")
    right = [(score >= 0.5) == came for _, _, score, came in (one, two)]
    hits, n = [int(r.sum()) for r in right], [r.size for r in right]
    assert (row.against_outcomes, row.outcomes) == (n[0], n[1])
    assert row.accuracy_difference == pytest.approx(right[1].mean() - right[0].mean(), abs=1e-12)
    plain = stats.chi2_contingency(
        [[h, m - h] for h, m in zip(hits, n, strict=True)], correction=False
    ).pvalue
    # Widened for records of one hour that resemble each other, these being independent: by little.
    z = stats.norm.isf(plain / 2) / stats.norm.isf(row.accuracy_difference_p / 2)
    assert 1.0 <= z < 1.6
    assert row.accuracy_difference_low < row.accuracy_difference < row.accuracy_difference_high < 0

    def auc(score, came):
        return stats.mannwhitneyu(score[came], score[~came]).statistic / came.sum() / (~came).sum()

    assert row.roc_auc_difference == pytest.approx(auc(*two[2:]) - auc(*one[2:]), abs=0.001)
    assert row.roc_auc_difference_p < 1e-6
    assert row.mae_difference is None
    moved = {r.feature: r.psi for r in compare(held)["2"].version_drift if r.feature and r.window == "1d"}
    assert row.feature_psi_max == max(moved.values()) == moved["x"]
    assert row.score_psi > 0.1
    assert row.prediction_psi > 0


def test_two_equal_versions_differ_no_more_than_chance():
    """40 pairs without any difference: p below 0.05 about twice, never far below."""
    found = []
    for seed in range(40):
        held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
        rng = RNG(seed)
        for version in ("1", "2"):
            feed(held, version, 0, 12, 20, rng)
        row = compare(held)["2"].comparisons[0]
        found += [row.accuracy_difference_p, row.roc_auc_difference_p]
    assert len(found) == 80
    assert np.mean(np.array(found) < 0.05) <= 0.1
    assert min(found) > 1e-3
    assert 0.3 < np.mean(found) < 0.75


def test_hours_that_differ_from_each_other_widen_what_is_said():
    """Outcomes that come right or wrong by the hour: 24 hours tell as much as 24 records, not 2,400."""
    held = Driver(task=Task.REGRESSION, clock=Clock.RECORDS, windows=(DAY,))
    rng = RNG(3)
    errors = {}
    for version in ("1", "2"):
        for hour in range(24):
            size = rng.exponential(1.0)
            y = rng.normal(0, 1, 100)
            e = size * rng.normal(0, 1, 100)
            ids = [f"{version}-{hour}-{i}" for i in range(100)]
            times = hour * HOUR + np.linspace(0, 3_500, 100)
            held.send(predictions(ids, times, version=version, prediction=(y + e).tolist()))
            held.send(outcomes(ids, y.tolist(), times + 1, version=version))
            errors.setdefault(version, []).append(np.abs(e))
    row = compare(held)["2"].comparisons[0]
    one, two = (np.concatenate(errors[v]) for v in ("1", "2"))
    assert row.mae_difference == pytest.approx(two.mean() - one.mean(), rel=1e-9)
    plain = stats.ttest_ind(two, one, equal_var=False)
    by_hour = stats.ttest_ind(
        [e.mean() for e in errors["2"]], [e.mean() for e in errors["1"]], equal_var=False
    )
    assert plain.pvalue < 0.01, "as if each record told something of its own"
    assert row.mae_difference_p == pytest.approx(by_hour.pvalue, abs=0.15)
    reach = row.mae_difference_high - row.mae_difference
    assert reach > 2 * (plain.confidence_interval().high - plain.confidence_interval().low) / 2


def test_versions_with_bins_of_their_own_are_compared_by_interpolation():
    """Both outputs are frozen, each in the bins of its own version."""
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    rng = RNG(7)
    feed(held, "1", 0, 8 * 24 + 2, 30, rng)
    settle(held, "1")
    feed(held, "2", 8 * 24 + 2, 8 * 24 + 2, 30, rng, shift=0.5)
    one = feed(held, "1", 16 * 24 + 4, 25, 60, rng)
    two = feed(held, "2", 16 * 24 + 4, 25, 50, rng, shift=0.5)
    settle(held, "2")
    assert held.version("m", "2").outputs.binned
    assert held.version("m", "2").outputs.bins_mark != held.version("m", "1").outputs.bins_mark
    rows = {r.output: r for r in compare(held)["2"].version_drift if r.output}
    bins = held.version().outputs.reference.bins
    place = bins.numeric.index("o:score")
    exact = psi(*(shares(v, bins.edges[place], bins.coarse[place]) for v in (one[2], two[2])))
    assert rows["score"].psi == pytest.approx(exact, abs=0.02)
    assert rows["score"].ks == pytest.approx(stats.ks_2samp(one[2], two[2]).statistic, abs=0.03)
    assert rows["score"].mean_shift_sd == pytest.approx(
        (two[2].mean() - one[2].mean()) / one[2].std(), rel=1e-6
    )
    classes = [np.array([np.mean(v < 0.5), np.mean(v >= 0.5)]) for v in (one[2], two[2])]
    assert rows["prediction"].psi == pytest.approx(psi(*classes), rel=1e-9)


def test_a_version_without_traffic_gives_a_row_without_numbers():
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))
    rng = RNG(1)
    feed(held, "1", 0, 24, 60, rng)
    settle(held, "1")
    feed(held, "2", 72, 24, 60, rng)
    row = compare(held)["2"].comparisons[0]
    assert row.samples > 1_000
    assert row.against_samples == 0.0
    assert (row.feature_psi_max, row.score_psi, row.accuracy_difference, row.accuracy_difference_p) == (
        None,
    ) * 4


def test_of_three_versions_the_newest_two_are_compared_and_other_models_never():
    held = Driver(Config(defaults=Model(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,))))
    rng = RNG(2)
    for model in ("a", "b"):
        for version in ("1", "2", "3")[: 3 if model == "a" else 1]:
            held.send(predictions([None] * 40, np.arange(40.0), model=model, version=version, score=rng.uniform(0, 1, 40)))  # fmt: skip
    snapshot = evaluate(held.models.views(WALL), WALL, 0.0)
    found = [(r.model, r.model_version, r.against_version) for v in snapshot.versions for r in v.comparisons]
    assert found == [("a", "3", "2")]


@pytest.fixture(scope="module")
def shadow(canary):
    """The canary's versions, which are asked the same 60 cases after what the tests above read."""
    held, _, _ = canary
    rng = RNG(12)
    ids, times = [f"both-{i}" for i in range(60)], np.full(60, held.model().now(WALL))
    for version in ("1", "2"):
        held.send(predictions(ids, times, version=version, score=rng.uniform(0, 1, 60)))
    held.send(outcomes(ids, rng.integers(0, 2, 60).tolist(), times))
    return held


@pytest.mark.parametrize("families", [(), (Family.VERSIONS,)])
def test_the_series_are_those_that_check_counts(shadow, families):
    held = shadow
    snapshot = evaluate(held.models.views(WALL), WALL, 0.0)
    text = Exposition(families, 10_000).render(snapshot).text(openmetrics=False).decode()
    written = [line for line in text.splitlines() if "against_version=" in line]
    model = held.config.models["m"]

    def series(versions):
        from driftgauge.config import Limits

        config = Config(models={"m": model}, limits=Limits(versions=versions))
        return version_weight(shape_of("m", model, config, None), families).series

    assert len(written) == series(2) - series(1) == 2 * (7 if not families else 15 + 17)
