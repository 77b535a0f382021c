"""Windows against earlier ones: which records they hold, and the numbers beside numpy's own."""

import numpy as np
import pytest
from scipy import stats
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Against, Clock, Task
from driftgauge.evaluate import evaluate
from driftgauge.sketches.learning import Learning

BEGIN = 1_699_999_200.0  # an hour
X = (Against.REFERENCE, Against.PREVIOUS_WINDOW, Against.SAME_HOURS_LAST_WEEK)
CODES = ["a", "b", "c"]


def reference_file(path, rng):
    """20,000 records of x, c and the score; fine bins lie at their quantiles."""
    n = 20_000
    row = Learning(3).row(
        ("f:x", "o:score"),
        np.array([rng.normal(0, 1, n), rng.beta(2, 2, n)]),
        {"f:c": rng.choice(CODES, n).tolist()},
        n,
        {},
    )
    found = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=10)
    path.write_bytes(references.to_json(found))
    return found


class Stream:
    """What was sent, to be cut by time with numpy."""

    def __init__(self, tmp_path, *, windows=(HOUR, DAY), against=X, **model):
        self.rng = np.random.default_rng(5)
        self.reference = reference_file(tmp_path / "r.json", self.rng)
        self.held = Driver(
            task=Task.BINARY, clock=Clock.RECORDS, windows=windows, against=against,
            reference=tmp_path / "r.json", **model,
        )  # fmt: skip
        self.times, self.x, self.c, self.score = [], [], [], []

    def feed(self, hours, each, shift=0.0):
        """*each* records in each of *hours* counted from BEGIN."""
        for hour in hours:
            times = BEGIN + hour * HOUR + np.sort(self.rng.uniform(0, HOUR, each))
            x = self.rng.normal(shift, 1, each)
            c = self.rng.choice(CODES, each, p=[0.5, 0.3, 0.2]).tolist()
            score = self.rng.beta(2 + max(shift, 0), 2, each)
            self.held.send(
                predictions([None] * each, times, numeric={"x": x}, categorical={"c": c}, score=score)
            )
            for kept, values in zip(
                (self.times, self.x, self.c, self.score), (times, x, c, score), strict=True
            ):
                kept.append(np.asarray(values))

    def between(self, begin, end):
        """x, c and score of records with begin <= time < end."""
        times = np.concatenate(self.times)
        inside = (times >= begin) & (times < end)
        return [np.concatenate(each)[inside] for each in (self.x, self.c, self.score)]

    def rows(self, window, against):
        snapshot = evaluate([self.held.view()], WALL, 0.0).versions[0]
        return {
            r.feature or r.output: r for r in snapshot.against if (r.window, r.against) == (window, against)
        }

    @property
    def now(self):
        return self.held.model().clock


def shares(values, edges, groups):
    counts = np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1)
    return np.bincount(groups, weights=counts, minlength=10) / values.size


def psi(p, q):
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(((p - q) * np.log(p / q)).sum())


def check(stream, rows, before, current, reference):
    """The rows beside an independent computation from the raw values."""
    bins = reference.bins
    for key, one, other in (("x", before[0], current[0]), ("score", before[2], current[2])):
        row = rows[key]
        assert (row.against_samples, row.samples) == (one.size, other.size)
        place = next(i for i, k in enumerate(bins.numeric) if k[2:] == key)
        p, q = (shares(v, bins.edges[place], bins.coarse[place]) for v in (one, other))
        assert row.psi == pytest.approx(psi(p, q), rel=1e-9)
        exact = stats.ks_2samp(one, other).statistic
        assert exact - 0.05 <= row.ks <= exact + 1e-12
        assert row.mean_shift_sd == pytest.approx((other.mean() - one.mean()) / one.std(), rel=1e-6)
        assert row.mean_shift_ratio == pytest.approx((other.mean() - one.mean()) / abs(one.mean()), rel=1e-6)
        assert row.wasserstein == pytest.approx(stats.wasserstein_distance(one, other) / one.std(), abs=0.05)
    p, q = (np.array([np.mean(v == name) for name in CODES]) for v in (before[1], current[1]))
    assert rows["c"].psi == pytest.approx(psi(p, q), rel=1e-9)
    from scipy.spatial.distance import jensenshannon

    assert rows["c"].js_distance == pytest.approx(jensenshannon(p, q, 2), rel=1e-9)
    assert (rows["c"].ks, rows["c"].mean_shift_sd) == (None, None)


