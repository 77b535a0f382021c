"""One battery for every sketch of the package, found by walking it.

A sketch without a case here fails `test_every_sketch_has_a_case`. The shapes of the data are named,
so that a failure says on what; the numbers in them come from hypothesis.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import driftgauge
from driftgauge import reference
from driftgauge.config import Task
from driftgauge.errors import StoreError
from driftgauge.layout import LinearSketch, Row, Sketch
from driftgauge.sketches.coarse import UNKNOWN_CODE
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import COARSE_CELLS, Inputs
from driftgauge.sketches.learning import BIN_LIMIT, CATEGORY_LIMIT, Learning, LearningRow, NumericTally
from driftgauge.sketches.paired import BinaryPaired, MulticlassPaired, Paired, RegressionPaired
from driftgauge.sketches.quality import (
    NO_SEGMENT,
    BinaryQuality,
    Groups,
    Joined,
    MulticlassQuality,
    RegressionQuality,
)
from driftgauge.sketches.scores import (
    LOSSES,
    BinaryScores,
    MulticlassScores,
    RegressionScores,
    Scored,
    Scores,
)
from driftgauge.sketches.segments import SegmentInputs
from driftgauge.sketches.traffic import Traffic
from driftgauge.sketches.value import Value, WeightedScores
from driftgauge.windows import Grid, PaneSeries, Part, RangeTotal

TINY, HUGE = 5e-324, float(np.finfo(np.float64).max)
HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, TINY, -TINY, 2.2e-308, HUGE, -HUGE, 1e300, -1e155, 1.0)

# --- the shapes of columns --------------------------------------------------------------------

NUMBERS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(50.0, 10.0, n),
    "constant": lambda _, n: np.full(n, 0.003467),
    "few whole numbers": lambda rng, n: rng.integers(-2, 4, n).astype(float),
    "one heavy value": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.lognormal(3, 2, n)),
    "far from zero": lambda rng, n: 1.7e9 + rng.random(n),
    "every exponent": lambda rng, n: rng.choice([-1.0, 1.0], n) * np.exp2(rng.uniform(-1074, 1023.9, n)),
    "hostile": lambda rng, n: rng.choice(HOSTILE, n),
    "mostly missing": lambda rng, n: np.where(rng.random(n) < 0.9, np.nan, rng.random(n)),
}
TEXTS: dict[str, Callable[[np.random.Generator, int], list]] = {
    "few": lambda rng, n: rng.choice(["a", "b", "c", ""], n).tolist(),
    "with missing": lambda rng, n: [None if rng.random() < 0.3 else "x" for _ in range(n)],
    "all distinct": lambda rng, n: [f"id-{rng.integers(1 << 40)}" for _ in range(n)],
    "odd": lambda rng, n: rng.choice(["other", "null", "é€\U0001f600", "\x00", "a" * 128], n).tolist(),
}


@dataclass(frozen=True)
class Batch:
    """n records: columns whose last axis (or list) runs over them."""

    columns: dict[str, Any]
    n: int

    def at(self, places):
        listed = np.asarray(places, np.int64).tolist()
        return Batch(
            {
                name: values[..., listed] if isinstance(values, np.ndarray) else [values[i] for i in listed]
                for name, values in self.columns.items()
            },
            len(listed),
        )

    def __getitem__(self, name):
        return self.columns[name]


@dataclass(frozen=True)
class Case:
    """How one sketch is made and fed.

    Attributes:
        make: a sketch; its bins come from no test's data.
        draw: records of a shape, given a generator and how many.
        row: the state of a batch.
    """

    make: Callable[[], Any]
    draw: Callable[[np.random.Generator, int, str], Batch]
    row: Callable[[Any, Batch], Any]


# --- the cases --------------------------------------------------------------------------------


def draw_features(rng, n, shape):
    texts = list(TEXTS)[list(NUMBERS).index(shape) % len(TEXTS)]
    numeric = np.array([NUMBERS[shape](rng, n), NUMBERS["normal"](rng, n), NUMBERS["constant"](rng, n)])
    return Batch({"numeric": numeric, "a": TEXTS[texts](rng, n), "b": TEXTS["few"](rng, n)}, n)


NAMES = ("f:x", "f:y", "o:score")


def learning_row(sketch, batch):
    texts = {"f:a": batch["a"], "f:b": batch["b"]}
    return sketch.row(NAMES, batch["numeric"], texts, batch.n, {"f:x": 40.0, "f:y": 1e9})


@cache
def inputs_of(shape):
    """Inputs in the bins of a reference of 2,000 records of a shape."""
    rng = np.random.default_rng(7)
    row = learning_row(Learning(5), draw_features(rng, 2_000, shape))
    built = reference.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    return Inputs(built.bins)


def inputs_row(sketch, batch):
    columns = dict(zip(NAMES, batch["numeric"], strict=True))
    rows = [columns[key] for key in sketch.bins.numeric]
    numeric = np.array(rows).reshape(len(rows), batch.n)
    return sketch.row(numeric, {"f:a": batch["a"], "f:b": batch["b"]}, batch.n)


def draw_traffic(rng, n, shape):
    latency = NUMBERS[shape](rng, n)
    return Batch({"latency": np.where(latency < 0, -latency, latency), "failed": rng.random(n) < 0.2}, n)


GROUPS = Groups(columns=2, values=3)


def draw_joined(rng, n, shape, *, task):
    segments = rng.choice([0, 1, 2, 3, NO_SEGMENT], (3, n)).astype(np.uint8)[: GROUPS.columns]
    delay = np.abs(NUMBERS[shape](rng, n))
    columns = {"segments": segments, "delay": np.where(np.isinf(delay), 1e9, delay)}
    if task == "regression":
        outcome = NUMBERS[shape](rng, n)
        columns["outcome"] = np.where(np.isfinite(outcome), outcome, 3.0)
        columns["prediction"] = np.where(rng.random(n) < 0.1, np.nan, rng.normal(50, 20, n))
        columns["score"], columns["scores"] = np.full(n, np.nan), np.zeros((0, n))
    elif task == "binary":
        edge = np.array([0.0, 1.0, np.nan, -0.0, TINY, 1 - 1e-16, 0.29, 0.3])
        near = shape in ("hostile", "every exponent")
        columns["outcome"] = rng.integers(0, 2, n).astype(float)
        columns["prediction"] = rng.choice([0.0, 1.0, np.nan], n)
        columns["score"] = rng.choice(edge, n) if near else rng.beta(0.5, 0.5, n)
        columns["scores"] = np.zeros((0, n))
    else:
        columns["outcome"] = rng.integers(0, 4, n).astype(float)
        columns["prediction"] = rng.choice([0.0, 1.0, 2.0, 3.0, np.nan], n)
        columns["score"] = np.full(n, np.nan)
        scores = rng.dirichlet(np.full(4, 0.3), n).T
        scores[:, rng.random(n) < 0.2] = np.nan
        columns["scores"] = np.abs(rng.choice(HOSTILE, (4, n))) if shape == "hostile" else scores
    return Batch(columns, n)


def joined_row(sketch, batch):
    return sketch.row(
        Joined(
            batch["outcome"],
            batch["prediction"],
            batch["score"],
            np.ascontiguousarray(batch["scores"].T),
            batch["segments"],
            batch["delay"],
        )
    )


def draw_paired(rng, n, shape, *, task):
    newer, older = (draw_joined(rng, n, shape, task=task).columns for _ in range(2))
    return Batch(newer | {f"older {name}": older[name] for name in ("prediction", "score", "scores")}, n)


def paired_row(sketch, batch):
    rest = batch["segments"], batch["delay"]
    older, newer = (
        Joined(
            batch["outcome"],
            batch[side + "prediction"],
            batch[side + "score"],
            np.ascontiguousarray(batch[side + "scores"].T),
            *rest,
        )
        for side in ("older ", "")
    )
    return sketch.row(older, newer)


def paired(make, task):
    return Case(make, lambda rng, n, shape: draw_paired(rng, n, shape, task=task), paired_row)


def scored_row(sketch, batch):
    scores = np.ascontiguousarray(batch["scores"].T)
    loss = None
    if isinstance(sketch, RegressionScores):
        loss = np.abs(batch["prediction"])[:, None] * np.arange(LOSSES)
        loss[batch["prediction"] < 0] = np.nan
    return sketch.row(Scored(batch["prediction"], batch["score"], scores, batch["segments"], loss))


def scores(make, task):
    return Case(make, lambda rng, n, shape: draw_joined(rng, n, shape, task=task), scored_row)


def quality(make, task):
    return Case(make, lambda rng, n, shape: draw_joined(rng, n, shape, task=task), joined_row)


def draw_priced(rng, n, shape, *, task):
    drawn = draw_joined(rng, n, shape, task=task)
    own = np.where(rng.random(n) < 0.8, np.nan, NUMBERS["normal"](rng, n))
    return Batch({**drawn.columns, "value": own, "weight": NUMBERS[shape](rng, n)}, n)


def priced_row(sketch, batch):
    return sketch.row(
        Joined(
            batch["outcome"],
            batch["prediction"],
            batch["score"],
            np.ascontiguousarray(batch["scores"].T),
            batch["segments"],
            batch["delay"],
            value=batch["value"],
            weight=batch["weight"],
        )
    )


def value(task, weight):
    return Case(
        lambda: Value(GROUPS, task, weight=weight),
        lambda rng, n, shape: draw_priced(rng, n, shape, task=task),
        priced_row,
    )


def draw_related(rng, n, shape, *, task):
    batch = draw_joined(rng, n, shape, task=task)
    codes = rng.choice([0, 1, 5, 9, 10, 11, UNKNOWN_CODE], (3, n)).astype(np.uint8)
    return Batch({**batch.columns, "bins": codes}, n)


def related_row(sketch, batch):
    joined = Joined(
        batch["outcome"],
        batch["prediction"],
        batch["score"],
        np.ascontiguousarray(batch["scores"].T),
        batch["segments"],
        batch["delay"],
        bins=batch["bins"],
    )
    return sketch.row(joined)


def related(classes, task):
    return Case(
        lambda: Concept(3, classes), lambda rng, n, shape: draw_related(rng, n, shape, task=task), related_row
    )


def draw_segmented(rng, n, _):
    codes = rng.integers(0, COARSE_CELLS, (2, n)).astype(np.uint8)
    segments = rng.choice([0, 1, 2, 3, NO_SEGMENT], (GROUPS.columns, n)).astype(np.uint8)
    return Batch({"codes": codes, "segments": segments}, n)


def draw_weighted(rng, n, shape):
    drawn = draw_joined(rng, n, shape, task="binary")
    return Batch({**drawn.columns, "weight": NUMBERS[shape](rng, n)}, n)


def draw_weighted_classes(rng, n, shape):
    drawn = draw_joined(rng, n, shape, task="multiclass")
    return Batch({**drawn.columns, "weight": NUMBERS[shape](rng, n)}, n)


def weighted_row(sketch, batch):
    scored = Scored(
        batch["prediction"],
        batch["score"],
        np.ascontiguousarray(batch["scores"].T),
        batch["segments"],
    )
    return sketch.row(scored, batch["weight"])


CASES = {
    WeightedScores: [
        Case(lambda: WeightedScores("amount", GROUPS), draw_weighted, weighted_row),
        Case(
            lambda: WeightedScores("amount", GROUPS, Task.MULTICLASS, 4), draw_weighted_classes, weighted_row
        ),
    ],
    SegmentInputs: [
        Case(
            lambda: SegmentInputs(GROUPS, 2),
            draw_segmented,
            lambda s, b: s.row(b["codes"], b["segments"], 19_675),
        )
    ],
    Value: [value(task, weight) for task in Task for weight in (None, "amount")],
    Concept: [related(2, "binary"), related(4, "multiclass"), related(0, "regression")],
    Traffic: [Case(Traffic, draw_traffic, lambda s, b: s.row(b["latency"], b["failed"]))],
    Learning: [Case(lambda: Learning(5), draw_features, learning_row)],
    Inputs: [
        Case(lambda shape=shape: inputs_of(shape), draw_features, inputs_row)
        for shape in ("normal", "few whole numbers", "every exponent", "hostile")
    ],
    BinaryQuality: [quality(lambda: BinaryQuality(GROUPS), "binary")],
    MulticlassQuality: [quality(lambda: MulticlassQuality(GROUPS, 4), "multiclass")],
    RegressionQuality: [
        quality(lambda: RegressionQuality(GROUPS, 45.0), "regression"),
        quality(lambda: RegressionQuality(GROUPS, HUGE), "regression"),
    ],
    BinaryPaired: [paired(BinaryPaired, "binary")],
    MulticlassPaired: [paired(MulticlassPaired, "multiclass")],
    RegressionPaired: [paired(RegressionPaired, "regression")],
    BinaryScores: [scores(lambda: BinaryScores(GROUPS), "binary")],
    MulticlassScores: [scores(lambda: MulticlassScores(GROUPS, 4), "multiclass")],
    RegressionScores: [scores(lambda: RegressionScores(GROUPS), "regression")],
}
EVERY = [
    pytest.param(case, id=f"{kind.__name__}-{i}")
    for kind, held in CASES.items()
    for i, case in enumerate(held)
]
battery = pytest.mark.parametrize("case", EVERY)
small = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(0, 40)
shapes = st.sampled_from(list(NUMBERS))


def sketches():
    """Every sketch that can be made, whichever module of the package it stands in."""
    for module in pkgutil.walk_packages(driftgauge.__path__, "driftgauge."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, left = set(), [Sketch]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        # LinearSketch is how the others are made: it gives no layout of its own.
        if (
            not inspect.isabstract(kind)
            and kind is not LinearSketch
            and kind.__module__.startswith("driftgauge")
        ):
            found.add(kind)
    return found


def test_every_sketch_has_a_case():
    missing = sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in sketches() - CASES.keys())
    assert not missing, f"no case in CASES for {', '.join(missing)}"


# --- what equal means -------------------------------------------------------------------------


def drawn(case, seed, shape, n):
    return case.draw(np.random.default_rng(seed), n, shape)


def weights(case, sketch, *batches):
    """Gives the sum over single records of the absolute sums, which takes a hundred times what a row does."""

    @cache
    def weight():
        total = sketch.zero()
        for batch in batches:
            for i in range(batch.n):
                add_absolute(total, case.row(sketch, batch.at([i])))
        return total

    return weight


def add_absolute(total, row):
    if isinstance(row, Row):
        total.sums += np.abs(row.sums)
        return
    for name, tally in row.numeric.items():
        held = total.numeric.setdefault(name, NumericTally(tally.centre))
        # by the centre's own size too: moments of another centre are moved to this one
        spread = abs(tally.deviation) + tally.values * abs(tally.centre)
        held.deviation += spread
        held.square += spread**2


def check_same(found, expected, weight, *, levels=True):
    """Counts exactly, sums to 1e-9 of what was summed; where they are that near anyhow nobody asks for it."""
    if isinstance(expected, Row):
        np.testing.assert_array_equal(found.counts, expected.counts)
        assert np.isfinite(found.sums).all()
        error = np.abs(found.sums - expected.sums)
        if not (error < 1e-9 * np.abs(expected.sums) + TINY).all():
            np.testing.assert_array_less(error, 1e-9 * weight().sums + TINY)
        return
    assert found.records == expected.records
    for name in found.numeric.keys() | expected.numeric.keys():
        one, other = tally(found, name), tally(expected, name)
        if levels:
            assert one.level == other.level
        check_tallies(one, other, lambda name=name: weight().numeric.get(name, NumericTally(0.0)))
    for name in found.categorical.keys() | expected.categorical.keys():
        assert texts(found, name) == texts(expected, name)


def tally(row, name):
    return row.numeric.get(name) or NumericTally(0.0, missing=row.records)


def texts(row, name):
    held = row.categorical.get(name)
    return ({}, 0, row.records) if held is None else (held.counts, held.other, held.missing)


def check_tallies(one, other, weight):
    assert (one.missing, one.not_finite) == (other.missing, other.not_finite)
    level = max(one.level, other.level)
    assert binned(one, level) == binned(other, level)
    assert np.isfinite([one.deviation, one.square]).all()
    for moment in ("deviation", "square"):
        found, expected = getattr(one, moment), getattr(other, moment)
        if not abs(found - expected) <= 1e-9 * abs(expected) + TINY:
            assert abs(found - expected) <= 1e-9 * getattr(weight(), moment) + TINY


def binned(held, level):
    counts = {}
    for code, count in zip(held.codes.tolist(), held.counts.tolist(), strict=True):
        at = code >> (level - held.level)
        counts[at] = counts.get(at, 0) + count
    return counts


def check_equal(found, expected):
    """Bit by bit."""
    assert found.to_bytes() == expected.to_bytes()


# --- the battery ------------------------------------------------------------------------------


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes, cut=st.integers(0, 40))
def test_parts_add_up_to_the_whole(case, seed, shape, n, cut):
    sketch, batch = case.make(), drawn(case, seed, shape, n)
    places = np.arange(n)
    first, second = batch.at(places[:cut]), batch.at(places[cut:])
    total = case.row(sketch, first)
    total.add(case.row(sketch, second))
    check_same(total, case.row(sketch, batch), weights(case, sketch, batch))


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes)
def test_records_one_by_one_add_up_to_the_whole(case, seed, shape, n):
    sketch, batch = case.make(), drawn(case, seed, shape, n)
    total = sketch.zero()
    for i in range(n):
        total.add(case.row(sketch, batch.at([i])))
    check_same(total, case.row(sketch, batch), weights(case, sketch, batch))


@battery
@pytest.mark.parametrize("shape", ["normal", "few whole numbers", "every exponent", "hostile"])
def test_large_batches_count_as_small_ones(case, shape):
    """A sketch may count many records in another way than few; nobody may see which."""
    sketch, batch = case.make(), drawn(case, 11, shape, 1_200)
    whole, total = case.row(sketch, batch), sketch.zero()
    for places in np.array_split(np.arange(1_200), 80):
        total.add(case.row(sketch, batch.at(places)))
    check_same(total, whole, weights(case, sketch, batch))


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes)
def test_the_order_of_records_does_not_matter(case, seed, shape, n):
    sketch, batch = case.make(), drawn(case, seed, shape, n)
    shuffled = batch.at(np.random.default_rng(seed).permutation(n))
    check_same(case.row(sketch, shuffled), case.row(sketch, batch), weights(case, sketch, batch))


@battery
@small
@given(seed=seeds, one=shapes, two=shapes, three=shapes, n=sizes)
def test_merging_is_associative_and_commutes(case, seed, one, two, three, n):
    sketch = case.make()
    batches = [drawn(case, seed + i, shape, n) for i, shape in enumerate((one, two, three))]
    a, b, c = (case.row(sketch, batch) for batch in batches)
    left = a.copy()
    left.add(b)
    left.add(c)
    right = c.copy()
    right.add(b)
    right.add(a)
    check_same(left, right, weights(case, sketch, *batches))


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes)
def test_merging_with_nothing_changes_nothing(case, seed, shape, n):
    sketch, batch = case.make(), drawn(case, seed, shape, n)
    row, empty, weight = case.row(sketch, batch), sketch.zero(), weights(case, sketch, batch)
    kept = row.copy()
    row.add(sketch.zero())
    check_same(row, kept, weight)
    empty.add(kept)
    check_same(empty, kept, weight)
    check_same(case.row(sketch, batch.at([])), sketch.zero(), sketch.zero)


@battery
@small
@given(seed=seeds, one=shapes, two=shapes, n=sizes)
def test_what_was_added_can_be_taken_away(case, seed, one, two, n):
    sketch = case.make()
    stays, goes = drawn(case, seed, one, n), drawn(case, seed + 1, two, n)
    row, gone = case.row(sketch, stays), case.row(sketch, goes)
    expected = row.copy()
    row.add(gone)
    row.subtract(gone)
    check_same(row, expected, weights(case, sketch, stays, goes), levels=False)


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes)
def test_adding_leaves_the_other_side_as_it_was(case, seed, shape, n):
    sketch, batch = case.make(), drawn(case, seed, shape, n)
    row, other = case.row(sketch, batch), case.row(sketch, batch)
    twin, saved = row.copy(), other.to_bytes()
    row.add(other)
    row.add(other)
    assert other.to_bytes() == saved
    check_equal(twin, other)


@battery
@small
@given(seed=seeds, shape=shapes, n=st.integers(0, 300))
def test_saving_and_loading_gives_the_same_bits(case, seed, shape, n):
    sketch = case.make()
    row = case.row(sketch, drawn(case, seed, shape, n))
    check_equal(sketch.load(row.to_bytes()), row)
    check_same(sketch.load(row.to_bytes()), row, sketch.zero)
    for times in (16, 8, 16):  # counts of 2, 3 and 4 bytes
        for _ in range(times):
            row.add(row.copy())
        if isinstance(row, Row) and row.counts.max(initial=0) > 1 << 26:
            break
        check_equal(sketch.load(row.to_bytes()), row)


@battery
@small
@given(seed=seeds, shape=shapes, n=sizes, keep=st.floats(0, 1, exclude_max=True))
def test_truncated_bytes_are_refused(case, seed, shape, n, keep):
    sketch = case.make()
    saved = case.row(sketch, drawn(case, seed, shape, n)).to_bytes()
    with pytest.raises(StoreError, match="can't be read"):
        sketch.load(saved[: int(len(saved) * keep)])
    if isinstance(sketch.zero(), Row):
        with pytest.raises(StoreError, match="can't be read"):
            sketch.load(saved + b"\0")


@battery
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=200), seed=seeds)
@example(data=b"", seed=0)
@example(data=b"\xff" * 16, seed=0)
@example(data=np.array([2**32 - 1, 0, 0, 257], "<u4").tobytes(), seed=0)
@example(data=np.array([4, 1, 0, 257, 9], "<u4").tobytes() + b"\x01", seed=0)
@example(data=np.array([0, 0, 0, 0], "<u4").tobytes(), seed=0)
@example(data=np.array([0, 0, 0, 8], "<u4").tobytes(), seed=0)
def test_garbage_is_refused_or_read_and_nothing_else(case, data, seed):
    sketch, rng = case.make(), np.random.default_rng(seed)
    spoilt = bytearray(case.row(sketch, drawn(case, seed, "normal", 5)).to_bytes())
    for _ in range(3):
        spoilt[rng.integers(len(spoilt))] = rng.integers(256)
    for garbage in (data, bytes(spoilt)):
        with suppress(StoreError):
            state = sketch.load(garbage)
            assert state.nbytes <= sketch.bound_bytes
            state.add(sketch.zero())


def test_a_row_of_another_layout_is_refused_with_both_lengths():
    saved = Traffic().zero().to_bytes()
    with pytest.raises(StoreError, match=r"^a saved row has \d+ counts and 1 sums, expected \d+ and \d+$"):
        BinaryQuality(GROUPS).load(saved)


@battery
def test_memory_stays_in_its_bound_whatever_comes(case):
    sketch, rng = case.make(), np.random.default_rng(1)
    total = sketch.zero()
    for shape in [*NUMBERS, "every exponent", "hostile"]:
        batch = case.draw(rng, 10_000, shape)
        if "a" in batch.columns:
            batch.columns["a"] = [f"category {i % 5_000} ".ljust(128, "x") for i in range(batch.n)]
        row = case.row(sketch, batch)
        assert row.nbytes <= sketch.bound_bytes
        total.add(row)
        assert total.nbytes <= sketch.bound_bytes
        assert sketch.load(total.to_bytes()).nbytes <= sketch.bound_bytes


@battery
def test_counts_count_every_record_once(case):
    """Every family of cells holds each record exactly once, however hostile."""
    sketch, rng = case.make(), np.random.default_rng(2)
    for shape in NUMBERS:
        batch = case.draw(rng, 1_000, shape)
        row = case.row(sketch, batch)
        assert set(families(sketch, row, batch)) <= {1_000}


def families(sketch, row, batch):
    if isinstance(sketch, Traffic):
        yield sketch.predictions(row)
        yield int(sketch.latency(row).sum()) + int(np.isnan(batch["latency"]).sum())
    elif isinstance(sketch, Inputs):
        yield sketch.records(row)
        yield from sketch.layout.count(row, "bins").sum(axis=1).tolist()
        yield from sketch.layout.count(row, "categories").sum(axis=1).tolist()
        yield from sketch.coarse(row).sum(axis=1).tolist()
    elif isinstance(sketch, Learning):
        yield row.records
        yield from (t.values + t.missing + t.not_finite for t in row.numeric.values())
        yield from (t.values + t.missing for t in row.categorical.values())
    elif isinstance(sketch, Concept):
        yield from related_records(sketch, row, batch)
    elif isinstance(sketch, Scores):
        absent = np.isnan(batch["prediction"])
        yield int(sketch.predicted(row)[0]) + int(absent.sum())
        scored = np.isfinite(batch["score"]) & ~absent
        if isinstance(sketch, BinaryScores):
            yield int(sketch.count(row, "score").sum()) + 1_000 - int(scored.sum())
            yield int(sketch.coarse(row)[0].sum()) + 1_000 - int(scored.sum())
        elif isinstance(sketch, MulticlassScores):
            classes = sketch.coarse(row).sum(axis=(0, 2))
            yield from (classes + 1_000 - sketch.count(row, "scored").sum()).tolist()
    elif isinstance(sketch, Value | SegmentInputs | WeightedScores):
        yield from families_by_segment(sketch, row, batch)
    elif isinstance(sketch, Paired):
        yield sketch.pairs(row)
        absent = np.isnan(batch["prediction"]) | np.isnan(batch["older prediction"])
        given = "errors" if isinstance(sketch, RegressionPaired) else "right"
        yield int(sketch.layout.count(row, given).sum()) + int(absent.sum())
    else:
        yield int(sketch.outcomes(row)[0])
        given = {"binary": "confusion", "regression": "errors"}.get(sketch_task(sketch), "predicted")
        yield int(sketch.count(row, given)[0].sum()) + int(np.isnan(batch["prediction"]).sum())


def related_records(sketch, row, batch):
    known = batch["bins"] != UNKNOWN_CODE
    if not sketch.classes:
        known = known & ~np.isnan(batch["prediction"])
    return (sketch.records(row).sum(axis=(1, 2)) + 1_000 - known.sum(axis=1)).tolist()


def families_by_segment(sketch, row, batch):
    if isinstance(sketch, SegmentInputs):
        yield int(sketch.records(row)[0])
        yield from sketch.cells(row)[0].sum(axis=1).tolist()
        return
    known = ~np.isnan(batch["prediction"])
    if isinstance(sketch, WeightedScores):
        score = batch["score"]
        if sketch.layout.counts["records"][1] > 2:
            code = np.where(known, batch["prediction"], 0).astype(int)
            score = batch["scores"][code, np.arange(code.size)]
        known &= (score >= 0) & (score <= 1 + 1e-9) & np.isfinite(batch["weight"])
        yield int(sketch.samples(row)[0].sum()) + int((~known).sum())
        return
    if sketch.weighted:
        known &= np.isfinite(batch["weight"])
    left = int((np.isnan(batch["value"]) & ~known).sum())
    yield int(sketch.samples(row)[0]) + left


def sketch_task(sketch):
    return type(sketch).__name__.removesuffix("Quality").lower()


# --- what the learning sketch alone promises --------------------------------------------------


def test_more_bins_than_the_limit_are_kept_coarser_and_none_is_lost():
    rng = np.random.default_rng(3)
    values = np.exp2(rng.uniform(-1000, 1000, 60_000)) * rng.choice([-1.0, 1.0], 60_000)
    whole = NumericTally.of(values, 0.0)
    parts = NumericTally(0.0)
    for piece in np.array_split(values, 17):
        parts.add(NumericTally.of(piece, 0.0))
    assert whole.level == parts.level > 0
    assert whole.codes.size <= BIN_LIMIT
    assert whole.values == 60_000
    assert binned(whole, whole.level) == binned(parts, parts.level)


def test_categories_beyond_the_limit_are_the_same_in_whichever_order_they_come():
    sketch, rng = Learning(1), np.random.default_rng(4)
    values = [f"{rng.integers(4 * CATEGORY_LIMIT)}" for _ in range(5_000)]
    whole = sketch.row((), np.zeros((0, 5_000)), {"f:a": values}, 5_000, {})
    parts = sketch.zero()
    for at in range(4_000, -1_000, -1_000):
        part = values[at : at + 1_000]
        parts.add(sketch.row((), np.zeros((0, 1_000)), {"f:a": part}, 1_000, {}))
    assert texts(whole, "f:a") == texts(parts, "f:a")
    assert len(whole.categorical["f:a"].counts) == CATEGORY_LIMIT
    assert whole.categorical["f:a"].values == 5_000


# --- windows over panes -----------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), seeds, shapes),
        st.tuples(st.just("move"), st.integers(0, 25), st.integers(0, 12)),
        st.tuples(st.just("forget"), st.integers(0, 31)),
    ),
    max_size=25,
)
PANES = [case for case in EVERY if case.id in ("Learning-0", "Inputs-0", "Inputs-3", "RegressionQuality-0")]


@pytest.mark.parametrize("case", PANES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_a_range_total_is_the_sum_of_its_panes_whatever_the_walk(case, steps):
    sketch, shelf, batches = case.make(), {}, []

    def load(part, index):
        saved = shelf.get((part, index))
        return None if saved is None else sketch.load(saved)

    series = PaneSeries(Grid(60.0), load, lambda _: sketch.zero())
    total = RangeTotal(series, Part.INPUTS)
    for step in steps:
        if step[0] == "add":
            _, index, seed, shape = step
            batch = drawn(case, seed, shape, 6)
            row = case.row(sketch, batch)
            series.add(Part.INPUTS, index, row)
            total.added(Part.INPUTS, index, row)
            total.added(Part.OUTPUTS, index, row)
            batches.append(batch)
        elif step[0] == "move":
            total.move(step[1], step[1] + step[2])
        else:
            for key in series.dirty:
                shelf[key] = series.hot[key].to_bytes()
            series.dirty.clear()
            series.forget(step[1])
        if total.row is not None:
            weight = weights(case, sketch, *batches)
            check_same(total.row, summed(series, sketch, total), weight, levels=False)


def summed(series, sketch, total):
    expected = sketch.zero()
    for index in range(total.first, total.end):
        row = series.row(Part.INPUTS, index)
        if row is not None:
            expected.add(row)
    return expected


@pytest.mark.parametrize("spoilt", [1e30, 1e140, 1e300, HUGE])
@pytest.mark.parametrize("case", [p for p in PANES if p.id in ("Learning-0", "RegressionQuality-0")])
def test_one_absurd_value_spoils_no_sum_after_it_has_left(case, spoilt):
    sketch, rng = case.make(), np.random.default_rng(5)
    series = PaneSeries(Grid(60.0), lambda *_: None, lambda _: sketch.zero())
    batches = []
    for index in range(8):
        batch = case.draw(rng, 20, "normal")
        if index != 2:
            batches.append(batch)
        if index == 2:
            (batch["numeric"][0] if "numeric" in batch.columns else batch["outcome"])[3] = spoilt
        series.add(Part.INPUTS, index, case.row(sketch, batch))
    total = RangeTotal(series, Part.INPUTS)
    for end in range(1, 9):
        total.move(max(0, end - 4), end)
    check_same(total.row, summed(series, sketch, total), weights(case, sketch, *batches), levels=False)


def test_a_total_is_made_anew_before_rounding_can_build_up():
    sketch, rng = RegressionQuality(GROUPS, 0.0), np.random.default_rng(6)
    case = CASES[RegressionQuality][0]
    series = PaneSeries(Grid(60.0), lambda *_: None, lambda _: sketch.zero())
    batches = []
    for index in range(400):
        batch = case.draw(rng, 3, "far from zero")
        series.add(Part.INPUTS, index, case.row(sketch, batch))
        if index >= 350:
            batches.append(batch)
    total = RangeTotal(series, Part.INPUTS)
    for end in range(50, 401):
        total.move(end - 50, end)
    check_same(total.row, summed(series, sketch, total), weights(case, sketch, *batches))


def test_a_learning_row_adds_names_that_one_side_never_saw_as_missing():
    sketch = Learning(3)
    one = sketch.row(("f:x",), np.array([[1.0, 2.0]]), {}, 2, {})
    two = sketch.row(("f:y",), np.array([[5.0]]), {"f:a": ["t"]}, 1, {})
    one.add(two)
    assert isinstance(one, LearningRow)
    assert one.records == 3
    assert (one.numeric["f:x"].missing, one.numeric["f:y"].missing) == (1, 2)
    assert (one.categorical["f:a"].missing, one.categorical["f:a"].counts) == (2, {"t": 1})
