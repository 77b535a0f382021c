"""Records and outcomes by bin, as they are told to a reader: counted here once more from the values."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.config import DAY
from driftgauge.evaluate import evaluate
from driftgauge.evaluate.distributions import ViewDistributions
from driftgauge.reference import relation as relations
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning
from driftgauge.sketches.quality import NO_SEGMENT, Joined
from driftgauge.snapshot import ReferenceState
from driftgauge.view import Related, Watched

N = 2_000
WINDOW = "1d"


def columns(seed, n=N, shift=0.0):
    rng = np.random.default_rng(seed)
    normal = rng.normal(50 + shift, 10, n)
    normal[:20], normal[20:25] = np.nan, np.inf
    texts = rng.choice([f"c{i:02}" for i in range(15)], n, p=np.arange(15, 0, -1) / 120).tolist()
    return normal, [None, None, *texts[2:]]


def learned(normal, texts):
    return Learning(2).row(("f:x",), normal[None], {"f:t": texts}, N, {"f:x": 50.0})


def built(seed=1):
    row = learned(*columns(seed))
    return references.build({0: row}, first=0.0, last=DAY, declared={}, category_limit=12)


@pytest.fixture
def held(tmp_path):
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(built()))
    return Driver(windows=(DAY,), reference=path)


def told(held, normal, texts, *, score=None):
    n = len(normal)
    held.send(
        predictions(
            [None] * n, np.full(n, WALL - 60), numeric={"x": normal}, categorical={"t": texts}, score=score
        )
    )
    return evaluate([held.view()], WALL, 0.0).distributions["m", "1"]


def test_numbers_are_counted_between_the_edges_that_are_told(held):
    normal, texts = columns(2, shift=8.0)
    found = told(held, normal, texts).find("x", "")
    assert (found.feature, found.output, found.kind) == ("x", "", "numeric")
    before, _ = columns(1)
    for counts, values in ((found.reference_counts, before), (found.windows[0].counts, normal)):
        finite = values[np.isfinite(values)]
        fine = np.bincount(np.searchsorted(found.edges, finite), minlength=88)
        coarse = np.bincount(np.searchsorted(found.coarse_edges, finite), minlength=10)
        assert counts.fine == tuple(fine.tolist())
        assert counts.coarse == tuple(coarse.tolist())
        assert (counts.records, counts.missing, counts.not_finite, counts.unseen) == (N, 20, 5, 0)
        assert counts.mean == pytest.approx(finite.mean(), rel=1e-9)
        assert counts.sd == pytest.approx(finite.std(), rel=1e-6)
        assert counts.outside == ((finite < found.low) | (finite > found.high)).sum()
    assert [each.window for each in found.windows] == [WINDOW]
    assert found.windows[0].counts.outside > found.reference_counts.outside


def test_texts_are_counted_by_category_others_together_and_unseen_ones_apart(held):
    _, texts = columns(2)
    texts[100:130] = ["new"] * 30
    found = told(held, columns(2)[0], texts).find("t", "")
    assert found.kind == "categorical"
    assert found.edges == found.coarse_edges == ()
    assert len(found.categories) == 12
    counts = found.windows[0].counts
    assert counts.fine[:-1] == tuple(texts.count(each) for each in found.categories)
    known = {*columns(1)[1]} - {None}
    assert counts.fine[-1] == sum(texts.count(each) for each in known - {*found.categories})
    assert counts.coarse == (*counts.fine[:9], sum(counts.fine[9:]))
    assert (counts.missing, counts.unseen, counts.not_finite) == (2, 30, 0)
    assert (counts.mean, counts.sd) == (None, None)


def test_coarse_bins_alone_are_the_same_numbers(held):
    drawn = told(held, *columns(2, shift=8.0))
    for name in ("x", "t"):
        found = drawn.find(name, "")
        now = found.windows[0].counts
        for side, counts in zip(drawn.coarse(name, "", WINDOW), (found.reference_counts, now), strict=True):
            assert side == [*counts.coarse, counts.missing, counts.not_finite + counts.unseen]
    assert (
        drawn.coarse("x", "", "9d")
        is drawn.coarse("y", "", WINDOW)
        is drawn.coarse("x", "score", WINDOW)
        is None
    )


def test_nothing_is_told_of_what_nobody_knows(held):
    drawn = told(held, *columns(2))
    assert drawn.find("y", "") is drawn.find("", "score") is drawn.find("x", "score") is None


def test_while_the_reference_is_learned_nothing_is_told():
    assert told(Driver(windows=(DAY,)), *columns(3)).find("x", "") is None


def test_what_is_still_counted_in_learning_bins_is_told_in_the_references():
    reference, now = built(), learned(*columns(2, shift=8.0))
    none = Watched(ReferenceState.LEARNING, None, None, None)
    watched = Watched(ReferenceState.PROVISIONAL, reference, Inputs(reference.bins), None)
    window = SimpleNamespace(name=WINDOW, inputs=now, outputs=now, concept=None)
    view = SimpleNamespace(inputs=watched, outputs=none, windows=(window,), classes=(), related=None)
    found = ViewDistributions(view).find("x", "")
    normal, _ = columns(2, shift=8.0)
    finite = normal[np.isfinite(normal)]
    counts = found.windows[0].counts
    assert (sum(counts.fine), counts.missing, counts.not_finite) == (len(finite), 20, 5)
    # Learning bins are at most 0.2% wide; what lies so near to an edge may fall beside it.
    exact = np.cumsum(np.bincount(np.searchsorted(found.coarse_edges, finite), minlength=10))
    assert np.abs(np.cumsum(counts.coarse) - exact).max() <= 0.02 * N


KEYS = ("f:x0", "f:x1")


def related(records, *, classes=("0", "1"), codes_of=2, prediction=None):
    """A view of two features whose outcomes are *records*: bins of both and the outcome, one a column."""
    rng = np.random.default_rng(0)
    row = Learning(2).row(KEYS, rng.normal(size=(2, 5_000)), {}, 5_000, dict.fromkeys(KEYS, 0.0))
    made = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    inputs = Inputs(made.bins)
    sketch = Concept(2, codes_of)
    n = records.shape[1]
    predicted = np.zeros(n) if prediction is None else prediction
    joined = Joined(
        records[2].astype(float), predicted, np.full(n, np.nan), np.zeros((n, 0)),
        np.full((1, n), NO_SEGMENT, np.uint8), np.zeros(n), bins=records[:2].astype(np.uint8),
    )  # fmt: skip
    counted = sketch.row(joined)
    relation = relations.of_rows(KEYS, classes if codes_of else (), sketch, [counted], None, None, (0.0, 1.0))
    codes = CoarseCodes(inputs, made.id, (), 32)
    watched = Watched(ReferenceState.GIVEN, made, inputs, None)
    window = SimpleNamespace(name=WINDOW, inputs=inputs.zero(), outputs=inputs.zero(), concept=counted)
    none = Watched(ReferenceState.LEARNING, None, None, None)
    view = SimpleNamespace(
        inputs=watched, outputs=none, windows=(window,), classes=classes[:-1],
        related=Related(ReferenceState.GIVEN, sketch, codes, relation),
    )  # fmt: skip
    return ViewDistributions(view)


def test_outcomes_are_told_by_bin_and_class():
    rng = np.random.default_rng(4)
    records = np.stack([rng.integers(0, 12, 900), rng.integers(0, 10, 900), rng.integers(0, 2, 900)])
    for place, name in enumerate(("x0", "x1")):
        found = related(records).find(name, "")
        expected = [
            tuple(int(((records[place] == cell) & (records[2] == kind)).sum()) for kind in (0, 1))
            for cell in range(12)
        ]
        for told_ in (found.reference_outcomes, found.outcomes[0].related):
            assert told_.classes == ("0", "1")
            assert list(told_.outcomes) == expected
            assert told_.errors == (None,) * 12
        assert found.outcomes[0].window == WINDOW


def test_outcomes_of_classes_beyond_the_known_ones_are_others():
    rng = np.random.default_rng(5)
    records = np.stack([rng.integers(0, 10, 900), rng.integers(0, 10, 900), rng.integers(0, 6, 900)])
    told_ = related(records, classes=("a", "b", "other"), codes_of=6).find("x0", "").outcomes[0].related
    assert told_.classes == ("a", "b", "other")
    at = records[0] == 3
    kinds = [(records[2] == 0), (records[2] == 1), (records[2] >= 2)]
    assert told_.outcomes[3] == tuple(int((at & kind).sum()) for kind in kinds)


def test_of_a_regression_the_mean_error_of_a_bin_is_told():
    rng = np.random.default_rng(6)
    records = np.stack([rng.integers(0, 9, 900), rng.integers(0, 9, 900), rng.integers(0, 50, 900)])
    predicted = rng.normal(25, 5, 900)
    told_ = related(records, codes_of=0, prediction=predicted).find("x0", "").outcomes[0].related
    assert told_.classes == ()
    at = records[0] == 2
    assert told_.outcomes[2] == (at.sum(),)
    assert told_.errors[2] == pytest.approx((predicted - records[2])[at].mean(), rel=1e-9)
    assert told_.errors[9] is None