def test_the_window_before_and_the_same_hours_last_week_by_numpy(tmp_path):
    """A week as it is, then a day 0.3 higher, then a day 1 higher."""
    stream = Stream(tmp_path)
    stream.feed(range(24), 40)
    stream.feed(range(24, 7 * 24), 15)
    stream.feed(range(7 * 24, 8 * 24), 60, shift=0.3)
    stream.feed(range(8 * 24, 8 * 24 + 20), 80, shift=1.0)
    stream.held.send(predictions([None], [BEGIN + (8 * 24 + 20) * HOUR], numeric={"x": [1.0]}, categorical={"c": ["a"]}, score=[0.5]))  # fmt: skip
    for kept, value in zip(
        (stream.times, stream.x, stream.c, stream.score), (stream.now, 1.0, "a", 0.5), strict=True
    ):
        kept.append(np.array([value]))
    now = stream.now
    current = stream.between(now - DAY, now + 1)
    for against, begin in (("previous_window", now - 2 * DAY), ("same_hours_last_week", now - 8 * DAY)):
        rows = stream.rows("1d", against)
        assert rows.keys() == {"x", "c", "score", "prediction"} - {"prediction"}
        check(stream, rows, stream.between(begin, begin + DAY), current, stream.reference)
    assert stream.rows("1d", "previous_window")["x"].mean_shift_sd == pytest.approx(0.6, abs=0.1)
    assert stream.rows("1d", "same_hours_last_week")["x"].mean_shift_sd > 0.8


@pytest.mark.slow
def test_a_window_of_minutes_has_the_hour_before_by_minutes_and_last_weeks_whole_hours(tmp_path):
    stream = Stream(tmp_path)
    stream.feed(range(7 * 24 + 4), 120)
    stream.feed([7 * 24 + 4], 40, shift=0.5)
    now = stream.now
    minute = np.floor(now / 60) * 60
    current = stream.between(minute - HOUR, now + 1)
    rows = stream.rows("1h", "previous_window")
    check(stream, rows, stream.between(minute - 2 * HOUR, minute - HOUR), current, stream.reference)
    hour = np.floor((minute - HOUR) / HOUR) * HOUR - 7 * DAY
    rows = stream.rows("1h", "same_hours_last_week")
    check(stream, rows, stream.between(hour, hour + 2 * HOUR), current, stream.reference)


def test_nothing_is_said_against_a_window_before_the_first_records(tmp_path):
    stream = Stream(tmp_path)
    stream.feed(range(20), 40)
    rows = stream.rows("1d", "previous_window")
    assert {r.against_samples for r in rows.values()} == {0.0}
    assert {r.psi for r in rows.values()} == {None}


def test_a_week_is_not_compared_with_the_same_hours_of_last_week(tmp_path):
    stream = Stream(tmp_path, windows=(DAY, 7 * DAY))
    stream.feed(range(30), 40)
    assert stream.rows("7d", "previous_window")
    assert stream.rows("7d", "same_hours_last_week") == {}


def test_without_the_setting_there_are_no_rows_and_no_totals(tmp_path):
    stream = Stream(tmp_path, against=(Against.REFERENCE,))
    stream.feed(range(30), 40)
    assert evaluate([stream.held.view()], WALL, 0.0).versions[0].against == ()
    assert all(window.earlier == () for window in stream.held.version().windows)


def test_a_restart_tells_the_same(tmp_path):
    stream = Stream(tmp_path)
    stream.feed(range(7 * 24, 9 * 24), 40)
    ours, twin = (
        evaluate([h.view()], WALL, 0.0).versions[0].against for h in (stream.held, stream.held.restarted())
    )
    assert len(ours) == len(twin) > 0
    for one, other in zip(ours, twin, strict=True):
        for name in one.__slots__:
            a, b = getattr(one, name), getattr(other, name)
            assert a == b if isinstance(a, str) or a is None else b == pytest.approx(a, rel=1e-9, abs=1e-12)


def test_while_a_reference_is_learned_the_provisional_bins_serve():
    held = Driver(task=Task.BINARY, clock=Clock.RECORDS, windows=(DAY,), against=X)
    rng = np.random.default_rng(3)
    from driftgauge.monitor import learning

    x = []
    for hour in range(48):
        x.append(rng.normal(hour // 24, 1, 40))
        times = hour * HOUR + np.sort(rng.uniform(0, HOUR, 40))
        held.send(predictions([None] * 40, times, numeric={"x": x[-1]}, score=rng.beta(2, 2, 40)))
        assert learning.step(held.version(), held.model().now(WALL)) is None
    rows = evaluate([held.view(now=48 * HOUR)], WALL, 0.0).versions[0].against
    row = next(r for r in rows if r.feature == "x")
    one, other = np.concatenate(x[:24]), np.concatenate(x[24:])
    assert (row.against_samples, row.samples) == (960, 960)
    assert row.mean_shift_sd == pytest.approx((other.mean() - one.mean()) / one.std(), rel=0.01)
    assert row.ks == pytest.approx(stats.ks_2samp(one, other).statistic, abs=0.03)
