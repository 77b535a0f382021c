"""Columns that vary little or not at all, through a profile and through learning, to the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.unit.monitor.driving import WALL, Driver, predictions
from tests.unit.profile.conftest import ndjson

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Against, Clock, Feature, FeatureKind, Model, Task
from driftgauge.evaluate import evaluate
from driftgauge.monitor import learning
from driftgauge.monitor.update import Prepared
from driftgauge.profile import Roles, Settings, profile

EACH, HOURS = 30, 8 * 24 + 2
# All records in one bin before, all in another after: shares of 0 count as 0.0001.
WHOLLY_MOVED = 2 * (1 - 1e-4) * np.log(1 / 1e-4)
FEW = np.arange(5.0)
DECLARED = {
    "constant": Feature(FeatureKind.NUMERIC),
    "few": Feature(FeatureKind.NUMERIC),
    "twenty": Feature(FeatureKind.NUMERIC),
    "no_number": Feature(FeatureKind.NUMERIC),
    "no_text": Feature(FeatureKind.CATEGORICAL),
    "one_text": Feature(FeatureKind.CATEGORICAL),
}


def columns(rng, n, *, moved=False):
    """Numeric and text columns by name; *moved*: each as different as it can be."""
    shares = [0.1, 0.1, 0.1, 0.2, 0.5] if moved else [0.4, 0.3, 0.1, 0.1, 0.1]
    numeric = {
        "constant": np.full(n, 8.0 if moved else 7.0),
        "few": rng.choice(FEW, n, p=shares),
        "twenty": rng.integers(0, 20, n) * 1.5,
        "no_number": np.full(n, 3.0 if moved else np.nan),
    }
    texts = {"no_text": ["a" if moved else None] * n, "one_text": ["b" if moved else "a"] * n}
    return numeric, texts


def send(held, begin, hours, rng, *, moved=False):
    kept = []
    for hour in range(begin, begin + hours):
        numeric, texts = columns(rng, EACH, moved=moved)
        times = hour * HOUR + np.sort(rng.uniform(0, HOUR, EACH))
        score = np.full(EACH, 0.25)
        held.send(predictions([None] * EACH, times, numeric=numeric, categorical=texts, score=score))
        kept.append((times, numeric, texts))
    return kept


def settle(held):
    while (update := learning.step(held.version(), held.model().now(WALL))) is not None:
        held.models.apply(Prepared((update,), (), (), np.zeros(1, int), np.zeros(1, int), ()))


def driver(**model):
    return Driver(
        task=Task.BINARY,
        clock=Clock.RECORDS,
        windows=(DAY,),
        features=DECLARED,
        against=tuple(Against),
        **model,
    )


@pytest.fixture(scope="module", params=["learned", "profiled"])
def watched(request, tmp_path_factory):
    """A version with its reference, learned from what `profiled` has in a file, and what that was."""
    rng = np.random.default_rng(9)
    held = driver()
    kept = send(held, 0, HOURS, rng)
    settle(held)
    assert held.view().inputs.state == "frozen"
    if request.param == "profiled":
        path = tmp_path_factory.mktemp("profiled") / "train.ndjson"
        records = [
            {"at": t, "score": 0.25, **{k: None if np.isnan(v[i]) else v[i] for k, v in numeric.items()},
             **{k: v[i] for k, v in texts.items()}}
            for times, numeric, texts in kept
            for i, t in enumerate(times.tolist())
        ]  # fmt: skip
        path.write_text(ndjson(records))
        settings = Settings(
            roles=Roles(time="at", score="score"), model=Model(task=Task.BINARY, features=DECLARED)
        )
        given = path.with_suffix(".json")
        given.write_bytes(references.to_json(profile(path, settings).reference))
        held = driver(reference=given)
        assert held.models.faults == {}
        send(held, 0, HOURS, np.random.default_rng(9))
    return held, np.concatenate([numeric["few"] for _, numeric, _ in kept])


def drift(held):
    """Rows of the day that has just been, by name; each of their numbers finite, and so are those
    against the day before, the same day last week, and another version.
    """
    view = held.view()
    other = evaluate([view, replace(view, version="2")], WALL, 0.0).versions[1]
    assert len(other.against) == 2 * len(other.version_drift) > 0
    rows = other.drift
    for row in (*rows, *other.against, *other.version_drift, *other.comparisons):
        values = [getattr(row, name) for name in row.__slots__]
        assert all(v is None or isinstance(v, str) or np.isfinite(v) for v in values)
    return {row.feature or row.output: row for row in rows}


def test_before_and_after_everything_moves(watched):
    held, reference_few = watched
    rows = drift(held)
    for name in ("constant", "one_text", "score", "prediction"):
        assert rows[name].psi == 0
        assert rows[name].js_distance == 0
        assert rows[name].missing_ratio == 0
    for name in ("constant", "score"):
        assert rows[name].ks == 0
        assert rows[name].mean_shift_ratio == pytest.approx(0, abs=1e-12)
        assert rows[name].mean_shift_sd is None, "nothing to measure a shift by"
        assert rows[name].wasserstein is None
        assert rows[name].spread_ratio is None
    assert rows["few"].psi < 0.05
    assert rows["twenty"].ks_bound > 0
    settled = dict(rows)

    current = np.concatenate(
        [n["few"] for _, n, _ in send(held, HOURS, 25, np.random.default_rng(4), moved=True)]
    )
    rows = drift(held)
    for name in ("constant", "one_text"):
        assert rows[name].psi == pytest.approx(WHOLLY_MOVED, rel=1e-12)
        assert rows[name].js_distance == pytest.approx(1.0)
    assert rows["constant"].ks == 1.0
    assert rows["constant"].mean_shift_ratio == pytest.approx(1 / 7)
    assert rows["constant"].mean_shift_sd is None
    assert rows["constant"].out_of_range_ratio == 1.0
    assert rows["one_text"].unseen_ratio == 1.0
    # Five values have a bin each, fine and coarse: binned statistics are the exact ones.
    known = reference_few[: int(held.view().inputs.reference.row.counts[0])]  # learned: of closed hours
    p, q = (np.array([np.mean(v == value) for value in FEW]) for v in (known, current))
    assert rows["few"].psi == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-9)
    assert rows["few"].ks == pytest.approx(stats.ks_2samp(known, current).statistic, rel=1e-9)
    apart = (current.mean() - known.mean()) / known.std()
    assert rows["few"].mean_shift_sd == pytest.approx(apart, rel=1e-9)
    # A declared column without any value is a feature of which only missing is known.
    for name in ("no_number", "no_text"):
        assert (settled[name].psi, settled[name].missing_ratio) == (0, 1)
        assert (rows[name].psi, rows[name].missing_ratio) == (pytest.approx(WHOLLY_MOVED, rel=1e-12), 0)
        assert (rows[name].ks, rows[name].mean_shift_sd) == (None, None)
    assert rows["no_text"].unseen_ratio == 1.0


def test_each_of_twenty_values_has_a_bin_of_its_own(watched):
    held, _ = watched
    reference = held.view().inputs.reference
    inputs = held.view().inputs.inputs
    counts = inputs.layout.count(reference.row, "bins")[reference.bins.numeric.index("f:twenty"), :88]
    assert np.count_nonzero(counts) == 20
    assert counts.sum() == reference.row.counts[0]


def test_a_feature_that_comes_after_the_reference_is_no_fault_and_no_row(watched):
    held, _ = watched
    n = 40
    rng = np.random.default_rng(1)
    numeric, texts = columns(rng, n)
    held.send(
        predictions(
            [None] * n,
            held.model().clock + np.linspace(0, 3_000, n),
            numeric={**numeric, "new_number": np.arange(n)},
            categorical={**texts, "new_text": ["q"] * n},
            score=np.full(n, 0.25),
        )
    )
    rows = drift(held)
    assert {"new_number", "new_text"}.isdisjoint(rows)
    assert rows["constant"].samples > 0


def test_an_empty_version_and_one_record_give_no_numbers():
    held = driver()
    held.send(predictions([None], [5.0], numeric={"few": [np.nan]}, categorical={"no_text": [None]}))
    version = evaluate([held.view()], WALL, 0.0).versions[0]
    assert version.drift == ()
    assert version.state.reference_state == "learning"
