"""Outcomes told again: with `revisions` the state is as if the last word had been the first."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Config, Limits, Model, Outcomes, Task, Value
from driftgauge.monitor import loss_learning
from driftgauge.sketches.learning import Learning
from driftgauge.windows import Part

N = 600
LABELS = {
    Task.BINARY: lambda rng, n: rng.integers(0, 2, n).tolist(),
    Task.MULTICLASS: lambda rng, n: rng.choice(["a", "b", "c"], n).tolist(),
    Task.REGRESSION: lambda rng, n: rng.normal(100, 20, n).round(3).tolist(),
}
WORTH = {
    Task.BINARY: {"true_positive": 4.0, "false_negative": -7.0},
    Task.MULTICLASS: {"right": 1.0, "wrong": -2.0},
    Task.REGRESSION: {"over": -1.0, "under": -3.0},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A reference of one feature, so that the relation is counted too."""
    row = Learning(2).row(("f:x",), np.arange(200.0)[None], {}, 200, {})
    made = references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)
    path = tmp_path_factory.mktemp("revisions") / "reference.json"
    path.write_bytes(references.to_json(made))
    return path


def driver(task, path=None, *, revisions=True, **model):
    given = Model(
        task=task,
        reference=path,
        windows=(HOUR, DAY),
        outcomes=Outcomes(horizon=2 * DAY, matures_after=HOUR, revisions=revisions),
        value=Value("EUR", **WORTH[task]),
    )
    return Driver(Config(models={"m": replace(given, **model)}, limits=Limits(classes=4)))


def made(task, seed=1, n=N):
    """Predictions over four hours, their first outcomes, and another word on a third of them."""
    rng = np.random.default_rng(seed)
    times = WALL - 4 * HOUR + np.linspace(0, 3.9 * HOUR, n)
    ids = [f"i{i}" for i in range(n)]
    sent = predictions(
        ids,
        times,
        numeric={"x": rng.uniform(0, 200, n)},
        prediction=LABELS[task](rng, n),
        score=rng.random(n) if task is Task.BINARY else None,
        segments={"plan": rng.choice(["free", "pro"], n).tolist()},
    )
    first, again = LABELS[task](rng, n), LABELS[task](rng, n)
    return sent, ids, times + 300, first, again, np.flatnonzero(rng.random(n) < 1 / 3)


def parts(held):
    """Every row of outcomes in all panes and windows."""
    view = held.view()
    found = {}
    for window in view.windows:
        for name in ("arrived", "matured", "concept", "value_arrived", "value_matured"):
            found[window.name, name] = getattr(window, name)
        for name in ("arrived_groups", "matured_groups", "value_arrived_groups", "value_matured_groups"):
            found[window.name, name] = getattr(window, name)
    version = held.version()
    for series, kind in ((version.fine, "fine"), (version.coarse, "coarse")):
        for (part, index), row in series.hot.items():
            if part in (Part.ARRIVED, Part.MATURED, Part.CONCEPT, Part.VALUE_ARRIVED, Part.VALUE_MATURED):
                found[kind, part, index] = row
    return found


def check_same(one, other):
    assert one.keys() == other.keys()
    for key, row in one.items():
        if row is None:
            assert other[key] is None
            continue
        np.testing.assert_array_equal(row.counts, other[key].counts, err_msg=str(key))
        scale = 1e-9 * max(1.0, np.abs(row.sums).max(initial=0.0))
        np.testing.assert_allclose(row.sums, other[key].sums, rtol=1e-9, atol=scale, err_msg=str(key))


def last_words(first, again, places):
    final = list(first)
    for i in places.tolist():
        final[i] = again[i]
    return final


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("looked", [False, True])
def test_all_that_is_counted_is_as_if_the_last_word_had_been_the_first(task, looked, path):
    sent, ids, times, first, again, places = made(task)
    held, plain = driver(task, path), driver(task, path, revisions=False)
    for each in (held, plain):
        each.send(sent)
    held.send(outcomes(ids, first, times))
    if looked:
        held.view()  # so that windows are running totals, which must follow
    told = outcomes([ids[i] for i in places], [again[i] for i in places], np.full(places.size, WALL))
    taken = held.send(told)
    plain.send(outcomes(ids, last_words(first, again, places), times))
    changed = sum(again[i] != first[i] for i in places)
    assert 0 < changed <= places.size
    assert taken.accepted.tolist() == [changed]
    assert taken.duplicates.tolist() == [places.size - changed]
    assert sum(t.revised for t in taken.tallies) == changed
    assert sum(t.conflicts for t in taken.tallies) == 0
    check_same(parts(held), parts(plain))
    check_same(parts(held.restarted()), parts(plain))


def test_without_revisions_the_first_counts_and_others_are_conflicts():
    held = driver(Task.BINARY, revisions=False)
    held.send(predictions(["a"], score=[0.9]))
    held.send(outcomes(["a"], [1]))
    before = parts(held)
    taken = held.send(outcomes(["a"], [0]))
    assert (taken.tallies[0].conflicts, taken.tallies[0].revised) == (1, 0)
    assert taken.duplicates.tolist() == [1]
    check_same(parts(held), before)


def confusion(held, version="1"):
    sketch, row = held.quality(version)
    return sketch.count(row, "confusion")[0].tolist()


def test_there_and_back_again_and_the_same_word_twice():
    held = driver(Task.BINARY)
    held.send(predictions(["a"], score=[0.9]))
    for word, expected in ((1, [0, 1]), (0, [1, 0]), (0, [1, 0]), (1, [0, 1]), (0, [1, 0])):
        held.send(outcomes(["a"], [word], [WALL]))
        assert [row[1] for row in confusion(held)] == expected
        assert held.counted() == 1
    assert confusion(held.restarted()) == confusion(held)
    assert held.version().unjoined == 0


