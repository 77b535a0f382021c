"""Each bound of the monitor: at the limit, one over, far over; what goes beyond is folded and counted."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, Config, Limits, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.monitor.structure import Structure, guess_task, text_of
from driftgauge.records import Reason
from driftgauge.sketches.learning import BIN_LIMIT, CATEGORY_LIMIT


def driver(limits=None, **model):
    return Driver(Config(models={"m": ModelConfig(windows=(DAY,), **model)}, limits=limits or Limits()))


def times(n):
    return np.full(n, WALL - 60)


@pytest.mark.parametrize("count", [20, 21, 1_000])
def test_classes_beyond_the_limit_are_other(count):
    held = driver(task=Task.MULTICLASS)
    names = [f"c{i}" for i in range(count)]
    taken = held.send(predictions([None] * count, times(count), prediction=names, outcome=names))
    assert len(held.model().structure.classes) == min(count, 20)
    assert taken.tallies[0].folded.get("classes", 0) == 2 * max(0, count - 20)
    sketch, row = held.quality()
    confusion = sketch.count(row, "confusion")
    assert confusion.shape == (21, 21)
    assert confusion.sum() == count
    assert confusion[20, 20] == max(0, count - 20)


def test_classes_found_over_several_batches_are_bounded_alike():
    held = driver(task=Task.MULTICLASS)
    for i in range(40):
        held.send(predictions([None], times(1), prediction=[f"c{i}"], outcome=["c0"]))
    assert held.model().structure.classes == tuple(f"c{i}" for i in range(20))


@pytest.mark.parametrize("count", [10, 11, 500])
def test_values_of_a_segment_beyond_the_limit_are_other(count):
    held = driver(task=Task.BINARY)
    values = [f"v{i}" for i in range(count)]
    taken = held.send(
        predictions(
            [None] * count,
            times(count),
            score=np.full(count, 0.9),
            outcome=[1] * count,
            segments={"plan": values},
        )
    )
    assert held.model().structure.values == (tuple(values[:10]),)
    assert taken.tallies[0].folded.get("segment_values", 0) == max(0, count - 10)
    sketch, row = held.quality()
    per_value = sketch.outcomes(row)[1:12].tolist()
    assert per_value == [1] * 10 + [max(0, count - 10)]


@pytest.mark.parametrize("count", [3, 4, 50])
def test_segment_columns_beyond_the_limit_are_dropped_and_counted(count):
    held = driver(task=Task.BINARY)
    segments = {f"s{i}": ["x"] for i in range(count)}
    taken = held.send(predictions([None], times(1), score=[0.9], outcome=[1], segments=segments))
    assert held.model().structure.columns == ("s0", "s1", "s2")
    assert taken.tallies[0].folded.get("segment_columns", 0) == max(0, count - 3)


def test_configured_segments_are_the_only_ones_and_may_be_categorical_features():
    held = driver(task=Task.BINARY, segments=("plan", "region"))
    held.send(
        predictions(
            [None],
            times(1),
            score=[0.9],
            outcome=[1],
            categorical={"region": ["eu"]},
            segments={"plan": ["pro"], "device": ["phone"]},
        )
    )
    assert held.model().structure.columns == ("plan", "region")
    assert held.model().structure.values == (("pro",), ("eu",))


@pytest.mark.parametrize("count", [CATEGORY_LIMIT, CATEGORY_LIMIT + 1, 5_000])
def test_texts_of_a_feature_are_bounded_while_learning(count):
    held = driver()
    held.send(predictions([None] * count, times(count), categorical={"c": [f"{i}" for i in range(count)]}))
    learned = held.view().windows[0].inputs.categorical["f:c"]
    assert len(learned.counts) == min(count, CATEGORY_LIMIT)
    assert learned.other == max(0, count - CATEGORY_LIMIT)


def test_bins_of_a_feature_are_bounded_while_learning():
    rng = np.random.default_rng(1)
    values = np.exp2(rng.uniform(-900, 900, 30_000))
    held = driver()
    for part in np.array_split(values, 6):
        held.send(predictions([None] * part.size, times(part.size), numeric={"x": part}))
    learned = held.view().windows[0].inputs.numeric["f:x"]
    assert learned.codes.size <= BIN_LIMIT
    assert learned.values == 30_000


def test_versions_beyond_the_limit_drop_the_one_that_predicted_longest_ago():
    held = driver(task=Task.BINARY)
    owners = []
    for i in range(5):
        held.send(predictions(["a"], times(1), version=f"v{i}", score=[0.5]), wall=WALL + i)
        owners.append(held.version(version=f"v{i}").owner)
    assert list(held.model().versions) == ["v2", "v3", "v4"]
    assert held.models.retiring() == tuple(sorted(owners[:2]))


def test_an_outcome_for_a_version_that_never_was_does_not_drop_one_that_predicts():
    held = driver(task=Task.BINARY)
    for i in range(3):
        held.send(predictions(["a"], times(1), version=f"v{i}", score=[0.5]))
    held.send(outcomes(["a"], [1], version="no such"))
    assert list(held.model().versions) == ["v0", "v1", "v2"]


def test_models_beyond_the_limit_are_refused_record_by_record():
    held = Driver(Config(limits=Limits(models=2)))
    for name in ("a", "b"):
        assert held.send(predictions(["i"], times(1), model=name)).accepted.tolist() == [1]
    taken = held.send(predictions(["i", "j"], times(2), model="c"))
    assert taken.accepted.tolist() == [0]
    assert [(r.index, r.reason, r.detail) for r in taken.rejections] == [
        (i, Reason.MODEL_LIMIT, "model: there are 2 models already, the limit") for i in (0, 1)
    ]
    assert list(held.models.models) == ["a", "b"]


# --- what labels say --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (5.0, "5"),
        (0.5, "0.5"),
        (-0.0, "0"),
        (1e300, "1e+300"),
        ("a", "a"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_a_label_as_text(label, text):
    assert text_of(label) == text


@pytest.mark.parametrize(
    ("predicted", "outcome", "scored", "classes", "task"),
    [
        ([None], [None], False, False, None),
        ([None], [None], True, False, Task.BINARY),
        ([None], [None], True, True, Task.MULTICLASS),
        ([True], [None], False, False, Task.BINARY),
        ([0, 1.0], [None], False, False, Task.BINARY),
        ([0], [2], False, False, Task.REGRESSION),
        ([0.5], [None], False, False, Task.REGRESSION),
        (["cat"], [None], False, False, Task.MULTICLASS),
        (["cat"], [1], False, False, Task.MULTICLASS),
    ],
)
def test_a_task_is_guessed_from_what_is_sent(predicted, outcome, scored, classes, task):
    assert guess_task(predicted, outcome, scored=scored, classes=classes) is task


def test_the_configured_task_wins_over_what_records_look_like():
    held = driver(task=Task.REGRESSION)
    held.send(predictions([None], times(1), prediction=[1], outcome=[0]))
    assert held.model().structure.task is Task.REGRESSION
    assert isinstance(held.model().structure, Structure)


@pytest.mark.parametrize(
    ("positive", "labels", "codes"),
    [
        (None, [1, 0, True, False, "1", "0", "True", "FALSE", 1.0], [1, 0, 1, 0, 1, 0, 1, 0, 1]),
        ("churned", ["churned", "retained", 1, True, 0, False], [1, 0, 1, 1, 0, 0]),
        ("0", [0, "0", 1, "1", 0.0], [1, 1, 0, 0, 1]),
    ],
)
def test_labels_of_a_binary_model(positive, labels, codes):
    held = driver(task=Task.BINARY, positive_class=positive)
    n = len(labels)
    taken = held.send(predictions([None] * n, times(n), prediction=[1] * n, outcome=labels))
    sketch, row = held.quality()
    assert sketch.outcomes(row)[0] == n
    assert sketch.count(row, "confusion")[0].sum(axis=1).tolist() == [codes.count(0), codes.count(1)]
    assert taken.accepted.tolist() == [n]


@pytest.mark.parametrize(
    ("task", "label", "expected"),
    [
        (Task.BINARY, "maybe", "0, 1, true, false or the positive class"),
        (Task.BINARY, 2, "0, 1, true, false or the positive class"),
        (Task.REGRESSION, "12", "a finite number"),
        (Task.REGRESSION, float("inf"), "a finite number"),
        (Task.REGRESSION, 10**400, "a finite number"),
    ],
)
def test_an_outcome_that_says_nothing_is_refused_with_what_was_expected(task, label, expected):
    held = driver(task=task)
    held.send(predictions(["a"], times(1), prediction=[1]))
    taken = held.send(outcomes(["a"], [label]))
    assert [(r.reason, r.detail) for r in taken.rejections] == [
        (Reason.UNKNOWN_CLASS, f"outcome: expected {expected}")
    ]
    assert taken.accepted.tolist() == [0]
    assert held.send(outcomes(["a"], [1])).accepted.tolist() == [1]


def test_a_prediction_that_says_nothing_is_kept_without_it_and_counted():
    held = driver(task=Task.BINARY)
    taken = held.send(predictions(["a"], times(1), prediction=["maybe"], outcome=[1]))
    assert taken.accepted.tolist() == [1]
    assert taken.tallies[0].invalid == {Reason.UNKNOWN_CLASS: 1}
    sketch, row = held.quality()
    assert (sketch.outcomes(row)[0], sketch.count(row, "confusion")[0].sum()) == (1, 0)