def test_of_several_words_in_one_batch_the_last_counts():
    held = driver(Task.BINARY)
    held.send(predictions(["a", "b"], score=[0.9, 0.9]))
    taken = held.send(outcomes(["a", "a", "b"], [1, 0, 1]))
    assert confusion(held) == [[0, 1], [0, 1]]
    assert taken.tallies[0].revised == 1
    held.send(outcomes(["b", "b"], [1, 0]))
    assert confusion(held) == [[0, 2], [0, 0]]


def test_another_word_before_the_prediction_comes_is_the_one_that_joins():
    held = driver(Task.BINARY)
    held.send(outcomes(["a"], [1], [WALL - 60]))
    taken = held.send(outcomes(["a"], [0], [WALL]))
    assert taken.tallies[0].revised == 1
    assert held.model().waiting == 1
    held.send(predictions(["a"], [WALL - 30], score=[0.9]))
    assert confusion(held) == [[0, 1], [0, 0]]
    assert held.model().waiting == 0
    assert confusion(held.restarted()) == [[0, 1], [0, 0]]


def test_an_outcome_that_carried_its_own_score_is_not_revised_but_a_conflict():
    held = driver(Task.BINARY)
    held.send(outcomes(["a"], [1], version="1", score=[0.8]))
    taken = held.send(outcomes(["a"], [0], version="1"))
    assert (taken.tallies[0].revised, taken.tallies[0].conflicts) == (0, 1)
    assert confusion(held) == [[0, 0], [0, 1]]


def test_an_outcome_that_came_with_its_prediction_is_revised_without_naming_the_version():
    held = driver(Task.BINARY)
    held.send(predictions(["a"], score=[0.9], outcome=[1]))
    assert confusion(held) == [[0, 0], [0, 1]]
    held.send(outcomes(["a"], [0]))
    assert confusion(held) == [[0, 1], [0, 0]]
    held.send(outcomes(["a"], [1]))
    assert confusion(held) == [[0, 0], [0, 1]]
    held.send(outcomes(["a"], [0], version="1"))
    assert confusion(held) == [[0, 1], [0, 0]]
    assert confusion(held.restarted()) == [[0, 1], [0, 0]]


def test_a_word_on_one_version_leaves_the_other_as_it_is():
    held = driver(Task.BINARY)
    for version in ("1", "2"):
        held.send(predictions(["a"], score=[0.9], version=version))
    held.send(outcomes(["a"], [1]))
    held.send(outcomes(["a"], [0], version="2"))
    assert confusion(held, "1") == [[0, 0], [0, 1]]
    assert confusion(held, "2") == [[0, 1], [0, 0]]
    held.send(outcomes(["a"], [0]))
    assert confusion(held, "1") == confusion(held, "2") == [[0, 1], [0, 0]]
    assert confusion(held.restarted(), "1") == [[0, 1], [0, 0]]


def test_counters_of_the_process_and_detectors_keep_what_they_have_read():
    sent, ids, times, first, again, places = made(Task.BINARY)
    held = driver(Task.BINARY)
    held.send(sent)
    held.send(outcomes(ids, first, times))
    lifetime, errors = held.view().quality_lifetime.copy(), held.version().errors
    held.send(outcomes([ids[i] for i in places], [again[i] for i in places]))
    np.testing.assert_array_equal(held.view().quality_lifetime.counts, lifetime.counts)
    assert held.version().errors == errors


def test_what_was_begun_anew_since_is_not_taken_from(path):
    """A relation begun anew holds nothing of the outcome: a count below 0 would be four billion."""
    held = driver(Task.BINARY, path)
    held.send(predictions(["a"], numeric={"x": [5.0]}, score=[0.9]))
    held.send(outcomes(["a"], [1]))
    held.version().relating.begin_anew()
    held.send(outcomes(["a"], [0]))
    for row in parts(held).values():
        assert row is None or row.counts.max(initial=0) < 10
    assert confusion(held) == [[0, 1], [0, 0]]


def test_beyond_the_horizon_of_its_prediction_another_word_is_a_conflict():
    held = driver(Task.BINARY)
    held.send(predictions(["a"], [WALL], score=[0.9]))
    held.send(outcomes(["a"], [1], [WALL]))
    plain = held.version().plain
    held.shelf.drop(plain.log, plain.next_row)
    plain.forget(plain.next_row)
    taken = held.send(outcomes(["a"], [0], [WALL]))
    assert (taken.tallies[0].revised, taken.tallies[0].conflicts) == (0, 1)
    assert confusion(held) == [[0, 0], [0, 1]]


def test_expected_errors_are_learned_of_the_last_words(path):
    sent, ids, times, first, again, places = made(Task.REGRESSION)
    held = driver(Task.REGRESSION, path)
    held.send(sent)
    held.send(outcomes(ids, first, times))
    held.send(outcomes([ids[i] for i in places], [again[i] for i in places], np.full(places.size, WALL)))
    sample = loss_learning.Sample(held.version(), "any")
    while sample._starts:
        sample.step(held.version())
    _, prediction, error = sample._gathered(held.version())
    final = np.array(last_words(first, again, places))
    wanted = np.array(sent.prediction) - final
    # A run of outcomes that holds both words on an id takes the last one, once; 1,000 words are two runs.
    pairs = {(p, round(e, 6)) for p, e in zip(sent.prediction, wanted.tolist(), strict=True)}
    assert {(p, round(e, 6)) for p, e in zip(prediction.tolist(), error.tolist(), strict=True)} == pairs
